//! What a newcomer reads: the tour of the README to the letter, the pages of the built-in packs, and packs that are
//! copied into a project to be changed.

use std::process::Command;

use crate::project::Project;
use crate::tidy::{folders_of_packs, top};
use crate::{Mode, mode};

/// Returns the blocks of `text` that are fenced as `language`, in their order.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    let parts = text.split(fence.as_str()).skip(1);
    parts
        .map(|it| it.split("```").next().expect("a split gives a first part"))
        .collect()
}

/// Each block of the tutorial in its order: what is shown of `gen.yaml` is written, and each command prints what stands
/// below it.
#[test]
fn the_tutorial_is_as_it_says() {
    let text = std::fs::read_to_string(top().join("docs/tutorial.md")).expect("the tutorial is text");
    let mut project = Project::new();
    let mut faults = Vec::new();
    let mut n_blocks = 0;
    for part in text.split("\n```").skip(1).step_by(2) {
        let (language, block) = part.split_once('\n').expect("a block begins with its language");
        n_blocks += 1;
        match language {
            "yaml" => project = project.file("gen.yaml", &format!("{block}\n")),
            "console" => faults.extend(follow(&project, &format!("{block}\n"))),
            other => faults.push(format!("a block of `{other}`")),
        }
    }
    assert!(n_blocks > 8, "{n_blocks} blocks only");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns the part of the README that begins with this heading.
fn section(heading: &str) -> String {
    let text = std::fs::read_to_string(top().join("README.md")).expect("the README is text");
    let (_, rest) = text
        .split_once(&format!("\n## {heading}\n"))
        .expect("the section is there");
    rest.split("\n## ")
        .next()
        .expect("a split gives a first part")
        .to_owned()
}

/// Runs each command of a block, which begins with `$ `, and compares what it prints; `…` stands for any lines.
fn follow(project: &Project, block: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for step in block.split("$ ").skip(1) {
        let (command, expected) = step.split_once('\n').unwrap_or((step, ""));
        let program = env!("CARGO_BIN_EXE_gen");
        let output = Command::new("sh")
            .args([
                "-c",
                &format!("exec 2>&1\n{}", command.replace("gen ", &format!("'{program}' "))),
            ])
            .current_dir(project.dir())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("COLUMNS", "100")
            .output()
            .expect("there is a shell");
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        if !is_like(&found, expected) {
            faults.push(format!(
                "$ {command}\n--- the page says\n{expected}--- it prints\n{found}"
            ));
        }
    }
    faults
}

/// Tells whether `found` is `expected`, in which a line `…` stands for any number of lines.
fn is_like(found: &str, expected: &str) -> bool {
    let mut rest: Vec<&str> = found.lines().filter(|it| !it.trim().is_empty()).collect();
    let lines: Vec<&str> = expected.lines().filter(|it| !it.trim().is_empty()).collect();
    for (nth, part) in lines.split(|it| *it == "…").enumerate() {
        let places = 0..=rest.len().saturating_sub(part.len());
        let at = places.into_iter().find(|at| rest[*at..].starts_with(part));
        match at {
            Some(at) if nth > 0 || at == 0 => _ = rest.drain(..at + part.len()),
            _ => return false,
        }
    }
    rest.is_empty() || lines.last() == Some(&"…")
}

#[test]
fn the_tour_of_the_readme_is_as_it_says() {
    let tour = section("Sixty seconds");
    let spec = *blocks(&tour, "yaml").first().expect("the tour begins with a spec");
    let steps = blocks(&tour, "console");
    assert_eq!(
        steps.len(),
        5,
        "apply, the addresses, a changed number, blame, a mistake"
    );
    let changes = [
        ("", ""),
        ("", ""),
        ("replicas: 2", "replicas: 6"),
        ("replicas: 2", "replicas: 6"),
        ("[auth, ", "[auht, "),
    ];
    let mut faults = Vec::new();
    let mut project = Project::new();
    for (step, (old, new)) in steps.iter().zip(changes) {
        assert!(spec.contains(old), "the tour changes `{old}`, which its spec lacks");
        project = project.file("gen.yaml", &spec.replacen(old, new, 1));
        faults.extend(follow(&project, step));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_pages_of_the_packs_are_current() {
    let project = Project::new().file("gen.yaml", "version: 0.2\nname: none\n");
    let mut stale = Vec::new();
    for pack in folders_of_packs() {
        let page = project.run(&["pack", "doc", &pack]);
        assert!(page.stdout.starts_with("# The pack"), "{pack}: {}", page.stderr);
        let path = top().join(format!("docs/packs/{pack}.md"));
        if mode() == Mode::Update {
            std::fs::create_dir_all(top().join("docs/packs")).expect("the folder can be made");
            std::fs::write(&path, &page.stdout).expect("the page can be written");
        } else if std::fs::read_to_string(&path).ok().as_deref() != Some(&*page.stdout) {
            stale.push(format!("docs/packs/{pack}.md"));
        }
    }
    assert!(
        stale.is_empty(),
        "UPDATE_EXPECT=1 writes them anew: {}",
        stale.join(", ")
    );
}

/// Packs that print nothing themselves: others print what they say.
const WITHOUT_FILES: [&str; 5] = ["core", "frameworks", "processes", "traefik", "vault"];

#[test]
fn the_example_of_each_pack_is_right_and_shows_what_it_prints() {
    let mut faults = Vec::new();
    for pack in folders_of_packs() {
        let page = std::fs::read_to_string(top().join(format!("docs/packs/{pack}.md"))).expect("each has a page");
        let Some((_, rest)) = page.split_once("\n## An example\n") else {
            faults.push(format!("{pack} has no example"));
            continue;
        };
        let spec = *blocks(rest, "yaml").first().expect("an example is a spec");
        let project = Project::new().file("gen.yaml", spec);
        let apply = project.run(&["apply"]);
        if apply.code != 0 || apply.stderr.contains("\n  ! ") {
            faults.push(format!("{pack}: {}", apply.snapshot()));
        }
        let prints = apply.stdout.contains(&format!(" {pack}/"));
        if prints == WITHOUT_FILES.contains(&pack.as_str()) {
            faults.push(format!(
                "{pack}: its rules print {}",
                if prints { "files" } else { "nothing" }
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_copied_pack_does_what_the_built_in_one_does() {
    let tour = section("Sixty seconds");
    let spec = *blocks(&tour, "yaml").first().expect("the tour begins with a spec");
    let project = Project::new().file("gen.yaml", spec);
    assert!(
        project.run(&["apply"]).stderr.contains("done: "),
        "the spec of the tour can be applied"
    );
    for pack in folders_of_packs() {
        let ejected = project.run(&["pack", "eject", &pack]);
        assert!(
            ejected.stdout.contains(&format!("rules/{pack}/pack.yaml")),
            "{pack}: {}",
            ejected.stderr
        );
        let check = project.run(&["check"]);
        assert!(
            check.stderr.contains("valid and fresh"),
            "{pack}: {}{}",
            check.stdout,
            check.stderr
        );
    }
    let list = project.run(&["pack", "list"]).stdout;
    assert!(
        list.lines().all(|it| it.split_whitespace().nth(1) == Some("own")),
        "{list}"
    );
}
