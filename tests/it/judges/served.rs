//! What Consul, Vault and Traefik themselves say: their checks of files, and what they take when they run.
//!
//! Each has its own room and ends with its test. Nothing is asked of one that the spec names: addresses are replaced.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use regex::Regex;

use super::tool::{Tools, Verdict};
use super::{generated, judge, refuse, samples};
use crate::agents::{Agents, free_ports, get, shown};
use crate::tidy::top;

#[test]
fn consul_configs_pass_consul_validate() {
    let configs = some("configs of Consul", is_consul_config);
    judge("consul validate", "configs of Consul", &configs, |tools, files| {
        tools.one_by_one("consul", &["validate"], files)
    });
}

#[test]
fn vault_policies_are_as_vault_policy_fmt_lays_them_out() {
    let policies = some("policies of Vault", is_vault_policy);
    judge(
        "vault policy fmt",
        "policies of Vault",
        &policies,
        Tools::vault_policy_fmt,
    );
}

#[test]
fn vault_policy_fmt_refuses_wrong_samples() {
    refuse("vault policy fmt", &samples("vault"), Tools::vault_policy_fmt);
}

#[test]
fn consul_validate_refuses_wrong_samples() {
    refuse("consul validate", &samples("consul"), |tools, files| {
        tools.one_by_one("consul", &["validate"], files)
    });
}

/// Entries, policies and the way in of each project and environment, written to a running agent.
#[test]
fn consul_takes_what_is_written_to_it() {
    let files = some("entries, policies and identities of Consul", is_written_to_consul);
    judge(
        "a running Consul",
        "entries, policies and identities",
        &files,
        |tools, files| {
            let room = tempfile::tempdir().expect("a temporary folder can be made");
            let agents = Agents::new(room.path(), &tools.folder, room.path()).with_consul();
            let keys = Keys::serve();
            let mut verdict = Verdict {
                n_judged: 0,
                faults: Vec::new(),
            };
            let mut known = BTreeSet::new();
            for root in roots(files) {
                // What an entry says of a protocol must stand before what permissions it allows, and goes with them: no
                // project leans on what another one says.
                let mut of_root: Vec<&PathBuf> = files.iter().filter(|it| root_of(it) == root).collect();
                of_root.sort_by_key(|it| (rank(it), (*it).clone()));
                let leans = of_root.iter().any(|it| read(it).contains("Permissions ="));
                let mut undo = Vec::new();
                for file in of_root {
                    verdict.n_judged += 1;
                    // Many golden folders hold the same file.
                    let is_known = !known.insert(read(file));
                    let (write, remove) = consul_commands(file, &keys, room.path(), verdict.n_judged);
                    if is_known && !(leans && remove.is_some()) {
                        continue;
                    }
                    let output = agents.sh(&write);
                    if output.status.success() {
                        undo.extend(remove.filter(|_| leans));
                    } else {
                        let said = format!("{}{}", shown(&output.stdout), shown(&output.stderr));
                        verdict.faults.push(format!("{}: {said}", file.display()));
                    }
                }
                for line in undo.iter().rev() {
                    agents.text(line);
                }
            }
            verdict
        },
    );
}

/// What each project and environment tells Vault, by its own script.
#[test]
fn vault_takes_what_is_written_to_it() {
    let files = some("policies and roles of Vault", is_written_to_vault);
    judge(
        "a running Vault",
        "policies, roles and ways in",
        &files,
        |tools, files| {
            let room = tempfile::tempdir().expect("a temporary folder can be made");
            let agents = Agents::new(room.path(), &tools.folder, room.path()).with_vault();
            let keys = Keys::serve();
            let mut verdict = Verdict {
                n_judged: 0,
                faults: Vec::new(),
            };
            for (at, root) in roots(files).into_iter().enumerate() {
                let copy = room.path().join(at.to_string());
                let of_root: Vec<&PathBuf> = files.iter().filter(|it| root_of(it) == root).collect();
                for file in of_root.iter().copied().chain([&root.join("scripts/vault-setup.sh")]) {
                    let text = fs::read_to_string(top().join(file))
                        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                    let to = copy.join(file.strip_prefix(&root).expect("it stands below its root"));
                    fs::create_dir_all(to.parent().expect("a file stands in a folder")).expect("the room is ours");
                    fs::write(to, keys.instead(&text)).expect("the room is ours");
                }
                let output = agents.sh(&format!("sh {}/scripts/vault-setup.sh", copy.display()));
                verdict.n_judged += of_root.len();
                if !output.status.success() {
                    let said = format!("{}{}", shown(&output.stdout), shown(&output.stderr));
                    verdict.faults.push(format!("{}: {said}", root.display()));
                }
                for file in of_root.iter().filter(|it| is_vault_policy(it)) {
                    let name = file.file_stem().expect("a file has a name").to_string_lossy();
                    let kept = agents.text(&format!("vault policy read '{name}'"));
                    let text = fs::read_to_string(top().join(file)).expect("it was read before");
                    if kept.trim() != text.trim() {
                        verdict
                            .faults
                            .push(format!("{}: Vault keeps something else: {kept}", file.display()));
                    }
                }
            }
            verdict
        },
    );
}

