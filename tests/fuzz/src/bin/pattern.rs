//! Gives the target `pattern` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, pattern};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match pattern::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
