//! The command lines of the judges, and what their answers mean. Which files they get is not decided here.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tidy::top;

/// The versions of Kubernetes that `.ci/judges` has schemas of.
pub(super) const KUBERNETES: [&str; 2] = ["1.34.0", "1.36.0"];

/// The line of the pack `kubernetes` before what kube-score asks for that is not done, a line each with why.
const NOT_DONE: &str = "# What kube-score asks for that is not done:";

/// What jobcheck takes a file for.
#[derive(Clone, Copy)]
pub(super) enum Language {
    /// A job, with its drivers' configs.
    Job,
    /// Any HCL: its syntax alone is judged.
    Hcl,
    /// An ACL policy.
    Acl,
}

/// What a judge says of some files.
pub(super) struct Verdict {
    /// How many files it looked at, by its own account where it gives one.
    pub(super) n_judged: usize,
    /// What is wrong, each with its file.
    pub(super) faults: Vec<String>,
}

/// What a tool printed.
struct Answer {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Answer {
    /// Returns the answer as it is, for where it can't be understood.
    fn whole(&self) -> String {
        format!("exit {:?}\n{}{}", self.code, self.stdout, self.stderr)
    }

    /// Returns the stdout as JSON.
    fn json(&self, tool: &str) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{tool}: {error}\n{}", self.whole()))
    }
}

/// The folder of the judges.
pub(super) struct Tools {
    /// Where they stand: `bin/` and `schemas/`.
    pub(super) folder: PathBuf,
}

impl Tools {
    /// Returns the folder that `GEN_JUDGES` names, unless nothing is to be judged.
    pub(super) fn of_environment() -> Option<Self> {
        let folder = std::env::var("GEN_JUDGES")
            .ok()
            .filter(|it| !it.is_empty() && it != "none")?;
        let folder = PathBuf::from(folder);
        let is_whole = folder.is_absolute() && folder.join("schemas").is_dir();
        assert!(
            is_whole,
            "GEN_JUDGES is `{}`, which is no folder that `.ci/judges` printed",
            folder.display()
        );
        Some(Self { folder })
    }

    /// Judges files by Nomad's own code, all in one process.
    pub(super) fn jobcheck(&self, language: Language, files: &[PathBuf]) -> Verdict {
        let (answer, reports) = self.asked(language, files);
        let faults = reports.iter().filter_map(|it| {
            let error = it["error"].as_str()?;
            let file = it["file"].as_str().unwrap_or_default();
            Some(
                error
                    .lines()
                    .map(|line| format!("{file}: {line}"))
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        });
        verdict("jobcheck", &answer, reports.len(), faults.collect())
    }

    /// Returns what jobcheck says of each of `files`, in their order.
    pub(super) fn reports(&self, language: Language, files: &[PathBuf]) -> Vec<Value> {
        let (answer, reports) = self.asked(language, files);
        assert_eq!(reports.len(), files.len(), "jobcheck: {}", answer.whole());
        reports
    }

    fn asked(&self, language: Language, files: &[PathBuf]) -> (Answer, Vec<Value>) {
        let options: &[&str] = match language {
            Language::Job => &["-json", "-"],
            Language::Hcl => &["-hcl", "-json", "-"],
            Language::Acl => &["-acl", "-json", "-"],
        };
        let list: String = files.iter().map(|it| format!("{}\n", it.display())).collect();
        let answer = self.run("jobcheck", options, &[], &list);
        let parse =
            |line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("jobcheck: {error}: {line}"));
        let reports: Vec<Value> = answer.stdout.lines().map(parse).collect();
        (answer, reports)
    }

    /// Judges jobs by `nomad job validate`, one at a time, since it takes no more.
    pub(super) fn job_validate(&self, files: &[PathBuf]) -> Verdict {
        let mut faults = Vec::new();
        for file in files {
            // A job may read files, and Nomad looks for them from where it is called.
            let (home, name) = above_deployments(file);
            let answer = self.run_in(&home, "nomad", &["job", "validate"], &[name], "");
            if answer.code != Some(0) || !answer.stdout.contains("Job validation successful") {
                faults.push(format!("{}: {}", file.display(), answer.whole()));
            }
        }
        Verdict {
            n_judged: files.len(),
            faults,
        }
    }

