//! Hostile strings in all fields of a spec: what is printed is read back as it was meant, or a diagnostic refuses it.
//!
//! The project is generated twice: once with a harmless word in each field, once with that word between signs that mean
//! something to some format. A field whose string is refused gets its harmless word. Then each artifact, read by a
//! parser of its format, must be what the harmless one is with the strings put in the places of the words: so that
//! nothing has to be known of what any template prints. The languages inside of strings are read too.

mod read;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use groundplan::problem::{Label, Place, Problem};
use groundplan::shell::discover;
use groundplan::shell::engine::{ArtifactPath, Ask, Changed, Engine};
use groundplan::shell::report::Sources;
use serde_json::Value;

use self::read::Words;
use self::spec::Fields;
pub(super) use self::spec::piece;
use super::tool::{Language, Tools};
use crate::monorepo::Random;
use crate::project::Project;
use crate::say;

/// How many hostile strings there are at least.
const N_STRINGS: usize = 10_000;
/// How many of the services run on the platform whose jobs its own parser reads.
const N_JOBS: usize = 200;
/// How many run on the other platform at least.
const N_WORKLOADS: usize = 50;

#[test]
fn hostile_strings_are_read_back_as_they_were_meant() {
    let mut fields = Fields::random(&mut Random(11));
    assert!(fields.len() >= N_STRINGS, "{} strings only", fields.len());
    let project = Project::of(&fields.files(false));
    let mut engine = Engine::open(discover::find_root(&project.dir()).expect("the project has a root file"));
    let tame = generated(&mut engine).unwrap_or_else(|problems| panic!("harmless words are refused: {problems:#?}"));
    let mut n_rounds = 0;
    let hostile = loop {
        let files = fields.files(true);
        files
            .iter()
            .for_each(|(path, found)| found.write(&project.dir().join(path)));
        engine.refresh(&Changed::Paths(files.into_keys().collect()));
        let errors = match generated(&mut engine) {
            Ok(artifacts) => break artifacts,
            Err(errors) => errors,
        };
        let n_left = fields.n_hostile();
        fields.refuse(&errors);
        assert!(fields.n_hostile() < n_left, "no string is at fault for {errors:#?}");
        n_rounds += 1;
    };
    let words = fields.words();
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    let mut left: BTreeSet<&String> = hostile.keys().collect();
    for (path, text) in &tame {
        let there = words.put_into(path);
        let Some(found) = hostile.get(&there) else {
            faults.push(format!("{there:?} is not printed"));
            continue;
        };
        left.remove(&there);
        let (meant, found) = (read::artifact(path, text), read::artifact(&there, found));
        compare(&there, meant, found, &words, &mut seen, &mut faults);
    }
    faults.extend(
        left.iter()
            .map(|it| format!("{it:?} is printed, and nothing like it where all is harmless")),
    );
    let n_refused = fields.len() - fields.n_hostile();
    let n_printed = seen.len();
    say(&format!(
        "hostile: {} strings, {n_refused} refused in {n_rounds} rounds, {n_printed} read back from {} artifacts",
        fields.len(),
        hostile.len()
    ));
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults[..faults.len().min(20)].join("\n")
    );
    assert!(
        n_printed * 2 > fields.len(),
        "only {n_printed} of {} strings are printed",
        fields.len()
    );
    by_the_platform(&tame, &hostile, &words);
}

