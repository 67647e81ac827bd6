//! Going on from what was found out before, in the same process or another, gives what a clean run gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use groundplan::shell::discover;
use groundplan::shell::disk::Disk;
use groundplan::shell::engine::{Ask, Changed, Engine, Extent, Outcome};
use groundplan::shell::inputs::Inputs;

use crate::monorepo::{Files, Random};
use crate::properties::{Profile, profile};
use crate::recall::damage;
use crate::say;

/// What stands at each path: the digest of its content.
type Stands = BTreeMap<String, String>;

fn open(dir: &Path) -> Engine {
    Engine::open(discover::find_root(dir).expect("the spec is there"))
}

fn stands(outcome: &Outcome) -> Stands {
    let wanted = outcome.wanted.iter();
    wanted
        .map(|it| (it.path.to_string(), format!("{} {} {:?}", it.digest, it.rule, it.mode)))
        .collect()
}

/// Returns what is wrong, and what stands where while no mistake forbids to write.
fn said(outcome: &Outcome) -> (Vec<String>, Stands) {
    let problems = outcome.problems.iter().map(|it| format!("{it:?}")).collect();
    let stands = if outcome.is_invalid() {
        Stands::new()
    } else {
        stands(outcome)
    };
    (problems, stands)
}

fn clean(dir: &Path) -> Outcome {
    open(dir).outcome(&Ask::default())
}

const ROOT: &str = "version: 0.2
name: shop
include: ['services/*.yaml', 'teams/*.yaml']
deployment: {platforms: [nomad, kubernetes], resources: {cpu: CPUm}}
infra: {postgres: {type: postgresql, version: '15.VERSION'}, cache: {type: redis}}
environments: {dev: {services: {a: {deployment: {replicas: 1}}}}, prod: {dir: live}}
";

/// A service of which anything may be edited.
#[derive(Clone, Debug)]
struct Service {
    replicas: usize,
    port: usize,
    has_check: bool,
    is_wrong: bool,
    comment: usize,
    edges: BTreeSet<String>,
    mentions: BTreeSet<String>,
    overlay: Option<usize>,
}

/// What the shop's own pack prints, of which rules and templates may be edited.
#[derive(Clone, Debug, Default)]
struct Notes {
    line: usize,
    partial: usize,
    comment: usize,
    /// How the rule that prints is written.
    when: usize,
    /// How the rule that says something is written.
    says: usize,
    is_wrong: bool,
}

impl Notes {
    /// What `when` may be: what it prints for, and where.
    const WHENS: [(&str, &str); 4] = [
        ("service", "true"),
        ("service", "s.deployment.replicas > 4"),
        ("service|infra", "true"),
        ("service", "false"),
    ];

    fn files(&self) -> [(String, String); 4] {
        let Self {
            line,
            partial,
            comment,
            says,
            ..
        } = self;
        let (of, when) = Self::WHENS[self.when];
        let pack = "pack: notes\ndoc: Notes.\nrequires: [core]\nrelations:\n  note: {doc: A note., of: service|infra, \
                    shape: list, order_by: text, fields: {text: {type: string, doc: Its text.}}}\n";
        let rules = format!(
            "rules:\n  # {comment}\n  - rule: note\n    doc: Notes.\n    match: (s:service)\n    facts: [{{note: {{of: s, text: \
             'says {says}'}}}}]\n  - rule: print\n    doc: Prints.\n    match: (s:{of})\n    when: {when}\n    artifact: {{path: \
             'notes/${{s.name}}.txt', template: notes/note.txt.hbs, with: {{name: s.name, notes: s.note}}}}\n"
        );
        let torn = if self.is_wrong { "{{nope}}" } else { "" };
        let template =
            format!("{line} {{{{name}}}}{torn}\n{{{{#each notes}}}}\n{{{{> notes/line of=text}}}}\n{{{{/each}}}}\n");
        [
            ("rules/notes/pack.yaml", pack.to_owned()),
            ("rules/notes/notes.yaml", rules),
            ("templates/notes/note.txt.hbs", template),
            (
                "templates/notes/_line.hbs",
                format!("{{{{!--\nparams:\n  of: string\n--}}}}\n{partial}: {{{{of}}}}\n"),
            ),
        ]
        .map(|(path, text)| (path.to_owned(), text))
    }

