//! The examples of `docs/language.md` and `docs/language/`: each is run, or gives the mistake that it shows.
//!
//! How a block is marked says `docs/language.md`. Blocks stand in the project `tests/docs/`, each in the place of what
//! it shows; a pack holds for the blocks of its page that follow, all else for one block, unless it is marked `keep`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use groundplan::db::{Database, Project as Files, SourceFile};
use groundplan::kind::pack;
use groundplan::problem::Problem;
use groundplan::shell::discover;
use groundplan::shell::engine::{Ask, Changed, Engine};

use crate::project::{Found, Project, tree};
use crate::say;
use crate::tidy::{files, top};

/// A fenced block of a page.
struct Block {
    /// The line at which it begins.
    line: usize,
    /// What stands behind its fence: the language, what it shows, and how.
    words: Vec<String>,
    text: String,
}

#[test]
fn examples_of_the_documentation_are_run() {
    let mut pages = files(&top().join("docs/language"), ".md");
    pages.push(top().join("docs/language.md"));
    let mut faults = Vec::new();
    let mut n_blocks = 0;
    for page in &pages {
        let text = std::fs::read_to_string(page).expect("a page is text");
        let mut shown = Page::new();
        for block in blocks(&text) {
            n_blocks += 1;
            if let Err(fault) = shown.run(&block) {
                faults.push(format!("{}:{}: {fault}", page.display(), block.line));
            }
        }
    }
    say(&format!(
        "docs: {n_blocks} examples of {} pages, {} faults",
        pages.len(),
        faults.len()
    ));
    assert!(n_blocks > 20, "{n_blocks} examples only");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn patterns_of_the_documentation_can_be_asked_for() {
    let text = std::fs::read_to_string(top().join("docs/language/patterns.md")).expect("a page is text");
    let table = text.lines().skip_while(|it| !it.starts_with("| written")).skip(2);
    let mut page = Page::new();
    let mut n_patterns = 0;
    for row in table.take_while(|it| it.starts_with('|')) {
        let written = row.replace("\\|", "\u{1}");
        let written = written
            .split('|')
            .nth(1)
            .expect("a row has cells")
            .replace('\u{1}', "|");
        for pattern in written.split('`').skip(1).step_by(2) {
            n_patterns += 1;
            let problems = page.engine().query(&Ask::default(), pattern).problems;
            // A node without a name alone is a part of a pattern.
            let wrong: Vec<&Problem> = problems.iter().filter(|it| it.code != "pattern::pointless").collect();
            assert!(wrong.is_empty(), "{pattern}: {wrong:#?}");
        }
    }
    assert!(n_patterns > 10, "{n_patterns} patterns only");
}

/// A page while its blocks are run one after the other.
struct Page {
    project: Project,
    engine: Option<Engine>,
    n_blocks: usize,
}

impl Page {
    fn new() -> Self {
        Self {
            project: Project::of(&tree(&top().join("tests/docs"))),
            engine: None,
            n_blocks: 0,
        }
    }

    fn engine(&mut self) -> &mut Engine {
        let project = &self.project;
        self.engine.get_or_insert_with(|| {
            Engine::open(discover::find_root(&project.dir()).expect("the project has a root file"))
        })
    }

    /// Runs a block; returns what is wrong with it.
    fn run(&mut self, block: &Block) -> Result<(), String> {
        self.n_blocks += 1;
        let mut words = block.words.iter().map(String::as_str);
        let (language, shows) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let rest: Vec<&str> = words.collect();
        let gives = rest.iter().find_map(|it| it.strip_prefix("gives="));
        let name = format!("example-{}", self.n_blocks);
        let rule = |with: &str| {
            format!(
                "rules:\n  - rule: {name}\n    doc: Prints the example.\n    match: (s:service)\n    artifact: {{path: \"{name}/${{s.name}}\", {with}}}\n"
            )
        };
        let written: Vec<(String, String)> = match (language, shows) {
            ("text", "grammar") => return Ok(()),
            ("console", "") => return self.console(&block.text),
            ("yaml", "pack") if rest.contains(&"alone") => return alone(&block.text, gives),
            ("yaml", "spec") => vec![("gen.yaml".to_owned(), block.text.clone())],
            ("yaml", "pack") => vec![("rules/tubes/pack.yaml".to_owned(), block.text.clone())],
            ("yaml", "rules") => vec![(format!("rules/tubes/{name}.yaml"), block.text.clone())],
            ("yaml", "rule") => vec![(format!("rules/tubes/{name}.yaml"), whole_rule(&name, &block.text))],
            ("yaml", "data") => vec![
                (format!("templates/tubes/{name}.yaml"), block.text.clone()),
                (
                    format!("rules/tubes/{name}.yaml"),
                    rule(&format!("template: tubes/{name}.yaml, with: {{s: s}}")),
                ),
            ],
            ("handlebars", "partial") => {
                let caller = "line = {{> tubes/line name=s.name bores=bores}}\n";
                let with = format!("template: tubes/{name}.txt.hbs, format: plain, with: {{s: s, bores: \"[1, 2]\"}}");
                vec![
                    ("templates/tubes/_line.hbs".to_owned(), block.text.clone()),
                    (format!("templates/tubes/{name}.txt.hbs"), caller.to_owned()),
                    (format!("rules/tubes/{name}.yaml"), rule(&with)),
                ]
            }
            ("handlebars", format) if !format.is_empty() => {
                let with = format!("template: tubes/{name}.txt.hbs, format: {format}, with: {{name: s.name}}");
                vec![
                    (format!("templates/tubes/{name}.txt.hbs"), block.text.clone()),
                    (format!("rules/tubes/{name}.yaml"), rule(&with)),
                ]
            }
            _ => return Err(format!("`{}` marks no block", block.words.join(" "))),
        };
        let keep = rest.contains(&"keep") || (shows == "pack" && gives.is_none());
        let mut before: Vec<(PathBuf, Option<Vec<u8>>)> = Vec::new();
        for (path, text) in &written {
            let path = self.project.dir().join(path);
            before.push((path.clone(), std::fs::read(&path).ok()));
            Found::text(text).write(&path);
        }
        let engine = self.engine();
        engine.refresh(&Changed::Anything);
        let outcome = engine.outcome(&Ask::default());
        if !keep {
            before.into_iter().for_each(|(path, bytes)| restore(&path, bytes));
        }
        verdict(&outcome.problems, gives)
    }

    /// Runs each line that begins with a dollar sign.
    fn console(&self, text: &str) -> Result<(), String> {
        for line in text.lines().filter_map(|it| it.strip_prefix("$ gen ")) {
            let words = crate::cases::script::words(line).ok_or("a quote is left open")?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let run = self.project.run(&words);
            if run.code != 0 {
                return Err(run.snapshot());
            }
        }
        Ok(())
    }
}

fn restore(path: &Path, bytes: Option<Vec<u8>>) {
    match bytes {
        Some(bytes) => std::fs::write(path, bytes),
        None => std::fs::remove_file(path),
    }
    .expect("the temporary folder is ours");
}

/// Returns what is wrong with what came of a block: nothing may be, or the one mistake that it gives.
fn verdict(problems: &[Problem], gives: Option<&str>) -> Result<(), String> {
    let errors: Vec<&Problem> = problems.iter().filter(|it| it.is_error()).collect();
    let codes: BTreeSet<&str> = errors.iter().map(|it| &*it.code).collect();
    let wanted: BTreeSet<&str> = gives.into_iter().collect();
    if codes == wanted {
        return Ok(());
    }
    let said: Vec<String> = errors
        .iter()
        .map(|it| format!("{}: {} ({:?})", it.code, it.message, it.labels))
        .collect();
    Err(format!(
        "it should give {wanted:?}, and gives:\n  {}",
        said.join("\n  ")
    ))
}

/// Checks a pack that is the only one.
fn alone(text: &str, gives: Option<&str>) -> Result<(), String> {
    let db = Database::default();
    let file = |path: &str, text: &str| SourceFile::new(&db, path.into(), text.into());
    let root = file("gen.yaml", "name: post");
    let own = vec![file("rules/tubes/pack.yaml", &format!("pack: tubes\n{text}"))];
    let project = Files::new(&db, root, Vec::new(), Vec::new(), own, Vec::new());
    verdict(pack::pack_problems(&db, project), gives)
}

/// Returns a rule that has the keys of `text`, and what a rule needs besides.
fn whole_rule(name: &str, text: &str) -> String {
    let has = |key: &str| text.lines().any(|it| it.starts_with(&format!("{key}:")));
    let mut rule = format!("rules:\n  - rule: {name}\n    doc: Shows the example.\n");
    text.lines().for_each(|it| rule.push_str(&format!("    {it}\n")));
    if !has("match") {
        rule.push_str("    match: (s:service)\n");
    }
    if !["nodes", "edges", "facts", "artifact", "deny", "warn"]
        .into_iter()
        .any(has)
    {
        rule.push_str("    warn: found\n");
    }
    rule
}

/// Returns the fenced blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(words)) => {
                open = Some(Block {
                    line: at + 1,
                    words: words.split_whitespace().map(str::to_owned).collect(),
                    text: String::new(),
                });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}
