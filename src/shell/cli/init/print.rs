//! How a spec is written: its services, its infrastructure, its volumes, each value with the quotes that it needs.

use std::fmt::Write as _;

use super::super::super::engine::Pattern;
use super::compose::{Infra, Volume};
use super::repository::{Port, Service};
use super::tree::Tree;
use crate::value::{Name, Path};
use crate::yaml::{self, Yaml};

/// Returns the lines below `deployment` that say `fields`.
pub(super) fn said_by(fields: &[(Path, std::sync::Arc<str>)]) -> Vec<String> {
    let mut tree = Tree::default();
    fields.iter().for_each(|(path, written)| tree.put(&path.0, &**written));
    tree.take("deployment").lines().collect()
}

/// Writes a service; where something `builds` its image, that need not be named.
pub(super) fn service(service: &Service, pattern: Option<&Pattern>, builds: bool, text: &mut String) {
    let mut line = |it: &str| _ = writeln!(text, "{it}");
    line(&format!("  {}:", scalar(&service.name)));
    if service.ends {
        line("    kind: job");
    }
    if let Some(framework) = &service.framework {
        line(&format!("    framework: {framework}"));
    }
    if let Some(owner) = &service.image_of {
        line(&format!("    process_of: {}", scalar(owner)));
    }
    let from = match service.folder.as_str() {
        "" => "the image that is built from this repository".to_owned(),
        folder => format!("the image that is built from {}", listed(&[folder.to_owned()])),
    };
    match &service.image {
        None if builds => {
            if service.build != Tree::default() {
                line(&format!("    build: {}", service.build.flow()));
            } else if !service.folder.is_empty() {
                line(&format!("    build: {{context: {}}}", value(&service.folder)));
            }
        }
        Some(image) => line(&format!("    image: {}", value(image))),
        None => line(&format!(
            "    image: {}   # {from}",
            value(&format!("{}:latest", service.built_as().to_lowercase()))
        )),
    }
    if !service.depends_on.is_empty() {
        line(&format!("    depends_on: {}", depends_on(&service.depends_on)));
    }
    if !service.left_out.is_empty() {
        line(&format!("    # left out: {}", listed(&service.left_out)));
    }
    let mut fields = fields(service, pattern);
    let deployment = fields.take("deployment");
    fields.lines().for_each(|it| line(&format!("    {it}")));
    if !service.env.is_empty() {
        line("    env:");
        for (key, content) in &service.env {
            line(&format!("      {}: {}", scalar(key), value(content)));
        }
    }
    let mut deployment = deployment.lines().peekable();
    if deployment.peek().is_some() {
        line("    deployment:");
        deployment.for_each(|it| line(&format!("      {it}")));
    }
}

pub(super) fn infra(infra: &Infra, text: &mut String) {
    let mut fields = Tree::default();
    fields.put(&["type"], infra.ty);
    fields.extend(infra.fields.clone());
    if !infra.left_out.is_empty() {
        _ = writeln!(
            text,
            "  # left out of {}: {}",
            scalar(&infra.name),
            listed(&infra.left_out)
        );
    }
    _ = writeln!(text, "  {}: {}", scalar(&infra.name), fields.flow());
}

/// Writes a volume, with `size` where one must be said.
pub(super) fn volume(volume: &Volume, size: Option<&str>, text: &mut String) {
    let mut fields = volume.fields.clone();
    let mut remarks = Vec::new();
    if let Some(size) = size.filter(|_| !fields.has(&["external"])) {
        fields.put(&["size"], size);
        remarks.push("say how much it holds".to_owned());
    }
    if !volume.left_out.is_empty() {
        remarks.push(format!("left out: {}", listed(&volume.left_out)));
    }
    let remark = if remarks.is_empty() {
        String::new()
    } else {
        format!("   # {}", remarks.join("; "))
    };
    _ = writeln!(text, "  {}: {}{remark}", scalar(&volume.name), fields.flow());
}

/// Returns what is said of a service beside its name and what it runs; of one that may be reached by the pattern too, where
/// nothing else says it.
fn fields(service: &Service, pattern: Option<&Pattern>) -> Tree {
    let mut own = Tree::default();
    for (nth, port) in service.ports.iter().enumerate() {
        own.put(&["deployment", "ports", &port_name(nth, port)], port_written(port));
    }
    if let Some(health) = &service.health {
        own.put(&["deployment", "health_check", "path"], value(&health.path));
        let at = service.ports.iter().position(|it| it.is(health.port));
        if let Some(at) = at.filter(|it| *it > 0) {
            let name = port_name(at, &service.ports[at]);
            own.put(&["deployment", "health_check", "port"], name);
        }
    }
    own.extend(service.fields.clone());
    let mut all = Tree::default();
    let said = pattern.filter(|_| service.may_listen());
    for (path, written) in said.map(|it| it.service.as_slice()).unwrap_or_default() {
        let written = written.replace("NAME", &service.name.to_lowercase());
        if let Some(yaml) = yaml::parse(&written).0 {
            fill(&mut all, &own, &path.0, &yaml, &written);
        }
    }
    all.extend(own);
    all
}

/// Adds what `yaml` says at `path`, where `own` says nothing of it.
fn fill(all: &mut Tree, own: &Tree, path: &[Name], yaml: &Yaml, text: &str) {
    for entry in yaml.entries() {
        let path = [path, &[Name::from(&*entry.key)]].concat();
        fill(all, own, &path, &entry.value, text);
    }
    let Some((last, above)) = path.split_last() else { return };
    if yaml.entries().is_empty() && !own.has(path) {
        // Where a bound alone is known, that is what is promised.
        let limit = own.get(&[above, &["limits".into(), last.clone()]].concat());
        all.put(path, limit.unwrap_or(yaml.source(text)));
    }
}

fn port_name(nth: usize, port: &Port) -> String {
    match nth {
        _ if port.is_udp => format!("port-{}-udp", port.number),
        0 => "http".to_owned(),
        _ => format!("port-{}", port.number),
    }
}

fn port_written(port: &Port) -> String {
    let mut fields = Tree::default();
    match port.published {
        Some(published) if published == port.number => fields.put(&["static"], "true"),
        Some(published) => fields.put(&["published"], published.to_string()),
        None => {}
    }
    if let Some(address) = &port.host_ip {
        fields.put(&["host_ip"], value(address));
    } else if port.published.is_some() {
        // A compose file means all addresses of the host, where a spec means the inner one.
        fields.put(&["host_ip"], value("0.0.0.0"));
    }
    if port.is_udp {
        fields.put(&["protocol"], "udp");
    }
    if fields == Tree::default() {
        return port.number.to_string();
    }
    let mut whole = Tree::default();
    whole.put(&["port"], port.number.to_string());
    whole.extend(fields);
    whole.flow()
}

fn depends_on(names: &[(String, bool)]) -> String {
    if names.iter().all(|it| it.1) {
        let names: Vec<String> = names.iter().map(|it| scalar(&it.0)).collect();
        return format!("[{}]", names.join(", "));
    }
    let mut map = Tree::default();
    for (name, is_required) in names {
        map.put(&[name.as_str()], if *is_required { "{}" } else { "{required: false}" });
    }
    map.flow()
}

/// Writes `remarks` in one line of a comment.
fn listed(remarks: &[String]) -> String {
    remarks.join(", ").replace(char::is_control, " ")
}

/// Writes `text` as a value: in quotes, with nothing in it that a spec would take for a reference.
pub(super) fn value(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}

/// Writes `text` as a scalar of YAML: bare where that is safe.
pub(super) fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
