//! Gives the target `expression` what libFuzzer makes up.
#![no_main]

use groundplan_fuzz::{Verdict, expression};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match expression::hold(bytes) {
        Verdict::Read => Corpus::Keep,
        Verdict::Refused => Corpus::Reject,
    }
});
