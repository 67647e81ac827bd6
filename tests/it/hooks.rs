//! What other programs read at the top of this repository: the hook of pre-commit, and the action of GitHub.
//!
//! Neither is there to be asked, so what they do is done here: the fields that their documentation asks for are looked
//! at, and the commands are run, with a stand-in for the programs that would build `gen`.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::project::{Found, Project};
use crate::tidy::top;

const SPEC: &str = "version: 0.2
name: hooked
deployment: {platforms: [procfile]}
services:
  web: {command: [serve]}
";

/// What stands for rustup and cargo: it checks that cargo would find what it is told to build, and puts `gen` there.
const STAND_IN: &str = r#"#!/bin/bash
set -euo pipefail
case "${0##*/} $*" in
  "rustup toolchain install stable --profile minimal") ;;
  "cargo +stable install --locked --path "*)
    grep -q '^name = "gen"$' "$5/Cargo.toml" && [[ -f $5/Cargo.lock && $6 == --root ]]
    mkdir -p "$7/bin" && cp "$GEN" "$7/bin/gen" ;;
  *) echo "no such command: ${0##*/} $*" >&2; exit 3 ;;
esac
"#;

fn read(file: &str) -> String {
    std::fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns a project of which everything is generated.
fn fresh() -> Project {
    let project = Project::new().file("gen.yaml", SPEC);
    let run = project.run(&["apply"]);
    assert_eq!(run.code, 0, "{}", run.snapshot());
    project
}

/// A hook, with the fields that pre-commit knows and we set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    id: String,
    name: String,
    description: String,
    entry: String,
    language: String,
    pass_filenames: bool,
    always_run: bool,
}

#[test]
fn the_hook_of_pre_commit_fails_where_something_is_not_fresh() {
    let hooks: Vec<Hook> = serde_yaml_ng::from_str(&read(".pre-commit-hooks.yaml")).expect("hooks of pre-commit");
    let [hook] = &*hooks else { panic!("one hook") };
    assert_eq!((&*hook.id, &*hook.language), ("gen-check", "rust"));
    assert!(!hook.name.is_empty() && !hook.description.is_empty());
    // It asks for the whole project, whichever files are committed.
    assert!(hook.always_run && !hook.pass_filenames);
    let words: Vec<&str> = hook.entry.split(' ').collect();
    let ["gen", args @ ..] = &*words else {
        panic!("`{}` does not run what cargo builds", hook.entry)
    };
    let project = fresh();
    assert_eq!(project.run(args).code, 0);
    let project = project.file("gen.yaml", &SPEC.replace("serve", "serve, --fast"));
    assert_eq!(project.run(args).code, 2);
    let project = project.file("gen.yaml", &SPEC.replace("command", "comand"));
    assert_eq!(project.run(args).code, 1);
}

/// An action made of steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    name: String,
    description: String,
    inputs: std::collections::BTreeMap<String, Input>,
    runs: Runs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    description: String,
    default: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    shell: String,
    env: std::collections::BTreeMap<String, String>,
    run: String,
}

impl Step {
    /// Runs the step as GitHub does; returns its exit code and all that it printed.
    fn run(&self, project: &Project, programs: &Path, inputs: &[(&str, &str)]) -> (i32, String) {
        let value = |text: &String| {
            let filled =
                |text: String, (name, value): &(&str, &str)| text.replace(&format!("${{{{ {name} }}}}"), value);
            let text = inputs.iter().fold(text.clone(), filled);
            assert!(!text.contains("${{"), "{text}: of this nothing is known");
            text
        };
        let path = format!("{}:/usr/bin:/bin", programs.display());
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &self.run])
            .current_dir(project.dir())
            .env_clear()
            .env("PATH", path)
            .env("GEN", env!("CARGO_BIN_EXE_gen"))
            .envs(self.env.iter().map(|(name, text)| (name, value(text))))
            .output()
            .expect("there is a shell");
        let printed = [output.stdout, output.stderr].concat();
        let code = output.status.code().expect("nobody ends it");
        (code, String::from_utf8_lossy(&printed).into_owned())
    }
}

#[test]
fn the_action_of_github_builds_and_points_at_the_line() {
    let action: Action = serde_yaml_ng::from_str(&read("action.yml")).expect("an action of GitHub");
    assert!(!action.name.is_empty() && !action.description.is_empty());
    assert_eq!(action.runs.using, "composite");
    let input = &action.inputs["directory"];
    assert!(!input.description.is_empty());
    assert_eq!((action.inputs.len(), &*input.default), (1, "."));

    let programs = tempfile::tempdir().expect("a temporary folder can be made");
    for name in ["cargo", "rustup"] {
        let stand_in = Found {
            executable: true,
            ..Found::text(STAND_IN)
        };
        stand_in.write(&programs.path().join(name));
    }
    let project = fresh();
    let temp = programs.path().join("temp").to_string_lossy().into_owned();
    let inputs = [
        ("github.action_path", env!("CARGO_MANIFEST_DIR")),
        ("runner.temp", &*temp),
        ("inputs.directory", &*input.default),
    ];
    let run = |project: &Project| -> (i32, String) {
        let mut last = (0, String::new());
        for step in &action.runs.steps {
            assert_eq!(step.shell, "bash", "{}", step.name);
            // What comes from outside is no part of a script: it would be run.
            assert!(!step.run.contains("${{"), "{}", step.name);
            last = step.run(project, programs.path(), &inputs);
            if last.0 != 0 {
                break;
            }
        }
        last
    };
    assert_eq!(run(&project), (0, String::new()));
    let project = project.file("gen.yaml", &SPEC.replace("serve", "serve, --fast"));
    let (code, printed) = run(&project);
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("file=Procfile"), "{printed}");
    let project = project.file("gen.yaml", &SPEC.replace("command", "comand"));
    let (code, printed) = run(&project);
    assert_eq!(code, 1, "{printed}");
    assert!(printed.contains("::error file=gen.yaml,line=5"), "{printed}");
}
