//! A spec that says something in every field, each with a word of its own, and the hostile string in its place.

use std::fmt::Write as _;

use super::Refusal;
use super::read::{Words, words_in};
use crate::monorepo::Random;
use crate::project::{Found, Tree};

/// Signs that mean something to some format.
const PIECES: [&str; 56] = [
    "a",
    "b c",
    "${",
    "$${",
    "%{",
    "%%{",
    "$",
    "%",
    "{",
    "}",
    "{{",
    "}}",
    "{{{",
    "\\",
    "\\\\",
    "\"",
    "'",
    "''",
    "\"\"\"",
    "'''",
    "`",
    "\n",
    "\t",
    " ",
    "  ",
    "#",
    " # ",
    "//",
    "/*",
    "*/",
    "EOH",
    "\nEOH\n",
    "  EOT",
    "é",
    "😀",
    ": ",
    "- ",
    "=",
    ",",
    "[",
    "]",
    "|",
    ">",
    "&",
    "!",
    "~",
    "null",
    "yes",
    "1",
    "$(x)",
    "$X",
    "%s",
    "---",
    "${NOMAD_TASK_DIR}",
    "<<",
    "{{end}}",
];

/// Characters that few formats can hold, so that most places refuse them.
const RARE: [&str; 6] = ["\r", "\0", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}"];

/// `«…»` is a string that begins with what stands between; a quote there says that it is a part of a longer one, `!` that
/// it is harmless at any rate, since a platform gets another name made of it.
const JOB: &str = r#"service: «»
kind: domain
image: «»
labels:
  «»: «»
entrypoint:
  - «»
command:
  - «»
  - «»
args:
  - «»
  - «»
env:
  A: «»
  B: «»
  C: «»
  REFERENCE: "«'»${service.base.address}«'»"
  «N_»: «»
depends_on:
  - base
  - db
deployment:
  platforms: [nomad]
  namespace: «»
  hostname: «»
  user: «»
  ports:
    http: 8080
    «p»: 8081
  health_check: {path: «/»}
  readiness:
    type: grpc
    service: «»
  liveness:
    type: exec
    command:
      - «»
      - «»
  routes:
    main:
      host: «»
      path: «/»
  stop:
    signal: «»
  placement:
    node_class: «»
    constraints:
      - attribute: «meta.»
        value: «»
  capabilities:
    add:
      - «»
    drop:
      - «»
  logging:
    level: «»
    format: «»
  files:
    «/»: «»
    «/»: "«'»${infra.db.url}«'»"
  tmpfs:
    «/»: 1Mi
  nomad:
    datacenter: «»
    consul: {service_name: «»}
    meta:
      «»: «»
    wait:
      image: «»
"#;

const WORKLOAD: &str = r#"service: «!»
kind: domain
image: «»
labels:
  «»: «»
command:
  - «»
  - «»
args:
  - «»
  - «»
  - «»
env:
  A: «»
  B: «»
  C: «»
  D: «»
  REFERENCE: "«'»${service.base.address}«'»"
  PASSED: "«'»${secret.keys.one}«'»"
  «N_»: «»
depends_on:
  - base
  - db
deployment:
  platforms: [kubernetes]
  ports:
    http: 8080
  health_check: {path: «/»}
  readiness:
    type: grpc
    service: «»
  liveness:
    type: exec
    command:
      - «»
      - «»
  placement:
    constraints:
      - attribute: «a»
        value: «»
  capabilities:
    add:
      - «»
  service_account: {name: «»}
  tmpfs:
    «/»: 1Mi
  kubernetes:
    namespace: «»
    annotations:
      «»: «»
      «»: «»
"#;

const ROOT: &str = r#"version: 0.2
name: hostile
include: ["services/*.yaml"]
deployment: {platforms: [nomad, kubernetes], kubernetes: {pod_security: privileged}}
services:
  base:
    image: registry.example/base:1
    deployment: {ports: {http: 8000}, health_check: {path: /health}}
infra:
  db:
    type: postgresql
    version: «»
    database: «»
secrets:
  keys: {keys: [one]}
"#;

/// One field: what stands in it.
struct Field {
    /// What the value begins with.
    head: String,
    /// Its word, which no other field has.
    word: String,
    /// Whether it is a key.
    is_key: bool,
    /// What stands on both sides of the word in the hostile string; nothing once that was refused.
    around: Option<[String; 2]>,
}

/// The text of a file between its fields.
struct File {
    path: String,
    /// Texts, each with the field that follows it.
    parts: Vec<(String, Option<usize>)>,
}

/// All fields of a project, and the files in which they stand.
pub(super) struct Fields {
    fields: Vec<Field>,
    files: Vec<File>,
}

impl Fields {
    /// Returns as many services as are wanted, with other strings in each.
    pub(super) fn random(random: &mut Random) -> Self {
        let mut all = Self {
            fields: Vec::new(),
            files: Vec::new(),
        };
        all.file("gen.yaml".to_owned(), ROOT, random);
        for nth in 0..super::N_JOBS {
            all.file(format!("services/n{nth}.yaml"), JOB, random);
        }
        let mut nth = 0;
        while nth < super::N_WORKLOADS || all.len() < super::N_STRINGS {
            all.file(format!("services/k{nth}.yaml"), WORKLOAD, random);
            nth += 1;
        }
        all
    }

