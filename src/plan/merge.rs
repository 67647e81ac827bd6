//! The three-way merge of a file: what was written, what stands there, what is wanted.
//!
//! Line by line. Where both sides changed the same lines, or lines that touch, both stand in the result between
//! markers, with what was written: nothing is lost.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A merged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its content.
    pub content: Vec<u8>,
    /// The lines at which conflicts begin, counted from 1.
    pub conflicts: Vec<usize>,
}

/// What one side did to lines of the base.
struct Edit {
    base: Range<usize>,
    side: Range<usize>,
}

/// The line at which a conflict begins.
const CONFLICT: &str = "<<<<<<< edited by hand";

/// Returns the lines of `text`, counted from 1, at which conflicts begin that nobody has settled: of a merge here, or of
/// one by git.
#[must_use]
pub fn unsettled(text: &[u8]) -> Vec<usize> {
    let lines: Vec<&[u8]> = text.split(|it| *it == b'\n').collect();
    let has = |marker: &[u8]| lines.iter().any(|it| it.starts_with(marker));
    // One of the others may be gone where somebody has begun to settle it; a text about conflicts has none of them.
    if !has(b"=======") && !has(b">>>>>>> ") {
        return Vec::new();
    }
    let begins = (1..).zip(&lines).filter(|it| it.1.starts_with(b"<<<<<<< "));
    begins.map(|it| it.0).collect()
}

/// Merges `ours`, what stands there, with `theirs`, what is wanted, where both come from `base`.
#[must_use]
pub fn merge(base: &[u8], ours: &[u8], theirs: &[u8]) -> Merged {
    let (base, ours, theirs) = (lines(base), lines(ours), lines(theirs));
    let (left, right) = (edits(&base, &ours), edits(&base, &theirs));
    let (mut a, mut b) = (left.iter().peekable(), right.iter().peekable());
    let mut merged = Merged {
        content: Vec::new(),
        conflicts: Vec::new(),
    };
    let mut at = 0;
    // By how much each side is ahead of the base.
    let (mut shift_a, mut shift_b) = (0_isize, 0_isize);
    loop {
        let next = [a.peek(), b.peek()].into_iter().flatten().map(|it| it.base.start).min();
        let Some(start) = next else { break };
        base[at..start].iter().for_each(|it| merged.content.extend(*it));
        let mut end = start;
        let (before_a, before_b) = (shift_a, shift_b);
        let (mut n_a, mut n_b) = (0, 0);
        loop {
            if let Some(edit) = a.next_if(|it| it.base.start <= end) {
                end = end.max(edit.base.end);
                shift_a += length(&edit.side) - length(&edit.base);
                n_a += 1;
            } else if let Some(edit) = b.next_if(|it| it.base.start <= end) {
                end = end.max(edit.base.end);
                shift_b += length(&edit.side) - length(&edit.base);
                n_b += 1;
            } else {
                break;
            }
        }
        let ours = &ours[moved(start, before_a)..moved(end, shift_a)];
        let theirs = &theirs[moved(start, before_b)..moved(end, shift_b)];
        match (n_a, n_b) {
            (_, 0) => ours.iter().for_each(|it| merged.content.extend(*it)),
            (0, _) => theirs.iter().for_each(|it| merged.content.extend(*it)),
            _ if ours == theirs => ours.iter().for_each(|it| merged.content.extend(*it)),
            _ => merged.conflict(ours, &base[start..end], theirs),
        }
        at = end;
    }
    base[at..].iter().for_each(|it| merged.content.extend(*it));
    merged
}

impl Merged {
    fn conflict(&mut self, ours: &[&[u8]], base: &[&[u8]], theirs: &[&[u8]]) {
        let n_lines = self.content.iter().filter(|it| **it == b'\n').count();
        self.conflicts.push(n_lines + 1);
        let sides = [
            (CONFLICT, ours),
            ("||||||| as it was generated", base),
            ("=======", theirs),
        ];
        for (marker, lines) in sides {
            self.marker(marker);
            lines.iter().for_each(|it| self.content.extend(*it));
        }
        self.marker(">>>>>>> generated now");
    }