/// Traefik starts on the arguments of each of its jobs, opens its ways in, and says that it is well.
#[test]
fn traefik_starts_on_each_of_its_jobs() {
    let jobs = some("jobs of Traefik", is_traefik_job);
    judge("Traefik's own start", "jobs of Traefik", &jobs, |tools, files| {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let agents = Agents::new(room.path(), &tools.folder, room.path());
        let mut verdict = Verdict {
            n_judged: 0,
            faults: Vec::new(),
        };
        let mut known = BTreeSet::new();
        for file in files {
            verdict.n_judged += 1;
            let arguments = traefik_arguments(tools, file);
            // Many golden folders hold the same job.
            if !known.insert(arguments.clone()) {
                continue;
            }
            // Another test may have taken a port that was free a moment ago.
            let is_taken = |it: &String| it.contains("address already in use");
            let mut fault = traefik_fault(&agents, &arguments);
            for _ in 0..3 {
                if fault.as_ref().is_some_and(is_taken) {
                    fault = traefik_fault(&agents, &arguments);
                }
            }
            if let Some(fault) = fault {
                verdict.faults.push(format!("{}: {fault}", file.display()));
            }
        }
        verdict
    });
}

/// Returns the arguments of Traefik in a job; `PORT:NAME` stands for a port that Nomad would choose.
fn traefik_arguments(tools: &Tools, file: &Path) -> Vec<String> {
    let job = tools.job(file);
    let arguments = &job["TaskGroups"][0]["Tasks"][0]["Config"]["args"];
    let list = arguments
        .as_array()
        .unwrap_or_else(|| panic!("{}: no args in {job}", file.display()));
    list.iter()
        .map(|it| it.as_str().expect("an argument is text").to_owned())
        .collect()
}

