//! `plan --since REV` and `affected --since REV`: two states of a project, read from git and from the disk.

use std::process::Command;

use serde_json::Value;

use crate::project::{Project, Run};

const ROOT: &str = "version: 0.2
name: shop
include: ['services/*.yaml']
deployment: {platforms: [nomad]}
";

fn service(name: &str, replicas: usize) -> String {
    format!(
        "services:\n  {name}:\n    image: 'x/{name}:1'\n    deployment:\n      replicas: {replicas}\n      \
         ports: {{http: 8080}}\n"
    )
}

/// A project of two services and a pack of its own, committed and tagged `v1`; nothing is generated.
fn shop() -> Project {
    let project = Project::new()
        .file("gen.yaml", ROOT)
        .file("services/auth.yaml", &service("auth", 2))
        .file("services/web.yaml", &service("web", 2))
        .file("rules/notes/pack.yaml", "pack: notes\ndoc: A note of each service.\n")
        .file(
            "rules/notes/note.yaml",
            "rules:\n  - rule: note\n    doc: A note.\n    match: (s:service)\n    artifact:\n      \
             path: notes/${s.name}.txt\n      template: notes/note.txt.hbs\n      with: {service: s}\n",
        )
        .file(
            "templates/notes/note.txt.hbs",
            "{{!-- A note. --~}}\nThis is {{service.name}}.\n",
        );
    git(
        &project,
        "git init -q -b main .; printf '/.gen/\\n/deployments/\\n/notes/\\n/scripts/\\n' > .gitignore",
    );
    commit(&project, "v1");
    project
}

fn git(project: &Project, line: &str) {
    assert_eq!(project.shell(line), None, "{line}");
}

fn commit(project: &Project, tag: &str) {
    git(
        project,
        &format!(
            "git add -A; git -c user.name=a -c user.email=a@b -c core.hooksPath=.none commit -qm {tag}; git tag {tag}"
        ),
    );
}

fn done(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}

/// Returns what a plan says that does not depend on what is compared with: each change, what it does, and how many are
/// none.
fn said(run: &Run) -> Vec<String> {
    let plan: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|it| panic!("{it}: {}{}", run.stdout, run.stderr));
    let changes = plan["changes"].as_array().expect("there are changes");
    let mut lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let effects = plan["effects"].as_array().expect("there are effects");
    lines.extend(effects.iter().map(ToString::to_string));
    lines.push(plan["counts"]["unchanged"].to_string());
    lines
}

/// What applies at the revision and then plans, as users had to before, is the judge.
#[test]
fn since_a_revision_is_what_its_output_would_be_planned_to() {
    let edits = [
        "sed -i 's/replicas: 2/replicas: 3/' services/auth.yaml",
        "sed 's/web/shop/g' services/web.yaml > services/shop.yaml",
        "git rm -q services/auth.yaml",
        "git mv services/web.yaml services/other.yaml; sed -i 's/ web:/ front:/' services/other.yaml",
        "sed -i 's/This/That/' templates/notes/note.txt.hbs",
        "rm -r rules templates",
        "printf 'environments: {dev: {}, prod: {}}\\n' >> gen.yaml",
        "sed -i 's/services.\\*/services\\/a*/' gen.yaml",
        "printf '    depends_on: [auth]\\n' >> services/web.yaml",
        "printf '# only a comment\\n' >> services/web.yaml",
        "sed -i 's/nomad/kubernetes/' gen.yaml",
        "git mv gen.yaml hatmax.yml",
        "for n in $(seq 70); do sed \"s/web/web$n/\" services/web.yaml > services/w$n.yaml; done",
    ];
    agree(&shop, &edits);
}

#[test]
fn in_an_environment_it_is_so_too() {
    let edits = [
        "sed -i 's/replicas: 7/replicas: 8/' gen.yaml",
        "sed -i 's/replicas: 2/replicas: 3/' services/auth.yaml",
        "sed -i 's/dev: {}, //' gen.yaml",
    ];
    let shop = || {
        let project = shop();
        git(
            &project,
            "git tag -d v1 > /dev/null; printf 'environments: {dev: {}, prod: {services: {auth: {deployment: \
             {replicas: 7}}}}}\n' >> gen.yaml",
        );
        commit(&project, "v1");
        project
    };
    agree(&shop, &edits);
}

