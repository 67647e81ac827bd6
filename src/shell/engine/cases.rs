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

/// Runs the cases of the project at `root`: of all its packs, or of those whose folders are given.
///
/// # Errors
///
/// A problem where a folder that was named holds no case.
pub(super) fn run(root: &Root, packs: &[PathBuf]) -> Result<Vec<Case>, Problem> {
    let mut folders: Vec<PathBuf> = packs.to_vec();
    if folders.is_empty() {
        folders = subfolders(&root.folder.join("rules"));
    }
    let mut cases = Vec::new();
    for folder in folders {
        let folder = if folder.is_absolute() {
            folder
        } else {
            root.folder.join(folder)
        };
        let found = subfolders(&folder.join("cases"));
        if found.is_empty() && !packs.is_empty() {
            let message = format!("`{}` holds no cases", folder.display());
            return Err(
                Problem::error("shell::no_cases", message).help("a case is a folder `cases/NAME/` with a `gen.yaml`")
            );
        }
        let pack = folder
            .file_name()
            .map(|it| it.to_string_lossy().into_owned())
            .unwrap_or_default();
        for case in found {
            let name = case
                .file_name()
                .map(|it| it.to_string_lossy().into_owned())
                .unwrap_or_default();
            let outcome = compare(root, &case, &pack).map_err(Arc::from);
            cases.push(Case {
                name: Name::from(format!("{pack}/{name}")),
                outcome,
            });
        }
    }
    Ok(cases)
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
