//! What the real tools say of all that is generated: of `fixtures/`, and of what the golden folders expect.
//!
//! `GEN_JUDGES` is the folder that `.ci/judges` prints. Where it is `none`, or not set, nothing is judged, and each
//! test says what it left out. A folder that lacks a tool fails the run, and so does a judge that looked at fewer
//! files than it was given, or that passes a wrong sample of `tests/judges/samples/`.

mod alerts;
mod charts;
mod containers;
mod handed;
mod hostile;
mod served;
mod strings;
mod tool;

use std::path::{Path, PathBuf};

use self::tool::{KUBERNETES, Language, Tools, Verdict};
use crate::say;
use crate::tidy::{files, top};

/// Tells by its path whether a file is of some sort.
type Sort = fn(&Path) -> bool;

/// Folders of a fixture that hold what is read, or kept, and not what is generated.
const NOT_GENERATED: [&str; 3] = ["rules", "templates", ".gen"];

#[test]
fn jobs_pass_jobcheck() {
    judge("jobcheck", "jobs", &generated(is_job), |tools, files| {
        tools.jobcheck(Language::Job, files)
    });
}

#[test]
fn jobs_of_fixtures_pass_nomad_job_validate() {
    let mut jobs = generated(is_job);
    jobs.retain(|it| it.starts_with("fixtures"));
    judge("nomad job validate", "jobs of fixtures", &jobs, Tools::job_validate);
}

#[test]
fn hcl_is_formatted() {
    judge(
        "nomad fmt",
        "jobs and HCL files",
        &generated(|it| is_job(it) || is_hcl(it)),
        Tools::fmt,
    );
}

#[test]
fn hcl_passes_jobcheck() {
    judge("jobcheck -hcl", "HCL files", &generated(is_hcl), |tools, files| {
        tools.jobcheck(Language::Hcl, files)
    });
}

#[test]
fn acl_policies_pass_jobcheck() {
    judge("jobcheck -acl", "ACL policies", &generated(is_acl), |tools, files| {
        tools.jobcheck(Language::Acl, files)
    });
}

#[test]
fn manifests_fit_each_kubernetes() {
    for version in KUBERNETES {
        let name = format!("kubeconform for {version}");
        judge(&name, "manifests", &generated(is_manifest), |tools, files| {
            tools.kubeconform(version, files)
        });
    }
}

#[test]
fn objects_of_fixtures_pass_kube_score() {
    let mut all = generated(is_manifest);
    all.retain(|it| it.starts_with("fixtures") && it.iter().any(|name| name == "kubernetes"));
    judge("kube-score", "manifests", &all, Tools::kube_score);
}

#[test]
fn kube_score_refuses_wrong_samples() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut copies = Vec::new();
    for sample in samples("kube-score") {
        let name = sample.file_stem().expect("a sample has a name").to_owned();
        let copy = folder.path().join(name).join("deployments/kubernetes/all.yaml");
        std::fs::create_dir_all(copy.parent().expect("it has a folder")).expect("the temporary folder is ours");
        std::fs::copy(top().join(&sample), &copy).expect("the temporary folder is ours");
        copies.push(copy);
    }
    refuse("kube-score", &copies, Tools::kube_score);
}

#[test]
fn rules_within_objects_pass_promtool() {
    let rules = generated(is_rule_object);
    judge(
        "promtool check rules",
        "objects with rules",
        &rules,
        Tools::rules_within,
    );
}

#[test]
fn kustomizations_build() {
    // One of them is of a whole environment, the others are of one thing each.
    let mut all = generated(is_kustomization);
    all.retain(|it| it.starts_with("fixtures"));
    judge("kustomize build", "kustomizations", &all, Tools::kustomize);
}

#[test]
fn scripts_pass_shellcheck() {
    judge("shellcheck", "scripts", &generated(is_script), Tools::shellcheck);
}

#[test]
fn jobcheck_refuses_wrong_samples() {
    for (kind, language) in [("job", Language::Job), ("hcl", Language::Hcl), ("acl", Language::Acl)] {
        refuse(&format!("jobcheck for {kind}"), &samples(kind), |tools, files| {
            tools.jobcheck(language, files)
        });
    }
}

