//! The parts of a service in a compose file that have several forms each: ports, volumes, what tells its health, what it waits for.

use super::fields::{plain, settled};
use super::print::value;
use super::repository::Port;
use super::tree::Tree;
use crate::yaml::Yaml;

/// A volume that a service finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) volume: String,
    pub(super) path: String,
    pub(super) is_read_only: bool,
}

impl Mount {
    /// Returns it as an edge of a spec.
    pub(super) fn written(&self) -> String {
        let mut fields = Tree::default();
        fields.put(&["path"], value(&self.path));
        if self.is_read_only {
            fields.put(&["read_only"], "true");
        }
        fields.flow()
    }
}

/// A port as it is written: what is known of it, and whether that is all.
pub(super) fn port(yaml: &Yaml, text: &str) -> Option<(Port, bool)> {
    let at = |key: &str| settled(&plain(yaml.get(key)?, text)?);
    let (mut port, host) = if yaml.get("target").is_some() {
        let mut port = Port::parse(&at("target")?)?;
        port.is_udp = at("protocol").is_some_and(|it| it == "udp");
        port.host_ip = at("host_ip");
        (port, yaml.get("published").map(|_| at("published")))
    } else {
        let written = plain(yaml, text)?;
        let (outer, inner) = written
            .rsplit_once(':')
            .map_or((None, &*written), |it| (Some(it.0), it.1));
        let mut port = Port::parse(&settled(inner)?)?;
        let outer = outer.map(settled);
        let address = |it: &String| it.rsplit_once(':').map(|it| it.0.to_owned());
        port.host_ip = outer.iter().flatten().find_map(address);
        let host = outer.map(|it| it.map(|it| it.rsplit(':').next().unwrap_or_default().to_owned()));
        (port, host)
    };
    port.published = host.clone().flatten().and_then(|it| it.parse().ok());
    let is_whole = host.is_none() || port.published.is_some();
    if port.published.is_none() {
        port.host_ip = None;
    }
    Some((port, is_whole))
}

/// Returns a volume by its name and where it is found; none for what has no name, and for a folder of the host.
pub(super) fn mount(yaml: &Yaml, text: &str) -> Option<Mount> {
    let at = |key: &str| settled(&plain(yaml.get(key)?, text)?);
    let mount = if yaml.get("target").is_some() {
        let is_volume = at("type").is_none_or(|it| it == "volume");
        Mount {
            volume: at("source").filter(|_| is_volume)?,
            path: at("target")?,
            is_read_only: at("read_only").is_some_and(|it| it == "true"),
        }
    } else {
        let written = settled(yaml.as_str()?)?;
        let mut parts = written.split(':').map(str::to_owned);
        Mount {
            volume: parts.next()?,
            path: parts.next()?,
            is_read_only: parts.next().is_some_and(|it| it.split(',').any(|it| it == "ro")),
        }
    };
    let is_named =
        !mount.volume.is_empty() && !mount.volume.contains(['/', '\\', '~']) && !mount.volume.starts_with('.');
    (is_named && mount.path.starts_with('/')).then_some(mount)
}

/// Returns the command that tells health, for one that asks in no way that has a word of its own.
pub(super) fn check(test: &Yaml, text: &str) -> Option<Vec<String>> {
    let in_shell = |line: &str| Some(vec!["sh".to_owned(), "-c".to_owned(), settled(line)?]);
    if let Some(line) = test.as_str() {
        return in_shell(line);
    }
    let words = test
        .items()
        .iter()
        .map(|it| plain(it, text))
        .collect::<Option<Vec<_>>>()?;
    let words = match words.split_first()? {
        (first, [line]) if first == "CMD-SHELL" => in_shell(line)?,
        (first, rest) if first == "CMD" => rest.iter().map(|it| settled(it)).collect::<Option<Vec<_>>>()?,
        _ => return None,
    };
    // A reference has no form in what is no text of a spec.
    (!words.is_empty() && !words.iter().any(|it| it.contains("${"))).then_some(words)
}

/// Returns what a service waits for, each once, and whether it can't do without.
pub(super) fn depended_on(yaml: &Yaml) -> Vec<(String, bool)> {
    let on = yaml.get("depends_on");
    let items = on.map(Yaml::items).unwrap_or_default().iter();
    let entries = on.map(Yaml::entries).unwrap_or_default().iter();
    let items = items.filter_map(Yaml::as_str).map(|it| (it.to_owned(), true));
    let is_required = |it: &Yaml| {
        it.get("required")
            .is_none_or(|it| it.data != crate::yaml::Data::Bool(false))
    };
    let entries = entries.map(|it| (it.key.to_string(), is_required(&it.value)));
    let mut depended_on: Vec<(String, bool)> = Vec::new();
    for (name, is_required) in items.chain(entries) {
        if !depended_on.iter().any(|it| it.0 == name) {
            depended_on.push((name, is_required));
        }
    }
    depended_on
}

/// Returns the services whose end a service waits for.
pub(super) fn waited_for(yaml: &Yaml) -> Vec<&str> {
    let on = yaml.get("depends_on").map(Yaml::entries).unwrap_or_default();
    let ending = on.iter().filter(|it| {
        let condition = it.value.get("condition").and_then(Yaml::as_str);
        condition == Some("service_completed_successfully")
    });
    ending.map(|it| &*it.key).collect()
}
