//! Text with expressions in it.
