//! What provenance costs where nobody asks for it: of all instructions of a cold run at 1,000 services, those on the
//! lines that look whether somebody does.
//!
//! Nothing else is carried. A rendered text keeps no ranges (`Render::origins` is `None`), a filled document notes nothing
//! (`Renderer::notes`), a printed one keeps no lines (`Printer::origins`); the places in a template's steps are there for
//! its mistakes, too. So what is left are those looks, and callgrind counts them by the line of the source. It needs the
//! lines of the build; the figure of the first measurement was 5.1 of 3,340 million instructions, 0.15 %.
//!
//!     CARGO_PROFILE_BENCH_DEBUG=line-tables-only cargo bench --bench provenance
//!
//! `VALGRIND` names the program, as for `instructions`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement needs programs, a disk and a place to tell"
)]

mod callgrind;
#[expect(dead_code, reason = "another bench asks for more")]
mod machine;
#[expect(dead_code, reason = "another bench asks for more")]
mod monorepo;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use machine::Storage;

const N_SERVICES: usize = 1_000;
/// The most that they may be of a cold run, in hundredths.
const MOST: f64 = 2.0;
/// Where texts are rendered and documents filled and printed.
const FILES: [&str; 3] = [
    "src/artifact/data/print.rs",
    "src/artifact/data/render.rs",
    "src/artifact/text/render.rs",
];
/// What stands on a line that looks whether provenance is asked for, or hands on that it is not.
const SIGNS: [&str; 4] = ["origins", "notes", "self.note(", "fn note("];

fn main() {
    let storage = Storage::find();
    let folder = storage.folder.path().join("cold");
    monorepo::write(&folder, N_SERVICES);
    let out = storage.folder.path().join("callgrind.out");
    callgrind::quiet(callgrind::counting(&out).arg("apply").arg("-C").arg(&folder));
    let all = lines(&fs::read_to_string(&out).expect("callgrind writes it"));
    let total: u64 = all.values().sum();
    let mut asked = 0;
    let mut n_lines = 0;
    for file in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let source = fs::read_to_string(path).expect("the sources are there");
        for (at, line) in (1..).zip(source.lines()) {
            let is_one = SIGNS.iter().any(|it| line.contains(it)) && !line.trim_start().starts_with("//");
            let of_file = all.iter().filter(|it| it.0.1 == at && it.0.0.ends_with(file));
            let count: u64 = of_file.map(|it| it.1).sum();
            if is_one && count > 0 {
                n_lines += 1;
                asked += count;
            }
        }
    }
    assert!(n_lines > 8, "{n_lines} lines only: is the build without line tables?");
    let share = asked as f64 / total as f64 * 100.0;
    println!(
        "provenance: not asked for, it is {asked} of {total} instructions of a cold run, {share:.2} %, on {n_lines} lines"
    );
    assert!(
        share < MOST,
        "{share:.2} % of a cold run go into provenance that nobody asked for"
    );
}

/// Returns what each line costs by itself, by file and line, as a file of callgrind's says it.
fn lines(text: &str) -> BTreeMap<(String, u64), u64> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut named = |text: &str| -> String {
        // A name stands behind its number where that comes for the first time.
        match text.split_once(' ') {
            Some((number, name)) => {
                names.insert(number.to_owned(), name.to_owned());
                name.to_owned()
            }
            None => names.get(text).cloned().unwrap_or_else(|| text.to_owned()),
        }
    };
    let mut found = BTreeMap::new();
    let (mut file, mut last, mut is_call) = (String::new(), 0_u64, false);
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=') {
            match key {
                "fl" | "fi" | "fe" => file = named(value),
                "cfi" | "cfl" => drop(named(value)),
                "calls" => is_call = true,
                _ => {}
            }
            continue;
        }
        let mut words = line.split(' ');
        let (Some(place), Some(Ok(count)), None) = (words.next(), words.next().map(str::parse::<u64>), words.next())
        else {
            continue;
        };
        let at = match (place.strip_prefix('+'), place.strip_prefix('-')) {
            _ if place == "*" => Some(last),
            (Some(more), _) => more.parse::<u64>().ok().map(|it| last + it),
            (_, Some(less)) => less.parse::<u64>().ok().and_then(|it| last.checked_sub(it)),
            _ => place.parse().ok(),
        };
        let Some(at) = at else { continue };
        last = at;
        // What a call costs stands on the line that makes it, and again where it is spent.
        if !std::mem::take(&mut is_call) {
            *found.entry((file.clone(), at)).or_insert(0) += count;
        }
    }
    found
}
