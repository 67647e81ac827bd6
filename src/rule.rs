//! The rule language: files, expressions, checks, strata.
//!
//! What a rule file says is checked here before anything runs. This module evaluates no rule and knows no platform.

pub mod compile;
pub mod expression;
pub mod file;
pub mod interpolation;
pub mod model;
pub mod set;
pub mod strata;
