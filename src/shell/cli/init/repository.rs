//! What stands in a repository: which folders look like services, and what their files say of them.
//!
//! What a file's name and words mean is data (`table`).

use std::fs;
use std::path::Path;

use ignore::WalkBuilder;

use super::table::{Line, lines};

/// The most of a file that is searched for a word.
const MOST_BYTES: usize = 1 << 20;
/// How far down services are looked for.
const DEEPEST: usize = 4;

/// A service, as far as files tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    /// Its folder, relative to the repository; empty for its top.
    pub(super) folder: String,
    pub(super) framework: Option<String>,
    pub(super) image: Option<String>,
    /// Whether something waits until it has ended.
    pub(super) ends: bool,
    /// The ports inside, in the order in which they are found.
    pub(super) ports: Vec<u16>,
    /// The path that tells its health.
    pub(super) health: Option<String>,
    pub(super) depends_on: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// Variables that are not taken over, since they hold what no file may hold, or what is given from outside.
    pub(super) left_out: Vec<String>,
}

/// Returns the name that a manifest in `folder` gives, else that of the folder itself.
pub(super) fn name(folder: &Path) -> String {
    let named = lines("name").find_map(|line| {
        let before = line.word?;
        let text = text(&folder.join(line.file))?;
        let rest = text.lines().find_map(|it| it.trim_start().strip_prefix(before))?;
        let name = rest.split('"').next()?.trim().rsplit('/').next()?;
        (!name.is_empty()).then(|| name.to_owned())
    });
    let own = || folder.file_name().map(|it| plain(&it.to_string_lossy()));
    named.or_else(own).unwrap_or_else(|| "project".to_owned())
}

/// Returns the name of a folder as it can be part of the name of a host or an image; one that has no such character stays
/// as it is.
fn plain(folder: &str) -> String {
    let words = folder.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let words: Vec<&str> = words.filter(|it| !it.is_empty()).collect();
    if words.is_empty() {
        folder.to_owned()
    } else {
        words.join("-")
    }
}

/// Returns the services whose code stands below `root`, sorted by name.
pub(super) fn services(root: &Path) -> Vec<Service> {
    let mut walk = WalkBuilder::new(root);
    walk.max_depth(Some(DEEPEST)).require_git(false).follow_links(false);
    walk.filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !lines("skip").any(|it| it.file == name)
    });
    let mut folders: Vec<String> = walk
        .build()
        .filter_map(Result::ok)
        .filter(|it| it.file_type().is_some_and(|it| it.is_dir()))
        .filter_map(|it| it.path().strip_prefix(root).ok()?.to_str().map(str::to_owned))
        .filter(|it| framework(&root.join(it)).is_some())
        .collect();
    folders.sort();
    let mut services: Vec<Service> = Vec::new();
    for folder in folders {
        let place = root.join(&folder);
        // What stands within a service is part of it; a workspace is none.
        let is_part = services
            .iter()
            .any(|it| !it.folder.is_empty() && within(&folder, &it.folder));
        if is_part || lines("workspace").any(|it| tells(&it, &place)) {
            continue;
        }
        let own = folder.rsplit('/').next().unwrap_or_default();
        let mut service = Service {
            name: if own.is_empty() { name(root) } else { plain(own) },
            framework: framework(&place).flatten().map(str::to_owned),
            folder,
            ..Service::default()
        };
        for line in lines("image") {
            if let Some(text) = text(&place.join(line.file)) {
                build_file(&text, &mut service);
            }
        }
        services.push(service);
    }
    // The top is a service only where it is the only one.
    if services.len() > 1 {
        services.retain(|it| !it.folder.is_empty());
    }
    services.sort_by(|a, b| a.name.cmp(&b.name));
    services.dedup_by(|a, b| a.name == b.name);
    services
}

fn within(folder: &str, other: &str) -> bool {
    folder.strip_prefix(other).is_some_and(|it| it.starts_with('/'))
}

/// Returns the framework of the service in `folder`, `Some(None)` where it is a service of unknown make, and `None`
/// where it does not look like one.
fn framework(folder: &Path) -> Option<Option<&'static str>> {
    lines("framework").find(|it| tells(it, folder)).map(|it| it.name)
}

/// Tells whether the file of `line` stands in `folder`, and holds the word.
fn tells(line: &Line<'_>, folder: &Path) -> bool {
    let place = folder.join(line.file);
    place.is_file()
        && line
            .word
            .is_none_or(|word| text(&place).is_some_and(|it| it.to_lowercase().contains(word)))
}

/// Returns the start of the text at `path`, if there is one.
fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_BYTES)]).into_owned())
}

/// Takes from a build file the ports that it opens, and the path by which it asks for health.
fn build_file(text: &str, service: &mut Service) {
    for line in text.replace("\\\n", " ").lines() {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or_default();
        match word.to_ascii_uppercase().as_str() {
            "EXPOSE" => rest.split_whitespace().for_each(|it| add_port(it, &mut service.ports)),
            "HEALTHCHECK" => service.health = health_path(rest),
            _ => {}
        }
    }
}

/// Adds the port that `written` names, `80` or `80/tcp`, unless it is known.
pub(super) fn add_port(written: &str, ports: &mut Vec<u16>) {
    let number = written.split('/').next().and_then(|it| it.parse().ok());
    ports.extend(number.filter(|it| !ports.contains(it)).into_iter().collect::<Vec<_>>());
}

/// Returns the path of the first address of the host itself in a command.
pub(super) fn health_path(command: &str) -> Option<String> {
    let start = command.find("://")? + "://".len();
    let address = command[start..]
        .split(|it: char| it.is_whitespace() || "\"',|;&)".contains(it))
        .next()?;
    let host = address.split(['/', ':']).next()?;
    if !["localhost", "127.0.0.1", "0.0.0.0"].contains(&host) {
        return None;
    }
    Some(address.find('/').map_or("/", |it| &address[it..]).to_owned())
}