/// Compares the jobs as the platform's own parser reads them, all in one process.
fn by_the_platform(tame: &BTreeMap<String, String>, hostile: &BTreeMap<String, String>, words: &Words) {
    let is_job = |it: &&String| it.ends_with(".nomad") && it.contains("/jobs/");
    let Some(tools) = Tools::of_environment() else {
        let n_jobs = hostile.keys().filter(is_job).count();
        return say(&format!("judges: left out jobcheck -json of {n_jobs} hostile jobs"));
    };
    let room = tempfile::tempdir().expect("a temporary folder can be made");
    let parsed = |folder: &str, texts: Vec<&String>| -> Vec<Value> {
        // The names of the files are ours: those of the artifacts would not all fit on a line of the judge's list.
        let files: Vec<PathBuf> = (0..texts.len())
            .map(|it| room.path().join(format!("{folder}-{it}.nomad")))
            .collect();
        for (file, text) in files.iter().zip(texts) {
            std::fs::write(file, text).expect("the temporary folder is ours");
        }
        tools.reports(Language::Job, &files)
    };
    let jobs: Vec<&String> = tame.keys().filter(is_job).collect();
    assert!(jobs.len() >= N_JOBS, "{} jobs only", jobs.len());
    let tame_reports = parsed("tame", jobs.iter().map(|it| &tame[*it]).collect());
    let hostile_reports = parsed("hostile", jobs.iter().map(|it| &hostile[&words.put_into(it)]).collect());
    let (mut faults, mut seen, mut n_invalid) = (Vec::new(), BTreeSet::new(), 0);
    for (at, (tame, hostile)) in tame_reports.iter().zip(&hostile_reports).enumerate() {
        let path = words.put_into(jobs[at]);
        assert!(
            tame["error"].is_null(),
            "{path:?} with harmless words: {}",
            tame["error"]
        );
        if hostile["job"].is_null() {
            faults.push(format!("{path:?} can't be parsed: {}", hostile["error"]));
            continue;
        }
        // What is parsed as it was meant may still be refused for what it means: a constraint that compares nothing.
        n_invalid += usize::from(!hostile["error"].is_null());
        compare(
            &path,
            read::job(&tame["job"]),
            read::job(&hostile["job"]),
            words,
            &mut seen,
            &mut faults,
        );
    }
    say(&format!(
        "judges: {} hostile jobs by jobcheck -json, {} strings read back, {n_invalid} jobs refused there, {} faults",
        jobs.len(),
        seen.len(),
        faults.len()
    ));
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults[..faults.len().min(20)].join("\n")
    );
}

/// Reports where `hostile` is not `tame` with the strings in the places of the words.
fn compare(
    path: &str,
    tame: Result<Value, String>,
    hostile: Result<Value, String>,
    words: &Words,
    seen: &mut BTreeSet<usize>,
    faults: &mut Vec<String>,
) {
    let (tame, hostile) = match (tame, hostile) {
        (Ok(tame), Ok(hostile)) => (tame, hostile),
        (Err(why), _) => return faults.push(format!("{path:?}, harmless: {why}")),
        (_, Err(why)) => return faults.push(format!("{path:?}: {why}")),
    };
    let meant = words.meant(&tame, seen);
    let found = read::sorted(&hostile);
    if meant != found {
        let mut lines = Vec::new();
        read::differences("", &meant, &found, &mut lines);
        lines.truncate(4);
        faults.push(format!("{path:?}:\n  {}", lines.join("\n  ")));
    }
}

/// An error: where it stands, with its line where that is known, and all its words.
pub(super) struct Refusal {
    /// Files and lines.
    places: Vec<(String, usize)>,
    /// The message, the labels and the help.
    texts: Vec<String>,
}

/// Returns the artifacts that are wanted, or the errors.
fn generated(engine: &mut Engine) -> Result<BTreeMap<String, String>, Vec<Refusal>> {
    let outcome = engine.outcome(&Ask::default());
    let errors = outcome.problems.iter().filter(|it| it.is_error());
    let errors: Vec<Refusal> = errors.map(|it| refusal(it, &outcome.sources)).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let paths: Vec<&ArtifactPath> = outcome.wanted.iter().map(|it| &it.path).collect();
    let texts = match engine.print(&paths) {
        Ok(texts) => texts,
        Err(problems) => return Err(problems.iter().map(|it| refusal(it, &outcome.sources)).collect()),
    };
    let text = |bytes: Arc<[u8]>| String::from_utf8(bytes.to_vec()).expect("artifacts are text");
    let paths = paths.into_iter().map(|it| it.as_str().to_owned());
    Ok(paths.zip(texts.into_iter().map(text)).collect())
}

fn refusal(problem: &Problem, sources: &Sources) -> Refusal {
    let labels = problem.labels.iter();
    let place = |label: &Label| match &label.place {
        Place::Text(file, span) => Some((file.to_string(), sources.position(file, span.start)?.0)),
        _ => None,
    };
    let texts = labels.clone().map(|it| it.text.to_string());
    Refusal {
        places: labels.filter_map(place).collect(),
        texts: texts
            .chain([problem.message.to_string()])
            .chain(problem.help.as_ref().map(|it| it.to_string()))
            .collect(),
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.texts, self.places)
    }
}
