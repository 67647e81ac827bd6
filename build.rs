//! Puts the built-in packs into the binary, and the pages of the problems: every file of their folders, by path; of the packs
//! the fingerprints, too, that a run would take.
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
    let packs = below(&top, &["rules", "templates"])?;
    embed(&top, &packs, &out.join("built_in.rs"))?;
    embed(&top, &below(&top, &["docs/problems"])?, &out.join("problems.rs"))?;
    fingerprint(&top, &packs, &out.join("fingerprints.rs"))
}

/// Returns the files below `folders`, sorted.
fn below(top: &Path, folders: &[&str]) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in folders {
        collect(top, &top.join(folder), &mut files)?;
    }
    files.sort();
    Ok(files)
}

/// Writes a list of `files` with their texts to `to`.
fn embed(top: &Path, files: &[String], to: &Path) -> io::Result<()> {
    let mut source = String::from("&[\n");
    for file in files {
        let _ = writeln!(source, "    ({file:?}, include_str!({:?})),", top.join(file));
    }
    source.push_str("]\n");
    fs::write(to, source)
}

/// Writes a list of `files` with the first 16 bytes of their blake3 hashes to `to`.
fn fingerprint(top: &Path, files: &[String], to: &Path) -> io::Result<()> {
    let mut source = String::from("&[\n");
    for file in files {
        let hash = blake3::hash(&fs::read(top.join(file))?);
        let _ = writeln!(source, "    ({file:?}, {:?}),", &hash.as_bytes()[..16]);
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