    /// Edits something, and says what.
    fn edit(&mut self, random: &mut Random) -> String {
        let what = random.below(8);
        match what {
            0..3 => self.line += 1,
            3 => self.partial += 1,
            4 => self.comment += 1,
            5 => self.when = random.below(Self::WHENS.len()),
            6 => self.says += 1,
            _ => self.is_wrong = true,
        }
        if what != 7 && random.happens(80) {
            self.is_wrong = false;
        }
        format!("{what} of the notes")
    }
}

/// A shop: its services, fields of the root file, and a pack of its own.
struct Shop {
    services: BTreeMap<String, Service>,
    notes: Notes,
    version: usize,
    cpu: usize,
}

impl Shop {
    fn new(n_services: usize) -> Self {
        let names = ('a'..='z').map(String::from).take(n_services);
        Self {
            services: names.map(|it| (it, Service::new())).collect(),
            notes: Notes::default(),
            version: 0,
            cpu: 100,
        }
    }

    /// The first services stand in the root file, the others two by two.
    fn files(&self) -> Files {
        let root = ROOT
            .replace("VERSION", &self.version.to_string())
            .replace("CPU", &self.cpu.to_string());
        let mut files = Files::from(self.notes.files());
        files.insert("gen.yaml".to_owned(), format!("{root}services:\n"));
        for (name, service) in &self.services {
            let file = match name.as_bytes()[0] {
                b'a' | b'b' => "gen.yaml".to_owned(),
                letter => format!("services/{}.yaml", letter / 2),
            };
            let text = files.entry(file).or_insert_with(|| "services:\n".to_owned());
            text.push_str(&service.text(name));
        }
        files
    }

    /// Edits something, and says what.
    fn edit(&mut self, random: &mut Random) -> String {
        if random.happens(25) {
            return self.notes.edit(random);
        }
        let names: Vec<String> = self.services.keys().cloned().collect();
        let name = random.one_of(&names).clone();
        let other = random.one_of(&names).clone();
        let infra = random.one_of(&["postgres", "cache"]).to_string();
        let what = random.below(16);
        match what {
            14 => self.version += 1,
            15 => self.cpu += 10,
            _ => {}
        }
        if what == 13 {
            let name = *random.one_of(&["b", "d", "z"]);
            let is_there = self.services.remove(name).is_some();
            if !is_there {
                self.services.insert(name.to_owned(), Service::new());
            }
            self.services.values_mut().for_each(|it| {
                it.edges.remove(name);
                it.mentions.remove(name);
            });
            return format!("{name}, which was there: {is_there}");
        }
        let service = self.services.get_mut(&name).expect("it is there");
        let toggle = |set: &mut BTreeSet<String>, it: String| {
            if !set.remove(&it) {
                set.insert(it);
            }
        };
        match what {
            0..4 => service.replicas = 1 + random.below(9),
            4 => service.port = 8000 + random.below(9),
            5 => service.has_check = !service.has_check,
            6 => service.is_wrong = true,
            7 => service.comment += 1,
            8 => toggle(&mut service.edges, infra),
            // Only to what comes before it: in no circle.
            9 if other < name => toggle(&mut service.edges, other),
            10 if other != name => toggle(&mut service.mentions, other),
            11 => service.overlay = Some(random.below(9)),
            12 => service.overlay = None,
            _ => service.is_wrong = false,
        }
        if what != 6 && random.happens(80) {
            self.services.values_mut().for_each(|it| it.is_wrong = false);
        }
        format!("{what} of {name}")
    }
}

impl Service {
    fn new() -> Self {
        Self {
            replicas: 2,
            port: 8080,
            has_check: false,
            is_wrong: false,
            comment: 0,
            edges: BTreeSet::new(),
            mentions: BTreeSet::new(),
            overlay: None,
        }
    }

