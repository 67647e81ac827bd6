//! What Helm makes of charts: the same objects as stand beside them, and others where a value is another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize as _;
use serde_yaml_ng::Value;

use super::tool::Tools;
use super::{generated, judge};
use crate::say;
use crate::tidy::{files, top};

/// The chart of a fixture, and the folder with the same objects as they are.
const CHART: &str = "fixtures/generator/chart/deployments/helm";
const PLAIN: &str = "fixtures/generator/deployments/kubernetes";
/// The environments for which the chart has values, each with the folder of the same objects as they are.
const ENVIRONMENTS: [(&str, &str); 2] = [
    ("production", PLAIN),
    ("load", "fixtures/generator/load/deployments/kubernetes"),
];
/// Cases that print the same as objects and as a chart.
const CASES: [&str; 2] = ["a_queue_by_its_operator", "an_agent_of_vault_writes_files"];
/// The name of the release.
const RELEASE: &str = "generator";

/// Objects by their kind, namespace and name.
type Objects = BTreeMap<String, Value>;

#[test]
fn charts_pass_helm_lint() {
    let charts = generated(|it| it.file_name().is_some_and(|it| it == "Chart.yaml"));
    judge("helm lint", "charts", &charts, Tools::helm_lint);
}

#[test]
fn helm_lint_refuses_a_wrong_chart() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out the charts that helm lint must refuse");
    };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, template, is_right) in [
        ("right", "a: {{ .Release.Name }}", true),
        ("wrong", "a: {{ .Release.Name", false),
    ] {
        let chart = folder.path().join(name);
        let files = [
            (
                "Chart.yaml",
                format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\nicon: https://example.org/a.svg\n"),
            ),
            ("values.yaml", "{}\n".to_owned()),
            (
                "templates/a.yaml",
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  {template}\n"),
            ),
        ];
        for (path, text) in files {
            let path = chart.join(path);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("the temporary folder is ours");
            std::fs::write(path, text).expect("the temporary folder is ours");
        }
        let verdict = tools.helm_lint(&[chart.join("Chart.yaml")]);
        assert_eq!(verdict.faults.is_empty(), is_right, "{name}: {:?}", verdict.faults);
    }
}

#[test]
fn a_chart_prints_what_stands_beside_it() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out what helm template prints");
    };
    let own = printed(&tools, CHART, &[], None).expect("the chart's own values are right");
    assert_same(&own, PLAIN, "its own values");
    for case in CASES {
        let expected = format!("tests/cases/kubernetes/{case}/expected");
        let chart = format!("{expected}/chart/deployments/helm");
        let made = printed(&tools, &chart, &[], None).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_same(&made, &format!("{expected}/deployments/kubernetes"), case);
    }
    let mut n_different = 0;
    for (environment, folder) in ENVIRONMENTS {
        let values = format!("{CHART}/values-{environment}.yaml");
        let made = printed(&tools, CHART, &[], Some(&values)).unwrap_or_else(|error| panic!("{values}: {error}"));
        assert_same(&made, folder, environment);
        let different = made.iter().filter(|(name, object)| own.get(*name) != Some(object));
        n_different += different.count();
    }
    assert!(
        n_different > 5,
        "only {n_different} objects differ: the values say nothing"
    );
    say(&format!(
        "judges: helm template prints the same {} objects as stand beside the chart, and for {} environments; {n_different} of these are others",
        own.len(),
        ENVIRONMENTS.len()
    ));
}

/// The objects are those of the files in `folder`.
fn assert_same(made: &Objects, folder: &str, what: &str) {
    let mut plain = Objects::new();
    for file in files(&top().join(folder), ".yaml") {
        if !file.ends_with("kustomization.yaml") {
            plain.extend(objects(&std::fs::read_to_string(&file).expect("a manifest is text")));
        }
    }
    let names = |all: &Objects| all.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(made), names(&plain), "other objects by {what}");
    for (name, object) in &plain {
        assert_eq!(made[name], *object, "{name} is another by {what}");
    }
}

#[test]
fn a_value_of_a_chart_changes_what_it_should() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out the values of charts");
    };
    let before = printed(&tools, CHART, &[], None).expect("the chart's own values are right");
    let of = |name: &str| {
        before
            .keys()
            .filter(|it| it.ends_with(&format!("/{name}")))
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    let policies: BTreeSet<String> = before
        .keys()
        .filter(|it| it.starts_with("NetworkPolicy/") && !it.ends_with("/default-deny"))
        .cloned()
        .collect();
    let one = |name: &str| BTreeSet::from([name.to_owned()]);
    let namespace = "generator-platform";
    let cases: [(&str, BTreeSet<String>); 8] = [
        (
            "services.api.image=registry.example/other:2",
            one(&format!("Deployment/{namespace}/api")),
        ),
        (
            "services.api.resources.requests.cpu=3",
            one(&format!("Deployment/{namespace}/api")),
        ),
        (
            "services.web.env.NODE_ENV=test",
            BTreeSet::from(["green", "blue"].map(|it| format!("Deployment/{namespace}/web-{it}"))),
        ),
        (
            "services.api.autoscaling.max=20",
            one(&format!("HorizontalPodAutoscaler/{namespace}/api")),
        ),
        (
            "services.api.host=other.example",
            BTreeSet::from(["api-api", "api-api-redirect"].map(|it| format!("HTTPRoute/{namespace}/{it}"))),
        ),
        (
            "infra.database.storage=200Gi",
            one(&format!("Cluster/{namespace}/database")),
        ),
        ("networkPolicies.enabled=false", policies),
        ("services.node-agent.enabled=false", of("node-agent")),
    ];
    let n_cases = cases.len();
    for (value, wanted) in cases {
        let after = printed(&tools, CHART, &[value], None).unwrap_or_else(|error| panic!("{value}: {error}"));
        let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed: BTreeSet<String> = all
            .into_iter()
            .filter(|it| before.get(*it) != after.get(*it))
            .cloned()
            .collect();
        assert_eq!(changed, wanted, "{value} changes other objects");
    }
    for wrong in [
        "services.api.autoscaling.max=many",
        "services.nobody.image=a",
        "networkPolicies.enabled=7",
    ] {
        assert!(printed(&tools, CHART, &[wrong], None).is_err(), "{wrong} is taken");
    }
    say(&format!(
        "judges: {n_cases} values of a chart change what they should, 3 wrong ones are refused"
    ));
}

/// Returns what a chart prints.
fn printed(tools: &Tools, chart: &str, values: &[&str], file: Option<&str>) -> Result<Objects, String> {
    let text = tools.helm_template(Path::new(chart), RELEASE, values, file)?;
    // This label says who has made an object, and so differs.
    Ok(objects(&text.replace(
        "app.kubernetes.io/managed-by: \"Helm\"",
        "app.kubernetes.io/managed-by: gen",
    )))
}

/// Returns the objects of a text.
fn objects(text: &str) -> Objects {
    let mut all = Objects::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let object = Value::deserialize(document).expect("objects are YAML");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if !object.is_null() {
            let (meta, kind) = (&object["metadata"], word(&object["kind"]));
            let name = format!("{kind}/{}/{}", word(&meta["namespace"]), word(&meta["name"]));
            assert!(all.insert(name.clone(), object).is_none(), "{name} is printed twice");
        }
    }
    all
}
