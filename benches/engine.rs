//! How long `gen` takes, beside what can't be avoided: a raw write, a bare loop of Handlebars, and `git status`.
//!
//! All figures are medians of paired runs on storage in memory; the budgets are those of the design. It judges no
//! contents, but refuses to compare with a loop that writes other bytes.
//!
//!     cargo bench --bench engine                 one, 100, 1,000 and 10,000 services
//!     cargo bench --bench engine -- --short      one and 1,000
//!     cargo bench --bench engine -- --extreme    a chain of 100,000 and a hub of 10,000 as well
//!     cargo bench --bench engine -- --write      puts the table into README.md as well
//!     cargo bench --bench engine -- --check      fails where a figure is beyond its budget by half
//!     cargo bench --bench engine -- --runs 9     takes the medians of nine
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement needs a clock, a disk and a place to tell"
)]

mod bare;
mod extreme;
mod machine;
mod monorepo;
mod shape;
mod table;
#[expect(dead_code, reason = "another bench asks for more")]
mod watching;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use groundplan::shell::discover;
use groundplan::shell::engine::{Ask, Changed, Content, Engine};
use machine::{Cost, Storage};
use table::{Row, Table};
use watching::Watching;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The binary that is measured.
const GEN: &str = env!("CARGO_BIN_EXE_gen");

/// How many times the bare loop's processor time a cold run takes as of today. The budget is 1.5.
const OF_LOOP: f64 = 4.0;

/// The ratio that a plan without changes is held to; the budget is 1.0, which the larger sizes keep.
const NO_OP: f64 = 1.5;

/// The budget of a plan after the edit of one field, over one without changes, and what it is held to as of today.
const FIELD: [f64; 2] = [1.3, 2.5];

/// The same after an edge was added.
const EDGE: [f64; 2] = [1.5, 3.0];

/// How many MB 10,000 services take at most, as of today. The budget is 250.
const MEMORY: f64 = 640.0;

/// The file that declares the database on which every service stands.
const HUB: &str = "gen.yaml";

/// A template of which a file of each service is printed.
const TEMPLATE: &str = "templates/freight/policy.hcl.hbs";

/// The rules of which one prints a file of each service.
const RULES: &str = "rules/freight/freight.yaml";

/// What a watch does after a save is over by then.
const REST: Duration = Duration::from_millis(100);

/// How soon what was saved must be there, on a machine that has other things to do.
const SOON: Duration = Duration::from_secs(120);

/// How many files a switch of branches touches.
const N_SWITCHED: usize = 3_000;

/// The argument with which this process is the bare loop.
const BARE: &str = "--bare-loop";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [BARE, folder] = &*args.iter().map(String::as_str).collect::<Vec<_>>() {
        bare::run(Path::new(folder)).expect("the project can be read and written");
        return;
    }
    let is_asked = |flag: &str| args.iter().any(|it| it == flag);
    let n_runs = args
        .iter()
        .position(|it| it == "--runs")
        .and_then(|at| args.get(at + 1)?.parse().ok())
        .unwrap_or(5);
    let storage = Storage::find();
    let sizes: &[usize] = if is_asked("--short") {
        &[1_000]
    } else {
        &[100, 1_000, 10_000]
    };
    let mut table = Table::new(machine::facts(&storage));
    first_output(&storage, n_runs, &mut table);
    for n_services in sizes {
        let bench = Bench::new(&storage, *n_services, n_runs);
        bench.measure(&mut table);
        if *n_services > N_SWITCHED {
            bench.switch(&storage, &mut table);
        }
    }
    if is_asked("--extreme") {
        extreme::measure(&storage, &mut table);
    }
    println!("\n{table}");
    if is_asked("--write") {
        table.write(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")));
    }
    if is_asked("--check") {
        let beyond = table.beyond();
        assert!(beyond.is_empty(), "beyond the budget by half: {}", beyond.join("; "));
    }
}

