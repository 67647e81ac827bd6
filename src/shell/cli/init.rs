//! `gen init`: a spec for a repository, from what stands in it.
//!
//! Which file tells what is data, in `rules/init.tsv`. Nothing is ever overwritten, but for a block of `.gitattributes` on request.

mod attributes;
mod compose;
mod fields;
mod parts;
mod print;
mod repository;
mod table;
mod tree;

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};

use clap::Args;

use super::super::discover::SPEC_NAMES;
use super::super::engine::{patterns, platforms, values};
use super::super::report::{Exit, Report, Sources};
use crate::problem::Problem;
use crate::value::Path;
use print::{said_by, scalar};
use repository::Service;

/// Write a spec for this repository, from what stands in it
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The framework of the project's one service, where the repository has none yet
    #[arg(long, value_name = "NAME", value_parser = known_framework)]
    framework: Option<String>,
    /// The way it shall run: what the spec says of that besides
    #[arg(long, value_name = "NAME", value_parser = known_pattern)]
    pattern: Option<String>,
    /// Tell git what is generated: writes a block of `.gitattributes`, or writes it anew. Where there is a spec, nothing
    /// else is done
    #[arg(long)]
    gitattributes: bool,
}

fn known_framework(name: &str) -> Result<String, String> {
    one_of(name, "frameworks", &values("service", "framework"))
}

fn known_pattern(name: &str) -> Result<String, String> {
    let known: Vec<String> = patterns().iter().map(|it| it.name.to_string()).collect();
    one_of(name, "patterns", &known)
}

fn one_of(name: &str, what: &str, known: &[String]) -> Result<String, String> {
    if known.iter().any(|it| it == name) {
        Ok(name.to_owned())
    } else {
        Err(format!("the {what} are {}", known.join(", ")))
    }
}

/// Why no spec was written, with the texts of the files in which that stands.
#[derive(Debug, Default)]
struct Refused {
    problems: Vec<Problem>,
    sources: Sources,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }
}

/// A spec that was written, and what it lacks to generate something.
struct Written {
    text: String,
    lacking: Vec<String>,
}

pub(super) fn run(args: &InitArgs, folder: &std::path::Path, report: &Report) -> Exit {
    let is_begun = SPEC_NAMES.iter().any(|it| folder.join(it).exists());
    let exit = if args.gitattributes && is_begun {
        Exit::Done
    } else {
        begin(args, folder, report)
    };
    if args.gitattributes && exit == Exit::Done {
        return attribute(folder, report);
    }
    exit
}

/// Tells git what is generated.
fn attribute(folder: &std::path::Path, report: &Report) -> Exit {
    match attributes::write(folder) {
        Ok(attributed) => {
            let word = match attributed.became {
                attributes::Became::Created => "created",
                attributes::Became::Updated => "updated",
                attributes::Became::Unchanged => "unchanged",
            };
            report.result(&format!("{word:<10} {}\n", attributes::FILE));
            if !attributed.has_files {
                report.note("nothing is generated yet: after `gen apply`, `gen init --gitattributes` names the files");
            }
            Exit::Done
        }
        Err(problem) => {
            report.problems(&[problem], &Sources::default());
            Exit::Failed
        }
    }
}

fn begin(args: &InitArgs, folder: &std::path::Path, report: &Report) -> Exit {
    match write(args, folder) {
        Ok(written) => {
            report.result(&format!("created    {}\n", SPEC_NAMES[0]));
            written.lacking.iter().for_each(|it| report.note(it));
            report.note("look it over, then run `gen plan`");
            Exit::Done
        }
        Err(Refused { problems, sources }) => {
            report.problems(&problems, &sources);
            Exit::Failed
        }
    }
}

