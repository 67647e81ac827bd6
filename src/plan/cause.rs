//! What differs between two versions of the inputs, in steps that can be undone one by one.
//!
//! A spec file is compared field by field; of rules and templates the file itself is the cause. Each step bears the
//! text of its file with this step and all before it undone, so that whoever derives artifacts sees what it changes.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::reason::{Reason, Sort};
use crate::db::pack_path;
use crate::problem::Span;
use crate::value::{Name, Path};
use crate::yaml::{self, Data, Entry, Yaml};

/// One step back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub file: Name,
    /// Its text with this step undone; none where it did not exist.
    pub text: Option<Arc<str>>,
    /// What changed by it.
    pub reasons: Vec<Reason>,
}

/// A field that differs.
#[derive(Clone)]
struct Difference {
    path: Path,
    old: Option<(Span, String)>,
    new: Option<(Span, String)>,
    /// Where its key stands, where there is one.
    key: Option<Span>,
    /// The path under which the same stood before: only the key differs.
    renamed: Option<Path>,
}

/// How many characters of a value are shown.
const SHOWN: usize = 60;

/// What comments begin with, in templates and in what they print most, and what ends those that may go on over lines.
const COMMENTS: [(&str, Option<&str>); 5] = [
    ("{{!--", Some("--")),
    ("{{~!--", Some("--")),
    ("{{!", Some("}}")),
    ("{{~!", Some("}}")),
    ("#", None),
];

/// How many lines are compared one by one.
const MOST_COMPARED: usize = 4_000;

/// How many fields of one file are told one by one.
const MOST: usize = 200;

/// Returns the sort of input that the file at `path` is.
#[must_use]
pub fn sort(path: &str) -> Sort {
    match pack_path(path).split('/').next() {
        Some("rules") => Sort::Rule,
        Some("templates") => Sort::Template,
        _ => Sort::Spec,
    }
}

/// Returns the steps from `new` back to `old`, two versions of the file at `path`; none for a side that does not exist.
#[must_use]
pub fn steps(path: &Name, old: Option<&Arc<str>>, new: Option<&Arc<str>>) -> Vec<Step> {
    if old == new {
        return Vec::new();
    }
    let whole = |reasons: Vec<Reason>| Step {
        file: path.clone(),
        text: old.cloned(),
        reasons,
    };
    let sort = sort(path);
    let of_file = |what: &str| Reason::of(sort, Some(path.clone()), what);
    let (Some(old), Some(new)) = (old, new) else {
        let what = if new.is_some() {
            "the file is new"
        } else {
            "the file is gone"
        };
        return vec![whole(vec![of_file(what)])];
    };
    if sort != Sort::Spec {
        return vec![whole(vec![changed_lines(of_file("changed"), old, new)])];
    }
    let (Some(before), Some(after)) = (yaml::parse(old).0, yaml::parse(new).0) else {
        return vec![whole(vec![of_file("changed")])];
    };
    let before = (&before, &**old);
    let mut steps = Vec::new();
    let (mut now, mut text): (Yaml, Arc<str>) = (after, new.clone());
    let mut left = differences(before, (&now, &text));
    if left.len() <= MOST {
        let found = left.clone();
        // From the end of the file, so that what stands before keeps its place; what is gone comes back last.
        let there = found.iter().rev().filter(|it| it.new.is_some());
        let gone = found.iter().rev().filter(|it| it.new.is_none());
        for difference in there.chain(gone) {
            let Some(undone) = undone((&now, &text), old, difference) else {
                continue;
            };
            let step = |text| Step {
                file: path.clone(),
                text: Some(text),
                reasons: vec![reason(path, difference, old, new)],
            };
            // An alias holds what stands elsewhere: then one place is several differences.
            if left.len() == 1 && undone == **old {
                left.clear();
                steps.push(step(old.clone()));
                break;
            }
            let Some(then) = yaml::parse(&undone).0 else { continue };
            let still = differences(before, (&then, &undone));
            let is_done = still.len() + 1 == left.len();
            if is_done && !still.iter().any(|it| it.path == difference.path) {
                (now, text, left) = (then, undone.into(), still);
                steps.push(step(text.clone()));
            }
        }
    }
    if !left.is_empty() {
        let n_left = left.len();
        let mut reasons: Vec<Reason> = left.iter().take(MOST).map(|it| reason(path, it, old, &text)).collect();
        if n_left > MOST {
            reasons = vec![of_file(&format!("{n_left} fields changed"))];
        }
        steps.push(whole(reasons));
    } else if let Some(last) = steps.last_mut() {
        last.text = Some(old.clone());
    }
    steps
}