#[test]
fn nomad_job_validate_refuses_wrong_samples() {
    // What it can't see is why there is jobcheck: without an agent it reads no driver's config.
    let seen = ["right", "wrong_field", "wrong_syntax", "wrong_value"];
    let mut samples = samples("job");
    samples.retain(|it| seen.iter().any(|name| it.file_stem().is_some_and(|stem| stem == *name)));
    assert_eq!(samples.len(), seen.len(), "a sample has another name now");
    refuse("nomad job validate", &samples, Tools::job_validate);
}

#[test]
fn nomad_fmt_refuses_what_is_not_formatted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let right = ("right", "a   = 1\nbcd = 2\n");
    let wrong = ("wrong", "# expect: wrong.\na = 1\nbcd = 2\n");
    for (name, text) in [right, wrong] {
        for suffix in ["hcl", "nomad"] {
            let path = folder.path().join(format!("{name}.{suffix}"));
            std::fs::write(path, text).expect("the temporary folder is ours");
        }
    }
    refuse("nomad fmt", &files(folder.path(), ""), Tools::fmt);
}

#[test]
fn kubeconform_refuses_wrong_samples() {
    for version in KUBERNETES {
        refuse(
            &format!("kubeconform for {version}"),
            &samples("kubernetes"),
            |tools, files| tools.kubeconform(version, files),
        );
    }
}

#[test]
fn kustomize_refuses_wrong_samples() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut copies = Vec::new();
    for sample in samples("kustomize") {
        let name = sample.file_stem().expect("a sample has a name").to_owned();
        let copy = folder.path().join(name).join("kustomization.yaml");
        std::fs::create_dir_all(copy.parent().expect("it has a folder")).expect("the temporary folder is ours");
        std::fs::copy(top().join(&sample), &copy).expect("the temporary folder is ours");
        copies.push(copy);
    }
    refuse("kustomize build", &copies, Tools::kustomize);
}

#[test]
fn shellcheck_refuses_wrong_samples() {
    refuse("shellcheck", &samples("shell"), Tools::shellcheck);
}

#[test]
fn what_is_judged_is_known_by_its_path() {
    let sorts = |path: &str| {
        let path = Path::new(path);
        let sorts: [(&str, Sort); 6] = [
            ("generated", is_generated),
            ("job", is_job),
            ("hcl", is_hcl),
            ("acl", is_acl),
            ("manifest", is_manifest),
            ("script", is_script),
        ];
        sorts
            .iter()
            .filter(|it| it.1(path))
            .map(|it| it.0)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        sorts("fixtures/shop/prod/deployments/nomad/jobs/auth.nomad"),
        "generated job"
    );
    assert_eq!(
        sorts("fixtures/shop/deployments/nomad/policies/job-readers.hcl"),
        "generated hcl acl"
    );
    assert_eq!(
        sorts("tests/cases/kube/a/expected/deployments/kubernetes/a.yaml"),
        "generated manifest"
    );
    assert_eq!(sorts("tests/cases/kube/a/deployments/kubernetes/a.yaml"), "manifest");
    assert_eq!(sorts("fixtures/shop/rules/kubernetes/a.yaml"), "manifest");
    assert_eq!(sorts("fixtures/kubernetes/gen.yaml"), "generated");
    assert_eq!(sorts("tests/cases/kubernetes/a/expected/compose.yaml"), "generated");
    assert_eq!(sorts("fixtures/shop/scripts/deploy.sh"), "generated script");
}

/// What no tool judges, by the end of its path: words for people, and what is left out of a build.
const WITHOUT_A_JUDGE: [&str; 2] = ["/README.md", ".dockerignore"];

