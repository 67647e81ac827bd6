//! The difference of two texts, line by line, as `diff -u` writes it.
//!
//! No colour: the report paints lines by their first character.

use similar::TextDiff;

/// Beyond this many lines on both sides together the lines are counted instead: the cost grows with their product.
const MOST_LINES: usize = 40_000;

/// Returns the unified difference of `old` and `new` with `context` lines around each change; `None` for a side
/// that does not exist. Empty where both are equal.
#[must_use]
pub fn unified((old_path, path): (&str, &str), old: Option<&[u8]>, new: Option<&[u8]>, context: usize) -> String {
    if old == new {
        return String::new();
    }
    let name = |side: &str, path: &str, content: Option<&[u8]>| match content {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let (before, after) = (name("a", old_path, old), name("b", path, new));
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        return format!("--- {before}\n+++ {after}\nbinary content differs\n");
    };
    let (n_old, n_new) = (old.lines().count(), new.lines().count());
    if n_old + n_new > MOST_LINES {
        return format!("--- {before}\n+++ {after}\n{n_old} lines differ from {n_new} lines\n");
    }
    let diff = TextDiff::from_lines(old, new);
    let mut unified = diff.unified_diff();
    unified.context_radius(context).header(&before, &after).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_as_wide_as_asked() {
        let old = "a\nb\nc\nd\ne\n";
        let new = "a\nb\nX\nd\ne\n";
        assert_eq!(
            unified(("f", "f"), Some(old.as_bytes()), Some(new.as_bytes()), 1),
            "--- a/f\n+++ b/f\n@@ -2,3 +2,3 @@\n b\n-c\n+X\n d\n"
        );
        assert_eq!(
            unified(("f", "f"), Some(old.as_bytes()), Some(new.as_bytes()), 0),
            "--- a/f\n+++ b/f\n@@ -3 +3 @@\n-c\n+X\n"
        );
    }

    #[test]
    fn a_side_that_does_not_exist_is_named_so() {
        assert!(unified(("f", "f"), None, Some(b"x\n"), 3).starts_with("--- /dev/null\n+++ b/f\n"));
        assert_eq!(unified(("f", "f"), Some(b"x"), Some(b"x"), 3), "");
        assert!(unified(("f", "f"), Some(b"\xff"), Some(b"x"), 3).contains("binary"));
    }
}