/// Adds to `reason` where `new` first differs from `old` by more than blank lines and comments, if there is such a place;
/// both texts, where that is one line and nothing else differs; else how many places there are.
fn changed_lines(reason: Reason, old: &str, new: &str) -> Reason {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let rests = before[head..].iter().rev().zip(after[head..].iter().rev());
    let tail = rests.take_while(|(a, b)| a == b).count();
    let (before_ends, after_ends) = (before.len() - tail, after.len() - tail);
    // To tell places apart takes as long as both are long, each time.
    let differences = match (before_ends - head) + (after_ends - head) {
        n if n > MOST_COMPARED => vec![(head..before_ends, head..after_ends)],
        _ => differing(&before[head..before_ends], &after[head..after_ends], head),
    };
    let (old_says, new_says) = (saying(&before), saying(&after));
    let telling = |(old, new): &(Range<usize>, Range<usize>)| {
        let written = new.clone().find(|it| new_says[*it]);
        let is_gone = || old.clone().any(|it| old_says[it]).then_some(new.start);
        written.or_else(is_gone)
    };
    let places: Vec<usize> = differences.iter().filter_map(telling).collect();
    let first = places.first().or(differences.first().map(|it| &it.1.start));
    let (old, new) = match differences.as_slice() {
        [(old, new)] if old.len() == 1 && new.len() == 1 => excerpts(before[old.start], after[new.start]).unzip(),
        _ => (None, None),
    };
    let input = match places.len() {
        0 | 1 => reason.input.clone(),
        n => format!("{} at {n} places", reason.input).into(),
    };
    Reason {
        line: first.map(|it| it + 1),
        old,
        new,
        input,
        ..reason
    }
}

/// Returns the places at which two lists of lines differ, which begin behind `head` lines.
fn differing(before: &[&str], after: &[&str], head: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let behind = |it: Range<usize>| it.start + head..it.end + head;
    let operations = capture_diff_slices(Algorithm::Myers, before, after);
    let changes = operations.iter().filter(|it| !matches!(it, DiffOp::Equal { .. }));
    changes
        .map(|it| (behind(it.old_range()), behind(it.new_range())))
        .collect()
}

/// Tells of each line whether it says something: it is not blank, and within no comment.
fn saying(lines: &[&str]) -> Vec<bool> {
    let mut within = None;
    let says = |line: &&str| {
        let line = line.trim_start();
        let opens = COMMENTS.iter().find(|it| line.starts_with(it.0));
        let rest = opens.map_or(line, |it| &line[it.0.len()..]);
        let ends = within.or(opens.and_then(|it| it.1));
        within = ends.filter(|end| !rest.contains(end));
        !line.is_empty() && opens.is_none() && ends.is_none()
    };
    lines.iter().map(says).collect()
}

/// Returns what two lines hold around where they differ; none where that is white space alone.
fn excerpts(old: &str, new: &str) -> Option<(Arc<str>, Arc<str>)> {
    let (old, new) = (words(old), words(new));
    let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    // Something of what is the same shows where that is.
    let skipped = if same > SHOWN / 2 { same - SHOWN / 4 } else { 0 };
    let shown = |it: &str| {
        let rest: String = it.chars().skip(skipped).collect();
        Arc::from([if skipped > 0 { "…" } else { "" }, &excerpt(&rest)].concat())
    };
    (old != new).then(|| (shown(&old), shown(&new)))
}

