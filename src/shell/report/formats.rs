//! Problems as other programs take them: SARIF 2.1.0, annotations of GitHub, code quality of GitLab.
//!
//! Paths are relative and stay so; a problem that stands nowhere is told of the root spec, since each of these forms
//! wants a place.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::problems::Sources;
use crate::fingerprint::Fingerprint;
use crate::problem::{Place, Problem, Severity};

/// As many annotations of one level GitHub shows of one step.
const ANNOTATIONS: usize = 10;

/// Where a problem stands: the file, the line and the column, and the same of its end.
struct At {
    file: String,
    start: (usize, usize),
    end: (usize, usize),
}

fn at(problem: &Problem, sources: &Sources) -> At {
    let text = problem.labels.iter().find_map(|it| match &it.place {
        Place::Text(file, span) => Some((file, *span)),
        _ => None,
    });
    let Some((file, span)) = text else {
        return At {
            file: "gen.yaml".to_owned(),
            start: (1, 1),
            end: (1, 1),
        };
    };
    let start = sources.position(file, span.start).unwrap_or((1, 1));
    At {
        file: file.to_string(),
        start,
        end: sources.position(file, span.end).unwrap_or(start),
    }
}

/// Says the problem and what to type instead.
fn words(problem: &Problem) -> String {
    match &problem.help {
        Some(help) => format!("{}; {help}", problem.message),
        None => problem.message.to_string(),
    }
}

/// Names a problem by what it says and of which file, not by its line, which moves.
fn fingerprint(problem: &Problem, at: &At) -> String {
    let said = format!("{}\n{}\n{}", problem.code, at.file, problem.message);
    Fingerprint::of(said.as_bytes()).to_string()
}

/// Returns `problems` as SARIF 2.1.0.
#[must_use]
pub fn sarif(problems: &[Problem], sources: &Sources) -> String {
    let level = |it: &Problem| match it.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut rules: BTreeMap<&str, usize> = problems.iter().map(|it| (&*it.code, 0)).collect();
    for (nth, place) in rules.values_mut().enumerate() {
        *place = nth;
    }
    let result = |problem: &Problem| {
        let at = at(problem, sources);
        let mut region = json!({"startLine": at.start.0, "startColumn": at.start.1});
        if at.end > at.start {
            region["endLine"] = at.end.0.into();
            region["endColumn"] = at.end.1.into();
        }
        json!({
            "ruleId": problem.code,
            "ruleIndex": rules[&*problem.code],
            "level": level(problem),
            "message": {"text": words(problem)},
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(&at.file), "uriBaseId": "%SRCROOT%"},
                    "region": region,
                }
            }],
            "partialFingerprints": {"said/v1": fingerprint(problem, &at)},
        })
    };
    let rule = |code: &&str| json!({"id": code, "shortDescription": {"text": code}});
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "gen",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.keys().map(rule).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": problems.iter().map(result).collect::<Vec<Value>>(),
        }]
    });
    format!("{document:#}\n")
}

/// Writes a path as a URI takes it.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Returns `problems` as annotations of GitHub: errors first, and no more of one level than are shown.
#[must_use]
pub fn github(problems: &[Problem], sources: &Sources) -> String {
    let mut text = String::new();
    for (level, severity) in [("error", Severity::Error), ("warning", Severity::Warning)] {
        let of_level: Vec<&Problem> = problems.iter().filter(|it| it.severity == severity).collect();
        let n_shown = if of_level.len() > ANNOTATIONS {
            ANNOTATIONS - 1
        } else {
            of_level.len()
        };
        for problem in &of_level[..n_shown] {
            let at = at(problem, sources);
            let end = if at.end.0 == at.start.0 && at.end.1 > at.start.1 {
                format!(",endColumn={}", at.end.1)
            } else {
                String::new()
            };
            _ = writeln!(
                text,
                "::{level} file={},line={},col={}{end},title={}::{}",
                property(&at.file),
                at.start.0,
                at.start.1,
                property(&problem.code),
                data(&words(problem))
            );
        }
        let n_left = of_level.len() - n_shown;
        if n_left > 0 {
            _ = writeln!(text, "::{level} title=gen::and {n_left} more: `gen check` lists them");
        }
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns `problems` as a code quality report of GitLab.
#[must_use]
pub fn gitlab(problems: &[Problem], sources: &Sources) -> String {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut issues = Vec::new();
    for problem in problems {
        let at = at(problem, sources);
        let mut fingerprint = fingerprint(problem, &at);
        // Two that say the same of one file are two.
        let nth = times.entry(fingerprint.clone()).or_default();
        if *nth > 0 {
            fingerprint = Fingerprint::of(format!("{fingerprint} {nth}").as_bytes()).to_string();
        }
        *nth += 1;
        issues.push(json!({
            "description": words(problem),
            "check_name": problem.code,
            "fingerprint": fingerprint,
            "severity": match problem.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
            },
            "location": {"path": at.file, "lines": {"begin": at.start.0}},
        }));
    }
    format!("{:#}\n", Value::Array(issues))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Span;

    fn error(nth: usize) -> Problem {
        // Not by its full name: this code has no page.
        let make: fn(&'static str, String) -> Problem = Problem::error;
        make("tubes::bad", format!("50% of,\n{nth}: bad"))
            .at(Place::Text("a b.yaml".into(), Span::new(3, 5)), "here")
            .help("mend it")
    }

    fn sources() -> Sources {
        [("a b.yaml".into(), "x\nyzz\n".into())].into_iter().collect()
    }

    #[test]
    fn annotations_are_escaped_ranked_and_few() {
        let mut all: Vec<Problem> = (0..12).map(error).collect();
        all.insert(
            0,
            Problem {
                severity: Severity::Warning,
                ..error(99)
            },
        );
        let text = github(&all, &sources());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "::error file=a b.yaml,line=2,col=2,endColumn=4,title=tubes%3A%3Abad::50%25 of,%0A0: bad; mend it"
        );
        assert_eq!(lines[9], "::error title=gen::and 3 more: `gen check` lists them");
        assert!(lines[10].starts_with("::warning ") && lines.len() == 11, "{text}");
    }

    #[test]
    fn sarif_has_what_code_scanning_asks_for() {
        let document: Value = serde_json::from_str(&sarif(&[error(1)], &sources())).expect("JSON");
        let result = &document["runs"][0]["results"][0];
        assert_eq!(
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "a%20b.yaml"
        );
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["endColumn"], 4);
        assert_eq!(
            document["runs"][0]["tool"]["driver"]["rules"][0]["id"],
            result["ruleId"]
        );
        assert!(result["partialFingerprints"]["said/v1"].is_string());
    }

    #[test]
    fn two_that_say_the_same_differ_for_gitlab() {
        let report: Value = serde_json::from_str(&gitlab(&[error(1), error(1)], &sources())).expect("JSON");
        assert_ne!(report[0]["fingerprint"], report[1]["fingerprint"]);
        assert_eq!(report[0]["location"]["lines"]["begin"], 2);
    }
}