    /// Judges whether files are laid out as `nomad fmt` would.
    pub(super) fn fmt(&self, files: &[PathBuf]) -> Verdict {
        let answer = self.run("nomad", &["fmt", "-check"], files, "");
        // It names the files that it would change, and on stderr those that it can't read.
        let faults = answer
            .stdout
            .lines()
            .map(|it| format!("{it}: not as `nomad fmt` lays it out"));
        let errors = (!answer.stderr.trim().is_empty()).then(|| answer.stderr.clone());
        verdict("nomad fmt", &answer, files.len(), faults.chain(errors).collect())
    }

    /// Judges manifests by the schemas of one version of Kubernetes, unknown fields too.
    pub(super) fn kubeconform(&self, version: &str, files: &[PathBuf]) -> Verdict {
        let schemas = format!(
            "{}/schemas/{{{{.NormalizedKubernetesVersion}}}}-local{{{{.StrictSuffix}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            self.folder.display()
        );
        let mut options = "-verbose -strict -summary -output json -n 2"
            .split(' ')
            .collect::<Vec<_>>();
        options.extend(["-kubernetes-version", version, "-schema-location", &schemas]);
        // What operators define for themselves.
        let own = format!(
            "{}/crds/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
            self.folder.display()
        );
        options.extend(["-schema-location", &own]);
        let answer = self.run("kubeconform", &options, files, "");
        let report = answer.json("kubeconform");
        let resources = report["resources"]
            .as_array()
            .unwrap_or_else(|| panic!("kubeconform: {report}"));
        let (mut judged, mut wrong, mut skipped) = (BTreeSet::new(), Vec::new(), Vec::new());
        for resource in resources {
            let word = |key: &str| resource[key].as_str().unwrap_or_default();
            let line = || {
                format!(
                    "{}: {} {}: {}",
                    word("filename"),
                    word("kind"),
                    word("name"),
                    word("msg")
                )
            };
            match word("status") {
                // A document with nothing in it: none is judged by that.
                "" => continue,
                "statusValid" => {}
                "statusSkipped" => skipped.push(format!("{}skipped", line())),
                _ => wrong.push(line()),
            }
            judged.insert(word("filename"));
        }
        let mut verdict = verdict("kubeconform", &answer, judged.len(), wrong);
        verdict.faults.extend(skipped);
        verdict
    }

    /// Judges kustomizations: each builds, and gives as many objects as stand in the files beside and below it.
    pub(super) fn kustomize(&self, files: &[PathBuf]) -> Verdict {
        let mut faults = Vec::new();
        let count = |text: &str| text.lines().filter(|it| it.starts_with("kind:")).count();
        for file in files {
            let folder = file.parent().expect("a file stands in a folder");
            let answer = self.run("kustomize", &["build"], &[folder.to_owned()], "");
            let below = crate::tidy::files(&top().join(folder), ".yaml");
            let objects = below.iter().filter(|it| it.file_name() != file.file_name());
            let wanted: usize = objects
                .map(|it| count(&fs::read_to_string(it).expect("a manifest is text")))
                .sum();
            if answer.code != Some(0) || !answer.stderr.trim().is_empty() || count(&answer.stdout) != wanted {
                let n_objects = count(&answer.stdout);
                faults.push(format!(
                    "{}: {n_objects} of {wanted} objects; {}",
                    file.display(),
                    answer.stderr
                ));
            }
        }
        Verdict {
            n_judged: files.len(),
            faults,
        }
    }

    /// Judges charts.
    pub(super) fn helm_lint(&self, files: &[PathBuf]) -> Verdict {
        let folders: Vec<PathBuf> = files.iter().filter_map(|it| Some(it.parent()?.to_owned())).collect();
        let answer = self.run("helm", &["lint", "--strict"], &folders, "");
        let found = answer
            .stdout
            .lines()
            .filter(|it| it.contains("[ERROR]") || it.contains("[WARNING]"));
        let faults: Vec<String> = found.map(str::to_owned).collect();
        let n_judged = answer.stdout.matches("==> Linting ").count();
        Verdict {
            n_judged,
            faults: if answer.code == Some(0) || !faults.is_empty() {
                faults
            } else {
                vec![answer.whole()]
            },
        }
    }