fn agree(shop: &dyn Fn() -> Project, edits: &[&str]) {
    let (base, applied) = (shop(), shop());
    done(applied.run(&["apply"]));
    for edit in edits {
        let copy = |of: &Project| {
            let copy = Project::new();
            git(&copy, &format!("cp -a '{}/.' .", of.dir().display()));
            copy
        };
        let (project, judge) = (copy(&base), copy(&applied));
        git(&judge, edit);
        git(&project, edit);
        let since = done(project.run(&["plan", "--since", "v1", "--diff", "--json"]));
        let right = done(judge.run(&["plan", "--diff", "--json"]));
        assert_eq!(said(&since), said(&right), "after `{edit}`");
        assert!(!project.dir().join("notes").exists(), "nothing is written");
        // And so it is where a later revision takes the place of the disk.
        commit(&project, "v2");
        git(
            &project,
            "rm -r services gen.yaml hatmax.yml 2>/dev/null || true; echo 'version: 0.2' > gen.yaml",
        );
        let between = done(project.run(&["plan", "--since", "v1..v2", "--diff", "--json"]));
        assert_eq!(said(&between), said(&right), "after `{edit}`, committed");
    }
}

#[test]
fn what_stands_on_the_disk_as_output_is_not_asked() {
    let project = shop().file("services/auth.yaml", &service("auth", 5));
    let first = done(project.run(&["plan", "--since", "v1"])).stdout;
    assert!(
        first.contains("services/auth.yaml:5 services.auth.deployment.replicas 2 → 5"),
        "{first}"
    );
    for line in ["mkdir -p notes; echo mine > notes/auth.txt", "rm -r notes", "true"] {
        git(&project, line);
        assert_eq!(done(project.run(&["plan", "--since", "v1"])).stdout, first, "{line}");
    }
    done(project.run(&["apply"]));
    // What the last run kept is taken over, and gone on from.
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_eq!(done(project.run(&["plan", "--since", "v1"])).stdout, first);
        done(project.run(&["plan"]));
    }
    let markdown = done(project.run(&["plan", "--since", "v1", "--markdown"])).stdout;
    assert!(markdown.contains("replicas"), "{markdown}");
    let pending = project.run(&["plan", "--since", "v1", "--detailed-exitcode"]);
    assert_eq!(pending.code, 2);
    let path = project.run(&["plan", "--since", "v1", "notes"]);
    assert!(path.stderr.contains("no changes"), "{}", path.stderr);
    let wrong = project.run(&["plan", "--since", "v1", "nots"]);
    assert!(
        wrong.code == 1 && wrong.stderr.contains("plan::no_such_path"),
        "{}",
        wrong.stderr
    );
    let same = project.run(&[
        "plan",
        "--since",
        "HEAD",
        "--set",
        "services.auth.deployment.replicas=2",
    ]);
    assert!(
        same.code == 0 && same.stderr.contains("no changes"),
        "{}{}",
        same.stdout,
        same.stderr
    );
}

#[test]
fn affected_are_the_nodes_whose_artifacts_change() {
    let project = shop().file("services/auth.yaml", &service("auth", 5));
    let affected = |args: &[&str]| done(project.run(&[&["affected", "--since"], args].concat()));
    assert_eq!(affected(&["v1"]).stdout, "service.auth\n");
    assert_eq!(affected(&["v1", "--json"]).stdout, "[\"service.auth\"]\n");
    assert_eq!(affected(&["v1..HEAD", "--json"]).stdout, "[]\n");
    git(&project, "git rm -q services/web.yaml");
    let gone = affected(&["v1"]);
    assert!(
        !gone.stdout.contains("service.web") && gone.stdout.contains("service.auth"),
        "{}",
        gone.stdout
    );
    assert!(gone.stderr.contains("`service.web`"), "{}", gone.stderr);
    git(
        &project,
        "printf 'environments: {dev: {}, prod: {services: {auth: {deployment: {replicas: 7}}}}}\\n' >> gen.yaml",
    );
    commit(&project, "v2");
    git(&project, "sed -i 's/replicas: 7/replicas: 8/' gen.yaml");
    assert_eq!(affected(&["v2", "--env", "prod"]).stdout, "service.auth\n");
    assert_eq!(affected(&["v2", "--env", "dev"]).stdout, "");
    let unknown = project.run(&["affected", "--since", "v2", "--env", "dve"]);
    assert!(
        unknown.code == 1 && unknown.stderr.contains("did you mean `dev`?"),
        "{}",
        unknown.stderr
    );
    // The environment did not exist then: all of it is new.
    assert!(affected(&["v1", "--env", "dev"]).stdout.contains("service.auth\n"));
}

