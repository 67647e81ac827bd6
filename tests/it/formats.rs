//! Readers of formats whose own tools can't be had here: configurations of Kamal, and Procfiles.
//!
//! Kamal is a gem that needs a whole Ruby on Rails' worth of others. Its configuration is read by the types below, which
//! are written from its documentation and from what its validators ask for (Kamal 2.12): an unknown key, a value of
//! another type and each of its own refusals is a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml_ng::Value as Yaml;

use crate::say;
use crate::tidy::{files, top};

/// Two packs are written from the guide alone. They are small, and readers of their formats take all that they print.
#[test]
fn two_packs_from_the_guide_are_small_and_right() {
    for pack in ["kamal", "procfile"] {
        let lines = |folder: &str| -> usize {
            let found = files(&top().join(folder).join(pack), "");
            found.iter().map(|it| read(it).lines().count()).sum()
        };
        let (rules, templates) = (lines("rules"), lines("templates"));
        assert!(rules + templates < 200, "{pack} has {rules} and {templates} lines");
        say(&format!(
            "formats: the pack {pack} has {rules} lines of YAML and {templates} of templates"
        ));
    }
    let mut faults = Vec::new();
    let mut n_read = BTreeMap::new();
    for (path, reader) in generated() {
        let (name, read_by) = reader;
        *n_read.entry(name).or_insert(0) += 1;
        if let Err(fault) = read_by(&read(&path)) {
            faults.push(format!("{}: {fault}", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(n_read.len() == 2, "only {n_read:?} were read");
    let counts: Vec<String> = n_read.iter().map(|(name, n)| format!("{n} {name}")).collect();
    say(&format!("formats: {} are taken by their readers", counts.join(", ")));
}

#[test]
fn what_kamal_would_refuse_is_refused() {
    let right = "service: a\nimage: b/a\nservers: {web: {hosts: [10.0.0.1]}}\nregistry: {username: u, password: [P]}\nbuilder: {arch: amd64}\n";
    assert_eq!(kamal(right), Ok(()));
    for (from, to) in [
        ("service: a", "service: a.b"),
        ("image: b/a\n", ""),
        ("web:", "job:"),
        ("hosts: [10.0.0.1]", "hosts: []"),
        ("hosts: [10.0.0.1]", "host: [10.0.0.1]"),
        ("username: u, ", ""),
        ("password: [P]", "password: [P, Q]"),
        ("arch: amd64", "driver: docker"),
        ("builder:", "bilder:"),
        ("registry:", "proxy: {ssl: true}\nregistry:"),
        ("registry:", "proxy: {host: a.example, hosts: [b.example]}\nregistry:"),
        ("registry:", "proxy: {app_port: many}\nregistry:"),
        ("registry:", "env: {clear: {A: [b]}}\nregistry:"),
        ("registry:", "env: {clear: {A: b}, B: c}\nregistry:"),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "`{from}` stands there");
        assert!(kamal(&wrong).is_err(), "taken:\n{wrong}");
    }
    let two = right.replace("[10.0.0.1]", "[10.0.0.1, 10.0.0.2]");
    let two = format!("{two}proxy: {{host: a.example, ssl: true}}\n");
    assert!(kamal(&two).is_err(), "taken:\n{two}");
}

#[test]
fn what_is_no_procfile_is_refused() {
    assert_eq!(
        procfile("# head\nweb: bin/web -p $PORT\n\nworker: sh -c 'a && b'\n"),
        Ok(())
    );
    for wrong in [
        "web\n",
        "web:\n",
        "we b: a\n",
        "web: a\nweb: b\n",
        "web: 'a\n",
        ": a\n",
        "",
    ] {
        assert!(procfile(wrong).is_err(), "taken: {wrong:?}");
    }
}

type Reader = (&'static str, fn(&str) -> Result<(), String>);

/// Returns all such files that fixtures and cases hold, each with its reader.
fn generated() -> Vec<(PathBuf, Reader)> {
    let folders = ["fixtures", "tests/cases"].map(|it| files(&top().join(it), ""));
    let all = folders.into_iter().flatten();
    all.filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let is_of_case = path.iter().any(|it| it == "cases") && !path.iter().any(|it| it == "expected");
        let within = path.parent()?.file_name()?;
        let reader: Reader = match name {
            _ if is_of_case => return None,
            "Procfile" => ("Procfiles", procfile),
            _ if within == "config" && name.starts_with("deploy.") && name.ends_with(".yml") => {
                ("configurations of Kamal", kamal)
            }
            _ => return None,
        };
        Some((path, reader))
    })
    .collect()
}

/// Says what is wrong with a Procfile: each line is a name and what the shell is given, and no name stands there twice.
fn procfile(text: &str) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|it| !it.trim().is_empty() && !it.starts_with('#')) {
        let (name, command) = line.split_once(':').ok_or(format!("no `:` in `{line}`"))?;
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-');
        if !is_name {
            return Err(format!("`{name}` is no name of a process"));
        }
        if !names.insert(name) {
            return Err(format!("the process `{name}` stands there twice"));
        }
        let command = command.trim();
        if command.is_empty() {
            return Err(format!("the process `{name}` starts nothing"));
        }
        let shell = std::process::Command::new("bash").args(["-n", "-c", command]).output();
        let shell = shell.map_err(|error| format!("no shell: {error}"))?;
        if !shell.status.success() {
            return Err(format!("`{command}`: {}", String::from_utf8_lossy(&shell.stderr)));
        }
    }
    if names.is_empty() {
        return Err("no process".to_owned());
    }
    Ok(())
}

