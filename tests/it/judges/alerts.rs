//! What the real tools say of alerts: whether each is raised when it should be and silent when it should be, who is told
//! of it, and that one dead database is one page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::tool::Tools;
use super::{generated, judge};
use crate::say;
use crate::tidy::top;

#[test]
fn prometheus_configs_pass_promtool() {
    let configs = generated(is_prometheus_config);
    judge(
        "promtool check config",
        "configs of Prometheus",
        &configs,
        |tools, files| tools.one_by_one("promtool", &["check", "config", "--lint=all", "--lint-fatal"], files),
    );
}

#[test]
fn rule_files_pass_promtool() {
    judge(
        "promtool check rules",
        "rule files",
        &generated(is_rules),
        |tools, files| tools.told_of_each("promtool", &["check", "rules", "--lint=all", "--lint-fatal"], files),
    );
}

#[test]
fn alerts_are_raised_and_silent_where_they_should_be() {
    judge(
        "promtool test rules",
        "files of rule tests",
        &generated(is_tests),
        |tools, files| tools.told_of_each("promtool", &["test", "rules"], files),
    );
}

#[test]
fn alertmanager_configs_pass_amtool() {
    let configs = generated(is_alertmanager_config);
    judge(
        "amtool check-config",
        "configs of Alertmanager",
        &configs,
        |tools, files| tools.one_by_one("amtool", &["check-config"], files),
    );
}

/// A judge that muted everything, or nothing, would never be noticed.
#[test]
fn alertcheck_tells_what_is_muted_from_what_is_not() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out what alertcheck must tell apart");
    };
    let config = "route: {receiver: a, routes: [{receiver: b, matchers: ['x=\"1\"']}]}\nreceivers: [{name: a}, {name: b}]\n\
                  inhibit_rules: [{source_matchers: ['x=\"1\"'], target_matchers: ['x=\"2\"'], equal: [place]}]\n";
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let path = place.path().join("alertmanager.yml");
    std::fs::write(&path, config).expect("the temporary folder is ours");
    let raised = json!([{"x": "1", "place": "here"}, {"x": "2", "place": "here"}, {"x": "2", "place": "there"}]);
    let answers = tools.alertcheck(&path, &raised);
    let told = |it: &Value| (it["receivers"].clone(), it["muted"].clone());
    let expected = [
        (json!(["b"]), json!(false)),
        (json!(["a"]), json!(true)),
        (json!(["a"]), json!(false)),
    ];
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), expected);
}

/// Each alert of each fixture and case has a test in which it is raised and one in which it is silent.
#[test]
fn every_alert_is_tested_both_ways() {
    let (mut n_alerts, mut untested) = (0, Vec::new());
    for file in generated(is_rules) {
        let tests = file
            .to_string_lossy()
            .replacen("prometheus/rules/", "prometheus/tests/", 1);
        let text = read(Path::new(&tests)).to_string();
        for alert in alerts(&file) {
            n_alerts += 1;
            let selector = |state: &str| {
                // What looks like a template is escaped in a rule file, and nowhere else.
                let plain = |value: &String| value.replace("{{\"{{\"}}", "{{");
                let labels = alert
                    .labels
                    .iter()
                    .map(|(key, value)| format!("{key}={}", json!(plain(value))));
                let all = labels.collect::<Vec<_>>().join(", ");
                json!(format!("count(ALERTS{{alertname=\"{}\", {state}{all}}})", alert.name)).to_string()
            };
            for (what, wanted) in [
                ("raised", selector("alertstate=\"firing\", ")),
                ("silent", selector("")),
            ] {
                let is_always_raised = alert.name == "Watchdog" && what == "silent";
                if !is_always_raised && !text.contains(&wanted) {
                    untested.push(format!("{}: {} is never {what}: {wanted}", file.display(), alert.name));
                }
            }
        }
    }
    say(&format!(
        "alerts: {n_alerts} in all, {} of their tests are missing",
        untested.len()
    ));
    assert!(n_alerts > 0 && untested.is_empty(), "{}", untested.join("\n"));
}

