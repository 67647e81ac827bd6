//! What the last apply read: the texts of the spec, of the project's own packs, and the fingerprints of what is built
//! in.
//!
//! It lies in the cache, so that a plan in another process can say what has changed since, and print again what was
//! written. Disposable: without it a plan says that it does not know. Texts, since the old value is to be shown and the
//! old file to be printed; ten thousand specs are a few megabytes, read only where a plan finds something to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::disk::{CACHE, Disk, Flush};
use super::seal::{self, Sort};
use crate::fingerprint::Fingerprint;
use crate::value::Name;

const SORT: &Sort = b"geninp1\n";

/// What a run read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The root spec.
    pub root: Name,
    /// The files of the spec that it includes.
    pub included: BTreeMap<Name, Arc<str>>,
    /// The project's own rules and templates.
    pub own: BTreeMap<Name, Arc<str>>,
    /// The text of the root spec.
    pub text: Arc<str>,
    /// What is built in.
    pub built_in: BTreeMap<Name, Fingerprint>,
}

fn path() -> String {
    format!("{CACHE}/inputs")
}

impl Inputs {
    /// Reads what the last apply of the project on `disk` read; none where that is not known.
    #[must_use]
    pub fn load(disk: &Disk) -> Option<Self> {
        Self::parse(&disk.read(&path()).ok()?)
    }

    /// Keeps it for the next process. The cache is advice: where it can't be written, nothing is known.
    pub fn save(&self, disk: &Disk) {
        let (_, bytes) = seal::seal(SORT, &self.written());
        if disk.replace_small(&path(), &bytes, Flush::Later).is_err() {
            // What is old must not pass for what was applied now.
            let _: std::io::Result<()> = disk.remove_small(&path());
        }
    }

    /// Returns by what those inputs are known that the last apply of the project on `disk` read, without reading them.
    #[must_use]
    pub fn known_by(disk: &Disk) -> Option<Fingerprint> {
        seal::known_by(SORT, &disk.read_head(&path(), seal::HEAD).ok()?)
    }

    /// Returns by what these are known.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        seal::fingerprint(&self.written())
    }

    fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        text(&mut out, &self.root);
        text(&mut out, &self.text);
        for files in [&self.included, &self.own] {
            number(&mut out, files.len());
            for (path, content) in files {
                text(&mut out, path);
                text(&mut out, content);
            }
        }
        number(&mut out, self.built_in.len());
        for (path, digest) in &self.built_in {
            text(&mut out, path);
            out.extend(digest.bytes());
        }
        out
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, mut rest) = seal::open(SORT, bytes)?;
        let mut inputs = Self {
            root: read_text(&mut rest)?.into(),
            text: read_text(&mut rest)?.into(),
            ..Self::default()
        };
        for files in [&mut inputs.included, &mut inputs.own] {
            for _ in 0..read_number(&mut rest)? {
                let path = read_text(&mut rest)?.into();
                files.insert(path, read_text(&mut rest)?.into());
            }
        }
        for _ in 0..read_number(&mut rest)? {
            let path = read_text(&mut rest)?.into();
            let (digest, after) = rest.split_at_checked(16)?;
            rest = after;
            inputs
                .built_in
                .insert(path, Fingerprint::from_bytes(digest.try_into().ok()?));
        }
        rest.is_empty().then_some(inputs)
    }
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend(text.as_bytes());
}

fn read_number(rest: &mut &[u8]) -> Option<usize> {
    let (number, after) = rest.split_at_checked(4)?;
    *rest = after;
    usize::try_from(u32::from_le_bytes(number.try_into().ok()?)).ok()
}

fn read_text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let length = read_number(rest)?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_damage_is_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Disk::open(folder.path()).expect("the folder is there");
        assert_eq!(Inputs::load(&disk), None);
        let inputs = Inputs {
            root: "gen.yaml".into(),
            text: "name: a\n".into(),
            included: [(Name::from("a/é.yaml"), Arc::from("x: ü\n"))].into(),
            own: [(Name::from("rules/x.yaml"), Arc::from(""))].into(),
            built_in: [(Name::from("rules/core/pack.yaml"), Fingerprint::of(b"x"))].into(),
        };
        for _ in 0..2 {
            inputs.save(&disk);
            assert_eq!(Inputs::load(&disk).as_ref(), Some(&inputs));
        }
        let file = folder.path().join(path());
        let bytes = std::fs::read(&file).expect("it is there");
        for at in [0, 10, 30, bytes.len() - 1] {
            let mut torn = bytes.clone();
            torn[at] ^= 1;
            std::fs::write(&file, torn).expect("written");
            assert_eq!(Inputs::load(&disk), None, "damaged at {at}");
        }
        std::fs::write(&file, &bytes[..20]).expect("written");
        assert_eq!(Inputs::load(&disk), None);
    }
}
