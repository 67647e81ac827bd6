//! What no compiler checks: file heads, ceilings, pages of problems, names that must not stand in the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the project's top folder.
pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files under `folder` whose name ends with `suffix`, sorted.
pub(crate) fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Returns the names of the built-in packs, sorted.
pub(crate) fn folders_of_packs() -> Vec<String> {
    let heads = files(&top().join("rules"), "/pack.yaml");
    let name = |path: &PathBuf| Some(path.parent()?.file_name()?.to_str()?.to_owned());
    heads.iter().filter_map(name).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(top()).unwrap_or(path).display().to_string()
}

fn sources() -> Vec<(String, String)> {
    files(&top().join("src"), ".rs")
        .iter()
        .map(|it| (shown(it), read(it)))
        .collect()
}

/// Fails with `faults`, a line each, unless there are none.
fn none(what: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{what}:\n{}", faults.join("\n"));
}

#[test]
fn every_source_file_says_what_it_owns() {
    let headless = sources().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    none(
        "files without `//!` at the top",
        headless.map(|(path, _)| path).collect(),
    );
}

#[test]
fn no_source_file_is_longer_than_800_lines() {
    let long = sources().into_iter().map(|(path, text)| (path, text.lines().count()));
    none(
        "files over the ceiling",
        long.filter(|it| it.1 > 800)
            .map(|it| format!("{}: {}", it.0, it.1))
            .collect(),
    );
}

#[test]
fn no_room_is_called_after_nothing() {
    let empty = ["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"];
    let found = sources()
        .into_iter()
        .map(|it| it.0)
        .filter(|it| empty.iter().any(|name| it.ends_with(&format!("/{name}"))));
    none("names that say nothing", found.collect());
}

#[test]
fn the_engine_names_no_platform() {
    let platforms = [
        "nomad",
        "consul",
        "traefik",
        "vault",
        "prometheus",
        "kubernetes",
        "docker",
        "caddy",
        "helm",
        "terraform",
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let plain = line
                .to_lowercase()
                .replace("dockerfile", "")
                .replace("caddyfile", "")
                .replace("consult", "");
            if platforms.iter().any(|it| plain.contains(it)) {
                found.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    none("platforms in the engine", found);
}

#[test]
fn nothing_is_left_open() {
    let marks = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        found.extend(
            text.lines()
                .filter(|line| marks.iter().any(|it| line.contains(it)))
                .map(|it| format!("{path}: {it}")),
        );
    }
    none("left open", found);
}

/// Returns every problem code that the sources name, with the file that does: a string `area::what`.
fn codes() -> BTreeMap<String, String> {
    let areas = [
        "artifact",
        "blame",
        "data",
        "explain",
        "expression",
        "graph",
        "pack",
        "pattern",
        "plan",
        "proof",
        "rename",
        "rule",
        "shell",
        "spec",
        "template",
        "yaml",
    ];
    let mut codes = BTreeMap::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.contains("/tests")) {
        for code in text.split('"').skip(1) {
            let Some((area, what)) = code.split_once("::") else {
                continue;
            };
            let is_what = !what.is_empty()
                && what
                    .bytes()
                    .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_');
            if areas.contains(&area) && is_what {
                codes.insert(code.to_owned(), path.clone());
            }
        }
    }
    codes
}

#[test]
fn every_problem_has_a_page_and_every_page_a_problem() {
    let codes = codes();
    assert!(
        codes.len() > 40,
        "only {} codes were found: has the way to write them changed?",
        codes.len()
    );
    let folder = top().join("docs/problems");
    let page = |code: &str| folder.join(format!("{}.md", code.replace("::", ".")));
    let without = codes.iter().filter(|(code, _)| !page(code).is_file());
    none(
        "problems without a page in docs/problems",
        without.map(|(code, path)| format!("{code} ({path})")).collect(),
    );
    let pages: BTreeSet<String> = codes.keys().map(|it| shown(&page(it))).collect();
    let stale = files(&folder, ".md")
        .into_iter()
        .map(|it| shown(&it))
        .filter(|it| !pages.contains(it));
    none("pages of problems that nothing makes", stale.collect());
    let parts = ["\n## Why it matters\n", "\n## Wrong\n", "\n## Right\n"];
    let lacking = files(&folder, ".md").into_iter().filter(|it| {
        let text = read(it);
        let places = parts.map(|part| text.find(part));
        places.contains(&None) || !places.is_sorted()
    });
    none(
        "pages that don't say why it matters, what is wrong and what is right",
        lacking.map(|it| shown(&it)).collect(),
    );
}

#[test]
fn every_rule_of_the_built_in_packs_says_what_it_does() {
    let mut without = Vec::new();
    for file in files(&top().join("rules"), ".yaml") {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let next = lines.get(at + 1).copied().unwrap_or_default().trim_start();
            if line.trim_start().starts_with("- rule:") && !next.starts_with("doc:") {
                without.push(format!("{}:{}", shown(&file), at + 1));
            }
        }
    }
    none("rules without a `doc:` in their second line", without);
}

#[test]
fn the_project_stands_alone() {
    let marks = [concat!("../sha", "red"), concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let mut found = Vec::new();
    for folder in [
        "src",
        "rules",
        "templates",
        "tests",
        "benches",
        "docs",
        "fixtures",
        ".ci",
    ] {
        for file in files(&top().join(folder), "") {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            if marks.iter().any(|it| text.contains(it)) {
                found.push(shown(&file));
            }
        }
    }
    none("files that name what lies outside of the project", found);
}
