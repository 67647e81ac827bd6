//! `gen init`: a spec for a repository, from what stands in it.
//!
//! Which file tells what is data, in `rules/init.tsv`. Nothing is ever overwritten.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use clap::Args;

use super::super::discover::SPEC_NAMES;
use super::super::report::{Exit, Report, Sources};
use crate::problem::Problem;

/// Write a spec for this repository, from what stands in it
#[derive(Debug, Args)]
pub(super) struct InitArgs {}

/// The table, in which earlier lines win.
const TABLE: &str = include_str!("../../../rules/init.tsv");
/// The most of a file that is searched for a word.
const MOST_BYTES: usize = 1 << 20;

struct Line<'t> {
    tells: &'t str,
    file: &'t str,
    word: Option<&'t str>,
    name: Option<&'t str>,
}

fn table() -> impl Iterator<Item = Line<'static>> {
    TABLE.lines().filter(|it| !it.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t').map(|it| Some(it).filter(|it| *it != "-"));
        Some(Line {
            tells: columns.next()??,
            file: columns.next()??,
            word: columns.next()?,
            name: columns.next()?,
        })
    })
}

pub(super) fn run(_: &InitArgs, folder: &Path, report: &Report) -> Exit {
    match write(folder) {
        Ok(spec) => {
            report.result(&format!("created    {}\n", SPEC_NAMES[0]));
            report.note(if spec.contains("\nservices: {}") {
                "no services were found; add some, then run `gen plan`"
            } else {
                "look it over, then run `gen plan`"
            });
            Exit::Done
        }
        Err(problem) => {
            report.problems(&[problem], &Sources::default());
            Exit::Failed
        }
    }
}

fn write(folder: &Path) -> Result<String, Problem> {
    if let Some(name) = SPEC_NAMES.iter().find(|it| folder.join(it).exists()) {
        return Err(Problem::error("shell::exists", format!("`{name}` is there already"))
            .help("`gen plan` shows what it generates"));
    }
    let folder = fs::canonicalize(folder).map_err(|error| {
        Problem::error(
            "shell::no_folder",
            format!("the folder `{}` can't be used: {error}", folder.display()),
        )
        .help("name a folder that is there by `-C DIR`")
    })?;
    let spec = spec(&folder);
    let written = fs::File::create_new(folder.join(SPEC_NAMES[0])).and_then(|mut it| it.write_all(spec.as_bytes()));
    match written {
        Ok(()) => Ok(spec),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("`{}` is there already", SPEC_NAMES[0]);
            Err(Problem::error("shell::exists", message).help("`gen plan` shows what it generates"))
        }
        Err(error) => {
            let message = format!("`{}` can't be written: {error}", SPEC_NAMES[0]);
            Err(Problem::error("shell::write_failed", message).help("give yourself the right to write to this folder"))
        }
    }
}

/// Returns a spec for what stands in `folder`.
fn spec(folder: &Path) -> String {
    let name = folder.file_name().map_or("project".into(), |it| it.to_string_lossy());
    let mut text = format!("version: 0.2\nname: {}\n", scalar(&name));
    let mut platforms: Vec<&str> = table()
        .filter(|it| it.tells == "platform" && folder.join(it.file).exists())
        .filter_map(|it| it.name)
        .collect();
    platforms.dedup();
    if platforms.is_empty() {
        let mut known: Vec<&str> = table()
            .filter(|it| it.tells == "platform")
            .filter_map(|it| it.name)
            .collect();
        known.sort_unstable();
        known.dedup();
        text.push_str(&format!(
            "\ndeployment:\n  platforms: []   # where the services run: {}\n",
            known.join(", ")
        ));
    } else {
        text.push_str(&format!("\ndeployment:\n  platforms: [{}]\n", platforms.join(", ")));
    }
    let services = services(folder);
    if services.is_empty() {
        text.push_str("\nservices: {}\n");
        return text;
    }
    text.push_str("\nservices:\n");
    for (name, framework) in services {
        let name = scalar(&name);
        match framework {
            Some(framework) => text.push_str(&format!("  {name}:\n    framework: {framework}\n")),
            None => text.push_str(&format!("  {name}: {{}}\n")),
        }
    }
    text
}

/// Returns the services in `folder`, sorted by name, each with its framework, if that is known.
fn services(folder: &Path) -> Vec<(String, Option<&'static str>)> {
    let mut services = Vec::new();
    for line in table().filter(|it| it.tells == "folder") {
        let Ok(entries) = fs::read_dir(folder.join(line.file)) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let (name, place) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
            if !name.starts_with('.') && place.is_dir() {
                services.extend(framework(&place).map(|it| (name, it)));
            }
        }
    }
    if services.is_empty()
        && let Some(framework) = framework(folder)
    {
        // The repository is one service.
        let name = folder.file_name().map_or("app".into(), |it| it.to_string_lossy());
        services.push((name.into_owned(), framework));
    }
    services.sort();
    services.dedup_by(|a, b| a.0 == b.0);
    services
}

/// Returns the framework of the service in `folder`, `Some(None)` where it is a service of unknown make, and `None`
/// where it does not look like one.
fn framework(folder: &Path) -> Option<Option<&'static str>> {
    let tells = |line: &Line<'_>| {
        let place = folder.join(line.file);
        line.tells == "framework"
            && place.is_file()
            && line.word.is_none_or(|word| {
                fs::read(place).is_ok_and(|bytes| {
                    let bytes = &bytes[..bytes.len().min(MOST_BYTES)];
                    String::from_utf8_lossy(bytes).to_lowercase().contains(word)
                })
            })
    };
    table().find(tells).map(|it| it.name)
}

/// Writes `text` as a scalar of YAML: bare where that is safe.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_made_of_what_stands_there_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("my shop");
        for (file, text) in [
            ("services/web/package.json", "{\"dependencies\": {\"express\": \"4\"}}"),
            ("services/orders/pyproject.toml", "dependencies = [\"Django>=5\"]"),
            ("services/null/go.mod", "module x"),
            ("services/notes/README.md", "no service"),
        ] {
            let place = root.join(file);
            fs::create_dir_all(place.parent().expect("below")).expect("made");
            fs::write(place, text).expect("written");
        }
        let spec = write(&root).expect("written");
        assert!(
            spec.starts_with("version: 0.2\nname: \"my shop\"\n\ndeployment:\n  platforms: []"),
            "{spec}"
        );
        let services = spec.split_once("\nservices:\n").expect("services").1;
        assert_eq!(
            services,
            "  \"null\":\n    framework: go\n  orders:\n    framework: django\n  web:\n    framework: express\n"
        );
        assert_eq!(write(&root).expect_err("there already").code, "shell::exists");
    }

    #[test]
    fn every_line_of_the_table_is_whole() {
        let lines = TABLE.lines().filter(|it| !it.starts_with('#')).count();
        assert_eq!(table().count(), lines);
        assert!(table().all(|it| matches!(it.tells, "framework" | "platform" | "folder")));
    }
}