#[test]
fn three_dots_compare_with_where_a_branch_began() {
    let project = shop();
    git(&project, "git checkout -q -b topic");
    let project = project.file("services/auth.yaml", &service("auth", 5));
    commit(&project, "v2");
    git(&project, "git checkout -q main");
    let project = project.file("services/web.yaml", &service("web", 5));
    commit(&project, "v3");
    let affected = |range| done(project.run(&["affected", "--since", range])).stdout;
    assert_eq!(affected("main...topic"), "service.auth\n");
    assert_eq!(affected("main..topic"), "service.auth\nservice.web\n");
    assert_eq!(affected("topic..."), "service.web\n");
    assert_eq!(affected("topic.."), "service.auth\nservice.web\n");
    git(&project, "git checkout -q --orphan alone");
    commit(&project, "v4");
    let parted = project.run(&["affected", "--since", "v1...v4"]);
    assert!(
        parted.code == 1 && parted.stderr.contains("no commit in common"),
        "{}",
        parted.stderr
    );
}

#[test]
fn a_project_below_the_top_and_links_are_read_from_git() {
    let project = shop();
    git(
        &project,
        "mkdir -p apps/shop common; git mv gen.yaml services rules templates apps/shop; \
         mv apps/shop/services/web.yaml common/web.yaml; ln -s ../../../common/web.yaml apps/shop/services/web.yaml; \
         ln -s nowhere apps/shop/services/x.yaml; ln -s ../.. apps/shop/services/y.yaml; \
         mkdir apps/shop/rules/drafts; echo 'drafts/' >> apps/.gitignore; echo 'wrong' > apps/shop/rules/drafts/x.yaml; \
         git add -f apps/shop/rules/drafts; printf '/rules\\n/services\\n/apps/shop/rules/late\\n' >> .gitignore; \
         mkdir apps/shop/rules/late; echo 'wrong' > apps/shop/rules/late/x.yaml; git add -f apps/shop/rules/late; \
         ln -s nowhere \"$(printf 'apps/shop/services/z\\n.yaml')\"",
    );
    commit(&project, "v2");
    git(&project, "sed -i 's/replicas: 2/replicas: 3/' common/web.yaml");
    let run = done(project.run(&["-C", "apps/shop", "affected", "--since", "v2"]));
    assert_eq!(run.stdout, "service.web\n", "{}", run.stderr);
    let run = done(project.run(&["-C", "apps/shop/services", "affected", "--since", "v2..v2"]));
    assert_eq!(run.stdout, "", "{}", run.stderr);
    let before = project.run(&["-C", "apps/shop", "affected", "--since", "v1"]);
    assert!(
        before.code == 1 && before.stderr.contains("shell::not_in_revision"),
        "{}",
        before.stderr
    );
}

