//! The document around the values: its bounds, its directives, and what no text may contain.

use rustc_hash::FxHashMap;

use super::mark::{Mark, Sort};
use super::read::{Reader, Room, is_end};
use super::{Mistake, MistakeKind, Span, Yaml};

/// What begins the lines between which a merge by git leaves the sides of a conflict.
const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

pub(super) fn read(text: &str) -> (Option<Yaml>, Vec<Mistake>) {
    if u32::try_from(text.len()).is_err() {
        return (
            None,
            vec![Mistake {
                span: Span::default(),
                kind: MistakeKind::TooLarge,
            }],
        );
    }
    let forbidden = forbidden(text);
    let readable = forbidden
        .as_ref()
        .map_or(text, |it| text.get(..it.span.start as usize).unwrap_or_default());
    let mut reader = Reader::new(readable);
    let document = reader.read_document();
    let mut mistakes = reader.mistakes;
    if reader.stopped
        && let Some(marker) = conflict(readable)
    {
        // That is what the reader has stumbled over, or else the greater thing to settle.
        mistakes.pop();
        mistakes.push(marker);
    }
    if let Some(forbidden) = forbidden {
        // What is not closed at the end of the readable part may be closed behind it.
        if reader.stopped {
            mistakes.pop();
        }
        mistakes.push(forbidden);
    }
    (document, mistakes)
}

/// Returns where what stands in `text`, in which there is no mistake.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    let mut reader = Reader::new(text);
    reader.marks = Some(Vec::new());
    reader.read_document();
    reader.marks.unwrap_or_default()
}

/// Returns the first character that no YAML may contain.
fn forbidden(text: &str) -> Option<Mistake> {
    let bytes = text.as_bytes();
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || *byte == 0x7f;
    // The whole is asked first, without a way out of the loop: that is many bytes at a time.
    let has_control = bytes.iter().fold(false, |found, byte| found | is_control(byte));
    let control = if has_control {
        bytes.iter().position(is_control)
    } else {
        None
    };
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = rest.find('\u{feff}').map(|at| at + text.len() - rest.len());
    let at = match (control, mark) {
        (Some(control), Some(mark)) => control.min(mark),
        (control, mark) => control.or(mark)?,
    };
    let character = text.get(at..)?.chars().next()?;
    Some(Mistake {
        span: Span::new(at, at + character.len_utf8()),
        kind: MistakeKind::ForbiddenCharacter { character },
    })
}

/// Returns the first line of `text` that begins with a marker of a conflict, as git writes it.
fn conflict(text: &str) -> Option<Mistake> {
    let is_marker = |line: &str| {
        let end = MARKERS.iter().find_map(|it| line.strip_prefix(it));
        end.is_some_and(|it| it.is_empty() || it.starts_with(' '))
    };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let written = line.trim_end_matches(['\r', '\n']);
        if is_marker(written) {
            return Some(Mistake {
                span: Span::new(start, start + written.len()),
                kind: MistakeKind::ConflictMarker,
            });
        }
        start += line.len();
    }
    None
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let begin = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text,
            bytes: text.as_bytes(),
            at: begin,
            line: begin,
            end: begin,
            tab: None,
            stopped: false,
            depth: 0,
            n_nodes: 0,
            n_expanded: 0,
            anchors: FxHashMap::default(),
            mistakes: Vec::new(),
            entries: Vec::new(),
            items: Vec::new(),
            marks: None,
        }
    }

    fn read_document(&mut self) -> Option<Yaml> {
        self.gap();
        while self.peek(0) == b'%' && self.at == self.line {
            self.read_directive();
        }
        if self.is_at_marker(b'-') {
            self.mark_token(Sort::Marker, self.at, self.at + 3);
            self.at += 3;
            self.gap();
        }
        let document = if self.is_over() {
            None
        } else {
            let room = if self.is_after_marker() {
                Room::AfterKey
            } else {
                Room::Line
            };
            self.check_tab();
            if self.stopped {
                None
            } else {
                Some(self.read_node(-1, room, room))
            }
        };
        let has_ended = self.is_at_marker(b'.');
        while self.is_at_marker(b'.') && !self.stopped {
            self.mark_token(Sort::Marker, self.at, self.at + 3);
            self.at += 3;
            self.settle();
        }
        if self.is_at_marker(b'-') {
            self.fail(self.at, self.at + 3, MistakeKind::SecondDocument);
        } else if !self.is_over() {
            self.check_tab();
            self.fail_line(if has_ended {
                MistakeKind::SecondDocument
            } else {
                MistakeKind::Indentation
            });
        }
        document
    }

    /// A value on the line of `---` can be no map, as it can't after a key.
    fn is_after_marker(&self) -> bool {
        self.at > self.line && self.bytes.get(self.line..self.line + 3) == Some(b"---")
    }

    fn read_directive(&mut self) {
        let start = self.at;
        while !is_end(self.peek(0)) {
            self.at += 1;
        }
        self.mark_token(Sort::Directive, start, self.at);
        let words: Vec<&str> = self.slice(start, self.at).split_ascii_whitespace().collect();
        if !matches!(
            words.as_slice(),
            ["%YAML", "1.1" | "1.2"] | ["%YAML", "1.1" | "1.2", "#", ..]
        ) {
            self.mistake(start, self.at, MistakeKind::Directive);
        }
        self.gap();
    }
}
