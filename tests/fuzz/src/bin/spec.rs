//! Gives the target `spec` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, spec};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match spec::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
