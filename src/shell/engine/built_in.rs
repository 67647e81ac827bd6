//! The files of the built-in packs: inside the binary, or, in a debug build, beside the sources.
//!
//! So whoever writes a built-in pack sees a change at the next run and compiles nothing, and what is released needs no
//! file of this repository.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::fingerprint::Fingerprint;
use crate::kind::offer::{self, Pattern};
use crate::problem::closest;
use crate::yaml;

/// The built-in packs' files: paths and texts, sorted by path.
pub(crate) fn built_in() -> &'static BTreeMap<&'static str, &'static str> {
    static FILES: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(files);
    &FILES
}

/// The fingerprints of the built-in packs' files, by path.
pub(super) fn fingerprints() -> &'static BTreeMap<&'static str, Fingerprint> {
    static FINGERPRINTS: LazyLock<BTreeMap<&str, Fingerprint>> = LazyLock::new(taken);
    &FINGERPRINTS
}

/// Returns the `pack.yaml` of each built-in pack.
fn heads() -> impl Iterator<Item = &'static str> {
    let files = built_in().iter();
    let heads = files.filter(|(path, _)| path.starts_with("rules/") && path.ends_with("/pack.yaml"));
    heads.map(|it| *it.1)
}

/// Returns the patterns that built-in packs offer, sorted by name.
pub(crate) fn patterns() -> Vec<Pattern> {
    let found = heads().filter_map(|text| Some(offer::patterns(&yaml::parse(text).0?, text)));
    let mut patterns: Vec<Pattern> = found.flatten().collect();
    patterns.sort_by(|a, b| a.name.cmp(&b.name));
    patterns
}

/// Returns the values that built-in packs know of `field` in nodes of `kind`, sorted.
pub(crate) fn values(kind: &str, field: &str) -> Vec<String> {
    let known = |text| {
        let head = yaml::parse(text).0?;
        let values = head.get("kinds")?.get(kind)?.get("fields")?.get(field)?.get("values")?;
        Some(
            values
                .items()
                .iter()
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect(),
        )
    };
    let mut all = heads().filter_map(known).collect::<Vec<Vec<String>>>().concat();
    all.sort();
    all.dedup();
    all
}

/// Returns the platforms that built-in packs are for, sorted.
pub(crate) fn platforms() -> Vec<String> {
    let mut platforms: Vec<String> = heads()
        .filter_map(|text| Some(yaml::parse(text).0?.get("platform")?.as_str()?.to_owned()))
        .collect();
    platforms.sort();
    platforms
}

/// Returns the page of the problem `code`, as `area::what`.
pub(crate) fn problem_page(code: &str) -> Option<&'static str> {
    let name = code.replace("::", ".");
    PAGES.get(format!("docs/problems/{name}.md").as_str()).copied()
}

/// Returns the code of a problem that a typing mistake turns into `code`, if there is one.
pub(crate) fn nearest_problem(code: &str) -> Option<String> {
    let name = |it: &&'static str| it.strip_prefix("docs/problems/")?.strip_suffix(".md");
    let names: Vec<&str> = PAGES.keys().filter_map(name).collect();
    let near = closest(&code.replace("::", "."), &names)?;
    Some(near.replace('.', "::"))
}

static PAGES: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(pages);

#[cfg(embedded)]
fn pages() -> BTreeMap<&'static str, &'static str> {
    let files: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/problems.rs"));
    files.iter().copied().collect()
}

#[cfg(not(embedded))]
fn pages() -> BTreeMap<&'static str, &'static str> {
    read(&["docs/problems"])
}

#[cfg(embedded)]
fn files() -> BTreeMap<&'static str, &'static str> {
    let files: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
    files.iter().copied().collect()
}

/// Returns the fingerprints that the build script took.
#[cfg(embedded)]
fn taken() -> BTreeMap<&'static str, Fingerprint> {
    let taken: &[(&str, [u8; 16])] = include!(concat!(env!("OUT_DIR"), "/fingerprints.rs"));
    taken
        .iter()
        .map(|(path, it)| (*path, Fingerprint::from_bytes(*it)))
        .collect()
}

/// Returns the fingerprints of the files as they are now.
#[cfg(not(embedded))]
fn taken() -> BTreeMap<&'static str, Fingerprint> {
    let files = built_in().iter();
    files
        .map(|(path, text)| (*path, Fingerprint::of(text.as_bytes())))
        .collect()
}

/// Reads them from the sources that this debug build was made from; they are kept as long as the process lives.
#[cfg(not(embedded))]
fn files() -> BTreeMap<&'static str, &'static str> {
    read(&["rules", "templates"])
}

#[cfg(not(embedded))]
fn read(below: &[&str]) -> BTreeMap<&'static str, &'static str> {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    let mut folders: Vec<_> = below.iter().map(|it| top.join(it)).collect();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("a debug build has its sources beside it");
        for entry in entries {
            let path = entry.expect("the sources can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(name) = path.strip_prefix(top).ok().and_then(|it| it.to_str()) {
                let text = std::fs::read_to_string(&path).expect("a pack's file is a text");
                let name: &str = name.replace('\\', "/").leak();
                files.insert(name, &*text.leak());
            }
        }
    }
    files
}