/// A configuration of Kamal. What stands as `Yaml` is given to Docker or SSH as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked of some"
)]
struct Kamal {
    service: String,
    image: String,
    servers: Servers,
    registry: Registry,
    builder: Builder,
    proxy: Option<Proxy>,
    env: Option<Env>,
    labels: Option<BTreeMap<String, String>>,
    volumes: Option<Vec<String>>,
    logging: Option<Logging>,
    primary_role: Option<String>,
    asset_path: Option<String>,
    hooks_path: Option<String>,
    secrets_path: Option<String>,
    error_pages_path: Option<String>,
    require_destination: Option<bool>,
    allow_empty_roles: Option<bool>,
    retain_containers: Option<u32>,
    minimum_version: Option<String>,
    readiness_delay: Option<u32>,
    deploy_timeout: Option<u32>,
    drain_timeout: Option<u32>,
    stop_timeout: Option<u32>,
    run_directory: Option<String>,
    boot: Option<Boot>,
    aliases: Option<BTreeMap<String, String>>,
    accessories: Option<BTreeMap<String, Yaml>>,
    ssh: Option<Yaml>,
    sshkit: Option<Yaml>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Servers {
    Hosts(Vec<String>),
    Roles(BTreeMap<String, Role>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Role {
    Hosts(Vec<String>),
    Own(Box<OwnRole>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked of some"
)]
struct OwnRole {
    hosts: Vec<String>,
    cmd: Option<String>,
    stop_timeout: Option<u32>,
    options: Option<BTreeMap<String, Yaml>>,
    logging: Option<Logging>,
    proxy: Option<RoleProxy>,
    labels: Option<BTreeMap<String, String>>,
    env: Option<Env>,
    asset_path: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "its options are those of the root")]
enum RoleProxy {
    Is(bool),
    With(Box<Proxy>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked of some"
)]
struct Proxy {
    host: Option<String>,
    hosts: Option<Vec<String>>,
    app_port: Option<u16>,
    ssl: Option<Ssl>,
    ssl_redirect: Option<bool>,
    forward_headers: Option<bool>,
    response_timeout: Option<u32>,
    path_prefix: Option<String>,
    path_prefixes: Option<Vec<String>>,
    strip_path_prefix: Option<bool>,
    healthcheck: Option<Check>,
    buffering: Option<BTreeMap<String, Yaml>>,
    logging: Option<BTreeMap<String, Vec<String>>>,
    run: Option<BTreeMap<String, Yaml>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "both names must be there")]
enum Ssl {
    Automatic(bool),
    Own {
        certificate_pem: String,
        private_key_pem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked"
)]
struct Check {
    path: Option<String>,
    interval: Option<u32>,
    timeout: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked"
)]
struct Logging {
    driver: Option<String>,
    options: Option<BTreeMap<String, Yaml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked"
)]
struct Boot {
    limit: Option<Yaml>,
    wait: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    #[serde(default)]
    server: String,
    username: Option<Secret>,
    password: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Secret {
    Value(String),
    Named([String; 1]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "that a key is known and its value of its type is all that is asked of some"
)]
struct Builder {
    arch: Arch,
    driver: Option<String>,
    remote: Option<String>,
    local: Option<bool>,
    context: Option<String>,
    dockerfile: Option<String>,
    target: Option<String>,
    args: Option<BTreeMap<String, String>>,
    secrets: Option<Vec<String>>,
    ssh: Option<String>,
    cache: Option<BTreeMap<String, Yaml>>,
    provenance: Option<Yaml>,
    sbom: Option<Yaml>,
    pack: Option<Yaml>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "which machine it is does not matter")]
