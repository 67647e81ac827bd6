//! Repositories elsewhere: what is wanted of one is fetched into an empty one of our own, which nobody has configured.
//!
//! The only transfer there is. No hook, no working tree and no submodule takes part, and of the ways to transfer only
//! those that git knows itself: an address can't name a program.

use std::path::Path;
use std::process::Stdio;

use super::{Repository, first_line, no_git, program};
use crate::problem::Problem;
use crate::spec::elsewhere::Revision;

/// By which protocols is fetched.
const PROTOCOLS: &str = "https:http:ssh:git:file";

/// Returns a new repository in the empty folder `into`, which has of the one at `url` at least what `revision` names.
///
/// # Errors
/// A problem where it can't be reached. Whether it has the revision shows later.
pub fn fetch(url: &str, revision: &Revision, into: &Path) -> Result<Repository, Problem> {
    run(into, &["init", "--quiet", "--bare", "--template=", "."])?.map_err(|it| unreachable(url, &it))?;
    let everything = "+refs/*:refs/*".to_owned();
    let (wanted, instead) = match revision {
        Revision::Head => ("+HEAD:refs/heads/fetched".to_owned(), None),
        Revision::Tag(tag) => (format!("+refs/tags/{tag}:refs/tags/{tag}"), Some(everything)),
        Revision::Branch(branch) => (format!("+refs/heads/{branch}:refs/heads/{branch}"), Some(everything)),
        // Not each server gives a single commit away, and none one of which the hash is cut.
        Revision::Commit(id) => (format!("+{id}:refs/heads/fetched"), Some(everything)),
    };
    let transfer = |wanted: &str, depth: &[&str]| {
        let words = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
        ];
        let words: Vec<&str> = words.iter().chain(depth).chain(&["--", url, wanted]).copied().collect();
        run(into, &words)
    };
    let mut fetched = transfer(&wanted, &["--depth=1"])?;
    if let (Err(_), Some(all)) = (&fetched, instead) {
        fetched = transfer(&all, &[])?;
    }
    fetched.map_err(|it| unreachable(url, &it))?;
    let repository = Repository::at(into)?;
    if *revision == Revision::Head {
        run(into, &["symbolic-ref", "HEAD", "refs/heads/fetched"])?.map_err(|it| unreachable(url, &it))?;
    }
    Ok(repository)
}

/// Runs git in `folder`, and returns what it said where it failed.
fn run(folder: &Path, words: &[&str]) -> Result<Result<(), Vec<u8>>, Problem> {
    let mut command = program(folder, &["-c", "core.hooksPath=.none", "-c", "gc.auto=0"], words);
    command
        .env("GIT_ALLOW_PROTOCOL", PROTOCOLS)
        .env_remove("GIT_OBJECT_DIRECTORY")
        .stdin(Stdio::null());
    let output = command.output().map_err(no_git)?;
    Ok(if output.status.success() {
        Ok(())
    } else {
        Err(output.stderr)
    })
}

fn unreachable(url: &str, said: &[u8]) -> Problem {
    let message = format!("nothing can be fetched from `{}`", without_secret(url));
    Problem::error("shell::no_repository", message).help(first_line(said, "see that the address is right"))
}

/// Returns `url` without the password in it, if there is one.
fn without_secret(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.split('/').next().and_then(|it| it.rsplit_once('@')) {
        Some((user, _)) if user.contains(':') => format!("{scheme}://…@{}", &rest[user.len() + 1..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(without_secret("https://me:pw@host/x@y"), "https://…@host/x@y");
        for plain in ["https://me@host/x", "https://host/a:b@c", "git@host:x/y", "../x"] {
            assert_eq!(without_secret(plain), plain);
        }
    }

    #[test]
    fn an_address_names_no_program() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mark = folder.path().join("mark");
        let into = folder.path().join("into");
        std::fs::create_dir(&into).expect("ours");
        for url in [
            format!("ext::sh -c 'touch {}'", mark.display()),
            format!("--upload-pack=touch {};", mark.display()),
        ] {
            let fetched = fetch(&url, &Revision::Head, &into);
            assert_eq!(
                fetched.map(drop).map_err(|it| it.code),
                Err("shell::no_repository".into())
            );
            assert!(!mark.exists(), "{url}");
        }
    }
}
