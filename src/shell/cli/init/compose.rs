//! What a compose file says of services and infrastructure: images, ports, order, variables.

use std::path::Path;

use super::repository::{Service, add_port, health_path};
use super::table::lines;
use crate::kind::credential;
use crate::yaml::{self, Data, Yaml};

/// Infrastructure that a compose file starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Infra {
    pub(super) name: String,
    pub(super) ty: &'static str,
    pub(super) version: Option<String>,
}

/// Adds to `services` what the compose file in `root` says, if there is one; returns its infrastructure.
pub(super) fn read(root: &Path, services: &mut Vec<Service>) -> Vec<Infra> {
    let mut infra = Vec::new();
    let text = lines("compose").find_map(|it| std::fs::read_to_string(root.join(it.file)).ok());
    let Some((text, yaml)) = text.and_then(|it| Some((it.clone(), yaml::parse(&it).0?))) else {
        return infra;
    };
    let entries = yaml.get("services").map(Yaml::entries).unwrap_or_default();
    for entry in entries {
        let image = entry.value.get("image").and_then(Yaml::as_str);
        match image
            .and_then(infrastructure)
            .filter(|_| entry.value.get("build").is_none())
        {
            Some((ty, version)) => infra.push(Infra {
                name: entry.key.to_string(),
                ty,
                version,
            }),
            None => service(&entry.key, &entry.value, &text, services),
        }
    }
    let ending: Vec<&str> = entries.iter().flat_map(|it| waited_for(&it.value)).collect();
    for service in services.iter_mut() {
        service.ends |= ending.contains(&service.name.as_str());
    }
    let known: Vec<String> = services
        .iter()
        .map(|it| it.name.clone())
        .chain(infra.iter().map(|it| it.name.clone()))
        .collect();
    for service in services.iter_mut() {
        service.depends_on.retain(|it| known.contains(it));
    }
    services.sort_by(|a, b| a.name.cmp(&b.name));
    infra
}

/// Returns the type of infrastructure that an image is, and its version.
fn infrastructure(image: &str) -> Option<(&'static str, Option<String>)> {
    let last = image.rsplit('/').next()?;
    let (name, tag) = last.split_once(':').unwrap_or((last, ""));
    let ty = lines("infra").find(|it| it.file == name)?.name?;
    let version = tag
        .split('-')
        .next()
        .filter(|it| it.starts_with(|it: char| it.is_ascii_digit()));
    Some((ty, version.map(str::to_owned)))
}

/// Returns the services whose end a service waits for.
fn waited_for(yaml: &Yaml) -> Vec<&str> {
    let on = yaml.get("depends_on").map(Yaml::entries).unwrap_or_default();
    let ending = on.iter().filter(|it| {
        let condition = it.value.get("condition").and_then(Yaml::as_str);
        condition == Some("service_completed_successfully")
    });
    ending.map(|it| &*it.key).collect()
}

fn service(name: &str, yaml: &Yaml, text: &str, services: &mut Vec<Service>) {
    let build = yaml.get("build");
    let context = build.and_then(|it| it.as_str().or_else(|| it.get("context")?.as_str()));
    let folder = context.map(|it| it.trim_start_matches("./").trim_end_matches('/').to_owned());
    let folder = folder.map(|it| if it == "." { String::new() } else { it });
    let at = services
        .iter()
        .position(|it| folder.as_ref() == Some(&it.folder) || (folder.is_none() && it.name == name));
    let mut service = at.map(|at| services.remove(at)).unwrap_or_default();
    name.clone_into(&mut service.name);
    if let Some(folder) = folder {
        service.folder = folder;
    }
    service.image = yaml.get("image").and_then(Yaml::as_str).map(str::to_owned);
    for key in ["ports", "expose"] {
        for port in yaml.get(key).map(Yaml::items).unwrap_or_default() {
            let written = port
                .get("target")
                .unwrap_or(port)
                .source(text)
                .trim_matches(['"', '\'']);
            add_port(written.rsplit(':').next().unwrap_or(written), &mut service.ports);
        }
    }
    let on = yaml.get("depends_on");
    let named = on.map(Yaml::items).unwrap_or_default().iter().filter_map(Yaml::as_str);
    let keys = on.map(Yaml::entries).unwrap_or_default().iter().map(|it| &*it.key);
    service.depends_on.extend(named.chain(keys).map(str::to_owned));
    if let Some(test) = yaml.get("healthcheck").and_then(|it| it.get("test")) {
        service.health = health_path(test.source(text)).or(service.health);
    }
    for (key, value) in variables(yaml, text) {
        let is_kept = value.is_empty() || value.contains('$') || credential::looks_like(&value, Some(&key)).is_some();
        if is_kept {
            service.left_out.push(key);
        } else {
            service.env.push((key, value));
        }
    }
    services.push(service);
}

/// Returns the variables of a service, whether they stand in a map or in a list of `NAME=value`.
fn variables(yaml: &Yaml, text: &str) -> Vec<(String, String)> {
    let Some(environment) = yaml.get("environment") else {
        return Vec::new();
    };
    let written = |it: &Yaml| match &it.data {
        Data::String(content) => content.content.to_string(),
        Data::Null => String::new(),
        _ => it.source(text).to_owned(),
    };
    let entries = environment
        .entries()
        .iter()
        .map(|it| (it.key.to_string(), written(&it.value)));
    let items = environment.items().iter().filter_map(Yaml::as_str).map(|it| {
        let (name, value) = it.split_once('=').unwrap_or((it, ""));
        (name.to_owned(), value.to_owned())
    });
    entries.chain(items).collect()
}