fn write(args: &InitArgs, folder: &std::path::Path) -> Result<Written, Refused> {
    if let Some(name) = SPEC_NAMES.iter().find(|it| folder.join(it).exists()) {
        let problem = Problem::error("shell::exists", format!("`{name}` is there already"));
        return Err(problem.help("`gen plan` shows what it generates").into());
    }
    let folder = fs::canonicalize(folder).map_err(|error| {
        Problem::error(
            "shell::no_folder",
            format!("the folder `{}` can't be used: {error}", folder.display()),
        )
        .help("name a folder that is there by `-C DIR`")
    })?;
    let spec = spec(args, &folder)?;
    let place = folder.join(SPEC_NAMES[0]);
    let written = fs::File::create_new(place).and_then(|mut it| it.write_all(spec.text.as_bytes()));
    match written {
        Ok(()) => Ok(spec),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("`{}` is there already", SPEC_NAMES[0]);
            let problem = Problem::error("shell::exists", message);
            Err(problem.help("`gen plan` shows what it generates").into())
        }
        Err(error) => {
            let message = format!("`{}` can't be written: {error}", SPEC_NAMES[0]);
            let problem = Problem::error("shell::write_failed", message);
            Err(problem.help("give yourself the right to write to this folder").into())
        }
    }
}

