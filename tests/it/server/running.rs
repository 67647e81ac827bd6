//! `fixtures/shelf` as it runs: PostgreSQL, Redis and Caddy, and its services as processes, with the addresses, variables,
//! order and health checks of the generated Compose file; requests come in by the generated Caddyfile.
//!
//! It is started, backed up and had back by the generated unit and scripts. No engine runs here: `engine.py` stands for it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agents::{Server, get, shown};
use crate::project::tree;
use crate::say;
use crate::tidy::top;

/// The site of the routes; in development each host is below `localhost`.
const SITE: &str = "shelf.localhost";

#[test]
fn containers_run_as_the_compose_file_says() {
    let Some(tools) = crate::judges::folder() else {
        return say("containers: the live run is left out, since there are no judges");
    };
    let start = Instant::now();
    let shelf = Shelf::new(&tools);
    shelf.asks_for_its_variables();
    shelf.starts_with_the_machine();
    shelf.has_started_in_order();
    shelf.is_reached_through_caddy();
    shelf.is_had_back();
    shelf.comes_back_with_what_it_held();
    say(&format!(
        "containers: the live run took {} s",
        start.elapsed().as_secs()
    ));
}

/// A copy of the fixture, and what stands for its engine.
struct Shelf {
    // It ends before its folder is removed.
    engine: Option<Server>,
    path: String,
    room: tempfile::TempDir,
}

impl Shelf {
    fn new(tools: &Path) -> Self {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        // A database runs as nobody where we are root: it must come as far as to its own folder.
        fs::set_permissions(room.path(), fs::Permissions::from_mode(0o777)).expect("the folder is ours");
        let project = room.path().join("project");
        for (path, found) in tree(&top().join("fixtures/shelf")) {
            found.write(&project.join(path));
        }
        let compose = project.join("deployments/compose");
        let text = fs::read_to_string(compose.join("compose.yaml")).expect("it is generated");
        let said: Value = serde_yaml_ng::from_str(&text).expect("a Compose file is YAML");
        fs::write(compose.join("compose.json"), said.to_string()).expect("the folder is ours");

        let debian = room.path().join("debian");
        let copied = Command::new("cp")
            .arg("-r")
            .arg(tools.join("debian/."))
            .arg(&debian)
            .status();
        assert!(
            copied.is_ok_and(|it| it.success()),
            "no {}",
            tools.join("debian").display()
        );
        let bin = room.path().join("bin");
        fs::create_dir(&bin).expect("the folder is ours");
        let programs = [
            ("docker", None),
            ("wget", Some("#!/bin/sh\nexec busybox wget \"$@\"\n")),
        ];
        for (name, text) in programs {
            let text = text.map_or_else(
                || fs::read_to_string(top().join("tests/it/server/engine.py")),
                |it| Ok(it.to_owned()),
            );
            fs::write(bin.join(name), text.expect("the engine is there")).expect("the folder is ours");
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("the file is ours");
        }
        symlink(tools.join("bin/caddy"), bin.join("caddy")).expect("the folder is ours");
        symlink("/usr/bin/python3", bin.join("python")).expect("the folder is ours");
        let path = format!(
            "{}:{}:/usr/bin:/bin:/usr/sbin:/sbin",
            bin.display(),
            debian.join("bin").display()
        );
        let mut shelf = Self {
            engine: None,
            path,
            room,
        };
        let env = [("ENGINE", shelf.place(""))];
        let env: Vec<(&str, &str)> = env.iter().map(|it| (it.0, it.1.as_str())).collect();
        shelf.engine = Some(Server::start(
            shelf.room.path(),
            "engine",
            &shelf.path,
            &["docker", "serve"],
            &env,
        ));
        shelf.until("the engine", || shelf.room.path().join("engine.sock").exists());
        shelf
    }

