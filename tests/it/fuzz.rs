//! The inputs that are kept for the fuzz targets: each is given to its target, without libFuzzer.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use self::targets::Verdict;
use crate::project::folders;
use crate::tidy::{files, shown, top};

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library as well")]
mod targets;

type Target = fn(&[u8]) -> Verdict;

const TARGETS: [(&str, Target); 7] = [
    ("data", targets::data::hold),
    ("expression", targets::expression::hold),
    ("manifest", targets::manifest::hold),
    ("pattern", targets::pattern::hold),
    ("spec", targets::spec::hold),
    ("text", targets::text::hold),
    ("yaml", targets::yaml::hold),
];

/// The stack of a program's own thread, on which libFuzzer runs a target.
const STACK: usize = 8 << 20;

#[test]
fn each_input_that_is_kept_holds() {
    let corpus = top().join("tests/fuzz/corpus");
    let kept = folders(&corpus);
    let kept: Vec<&str> = kept.iter().filter_map(|it| it.file_name()?.to_str()).collect();
    assert_eq!(kept, TARGETS.map(|it| it.0), "a folder of inputs for each target");
    let replay = &|(name, hold): (&str, Target)| -> Vec<String> {
        let inputs = files(&corpus.join(name), "");
        assert!(!inputs.is_empty(), "nothing is kept for `{name}`");
        let fault = |path: &std::path::PathBuf| {
            let bytes = fs::read(path).expect("what is kept can be read");
            match catch_unwind(AssertUnwindSafe(|| hold(&bytes))) {
                Ok(Verdict::Read) => None,
                Ok(Verdict::Refused) => Some(format!("{}: the target refuses it", shown(path))),
                Err(_) => Some(format!("{}: fails", shown(path))),
            }
        };
        inputs.iter().filter_map(fault).collect()
    };
    let faults: Vec<String> = thread::scope(|scope| {
        let replays = TARGETS.map(|target| {
            let thread = thread::Builder::new().stack_size(STACK);
            thread
                .spawn_scoped(scope, move || replay(target))
                .expect("a thread begins")
        });
        let faults = replays.map(|it| it.join().expect("a target is there"));
        faults.into_iter().flatten().collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
