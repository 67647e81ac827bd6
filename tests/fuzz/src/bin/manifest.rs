//! Gives the target `manifest` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, manifest};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match manifest::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
