//! The rule language: expressions, and text with expressions in it.
//!
//! What a rule file says is checked here before anything runs. This module knows neither files nor platforms.

pub mod expression;
pub mod interpolation;