/// Each artifact of the fixtures has a judge at least, and the counts are told.
#[test]
fn every_artifact_of_the_fixtures_has_a_judge() {
    let judges: [(&str, Sort); 31] = [
        ("jobcheck, with the drivers' schemas", is_job),
        ("nomad job validate", is_job),
        ("nomad fmt -check", |it| is_job(it) || is_hcl(it)),
        ("jobcheck -hcl", is_hcl),
        ("jobcheck -acl", is_acl),
        ("consul validate", served::is_consul_config),
        ("a running Consul", served::is_written_to_consul),
        ("vault policy fmt", served::is_vault_policy),
        ("a running Vault", served::is_written_to_vault),
        ("Traefik's own start", served::is_traefik_job),
        ("promtool check config", alerts::is_prometheus_config),
        ("promtool check rules", |it| alerts::is_rules(it) || is_rule_object(it)),
        ("promtool test rules", alerts::is_tests),
        ("amtool check-config", alerts::is_alertmanager_config),
        ("alertcheck: who is told, what is muted", alerts::is_alertmanager_config),
        ("shellcheck", is_script),
        ("kubeconform, for each Kubernetes", is_manifest),
        ("kube-score", is_manifest),
        ("kustomize build", is_kustomization),
        ("a running API server", |it| {
            is_manifest(it) || is_kustomization(it) || is_of_chart(it)
        }),
        ("helm lint, helm template", is_of_chart),
        ("compose-go", |it| containers::is_compose(it) || is_example(it)),
        ("BuildKit", containers::is_dockerfile),
        ("hadolint", containers::is_dockerfile),
        ("caddy validate", containers::is_caddyfile),
        ("caddy fmt", containers::is_caddyfile),
        ("systemd-analyze verify", containers::is_unit),
        ("a run without an engine", |it| it.starts_with("fixtures/shelf")),
        ("a copy that is restored and updated", |it| {
            it.starts_with("fixtures/hobby") && it.iter().any(|name| name == "server")
        }),
        ("two platforms that agree", |it| it.starts_with("fixtures/both")),
        ("the live run", |it| it.starts_with("fixtures/live")),
    ];
    let all = recorded(|_| true);
    let count = |sort: Sort| all.iter().filter(|it| sort(it)).count();
    say(&format!("judges: the fixtures have {} artifacts", all.len()));
    for (name, sort) in judges {
        say(&format!("judges: {:4} of them by {name}", count(sort)));
        assert!(count(sort) > 0, "{name} judges nothing");
    }
    let n_verdicts: usize = judges.iter().map(|it| count(it.1)).sum();
    say(&format!("judges: {n_verdicts} verdicts in all"));
    // The last ones look at what runs, not at each file.
    let of_files = |it: &&PathBuf| !judges[..judges.len() - 4].iter().any(|judge| judge.1(it));
    let unjudged: Vec<&PathBuf> = all.iter().filter(of_files).collect();
    let (without, unjudged): (Vec<&PathBuf>, Vec<&PathBuf>) = unjudged
        .into_iter()
        .partition(|it| WITHOUT_A_JUDGE.iter().any(|end| it.to_string_lossy().ends_with(end)));
    say(&format!(
        "judges: {:4} of them by nobody: {WITHOUT_A_JUDGE:?}",
        without.len()
    ));
    assert!(all.len() > 1_000 && unjudged.is_empty(), "nobody judges {unjudged:#?}");
}

/// What a judge of Dockerfiles or scripts is told to pass over is argued in the line above.
#[test]
fn what_is_passed_over_is_argued() {
    let (mut n_argued, mut faults) = (0, Vec::new());
    for template in files(&top().join("templates"), ".hbs") {
        let text = std::fs::read_to_string(&template).expect("a template is text");
        let lines: Vec<&str> = text.lines().collect();
        for (nth, line) in lines.iter().enumerate() {
            if !line.contains("hadolint ignore=") && !line.contains("shellcheck disable=") {
                continue;
            }
            let above = nth.checked_sub(1).map_or("", |it| lines[it].trim());
            let is_argued = above.starts_with("# ") && above.len() > 20;
            n_argued += usize::from(is_argued);
            if !is_argued {
                faults.push(format!("{}:{}: {line}", template.display(), nth + 1));
            }
        }
    }
    assert!(faults.is_empty() && n_argued > 5, "not argued:\n{}", faults.join("\n"));
}

/// Returns those files of the fixtures that stand on record as generated.
fn recorded(is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for shard in below(Path::new("fixtures")) {
        let Some((project, _)) = shard
            .to_string_lossy()
            .split_once("/.gen/manifest/")
            .map(|(a, b)| (a.to_owned(), b.len()))
        else {
            continue;
        };
        let text = std::fs::read_to_string(top().join(&shard)).expect("a manifest is text");
        let records = text.lines().filter(|it| !it.starts_with('#'));
        let paths = records.filter_map(|it| it.split(' ').nth(1));
        all.extend(paths.filter(|it| is_wanted(it)).map(|it| Path::new(&project).join(it)));
    }
    all
}

/// Returns the folder of the judges, unless nothing is to be judged.
pub(crate) fn folder() -> Option<PathBuf> {
    Tools::of_environment().map(|it| it.folder)
}