fn reason(file: &Name, difference: &Difference, old: &str, new: &str) -> Reason {
    let line = |text: &str, span: Span| text.get(..span.start as usize).unwrap_or(text).matches('\n').count() + 1;
    let shown = |side: &Option<(Span, String)>| side.as_ref().map(|it| Arc::from(excerpt(&it.1)));
    // The new text may have been undone in part behind this place, never before it.
    let at = match (&difference.new, &difference.old) {
        (Some((span, _)), _) => Some(line(new, difference.key.unwrap_or(*span))),
        (None, Some((span, _))) => Some(line(old, difference.key.unwrap_or(*span))),
        (None, None) => None,
    };
    if let Some(was) = &difference.renamed {
        let input = format!("{was} is now {}", difference.path);
        return Reason {
            line: at,
            renamed: was.0.last().cloned().zip(difference.path.0.last().cloned()),
            ..Reason::of(Sort::Spec, Some(file.clone()), input)
        };
    }
    Reason {
        line: at,
        old: shown(&difference.old),
        new: shown(&difference.new),
        ..Reason::of(Sort::Spec, Some(file.clone()), difference.path.to_string())
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn excerpt(text: &str) -> String {
    let line = words(text);
    let shown: String = line.chars().take(SHOWN).collect();
    let more = if shown.len() < line.len() { "…" } else { "" };
    format!("{shown}{more}")
}

/// Returns the fields in which two specs differ, each with its text, in the order of the new text; what is gone stands
/// where it stood.
fn differences(old: (&Yaml, &str), new: (&Yaml, &str)) -> Vec<Difference> {
    let mut found = Vec::new();
    let sides = (Some((old.0, None)), Some((new.0, None)));
    compare(&Path::default(), sides.0, sides.1, (old.1, new.1), &mut found);
    found.sort_by_key(|it| it.new.as_ref().or(it.old.as_ref()).map(|it| it.0.start));
    found
}

type Side<'y> = Option<(&'y Yaml, Option<Span>)>;

fn compare(path: &Path, old: Side<'_>, new: Side<'_>, texts: (&str, &str), found: &mut Vec<Difference>) {
    if let (Some((old, _)), Some((new, _))) = (old, new) {
        if same(old, new) {
            return;
        }
        if let (Data::Map(before), Data::Map(after)) = (&old.data, &new.data) {
            let (then, now) = (by_key(before), by_key(after));
            let gone: Vec<&Entry> = before.iter().filter(|it| !now.contains_key(&*it.key)).collect();
            let come: Vec<&Entry> = after.iter().filter(|it| !then.contains_key(&*it.key)).collect();
            let renamed = renamed(&gone, &come);
            for (was, now) in &renamed {
                found.push(Difference {
                    path: path.join(&*now.key),
                    old: Some((was.key_span, was.key.to_string())),
                    new: Some((now.key_span, now.key.to_string())),
                    key: Some(now.key_span),
                    renamed: Some(path.join(&*was.key)),
                });
            }
            let is_renamed = |it: &Entry| renamed.iter().any(|(was, now)| *was == it || *now == it);
            for entry in after.iter().filter(|it| !is_renamed(it)) {
                let was = then.get(&*entry.key);
                let path = path.join(&*entry.key);
                let was = was.map(|it| (&it.value, Some(it.key_span)));
                compare(&path, was, Some((&entry.value, Some(entry.key_span))), texts, found);
            }
            for entry in gone.into_iter().filter(|it| !is_renamed(it)) {
                let path = path.join(&*entry.key);
                compare(&path, Some((&entry.value, Some(entry.key_span))), None, texts, found);
            }
            return;
        }
    }
    let side = |side: Side<'_>, text: &str| side.map(|(yaml, _)| (yaml.span, written(yaml, text)));
    found.push(Difference {
        path: path.clone(),
        old: side(old, texts.0),
        new: side(new, texts.1),
        key: new.or(old).and_then(|it| it.1),
        renamed: None,
    });
}

fn by_key(entries: &[Entry]) -> FxHashMap<&str, &Entry> {
    entries.iter().map(|it| (&*it.key, it)).collect()
}

/// Returns the entries that are gone and those that are there in their place: the same under another key, if that can
/// be said of one pair alone.
fn renamed<'y>(gone: &[&'y Entry], come: &[&'y Entry]) -> Vec<(&'y Entry, &'y Entry)> {
    let mut pairs = Vec::new();
    for was in gone {
        let mut fit = come.iter().filter(|it| same(&was.value, &it.value));
        let (Some(now), None) = (fit.next(), fit.next()) else {
            continue;
        };
        if gone.iter().filter(|it| same(&it.value, &now.value)).count() == 1 {
            pairs.push((*was, *now));
        }
    }
    pairs
}

