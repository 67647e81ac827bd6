//! Gives the target `data` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, data};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match data::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