/// Returns a spec for what stands in `folder`.
///
/// # Errors
/// A file that tells of services can't be read in full.
fn spec(args: &InitArgs, folder: &std::path::Path) -> Result<Written, Refused> {
    let known = platforms();
    let mut found: Vec<&str> = table::lines("platform")
        .filter(|it| folder.join(it.file).exists())
        .filter_map(|it| it.name)
        .filter(|it| known.iter().any(|known| known == it))
        .collect();
    found.dedup();
    let mut lacking = Vec::new();
    let mut services = repository::services(folder);
    let composed = compose::read(folder, &mut services)?;
    let name = composed.name.clone().unwrap_or_else(|| repository::name(folder));
    let mut text = format!("version: 0.2\nname: {}\n\n", scalar(&name));
    if let (Some(framework), true) = (&args.framework, services.is_empty()) {
        services.push(Service {
            name,
            framework: Some(framework.clone()),
            ..Service::default()
        });
    }
    let pattern = patterns()
        .into_iter()
        .find(|it| Some(&*it.name) == args.pattern.as_deref());
    let by_pattern = pattern.as_ref().map(|it| said_by(&it.set)).unwrap_or_default();
    let builds = match &pattern {
        Some(pattern) => pattern.builds,
        None => {
            !found.is_empty()
                && found
                    .iter()
                    .all(|it| table::lines("builds").any(|line| line.file == *it))
        }
    };
    if !by_pattern.is_empty() {
        text.push_str("deployment:\n");
        by_pattern.iter().for_each(|it| _ = writeln!(text, "  {it}"));
    } else if found.is_empty() {
        let known = known.join(", ");
        text.push_str(&format!(
            "deployment:\n  platforms: []   # where the services run: {known}\n"
        ));
        lacking.push(format!(
            "nothing is generated before `deployment.platforms` names one of: {known}"
        ));
    } else {
        text.push_str(&format!("deployment:\n  platforms: [{}]\n", found.join(", ")));
    }
    if services.is_empty() {
        text.push_str("\nservices: {}\n");
        lacking.push("no services were found: add some under `services`".to_owned());
    } else {
        text.push_str("\nservices:\n");
        services
            .iter()
            .for_each(|it| print::service(it, pattern.as_ref(), builds, &mut text));
    }
    if !composed.infra.is_empty() {
        text.push_str("\ninfra:\n");
        composed.infra.iter().for_each(|it| print::infra(it, &mut text));
    }
    if !composed.volumes.is_empty() {
        text.push_str("\nvolumes:\n");
        let platforms = pattern
            .as_ref()
            .and_then(|it| it.set.iter().find(|it| it.0 == Path::parse("deployment.platforms")));
        let is_chosen = |name: &str| platforms.map_or_else(|| found.contains(&name), |it| it.1.contains(name));
        let size = table::lines("size")
            .find(|it| is_chosen(it.file))
            .and_then(|it| it.name);
        composed
            .volumes
            .iter()
            .for_each(|it| print::volume(it, size, &mut text));
    }
    if !builds && services.iter().any(|it| it.image.is_none()) {
        lacking.push(
            "images whose name nobody gives are called after their service: write where they are kept".to_owned(),
        );
    }
    let of_services = services.iter().map(|it| &it.left_out);
    let mut left_out = of_services.chain(composed.infra.iter().map(|it| &it.left_out));
    if left_out.any(|it| !it.is_empty()) {
        lacking.push(
            "variables that may be secrets or come from outside, and what a spec says otherwise, are left out: see the comments"
                .to_owned(),
        );
    }
    Ok(Written { text, lacking })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, &str)]) -> (tempfile::TempDir, Written) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (file, text) in files {
            let place = folder.path().join("my shop").join(file);
            fs::create_dir_all(place.parent().expect("below")).expect("made");
            fs::write(place, text).expect("written");
        }
        let args = InitArgs {
            gitattributes: false,
            framework: None,
            pattern: None,
        };
        let written = write(&args, &folder.path().join("my shop")).expect("written");
        (folder, written)
    }

    fn services(files: &[(&str, &str)]) -> String {
        let (_folder, spec) = made(files);
        spec.text.split_once("\nservices:\n").expect("services").1.to_owned()
    }

    #[test]
    fn a_spec_is_made_of_what_stands_there_and_never_overwritten() {
        let (folder, spec) = made(&[
            ("services/web/package.json", "{\"dependencies\": {\"express\": \"4\"}}"),
            ("services/orders/pyproject.toml", "dependencies = [\"Django>=5\"]"),
            ("services/null/go.mod", "module x"),
            ("services/notes/README.md", "no service"),
            ("libs/common/package.json", "{}"),
            ("node_modules/other/package.json", "{}"),
            (
                "package.json",
                "{\n  \"name\": \"@acme/shop\",\n  \"workspaces\": [\"services/*\"]\n}",
            ),
        ]);
        assert!(
            spec.text
                .starts_with("version: 0.2\nname: shop\n\ndeployment:\n  platforms: []"),
            "{}",
            spec.text
        );
        let names: Vec<&str> = spec
            .text
            .lines()
            .filter(|it| it.starts_with("  ") && it.ends_with(':'))
            .collect();
        assert_eq!(names, ["  \"null\":", "  orders:", "  web:"]);
        assert!(
            spec.text
                .contains("  orders:\n    framework: django\n    image: \"orders:latest\""),
            "{}",
            spec.text
        );
        let root = folder.path().join("my shop");
        let args = InitArgs {
            gitattributes: false,
            framework: None,
            pattern: None,
        };
        assert_eq!(
            write(&args, &root).err().expect("there already").problems[0].code,
            "shell::exists"
        );
    }

    #[test]
    fn what_is_called_after_a_folder_can_be_a_host() {
        assert_eq!(
            repository::name(std::path::Path::new("/x/My (new) shop!")),
            "My-new-shop"
        );
        let text = services(&[("My (new) shop!/go.mod", "module x"), ("ü/go.mod", "module y")]);
        assert!(
            text.starts_with("  My-new-shop:\n") && text.contains("  \"ü\":\n"),
            "{text}"
        );
    }

    #[test]
    fn a_framework_is_one_that_packs_know() {
        assert_eq!(known_framework("django").as_deref(), Ok("django"));
        assert!(known_framework("nope").is_err_and(|it| it.contains("django")));
    }

    #[test]
    fn a_build_file_tells_ports_and_health() {
        let text = services(&[(
            "frontend/Dockerfile",
            "FROM x\nEXPOSE 3000 9100/tcp\nHEALTHCHECK --interval=5s \\\n  CMD curl -f http://localhost:3000/healthz || exit 1\n",
        )]);
        let wanted =
            "    deployment:\n      ports: {http: 3000, port-9100: 9100}\n      health_check: {path: \"/healthz\"}\n";
        assert!(text.ends_with(wanted), "{text}");
    }

    #[test]
    fn a_compose_file_tells_names_order_and_variables_but_no_secret() {
        let text = services(&[
            ("api/go.mod", "module example.org/api"),
            (
                "compose.yaml",
                "services:\n  backend:\n    build: ./api\n    ports: [\"127.0.0.1:80:8080\"]\n    depends_on: [db, gone]\n    \
                 environment: {LEVEL: info, DB_PASSWORD: hunter2hunter2, HOST: \"${HOST}\", N: 3}\n  \
                 db: {image: \"postgres:16-alpine\"}\n",
            ),
        ]);
        let wanted = "  backend:\n    framework: go\n    build: {context: \"api\"}\n    \
                      depends_on: [db]\n    # left out: DB_PASSWORD, HOST\n    env:\n      LEVEL: \"info\"\n      \"N\": \"3\"\n    \
                      deployment:\n      ports: {http: {port: 8080, published: 80, host_ip: \"127.0.0.1\"}}\n\ninfra:\n  \
                      db: {type: postgresql, version: \"16\", image: \"postgres:16-alpine\"}\n";
        assert_eq!(text, wanted);
    }

    fn composed(text: &str) -> String {
        services(&[
            ("requirements.txt", "django"),
            (
                "Dockerfile",
                "FROM x\nEXPOSE 8000\nHEALTHCHECK CMD curl http://127.0.0.1:8000/up\n",
            ),
            ("db/Dockerfile", "FROM y"),
            ("compose.yaml", text),
        ])
    }

    #[test]
    fn services_of_one_folder_stay_apart_and_run_one_image() {
        let text = composed(
            "services:\n  worker: {build: {context: ./}, command: celery -A 'my shop', depends_on: [db, web, db]}\n  web: {build: .}\n  \
             tool: {build: {context: ., target: tool}}\n  db: {image: \"postgres:16\"}\n",
        );
        let wanted = "  tool:\n    framework: django\n    build: {target: \"tool\", file: \"Dockerfile\"}\n    deployment:\n      ports: {http: 8000}\n      health_check: {path: \"/up\"}\n  \
                      web:\n    framework: django\n    build: {file: \"Dockerfile\"}\n    \
                      deployment:\n      ports: {http: 8000}\n      health_check: {path: \"/up\"}\n  \
                      worker:\n    framework: django\n    process_of: web\n    \
                      build: {file: \"Dockerfile\"}\n    depends_on: [db, web]\n    \
                      command: [\"celery\", \"-A\", \"my shop\"]\n\ninfra:\n  db: {type: postgresql, version: \"16\"}\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_compose_file_tells_how_a_service_runs_and_what_is_left_out() {
        let text = composed(
            "services:\n  web:\n    image: \"shop:${TAG:-1}\"\n    command: [sh, -c, \"echo $${A}\"]\n    env_file: .env\n    restart: on-failure\n    \
             ports: [\"127.0.0.1:80:8080\", \"9000:9000\", \"1-2:1-2\"]\n    healthcheck: {test: [CMD, curl, \"http://localhost:9000/up\"], interval: 5s, retries: 3}\n    \
             deploy: {mode: global, resources: {limits: {cpus: \"0.5\", memory: 512M}, reservations: {memory: 64m}}}\n    \
             volumes: [\"data:/data:ro\", \"./conf:/conf\"]\n    labels: {team: a}\n    depends_on: {db: {required: false}}\n    networks: [front]\n  \
             job: {image: x, scale: 2, ports: [\"9000:9000\"], volumes: [\"data:/d\"], labels: [\"a=Host(`b`)\"], healthcheck: {test: \"true || false\"}, command: \"a 'b\"}\n  \
             db: {image: \"postgis/postgis:16\", environment: [POSTGRES_USER=shop, POSTGRES_DB=My-Db, POSTGRES_PASSWORD=x], \
             ports: [\"5432:5432\"], volumes: [\"pg:/var\"], command: postgres -c x=1}\nvolumes: {data: , pg: }\n",
        );
        let wanted = "  job:\n    image: \"x\"\n    # left out: labels a=Host(`b`), command, ports 9000:9000 (published)\n    deployment:\n      \
                      ports: {http: 9000}\n      health_check: {command: [\"sh\", \"-c\", \"true || false\"]}\n      \
                      volumes: {data: {path: \"/d\"}}\n      replicas: 2\n  \
                      web:\n    image: \"shop:1\"\n    depends_on: {db: {required: false}}\n    \
                      # left out: ports 1-2:1-2, volumes ./conf:/conf, deploy.mode global, networks front\n    \
                      command: [\"sh\", \"-c\", \"echo $${A}\"]\n    env_file: [\".env\"]\n    labels: {team: \"a\"}\n    deployment:\n      \
                      ports: {http: {port: 8080, published: 80, host_ip: \"127.0.0.1\"}, port-9000: {port: 9000, static: true, host_ip: \"0.0.0.0\"}}\n      \
                      health_check: {path: \"/up\", port: port-9000, interval: 5s, retries: 3}\n      \
                      volumes: {data: {path: \"/data\", read_only: true}}\n      restart: on_failure\n      \
                      resources: {limits: {cpu: 500m, memory: 512Mi}, memory: 64Mi}\n\ninfra:\n  \
                      # left out of db: POSTGRES_DB, POSTGRES_PASSWORD, ports 5432:5432 (published), volumes pg:/var, command\n  \
                      db: {type: postgresql, version: \"16\", image: \"postgis/postgis:16\", compose: {user: \"shop\"}}\n\n\
                      volumes:\n  data: {shared: true}\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_project_is_called_as_its_compose_file_calls_it() {
        let named = |name: &str| {
            let text = format!("{name}services: {{web: {{image: x}}}}\n");
            let written = made(&[("compose.yaml", &text)]).1;
            written.text.lines().nth(1).map(str::to_owned)
        };
        assert_eq!(named("name: acme\n").as_deref(), Some("name: acme"));
        assert_eq!(named("name: ${NAME:-acme}\n").as_deref(), Some("name: acme"));
        for nothing in ["name: ${NAME}\n", "name: \"\"\n", ""] {
            assert_eq!(named(nothing).as_deref(), Some("name: myshop"), "by its folder");
        }
    }

    #[test]
    fn the_volume_that_holds_the_data_of_infrastructure_stays_its_volume() {
        let text = composed(
            "services:\n  db: {image: \"postgres:16\", volumes: [\"pg:/var/lib/postgresql/data\", \"./x:/y\"]}\n  \
             a: {image: \"redis:7\", volumes: [\"c:/data\"]}\n  \
             q: {image: \"rabbitmq:4\", volumes: [{type: volume, source: r, target: /var/lib/rabbitmq}, \"r:/other\"]}\n\
             volumes: {pg: , c: {name: other}, r: {}}\n",
        );
        let wanted = "  # left out of db: volumes ./x:/y\n  db: {type: postgresql, version: \"16\", compose: {volume: \"pg\"}}\n  \
                      # left out of a: volumes c:/data\n  a: {type: redis, version: \"7\"}\n  \
                      # left out of q: volumes r:/other\n  q: {type: rabbitmq, version: \"4\", compose: {volume: \"r\"}}\n";
        assert!(text.ends_with(wanted), "{text}");
    }

    #[test]
    fn a_compose_file_that_is_torn_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let torn = "services:\n  a: {image: x}\n  b: [\n";
        fs::write(folder.path().join("compose.yml"), torn).expect("written");
        let args = InitArgs {
            gitattributes: false,
            framework: None,
            pattern: None,
        };
        let refused = write(&args, folder.path()).err().expect("it can't be read");
        assert!(refused.problems[0].code.starts_with("yaml::"), "{:?}", refused.problems);
        assert_eq!(refused.sources.get("compose.yml"), Some(torn));
        assert!(!folder.path().join(SPEC_NAMES[0]).exists());
    }

    #[test]
    fn infrastructure_is_known_by_the_name_of_its_image() {
        let text = composed(
            "services:\n  a: {image: \"localhost:5000/mirror/redis:7\"}\n  b: {image: redis@sha256:0}\n  c: {image: \"memcached:v1\"}\n  \
             d: {image: \"mysql:${V:-8}-debian\"}\n  e: {image: \"redis:${V}\"}\n",
        );
        let wanted = "  a: {type: redis, version: \"7\", image: \"localhost:5000/mirror/redis:7\"}\n  b: {type: redis, image: \"redis@sha256:0\"}\n  \
                      c: {type: memcached, image: \"memcached:v1\"}\n  d: {type: mysql, version: \"8\", image: \"mysql:8-debian\"}\n  # left out of e: image redis:${V}\n  e: {type: redis}\n";
        assert!(text.ends_with(wanted), "{text}");
    }

    #[test]
    fn every_line_of_the_table_is_whole_and_names_what_is_there() {
        let lines = table::TABLE.lines().filter(|it| !it.starts_with('#')).count();
        assert_eq!(table::table().count(), lines);
        let known = [
            "framework",
            "name",
            "workspace",
            "skip",
            "image",
            "compose",
            "infra",
            "platform",
            "field",
            "field-of-infra",
            "variable",
            "volume",
            "word",
            "size",
            "builds",
        ];
        assert!(table::table().all(|it| known.contains(&it.tells)));
        let platforms = platforms();
        assert!(
            table::lines("platform")
                .filter_map(|it| it.name)
                .all(|it| platforms.iter().any(|known| known == it))
        );
    }
}
