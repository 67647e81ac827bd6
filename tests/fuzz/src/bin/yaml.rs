//! Gives the target `yaml` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, yaml};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match yaml::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