    fn text(&self, name: &str) -> String {
        let Self {
            replicas,
            port,
            comment,
            ..
        } = self;
        let edges: Vec<String> = self.edges.iter().map(|it| format!("{it}: {{}}")).collect();
        let mentions = self
            .mentions
            .iter()
            .map(|it| format!("{}_AT: 'http://${{service.{it}.address}}/x'", it.to_uppercase()));
        let mentions: Vec<String> = mentions.collect();
        let mut lines = vec![
            format!("  # {comment}"),
            format!("  {name}:"),
            format!("    image: x/{name}:1"),
            format!("    depends_on: {{{}}}", edges.join(", ")),
            format!("    env: {{{}}}", mentions.join(", ")),
            format!("    deployment: {{replicas: {replicas}, ports: {{http: {port}}}}}"),
        ];
        if self.has_check {
            lines[5] = lines[5].replace("}}", "}, health_check: {path: /up}}");
        }
        if let Some(replicas) = self.overlay {
            lines.push(format!(
                "    environments: {{prod: {{deployment: {{replicas: {replicas}}}}}}}"
            ));
        }
        if self.is_wrong {
            lines.push("    wrongly: [".to_owned());
        }
        lines.join("\n") + "\n"
    }
}

/// Brings the files on the disk from `old` to `new`; returns the paths that differ.
fn write(dir: &Path, old: &Files, new: &Files) -> Vec<String> {
    let mut differing = Vec::new();
    for (path, text) in new.iter().filter(|it| old.get(it.0) != Some(it.1)) {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("made");
        fs::write(file, text).expect("written");
        differing.push(path.clone());
    }
    for path in old.keys().filter(|it| !new.contains_key(*it)) {
        fs::remove_file(dir.join(path)).expect("removed");
        differing.push(path.clone());
    }
    differing
}

/// Random edits, each seen by a process of its own; what is kept between them is lost or damaged now and then.
#[test]
fn random_edits_across_processes() {
    let (n_repos, n_edits, n_services) = match profile() {
        Profile::Ci => (2, 40, 6),
        Profile::Long => (10, 100, 20),
    };
    let (mut n_resumed, mut n_recalled) = (0, 0);
    for seed in 100..100 + n_repos {
        let mut random = Random(seed);
        let mut shop = Shop::new(n_services);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path();
        let mut known_files = Files::new();
        for n in 0..n_edits {
            let what = if n == 0 { "nothing" } else { &shop.edit(&mut random) };
            let new = shop.files();
            write(dir, &known_files, &new);
            known_files = new;
            if random.happens(10) {
                let file = *random.one_of(&["outcome", "state", "inputs"]);
                damage(&dir.join(".gen/cache").join(file), &mut random);
            }
            let mut engine = open(dir);
            let disk = Disk::open(dir).expect("the folder is there");
            n_recalled += usize::from(engine.recall(&disk).is_ok());
            let outcome = engine.outcome(&Ask::default());
            n_resumed += usize::from(engine.is_resumed());
            engine.remember(&disk, &Ask::default(), &outcome);
            let clean = clean(dir);
            assert_eq!(said(&outcome), said(&clean), "seed {seed}, edit {n} ({what})");
        }
    }
    let n = n_repos * n_edits;
    say(&format!(
        "resume: {n} edits across processes, {n_resumed} runs went on, {n_recalled} derived nothing"
    ));
    assert!(
        n_resumed * 5 > n as usize,
        "few runs go on from an earlier one: {n_resumed} of {n}"
    );
}