    fn file(&mut self, path: String, template: &str, random: &mut Random) {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('«') {
            let (head, after) = after.split_once('»').expect("a field is closed");
            let side = |random: &mut Random| -> String {
                let n = random.below(3);
                (0..n).map(|_| piece(random)).collect()
            };
            parts.push((text.to_owned(), Some(self.fields.len())));
            self.fields.push(Field {
                head: head.to_owned(),
                word: format!("q{}z", self.fields.len()),
                is_key: after.starts_with(':'),
                around: (head != "!").then(|| [side(random), side(random)]),
            });
            rest = after;
        }
        parts.push((rest.to_owned(), None));
        self.files.push(File { path, parts });
    }

    /// Returns how many strings there are.
    pub(super) fn len(&self) -> usize {
        self.fields.iter().filter(|it| it.head != "!").count()
    }

    /// Returns how many of them are hostile still.
    pub(super) fn n_hostile(&self) -> usize {
        self.fields.iter().filter(|it| it.around.is_some()).count()
    }

    /// Returns the files of the project.
    pub(super) fn files(&self, hostile: bool) -> Tree {
        let text = |file: &File| {
            let mut text = String::new();
            for (part, field) in &file.parts {
                text.push_str(part);
                let Some(field) = field.map(|it| &self.fields[it]) else {
                    continue;
                };
                let around = field.around.as_ref().filter(|_| hostile);
                let [before, after] = around.map_or(["", ""], |it| [&it[0], &it[1]]);
                // Within quotes the string is a part of a longer one; `${` would begin a reference anywhere.
                let part = field.head == "'";
                let head = if ["'", "!"].contains(&&*field.head) {
                    ""
                } else {
                    &field.head
                };
                // A dollar sign before the reference that follows would escape it.
                let after = if part { after.trim_end_matches('$') } else { after };
                let mut value = format!("{head}{before}{}{after}", field.word);
                // A name is no text: in it nothing is a reference, and nothing is escaped.
                if !field.is_key && text != "service: " {
                    value = value.replace("${", "$${");
                }
                text.push_str(&escaped(&value, part));
            }
            text
        };
        let files = self.files.iter().map(|it| (it.path.clone(), Found::text(&text(it))));
        files.collect()
    }

    /// Makes the strings harmless at which the errors of a round point.
    pub(super) fn refuse(&mut self, errors: &[Refusal]) {
        let hostile: Vec<bool> = self.fields.iter().map(|it| it.around.is_some()).collect();
        errors.iter().for_each(|it| self.refuse_one(it, &hostile));
    }

    /// Makes strings harmless for one error: by their words, else by its line, else by its file.
    ///
    /// What an earlier error made harmless in the same round is no fault of anything else; what was harmless before
    /// it, as the name of the node that an error speaks of, is no fault at all.
    fn refuse_one(&mut self, error: &Refusal, hostile: &[bool]) {
        let words = error.texts.iter().flat_map(|it| words_in(it));
        let mut named: Vec<usize> = words.filter(|it| hostile[*it]).collect();
        for (file, line) in &error.places {
            let Some(file) = self.files.iter().find(|it| named.is_empty() && it.path == *file) else {
                continue;
            };
            let lines = on_lines(file);
            let open = |it: &&(usize, usize)| self.fields[it.1].around.is_some();
            named.extend(lines.iter().filter(|it| it.0 == *line).filter(open).map(|it| it.1));
            if named.is_empty() {
                named.extend(lines.iter().filter(open).map(|it| it.1));
            }
        }
        for field in named {
            self.fields[field].around = None;
        }
    }

    /// Returns what stands for each word.
    pub(super) fn words(&self) -> Words {
        let strings = self.fields.iter().map(|it| {
            let [before, after] = it.around.as_ref().map_or(["", ""], |it| [&it[0], &it[1]]);
            let after = if it.head == "'" {
                after.trim_end_matches('$')
            } else {
                after
            };
            format!("{before}{}{after}", it.word)
        });
        let is_hostile = self.fields.iter().map(|it| it.around.is_some()).collect();
        Words::new(strings.collect(), is_hostile)
    }
}

/// Returns a few characters that mean something to some format.
pub(in crate::judges) fn piece(random: &mut Random) -> &'static str {
    let pieces: &[&str] = if random.happens(2) { &RARE } else { &PIECES };
    pieces[random.below(pieces.len())]
}

/// Returns the fields of a file with their lines, from 1.
fn on_lines(file: &File) -> Vec<(usize, usize)> {
    let mut line = 1;
    let mut all = Vec::new();
    for (text, field) in &file.parts {
        line += text.matches('\n').count();
        all.extend(field.map(|it| (line, it)));
    }
    all
}

/// Writes a string between double quotes, with nothing in it that YAML would take for something else.
fn escaped(value: &str, is_part: bool) -> String {
    let mut text = String::new();
    for char in value.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            ' '..='~' => text.push(char),
            _ => _ = write!(text, "\\U{:08x}", u32::from(char)),
        }
    }
    if is_part { text } else { format!("\"{text}\"") }
}
