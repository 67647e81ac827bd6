//! Gives the target `text` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, text};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match text::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