/// Random edits in one process that has made itself ready for them.
#[test]
fn random_edits_within_a_process() {
    let (n_repos, n_edits, n_services) = match profile() {
        Profile::Ci => (2, 40, 6),
        Profile::Long => (10, 100, 20),
    };
    let mut n_resumed = 0;
    for seed in 200..200 + n_repos {
        let mut random = Random(seed);
        let mut shop = Shop::new(n_services);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path();
        let mut known_files = shop.files();
        write(dir, &Files::new(), &known_files);
        let mut engine = open(dir);
        let mut outcome = engine.outcome(&Ask::default());
        let mut known = stands(&outcome);
        for n in 0..n_edits {
            if !outcome.is_invalid() {
                engine.make_ready();
            }
            let what = shop.edit(&mut random);
            let new = shop.files();
            let paths = write(dir, &known_files, &new);
            known_files = new;
            engine.refresh(&Changed::Paths(paths));
            outcome = if outcome.is_invalid() {
                engine.outcome(&Ask::default())
            } else {
                engine.changes(&Ask::default())
            };
            n_resumed += usize::from(engine.is_resumed());
            if !outcome.is_invalid() {
                match &outcome.extent {
                    Extent::Whole => known.clear(),
                    Extent::Only(paths) => paths.iter().for_each(|it| _ = known.remove(it.as_str())),
                }
                known.extend(stands(&outcome));
            }
            let clean = clean(dir);
            let at = format!("seed {seed}, edit {n} ({what})");
            assert_eq!(said(&outcome).0, said(&clean).0, "{at}");
            if !clean.is_invalid() {
                assert_eq!(known, stands(&clean), "{at}");
            }
        }
    }
    let n = n_repos * n_edits;
    say(&format!(
        "resume: {n} edits within a process, {n_resumed} went on from what was known"
    ));
    assert!(
        n_resumed * 5 > n as usize,
        "few edits go on from what is known: {n_resumed} of {n}"
    );
}

/// An edit of what only prints asks what it prints, and nothing else is derived anew.
#[test]
fn an_edit_of_a_template_or_of_a_rule_that_prints_is_gone_on_from() {
    let mut shop = Shop::new(3);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();
    write(dir, &Files::new(), &shop.files());
    let mut engine = open(dir);
    engine.outcome(&Ask::default());
    engine.make_ready();
    type Change = fn(&mut Notes);
    let edits: [(Change, bool); 5] = [
        (|it| it.line += 1, true),
        (|it| it.partial += 1, true),
        (|it| it.when = 2, true),
        (|it| it.is_wrong = true, true),
        (|it| it.says += 1, false),
    ];
    for (n, (edit, is_gone_on_from)) in edits.into_iter().enumerate() {
        let old = shop.files();
        shop.notes.is_wrong = false;
        edit(&mut shop.notes);
        let paths = write(dir, &old, &shop.files());
        engine.refresh(&Changed::Paths(paths));
        let outcome = engine.outcome(&Ask::default());
        assert_eq!(engine.is_resumed(), is_gone_on_from, "edit {n}");
        assert_eq!(said(&outcome), said(&clean(dir)), "edit {n}");
    }
}

/// What an edit changes elsewhere than where it looks: behind overlays, in a partial that is called in another way, in the
/// head of one that nobody calls, in what is told of a node that rules derive too.
#[test]
fn an_edit_is_seen_wherever_it_counts() {
    let overlaid = "version: 0.2\nname: shop\ndeployment: {platforms: [nomad]}\nenvironments: {prod: {}}\nservices:\n  a:\n    \
                    image: x/a:1\n    env: {URL: HERE}\n    environments: {prod: {env: {URL: p}}}\n";
    let derived = "version: 0.2\nname: shop\ndeployment: {platforms: [docker-compose]}\nservices:\n  a: {framework: django, \
                   deployment: {HERE}}\n";
    let template = (
        "templates/notes/note.txt.hbs",
        "{{#each notes}}{{~> notes/line of=text}}{{/each}}\n",
    );
    let partial = |text: &str| format!("{{{{!--\nparams:\n  of: string\n--}}}}\n{text} {{{{of}}}}\n");
    let head = |of: &str| format!("{{{{!--\nparams:{of}\n--}}}}\nx\n");
    let cases = [
        (
            "gen.yaml",
            [
                overlaid.replace("HERE", "x"),
                overlaid.replace("HERE", "\"${infra.nope.url}\""),
            ],
        ),
        (
            "gen.yaml",
            [
                derived.replace("HERE", "namespace: n"),
                derived.replace("HERE", "replicas: 1"),
            ],
        ),
        (
            "gen.yaml",
            [
                derived.replace("HERE", "replicas: 1"),
                derived.replace("HERE", "namespace: n"),
            ],
        ),
        ("templates/notes/_line.hbs", [partial("one"), partial("two")]),
        (
            "templates/notes/_other.hbs",
            [head("\n  of: string"), head(" {of: string}")],
        ),
    ];
    for (n, (path, [old, new])) in cases.into_iter().enumerate() {
        let mut files = Shop::new(2).files();
        files.insert(template.0.to_owned(), template.1.to_owned());
        files.insert(path.to_owned(), old);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path();
        write(dir, &Files::new(), &files);
        let mut engine = open(dir);
        let first = engine.outcome(&Ask::default());
        assert!(!first.is_invalid(), "case {n}: {:?}", first.problems);
        engine.make_ready();
        fs::write(dir.join(path), new).expect("written");
        engine.refresh(&Changed::Paths(vec![path.to_owned()]));
        let outcome = engine.outcome(&Ask::default());
        assert_ne!(said(&outcome), said(&first), "case {n} changes nothing");
        assert_eq!(said(&outcome), said(&clean(dir)), "case {n}");
    }
}