    /// Writes a marker on a line of its own.
    fn marker(&mut self, marker: &str) {
        if self.content.last().is_some_and(|it| *it != b'\n') {
            self.content.push(b'\n');
        }
        self.content.extend(marker.as_bytes());
        self.content.push(b'\n');
    }
}

fn lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|it| *it == b'\n').collect()
}

fn edits(base: &[&[u8]], side: &[&[u8]]) -> Vec<Edit> {
    let ops = capture_diff_slices(Algorithm::Myers, base, side);
    let changed = ops.into_iter().filter(|it| !matches!(it, DiffOp::Equal { .. }));
    changed
        .map(|it| Edit {
            base: it.old_range(),
            side: it.new_range(),
        })
        .collect()
}

fn length(range: &Range<usize>) -> isize {
    isize::try_from(range.len()).unwrap_or(isize::MAX)
}

fn moved(at: usize, by: isize) -> usize {
    at.saturating_add_signed(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, ours: &str, theirs: &str) -> (String, Vec<usize>) {
        let merged = merge(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        (String::from_utf8(merged.content).expect("text"), merged.conflicts)
    }

    #[test]
    fn what_one_side_changed_is_taken() {
        let base = "a\nb\nc\nd\ne\n";
        assert_eq!(
            merged(base, "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\nf\n"),
            ("A\nb\nc\nd\nE\nf\n".into(), vec![])
        );
        assert_eq!(merged(base, base, "x\n"), ("x\n".into(), vec![]));
        assert_eq!(merged(base, "x\n", base), ("x\n".into(), vec![]));
        assert_eq!(
            merged(base, "a\nX\nc\nd\ne\n", "a\nX\nc\nd\n"),
            ("a\nX\nc\nd\n".into(), vec![])
        );
        assert_eq!(merged("", "", ""), (String::new(), vec![]));
    }

    #[test]
    fn where_both_changed_the_same_nothing_is_lost() {
        let (text, conflicts) = merged("a\nb\nc\n", "a\nours\nc\n", "a\ntheirs\nc");
        assert_eq!(
            text,
            "a\n<<<<<<< edited by hand\nours\nc\n||||||| as it was generated\nb\nc\n=======\ntheirs\nc\n>>>>>>> generated now\n"
        );
        assert_eq!(conflicts, [2]);
        assert_eq!(unsettled(text.as_bytes()), conflicts);
        assert_eq!(
            unsettled(b"a\r\n<<<<<<< HEAD\r\nb\r\n=======\r\n>>>>>>> x\r\n"),
            [2],
            "of git, on Windows"
        );
        assert_eq!(unsettled(b"cat <<<<<<< x\n<<<<<<<\n>>>>>>> y\n"), [0_usize; 0]);
        assert_eq!(unsettled(b"<<<<<<< is how a conflict begins\n"), [0_usize; 0]);
        let (text, conflicts) = merged("a\n", "a\nours\n", "a\ntheirs\n");
        assert!(text.contains("ours") && text.contains("theirs"), "{text}");
        assert_eq!(conflicts, [2]);
    }

    proptest::proptest! {
        #[test]
        fn an_edit_of_one_side_alone_is_that_side(
            base in proptest::collection::vec("[abc]\n", 0..12),
            side in proptest::collection::vec("[abc]\n", 0..12),
        ) {
            let (base, side) = (base.concat(), side.concat());
            proptest::prop_assert_eq!(merged(&base, &side, &base), (side.clone(), vec![]));
            proptest::prop_assert_eq!(merged(&base, &base, &side), (side.clone(), vec![]));
            proptest::prop_assert_eq!(merged(&base, &side, &side), (side, vec![]));
        }

        #[test]
        fn no_line_of_an_edit_is_lost(
            base in proptest::collection::vec("[abc]\n", 0..10),
            ours in proptest::collection::vec("[abcx]\n", 0..10),
            theirs in proptest::collection::vec("[abcy]\n", 0..10),
        ) {
            let (text, _) = merged(&base.concat(), &ours.concat(), &theirs.concat());
            let count = |text: &str, line: &str| text.lines().filter(|it| *it == line).count();
            proptest::prop_assert!(count(&text, "x") >= count(&ours.concat(), "x"));
            proptest::prop_assert!(count(&text, "y") >= count(&theirs.concat(), "y"));
        }
    }
}