    fn place(&self, name: &str) -> String {
        self.room.path().join(name).to_string_lossy().into_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.room.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs a line of shell in the folder of the Compose file.
    fn sh(&self, line: &str) -> Output {
        let output = Command::new("bash")
            .args(["-c", line])
            .current_dir(self.room.path().join("project/deployments/compose"))
            .env_clear()
            .env("PATH", &self.path)
            .env("ENGINE", self.room.path())
            .output();
        output.unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn ok(&self, line: &str) -> String {
        let output = self.sh(line);
        assert!(
            output.status.success(),
            "{line}\n{}{}\n{}",
            shown(&output.stdout),
            shown(&output.stderr),
            self.logs()
        );
        shown(&output.stdout)
    }

    fn logs(&self) -> String {
        let logs = crate::tidy::files(self.room.path(), ".log");
        let logs = logs.iter().filter(|it| it.parent() == Some(self.room.path()));
        let text = |it: &PathBuf| format!("── {}\n{}", it.display(), fs::read_to_string(it).unwrap_or_default());
        logs.map(text).collect::<Vec<_>>().join("\n")
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{what} not within 30 s\n{}",
                self.logs()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns where a port of a container is on this machine.
    fn port(&self, of: &str) -> String {
        let ports: BTreeMap<String, u16> =
            serde_json::from_str(&self.read("ports.json")).expect("it was written whole");
        format!("127.0.0.1:{}", ports[of])
    }

    /// Asks by the way in, and returns the status and what is answered.
    fn ask(&self, path: &str) -> (u16, Value) {
        let (status, body) = get(&self.port("caddy:80"), SITE, path);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Without the password that `.env.example` asks for nothing starts; it is filled in as that file says.
    fn asks_for_its_variables(&self) {
        self.ok("cp .env.example .env");
        let refused = self.sh("docker compose up --detach --wait");
        let said = shown(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains("DATABASE_PASSWORD"),
            "{said}"
        );
        let example = self.read("project/deployments/compose/.env");
        let empty: Vec<&str> = example.lines().filter(|it| it.ends_with("=''")).collect();
        assert_eq!(empty, ["DATABASE_PASSWORD=''"], "what is to be filled in");
        self.ok("sed -i \"s/^DATABASE_PASSWORD=''/DATABASE_PASSWORD='a1b2c3'/\" .env");
    }

    /// The generated unit's own command brings all up.
    fn starts_with_the_machine(&self) {
        let unit = self.read("project/deployments/server/shelf.service");
        let command = unit.lines().find_map(|it| it.strip_prefix("ExecStart="));
        self.ok(command.expect("a unit starts something"));
    }

    /// Each container has started after what it waits for was as it must be.
    fn has_started_in_order(&self) {
        let events = self.read("events");
        let when = |what: &str, name: &str| events.lines().position(|it| it == format!("{what} {name}"));
        let compose: Value =
            serde_json::from_str(&self.read("project/deployments/compose/compose.json")).expect("JSON");
        let mut n_waits = 0;
        for (name, said) in compose["services"].as_object().expect("it has services") {
            let started = when("started", name).unwrap_or_else(|| panic!("{name} has not started:\n{events}"));
            for (other, how) in said["depends_on"].as_object().into_iter().flatten() {
                let ready = match how["condition"].as_str() {
                    Some("service_healthy") => "healthy",
                    Some("service_completed_successfully") => "completed",
                    _ => "started",
                };
                let ready = when(ready, other);
                assert!(ready.is_some_and(|it| it < started), "{name} before {other}:\n{events}");
                n_waits += 1;
            }
            let checked = !said["healthcheck"]["test"].is_null();
            assert!(
                !checked || when("healthy", name).is_some(),
                "{name} is not healthy:\n{events}"
            );
        }
        assert!(n_waits > 5, "only {n_waits} waits");
        say(&format!("containers: {n_waits} waits were kept"));
    }

    /// Both routes lead in, the longer path first; what is asked for comes out of the database and through the queue.
    fn is_reached_through_caddy(&self) {
        // Caddy asks its upstreams by itself, and lets nothing through before.
        self.until("the way in", || self.ask("/").0 == 200);
        assert_eq!(self.ask("/"), (200, json!({"shelf": {"Emma": 0, "Ulysses": 0}})));
        assert_eq!(self.ask("/books?title=Emma"), (200, json!({"found": true})));
        assert_eq!(self.ask("/books?title=Walden").0, 404);
        self.until("the count", || {
            self.ask("/books") == (200, json!({"Emma": 1, "Ulysses": 0}))
        });
        let (status, _) = get(&self.port("caddy:80"), "other.localhost", "/books");
        assert_ne!(self.raw("/books", "GET").find("X-Content-Type-Options: nosniff"), None);
        let (_, body) = get(&self.port("caddy:80"), "other.localhost", "/books");
        assert!(body.is_empty(), "{status}: another host leads to something: {body}");
    }

    /// Returns a whole answer, with its head.
    fn raw(&self, path: &str, method: &str) -> String {
        let mut stream = TcpStream::connect(self.port("caddy:80")).expect("Caddy listens");
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {SITE}\r\nContent-Length: 0\r\n\r\n"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// What was backed up while all runs is had back, what came later is gone, and what was lost is there.
    fn is_had_back(&self) {
        assert!(self.raw("/books?title=Walden", "POST").contains(" 201 "));
        let all = json!({"Emma": 1, "Ulysses": 0, "Walden": 0});
        assert_eq!(self.ask("/books"), (200, all.clone()));
        let note = "docker compose exec -T queue sh -c 'redis-cli -p ${0##*:} set note ";
        let queue = self.port("queue:6379");
        self.ok(&format!("{note}kept' {queue}"));
        let said = self.ok(&format!("../server/backup.sh {}", self.place("backups")));
        let backup = said.lines().last().expect("it names the backup").to_owned();
        let events = self.read("events");
        assert!(
            events.ends_with("paused caddy\nunpaused caddy\npaused queue\nunpaused queue\n"),
            "who writes stands still:\n{events}"
        );
        let made = fs::read_dir(&backup).expect("it is a folder").count();

        self.ok(&format!("{note}later' {queue}"));
        let psql = "docker compose exec -T database psql --quiet --username app --dbname database";
        self.ok(&format!(
            "{psql} --command \"DELETE FROM books WHERE title <> 'Ulysses'\""
        ));
        self.ok(&format!("{psql} --command 'CREATE TABLE later (a int)'"));
        assert_eq!(self.ask("/books"), (200, json!({"Ulysses": 0})));

        let start = Instant::now();
        self.ok(&format!("../server/restore.sh {backup}"));
        self.until("the way in", || self.ask("/books").0 == 200);
        assert_eq!(self.ask("/books"), (200, all));
        let kept = self.ok(&format!(
            "docker compose exec -T queue sh -c 'redis-cli -p ${{0##*:}} get note' {queue}"
        ));
        assert_eq!(kept.trim(), "kept");
        let later = self.sh(&format!("{psql} --command 'SELECT * FROM later'"));
        assert!(!later.status.success(), "what was made later is still there");
        say(&format!(
            "containers: a backup of {made} files was had back in {:.1} s",
            start.elapsed().as_secs_f64()
        ));
    }

    /// What is stopped and started by the unit's own commands holds what it held.
    fn comes_back_with_what_it_held(&self) {
        let before = self.ask("/books");
        let unit = self.read("project/deployments/server/shelf.service");
        let stop = unit.lines().find_map(|it| it.strip_prefix("ExecStop="));
        self.ok(stop.expect("a unit stops something"));
        assert_eq!(self.ask("/").0, 0, "something still answers");
        self.starts_with_the_machine();
        self.until("the way in", || self.ask("/books").0 == 200);
        assert_eq!(self.ask("/books"), before);
    }
}