#[test]
fn what_git_can_not_give_is_said() {
    let fails = |project: &Project, args: &[&str], said: &[&str]| {
        let run = project.run(args);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(
            run.code == 1 && said.iter().all(|it| all.contains(it)),
            "{args:?}: {all}"
        );
    };
    let project = shop();
    fails(
        &project,
        &["plan", "--since", "v2"],
        &["shell::unknown_revision", "did you mean `v1`?"],
    );
    fails(&project, &["affected", "--since", "main..tpic"], &["`tpic`"]);
    for wrong in [
        "--since=",
        "--since=--help",
        "--since=-n1",
        "--since=v1:gen.yaml",
        "--since=v1\nv1",
    ] {
        fails(&project, &["affected", wrong], &["shell::unknown_revision"]);
    }
    git(&project, "sed -i 's/replicas: 2/replicas: two/' services/auth.yaml");
    commit(&project, "v2");
    git(&project, "git checkout -q v1 -- services");
    fails(
        &project,
        &["plan", "--since", "v2"],
        &["spec::wrong_type", "v2:services/auth.yaml:5", "replicas: two"],
    );
    fails(&project, &["affected", "--since", "v1..v2"], &["spec::wrong_type"]);
    git(
        &project,
        "rm services/web.yaml; printf 'services: {a: {image: \"\\351\"}}' > services/x.yaml",
    );
    commit(&project, "v3");
    git(&project, "git checkout -q v1 -- services; rm services/x.yaml");
    fails(
        &project,
        &["plan", "--since", "v3"],
        &["shell::not_utf8", "services/x.yaml"],
    );
    // An object that is missing is said, and nothing is guessed.
    git(
        &project,
        "rm -f .git/objects/$(git rev-parse v1:services/web.yaml | sed 's:^..:&/:')",
    );
    fails(&project, &["plan", "--since", "v1"], &["shell::revision_unreadable"]);

    let alone = Project::new().file("gen.yaml", ROOT);
    fails(&alone, &["plan", "--since", "HEAD"], &["shell::no_repository"]);
    let run = Command::new(env!("CARGO_BIN_EXE_gen"))
        .args(["plan", "--since", "HEAD"])
        .current_dir(alone.dir())
        .env_clear()
        .env("PATH", "/nowhere")
        .output()
        .expect("gen runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("shell::no_git") && run.status.code() == Some(1), "{said}");
}

#[test]
fn a_mistake_in_the_root_file_is_told_where_it_stood() {
    let project = shop();
    for (tag, line, said) in [
        ("v2", "sed -i 's/^name: .*/name: [a]/' gen.yaml", "v2:gen.yaml:2"),
        ("v3", "printf '# \\351\\n' >> gen.yaml", "shell::not_utf8"),
        ("v4", "head -c 17M /dev/zero >> gen.yaml", "shell::too_large"),
    ] {
        git(&project, line);
        commit(&project, tag);
        git(&project, "git checkout -q v1 -- gen.yaml; git mv gen.yaml hatmax.yml");
        let run = project.run(&["plan", "--since", tag]);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(run.code == 1 && all.contains(said), "{tag}: {all}");
        assert!(!all.contains("shell::not_in_revision"), "{tag}: {all}");
        git(&project, "git mv hatmax.yml gen.yaml");
    }
}

/// What a partial clone lacks is not brought: no transfer begins, whatever the clone's configuration allows.
#[test]
fn nothing_is_fetched() {
    let project = shop().file("services/auth.yaml", &service("auth", 5));
    commit(&project, "v2");
    git(
        &project,
        "git config uploadpack.allowFilter true; git config uploadpack.allowAnySHA1InWant true; \
         git clone -q --filter=blob:none \"file://$PWD\" clone; git -C clone config protocol.file.allow always",
    );
    let missing = "git -C clone rev-list --objects --missing=print v1 | grep '^?' > missing || true";
    git(&project, missing);
    let before = std::fs::read_to_string(project.dir().join("missing")).expect("listed");
    assert!(!before.is_empty(), "the clone is partial");
    let run = project.run(&["-C", "clone", "plan", "--since", "v1"]);
    assert!(
        run.code == 1 && run.stderr.contains("shell::revision_unreadable"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    git(&project, missing);
    let after = std::fs::read_to_string(project.dir().join("missing")).expect("listed");
    assert_eq!(after, before, "nothing has come");
}

/// A repository is others' work: what its configuration would start is not started.
#[test]
fn nothing_of_a_repository_is_run() {
    let project = shop();
    let script = "#!/bin/sh\\ntouch \"$(dirname \"$0\")/ran\"\\ncat\\n";
    git(
        &project,
        &format!(
            "printf '{script}' > .git/run; chmod +x .git/run; for n in core.fsmonitor core.pager pager.cat-file \
             filter.x.clean filter.x.smudge filter.x.process diff.external diff.x.textconv core.sshCommand; do \
             git config $n \"$PWD/.git/run\"; done; echo '*.yaml filter=x diff=x' > .git/info/attributes"
        ),
    );
    git(&project, "rm -f .git/ran");
    let project = project.file("services/auth.yaml", &service("auth", 5));
    assert_eq!(
        done(project.run(&["affected", "--since", "v1"])).stdout,
        "service.auth\n"
    );
    assert!(
        !project.dir().join(".git/ran").exists(),
        "a program of the repository was run"
    );
}
