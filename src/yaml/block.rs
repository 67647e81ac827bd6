//! Block texts: what stands below `|` and `>`.

use super::mark::{Indent, Sort};
use super::read::{Reader, is_end, is_white};
use super::scalar::{Content, Scalar};
use super::{MistakeKind, Span, Style};

/// What becomes of the line ends behind the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

impl Reader<'_> {
    /// Reads a block text that belongs to what stands at column `parent`.
    pub(super) fn read_block(&mut self, parent: isize) -> Scalar {
        let start = self.at;
        let style = if self.peek(0) == b'|' {
            Style::Literal
        } else {
            Style::Folded
        };
        self.step(1);
        let Some((chomp, explicit)) = self.read_header() else {
            return Scalar::empty(start);
        };
        let mut end = self.end;
        self.mark_token(Sort::Header, start, end);
        self.skip_white();
        if !self.is_line_done() {
            self.fail_line(MistakeKind::BlockHeader);
            return Scalar::empty(start);
        }
        while !is_end(self.peek(0)) {
            self.at += 1;
        }
        self.skip_end_of_line();
        let body = self.at;
        let Some(indent) = explicit
            .map(|it| parent.max(0) + it)
            .or_else(|| self.detect_indent(parent))
        else {
            return Scalar::empty(start);
        };
        let mut content = Content::default();
        let mut n_ends = 0;
        let mut was_deeper = true;
        let mut has_text = false;
        loop {
            self.skip_indent(indent);
            let begin = self.at;
            if is_end(self.peek(0)) {
                if !self.skip_end_of_line() {
                    break;
                }
                n_ends += 1;
                continue;
            }
            if self.column() < indent || self.is_over() {
                // The line is not part of the text.
                self.at = self.line;
                break;
            }
            let is_deeper = is_white(self.peek(0));
            // Where a line ends that is folded, or the first of the lines that are empty.
            let folds = style == Style::Folded && has_text && !was_deeper && !is_deeper;
            if folds && n_ends == 1 {
                content.push(" ", end);
            } else {
                content.push(&"\n".repeat(n_ends - usize::from(folds)), end);
            }
            while !is_end(self.peek(0)) {
                self.at += 1;
            }
            content.push(self.slice(begin, self.at), begin);
            end = self.at;
            has_text = true;
            was_deeper = is_deeper;
            n_ends = usize::from(self.skip_end_of_line());
            if n_ends == 0 {
                break;
            }
        }
        let n_kept = match chomp {
            Chomp::Strip => 0,
            Chomp::Clip => n_ends.min(usize::from(has_text)),
            Chomp::Keep => n_ends,
        };
        content.push(&"\n".repeat(n_kept), end);
        self.end = end;
        // The lines that are kept behind the text belong to it; the reader stands at the line behind them.
        let last = if chomp == Chomp::Keep && n_ends > 0 {
            self.line - 1
        } else {
            end
        };
        if has_text || chomp == Chomp::Keep && n_ends > 0 {
            let width = indent.unsigned_abs();
            let explicit = explicit.map(isize::unsigned_abs);
            self.mark_token(Sort::Text(Indent { width, explicit }), body, last);
        }
        Scalar {
            span: Span::new(start, end),
            style,
            content: Some(content),
        }
    }

    fn read_header(&mut self) -> Option<(Chomp, Option<isize>)> {
        let mut chomp = None;
        let mut indent = None;
        loop {
            match self.peek(0) {
                b'-' if chomp.is_none() => chomp = Some(Chomp::Strip),
                b'+' if chomp.is_none() => chomp = Some(Chomp::Keep),
                digit @ b'1'..=b'9' if indent.is_none() => indent = Some(isize::from(digit - b'0')),
                b' ' | b'\t' | b'\n' | b'\r' | 0 => return Some((chomp.unwrap_or(Chomp::Clip), indent)),
                _ => {
                    self.fail_line(MistakeKind::BlockHeader);
                    return None;
                }
            }
            self.step(1);
        }
    }

    fn skip_indent(&mut self, indent: isize) {
        while self.peek(0) == b' ' && self.column() < indent {
            self.at += 1;
        }
    }

    /// Returns the indentation of the first line that has content.
    fn detect_indent(&mut self, parent: isize) -> Option<isize> {
        let (at, line) = (self.at, self.line);
        let mut deepest = (0, at);
        let indent = loop {
            while self.peek(0) == b' ' {
                self.at += 1;
            }
            let column = self.column();
            if !is_end(self.peek(0)) {
                break column;
            }
            deepest = deepest.max((column, self.line));
            if !self.skip_end_of_line() {
                break column;
            }
        };
        let is_text = indent > parent && self.at < self.bytes.len();
        if self.peek(0) == b'\t' && indent <= parent {
            self.fail(self.at, self.at + 1, MistakeKind::Tab);
            return None;
        }
        (self.at, self.line) = (at, line);
        if is_text && deepest.0 > indent {
            let end = deepest.1 + deepest.0.unsigned_abs();
            self.fail(deepest.1, end, MistakeKind::BlockIndentation);
            return None;
        }
        // Without text, the lines are all empty.
        Some(if is_text { indent } else { deepest.0.max(parent + 1) })
    }
}