/// What an Alertmanager matches on is borne by an alert of the same environment, with that very value.
#[test]
fn matchers_name_labels_that_alerts_bear() {
    let mut n_matchers = 0;
    for config in generated(is_alertmanager_config) {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for alert in alerts_beside(&config) {
            known.entry("alertname".to_owned()).or_default().insert(alert.name);
            for (key, value) in alert.labels {
                known.entry(key).or_default().insert(value);
            }
        }
        let rules = read(&config);
        let inhibitions = rules["inhibit_rules"].as_array().cloned().unwrap_or_default();
        let mut matchers: Vec<Value> = Vec::new();
        for rule in &inhibitions {
            for side in ["source_matchers", "target_matchers"] {
                matchers.extend(rule[side].as_array().cloned().unwrap_or_default());
            }
        }
        for route in rules["route"]["routes"].as_array().into_iter().flatten() {
            matchers.extend(route["matchers"].as_array().cloned().unwrap_or_default());
        }
        for matcher in matchers {
            n_matchers += 1;
            let text = matcher.as_str().expect("a matcher is text");
            let (label, wanted) = text.split_once(['=', '!']).expect("a matcher has a sign");
            let values = known
                .get(label)
                .unwrap_or_else(|| panic!("{}: no alert bears `{label}`: {text}", config.display()));
            // A regular expression is a list of names here; a route may speak of a team that has no alerts yet.
            let is_component = label == "component" || label == "alertname";
            let list = wanted.trim_start_matches(['=', '~']);
            let list: String = serde_json::from_str(list).expect("its value is quoted");
            for value in list.split('|').map(|it| it.replace('\\', "")).filter(|_| is_component) {
                assert!(
                    values.contains(&value),
                    "{}: no alert has {label} {value}: {text}",
                    config.display()
                );
            }
        }
    }
    say(&format!("alerts: {n_matchers} matchers name labels that alerts bear"));
    assert!(n_matchers > 0, "there is nothing to match");
}

/// A dead database and all that can't do without it: everything is raised, and one alert is told of.
#[test]
fn a_dead_database_is_one_page() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out the dead database");
    };
    let folder = Path::new("fixtures/shop/deployments");
    let config = folder.join("alertmanager/alertmanager.yml");
    let hit = targets(&config, "infra.postgres");
    assert!(hit.contains("service.orders") && hit.contains("service.web"), "{hit:?}");

    // First Prometheus: the database and all that needs it are down at once, and so each is said to be.
    let mut series: BTreeMap<String, String> = BTreeMap::new();
    let mut wanted: Vec<BTreeMap<String, String>> = Vec::new();
    let everything = alerts_beside(&config);
    let concerned = |it: &&Alert| it.component() == "infra.postgres" || hit.contains(it.component());
    for alert in &everything {
        if !["ComponentDown", "JobFailed"].contains(&alert.name.as_str()) {
            continue;
        }
        if concerned(&alert) {
            series.extend(inputs(&alert.file, &alert.name, "raised"));
            wanted.push(alert.bears());
        } else if alert.component() != "infra.consul" {
            series.extend(inputs(&alert.file, &alert.name, "silent"));
        }
    }
    let mut test = String::from("rule_files:\n");
    for file in below(folder, "prometheus/rules") {
        let _ = writeln!(test, "  - {}", json!(top().join(file)));
    }
    test += "evaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n";
    for (name, values) in &series {
        let _ = writeln!(test, "      - {{series: {}, values: {}}}", json!(name), json!(values));
    }
    test += "    promql_expr_test:\n      - expr: ALERTS{alertstate=\"firing\", alertname!=\"Watchdog\"}\n        eval_time: 1h5m\n        exp_samples:\n";
    for labels in &wanted {
        let labels = labels.iter().map(|(key, value)| format!("{key}={}", json!(value)));
        let all = labels.collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            test,
            "          - {{labels: {}, value: 1}}",
            json!(format!("ALERTS{{alertstate=\"firing\", {all}}}"))
        );
    }
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let path = place.path().join("dead.yml");
    std::fs::write(&path, test).expect("the temporary folder is ours");
    let verdict = tools.one_by_one("promtool", &["test", "rules"], &[path]);
    assert!(verdict.faults.is_empty(), "{}", verdict.faults.join("\n"));

    // Then Alertmanager: with every alert of the database and of the others, one is told of.
    let outside = json!({"project": "shop", "environment": "prod"});
    let raised: Vec<Value> = everything
        .iter()
        .filter(concerned)
        .map(|it| with(json!(it.bears()), &outside))
        .collect();
    let told = told(&tools, &config, &raised);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["labels"]["component"], "infra.postgres");
    assert_eq!(told[0]["labels"]["alertname"], "ComponentDown");
    let receivers = told[0]["receivers"].as_array().expect("they are a list");
    assert!(receivers.contains(&json!("pager")), "{receivers:?}");

    // What can do without it still has its say, and so has everything in another environment.
    let mut others: Vec<Value> = everything
        .iter()
        .filter(|it| !concerned(it) && it.name == "ComponentDown")
        .map(|it| with(json!(it.bears()), &outside))
        .collect();
    let elsewhere = json!({"project": "shop", "environment": "staging"});
    others.extend(
        everything
            .iter()
            .filter(|it| hit.contains(it.component()) && it.name == "ComponentDown")
            .take(1)
            .map(|it| with(json!(it.bears()), &elsewhere)),
    );
    let n_others = others.len();
    let all = [raised.clone(), others].concat();
    let n_told = tools
        .alertcheck(&config, &json!(all))
        .iter()
        .filter(|it| it["muted"] == false)
        .count();
    // An alert of the others may itself be one that others can't do without.
    assert!(n_others > 3 && n_told > 1, "{n_told} of {n_others} others are told of");
    say(&format!(
        "alerts: of a dead database and {} that need it {} alerts are raised and 1 is told of; {} of {n_others} others are too",
        hit.len(),
        raised.len(),
        n_told - 1
    ));
}

