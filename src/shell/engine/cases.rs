//! Rule tests as data: `rules/PACK/cases/CASE/` holds a spec and, under `expected/`, the whole output of the pack's
//! rules for it; findings stand in `expected/findings.txt`, a code a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Ask, Case, Content, Engine};
use crate::problem::Problem;
use crate::shell::discover::{self, Root};
use crate::value::Name;

/// The file that lists the codes of what is found.
const FINDINGS: &str = "findings.txt";

/// Runs the cases of the project at `root`: of all its packs, or those that are named, as a user in the folder `from`
/// does: by the name of a pack, by a folder of a pack or of cases, or by the folder of one case.
///
/// # Errors
///
/// A problem where there is no case at all, or none in what was named.
pub(super) fn run(root: &Root, from: &Path, packs: &[PathBuf]) -> Result<Vec<Case>, Problem> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for named in packs {
        let found = found(root, from, named);
        if found.is_empty() {
            let message = format!("`{}` holds no cases", named.display());
            return Err(none(message));
        }
        folders.extend(found);
    }
    if packs.is_empty() {
        let packs = subfolders(&root.folder.join("rules"));
        folders = packs.iter().flat_map(|it| subfolders(&it.join("cases"))).collect();
        if folders.is_empty() {
            return Err(none("no pack of this project has a case".to_owned()));
        }
    }
    folders.sort();
    folders.dedup();
    let cases = folders.iter().map(|case| {
        let pack = pack_of(case);
        let name = Name::from(format!("{pack}/{}", last(case)));
        let outcome = compare(root, case, &pack).map_err(Arc::from);
        Case { name, outcome }
    });
    Ok(cases.collect())
}

fn none(message: String) -> Problem {
    Problem::error("shell::no_cases", message).help("a case is a folder `rules/PACK/cases/NAME/` with a `gen.yaml`")
}

/// Returns the folders of the cases that `named` stands for.
fn found(root: &Root, from: &Path, named: &Path) -> Vec<PathBuf> {
    for folder in [from.join(named), root.folder.join("rules").join(named)] {
        let is_case = discover::SPEC_NAMES.iter().any(|it| folder.join(it).is_file());
        if is_case && folder.parent().is_some_and(|it| last(it) == "cases") {
            return vec![folder];
        }
        let cases = if last(&folder) == "cases" {
            subfolders(&folder)
        } else {
            subfolders(&folder.join("cases"))
        };
        if !cases.is_empty() {
            return cases;
        }
    }
    Vec::new()
}

/// Returns the pack whose case stands in the folder `case`.
fn pack_of(case: &Path) -> String {
    let pack = case.parent().and_then(Path::parent);
    pack.map(last).unwrap_or_default()
}

fn last(folder: &Path) -> String {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    folder
        .file_name()
        .map(|it| it.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|it| it.path()).filter(|it| it.is_dir()).collect();
    folders.sort();
    folders
}

/// Runs one case with the project's own packs and compares all that comes of the rules of `pack`.
fn compare(root: &Root, case: &Path, pack: &str) -> Result<(), String> {
    let own = discover::find_root(case).map_err(|it| it.message.to_string())?;
    if own.folder != fs::canonicalize(case).map_err(|it| it.to_string())? {
        return Err("the case has no `gen.yaml`".to_owned());
    }
    let mut engine = Engine::open(own);
    engine.files.packs_of(root.clone());
    let outcome = engine.outcome(&Ask::default());
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let of_pack = format!("{pack}/");
    for wanted in outcome.wanted.iter().filter(|it| it.rule.starts_with(&of_pack)) {
        if let Content::Printed(bytes) = &wanted.content {
            found.insert(wanted.path.to_string(), String::from_utf8_lossy(bytes).into_owned());
        }
    }
    let codes: Vec<String> = outcome.problems.iter().map(|it| format!("{}\n", it.code)).collect();
    if !codes.is_empty() {
        found.insert(FINDINGS.to_owned(), codes.concat());
    }
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    collect(&case.join("expected"), "", &mut expected);
    let mut differences = Vec::new();
    for path in expected
        .keys()
        .chain(found.keys().filter(|it| !expected.contains_key(*it)))
    {
        let (wanted, got) = (expected.get(path), found.get(path));
        if wanted != got {
            let empty = String::new();
            let diff = similar::TextDiff::from_lines(wanted.unwrap_or(&empty), got.unwrap_or(&empty));
            differences.push(
                diff.unified_diff()
                    .header(&format!("expected/{path}"), &format!("found/{path}"))
                    .to_string(),
            );
        }
    }
    if expected.is_empty() && found.is_empty() {
        return Err("nothing is expected, and nothing comes out".to_owned());
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("\n"))
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.insert(name, text);
        }
    }
}
