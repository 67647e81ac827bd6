//! What containers are made of: each line of a deployment specification has its counterpart, two platforms agree on
//! every edge of one spec, and few lines of a spec become many.

use std::collections::BTreeSet;
use std::fs;

use serde_yaml_ng::Value as Yaml;

use crate::project::Project;
use crate::say;
use crate::tidy::{files, top};

/// What a deployment specification says of a web application's image, line by line and a stage each, and what stands for it
/// in that stage of `fixtures/webapp`, in this order. Where today's form is another, the second is what does the same.
const BUILD: [(&str, &str); 10] = [
    (
        "FROM node:20.9.0-alpine AS builder",
        "FROM docker.io/library/node:20.9.0-alpine AS build",
    ),
    // What an argument says is a variable of all that runs while the image is built.
    ("ARG NODE_ENV=production, ENV NODE_ENV=${NODE_ENV}", "ARG NODE_ENV"),
    ("ENV NPM_CONFIG_LOGLEVEL=warn", "ENV NPM_CONFIG_LOGLEVEL=warn"),
    ("WORKDIR /app", "WORKDIR /app"),
    ("COPY package*.json ./", "COPY package*.json ./"),
    (
        "RUN npm ci ${BUILD_FLAG}",
        "RUN --mount=type=cache,target=/var/cache/npm",
    ),
    // Without what builds there is nothing to build with; the last stage holds none of it.
    ("ARG BUILD_FLAG=--production", "npm ci --include=dev"),
    ("COPY . .", "COPY . ."),
    (
        "(what a build keeps between two runs)",
        "RUN --mount=type=cache,target=/app/.next/cache",
    ),
    ("RUN npm run build", "npm run build"),
];
const RUNTIME: [(&str, &str); 15] = [
    (
        "FROM node:20.9.0-alpine AS runner",
        "FROM docker.io/library/node:20.9.0-alpine AS runtime",
    ),
    ("ENV NODE_ENV=production", "ENV NODE_ENV=production"),
    ("ENV PORT=3000", "PORT=3000"),
    ("WORKDIR /app", "WORKDIR /app"),
    (
        "COPY --from=builder /app/next.config.js ./",
        "COPY --from=build /app/next.config.* ./",
    ),
    (
        "COPY --from=builder /app/public ./public",
        "COPY --from=build /app/public ./public",
    ),
    (
        "COPY --from=builder /app/.next/standalone ./",
        "COPY --from=build /app/.next/standalone ./",
    ),
    (
        "COPY --from=builder /app/.next/static ./.next/static",
        "COPY --from=build /app/.next/static ./.next/static",
    ),
    ("EXPOSE ${PORT}", "EXPOSE 3000"),
    ("HEALTHCHECK --interval=30s", "HEALTHCHECK --interval=30s"),
    ("--timeout=30s", "--timeout=30s"),
    ("--start-period=5s", "--start-period=5s"),
    ("--retries=3", "--retries=3"),
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
    let (build, runtime) = image.split_at(image.rfind("\nFROM ").expect("it has two stages"));
    let mut faults = Vec::new();
    for (stage, lines) in [(build, &BUILD[..]), (runtime, &RUNTIME[..])] {
        let mut rest = stage;
        for (said, counterpart) in lines {
            match rest.split_once(counterpart) {
                Some((_, behind)) => rest = behind,
                None => faults.push(format!("`{said}`: no `{counterpart}` in its place")),
            }
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
        BUILD.len() + RUNTIME.len(),
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

/// The same without a word of it in the spec: what is chosen for one run says what the pattern would have written.
#[test]
fn a_pattern_is_chosen_without_editing() {
    let plain = "version: 0.2\nname: shop\nservices:\n  shop:\n    deployment:\n      health_check: /health\n      routes: {main: {host: shop.example.org}}\n";
    let chosen = Project::new().file("gen.yaml", plain);
    let flags = ["--pattern", "hobby-project", "--framework", "django"];
    let apply = chosen.run(&[&["apply"], &flags[..]].concat());
    assert_eq!(apply.code, 0, "{}", apply.snapshot());
    let made = |project: &Project| {
        let mut files = project.files();
        files.retain(|path, _| path.starts_with("deployments/"));
        files
    };
    let spec = read(&top().join("fixtures/hobby/gen.yaml"));
    let written = Project::new().file("gen.yaml", &spec);
    let other = written.run(&["apply"]);
    assert_eq!(other.code, 0, "{}", other.snapshot());
    assert!(made(&chosen) == made(&written), "what is chosen gives other files");
    let plan = chosen.run(&[&["plan", "--detailed-exitcode"], &flags[..]].concat());
    assert_eq!(plan.code, 0, "{}", plan.snapshot());
    let check = chosen.run(&[&["check"], &flags[..]].concat());
    assert_eq!(check.code, 0, "{}", check.snapshot());

    // What is set lies over what is chosen, and a platform over that of a pattern.
    let cluster = chosen.run(&[
        "plan",
        "--all",
        "--pattern",
        "hobby-project",
        "--framework",
        "django",
        "--platform",
        "kubernetes",
        "--set",
        "services.shop.image=a/shop:1",
        "--set",
        "services.shop.deployment.ports={http: 8000}",
    ]);
    assert!(
        cluster.stdout.contains("deployments/kubernetes/shop/deployment.yaml"),
        "{}",
        cluster.snapshot()
    );
    let unknown = chosen.run(&["plan", "--pattern", "hobby-projct"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("shell::unknown_pattern") && unknown.stderr.contains("`hobby-project`"));
}

/// What a seed's record of a generator holds, and where machines find it here.
const OF_A_GENERATOR: [(&str, &str); 11] = [
    ("/generator/name", "\"Docker Compose (Local Dev)\""),
    ("/generator/slug", "\"docker-compose-local\""),
    ("/generator/executorType", "\"docker-compose\""),
    ("/generator/isBuiltIn", "true"),
    ("/generator/category", "\"local-dev\""),
    ("/generator/icon", "\"🐳\""),
    ("/generator/configSchema/required", "[\"port\",\"serviceName\"]"),
    ("/generator/configSchema/properties/serviceName/type", "\"string\""),
    ("/generator/configSchema/properties/port/type", "\"integer\""),
    (
        "/generator/configSchema/properties/environment/items/properties/key/type",
        "\"string\"",
    ),
    ("/generator/configSchema/properties/volumes/items/type", "\"string\""),
];

#[test]
fn a_generator_is_listed_as_catalogues_do() {
    let project = Project::new();
    let show = project.run(&["pack", "show", "docker-compose-local", "--json"]);
    assert_eq!(show.code, 0, "{}", show.snapshot());
    let shown: serde_json::Value = serde_json::from_str(&show.stdout).expect("it is JSON");
    for (path, wanted) in OF_A_GENERATOR {
        let found = shown.pointer(path).map(ToString::to_string);
        assert_eq!(found.as_deref(), Some(wanted), "{path}");
    }
    let template = shown
        .pointer("/generator/templateFiles/0/content")
        .and_then(|it| it.as_str());
    assert!(template.is_some_and(|it| it.contains("services:")), "no template");
    let list = project.run(&["pack", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&list.stdout).expect("it is JSON");
    let generators = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter(|it| it["generator"].is_object());
    let generators: Vec<String> = generators.map(|it| it["name"].to_string()).collect();
    assert_eq!(generators, ["\"docker-compose-local\""]);

    // A config as a portal keeps it, as JSON, is the spec.
    let config =
        serde_json::json!({"serviceName": "auth-api", "port": 8080, "environment": [{"key": "A", "value": "$b"}]});
    let spec = serde_json::json!({"version": 0.2, "name": "auth", "local_services": {"local": config}});
    let project = project.file("gen.yaml", &spec.to_string());
    let apply = project.run(&["apply"]);
    assert_eq!(apply.code, 0, "{}", apply.snapshot());
    let made: Yaml = yaml(&project.dir().join("docker-compose.yml"));
    assert_eq!(
        at(&made, "services.auth-api.ports.0").map(text).as_deref(),
        Some("8080:8080")
    );
    assert_eq!(
        at(&made, "services.auth-api.environment.A").map(text).as_deref(),
        Some("$$b")
    );
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
