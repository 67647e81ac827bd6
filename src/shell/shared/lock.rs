//! `gen.lock`: from where each pack from elsewhere was taken, and the digest of what it held then.
//!
//! It is YAML with one pack after the other, sorted, so that two branches that lock different packs merge line by line.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::fingerprint::Digest;
use crate::problem::{Place, Problem, Span};
use crate::spec::elsewhere::{Request, requests};
use crate::value::Name;
use crate::yaml::{self, Yaml};

/// The name of the file, beside the root file.
pub const LOCK: &str = "gen.lock";
/// The form of the file that is read and written.
const VERSION: i64 = 1;
/// What it says of a pack besides what was asked for.
const KEYS: [&str; 2] = ["commit", "blake3"];

const HEAD: &str = "\
# Written by `gen pack lock`, to be committed together with `.gen/packs`: the packs from elsewhere that `packs` names,
# and what they held.
";

/// A pack as it was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// What was asked for.
    pub request: Request,
    /// The commit that it was, if it comes from git.
    pub commit: Option<Name>,
    /// Of all its files.
    pub digest: Digest,
    /// Where it stands in the file.
    pub at: Span,
    /// Where its digest stands.
    pub digest_at: Span,
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.request.source)?;
        match &self.commit {
            Some(commit) => write!(f, " commit {}", commit.get(..12).unwrap_or(commit)),
            None => Ok(()),
        }
    }
}

/// All packs that were locked.
pub type Lock = BTreeMap<Name, Locked>;

/// Returns what `text` says.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Lock, Problem> {
    let (yaml, mistakes) = yaml::parse(text);
    let file = Name::from(LOCK);
    let damaged = |span: Span, label: &str| {
        let message = format!("`{LOCK}` is not as it was written");
        Problem::error("shell::bad_lock", message)
            .at(Place::Text(file.clone(), span), label)
            .help("`gen pack lock` writes it anew; where git has left a conflict in it, that settles it too")
    };
    if let Some(mistake) = mistakes.first() {
        let place = mistake.problem(&file).labels.into_iter().next();
        let span = place.and_then(|it| match it.place {
            Place::Text(_, span) => Some(span),
            _ => None,
        });
        return Err(damaged(span.unwrap_or_default(), "this is no YAML"));
    }
    let Some(yaml) = yaml else {
        return Err(damaged(Span::default(), "nothing is written here"));
    };
    match yaml.get("version").map(|it| (&it.data, it.span)) {
        Some((yaml::Data::Int(VERSION), _)) => {}
        Some((_, span)) => {
            let message = format!("`{LOCK}` has a form that this `gen` does not read");
            return Err(Problem::error("shell::bad_lock", message)
                .at(Place::Text(file, span), format!("not {VERSION}"))
                .help("another version of `gen` has written it: use that one"));
        }
        None => return Err(damaged(Span::default(), "no `version` in this file")),
    }
    let Some(packs) = yaml.get("packs") else {
        return Err(damaged(yaml.span, "no `packs` in this file"));
    };
    let (found, faults) = requests(packs, &KEYS, text);
    if let Some(fault) = faults.first() {
        return Err(damaged(fault.span, fault.label));
    }
    let mut lock = Lock::new();
    for (request, entry) in found {
        let digest = entry.value.get("blake3");
        let digest = digest.and_then(|it| Some((Digest::parse(it.as_str()?)?, it.span)));
        let Some((digest, digest_at)) = digest else {
            return Err(damaged(entry.key_span, "no digest of this pack"));
        };
        let locked = Locked {
            commit: entry.value.get("commit").and_then(Yaml::as_str).map(Name::from),
            digest,
            at: entry.key_span,
            digest_at,
            request,
        };
        lock.insert(locked.request.name.clone(), locked);
    }
    Ok(lock)
}

/// Returns the text of the file that says `lock`.
#[must_use]
pub fn print(lock: &Lock) -> String {
    let mut text = format!("{HEAD}version: {VERSION}\npacks:\n");
    for (name, locked) in lock {
        let _ = writeln!(text, "  {name}:");
        let keys = locked.request.source.keys();
        let commit = locked.commit.iter().map(|it| ("commit", it.clone()));
        let all = keys.into_iter().map(|(key, value)| (key, value.clone())).chain(commit);
        for (key, value) in all.chain([("blake3", Name::from(locked.digest.to_string()))]) {
            // A text of JSON is one of YAML, whatever stands in it.
            let _ = writeln!(text, "    {key}: {}", serde_json::Value::from(&*value));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::elsewhere::{Revision, Source};

    fn locked(name: &str, source: Source, commit: Option<&str>) -> (Name, Locked) {
        let locked = Locked {
            request: Request {
                name: name.into(),
                source,
            },
            commit: commit.map(Name::from),
            digest: Digest::of([name.as_bytes()]),
            at: Span::default(),
            digest_at: Span::default(),
        };
        (name.into(), locked)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let git = |revision, dir: &str| Source::Git {
            repository: "git@host:x/y \"z\"".into(),
            revision,
            dir: dir.into(),
        };
        let lock: Lock = [
            locked("a", Source::Folder("../p: # q".into()), None),
            locked("b", git(Revision::Tag("1.10".into()), "x/y"), Some("012")),
            locked("c", git(Revision::Head, ""), Some("12e4")),
        ]
        .into();
        let read = parse(&print(&lock)).expect("it was written so");
        assert_eq!(print(&read), print(&lock));
        let told = |lock: &Lock| -> Vec<(Request, Option<Name>, Digest)> {
            let told = lock
                .values()
                .map(|it| (it.request.clone(), it.commit.clone(), it.digest));
            told.collect()
        };
        assert_eq!(told(&read), told(&lock));
    }

    #[test]
    fn what_is_damaged_is_said_with_its_place() {
        let label = |text: &str| parse(text).map_err(|it| it.labels[0].text.to_string()).map(drop);
        let wrong = |text: &str, said: &str| assert_eq!(label(text), Err(said.to_owned()), "{text}");
        wrong("", "nothing is written here");
        wrong("<<<<<<< ours\nversion: 1\npacks: {}\n=======\n", "this is no YAML");
        wrong("packs: {}\n", "no `version` in this file");
        wrong("version: 2\npacks: {}\n", "not 1");
        wrong("version: 1\n", "no `packs` in this file");
        wrong("version: 1\npacks: {a: {path: x}}\n", "no digest of this pack");
        wrong(
            "version: 1\npacks: {a: {path: x, blake3: '12'}}\n",
            "no digest of this pack",
        );
        wrong("version: 1\npacks: {a: {blake3: '12'}}\n", "neither `path` nor `git`");
        assert_eq!(label("version: 1\npacks:\n"), Ok(()));
    }
}