/// Starts Traefik, and returns what it finds wrong.
fn traefik_fault(agents: &Agents, arguments: &[String]) -> Option<String> {
    let entry = Regex::new("^--entryPoints[.]([^.]*)[.]address=[^/]*(/udp)?$").expect("it is one");
    let (mut ping, mut opened, mut command) = (None, Vec::new(), vec!["traefik".to_owned()]);
    for argument in arguments {
        let Some(found) = entry.captures(argument) else {
            command.push(argument.clone());
            continue;
        };
        let address = format!("127.0.0.1:{}", free_ports(1)[0]);
        let udp = found.get(2).map_or("", |it| it.as_str());
        command.push(format!("--entryPoints.{}.address={address}{udp}", &found[1]));
        if &found[1] == "ping" {
            ping = Some(address);
        } else if udp.is_empty() {
            opened.push(address);
        }
    }
    let Some(ping) = ping else {
        return Some("it has no entry point `ping`".to_owned());
    };
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let server = agents.beside("traefik", &command);
    let start = Instant::now();
    while get(&ping, "localhost", "/ping").0 != 200 {
        if start.elapsed() > Duration::from_secs(20) {
            return Some(format!("it is not well within 20 s: {}", server.said()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let shut: Vec<&String> = opened.iter().filter(|it| get(it, "localhost", "/").0 == 0).collect();
    (!shut.is_empty()).then(|| format!("nobody answers at {shut:?}: {}", server.said()))
}

/// Returns the command that writes a file to Consul, and for an entry the one that takes it away again.
fn consul_commands(file: &Path, keys: &Keys, room: &Path, nth: usize) -> (String, Option<String>) {
    let text = read(file);
    let said = |word: &str| {
        let line = Regex::new(&format!(r#"(?m)^ *"?{word}"?(?: *=|:) *"([^"]*)""#)).expect("it is one");
        line.captures(&text).map(|it| it[1].to_owned()).unwrap_or_default()
    };
    let whole = top().join(file);
    let whole = whole.display();
    if file.extension().is_some_and(|it| it == "json") {
        let copy = room.join("sent.json");
        fs::write(&copy, keys.instead(&text)).expect("the room is ours");
        let place = if file.ends_with("auth-method.json") {
            format!("auth-method/{}", said("Name"))
        } else {
            "binding-rule".to_owned()
        };
        let write = format!(
            "curl -sS --fail-with-body -H \"X-Consul-Token: $CONSUL_HTTP_TOKEN\" -X PUT --data @{} http://$CONSUL_HTTP_ADDR/v1/acl/{place}",
            copy.display()
        );
        return (write, None);
    }
    if said("Kind").is_empty() {
        return (
            format!("consul acl policy create -name judged-{nth} -rules @{whole}"),
            None,
        );
    }
    (
        format!("consul config write {whole}"),
        Some(format!(
            "consul config delete -kind '{}' -name '{}'",
            said("Kind"),
            said("Name")
        )),
    )
}

/// Returns the text of a generated file.
fn read(file: &Path) -> String {
    fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns in which order a file is written to Consul.
fn rank(file: &Path) -> u8 {
    let above = file.parent().and_then(Path::file_name).unwrap_or_default();
    u8::from(
        above == "intentions"
            || file
                .file_name()
                .is_some_and(|it| it.to_string_lossy().starts_with("binding-")),
    )
}

/// Tells whether the head of a file names a rule.
fn is_made_by(path: &Path, rule: &str) -> bool {
    let text = fs::read_to_string(top().join(path)).unwrap_or_default();
    text.lines().take(3).any(|it| it.contains(&format!(" from {rule};")))
}

pub(super) fn is_consul_config(path: &Path) -> bool {
    is_made_by(path, "nomad/consul-config")
}

pub(super) fn is_traefik_job(path: &Path) -> bool {
    is_made_by(path, "nomad/traefik-job")
}

pub(super) fn is_written_to_vault(path: &Path) -> bool {
    let above = path.parent();
    let is_below = |folder: &str| above.is_some_and(|it| it.ends_with(folder));
    is_below("vault/policies") || is_below("vault/roles") || path.ends_with("vault/auth-method.json")
}

pub(super) fn is_vault_policy(path: &Path) -> bool {
    path.parent().is_some_and(|it| it.ends_with("vault/policies"))
}

pub(super) fn is_written_to_consul(path: &Path) -> bool {
    let is_below = |folder: &str| path.parent().is_some_and(|it| it.ends_with(folder));
    let folders = [
        "nomad/defaults",
        "nomad/intentions",
        "policies/consul",
        "identities/consul",
    ];
    folders.iter().any(|it| is_below(it)) || path.ends_with("policies/service-policies.hcl")
}

/// Returns the generated files of a sort that must be there.
fn some(sort: &str, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let files = generated(is_wanted);
    let of_fixtures = files.iter().filter(|it| it.starts_with("fixtures")).count();
    assert!(of_fixtures > 0, "no fixture has {sort}");
    files
}

/// Returns the folders in which `deployments` and `scripts` of the files stand.
fn roots(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    files.iter().map(|it| root_of(it).to_owned()).collect()
}

/// Returns the folder of the environment that a file belongs to; one environment's may lie within another's.
fn root_of(file: &Path) -> &Path {
    let above = file
        .ancestors()
        .find(|it| it.ends_with("deployments"))
        .expect("it stands below `deployments`");
    above.parent().expect("it is below a project")
}

/// A place that shows keys of a signer, as Nomad does; there are none.
struct Keys {
    address: String,
}

impl Keys {
    /// Serves as long as the tests run.
    fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let body = r#"{"keys":[]}"#;
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address }
    }

    /// Returns a text that names this place where it names another.
    fn instead(&self, text: &str) -> String {
        let place = Regex::new(r"https?://[^/\x22]*/[.]well-known/jwks[.]json").expect("it is one");
        place
            .replace_all(text, format!("http://{}/.well-known/jwks.json", self.address))
            .into_owned()
    }
}
