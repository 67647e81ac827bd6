//! What containers are made of: each line of a deployment specification has its counterpart, two platforms agree on
//! every edge of one spec, and few lines of a spec become many.

use std::collections::BTreeSet;
use std::fs;

use serde_yaml_ng::Value as Yaml;

use crate::project::Project;
use crate::say;
use crate::tidy::{files, top};

/// What a deployment specification says of a web application's image, line by line, and what stands for it in
/// `fixtures/webapp`. Where today's form is another, the second is what does the same.
const IMAGE: [(&str, &str); 23] = [
    (
        "FROM node:20.9.0-alpine AS builder",
        "FROM docker.io/library/node:20.9.0-alpine AS build",
    ),
    ("ARG NODE_ENV=production", "ARG NODE_ENV"),
    // Without what builds there is nothing to build with; the last stage holds none of it.
    ("ARG BUILD_FLAG=--production", "npm ci --include=dev"),
    ("ENV NODE_ENV=${NODE_ENV}", "ENV NODE_ENV=production"),
    ("ENV NPM_CONFIG_LOGLEVEL=warn", "ENV NPM_CONFIG_LOGLEVEL=warn"),
    ("WORKDIR /app", "WORKDIR /app"),
    ("COPY package*.json ./", "COPY package*.json ./"),
    (
        "RUN npm ci ${BUILD_FLAG}",
        "RUN --mount=type=cache,target=/var/cache/npm",
    ),
    ("COPY . .", "COPY . ."),
    ("RUN npm run build", "npm run build"),
    (
        "FROM node:20.9.0-alpine AS runner",
        "FROM docker.io/library/node:20.9.0-alpine AS runtime",
    ),
    ("COPY next.config.js", "COPY --from=build /app/next.config.* ./"),
    ("COPY public", "COPY --from=build /app/public ./public"),
    ("COPY standalone", "COPY --from=build /app/.next/standalone ./"),
    ("COPY static", "COPY --from=build /app/.next/static ./.next/static"),
    ("ENV NODE_ENV=production", "ENV NODE_ENV=production"),
    ("ENV PORT=3000", "PORT=3000"),
    ("EXPOSE ${PORT}", "EXPOSE 3000"),
    ("--interval=30s", "--interval=30s"),
    ("--timeout=30s", "--timeout=30s"),
    ("--start-period=5s --retries=3", "--start-period=5s --retries=3"),
    // No file of the application is needed to ask it.
    ("CMD node healthcheck.js", "CMD [\"node\", \"-e\", \"fetch("),
    ("CMD [\"node\", \"server.js\"]", "CMD [\"node\", \"server.js\"]"),
];

/// What it says of the containers: a field there, its path in our Compose file, and what stands at that.
const CONTAINERS: [(&str, &str, &str); 28] = [
    ("build.context: .", "services.web.build.context", "../.."),
    (
        "build.dockerfile",
        "services.web.build.dockerfile",
        "deployments/docker/web/Dockerfile",
    ),
    ("build.args.NODE_ENV", "services.web.build.args.NODE_ENV", "production"),
    ("ports: 3000:…", "services.web.ports.0.published", "3000"),
    ("ports: …:3000", "services.web.ports.0.target", "3000"),
    (
        "DATABASE_URL, less its password",
        "services.web.environment.DATABASE_URL",
        "postgresql://user:${DB_PASSWORD:?see .env.example}@db:5432/myapp",
    ),
    ("REDIS_URL", "services.web.environment.REDIS_URL", "redis://cache:6379"),
    ("depends_on: cache", "services.web.depends_on.0", "cache"),
    ("depends_on: db", "services.web.depends_on.1", "db"),
    ("networks of web", "services.web.networks.app-network", ""),
    ("replicas: 2", "services.web.deploy.replicas", "2"),
    ("parallelism: 1", "services.web.deploy.update_config.parallelism", "1"),
    ("delay: 10s", "services.web.deploy.update_config.delay", "10s"),
    (
        "condition: on-failure",
        "services.web.deploy.restart_policy.condition",
        "on-failure",
    ),
    (
        "max_attempts: 3",
        "services.web.deploy.restart_policy.max_attempts",
        "3",
    ),
    (
        "image of db",
        "services.db.image",
        "docker.io/library/postgres:15-alpine",
    ),
    ("volume of db", "services.db.volumes.0.source", "db-data"),
    ("its place", "services.db.volumes.0.target", "/var/lib/postgresql/data"),
    ("POSTGRES_USER", "services.db.environment.POSTGRES_USER", "user"),
    (
        "POSTGRES_PASSWORD, from a file that holds it",
        "services.db.environment.POSTGRES_PASSWORD_FILE",
        "/run/secrets/DB_PASSWORD",
    ),
    ("POSTGRES_DB", "services.db.environment.POSTGRES_DB", "myapp"),
    ("networks of db", "services.db.networks.app-network", ""),
    (
        "constraints",
        "services.db.deploy.placement.constraints.0",
        "node.role == worker",
    ),
    (
        "image of cache",
        "services.cache.image",
        "docker.io/library/redis:7-alpine",
    ),
    ("volume of cache", "services.cache.volumes.0.source", "cache-data"),
    ("its place", "services.cache.volumes.0.target", "/data"),
    ("networks of cache", "services.cache.networks.app-network", ""),
    ("driver: overlay", "networks.app-network.driver", "overlay"),
];

