//! Data templates, and what they print.

mod printing;
mod templates;
