//! A project in a temporary folder, and `gen` run in it with nothing of this machine's environment.
//!
//! It knows no command of `gen` and compares nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::tidy::files;

/// A file as it stands on the disk.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
    /// Whether its owner may run it.
    pub(crate) executable: bool,
}

impl Found {
    /// Returns a plain file that holds `text`.
    pub(crate) fn text(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            executable: false,
        }
    }

    /// Writes this to `path`, and makes the folders above it.
    pub(crate) fn write(&self, path: &Path) {
        let above = path.parent().expect("a file stands in a folder");
        fs::create_dir_all(above).unwrap_or_else(|error| panic!("{}: {error}", above.display()));
        fs::write(path, &self.bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let permissions = fs::Permissions::from_mode(if self.executable { 0o755 } else { 0o644 });
        fs::set_permissions(path, permissions).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// Files by their path below some folder.
pub(crate) type Tree = BTreeMap<String, Found>;

/// Returns all files below `folder`; none where there is no such folder.
pub(crate) fn tree(folder: &Path) -> Tree {
    let found = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mode = fs::metadata(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .permissions()
            .mode();
        let below = path.strip_prefix(folder).expect("it was found below the folder");
        let executable = mode & 0o100 != 0;
        (
            below.to_str().expect("paths of tests are UTF-8").to_owned(),
            Found { bytes, executable },
        )
    };
    files(folder, "").into_iter().map(found).collect()
}

/// Returns the folders right below `folder`, sorted; none where there is no such folder.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
    let mut found: Vec<PathBuf> = entries.filter(|it| it.is_dir()).collect();
    found.sort();
    found
}

/// A project in a temporary folder, which is removed with it.
pub(crate) struct Project {
    room: TempDir,
    program: PathBuf,
}

impl Project {
    /// Returns an empty project.
    pub(crate) fn new() -> Self {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        for folder in ["project", "home"] {
            fs::create_dir(room.path().join(folder)).expect("the temporary folder is ours");
        }
        Self {
            room,
            program: env!("CARGO_BIN_EXE_gen").into(),
        }
    }

    /// Returns a project that holds `files`.
    pub(crate) fn of(files: &Tree) -> Self {
        let project = Self::new();
        for (path, found) in files {
            found.write(&project.dir().join(path));
        }
        project
    }

    /// Adds a file, or replaces it.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        Found::text(text).write(&self.dir().join(path));
        self
    }

    /// Lets `program` stand for `gen`, to check the runners themselves.
    pub(crate) fn program(mut self, program: &Path) -> Self {
        self.program = program.to_owned();
        self
    }

    /// Returns the project's folder, whose path nothing links to.
    pub(crate) fn dir(&self) -> PathBuf {
        self.room
            .path()
            .canonicalize()
            .expect("the temporary folder is there")
            .join("project")
    }

    /// Returns all files of the project.
    pub(crate) fn files(&self) -> Tree {
        tree(&self.dir())
    }

    /// Runs a line of shell in the project; returns what went wrong.
    pub(crate) fn shell(&self, line: &str) -> Option<String> {
        let output = Command::new("sh")
            .args(["-ec", line])
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        (!output.status.success()).then(|| format!("`{line}` failed: {said}"))
    }

    /// Runs `gen` in the project's folder, with no input to ask for anything.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_reading(args, Stdio::null())
    }

    /// Runs `gen` in the project's folder, with `input` on its stdin.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Run {
        let place = self.room.path().join("input");
        fs::write(&place, input).expect("the temporary folder is ours");
        let input = fs::File::open(place).expect("it was written just now");
        self.run_reading(args, input.into())
    }

    fn run_reading(&self, args: &[&str], stdin: Stdio) -> Run {
        let dir = self.dir();
        let home = dir.with_file_name("home");
        let output = Command::new(&self.program)
            .args(args)
            .current_dir(&dir)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .env("NO_COLOR", "1")
            .env("TERM", "dumb")
            .env("COLUMNS", "100")
            .stdin(stdin)
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let neutral = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.replace(&*dir.to_string_lossy(), "[dir]")
                .replace(&*home.to_string_lossy(), "[home]")
        };
        Run {
            stdout: neutral(&output.stdout),
            stderr: neutral(&output.stderr),
            // As a shell has it, where a signal ended the program.
            code: output
                .status
                .code()
                .unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default()),
        }
    }
}

/// What one run of a program gave; the project's folder is written `[dir]`.
#[derive(Debug)]
pub(crate) struct Run {
    /// The result.
    pub(crate) stdout: String,
    /// What was said to a human.
    pub(crate) stderr: String,
    /// The exit code.
    pub(crate) code: i32,
}

impl Run {
    /// Returns all three as one text.
    pub(crate) fn snapshot(&self) -> String {
        let closed = |text: &str| match text {
            "" => String::new(),
            text if text.ends_with('\n') => text.to_owned(),
            text => format!("{text}\n\\ no newline at the end\n"),
        };
        format!(
            "exit: {}\n--- stdout\n{}--- stderr\n{}",
            self.code,
            closed(&self.stdout),
            closed(&self.stderr)
        )
    }
}

#[test]
fn a_run_sees_nothing_of_this_machine() {
    let project = Project::new().program(Path::new("/usr/bin/env"));
    let mut lines: Vec<String> = project.run(&[]).stdout.lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "COLUMNS=100",
            "HOME=[home]",
            "NO_COLOR=1",
            "PATH=/usr/bin:/bin",
            "TERM=dumb"
        ]
    );
}

#[test]
fn a_snapshot_shows_all_that_a_run_gave() {
    let project = Project::new().file("deep/er/a.txt", "").program(Path::new("/bin/sh"));
    let run = project.run(&["-c", "ls deep/er; pwd; printf wrong >&2; exit 3"]);
    assert_eq!(
        run.snapshot(),
        "exit: 3\n--- stdout\na.txt\n[dir]\n--- stderr\nwrong\n\\ no newline at the end\n"
    );
    assert_eq!(
        project.run(&["-c", "kill -9 $$"]).snapshot(),
        "exit: 137\n--- stdout\n--- stderr\n"
    );
}
