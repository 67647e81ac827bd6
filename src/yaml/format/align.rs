//! Lines before they are joined: comments at the ends of successive lines that stood in one column stand in one again.

/// A line as it will be written.
#[derive(Debug, Default)]
pub(super) struct Line<'t> {
    /// What it says, indented, without the comment at its end.
    pub(super) text: String,
    /// The comment at its end.
    pub(super) comment: Option<Comment<'t>>,
}

/// A comment at the end of a line, or on a line below one, as it goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'t> {
    pub(super) text: &'t str,
    /// The number of the line it was written on.
    pub(super) row: usize,
    /// The column it was written at.
    pub(super) column: usize,
    /// How far it was from what stands before it.
    pub(super) gap: usize,
}

impl Comment<'_> {
    /// Whether this one, on the next line, stood in the same column.
    fn is_above(&self, next: &Self) -> bool {
        self.row + 1 == next.row && self.column == next.column
    }
}

/// Puts the comments behind their lines.
///
/// Each keeps its distance; those of a column take the least of theirs, and stand in a column again.
pub(super) fn join(lines: Vec<Line<'_>>) -> Vec<String> {
    let is_column = |above: &Line<'_>, below: &Line<'_>| match (&above.comment, &below.comment) {
        (Some(above), Some(below)) => above.is_above(below),
        _ => false,
    };
    let mut joined = Vec::with_capacity(lines.len());
    for group in lines.chunk_by(is_column) {
        let width = |line: &Line<'_>| line.text.chars().count();
        let widest = group.iter().map(width).max().unwrap_or(0);
        let gap = group.iter().filter_map(|it| it.comment).map(|it| it.gap).min();
        let column = widest + gap.unwrap_or(0).max(1);
        joined.extend(group.iter().map(|it| match it.comment {
            Some(comment) => [&it.text, &*" ".repeat(column - width(it)), comment.text].concat(),
            None => it.text.clone(),
        }));
    }
    joined
}
