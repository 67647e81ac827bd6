//! What other programs read: SARIF by its schema, and a plan of many files within its bounds.

use std::fs;

use regex::Regex;
use serde_json::{Value, json};

use crate::project::Project;
use crate::say;
use crate::tidy::top;

/// Returns what of `value` is not as `schema`, one of `root`, says. A keyword that is not known here fails the test.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let definition = &root["definitions"][name];
        assert!(definition.is_object(), "the schema has no definition `{name}`");
        return faults(root, definition, value, at);
    }
    let mut found = Vec::new();
    let mut fault = |text: String| found.push(format!("{at}: {text}"));
    let mut below = Vec::new();
    for (keyword, wanted) in schema.as_object().expect("a schema is a map") {
        match keyword.as_str() {
            "$comment" | "definitions" => {}
            "type" => {
                let is_so = match wanted.as_str() {
                    Some("object") => value.is_object(),
                    Some("array") => value.is_array(),
                    Some("string") => value.is_string(),
                    Some("integer") => value.is_i64(),
                    other => panic!("the type {other:?}"),
                };
                if !is_so {
                    fault(format!("{value} is no {wanted}"));
                }
            }
            "enum" if !wanted.as_array().is_some_and(|it| it.contains(value)) => {
                fault(format!("{value} is none of {wanted}"))
            }
            "enum" => {}
            "pattern" => {
                let pattern =
                    Regex::new(wanted.as_str().unwrap_or_default()).expect("the schema's pattern can be read");
                if !value.as_str().is_some_and(|it| pattern.is_match(it)) {
                    fault(format!("{value} is not like {wanted}"));
                }
            }
            "minimum" if value.as_i64() < wanted.as_i64() => fault(format!("{value} is less than {wanted}")),
            "minItems" | "minimum" => {}
            "uniqueItems" => {
                let items = value.as_array().cloned().unwrap_or_default();
                let twice = items.iter().enumerate().any(|(nth, it)| items[..nth].contains(it));
                if twice {
                    fault("an item stands there twice".to_owned());
                }
            }
            "required" => {
                for name in wanted.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if value.get(name).is_none() {
                        fault(format!("`{name}` is missing"));
                    }
                }
            }
            "additionalProperties" => {
                for name in value.as_object().into_iter().flatten().map(|it| it.0) {
                    if schema["properties"].get(name).is_none() {
                        fault(format!("`{name}` is no property"));
                    }
                }
            }
            "properties" => {
                for (name, of) in wanted.as_object().into_iter().flatten() {
                    below.extend(value.get(name).map(|it| (of, it, name.clone())));
                }
            }
            "values" => below.extend(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|it| (wanted, it.1, it.0.clone())),
            ),
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                below.extend(items.map(|(nth, it)| (wanted, it, nth.to_string())));
            }
            other => panic!("the keyword `{other}` of the schema"),
        }
    }
    for (schema, value, name) in below {
        found.extend(faults(root, schema, value, &format!("{at}/{name}")));
    }
    found
}

fn schema() -> Value {
    let text = fs::read_to_string(top().join("tests/schemas/sarif-2.1.0.json")).expect("the schema is there");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// A spec with an error in each of several ways, a warning, and a name that no URI takes as it is.
fn broken() -> Project {
    Project::new()
        .file(
            "gen.yaml",
            "name: shop\ninclude: [\"more specs/*.yaml\"]\nservices:\n  a: {depends_on: [b, nobody], deployment: {replica: 2}}\n  b: {env: {API_KEY: hunter2}}\n",
        )
        .file("more specs/é 1.yaml", "service: c\ndeployment: {ports: {http: eighty}}\n")
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let schema = schema();
    let fresh = Project::new().file(
        "gen.yaml",
        "name: shop\ndeployment: {platforms: [procfile]}\nservices:\n  a: {kind: worker, command: [bin/a]}\n",
    );
    let fine = Project::new().file("gen.yaml", "name: shop\nservices:\n  a: {}\n");
    let mut n_results = 0;
    for (project, code, least) in [(&broken(), 1, 4), (&fresh, 2, 1), (&fine, 0, 0)] {
        let run = project.run(&["check", "--output-format", "sarif"]);
        assert_eq!(run.code, code, "{}", run.snapshot());
        let document: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.snapshot()));
        let found = faults(&schema, &schema, &document, "");
        assert!(found.is_empty(), "{}\n{document:#}", found.join("\n"));
        let run = &document["runs"][0];
        let results = run["results"].as_array().expect("a run has results");
        assert!(results.len() >= least, "{document:#}");
        for result in results {
            // What no schema says: the index leads to the rule of that name.
            let nth = usize::try_from(result["ruleIndex"].as_u64().expect("it has one")).expect("it is small");
            assert_eq!(run["tool"]["driver"]["rules"][nth]["id"], result["ruleId"]);
        }
        n_results += results.len();
    }
    say(&format!(
        "reports: SARIF with {n_results} results is valid by its schema"
    ));
}