/// Returns how a value is written; of one without characters its type.
fn written(yaml: &Yaml, text: &str) -> String {
    match yaml.source(text).trim() {
        "" => yaml.noun().to_owned(),
        source => source.to_owned(),
    }
}

/// Tells whether two values are the same, wherever they stand.
fn same(a: &Yaml, b: &Yaml) -> bool {
    match (&a.data, &b.data) {
        (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Int(a), Data::Int(b)) => a == b,
        (Data::Double { source: a, .. }, Data::Double { source: b, .. }) => a == b,
        (Data::String(a), Data::String(b)) => a.content == b.content,
        (Data::List(a), Data::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Data::Map(a), Data::Map(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b);
            pairs.all(|(a, b)| a.key == b.key && same(&a.value, &b.value)) || {
                let there = by_key(b);
                let mut entries = a.iter();
                entries.all(|it| there.get(&*it.key).is_some_and(|there| same(&it.value, &there.value)))
            }
        }
        _ => false,
    }
}

/// Returns the text of `now` with one difference to `old` undone, where that can be said in place.
fn undone((now, text): (&Yaml, &str), old: &str, difference: &Difference) -> Option<String> {
    match (&difference.old, &difference.new) {
        (Some((_, was)), Some((span, _))) if !was.contains('\n') => {
            let (start, end) = (span.start as usize, span.end as usize);
            Some(format!("{}{was}{}", text.get(..start)?, text.get(end..)?))
        }
        // An entry that is new goes with its lines.
        (None, Some((span, _))) => {
            let key = difference.key?.start as usize;
            let start = text.get(..key)?.rfind('\n').map_or(0, |it| it + 1);
            let end = span.end as usize;
            let end = text.get(end..)?.find('\n').map_or(text.len(), |it| end + it + 1);
            let is_alone = text.get(start..key)?.trim().is_empty();
            is_alone.then(|| format!("{}{}", &text[..start], &text[end..]))
        }
        // An entry that is gone comes back with its lines, before what now stands at its parent's first entry.
        (Some((span, _)), None) => {
            let key = difference.key?.start as usize;
            let start = old.get(..key)?.rfind('\n').map_or(0, |it| it + 1);
            let end = span.end as usize;
            let end = old.get(end..)?.find('\n').map_or(old.len(), |it| end + it + 1);
            let indent = old.get(start..key)?;
            if !indent.trim().is_empty() {
                return None;
            }
            let (_, parents) = difference.path.0.split_last()?;
            let parent = parents.iter().try_fold(now, |yaml, step| yaml.get(step))?;
            let first = parent.entries().first()?.key_span.start as usize;
            let at = text.get(..first)?.rfind('\n').map_or(0, |it| it + 1);
            let fits = text.get(at..first)? == indent;
            fits.then(|| format!("{}{}{}", &text[..at], &old[start..end], &text[at..]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<Vec<String>> {
        let (old, new): (Arc<str>, Arc<str>) = (old.into(), new.into());
        let steps = steps(&"gen.yaml".into(), Some(&old), Some(&new));
        if let Some(last) = steps.last() {
            assert_eq!(last.text, Some(old), "the last step is the old text");
        }
        steps
            .iter()
            .map(|it| it.reasons.iter().map(Reason::sentence).collect())
            .collect()
    }

    #[test]
    fn each_field_is_a_step() {
        let old = "a:\n  x: 1 # one\n  y: [1, 2]\nb: {z: u}\n";
        let new = "# a word\na:\n  x: 2 # one\n  y: [1, 3]\nb: {z: v}\n";
        assert_eq!(
            told(old, new),
            [
                ["gen.yaml:5 b.z u → v"],
                ["gen.yaml:4 a.y [1, 2] → [1, 3]"],
                ["gen.yaml:3 a.x 1 → 2"]
            ]
        );
    }

    #[test]
    fn of_a_template_the_line_that_says_something_is_told() {
        let told = |old: &str, new: &str| {
            let (old, new): (Arc<str>, Arc<str>) = (old.into(), new.into());
            let steps = steps(&"templates/t/a.hbs".into(), Some(&old), Some(&new));
            steps[0].reasons[0].sentence()
        };
        assert_eq!(
            told("a\nb {{x}}\n", "a\nb {{y}}\n"),
            "templates/t/a.hbs:2 changed b {{x}} → b {{y}}"
        );
        assert_eq!(
            told("# one\na\nb\n", "# two\na\n\nc\n"),
            "templates/t/a.hbs:4 changed",
            "neither the comment nor the blank line"
        );
        let header = |word: &str, body: &str| format!("{{{{!--\n  {word}\n--}}}}\n{body}\n");
        assert_eq!(
            told(&header("old", "a"), &header("new", "b")),
            "templates/t/a.hbs:4 changed"
        );
        assert_eq!(
            told("a\nb\nc\n", "x\nb\ny\n"),
            "templates/t/a.hbs:1 changed at 2 places"
        );
        assert_eq!(told("a\n", "  a\n"), "templates/t/a.hbs:1 changed");
        let long = "the same words, ".repeat(10);
        assert_eq!(
            told(&format!("{long}old\n"), &format!("{long}new\n")),
            "templates/t/a.hbs:1 changed …he same words, old → …he same words, new"
        );
        assert_eq!(told("a\nb\nc\n", "# new\na\nc\n"), "templates/t/a.hbs:3 changed");
        assert_eq!(told("a\n", "{{! new }}\na\n"), "templates/t/a.hbs:1 changed");
    }

    #[test]
    fn an_entry_comes_and_another_goes() {
        let old = "services:\n  a: {}\n  b:\n    image: x\n  c: {}\n";
        let new = "services:\n  a: {}\n  c: {}\n  d:\n    image: y\n";
        assert_eq!(
            told(old, new),
            [
                ["gen.yaml:4 services.d image: y, new"],
                ["gen.yaml:3 services.b image: x, gone"]
            ]
        );
        // Within braces nothing is cut out.
        assert_eq!(
            told("a: {x: 1, y: 2}\n", "a: {y: 2, z: 3}\n"),
            [["gen.yaml:1 a.x 1, gone", "gen.yaml:1 a.z 3, new"]]
        );
    }

    #[test]
    fn another_key_of_the_same_is_a_new_name() {
        assert_eq!(
            told(
                "services:\n  a: {x: 1}\n  b: {x: 2}\n",
                "services:\n  c: {x: 1}\n  b: {x: 3}\n"
            ),
            [
                ["gen.yaml:3 services.b.x 2 → 3"],
                ["gen.yaml:2 services.a is now services.c"]
            ]
        );
        // Two that are alike can't be told apart.
        assert_eq!(told("{a: 1, b: 1}\n", "{c: 1, d: 1}\n").concat().len(), 4);
    }

    #[test]
    fn what_stands_at_one_place_for_several_is_told_of_all() {
        let told = told(
            "{a: {r: &r {cpu: 1}}, c: {r: *r}}\n",
            "{a: {r: &r {cpu: 2}}, c: {r: *r}}\n",
        );
        assert_eq!(told, [["gen.yaml:1 a.r.cpu 1 → 2", "gen.yaml:1 c.r.cpu 1 → 2"]]);
    }

    #[test]
    fn a_comment_is_no_cause() {
        assert_eq!(told("a: 1\n", "# why\na: 1\n").len(), 0);
        let rule = steps(&"rules/x/y.yaml".into(), Some(&"a\nb\n".into()), Some(&"a\nc\n".into()));
        assert_eq!(rule[0].reasons[0].sentence(), "rules/x/y.yaml:2 changed b → c");
        assert_eq!(sort(".gen/packs/templates/x/y.hbs"), Sort::Template);
        let gone = steps(&"a.yaml".into(), Some(&"a: 1\n".into()), None);
        assert_eq!(gone[0].reasons[0].sentence(), "a.yaml the file is gone");
    }
}
