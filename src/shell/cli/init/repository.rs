//! What stands in a repository: which folders look like services, and what their files say of them.
//!
//! What a file's name and words mean is data (`table`).

use std::fs;
use std::path::Path;

use ignore::WalkBuilder;

use super::table::{Line, lines};
use super::tree::Tree;

/// The most of a file that is searched for a word.
const MOST_BYTES: usize = 1 << 20;
/// How far down services are looked for.
const DEEPEST: usize = 4;

/// A service, as far as files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    /// Its folder, relative to the repository; empty for its top.
    pub(super) folder: String,
    pub(super) framework: Option<String>,
    pub(super) image: Option<String>,
    /// The service that is built in the same way, and whose image it runs.
    pub(super) image_of: Option<String>,
    /// How its image is built, where that is said.
    pub(super) build: Tree,
    /// Whether something waits until it has ended.
    pub(super) ends: bool,
    /// The ports inside, in the order in which they are found.
    pub(super) ports: Vec<Port>,
    /// What tells its health.
    pub(super) health: Option<Health>,
    /// What it stands on, and whether it can't do without.
    pub(super) depends_on: Vec<(String, bool)>,
    pub(super) env: Vec<(String, String)>,
    /// What else files say of it, as the spec says that.
    pub(super) fields: Tree,
    /// What is not taken over: variables that hold what no file may hold or that are given from outside, and what the spec
    /// has no word for.
    pub(super) left_out: Vec<String>,
}

/// A port on which a service listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    pub(super) is_udp: bool,
    /// The port of the host that leads to it.
    pub(super) published: Option<u16>,
    /// The one address of the host at which it is found.
    pub(super) host_ip: Option<String>,
}

/// Where a service tells its health, by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) port: u16,
    pub(super) path: String,
}

impl Service {
    /// Returns the service after which its image is called where nobody names one.
    pub(super) fn built_as(&self) -> &str {
        self.image_of.as_deref().unwrap_or(&self.name)
    }

    /// Tells whether it may be listening, as far as files tell: what a framework brings may say so, too.
    pub(super) fn may_listen(&self) -> bool {
        !self.ports.is_empty() || self.framework.is_some() && self.image_of.is_none() && !self.ends
    }

    /// Adds a port, unless it is known; what is known of it is added to.
    pub(super) fn listen(&mut self, port: Port) {
        let there = self
            .ports
            .iter_mut()
            .find(|it| it.number == port.number && it.is_udp == port.is_udp);
        match there {
            Some(there) if there.published.is_none() => *there = port,
            Some(_) => {}
            None => self.ports.push(port),
        }
    }

    /// Says that `health` tells how it is: so it listens there.
    pub(super) fn ask(&mut self, health: Health) {
        if !self.ports.iter().any(|it| it.is(health.port)) {
            self.ports.push(Port {
                number: health.port,
                ..Port::default()
            });
        }
        self.health = Some(health);
    }
}

impl Port {
    /// Returns the port that `written` names, `80` or `80/tcp`.
    pub(super) fn parse(written: &str) -> Option<Self> {
        let (number, protocol) = written.split_once('/').unwrap_or((written, "tcp"));
        let number = number.parse().ok().filter(|it| *it > 0)?;
        Some(Self {
            number,
            is_udp: protocol == "udp",
            ..Self::default()
        })
    }

    /// Tells whether it is this one of TCP.
    pub(super) fn is(&self, number: u16) -> bool {
        self.number == number && !self.is_udp
    }
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

/// Returns the services whose code stands below `root`, sorted by name; the top is one of them, where it looks like one.
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
    // A folder goes before the top, which may be called as it is.
    services.sort_by(|a, b| (&a.name, a.folder.is_empty()).cmp(&(&b.name, b.folder.is_empty())));
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

/// Takes from a build file the ports that it opens, and the address by which it asks for health.
fn build_file(text: &str, service: &mut Service) {
    let mut health = None;
    for line in text.replace("\\\n", " ").lines() {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or_default();
        match word.to_ascii_uppercase().as_str() {
            "EXPOSE" => {
                let ports = rest.split_whitespace().filter_map(Port::parse);
                ports.for_each(|it| service.listen(it));
            }
            "HEALTHCHECK" => health = health_of(rest),
            _ => {}
        }
    }
    if let Some(health) = health {
        service.ask(health);
    }
}

/// Returns the first address of the host itself in a command.
pub(super) fn health_of(command: &str) -> Option<Health> {
    let start = command.find("http://")? + "http://".len();
    let address = command[start..]
        .split(|it: char| it.is_whitespace() || "\"',|;&)".contains(it))
        .next()?;
    let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let (host, port) = host.split_once(':').unwrap_or((host, "80"));
    if !["localhost", "127.0.0.1", "0.0.0.0"].contains(&host) || path.contains('$') {
        return None;
    }
    Some(Health {
        port: port.parse().ok().filter(|it| *it > 0)?,
        path: if path.is_empty() { "/" } else { path }.to_owned(),
    })
}
