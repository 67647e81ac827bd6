//! Agents on this machine, each on free ports of 127.0.0.1, and gone when the test ends, however it ends.
//!
//! Consul refuses whatever no token allows; Nomad runs programs without a container.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The token that may do everything in Consul, and in Vault.
pub(crate) const TOKEN: &str = "00000000-0000-0000-0000-000000000001";

/// A program that runs beside the test.
///
/// A shell stands between: it stops the program when its own input ends, which it also does where the test is killed.
pub(crate) struct Server {
    shell: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, which writes to a log of this name in `room`.
    pub(crate) fn start(room: &Path, name: &str, path: &str, command: &[&str], env: &[(&str, &str)]) -> Self {
        let log = room.join(format!("{name}.log"));
        let file = fs::File::create(&log).expect("the temporary folder is ours");
        let shell = Command::new("/bin/sh")
            .args([
                "-c",
                r#""$@" </dev/null & pid=$!; cat >/dev/null; kill -TERM "$pid"; wait "$pid""#,
                "sh",
            ])
            .args(command)
            .current_dir(room)
            .env_clear()
            .env("PATH", path)
            .env("HOME", room)
            .env("TMPDIR", room)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(file.try_clone().expect("a file can be shared"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { shell, log }
    }

    /// Returns the end of what it has said.
    pub(crate) fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // It stops what it runs, which takes seconds. What does not end is left to the machine: it is told.
        for _ in 0..300 {
            if matches!(self.shell.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        crate::say(&format!("live: {} did not end within 30 s", self.log.display()));
    }
}

/// Consul, Vault and Nomad, as far as they were started.
pub(crate) struct Agents {
    room: PathBuf,
    path: String,
    /// Where Consul is asked, as `127.0.0.1:PORT`.
    pub(crate) consul: String,
    /// Where Vault is asked.
    pub(crate) vault: String,
    /// Where Nomad is asked.
    pub(crate) nomad: String,
    ports: Vec<u16>,
    // They stop in this order.
    servers: Vec<Server>,
}

impl Agents {
    /// Returns places for all three, with the programs of `tools` and of `programs` in their path. None is started.
    pub(crate) fn new(room: &Path, tools: &Path, programs: &Path) -> Self {
        let path = format!(
            "{}:{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            programs.display(),
            tools.join("bin").display()
        );
        let ports = free_ports(8);
        let at = |port: u16| format!("127.0.0.1:{port}");
        Self {
            room: room.to_owned(),
            path,
            consul: at(ports[0]),
            vault: at(ports[4]),
            nomad: at(ports[5]),
            ports,
            servers: Vec::new(),
        }
    }

    /// Starts Consul, and waits until it has a leader.
    pub(crate) fn with_consul(mut self) -> Self {
        let config = self.file("consul.hcl", &consul_config(&self.ports[..4]));
        self.add(
            "consul",
            &["consul", "agent", "-dev", "-log-level=info", "-config-file", &config],
        );
        self.until(60, "Consul", || self.ok("consul operator raft list-peers"));
        self
    }

    /// Starts Vault, unsealed and empty.
    pub(crate) fn with_vault(mut self) -> Self {
        let listen = format!("-dev-listen-address={}", self.vault);
        let token = format!("-dev-root-token-id={TOKEN}");
        self.add(
            "vault",
            &["vault", "server", "-dev", "-dev-no-store-token", &listen, &token],
        );
        self.until(60, "Vault", || self.ok("vault status"));
        self
    }

    /// Starts Nomad, which looks for Consul and Vault when it starts, and waits until its client is ready.
    pub(crate) fn with_nomad(mut self) -> Self {
        let config = nomad_config(&self.room, &self.ports[5..], &self.consul, &self.vault);
        let config = self.file("nomad.hcl", &config);
        self.add(
            "nomad",
            &["nomad", "agent", "-dev", "-log-level=info", "-config", &config],
        );
        self.until(90, "Nomad's client", || {
            shown(&self.sh("nomad node status -t '{{range .}}{{.Status}}{{end}}'").stdout).trim() == "ready"
        });
        self
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.room.join(name);
        fs::write(&path, text).expect("the temporary folder is ours");
        path.to_string_lossy().into_owned()
    }

    fn add(&mut self, name: &str, command: &[&str]) {
        let server = Server::start(&self.room, name, &self.path, command, &[]);
        self.servers.insert(0, server);
    }

    /// Starts another program beside them.
    pub(crate) fn beside(&self, name: &str, command: &[&str]) -> Server {
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(key, value)| (*key, value.as_str())).collect();
        Server::start(&self.room, name, &self.path, command, &env)
    }

    /// Returns the variables by which the command lines find the agents.
    fn env(&self) -> [(&'static str, String); 5] {
        [
            ("NOMAD_ADDR", format!("http://{}", self.nomad)),
            ("CONSUL_HTTP_ADDR", self.consul.clone()),
            ("CONSUL_HTTP_TOKEN", TOKEN.to_owned()),
            ("VAULT_ADDR", format!("http://{}", self.vault)),
            ("VAULT_TOKEN", TOKEN.to_owned()),
        ]
    }

    /// Returns a command that finds the agents, and nothing else of this machine.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.room)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.room)
            .env("TMPDIR", &self.room)
            .envs(self.env())
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of shell.
    pub(crate) fn sh(&self, line: &str) -> Output {
        let output = self.command("/bin/sh").args(["-c", line]).output();
        output.unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Tells whether a line of shell ends well.
    pub(crate) fn ok(&self, line: &str) -> bool {
        self.sh(line).status.success()
    }

    /// Returns what a line of shell prints; it must end well.
    pub(crate) fn text(&self, line: &str) -> String {
        let output = self.sh(line);
        assert!(
            output.status.success(),
            "{line}\n{}{}",
            shown(&output.stdout),
            shown(&output.stderr)
        );
        shown(&output.stdout)
    }

    /// Waits until something holds, for so many seconds at most.
    pub(crate) fn until(&self, bound: u64, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            if start.elapsed() > Duration::from_secs(bound) {
                let said: Vec<String> = self.servers.iter().map(Server::said).collect();
                panic!("{what} not within {bound} s\n{}", said.join("\n──\n"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Returns a text as it was printed.
pub(crate) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns ports of 127.0.0.1 that nothing listens on.
pub(crate) fn free_ports(n_ports: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..n_ports)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("there is a free port"))
        .collect();
    let port = |it: &TcpListener| it.local_addr().expect("it listens").port();
    listeners.iter().map(port).collect()
}

/// Asks for a path over HTTP, and returns the status and the body; status 0 where nobody answers.
pub(crate) fn get(address: &str, host: &str, path: &str) -> (u16, String) {
    let ask = || {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let body = answer.split_once("\r\n\r\n").map_or("", |it| it.1);
        Some((status, body.to_owned()))
    };
    ask().unwrap_or_default()
}

fn consul_config(ports: &[u16]) -> String {
    format!(
        r#"bind_addr = "127.0.0.1"
client_addr = "127.0.0.1"
ports {{
  http     = {}
  grpc     = {}
  server   = {}
  serf_lan = {}
  serf_wan = -1
  grpc_tls = -1
  dns      = -1
}}
acl {{
  enabled        = true
  default_policy = "deny"
  tokens {{
    initial_management = "{TOKEN}"
    agent              = "{TOKEN}"
  }}
}}
"#,
        ports[0], ports[1], ports[2], ports[3]
    )
}

/// Returns the configuration of Nomad.
///
/// What asks for the metadata of clouds is left out: where there is none, the client would not come up.
fn nomad_config(room: &Path, ports: &[u16], consul: &str, vault: &str) -> String {
    format!(
        r#"bind_addr = "127.0.0.1"
data_dir  = "{}/nomad"
ports {{
  http = {}
  rpc  = {}
  serf = {}
}}
consul {{
  address = "{consul}"
  token   = "{TOKEN}"
  service_identity {{
    aud = ["consul.io"]
    ttl = "1h"
  }}
  task_identity {{
    aud = ["consul.io"]
    ttl = "1h"
  }}
}}
vault {{
  enabled               = true
  address               = "http://{vault}"
  jwt_auth_backend_path = "jwt-nomad"
  default_identity {{
    aud = ["vault.io"]
    ttl = "1h"
  }}
}}
client {{
  network_interface = "lo"
  options = {{
    "fingerprint.denylist" = "env_aws,env_gce,env_azure,env_digitalocean,env_oci"
  }}
}}
telemetry {{
  prometheus_metrics         = true
  publish_allocation_metrics = true
}}
plugin "raw_exec" {{
  config {{
    enabled = true
  }}
}}
"#,
        room.display(),
        ports[0],
        ports[1],
        ports[2]
    )
}
