//! What is generated, on real agents: `fixtures/live` deployed by its own script, and what holds then.
//!
//! It needs the judges, and what `scripts/deploy.sh` needs (curl), and python3 for the services. Agents of Consul, Vault
//! and Nomad are started and stopped by the test, on free ports of 127.0.0.1. The profile `long` runs it three times.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::agents::{Agents, free_ports, get, shown};
use crate::project::tree;
use crate::properties::{Profile, profile};
use crate::say;
use crate::tidy::top;

/// The services, each with what it calls: the edges of `fixtures/live/gen.yaml`.
const CALLS: [(&str, &[&str]); 7] = [
    ("admin", &["orders"]),
    ("auth", &[]),
    ("catalog", &["store"]),
    ("migrate", &["store"]),
    ("orders", &["auth", "store"]),
    ("store", &[]),
    ("web", &["orders"]),
];

/// What the way in leads to: host, path and service.
const ROUTES: [(&str, &str, &str); 4] = [
    ("anybody.localhost", "/orders", "orders"),
    ("anybody.localhost", "/orders/7", "orders"),
    ("anybody.localhost", "/catalog", "catalog"),
    ("shop.localhost", "/", "web"),
];

/// A secret with all that could break out of the place where it is written.
const AWKWARD: &str = r#"a"b\c#d $e ${f} {{g}} <h>"#;

/// Values of the secret that changes.
const FIRST: &str = "the first";
const SECOND: &str = "the second";

/// How long a deploy may take that fails: the deadline of the job that never gets healthy, and time for a busy machine to
/// take it back.
const MOST_FOR_A_FAILURE: Duration = Duration::from_secs(300);

/// How many seconds something may take that nobody promises a time for: a machine may have much else to do.
const SOON: u64 = 120;

/// What must be up before what, jobs that have ended too.
const AFTER: [(&str, &str); 7] = [
    ("admin", "orders"),
    ("catalog", "store"),
    ("catalog", "migrate"),
    ("migrate", "store"),
    ("orders", "auth"),
    ("orders", "store"),
    ("web", "orders"),
];

#[test]
fn a_live_run_is_as_the_spec_says() {
    let Some(tools) = crate::judges::folder() else {
        return say("live: left out, since there are no judges");
    };
    let n_runs = if profile() == Profile::Long { 3 } else { 1 };
    for _ in 0..n_runs {
        let start = Instant::now();
        let live = Live::start(&tools);
        live.deploys_after_an_interruption();
        live.leaves_alone_what_is_up();
        live.started_in_order();
        live.routes_what_is_routed();
        live.allows_what_has_an_edge();
        live.goes_through_the_mesh();
        live.is_measured();
        live.gives_secrets_and_their_rotation();
        live.keeps_secrets_apart();
        live.reverts_what_is_bad();
        live.says_who_is_sick();
        drop(live);
        say(&format!("live: the whole run took {} s", start.elapsed().as_secs()));
    }
}

/// A copy of the fixture, whose addresses are those of the agents.
struct Live {
    // Agents stop before their folder is removed.
    agents: Agents,
    traefik: String,
    room: tempfile::TempDir,
}

impl Live {
    fn start(tools: &Path) -> Self {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let project = room.path().join("project");
        for (path, found) in tree(&top().join("fixtures/live")) {
            found.write(&project.join(path));
        }
        let agents = Agents::new(room.path(), tools, &project.join("bin"))
            .with_consul()
            .with_vault()
            .with_nomad();
        let port = free_ports(1)[0];
        let live = Self {
            agents,
            traefik: format!("127.0.0.1:{port}"),
            room,
        };
        // A value of the usual mount is looked at again after minutes, which is too long for a test: what is kept in a mount
        // of the first version says itself how long it holds. Nomad waits until nothing has come for five seconds before
        // it renders a template: a shorter time would let it wait for minutes.
        live.agents.text("vault secrets enable -path=rotating -version=1 kv");
        live.rotate(FIRST);
        live.agents
            .text(&format!("vault kv put secret/session key='{AWKWARD}'"));
        live.agents.text("vault kv put secret/banner text=hello");
        live.edit("gen.yaml", |it| {
            it.replace("127.0.0.1:8500", &live.agents.consul)
                .replace("127.0.0.1:8200", &live.agents.vault)
                .replace("127.0.0.1:4646", &live.agents.nomad)
                .replace("18080", &port.to_string())
        });
        live.apply();
        live
    }