#[test]
fn each_line_of_a_deployment_specification_has_its_counterpart() {
    let folder = top().join("fixtures/webapp/deployments");
    let image = read(&folder.join("docker/web/Dockerfile"));
    let mut faults = Vec::new();
    for (said, counterpart) in IMAGE {
        if !image.contains(counterpart) {
            faults.push(format!("`{said}`: no `{counterpart}`"));
        }
    }
    let compose = yaml(&folder.join("compose/compose.yaml"));
    for (said, path, wanted) in CONTAINERS {
        match at(&compose, path) {
            Some(found) if wanted.is_empty() || text(found) == wanted => {}
            found => faults.push(format!("`{said}`: at `{path}` stands {found:?}, not `{wanted}`")),
        }
    }
    assert!(compose.get("version").is_none(), "`version` has no meaning any more");
    for volume in ["db-data", "cache-data"] {
        assert!(
            at(&compose, &format!("volumes.{volume}")).is_some(),
            "no volume {volume}"
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    say(&format!(
        "containers: {} lines of an image and {} of its containers have their counterparts",
        IMAGE.len(),
        CONTAINERS.len()
    ));
}

#[test]
fn compose_and_nomad_agree_on_every_edge() {
    let folder = top().join("fixtures/both/deployments");
    let compose = yaml(&folder.join("compose/compose.yaml"));
    let services = at(&compose, "services")
        .and_then(Yaml::as_mapping)
        .expect("it has services");
    let networks = |name: &str| keys(at(&compose, &format!("services.{name}.networks")));
    let mut n_compared = 0;
    for job in files(&folder.join("nomad/jobs"), ".nomad") {
        let name = job
            .file_stem()
            .and_then(|it| it.to_str())
            .expect("a job has a name")
            .to_owned();
        let job = read(&job);
        let one = |pattern: &str| found(&job, pattern).into_iter().next();
        let here = |path: &str| at(&compose, &format!("services.{name}.{path}")).map(text);

        let waits: BTreeSet<String> = found(&job, r#"task "wait-for-([^"]+)""#).into_iter().collect();
        assert_eq!(
            waits,
            keys(at(&compose, &format!("services.{name}.depends_on"))),
            "what {name} waits for"
        );

        // Who may connect: those that Consul lets in share a network with it, and nobody else does.
        let intentions = fs::read_to_string(folder.join(format!("nomad/intentions/{name}.hcl"))).unwrap_or_default();
        let let_in: BTreeSet<String> = found(&intentions, r#"Name\s+= "([^"]+)"\s+Action = "allow""#)
            .into_iter()
            .collect();
        let own = networks(&name);
        let callers = services.keys().filter_map(Yaml::as_str).filter(|other| *other != name);
        let connected: BTreeSet<String> = callers
            .filter(|other| {
                networks(other).contains(&format!("{other}--{name}")) && own.contains(&format!("{other}--{name}"))
            })
            .map(str::to_owned)
            .collect();
        assert_eq!(let_in, connected, "who may connect to {name}");

        // Addresses: who mentions it does so by the port that the job opens.
        let opened: BTreeSet<String> = found(&job, r"\bto = (\d+)").into_iter().collect();
        for mention in mentions(&compose, &name) {
            assert!(
                opened.contains(&mention),
                "{name} is called on port {mention}, but opens {opened:?}"
            );
            n_compared += 1;
        }

        let limit = one(r"memory_max = (\d+)").or_else(|| found(&job, r"memory\s+= (\d+)").pop());
        if let Some(memory) = here("deploy.resources.limits.memory") {
            assert_eq!(limit.map(|it| format!("{it}M")), Some(memory), "the memory of {name}");
            n_compared += 1;
        }
        if let Some(path) = one(r#"path\s+= "(/[^"]*)"\s+timeout"#) {
            let asked = here("healthcheck.test.1").expect("it is asked");
            assert!(asked.contains(&path), "{name} is asked at {path} and by {asked}");
            assert!(
                opened.iter().any(|it| asked.contains(&format!(":{it}/"))),
                "{name} is asked by {asked}"
            );
            assert_eq!(
                one(r#"interval\s+= "([^"]+)""#),
                here("healthcheck.interval"),
                "how often {name} is asked"
            );
            assert_eq!(
                one(r#"timeout\s+= "([^"]+)""#),
                here("healthcheck.timeout"),
                "how patiently {name} is asked"
            );
            n_compared += 3;
        }
        n_compared += waits.len() + let_in.len();
    }
    assert!(n_compared > 15, "only {n_compared} things were compared");
    say(&format!("containers: Compose and Nomad agree on {n_compared} things"));
}

/// The shortest way: what `gen init` writes for a pattern, and what becomes of it.
#[test]
fn few_lines_become_a_server() {
    let project = Project::new().file("shop/README.md", "# Shop\n");
    let init = project.run(&[
        "-C",
        "shop",
        "init",
        "--framework",
        "django",
        "--pattern",
        "hobby-project",
    ]);
    assert_eq!(init.code, 0, "{}", init.snapshot());
    let spec = read(&project.dir().join("shop/gen.yaml"));
    let n_said = spec.lines().filter(|it| !it.trim().is_empty()).count();
    assert!(n_said <= 15, "{n_said} lines are more than 15:\n{spec}");
    let apply = project.run(&["-C", "shop", "apply"]);
    assert_eq!(apply.code, 0, "{}", apply.snapshot());
    let made: Vec<String> = files(&project.dir().join("shop/deployments"), "")
        .iter()
        .map(|it| read(it.as_path()))
        .collect();
    let n_made: usize = made.iter().map(|it| it.lines().count()).sum();
    assert!(n_made > 400, "only {n_made} lines");
    say(&format!(
        "containers: {n_said} lines of a spec became {n_made} in {} files",
        made.len()
    ));
}

/// What Kamal's configuration may hold, of which the pack prints some.
const OF_KAMAL: [&str; 16] = [
    "accessories",
    "aliases",
    "asset_path",
    "boot",
    "builder",
    "env",
    "image",
    "labels",
    "logging",
    "proxy",
    "registry",
    "servers",
    "service",
    "ssh",
    "volumes",
    "hooks_path",
];

/// Two packs are written from the guide alone. They are small, and readers of their formats take what they print.
#[test]
fn two_packs_from_the_guide_are_small_and_right() {
    let line = regex::Regex::new(r"^[A-Za-z0-9_-]+: +\S.*$").expect("it is right");
    let mut n_read = 0;
    for pack in ["kamal", "procfile"] {
        let lines = |folder: &str| -> usize {
            let found = files(&top().join(folder).join(pack), "");
            found.iter().map(|it| read(it).lines().count()).sum()
        };
        let (rules, templates) = (lines("rules"), lines("templates"));
        assert!(rules + templates < 150, "{pack} has {rules} and {templates} lines");
        say(&format!(
            "containers: the pack {pack} has {rules} lines of YAML and {templates} of templates"
        ));
        for file in files(&top().join("tests/cases").join(pack), "") {
            let name = file.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            if !file.iter().any(|it| it == "expected") {
                continue;
            }
            if name.starts_with("deploy.") {
                let found = yaml(&file);
                let unknown: Vec<String> = keys(Some(&found))
                    .into_iter()
                    .filter(|it| !OF_KAMAL.contains(&it.as_str()))
                    .collect();
                assert!(unknown.is_empty(), "{name}: {unknown:?}");
                for path in [
                    "service",
                    "image",
                    "servers",
                    "registry.username",
                    "registry.password.0",
                ] {
                    assert!(at(&found, path).is_some(), "{name} has no {path}");
                }
                n_read += 1;
            } else if name == "Procfile" {
                for text in read(&file).lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
                    assert!(line.is_match(text), "{name}: {text}");
                    let command = text.split_once(": ").map_or("", |it| it.1);
                    let shell = std::process::Command::new("bash").args(["-n", "-c", command]).status();
                    assert!(shell.is_ok_and(|it| it.success()), "{name}: {command}");
                }
                n_read += 1;
            }
        }
    }
    assert!(n_read >= 3, "only {n_read} files were read");
}

/// Returns the ports on which the variables of others call a container.
fn mentions(compose: &Yaml, name: &str) -> BTreeSet<String> {
    let services = at(compose, "services")
        .and_then(Yaml::as_mapping)
        .expect("it has services");
    let variables = services.values().filter_map(|it| it.get("environment")?.as_mapping());
    let values = variables.flat_map(|it| it.values().filter_map(Yaml::as_str));
    values
        .flat_map(|it| found(it, &format!(r"(?:^|/|@){name}:(\d+)")))
        .collect()
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &std::path::Path) -> Yaml {
    serde_yaml_ng::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn at<'y>(yaml: &'y Yaml, path: &str) -> Option<&'y Yaml> {
    path.split('.').try_fold(yaml, |it, step| match step.parse::<usize>() {
        Ok(nth) => it.as_sequence()?.get(nth),
        Err(_) => it.get(step),
    })
}

fn text(yaml: &Yaml) -> String {
    match yaml {
        Yaml::String(text) => text.clone(),
        other => serde_yaml_ng::to_string(other).unwrap_or_default().trim().to_owned(),
    }
}

fn keys(yaml: Option<&Yaml>) -> BTreeSet<String> {
    let map = yaml.and_then(Yaml::as_mapping);
    map.into_iter()
        .flat_map(|it| it.keys().filter_map(Yaml::as_str).map(str::to_owned))
        .collect()
}

/// Returns the first group of each match of a pattern.
fn found(text: &str, pattern: &str) -> Vec<String> {
    let pattern = regex::Regex::new(pattern).expect("the pattern is right");
    pattern.captures_iter(text).map(|it| it[1].to_owned()).collect()
}