#[test]
fn what_is_no_sarif_is_refused() {
    let schema = schema();
    let run = broken().run(&["check", "--output-format", "sarif"]);
    let good: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    type Break = fn(&mut Value);
    let breaks: [(&str, Break); 8] = [
        ("version", |it| it["version"] = json!("2.0.0")),
        ("driver", |it| it["runs"][0]["tool"] = json!({})),
        ("level", |it| it["runs"][0]["results"][0]["level"] = json!("fatal")),
        ("text", |it| it["runs"][0]["results"][0]["message"] = json!("bad")),
        ("startLine", |it| {
            it["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = json!(0);
        }),
        ("uri", |it| {
            it["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = json!("a b");
        }),
        ("rules", |it| {
            let rules = it["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("a list");
            let first = rules[0].clone();
            rules.push(first);
        }),
        ("colour", |it| it["runs"][0]["colour"] = json!("red")),
    ];
    for (name, spoil) in breaks {
        let mut document = good.clone();
        spoil(&mut document);
        assert!(!faults(&schema, &schema, &document, "").is_empty(), "`{name}` is taken");
    }
}

/// So many services, with so many files each.
const SIZE: (usize, usize) = (1_000, 10);

#[test]
fn a_plan_of_ten_thousand_files_fits_a_page() {
    let (n_services, n_each) = SIZE;
    let mut spec = "name: many\nservices:\n".to_owned();
    for nth in 0..n_services {
        spec.push_str(&format!("  s{nth}: {{}}\n"));
    }
    let parts: Vec<String> = (0..n_each).map(|it| format!("'part-{it}'")).collect();
    let rules = format!(
        "rules:\n  - rule: part\n    doc: Each service has parts.\n    match: (s:service)\n    each: {{p: \"[{}]\"}}\n    \
         artifact: {{path: \"out/${{s.name}}/${{p}}.txt\", template: tubes/part.txt.hbs, format: plain, per: [s, p], with: {{name: s.name, part: p}}}}\n",
        parts.join(", ")
    );
    let project = Project::new()
        .file("gen.yaml", &spec)
        .file(
            "rules/tubes/pack.yaml",
            "pack: tubes\ndoc: Pneumatic tubes.\nrequires: [core]\n",
        )
        .file("rules/tubes/rules.yaml", &rules)
        .file("templates/tubes/part.txt.hbs", "{{name}} {{part}}\n");
    let n_files = n_services * n_each;
    let created = project.run(&["plan"]);
    assert!(
        created.stderr.contains(&format!("{n_files} to create")),
        "{}",
        created.stderr
    );
    let applied = project.run(&["apply", "--quiet"]);
    assert_eq!(applied.code, 0, "{}", applied.snapshot());
    let project = project.file("templates/tubes/part.txt.hbs", "{{name}} has the part {{part}}\n");
    let changed = project.run(&["plan"]);
    assert!(
        changed.stderr.contains(&format!("{n_files} to update")),
        "{}",
        changed.stderr
    );
    assert!(
        changed.stdout.contains("templates/tubes/part.txt.hbs"),
        "{}",
        changed.stdout
    );
    let markdown = project.run(&["plan", "--markdown", "--diff"]).stdout;
    let n_lines = [created.stdout.lines().count(), changed.stdout.lines().count()];
    let n_characters = markdown.chars().count();
    say(&format!(
        "reports: a plan of {n_files} files has {} lines if they are new, {} if one template changes, and {n_characters} characters of Markdown",
        n_lines[0], n_lines[1]
    ));
    assert!(n_lines.iter().all(|it| (1..100).contains(it)), "{}", changed.stdout);
    assert!((1_000..=60_000).contains(&n_characters), "{markdown:.2000}");
    assert!(markdown.contains(&n_files.to_string()), "{markdown:.2000}");
}

/// Edits all over the spec are too many to be told one by one of each file that one of them may change.
#[test]
fn a_plan_of_many_edits_does_not_grow_with_their_square() {
    const N_SERVICES: usize = 120;
    let with = |project: Project, replicas: usize| {
        (0..N_SERVICES).fold(project, |project, it| {
            let text = format!("services: {{s{it}: {{deployment: {{replicas: {replicas}}}}}}}\n");
            project.file(&format!("services/s{it}.yaml"), &text)
        })
    };
    let project = Project::new()
        .file("gen.yaml", "name: many\ninclude: ['services/*.yaml']\n")
        .file(
            "rules/tubes/pack.yaml",
            "pack: tubes\ndoc: Pneumatic tubes.\nrequires: [core]\n",
        )
        .file(
            "rules/tubes/rules.yaml",
            "rules:\n  - {rule: tube, doc: Each service has a tube., match: '(s:service)', artifact: {path: 'out/${s.name}.txt', \
             template: tubes/tube.txt.hbs, format: plain, with: {n: s.deployment.replicas}}}\n",
        )
        .file("templates/tubes/tube.txt.hbs", "{{n}}\n");
    let project = with(project, 1);
    let applied = project.run(&["apply", "--quiet"]);
    assert_eq!(applied.code, 0, "{}", applied.snapshot());
    let project = with(project, 2);
    let planned = project.run(&["plan"]);
    assert!(
        planned.stderr.contains(&format!("{N_SERVICES} to update")),
        "{}",
        planned.stderr
    );
    let summary = Regex::new("because some of [0-9]+ more changes in [0-9]+ files").expect("it is one");
    assert!(summary.is_match(&planned.stdout), "{}", planned.stdout);
    let n_lines = planned.stdout.lines().count();
    assert!(n_lines < N_SERVICES * 4, "{n_lines} lines");
}