    fn project(&self) -> PathBuf {
        self.room.path().join("project")
    }

    fn edit(&self, path: &str, change: impl Fn(&str) -> String) {
        let path = self.project().join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let changed = change(&text);
        assert_ne!(text, changed, "{} has nothing to change", path.display());
        fs::write(&path, changed).expect("the temporary folder is ours");
    }

    /// Generates anew from the spec.
    fn apply(&self) {
        let gen_itself = env!("CARGO_BIN_EXE_gen");
        self.agents.text(&format!(
            "{gen_itself} -C {} apply --overwrite",
            self.project().display()
        ));
    }

    /// Runs a script of the project.
    fn script(&self, line: &str) -> (Output, String) {
        let start = Instant::now();
        let output = self.agents.sh(&format!("cd project && {line}"));
        let said = format!("{}{}", shown(&output.stdout), shown(&output.stderr));
        say(&format!(
            "live: {line}: exit {:?} after {} s",
            output.status.code(),
            start.elapsed().as_secs()
        ));
        (output, said)
    }

    fn deploy(&self) -> String {
        let (output, said) = self.script("scripts/deploy.sh");
        assert!(output.status.success(), "{said}");
        said
    }

    /// Returns the address at which a healthy instance of a service answers.
    fn address(&self, service: &str) -> String {
        let found = self.json(&format!(
            "consul {}/v1/health/service/{service}?passing",
            self.agents.consul
        ));
        let service = &found[0]["Service"];
        format!(
            "{}:{}",
            service["Address"].as_str().unwrap_or_default(),
            service["Port"]
        )
    }