/// How long a spec of one service takes to its first file.
fn first_output(storage: &Storage, n_runs: usize, table: &mut Table) {
    let bench = Bench::new(storage, 1, n_runs.max(9));
    let costs: Vec<Cost> = (0..bench.n_runs).map(|_| bench.cold()).collect();
    let cost = median(costs, |it| it.wall);
    table.add(
        Row::new(
            "first output of one service, cold",
            format!("{:.1} ms", cost.wall * 1e3),
        )
        .budget(cost.wall * 1e3, 30.0, "ms"),
    );
}

/// A monorepo of some size, and how often it is measured.
struct Bench {
    folder: PathBuf,
    n_services: usize,
    n_runs: usize,
}

impl Bench {
    fn new(storage: &Storage, n_services: usize, n_runs: usize) -> Self {
        let folder = storage.folder.path().join(n_services.to_string());
        monorepo::write(&folder, n_services);
        Self::at(folder, n_services, n_runs)
    }

    /// Takes the monorepo that stands at `folder`.
    fn at(folder: PathBuf, n_services: usize, n_runs: usize) -> Self {
        Self {
            folder,
            n_services,
            n_runs,
        }
    }

    fn measure(&self, table: &mut Table) {
        let n = grouped(self.n_services);
        let said = |what: &str| eprintln!("{n} services: {what}");
        said("the bare loop writes the same bytes");
        self.clean();
        machine::run(
            Command::new(std::env::current_exe().expect("this runs"))
                .arg(BARE)
                .arg(&self.folder),
        );
        let bare = monorepo::outputs(&self.folder);
        self.cold();
        let files = monorepo::outputs(&self.folder);
        assert_eq!(
            files.len(),
            self.n_services * monorepo::N_ARTIFACTS,
            "every artifact is written"
        );
        for (path, bytes) in &files {
            assert!(
                bare.get(path) == Some(bytes),
                "the bare loop writes something else to {path}"
            );
        }
        drop(bare);

        said("cold, against the bare loop and a raw write");
        let (mut cold, mut loops, mut raw) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.n_runs {
            cold.push(self.cold());
            self.clean();
            loops.push(machine::run(
                Command::new(std::env::current_exe().expect("this runs"))
                    .arg(BARE)
                    .arg(&self.folder),
            ));
            self.clean();
            raw.push(self.raw(&files));
        }
        let ratios =
            |of: &dyn Fn(&Cost) -> f64, to: &[Cost]| middle(cold.iter().zip(to).map(|(a, b)| of(a) / of(b)).collect());
        let (of_loop, of_raw) = (ratios(&|it| it.cpu, &loops), ratios(&|it| it.wall, &raw));
        let (cold, loops, raw) = (
            median(cold, |it| it.cpu),
            median(loops, |it| it.cpu),
            median(raw, |it| it.wall),
        );
        let size = files.values().map(Vec::len).sum::<usize>() as f64 / 1e6;
        drop(files);
        table.add(
            Row::new(
                format!(
                    "{n} services, cold, {} files of {size:.0} MB: CPU time",
                    grouped(self.n_services * monorepo::N_ARTIFACTS)
                ),
                cold.show_cpu(),
            )
            .beside(format!("bare loop {}", loops.show_cpu()))
            .budget(of_loop, 1.5, "×")
            .held(OF_LOOP),
        );
        table.add(
            Row::new(format!("{n} services, cold: wall time"), cold.show_wall())
                .beside(format!(
                    "raw write {}, bare loop {}",
                    raw.show_wall(),
                    loops.show_wall()
                ))
                .ratio(of_raw),
        );

        said("peak memory");
        self.clean();
        let peak = machine::peak_memory(&mut self.gen_command("apply"));
        let row = Row::new(format!("{n} services, cold: peak memory"), format!("{peak:.0} MB"));
        table.add(if self.n_services == 10_000 {
            row.budget(peak, 250.0, "MB").held(MEMORY)
        } else {
            row
        });

        said("nothing changed, against git status");
        self.commit();
        let (mut plans, mut statuses) = (Vec::new(), Vec::new());
        for _ in 0..self.n_runs {
            plans.push(machine::run(&mut self.gen_command("plan")));
            statuses.push(machine::run(&mut self.git(&["status", "--porcelain"])));
        }
        let ratio = middle(plans.iter().zip(&statuses).map(|(a, b)| a.wall / b.wall).collect());
        let (plan, status) = (median(plans, |it| it.wall), median(statuses, |it| it.wall));
        table.add(
            Row::new(format!("{n} services, `gen plan`, nothing changed"), plan.show_wall())
                .beside(format!("`git status` {}", status.show_wall()))
                .budget(ratio, 1.0, "×")
                .held(NO_OP),
        );

        let no_op = plan.wall;
        for (what, [most, held], edit) in [
            ("one field edited", FIELD, Self::edit_field as fn(&Self, usize)),
            ("one edge added", EDGE, Self::add_edge),
        ] {
            said(what);
            let plan = self.plans_after(edit);
            self.undo();
            let row = Row::new(format!("{n} services, `gen plan`, {what}"), plan.show_wall())
                .beside(format!("nothing changed {:.0} ms", no_op * 1e3))
                .budget(plan.wall / no_op, most, "×");
            // Of a small project, what any run takes is most of it.
            table.add(if self.n_services < 1_000 { row } else { row.held(held) });
        }
        for (what, path, edit) in [
            (
                "a field edited on which every service stands",
                HUB,
                Self::edit_hub as fn(&Self, usize),
            ),
            (
                "a template edited, of a file of each service",
                TEMPLATE,
                Self::edit_template,
            ),
            ("a rule edited, of a file of each service", RULES, Self::edit_rule),
        ] {
            said(what);
            let plan = self.plans_after(edit);
            self.replace(path, "", "");
            // What is planned next goes on from what was applied.
            machine::run(&mut self.gen_command("plan"));
            table.add(
                Row::new(format!("{n} services, `gen plan`, {what}"), plan.show_wall())
                    .beside(format!("cold {}", cold.show_wall()))
                    .ratio(plan.wall / cold.wall),
            );
        }

        let n_edits = self.n_runs * 4 + 1;
        for (what, edits) in [
            (
                "one field edited, in memory: to the new bytes",
                Self::edits as fn(&Self, usize) -> Vec<f64>,
            ),
            (
                "`gen watch`, one field saved: to the last byte on disk",
                Self::saves_watched,
            ),
        ] {
            said(what);
            let mut times = edits(self, n_edits);
            times.sort_by(f64::total_cmp);
            let (half, most) = (times[times.len() / 2] * 1e3, times[times.len() * 95 / 100] * 1e3);
            table.add(
                Row::new(format!("{n} services, {what}"), format!("{half:.1} ms"))
                    .beside(format!("p95 {most:.1} ms"))
                    .budget(most, 10.0, "ms"),
            );
        }
    }

