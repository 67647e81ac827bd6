//! The proofs across artifacts catch faults in rules and templates that no tool of a platform sees: each of them reads one
//! file, and every file is well-formed.
//!
//! A fault is one replacement in a built-in file, which the copy of a fixture then has as its own.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::project::{Found, Project, tree};
use crate::say;
use crate::tidy::{files, top};

/// A fault: the fixture, the built-in file, what is replaced there by what, and the proof that must tell.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    // Nomad and Consul.
    (
        "live",
        "templates/nomad/job.nomad.hbs",
        r#"env "NOMAD_PORT_{{this}}""#,
        r#"env "NOMAD_PORT_{{this}}_main""#,
        "nomad::a-port-is-declared",
    ),
    (
        "shop",
        "rules/nomad/references.yaml",
        "  - rule: nomad-reference-to-infra\n    doc: Infrastructure is found by the name under which it is registered.\n    match: (t:infra)\n    each: {r: t.registered_as}\n    let:\n      name: quote('go-template', r.name)",
        "  - rule: nomad-reference-to-infra\n    doc: Infrastructure is found by the name under which it is registered.\n    match: (t:infra)\n    each: {r: t.registered_as}\n    let:\n      name: quote('go-template', r.name + '-main')",
        "nomad::what-is-looked-up-is-registered",
    ),
    (
        "shop",
        "templates/nomad/volume.hcl.hbs",
        "{{key}} {{#each pad}} {{/each}}= {{hcl value}}\n{{/each}}\n\ncapability",
        "{{key}}s {{#each pad}} {{/each}}= {{hcl value}}\n{{/each}}\n\ncapability",
        "nomad::a-volume-is-made",
    ),
    (
        "live",
        "templates/vault/role.json",
        r#""nomad_job_id": "${job}"}"#,
        r#""nomad_job_id": "${job}-1"}"#,
        "nomad::a-role-of-a-job-is-set-up",
    ),
    (
        "live",
        "templates/vault/role.json",
        r#"["${policy}"]"#,
        r#"["nomad-${policy}"]"#,
        "nomad::a-policy-of-a-role-is-set-up",
    ),
    (
        "live",
        "templates/vault/policy.hcl.hbs",
        r#"path "{{path}}" {"#,
        r#"path "{{path}}/metadata" {"#,
        "nomad::a-secret-may-be-read",
    ),
    (
        "live",
        "templates/vault/policy.hcl.hbs",
        "{{#each paths}}\n",
        "\npath \"secret/data/root\" {\n  capabilities = [\"read\"]\n}\n{{#each paths}}\n",
        "nomad::what-may-be-read-is-read",
    ),
    (
        "ref",
        "templates/nomad/deploy.sh.hbs",
        r#""$base/jobs/"<<name>>.nomad <<name>>"#,
        r#""$base/jobs/"<<name>>.hcl <<name>>"#,
        "nomad::what-is-deployed-is-printed",
    ),
    (
        "both",
        "templates/consul/intentions.hcl.hbs",
        "    Name   = \"{{name}}\"\n    Action = \"allow\"",
        "    Name   = \"{{name}}-proxy\"\n    Action = \"allow\"",
        "consul::who-calls-is-let-in",
    ),
    (
        "both",
        "rules/consul/calls.yaml",
        "    match: \"(s:service)-[d:depends_on]->(t:service)\"\n    each: {r: t.registered_as}\n    when:\n      - has(s.calls_as)",
        "    match: \"(s:service)-[d:depends_on]->(t:service)\"\n    each: {r: t.registered_as}\n    when:\n      - d.required && d.condition == 'started' && has(s.calls_as)",
        "consul::an-edge-has-an-intention",
    ),
    (
        "both",
        "templates/consul/intentions.hcl.hbs",
        "  # Nobody else.",
        "  {\n    Name   = \"worker\"\n    Action = \"allow\"\n  },\n  # Nobody else.",
        "consul::an-intention-has-an-edge",
    ),
    (
        "both",
        "rules/consul/calls.yaml",
        "when: has(t.calls_as) && r.in_consul\n",
        "when: has(t.calls_as) && r.in_consul && r.main\n",
        "consul::a-name-has-an-intention",
    ),
    (
        "shop",
        "templates/consul/service-defaults.hcl.hbs",
        "\"{{protocol}}\"",
        "\"tcp\"",
        "consul::a-permission-has-a-protocol",
    ),
    (
        "live",
        "templates/consul/policy.hcl.hbs",
        "service \"{{this}}\" {\n  policy = \"read\"",
        "service \"{{this}}-proxy\" {\n  policy = \"read\"",
        "consul::who-looks-up-may-look-up",
    ),
    (
        "live",
        "templates/consul/policy.hcl.hbs",
        "policy = \"write\"",
        "policy = \"read\"",
        "consul::who-registers-may-register",
    ),
    (
        "shop",
        "rules/traefik/tags.yaml",
        "${r.name}-strip.stripprefix",
        "${r.name}-stripped.stripprefix",
        "traefik::a-middleware-is-defined",
    ),
    (
        "shop",
        "rules/traefik/tags.yaml",
        "routers.${r.name}.entrypoints=${r.entrypoints.join(',')}",
        "routers.${r.name}.entrypoints=to-${r.entrypoints.join(',')}",
        "traefik::an-entry-point-is-open",
    ),
    (
        "shop",
        "rules/traefik/tags.yaml",
        "tls.certresolver=${r.resolver}",
        "tls.certresolver=acme-${r.resolver}",
        "traefik::a-resolver-is-there",
    ),
    // What is measured.
    (
        "live",
        "rules/prometheus/watched.yaml",
        "- consul_tag: {of: s, value: metrics,",
        "- consul_tag: {of: s, value: measured,",
        "prometheus::an-alert-speaks-of-what-is-measured",
    ),
    (
        "live",
        "templates/prometheus/prometheus.yml",
        "rules/services/*.yml",
        "rules/service/*.yml",
        "prometheus::a-file-of-rules-is-read",
    ),
    (
        "shop",
        "templates/prometheus/alertmanager.nomad.hbs",
        "destination = \"{{path}}\"",
        "destination = \"{{path}}.txt\"",
        "prometheus::a-receiver-has-its-secret",
    ),
    (
        "generator",
        "templates/prometheus/monitor.yaml",
        "- port: \"${port}\"\n        path: \"${path}\"\n        interval: \"${interval}\"\n        # Both",
        "- port: \"${port}s\"\n        path: \"${path}\"\n        interval: \"${interval}\"\n        # Both",
        "prometheus::what-is-watched-has-a-port",
    ),
    (
        "generator",
        "templates/prometheus/pods.yml",
        "regex: \"${j.port}\", action: keep}\n      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}\n      - {source_labels: [__meta_kubernetes_service_name]",
        "regex: \"80\", action: keep}\n      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}\n      - {source_labels: [__meta_kubernetes_service_name]",
        "prometheus::what-is-scraped-is-a-service",
    ),
    (
        "generator",
        "rules/prometheus/pods.yaml",
        "infra: \"nodes('infra').filter(t, t.kubernetes.monitoring.by == 'scrape' &&",
        "infra: \"nodes('infra').filter(t, t.type == 'redis' && t.kubernetes.monitoring.by == 'scrape' &&",
        "prometheus::an-alert-speaks-of-what-is-scraped",
    ),
    // Kubernetes.
    (
        "generator",
        "rules/kubernetes/references.yaml",
        "    when: p.main && has(t.main_port)\n    facts:\n      - reference: {of: t, attribute: address, value: \"${host}:${p.port}\"}\n      - reference: {of: t, attribute: host, value: \"${host}\"}\n      - reference: {of: t, attribute: port, value: \"${string(p.port)}\"}\n      - reference: {of: t, attribute: url, value: \"${t.main_port.scheme}://${host}:${p.port}\"}",
        "    when: p.main && has(t.main_port)\n    facts:\n      - reference: {of: t, attribute: address, value: \"${host}:${p.port + 1}\"}\n      - reference: {of: t, attribute: host, value: \"${host}\"}\n      - reference: {of: t, attribute: port, value: \"${string(p.port)}\"}\n      - reference: {of: t, attribute: url, value: \"${t.main_port.scheme}://${host}:${p.port}\"}",
        "kubernetes::a-host-is-a-service",
    ),
    (
        "generator",
        "templates/kubernetes/service.yaml",
        "selector: \"${v.selector}\"",
        "selector: {app.kubernetes.io/name: \"${v.name}-pods\"}",
        "kubernetes::a-selector-selects",
    ),
    (
        "generator",
        "templates/kubernetes/service.yaml",
        "targetPort: \"${p.pod_port}\"",
        "targetPort: \"${p.pod_port + 1}\"",
        "kubernetes::a-target-port-is-open",
    ),
    (
        "generator",
        "templates/kubernetes/ingress.yaml",
        "port: {number: \"${r.port}\"}",
        "port: {number: 80}",
        "kubernetes::a-route-leads-to-a-service",
    ),
    (
        "generator",
        "templates/kubernetes/autoscaler.yaml",
        "kind: \"${pod.workload}\"",
        "kind: ReplicaSet",
        "kubernetes::what-is-scaled-is-there",
    ),
    (
        "generator",
        "templates/kubernetes/workload.yaml",
        "serviceAccountName: \"${pod.account}\"",
        "serviceAccountName: \"${pod.account}-pods\"",
        "kubernetes::an-account-is-there",
    ),
    (
        "generator",
        "templates/kubernetes/service-account.yaml",
        "kind: Role, name: \"${pod.account}\"}",
        "kind: Role, name: \"${pod.name}-reader\"}",
        "kubernetes::a-role-is-there",
    ),
    (
        "generator",
        "templates/kubernetes/service-account.yaml",
        "resourceNames: \"${jobs}\"",
        "resourceNames: [\"${pod.name}\"]",
        "kubernetes::who-waits-for-a-job-may-see-it",
    ),
    (
        "generator",
        "templates/kubernetes/external-secret.yaml",
        "secretKey: \"${v.name}\"",
        "secretKey: \"${v.name}-value\"",
        "kubernetes::a-secret-is-fetched",
    ),
    (
        "generator",
        "templates/kubernetes/workload.yaml",
        "- {name: tmp, emptyDir: {}}",
        "- {name: temp, emptyDir: {}}",
        "kubernetes::a-volume-is-there",
    ),
    (
        "generator",
        "templates/kubernetes/kustomization.yaml",
        "resources: \"${resources}\"",
        "resources: \"${resources.map(r, r.replace('network-policy', 'netpol'))}\"",
        "kubernetes::a-resource-is-printed",
    ),
    (
        "generator",
        "templates/kubernetes/kustomization.yaml",
        "resources: \"${resources}\"",
        "resources: \"${resources.filter(r, r != 'network-policy.yaml')}\"",
        "kubernetes::a-manifest-is-applied",
    ),
    (
        "generator",
        "templates/kubernetes/network-policy.yaml",
        "          - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \"${w.namespace}\"}}\n            podSelector: {$if: size(w.labels) > 0, matchLabels: \"${w.labels}\"}\n        ports:\n          - {port: \"${w.port}\"",
        "          - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \"${w.namespace}\"}}\n            podSelector: {$if: size(w.labels) > 0, matchLabels: \"${w.labels}\"}\n        ports:\n          - {port: \"${w.port + 1}\"",
        "kubernetes::a-way-is-open-at-both-ends",
    ),
    (
        "generator",
        "templates/kubernetes/network-policy.yaml",
        "    - $each: {w: ways_out}\n",
        "    - $each: {w: \"ways_out.filter(w, w.port != 5672)\"}\n",
        "kubernetes::what-is-called-may-be-called",
    ),
    (
        "generator",
        "templates/kubernetes/network-policy.yaml",
        "    - $each: {w: ways_out}\n",
        "    - $each: {w: \"ways_out.filter(w, w.port != 5432)\"}\n",
        "kubernetes::an-edge-opens-a-way",
    ),
    (
        "generator",
        "templates/kubernetes/network-policy.yaml",
        "    # Names must be found, or no way out is of use.\n",
        "    - to:\n        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \"${pod.namespace}\"}}\n          podSelector: {matchLabels: {app.kubernetes.io/name: cleanup}}\n      ports:\n        - {port: 22, protocol: TCP}\n    # Names must be found, or no way out is of use.\n",
        "kubernetes::a-way-has-an-edge",
    ),
    // Compose.
    (
        "frameworks",
        "templates/compose/env.hbs",
        "{{name}}={{usual}}",
        "{{name}}_VALUE={{usual}}",
        "compose::a-variable-is-told",
    ),
    (
        "frameworks",
        "templates/compose/compose.yaml",
        "secrets: \"${size(c.secrets) > 0 ? c.secrets : null}\"",
        "secrets: \"${size(c.secrets) > 1 ? c.secrets : null}\"",
        "compose::a-secret-is-given",
    ),
    (
        "both",
        "rules/compose/networks.yaml",
        "      - link: {of: t, network: \"${network}\"}",
        "      - link: {of: t, network: \"${network}--in\"}",
        "compose::who-is-called-is-in-reach",
    ),
    (
        "both",
        "rules/compose/networks.yaml",
        "      - link: {of: s, network: \"${network}\"}",
        "      - link: {of: s, network: \"${network}--out\"}",
        "compose::who-is-waited-for-is-in-reach",
    ),
    (
        "frameworks",
        "templates/caddy/Caddyfile.hbs",
        "reverse_proxy {{upstream}} {",
        "reverse_proxy app-{{upstream}} {",
        "compose::a-proxy-leads-to-a-container",
    ),
    (
        "frameworks",
        "rules/compose/settings.yaml",
        "'deployments/docker/' + owner + '/Dockerfile'",
        "'deployments/docker/' + owner + '/Containerfile'",
        "compose::a-file-that-is-built-is-there",
    ),
];