    /// Asks an API: `consul ADDRESS/PATH`, or `nomad PATH`.
    fn json(&self, line: &str) -> Value {
        let text = match line.split_once(' ') {
            Some(("consul", url)) => self.agents.text(&format!(
                "curl -sS --fail -H \"X-Consul-Token: $CONSUL_HTTP_TOKEN\" 'http://{url}'"
            )),
            Some(("nomad", path)) => self.agents.text(&format!("nomad operator api '{path}'")),
            _ => panic!("nobody is asked by {line}"),
        };
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}\n{text}"))
    }

    fn version(&self, job: &str) -> u64 {
        self.json(&format!("nomad /v1/job/{job}"))["Version"]
            .as_u64()
            .expect("a job has a version")
    }

    /// A run that is killed in its second layer is gone on with. Then everything is up, and reaches what it depends on.
    fn deploys_after_an_interruption(&self) {
        let (_, said) = self.script(
            "(scripts/deploy.sh >../first.log 2>&1 & run=$!; n=0
            until grep -q 'layer 2' ../first.log || [ $n -gt 2400 ]; do sleep 0.1; n=$((n + 1)); done
            kill -KILL $run; cat ../first.log)",
        );
        assert!(
            said.contains("deploy: layer 2\n") && !said.contains("deploy: layer 3\n"),
            "{said}"
        );
        let said = self.deploy();
        for up in ["auth", "store"] {
            assert!(said.contains(&format!("deploy: {up} is up already\n")), "{said}");
        }
        for (service, calls) in CALLS {
            assert!(said.contains(&format!("deploy: {service} is up")), "{said}");
            if service == "migrate" {
                continue;
            }
            // A busy machine may take too long for one check: what looks sick for a moment is asked again.
            self.agents.until(SOON, &format!("an answer of {service}"), || {
                get(&self.address(service), "localhost", "/").0 == 200
            });
            let (_, body) = get(&self.address(service), "localhost", "/");
            let answer: Value = serde_json::from_str(&body).expect("a service answers in JSON");
            assert_eq!(answer["name"], service);
            let peers: BTreeMap<String, String> = serde_json::from_value(answer["peers"].clone()).expect("its peers");
            let expected = calls.iter().map(|it| ((*it).to_owned(), (*it).to_owned())).collect();
            assert_eq!(peers, expected, "{service} reaches others than it depends on");
        }
    }

    /// What is up as wanted is not run again.
    fn leaves_alone_what_is_up(&self) {
        let said = self.deploy();
        let n_left = said.lines().filter(|it| it.ends_with(" is up already")).count();
        assert_eq!(
            n_left,
            CALLS.len() + 2,
            "all jobs, the way in, and what measures:\n{said}"
        );
        for (service, _) in CALLS {
            assert_eq!(self.version(service), 0, "{service} was run more than once");
        }
    }

    /// Each main task has started after what it depends on was healthy, or had ended well.
    fn started_in_order(&self) {
        let allocations = self.json("nomad /v1/allocations?task_states=true");
        let mut times: BTreeMap<(String, &str), u64> = BTreeMap::new();
        for it in allocations.as_array().expect("a list") {
            let job = it["JobID"].as_str().expect("a job has an id").to_owned();
            let events = it["TaskStates"][&job]["Events"].as_array().cloned().unwrap_or_default();
            for event in events {
                let time = event["Time"].as_u64().expect("an event has a time");
                match event["Type"].as_str() {
                    Some("Started") => times.insert((job.clone(), "started"), time),
                    Some("Terminated") => times.insert((job.clone(), "up"), time),
                    _ => None,
                };
            }
            if let Some(healthy) = it["DeploymentStatus"]["Timestamp"].as_str() {
                times.insert((job, "up"), nanoseconds(healthy));
            }
        }
        for (dependent, dependency) in AFTER {
            let started = times[&(dependent.to_owned(), "started")];
            let up = times[&(dependency.to_owned(), "up")];
            assert!(up < started, "{dependent} has started before {dependency} was up");
        }
        say(&format!("live: {} edges started in order", AFTER.len()));
    }

    /// Requests reach each routed service, and no other.
    fn routes_what_is_routed(&self) {
        for (host, path, service) in ROUTES {
            self.agents.until(SOON, &format!("the route {host}{path}"), || {
                let (status, body) = get(&self.traefik, host, path);
                status == 200 && body.contains(&format!("{{\"name\": \"{service}\""))
            });
        }
        for (service, _) in CALLS {
            if ROUTES.iter().any(|it| it.2 == service) {
                continue;
            }
            for (host, path) in [
                ("anybody.localhost", format!("/{service}")),
                (&format!("{service}.localhost"), "/".to_owned()),
            ] {
                assert_eq!(
                    get(&self.traefik, host, &path).0,
                    404,
                    "{host}{path} leads to something"
                );
            }
        }
        say(&format!("live: {} routes lead in, and no other does", ROUTES.len()));
    }

    /// Consul allows each edge, and refuses every other pair.
    fn allows_what_has_an_edge(&self) {
        let mut sources: BTreeMap<&str, BTreeSet<&str>> = CALLS.map(|it| (it.0, it.1.iter().copied().collect())).into();
        sources.insert("traefik", ROUTES.iter().map(|it| it.2).collect());
        let (mut n_allowed, mut n_refused) = (0, 0);
        for (source, called) in &sources {
            for (destination, _) in CALLS.iter().filter(|it| it.0 != *source && it.0 != "migrate") {
                let answer = self.json(&format!(
                    "consul {}/v1/connect/intentions/check?source={source}&destination={destination}",
                    self.agents.consul
                ));
                let allowed = called.contains(destination);
                assert_eq!(answer["Allowed"], allowed, "from {source} to {destination}");
                *(if allowed { &mut n_allowed } else { &mut n_refused }) += 1;
            }
        }
        say(&format!(
            "live: {n_allowed} pairs are allowed by Consul, {n_refused} refused"
        ));
    }

    /// Through Consul's own proxy a service reaches what it has an edge to, and nothing else.
    fn goes_through_the_mesh(&self) {
        let ports: Vec<String> = free_ports(3).iter().map(|it| format!("127.0.0.1:{it}")).collect();
        let port = |at: usize| ports[at].rsplit(':').next().expect("it has a port");
        let orders = self.address("orders");
        let command = ["consul", "connect", "proxy", "-log-level=warn"];
        let with = |more: &[&str]| {
            let all: Vec<&str> = command.iter().chain(more).copied().collect();
            self.agents.beside(&format!("proxy-{}", more[1]), &all)
        };
        let _servers = [
            with(&[
                "-service",
                "orders",
                "-service-addr",
                &orders,
                "-listen",
                &ports[0],
                "-register",
                "-register-id",
                "orders",
            ]),
            with(&["-service", "web", "-upstream", &format!("orders:{}", port(1))]),
            with(&["-service", "catalog", "-upstream", &format!("orders:{}", port(2))]),
        ];
        self.agents.until(SOON, "an answer through the mesh", || {
            get(&ports[1], "localhost", "/name") == (200, "orders".to_owned())
        });
        // It listens as the other does, and is refused at the other end.
        self.agents
            .until(SOON, "the proxy of catalog", || TcpStream::connect(&ports[2]).is_ok());
        for _ in 0..5 {
            assert_eq!(
                get(&ports[2], "localhost", "/name").0,
                0,
                "catalog reaches orders, without an edge to it"
            );
        }
        say("live: web reaches orders through the mesh, catalog does not");
    }

    fn rotate(&self, value: &str) {
        let body = format!(r#"{{"ttl":"8s","data":{{"key":"{value}"}}}}"#);
        self.agents
            .text(&format!("echo '{body}' | vault write rotating/data/pool -"));
    }

    /// Returns what orders was given.
    fn given(&self, service: &str, name: &str) -> String {
        let (_, body) = get(&self.address(service), "localhost", "/secrets");
        let given: Value = serde_json::from_str(&body).unwrap_or_default();
        given[name].as_str().unwrap_or_default().to_owned()
    }

    /// What is written to Vault arrives as it is, and so does what is written later.
    fn gives_secrets_and_their_rotation(&self) {
        assert_eq!(self.given("orders", "GIVEN_SESSION"), AWKWARD);
        assert_eq!(self.given("web", "GIVEN_BANNER"), "hello");
        assert_eq!(self.given("orders", "GIVEN_POOL"), FIRST);
        let start = Instant::now();
        self.rotate(SECOND);
        self.agents.until(SOON, "the second value", || {
            self.given("orders", "GIVEN_POOL") == SECOND
        });
        say(&format!(
            "live: a rotated secret arrived after {} s",
            start.elapsed().as_secs()
        ));
        self.agents.until(SOON, "a healthy orders", || {
            get(&self.traefik, "anybody.localhost", "/orders").0 == 200
        });
    }

    /// The token of one service's task reads its own secrets, and no other's.
    fn keeps_secrets_apart(&self) {
        let running = |service: &str| {
            let all = self.json(&format!("nomad /v1/job/{service}/allocations"));
            let running = all.as_array()?.iter().find(|it| it["ClientStatus"] == "running")?;
            running["ID"].as_str().map(str::to_owned)
        };
        let read = |service: &str, path: &str| {
            // It may still be started again after the rotation.
            let what = format!("an allocation of {service} that runs");
            let found = OnceCell::new();
            self.agents
                .until(SOON, &what, || running(service).is_some_and(|it| found.set(it).is_ok()));
            let id = found.into_inner().expect("it runs");
            let token = self
                .room
                .path()
                .join(format!("nomad/alloc/{id}/{service}/private/vault_token"));
            let line = format!("VAULT_TOKEN=$(cat {}) vault read {path}", token.display());
            (token.is_file(), self.agents.ok(&line))
        };
        let (own, other) = ("secret/data/session", "secret/data/banner");
        let found = [
            read("orders", own),
            read("orders", other),
            read("web", other),
            read("web", own),
        ];
        assert_eq!(found, [(true, true), (true, false), (true, true), (true, false)]);
        say("live: two tasks read their own secrets, and not each other's");
    }

    /// Prometheus finds all that shows measurements, by the configuration that is generated for it.
    fn is_measured(&self) {
        let files = "project/deployments/prometheus/rules";
        self.agents.text(
            "mkdir -p secrets && promtool check config --syntax-only project/deployments/prometheus/prometheus.yml",
        );
        self.agents.text(&format!("promtool check rules {files}/*/*.yml"));
        let found = || -> BTreeMap<String, String> {
            let (_, body) = get(&self.address("prometheus"), "localhost", "/api/v1/targets?state=active");
            let answer: Value = serde_json::from_str(&body).unwrap_or_default();
            let targets = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
            let word = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
            targets
                .iter()
                .map(|it| (word(&it["labels"], "service"), word(it, "health")))
                .collect()
        };
        let mut wanted: BTreeSet<&str> = CALLS.map(|it| it.0).into();
        wanted.remove("migrate");
        wanted.extend(["prometheus", "nomad", "nomad-client"]);
        let start = Instant::now();
        let is_up = |it: &BTreeMap<String, String>, name: &str| it.get(name).is_some_and(|it| it == "up");
        while !wanted.iter().all(|it| is_up(&found(), it)) {
            assert!(
                start.elapsed().as_secs() < SOON,
                "not all of {wanted:?} are measured: {:?}",
                found()
            );
            thread::sleep(Duration::from_millis(500));
        }
        say(&format!(
            "live: Prometheus measures {} of {}",
            wanted.len(),
            found().len()
        ));
    }

    /// A version that never gets healthy fails within its bound, is named and taken back; what stood before serves on.
    fn reverts_what_is_bad(&self) {
        let good = fs::read_to_string(self.project().join("gen.yaml")).expect("it is there");
        self.edit("gen.yaml", |it| {
            it.replace("      GIVEN_SESSION", "      SICK: \"yes\"\n      GIVEN_SESSION")
        });
        self.apply();
        let (done, start) = (AtomicBool::new(false), Instant::now());
        let (output, said, n_served) = thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let mut n_served = 0;
                while !done.load(Ordering::Relaxed) {
                    let (status, body) = get(&self.traefik, "anybody.localhost", "/orders");
                    assert_eq!(status, 200, "after {n_served} answers: {body}");
                    n_served += 1;
                    thread::sleep(Duration::from_millis(100));
                }
                n_served
            });
            let (output, said) = self.script("scripts/deploy.sh");
            done.store(true, Ordering::Relaxed);
            (output, said, asked.join())
        });
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("deploy: failed: orders is not up after"), "{said}");
        assert!(start.elapsed() < MOST_FOR_A_FAILURE, "not within its bound: {said}");
        assert!(said.contains("rolling back to job version 0"), "{said}");
        assert!(said.contains("503"), "the reason is told: {said}");
        let n_served = n_served.unwrap_or_else(|error| panic!("what stood before did not serve on: {error:?}\n{said}"));
        say(&format!("live: the version before answered {n_served} times meanwhile"));
        fs::write(self.project().join("gen.yaml"), good).expect("the temporary folder is ours");
        self.apply();
        let said = self.deploy();
        assert!(
            said.contains("deploy: orders is up") && !said.contains("deploy: orders starts"),
            "what was taken back is as it was before: {said}"
        );
    }

    /// The health script tells who is sick.
    fn says_who_is_sick(&self) {
        let (output, said) = self.script("scripts/health-check.sh");
        assert!(output.status.success(), "{said}");
        // Who may not look is told so, and not that all are sick.
        let (output, said) = self.script("CONSUL_HTTP_TOKEN= scripts/health-check.sh");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("does not show admin to this token"), "{said}");
        self.agents.text("nomad job stop -detach auth");
        self.agents.until(SOON, "the end of auth", || {
            !self.script("scripts/health-check.sh").0.status.success()
        });
        let (output, said) = self.script("scripts/health-check.sh");
        assert_eq!(output.status.code(), Some(1), "{said}");
        let sick: BTreeSet<&str> = said.lines().filter_map(|it| it.strip_prefix("sick ")).collect();
        assert_eq!(sick, BTreeSet::from(["auth"]), "{said}");
    }
}

/// Returns a time as Nomad prints it, `2026-01-31T12:00:00.123456789Z`, in nanoseconds since 1970.
fn nanoseconds(text: &str) -> u64 {
    let number = |part: &str| part.parse::<u64>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let (date, time) = text.trim_end_matches('Z').split_once('T').expect("a date and a time");
    let date: Vec<u64> = date.split('-').map(number).collect();
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let time: Vec<u64> = time.split(':').map(number).collect();
    // Days since 1970, with years that begin in March.
    let (year, month) = if date[1] > 2 {
        (date[0], date[1] - 3)
    } else {
        (date[0] - 1, date[1] + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + date[2] - 1 - 719_468;
    let seconds = ((days * 24 + time[0]) * 60 + time[1]) * 60 + time[2];
    seconds * 1_000_000_000 + number(&format!("{fraction:0<9}"))
}

#[test]
fn times_of_the_live_run_are_read() {
    assert_eq!(nanoseconds("1970-01-01T00:00:00Z"), 0);
    assert_eq!(nanoseconds("2026-11-24T23:14:53.5Z"), 1_795_562_093_500_000_000);
}