/// Of a branch switch nobody waits to hear what each of its files changes.
#[test]
fn many_files_that_differ_are_one_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &Files::new(), &Shop::new(3).files());
    let mut engine = open(folder.path());
    engine.outcome(&Ask::default());
    let mut old = engine.inputs().expect("it was read");
    let between = |n: usize, old: &mut Inputs| {
        old.included = (0..n).map(|it| (format!("{it}.yaml").into(), "".into())).collect();
        engine.between(old).as_one_reason().map(|it| it.sentence())
    };
    assert_eq!(between(60, &mut old), None);
    assert_eq!(
        between(100, &mut old).as_deref(),
        Some("some of the changes in 101 files")
    );
}

/// A rule that comes to hold with a value that can't be printed is known from then on, though it has printed nothing.
#[test]
fn a_rule_that_first_holds_with_what_cannot_be_printed_is_seen_later() {
    let files = [
        (
            "rules/tubes/pack.yaml",
            "pack: tubes\ndoc: Tubes.\nkinds:\n  station:\n    collection: stations\n    \
             fields: {lid: {values: [open, shut], default: open}, note: {type: text, default: ''}}\n",
        ),
        (
            "rules/tubes/lines.yaml",
            "rules:\n  - rule: line\n    match: \"(s:station {lid: 'shut'})\"\n    \
             artifact: {path: '${s.name}.yaml', template: tubes/line.yaml, with: {s: s}}\n",
        ),
        (
            "templates/tubes/line.yaml",
            "a: {$lang: dollar-variable, name: '${s.note}'}\n",
        ),
        (
            "gen.yaml",
            "version: 0.2\nname: post\ninclude: [north.yaml]\nstations: {south: {note: plain}}\n",
        ),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();
    let north = |fields: &str| {
        let text = format!("stations: {{north: {{{fields}}}}}\n");
        BTreeMap::from([("north.yaml".to_owned(), text)])
    };
    let files: Files = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    write(dir, &Files::new(), &files);
    let mut now = north("lid: open");
    write(dir, &Files::new(), &now);
    let mut engine = open(dir);
    let mut outcome = engine.outcome(&Ask::default());
    assert!(!outcome.is_invalid(), "{:?}", outcome.problems);
    let steps = [
        ("lid: shut, note: 'a${x}'", true),
        ("lid: shut, note: plain", false),
        ("lid: shut, note: 'b${x}'", true),
        ("lid: shut, note: other", false),
    ];
    for (fields, is_wrong) in steps {
        if !outcome.is_invalid() {
            engine.make_ready();
        }
        let new = north(fields);
        engine.refresh(&Changed::Paths(write(dir, &now, &new)));
        now = new;
        outcome = engine.changes(&Ask::default());
        assert_eq!(outcome.is_invalid(), is_wrong, "{fields}: {:?}", outcome.problems);
        assert_eq!(said(&outcome).0, said(&clean(dir)).0, "{fields}");
    }
}