/// Has `work` judge `files`; fails with all that is wrong with them.
fn judge(name: &str, sort: &str, files: &[PathBuf], work: impl Fn(&Tools, &[PathBuf]) -> Verdict) {
    let n_files = files.len();
    let Some(tools) = Tools::of_environment() else {
        return say(&format!("judges: left out {name}, with {n_files} {sort} to judge"));
    };
    if files.is_empty() {
        return say(&format!("judges: judged no {sort} by {name}: there are none"));
    }
    let Verdict { n_judged, faults } = work(&tools, files);
    let n_faults = faults.len();
    say(&format!(
        "judges: judged {n_judged} {sort} by {name}, {n_faults} faults"
    ));
    assert!(
        faults.is_empty(),
        "{name} finds {n_faults} faults:\n{}",
        faults.join("\n")
    );
    assert_eq!(n_judged, n_files, "{name} did not judge all {sort} that there are");
}

/// Fails unless `work` passes the right ones of `samples`, and finds in each other what its `# expect: ` line says.
fn refuse(name: &str, samples: &[PathBuf], work: impl Fn(&Tools, &[PathBuf]) -> Verdict) {
    let Some(tools) = Tools::of_environment() else {
        return say(&format!("judges: left out the samples that {name} must refuse"));
    };
    let (mut n_right, mut n_wrong) = (0, 0);
    for sample in samples {
        let text = std::fs::read_to_string(top().join(sample)).expect("a sample is text");
        let expected = text.lines().find_map(|it| it.strip_prefix("# expect: "));
        let faults = work(&tools, std::slice::from_ref(sample)).faults.join("\n");
        if let Some(expected) = expected {
            n_wrong += 1;
            assert!(
                faults.contains(expected),
                "{}: {name} should find: {expected}\n{faults}",
                sample.display()
            );
        } else {
            n_right += 1;
            assert_eq!(faults, "", "{}: {name} should find nothing", sample.display());
        }
    }
    assert!(
        n_right > 0 && n_wrong > 0,
        "{name} has {n_right} right samples and {n_wrong} wrong ones"
    );
}

/// Returns the samples of one kind.
fn samples(kind: &str) -> Vec<PathBuf> {
    below(&Path::new("tests/judges/samples").join(kind))
}

/// Returns the generated files that `is_wanted` picks.
fn generated(is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let all = ["fixtures", "tests/cases"].map(Path::new).map(below).concat();
    all.into_iter().filter(|it| is_generated(it) && is_wanted(it)).collect()
}

/// Returns the files below a folder of this project, by their paths in it.
fn below(folder: &Path) -> Vec<PathBuf> {
    let short = |path: PathBuf| {
        path.strip_prefix(top())
            .expect("it was found in the project")
            .to_owned()
    };
    files(&top().join(folder), "").into_iter().map(short).collect()
}

/// Returns the names of a path, less those that say in which project it stands.
fn names(path: &Path) -> Vec<&str> {
    let names: Vec<&str> = path.iter().filter_map(|it| it.to_str()).collect();
    let n_project = if names.first() == Some(&"fixtures") { 2 } else { 4 };
    names.into_iter().skip(n_project).collect()
}

fn is_generated(path: &Path) -> bool {
    if path.starts_with("fixtures") {
        return names(path).first().is_some_and(|it| !NOT_GENERATED.contains(it));
    }
    path.iter().nth(4).is_some_and(|it| it == "expected")
}

fn has_suffix(path: &Path, suffixes: &[&str]) -> bool {
    path.extension()
        .is_some_and(|it| suffixes.iter().any(|suffix| it == *suffix))
}

fn is_job(path: &Path) -> bool {
    has_suffix(path, &["nomad"])
}

fn is_hcl(path: &Path) -> bool {
    has_suffix(path, &["hcl"])
}

fn is_acl(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "job-readers.hcl")
}

fn is_kustomization(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "kustomization.yaml")
}

fn is_manifest(path: &Path) -> bool {
    let names = names(path);
    has_suffix(path, &["yaml", "yml"])
        && !is_kustomization(path)
        && names[..names.len().saturating_sub(1)].contains(&"kubernetes")
}

/// A file of a chart, and not of what stands for its objects beside it.
fn is_of_chart(path: &Path) -> bool {
    names(path).contains(&"helm")
}

fn is_rule_object(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "prometheus-rule.yaml")
}

fn is_example(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == ".env.example")
}

fn is_script(path: &Path) -> bool {
    has_suffix(path, &["sh"])
}