    /// Returns what a chart prints for some values, or why it prints nothing.
    pub(super) fn helm_template(
        &self,
        folder: &Path,
        release: &str,
        values: &[&str],
        file: Option<&str>,
    ) -> Result<String, String> {
        let files = file.iter().flat_map(|it| ["--values", *it]);
        let sets = values.iter().flat_map(|it| ["--set", *it]);
        let options: Vec<&str> = ["template", release].into_iter().chain(files).chain(sets).collect();
        let answer = self.run("helm", &options, &[folder.to_owned()], "");
        if answer.code == Some(0) {
            Ok(answer.stdout)
        } else {
            Err(answer.whole())
        }
    }

    /// Judges rules that stand within objects, each taken out into a file of its own.
    pub(super) fn rules_within(&self, files: &[PathBuf]) -> Verdict {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let copies = files.iter().enumerate().map(|(at, file)| {
            let text = fs::read_to_string(top().join(file)).expect("an object is text");
            let object: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).expect("an object is YAML");
            let copy = room.path().join(format!("{at}.yml"));
            let rules = serde_yaml_ng::to_string(&object["spec"]).expect("it was read");
            fs::write(&copy, rules).expect("the temporary folder is ours");
            copy
        });
        let copies: Vec<PathBuf> = copies.collect();
        self.told_of_each("promtool", &["check", "rules", "--lint-fatal"], &copies)
    }

    /// Judges objects of environments by kube-score, which knows only what stands together.
    pub(super) fn kube_score(&self, files: &[PathBuf]) -> Verdict {
        let mut environments: std::collections::BTreeMap<PathBuf, Vec<PathBuf>> = std::collections::BTreeMap::new();
        for file in files {
            let home = file.ancestors().find(|it| it.ends_with("deployments/kubernetes"));
            let home = home.expect("it stands below that folder").to_owned();
            environments.entry(home).or_default().push(file.clone());
        }
        let pack = fs::read_to_string(top().join("rules/kubernetes/pack.yaml")).expect("the pack is there");
        let not_done = argued(&pack);
        assert!(!not_done.is_empty(), "the pack argues nothing below `{NOT_DONE}`");
        // One of its checks asks for several things, of which it leaves this one out by a flag.
        let ignored = not_done.iter().flat_map(|it| match *it {
            "container-cpu-limit" => vec!["--ignore-container-cpu-limit"],
            check => vec!["--ignore-test", check],
        });
        let options = ["score", "--output-format", "ci", "--kubernetes-version", "v1.34"];
        let options: Vec<&str> = options.into_iter().chain(ignored).collect();
        let mut faults = Vec::new();
        for files in environments.values() {
            let answer = self.run("kube-score", &options, files, "");
            let bad = |it: &&str| it.starts_with("[CRITICAL]") || it.starts_with("[WARNING]");
            let found: Vec<String> = answer.stdout.lines().filter(bad).map(str::to_owned).collect();
            if found.is_empty() && answer.code != Some(0) || !answer.stdout.contains("[OK]") {
                faults.push(answer.whole());
            }
            faults.extend(found);
        }
        Verdict {
            n_judged: files.len(),
            faults,
        }
    }

    /// Judges scripts.
    pub(super) fn shellcheck(&self, files: &[PathBuf]) -> Verdict {
        let answer = self.run("shellcheck", &["-f", "json1"], files, "");
        let report = answer.json("shellcheck");
        let comments = report["comments"]
            .as_array()
            .unwrap_or_else(|| panic!("shellcheck: {report}"));
        let faults = comments.iter().map(|it| {
            let word = |key: &str| it[key].as_str().unwrap_or_default();
            format!("{}:{}: SC{}: {}", word("file"), it["line"], it["code"], word("message"))
        });
        verdict("shellcheck", &answer, files.len(), faults.collect())
    }

    /// Judges files one at a time by a tool that says no more than whether it takes them.
    pub(super) fn one_by_one(&self, tool: &str, options: &[&str], files: &[PathBuf]) -> Verdict {
        let answers = files
            .iter()
            .map(|file| (file, self.run(tool, options, std::slice::from_ref(file), "")));
        let wrong = answers.filter(|(_, answer)| answer.code != Some(0));
        Verdict {
            n_judged: files.len(),
            faults: wrong
                .map(|(file, answer)| format!("{}: {}", file.display(), answer.whole()))
                .collect(),
        }
    }

    /// Judges units of systemd one by one; what it only warns of is a fault too.
    pub(super) fn units(&self, files: &[PathBuf]) -> Verdict {
        let mut faults = Vec::new();
        for file in files {
            let file = std::slice::from_ref(file);
            let answer = self.run("../debian/bin/systemd-analyze", &["verify", "--man=no"], file, "");
            if answer.code != Some(0) || !answer.stderr.is_empty() {
                faults.push(format!("{}: {}", file[0].display(), answer.whole()));
            }
        }
        Verdict {
            n_judged: files.len(),
            faults,
        }
    }

    /// Judges files all at once by a tool that says of each, in a line of its own, whether it takes it.
    pub(super) fn told_of_each(&self, tool: &str, options: &[&str], files: &[PathBuf]) -> Verdict {
        let answer = self.run(tool, options, files, "");
        let lines = answer.stdout.lines().chain(answer.stderr.lines()).map(str::trim);
        let n_judged = lines
            .filter(|it| it.starts_with("SUCCESS") || it.starts_with("FAILED"))
            .count();
        Verdict {
            n_judged,
            faults: (answer.code != Some(0)).then(|| answer.whole()).into_iter().collect(),
        }
    }

    /// Returns what stringcheck reads in texts of one kind, in their order and all in one process: each has a `value` or
    /// an `error`.
    pub(super) fn strings(&self, kind: &str, texts: &[String]) -> Vec<Value> {
        let input = serde_json::to_string(texts).expect("texts are JSON");
        let answer = self.run("stringcheck", &[kind], &[], &input);
        let answers: Vec<Value> = answer.json("stringcheck").as_array().cloned().unwrap_or_default();
        assert_eq!(answers.len(), texts.len(), "stringcheck: {}", answer.whole());
        answers
    }

    /// Returns a Caddyfile as Caddy itself has read it.
    pub(super) fn adapted(&self, file: &Path) -> Value {
        let options = ["adapt", "--adapter", "caddyfile", "--config"];
        let answer = self.run("caddy", &options, &[file.to_owned()], "");
        assert!(answer.code == Some(0), "caddy: {}", answer.whole());
        answer.json("caddy")
    }

    /// Judges whether policies are laid out as `vault policy fmt` would, which reads them and changes them in place.
    pub(super) fn vault_policy_fmt(&self, files: &[PathBuf]) -> Verdict {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let copy = room.path().join("policy.hcl");
        let mut faults = Vec::new();
        for file in files {
            let text =
                fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            fs::write(&copy, &text).expect("the temporary folder is ours");
            let answer = self.run("vault", &["policy", "fmt"], std::slice::from_ref(&copy), "");
            let came = fs::read_to_string(&copy).expect("it was written");
            if answer.code != Some(0) {
                faults.push(format!("{}: {}", file.display(), answer.whole()));
            } else if came != text {
                let lines = text.lines().filter(|line| !came.lines().any(|it| it == *line));
                faults.push(format!(
                    "{}: not laid out so: {}",
                    file.display(),
                    lines.map(|it| format!("< {it}\n")).collect::<String>()
                ));
            }
        }
        Verdict {
            n_judged: files.len(),
            faults,
        }
    }

    /// Judges Compose files or Dockerfiles by the code of their own readers, all in one process.
    pub(super) fn containercheck(&self, kind: &str, files: &[PathBuf]) -> Verdict {
        let (answer, reports) = self.containers(kind, files);
        let faults = reports.iter().flat_map(|it| {
            let file = it["file"].as_str().unwrap_or_default().to_owned();
            let faults = it["faults"].as_array().cloned().unwrap_or_default();
            faults
                .into_iter()
                .map(move |fault| format!("{file}: {}", fault.as_str().unwrap_or_default()))
        });
        let faults: Vec<String> = faults.collect();
        verdict("containercheck", &answer, reports.len(), faults)
    }

    fn containers(&self, kind: &str, files: &[PathBuf]) -> (Answer, Vec<Value>) {
        let list: String = files.iter().map(|it| format!("{}\n", it.display())).collect();
        let answer = self.run("containercheck", &[kind, "-json"], &[], &list);
        let parse = |line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("containercheck: {error}: {line}"))
        };
        let reports: Vec<Value> = answer.stdout.lines().map(parse).collect();
        (answer, reports)
    }

    /// Judges Dockerfiles by hadolint, of which each remark is a fault.
    pub(super) fn hadolint(&self, files: &[PathBuf]) -> Verdict {
        let answer = self.run("hadolint", &["--no-color", "--format", "json"], files, "");
        let report = answer.json("hadolint");
        let remarks = report.as_array().unwrap_or_else(|| panic!("hadolint: {report}"));
        let faults = remarks.iter().map(|it| {
            let word = |key: &str| it[key].as_str().unwrap_or_default();
            format!("{}:{}: {}: {}", word("file"), it["line"], word("code"), word("message"))
        });
        let faults: Vec<String> = faults.collect();
        verdict("hadolint", &answer, files.len(), faults)
    }

    /// Returns a job as Nomad has parsed it.
    pub(super) fn job(&self, file: &Path) -> Value {
        let answer = self.run("jobcheck", &["-json"], &[file.to_owned()], "");
        let report: Value = answer.json("jobcheck");
        assert!(report["job"].is_object(), "{}: {report}", file.display());
        report["job"].clone()
    }

    /// Returns what becomes of alerts that are raised all at once, by Alertmanager's own code: for each its labels, its
    /// receivers, and whether it is muted.
    pub(super) fn alertcheck(&self, config: &Path, alerts: &Value) -> Vec<Value> {
        let answer = self.run("alertcheck", &[], &[config.to_owned()], &alerts.to_string());
        assert!(answer.code == Some(0), "alertcheck: {}", answer.whole());
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("alertcheck: {error}: {line}"));
        answer.stdout.lines().map(parse).collect()
    }

    /// Runs a tool in the project's top folder, with nothing of this machine's environment.
    fn run(&self, tool: &str, options: &[&str], files: &[PathBuf], input: &str) -> Answer {
        self.run_in(top(), tool, options, files, input)
    }

    /// Runs a tool in a folder.
    fn run_in(&self, folder: &Path, tool: &str, options: &[&str], files: &[PathBuf], input: &str) -> Answer {
        let program = self.folder.join("bin").join(tool);
        assert!(
            program.is_file(),
            "GEN_JUDGES is `{}`, which has no bin/{tool}",
            self.folder.display()
        );
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judges");
        fs::create_dir_all(&home).expect("the target folder is ours");
        let mut child = Command::new(&program)
            .args(options)
            .args(files)
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        // The tools print only once they have read all of their input, so this can't wait for itself.
        child
            .stdin
            .take()
            .expect("it is piped")
            .write_all(input.as_bytes())
            .expect("a tool reads its input");
        let output = child
            .wait_with_output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Answer {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

/// Returns what the pack says it does without, each of which has its reason behind a colon.
fn argued(pack: &str) -> Vec<&str> {
    let below = pack.lines().skip_while(|it| *it != NOT_DONE).skip(1);
    let lines = below.map_while(|it| it.strip_prefix("#   "));
    lines
        .map(|it| {
            let (check, why) = it.split_once(": ").expect("a check, and why");
            assert!(why.len() > 20, "{check} is not argued");
            check
        })
        .collect()
}

/// Returns the folder from which a file below `deployments/` is used, and its path from there.
fn above_deployments(file: &Path) -> (PathBuf, PathBuf) {
    let names: Vec<_> = file.iter().collect();
    let at = names.iter().rposition(|it| *it == "deployments").unwrap_or(0);
    let (home, name): (PathBuf, PathBuf) = (names[..at].iter().collect(), names[at..].iter().collect());
    (top().join(home), name)
}

/// Returns a verdict of which the exit code is no other opinion: 0 where nothing is wrong, else 1.
fn verdict(tool: &str, answer: &Answer, n_judged: usize, faults: Vec<String>) -> Verdict {
    let wanted = i32::from(!faults.is_empty());
    assert!(
        answer.code == Some(wanted),
        "{tool} finds {} faults, but:\n{}",
        faults.len(),
        answer.whole()
    );
    Verdict { n_judged, faults }
}