    fn gen_command(&self, command: &str) -> Command {
        let mut gen_command = Command::new(GEN);
        gen_command
            .arg(command)
            .arg("-C")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        gen_command
    }

    /// Takes away all that was written.
    fn clean(&self) {
        for folder in ["deployments", ".gen"] {
            if let Err(error) = fs::remove_dir_all(self.folder.join(folder)) {
                assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
            }
        }
    }

    /// Generates everything, from nothing.
    fn cold(&self) -> Cost {
        self.clean();
        machine::run(&mut self.gen_command("apply"))
    }

    /// Plans what was applied, and fails where that is not empty.
    fn plan_again(&self) {
        let mut plan = self.gen_command("plan");
        machine::run(plan.arg("--detailed-exitcode"));
    }

    fn raw(&self, files: &BTreeMap<String, Vec<u8>>) -> Cost {
        let start = Instant::now();
        for (path, bytes) in files {
            let path = self.folder.join("deployments").join(path);
            if fs::write(&path, bytes).is_err() {
                fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the storage can be written");
                fs::write(&path, bytes).expect("the storage can be written");
            }
        }
        Cost {
            wall: start.elapsed().as_secs_f64(),
            cpu: 0.0,
        }
    }

    fn git(&self, args: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.folder).args([
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@localhost",
            "-c",
            "gc.auto=0",
        ]);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        git.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        git
    }

    /// Makes everything one commit, as it would be in a repo of this size.
    fn commit(&self) {
        fs::write(self.folder.join(".gitignore"), ".gen/cache/\n").expect("the storage can be written");
        for args in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "all"]] {
            machine::run(&mut self.git(args));
        }
    }

    /// The file that is edited, and its text.
    fn edited(&self) -> (PathBuf, String) {
        let at = self.n_services / 2;
        (self.folder.join(monorepo::path(at)), monorepo::service(at))
    }

    /// Returns the plan in the middle of some, before each of which something is edited.
    fn plans_after(&self, edit: fn(&Self, usize)) -> Cost {
        let plans = (0..self.n_runs).map(|nth| {
            edit(self, nth);
            machine::run(&mut self.gen_command("plan"))
        });
        median(plans.collect(), |it| it.wall)
    }

    /// Gives the database on which all services stand another port.
    fn edit_hub(&self, nth: usize) {
        self.replace(
            HUB,
            "type: postgresql,",
            &format!("type: postgresql, port: {},", 6_000 + nth),
        );
    }

    /// Has a template print another line.
    fn edit_template(&self, nth: usize) {
        let line = format!("# The edit {nth}.\n");
        self.replace(TEMPLATE, "", &line);
    }

    /// Has a rule give its template another path.
    fn edit_rule(&self, nth: usize) {
        self.replace(
            RULES,
            "deployments/freight/policies/${s.name}.hcl",
            &format!("deployments/freight/policies/${{s.name}}-{nth}.hcl"),
        );
    }

    /// Writes a file of the monorepo with `to` in the place of the first `from`.
    fn replace(&self, path: &str, from: &str, to: &str) {
        let mut files = monorepo::files(0).into_iter();
        let (_, text) = files
            .find(|it| it.0 == Path::new(path))
            .expect("the generator writes it");
        assert!(text.contains(from), "the generator writes something else to {path}");
        fs::write(self.folder.join(path), text.replacen(from, to, 1)).expect("the storage can be written");
    }

    fn edit_field(&self, nth: usize) {
        self.replicate(self.n_services / 2, 100 + nth);
    }

    /// Has one service run in so many replicas.
    fn replicate(&self, at: usize, replicas: usize) {
        let spec = monorepo::service(at);
        let (before, after) = spec.split_once("replicas: ").expect("the generator writes it");
        let after = after.split_once('\n').expect("more lines follow").1;
        let text = format!("{before}replicas: {replicas}\n{after}");
        fs::write(self.folder.join(monorepo::path(at)), text).expect("the storage can be written");
    }

    fn add_edge(&self, nth: usize) {
        let (path, spec) = self.edited();
        let (before, after) = spec.split_once("depends_on:\n").expect("the generator writes it");
        let mut others = (0..).map(monorepo::name).filter(|it| !spec.contains(&**it));
        let other = others.nth(nth).expect("names without end");
        let edge = format!("      {other}: {{condition: started}}\n");
        fs::write(path, format!("{before}depends_on:\n{edge}{after}")).expect("the storage can be written");
    }

    fn undo(&self) {
        let (path, spec) = self.edited();
        fs::write(path, spec).expect("the storage can be written");
    }

    /// Edits one field so many times; for each the time from the file to the new bytes.
    fn edits(&self, n_edits: usize) -> Vec<f64> {
        let mut engine = Engine::open(discover::find_root(&self.folder).expect("the project is there"));
        assert!(!engine.outcome(&Ask::default()).is_invalid(), "the workload is valid");
        engine.make_ready();
        let at = self.n_services / 2;
        let path = monorepo::path(at);
        let artifact = format!("deployments/freight/jobs/{}.hcl", monorepo::name(at));
        let mut times = Vec::with_capacity(n_edits);
        for edit in 0..n_edits {
            let replicas = 100 + edit;
            self.edit_field(edit);
            let start = Instant::now();
            engine.refresh(&Changed::Paths(vec![path.to_string_lossy().into_owned()]));
            let outcome = engine.changes(&Ask::default());
            let printed = outcome
                .wanted
                .iter()
                .find(|it| *it.path.as_str() == *artifact)
                .expect("it is wanted");
            let Content::Printed(bytes) = &printed.content else {
                panic!("what was edited is printed")
            };
            times.push(start.elapsed().as_secs_f64());
            let count = format!("count = {replicas}\n");
            assert!(String::from_utf8_lossy(bytes).contains(&count), "the bytes are new");
        }
        self.undo();
        times
    }

    /// Returns the two files that hold the number of replicas of the service at `at`, each with how it says it.
    fn replicated(&self, at: usize, replicas: usize) -> [(PathBuf, String); 2] {
        let name = monorepo::name(at);
        let output = |it: String| self.folder.join("deployments/freight").join(it);
        [
            (output(format!("jobs/{name}.hcl")), format!("count = {replicas}\n")),
            (
                output(format!("workloads/{name}.yaml")),
                format!("replicas: {replicas}\n"),
            ),
        ]
    }

    /// Waits until the files of the service at `at` hold this number of replicas.
    fn wait_for(&self, at: usize, replicas: usize) {
        const GRAIN: Duration = Duration::from_micros(50);
        let start = Instant::now();
        for (path, text) in self.replicated(at, replicas) {
            while !fs::read_to_string(&path).is_ok_and(|it| it.contains(&text)) {
                assert!(start.elapsed() < SOON, "what was saved is not there");
                sleep(GRAIN);
            }
        }
    }

    /// Starts a watch, and returns it once it stands.
    fn watch(&self) -> Watching {
        let watching = Watching::over(&self.folder);
        let at = self.n_services / 2;
        for replicas in 1_000..1_003 {
            self.replicate(at, replicas);
            self.wait_for(at, replicas);
            sleep(REST * 10);
        }
        watching
    }

    /// Saves one field so many times under a watch; for each the time until both files that hold it are new.
    fn saves_watched(&self, n_edits: usize) -> Vec<f64> {
        let watching = self.watch();
        let saves = (0..n_edits).map(|nth| {
            sleep(REST);
            let start = Instant::now();
            self.edit_field(nth);
            self.wait_for(self.n_services / 2, 100 + nth);
            start.elapsed().as_secs_f64()
        });
        let times = saves.collect();
        drop(watching);
        self.undo();
        times
    }

    /// Measures a switch of branches under a watch, against a cold run of as many files.
    fn switch(&self, storage: &Storage, table: &mut Table) {
        let n = grouped(N_SWITCHED);
        eprintln!(
            "{} services: a switch of {n} files under a watch",
            grouped(self.n_services)
        );
        let alone = Self::at(storage.folder.path().join("switched"), N_SWITCHED, self.n_runs);
        monorepo::write(&alone.folder, N_SWITCHED);
        let cold = median((0..self.n_runs).map(|_| alone.cold()).collect(), |it| it.wall);
        let watching = self.watch();
        let mut times: Vec<f64> = (0..self.n_runs)
            .map(|run| {
                sleep(REST * 10);
                let replicas = 2_000 + run;
                let start = Instant::now();
                (0..N_SWITCHED).for_each(|at| self.replicate(at, replicas));
                (0..N_SWITCHED).for_each(|at| self.wait_for(at, replicas));
                start.elapsed().as_secs_f64()
            })
            .collect();
        drop(watching);
        times.sort_by(f64::total_cmp);
        let half = times[times.len() / 2];
        table.add(
            Row::new(
                format!(
                    "{} services, `gen watch`, a switch of {n} files: to the last byte on disk",
                    grouped(self.n_services)
                ),
                format!("{half:.2} s"),
            )
            .beside(format!("cold run of {n} services {}", cold.show_wall()))
            .budget(half / cold.wall, 1.2, "×")
            .held(1.2),
        );
    }
}

/// Returns the run in the middle, by what `of` says of each.
fn median(mut costs: Vec<Cost>, of: impl Fn(&Cost) -> f64) -> Cost {
    costs.sort_by(|a, b| of(a).total_cmp(&of(b)));
    costs.swap_remove(costs.len() / 2)
}

fn middle(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn grouped(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}