#[test]
fn the_proofs_catch_what_no_platform_sees() {
    let next = AtomicUsize::new(0);
    let mut faults: Vec<String> = Vec::new();
    let mut caught: BTreeSet<&str> = BTreeSet::new();
    thread::scope(|scope| {
        let work = || {
            let mut found = Vec::new();
            while let Some(fault) = FAULTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                found.push((fault.4, judge(fault)));
            }
            found
        };
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        for (code, found) in workers.into_iter().flat_map(|it| it.join().expect("a worker ends")) {
            match found {
                Ok(()) => {
                    caught.insert(code);
                }
                Err(why) => faults.push(why),
            }
        }
    });
    let n_proofs: usize = files(&top().join("rules"), "proofs.yaml")
        .iter()
        .map(|it| fs::read_to_string(it).expect("it is there").matches("- proof:").count())
        .sum();
    say(&format!(
        "proofs: {} of {} seeded faults are caught, by {} of {n_proofs} proofs",
        FAULTS.len() - faults.len(),
        FAULTS.len(),
        caught.len()
    ));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Seeds one fault and looks at what `gen check` says.
fn judge((fixture, file, from, to, code): &Fault) -> Result<(), String> {
    let built_in = fs::read_to_string(top().join(file)).map_err(|error| format!("{file}: {error}"))?;
    if built_in.matches(from).count() != 1 {
        return Err(format!(
            "{code}: `{from}` stands in {file} {} times",
            built_in.matches(from).count()
        ));
    }
    let mut tree = tree(&top().join("fixtures").join(fixture));
    tree.insert((*file).to_owned(), Found::text(&built_in.replacen(from, to, 1)));
    let run = Project::of(&tree).run(&["check", "--output-format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).map_err(|_| format!("{code}: {}", run.snapshot()))?;
    let problems = document["problems"].as_array().cloned().unwrap_or_default();
    let errors: Vec<&Value> = problems.iter().filter(|it| it["severity"] == "error").collect();
    // Nothing but the proofs sees it.
    let packs: BTreeSet<String> = errors
        .iter()
        .map(|it| it["code"].as_str().unwrap_or_default().to_owned())
        .collect();
    let ours: BTreeSet<String> = FAULTS.iter().map(|it| it.4.to_owned()).collect();
    let others: Vec<&String> = packs.difference(&ours).filter(|it| !is_proof(it)).collect();
    if !others.is_empty() || run.code != 1 {
        return Err(format!(
            "{code}: exit {}, told too: {others:?}\n{:.2000}",
            run.code, run.stderr
        ));
    }
    let Some(told) = errors.iter().find(|it| it["code"] == *code) else {
        return Err(format!("{code} says nothing; {packs:?} do"));
    };
    // What an edge or a fact asks for stands in the spec; all else in a printed file, of which the template is told.
    let labels = told["labels"].as_array().cloned().unwrap_or_default();
    let is_printed = labels.first().is_some_and(|it| it["file"] != "gen.yaml");
    let has_help = told["help"].as_str().is_some_and(|it| !it.is_empty());
    if labels.is_empty() || is_printed && labels.len() < 2 || !has_help {
        return Err(format!("{code}: {told:#}"));
    }
    Ok(())
}

/// Tells whether `code` is the name of a proof.
fn is_proof(code: &str) -> bool {
    let Some((pack, name)) = code.split_once("::") else {
        return false;
    };
    let text = fs::read_to_string(top().join("rules").join(pack).join("proofs.yaml")).unwrap_or_default();
    text.lines().any(|it| it.trim() == format!("- proof: {name}"))
}