/// An alert as a rule file has it.
struct Alert {
    name: String,
    labels: BTreeMap<String, String>,
    file: PathBuf,
}

impl Alert {
    fn component(&self) -> &str {
        &self.labels["component"]
    }

    /// Returns all its labels, its name among them.
    fn bears(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert("alertname".to_owned(), self.name.clone());
        labels
    }
}

/// Returns the alerts of a rule file.
fn alerts(file: &Path) -> Vec<Alert> {
    let rules = read(file);
    let groups = rules["groups"].as_array().expect("a rule file has groups");
    let rules = groups
        .iter()
        .flat_map(|it| it["rules"].as_array().into_iter().flatten());
    rules
        .filter_map(|it| {
            let labels = it["labels"].as_object().into_iter().flatten();
            Some(Alert {
                name: it["alert"].as_str()?.to_owned(),
                labels: labels.map(|(key, value)| (key.clone(), word(value))).collect(),
                file: file.to_owned(),
            })
        })
        .collect()
}

/// Returns the alerts of the environment whose Alertmanager has this config.
fn alerts_beside(config: &Path) -> Vec<Alert> {
    let folder = config
        .parent()
        .and_then(Path::parent)
        .expect("it stands below `deployments`");
    below(folder, "prometheus/rules")
        .iter()
        .flat_map(|it| alerts(it))
        .collect()
}

/// Returns the generated files below `place` in the folder of one environment's deployments.
fn below(folder: &Path, place: &str) -> Vec<PathBuf> {
    let place = folder.join(place);
    generated(|it| it.starts_with(&place))
}

/// Returns the series at which an alert is `raised` or `silent`, by its own test.
fn inputs(rules: &Path, name: &str, state: &str) -> Vec<(String, String)> {
    let tests = rules
        .to_string_lossy()
        .replacen("prometheus/rules/", "prometheus/tests/", 1);
    let tests = read(Path::new(&tests));
    let wanted = format!("{name} is {state}");
    let tests = tests["tests"].as_array().into_iter().flatten();
    let series = tests
        .filter(|it| it["name"] == wanted.as_str())
        .flat_map(|it| it["input_series"].as_array().into_iter().flatten());
    series.map(|it| (word(&it["series"]), word(&it["values"]))).collect()
}

/// Returns the components that are kept back while `component` is down.
fn targets(config: &Path, component: &str) -> BTreeSet<String> {
    let config = read(config);
    let source = json!(format!("component={}", json!(component)));
    let rules = config["inhibit_rules"].as_array().into_iter().flatten();
    let rules = rules.filter(|it| {
        it["source_matchers"]
            .as_array()
            .is_some_and(|all| all.contains(&source))
    });
    let targets = rules.flat_map(|it| it["target_matchers"].as_array().into_iter().flatten().map(word));
    let lists = targets.filter_map(|it| Some(it.strip_prefix("component=")?.trim_start_matches('~').to_owned()));
    lists
        .flat_map(|it| {
            let list: String = serde_json::from_str(&it).expect("a matcher's value is quoted");
            list.split('|').map(|it| it.replace('\\', "")).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns what an Alertmanager says of the alerts that it tells anybody of.
fn told(tools: &Tools, config: &Path, alerts: &[Value]) -> Vec<Value> {
    let answers = tools.alertcheck(config, &json!(alerts));
    assert_eq!(answers.len(), alerts.len(), "alertcheck did not look at all alerts");
    answers.into_iter().filter(|it| it["muted"] == false).collect()
}

/// Returns a map with the entries of another one too.
fn with(mut labels: Value, more: &Value) -> Value {
    let all = labels.as_object_mut().expect("it is a map");
    all.extend(more.as_object().expect("it is a map").clone());
    labels
}

/// Returns a YAML file of this project as JSON.
fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a scalar as it is written.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn is_prometheus_config(path: &Path) -> bool {
    path.ends_with("prometheus/prometheus.yml") || path.ends_with("prometheus/pods.yml")
}

pub(super) fn is_alertmanager_config(path: &Path) -> bool {
    path.ends_with("alertmanager/alertmanager.yml")
}

pub(super) fn is_rules(path: &Path) -> bool {
    path.to_string_lossy().contains("/prometheus/rules/")
}

pub(super) fn is_tests(path: &Path) -> bool {
    path.to_string_lossy().contains("/prometheus/tests/")
}
