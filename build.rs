//! Puts the built-in packs into the binary, and the pages of the problems: every file of their folders, by path, with
//! the fingerprint that a run would take of it.
//!
//! A debug build reads them when it runs, so that a change of a pack compiles nothing.
#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads files and its environment"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rustc-check-cfg=cfg(embedded)");
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("PROFILE").is_some_and(|it| it == "debug") {
        return Ok(());
    }
    println!("cargo::rustc-cfg=embedded");
    let top = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    embed(&top, &["rules", "templates"], &out.join("built_in.rs"))?;
    embed(&top, &["docs/problems"], &out.join("problems.rs"))
}

/// Writes a list of the files below `folders`, with their texts and fingerprints, to `to`.
fn embed(top: &Path, folders: &[&str], to: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for folder in folders {
        collect(top, &top.join(folder), &mut files)?;
    }
    files.sort();
    let mut source = String::from("&[\n");
    for file in files {
        let place = top.join(&file);
        let hash = blake3::hash(&fs::read(&place)?);
        let fingerprint = &hash.as_bytes()[..16];
        let _ = writeln!(source, "    ({file:?}, include_str!({place:?}), {fingerprint:?}),");
    }
    source.push_str("]\n");
    fs::write(to, source)
}

/// Adds the files below `folder`, relative to `top`, and asks to be run again when one comes or goes.
fn collect(top: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(top, &path, files)?;
        } else if let Some(path) = path.strip_prefix(top).ok().and_then(Path::to_str) {
            files.push(path.replace('\\', "/"));
        }
    }
    Ok(())
}