enum Arch {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "which variables there are does not matter")]
enum Env {
    Complex(ComplexEnv),
    Simple(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "which variables there are does not matter")]
struct ComplexEnv {
    clear: Option<BTreeMap<String, String>>,
    secret: Option<Vec<String>>,
    tags: Option<BTreeMap<String, Yaml>>,
}

/// Says what Kamal would refuse of its configuration.
fn kamal(text: &str) -> Result<(), String> {
    let found: Kamal = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let is_name = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    ensure(
        !found.service.is_empty() && found.service.chars().all(is_name),
        "a wrong name of a service",
    )?;
    ensure(!found.image.is_empty(), "no image")?;
    let primary = found.primary_role.as_deref().unwrap_or("web");
    let roles: BTreeMap<&str, (&[String], Option<&RoleProxy>)> = match &found.servers {
        Servers::Hosts(hosts) => [("web", (hosts.as_slice(), None))].into(),
        Servers::Roles(roles) => roles
            .iter()
            .map(|(name, role)| match role {
                Role::Hosts(hosts) => (name.as_str(), (hosts.as_slice(), None)),
                Role::Own(own) => (name.as_str(), (own.hosts.as_slice(), own.proxy.as_ref())),
            })
            .collect(),
    };
    ensure(roles.contains_key(primary), "its primary role is not defined")?;
    ensure(roles.values().all(|it| !it.0.is_empty()), "a role without servers")?;
    let is_local = found.registry.server.starts_with("localhost");
    let is_given = |secret: &Option<Secret>| match secret {
        Some(Secret::Value(it) | Secret::Named([it])) => !it.is_empty(),
        None => false,
    };
    ensure(
        is_local || is_given(&found.registry.username),
        "no user of the registry",
    )?;
    ensure(
        is_local || is_given(&found.registry.password),
        "no password of the registry",
    )?;
    if let Some(proxy) = &found.proxy {
        ensure(proxy.host.is_none() || proxy.hosts.is_none(), "`host` and `hosts`")?;
        let named = proxy.host.is_some() || proxy.hosts.as_ref().is_some_and(|it| !it.is_empty());
        let automatic = matches!(proxy.ssl, Some(Ssl::Automatic(true)));
        ensure(named || !automatic, "a certificate for no host")?;
        let behind = roles.iter().filter(|(name, (_, proxy))| match proxy {
            Some(RoleProxy::Is(is)) => *is,
            Some(RoleProxy::With(_)) => true,
            None => **name == primary,
        });
        let mut servers = behind.map(|it| it.1.0.len());
        ensure(
            !automatic || servers.all(|it| it == 1),
            "a certificate for several servers",
        )?;
    }
    Ok(())
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
