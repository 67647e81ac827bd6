//! The rule language: files, expressions, checks, strata.

pub mod file;
