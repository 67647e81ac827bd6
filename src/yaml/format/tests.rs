//! What the layout promises: what it does to each form, that it says the same, and that it changes nothing twice.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::{Unformatted, comments, formatted, says_the_same};
use crate::yaml::mark::Mark;
use crate::yaml::tests::{SAMPLE, edits, judged, spoil, spoilt};
use crate::yaml::{document, parse};

fn done(text: &str) -> String {
    formatted(text).unwrap_or_else(|it| panic!("{it:?}\n{text}"))
}

/// The comments of a text, in order.
fn all_comments(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    let mut end = 0;
    for mark in document::marks(&text) {
        if let Mark::Token(token) = mark {
            found.extend(comments(&text[end..token.start]).map(|it| it.1.to_owned()));
            end = token.end;
        }
    }
    found.extend(comments(&text[end..]).map(|it| it.1.to_owned()));
    found
}

/// Fails where the layout of a text that can be read breaks what it promises; returns it.
fn holds(text: &str) -> Option<String> {
    let once = match formatted(text) {
        Ok(once) => once,
        Err(Unformatted::Mistakes(_)) => return None,
        Err(Unformatted::Changed) => panic!("it would say something else: {text:?}"),
    };
    let (before, after) = (parse(text), parse(&once));
    assert_eq!(after.1, [], "{text:?}\n{once}");
    assert!(says_the_same(before.0.as_ref(), after.0.as_ref()), "{text:?}\n{once}");
    assert_eq!(all_comments(text), all_comments(&once), "{text:?}\n{once}");
    assert_eq!(done(&once), once, "twice: {text:?}");
    // What a strict reader reads it goes on to read, as the same.
    if let Some(events) = judged(text).filter(|_| text.ends_with(['\n', '\r'])) {
        assert_eq!(judged(&once), Some(events), "{text:?}\n{once}");
    }
    assert!(
        !once.starts_with('\n') && !once.ends_with("\n\n") || once.contains('+'),
        "{once:?}"
    );
    Some(once)
}

/// Each text becomes what stands beside it, and that stays.
fn becomes(cases: &[(&str, &str)]) {
    for (before, after) in cases {
        assert_eq!(holds(before).as_deref(), Some(*after), "{before}");
        assert_eq!(done(after), *after, "{after}");
    }
}

#[test]
fn a_level_has_two_spaces() {
    becomes(&[
        ("a:\n    b:\n        c: 1\n", "a:\n  b:\n    c: 1\n"),
        ("a:\n b:\n  c: 1\nd: 2\n", "a:\n  b:\n    c: 1\nd: 2\n"),
        ("  a: 1\n  b: 2\n", "a: 1\nb: 2\n"),
        ("a:\n- b\n- c:\n  - d\n", "a:\n  - b\n  - c:\n      - d\n"),
        ("a:\n    - b: 1\n      c: 2\n", "a:\n  - b: 1\n    c: 2\n"),
        ("-   a: 1\n    b: 2\n", "- a: 1\n  b: 2\n"),
        ("-\n    a: 1\n-   - b\n    - c\n", "-\n  a: 1\n- - b\n  - c\n"),
        ("a:\n      b\n", "a:\n  b\n"),
        ("? a\n:   b\n?   c\n: - d\n  - e\n", "? a\n: b\n? c\n: - d\n  - e\n"),
    ]);
}

#[test]
fn what_stands_on_a_line_has_one_space() {
    becomes(&[
        ("a:    1\nb :  2\n-c:   3\n", "a: 1\nb: 2\n-c: 3\n"),
        ("a: [ 1,2 ,  3 ]\n", "a: [1, 2, 3]\n"),
        ("a: { b : 1,\"c\":2 , d: }\n", "a: {b: 1, \"c\": 2, d: }\n"),
        ("a: [ ]\nb: { }\nc: [ [ ], { } , ]\n", "a: []\nb: {}\nc: [[], {},]\n"),
        (
            "a:   &x   !!str   b\nc:   *x\n*x : d\n",
            "a: &x !!str b\nc: *x\n*x : d\n",
        ),
        ("a: {?  k : b}\n", "a: {? k: b}\n"),
        ("a: 'x  y'  \nb: \"  z \"\t\n", "a: 'x  y'\nb: \"  z \"\n"),
        ("%YAML   1.2  \n---   \na: 1\n...  \n", "%YAML   1.2\n---\na: 1\n...\n"),
        ("---   {a: 1}\n", "--- {a: 1}\n"),
        // At the beginning of a line it would be the bound of a document.
        (" --- a\n", "  --- a\n"),
        (" a: ---\n ... b: 1\n", "  a: ---\n  ... b: 1\n"),
        (" a: ...\n", "a: ...\n"),
    ]);
}

#[test]
fn lines_end_in_one_way() {
    becomes(&[
        ("a: 1\r\nb:\r\n  - c\r\n", "a: 1\nb:\n  - c\n"),
        ("\u{feff}a: 1\rb: |\r  c\r", "a: 1\nb: |\n  c\n"),
        ("a: 1", "a: 1\n"),
        ("\n\n\na: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n"),
        ("a:\n  - 1\n  \n\t\n  - 2   \n", "a:\n  - 1\n\n  - 2\n"),
        ("", ""),
        ("\n \n", ""),
        ("\n# c  \n\n\n# d", "# c\n\n# d\n"),
    ]);
}

#[test]
fn comments_go_with_what_follows_them() {
    becomes(&[
        (
            "a:\n    # b\n    b: 1\n    # c\n    c: 2\n",
            "a:\n  # b\n  b: 1\n  # c\n  c: 2\n",
        ),
        (
            "a:\n# b\n  b: 1\n        # c\n  c: 2\n",
            "a:\n  # b\n  b: 1\n  # c\n  c: 2\n",
        ),
        // At a level that ends there they stay with it.
        (
            "a:\n    b:\n        c: 1\n        # of c\n    # of b\n# of d\nd: 2\n    # of none\n",
            "a:\n  b:\n    c: 1\n    # of c\n  # of b\n# of d\nd: 2\n# of none\n",
        ),
        ("a:\n- 1\n# - 2\nb: 3\n", "a:\n  - 1\n# - 2\nb: 3\n"),
        ("a:\n    - 1\n    # - 2\nb: 3\n", "a:\n  - 1\n  # - 2\nb: 3\n"),
        ("- a: 1\n  # b: 2\n- c: 3\n", "- a: 1\n  # b: 2\n- c: 3\n"),
        // What has no value has one that is commented out.
        ("a:\n    # b: 1\nc: 2\n", "a:\n  # b: 1\nc: 2\n"),
        ("a:\n    -\n        # b: 1\n    - 2\n", "a:\n  -\n    # b: 1\n  - 2\n"),
        ("a: |\n    b\n  # c\nd: 1\n", "a: |\n  b\n# c\nd: 1\n"),
        (
            "a: [\n      # b\n  1, # c\n        # d\n  ]\n",
            "a: [\n  # b\n  1, # c\n  # d\n  ]\n",
        ),
        (" # a\n---\n # b\na: 1\n", "# a\n---\n# b\na: 1\n"),
    ]);
}

#[test]
fn comments_at_ends_of_lines_keep_their_columns() {
    becomes(&[
        ("a: 1 # x\nb: 2     # y\n", "a: 1 # x\nb: 2     # y\n"),
        ("a: 1\t# x\n", "a: 1 # x\n"),
        // Those of successive lines that stood in a column stand in one again.
        (
            "a:\n    b:   1   # x\n    cc:  22  # y\n",
            "a:\n  b: 1    # x\n  cc: 22  # y\n",
        ),
        ("a:       # x\n    b: 1 # y\n", "a:     # x\n  b: 1 # y\n"),
        (
            "a: 1   # x\n       # goes on\nb: 2\n",
            "a: 1   # x\n       # goes on\nb: 2\n",
        ),
        (
            "a:   1   # x\n         # goes on\nb: 2\n",
            "a: 1   # x\n       # goes on\nb: 2\n",
        ),
        ("é:  1 # x\nab: 2 # y\n", "é: 1  # x\nab: 2 # y\n"),
        ("a: | # x\n   b\n", "a: | # x\n  b\n"),
    ]);
}

#[test]
fn block_texts_are_moved_as_a_whole() {
    becomes(&[
        (
            "a:\n    b: |\n        one  \n          two\n\n        three\n    c: 1\n",
            "a:\n  b: |\n    one  \n      two\n\n    three\n  c: 1\n",
        ),
        (
            "a: >-\n      one\n      two\n\n\n\n      three\n\n\n\nb: 1\n",
            "a: >-\n  one\n  two\n\n\n\n  three\n\nb: 1\n",
        ),
        ("a: |+\n    one\n\n\n\nb: 1\n", "a: |+\n  one\n\n\n\nb: 1\n"),
        ("a: |+\n    one\n  \n\n", "a: |+\n  one\n\n\n"),
        ("a: |+\n\n\nb: |+\n\n", "a: |+\n\n\nb: |+\n\n"),
        ("a: |\n\n\n\nb: 1\n", "a: |\n\nb: 1\n"),
        ("a: |+\n one\n\t\nb: 1\n", "a: |+\n  one\nb: 1\n"),
        ("a: |1+\n\t\n#c\n\nb: 1\n", "a: |1+\n#c\n\nb: 1\n"),
        (
            "a:\n    b: |2\n        one\n      two\n",
            "a:\n  b: |2\n      one\n    two\n",
        ),
        ("-   |4-\n      one\n", "- |4-\n      one\n"),
        ("- |\n one\n- - >\n    two\n", "- |\n  one\n- - >\n    two\n"),
        ("|\none\n", "|\n  one\n"),
        ("a: |\n  \t one\n  # two\n", "a: |\n  \t one\n  # two\n"),
        // An end of a line would be one more of the text.
        ("a: |\n    one", "a: |\n  one"),
        ("a: |+\n    one", "a: |+\n  one"),
        ("a: |-\n    one", "a: |-\n  one\n"),
        ("a: |\n    one\n    ", "a: |\n  one\n"),
        ("a: |+\n    one\n    ", "a: |+\n  one\n"),
        ("a: |\n    one\n       \n", "a: |\n  one\n     \n"),
    ]);
}

#[test]
fn scalars_of_several_lines_stay_so() {
    becomes(&[
        (
            "a: one  \n      two\n\n      three\nb: 1\n",
            "a: one\n  two\n\n  three\nb: 1\n",
        ),
        (
            "a: \"one\n\n\n   two \\\n   three\\  \n   four\"\n",
            "a: \"one\n\n\n  two \\\n  three\\ \n  four\"\n",
        ),
        ("- 'one\n two\n '\n", "- 'one\n  two\n  '\n"),
        ("one\ntwo\n", "one\n  two\n"),
        ("a: [one\n two, 'three\n four']\n", "a: [one\n  two, 'three\n  four']\n"),
    ]);
}

#[test]
fn brackets_over_several_lines_keep_their_lines() {
    becomes(&[
        ("a: [\n    1,\n    2\n]\n", "a: [\n  1,\n  2\n]\n"),
        ("a: [\n    1,\n\n\n    2 ]\nb: 1\n", "a: [\n  1,\n\n  2]\nb: 1\n"),
        (
            "a: [{\n    b: 1\n}, {\n    c: 2\n}]\n",
            "a: [{\n  b: 1\n}, {\n  c: 2\n}]\n",
        ),
        (
            "a: {\n  b: [\n      1\n  ],\n  c: {d: 1,\n  e: 2}\n}\n",
            "a: {\n  b: [\n    1\n  ],\n  c: {d: 1,\n    e: 2}\n}\n",
        ),
        // Strict readers want it deeper than the key: who wrote it so keeps it.
        ("a: [\n      1\n    ]\n", "a: [\n  1\n  ]\n"),
        ("a:\n    [\n    1,\n  ]\n", "a:\n  [\n    1,\n  ]\n"),
        (
            "-   [\n    1\n    ]\n- {a: 1,\n b: 2}\n",
            "- [\n    1\n  ]\n- {a: 1,\n    b: 2}\n",
        ),
        ("{\na: 1,\n     b: 2\n  }\n", "{\n  a: 1,\n  b: 2\n}\n"),
        ("a: {b\n : 1\n , c: 2}\n", "a: {b\n  : 1\n  , c: 2}\n"),
    ]);
}

#[test]
fn a_line_may_be_long() {
    let long = "x".repeat(100_000);
    let text = format!("a: {long} # c\n");
    assert_eq!(done(&text), text);
}

#[test]
fn what_can_not_be_read_is_not_formatted() {
    for text in [
        "a: [1\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\na: 2\n",
        "a:\n\tb: 1\n",
        "a: *b\n",
    ] {
        assert!(
            matches!(formatted(text), Err(Unformatted::Mistakes(it)) if it.len() == 1),
            "{text}"
        );
    }
}

#[test]
fn the_sample_is_formatted() {
    let once = holds(SAMPLE).expect("it can be read");
    assert!(
        once.contains("list:\n  - a\n  - - nested\n    - b\n  - k: v\n    l: [1, 2.5, {x: y}, \"q\", p: r]\n"),
        "{once}"
    );
    assert!(once.contains("flow: {a: 1,\n  b: [c, d],\n  ? e: f}\n"), "{once}");
}

/// Choices, one after the other; the first one of each when there are no more.
struct Choices<'c> {
    bytes: std::slice::Iter<'c, u8>,
}

impl Choices<'_> {
    fn one_of<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.below(options.len())]
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(*self.bytes.next().unwrap_or(&0)) % n
    }

    fn seldom(&mut self) -> bool {
        self.below(8) == 7
    }
}

/// Prints a value in a layout that nobody would write.
struct Mess<'c> {
    choices: Choices<'c>,
    text: String,
    n_anchors: usize,
}

const PLAIN: [&str; 8] = ["a", "b c", "12", "-x", "true", "a:b", "é", "x#y"];

impl Mess<'_> {
    fn white(&mut self) {
        let white = self.choices.one_of(&[" ", "  ", "   ", " \t", "\t"]);
        self.text.push_str(white);
    }

    /// Ends the line, perhaps with a comment, and perhaps with lines of comments and nothing below.
    fn end_line(&mut self, indent: usize) {
        if self.choices.seldom() {
            self.white();
            self.text
                .push_str(self.choices.one_of(&["# c", "#d e", "#", "# - f: |"]));
        }
        let end = self.choices.one_of(&["\n", " \n", "\t\n", "\r\n"]);
        self.text.push_str(end);
        while self.choices.seldom() {
            let column = self.choices.below(indent + 6);
            let line = self.choices.one_of(&["\n", "  \n", "# g\n", "# h: 1\n"]);
            if line.starts_with('#') {
                self.text.push_str(&" ".repeat(column));
            }
            self.text.push_str(line);
        }
    }

    /// Begins a line deeper than `column`; returns where.
    fn deeper(&mut self, column: Option<usize>) -> usize {
        let indent = column.map_or(0, |it| it + 1) + self.choices.below(5);
        self.text.push_str(&" ".repeat(indent));
        indent
    }

    fn properties(&mut self) {
        if self.choices.seldom() {
            self.n_anchors += 1;
            let anchor = format!("&n{}", self.n_anchors);
            self.text.push_str(&anchor);
            self.white();
        }
    }

    /// Writes a value that belongs to what stands at `column`, behind a dash or a colon.
    fn value(&mut self, column: Option<usize>, depth: usize, is_item: bool) {
        match self.choices.below(if depth == 0 { 6 } else { 8 }) {
            0 => {
                self.white();
                self.properties();
                let plain = self.choices.one_of(&PLAIN);
                self.text.push_str(plain);
                self.end_line(column.unwrap_or(0));
            }
            1 => {
                self.white();
                self.properties();
                self.brackets(column, 2);
                self.end_line(column.unwrap_or(0));
            }
            2 => self.block_text(column),
            3 => {
                self.white();
                self.properties();
                self.lines(column);
                self.end_line(column.unwrap_or(0));
            }
            4 if self.n_anchors > 0 => {
                self.white();
                let alias = format!("*n{}", self.n_anchors);
                self.text.push_str(&alias);
                self.end_line(column.unwrap_or(0));
            }
            4 | 5 => self.end_line(column.unwrap_or(0)),
            6 if is_item => {
                let spaces = " ".repeat(1 + self.choices.below(3));
                let at = column.unwrap_or(0) + 1 + spaces.len();
                self.text.push_str(&spaces);
                self.block(at, depth - 1);
            }
            _ => {
                if self.choices.seldom() {
                    self.white();
                    self.properties();
                }
                self.end_line(column.unwrap_or(0));
                let at = self.deeper(column);
                self.block(at, depth - 1);
            }
        }
    }

    /// Writes a list or a map whose first line has begun, at `column`.
    fn block(&mut self, column: usize, depth: usize) {
        let is_list = self.choices.below(2) == 0;
        for index in 0..=self.choices.below(3) {
            if index > 0 {
                self.text.push_str(&" ".repeat(column));
            }
            if is_list {
                self.text.push('-');
            } else {
                let quote = self.choices.one_of(&["", "'", "\""]);
                let key = format!("{quote}k {index}{quote}");
                self.text.push_str(&key);
                let space = self.choices.one_of(&["", "", " ", "  "]);
                self.text.push_str(space);
                self.text.push(':');
            }
            self.value(Some(column), depth, is_list);
        }
    }

    fn gap(&mut self, column: Option<usize>) {
        if self.choices.seldom() {
            self.end_line(column.unwrap_or(0));
            self.deeper(column);
        } else {
            let gap = self.choices.one_of(&["", " ", "  "]);
            self.text.push_str(gap);
        }
    }

    fn brackets(&mut self, column: Option<usize>, depth: usize) {
        let is_list = self.choices.below(2) == 0;
        self.text.push(if is_list { '[' } else { '{' });
        self.gap(column);
        for index in 0..self.choices.below(4) {
            if index > 0 {
                self.text.push(',');
                self.gap(column);
            }
            if !is_list {
                let key = format!("k{index}:");
                self.text.push_str(&key);
                self.white();
            }
            match self.choices.below(if depth == 0 { 3 } else { 4 }) {
                0 | 1 => {
                    let plain = self.choices.one_of(&PLAIN);
                    self.text.push_str(plain);
                }
                2 => self.lines(column),
                _ => self.brackets(column, depth - 1),
            }
            self.gap(column);
        }
        self.text.push(if is_list { ']' } else { '}' });
    }

    /// Writes a scalar of several lines.
    fn lines(&mut self, column: Option<usize>) {
        let quote = self.choices.one_of(&["", "'", "\""]);
        self.text.push_str(quote);
        self.text.push_str("one");
        for _ in 0..=self.choices.below(3) {
            let end = match quote {
                "\"" => self
                    .choices
                    .one_of(&["\n", " \n", "\n\n", " \\\n", "\\ \n", "\\\\ \n", "\\t\n"]),
                _ => self.choices.one_of(&["\n", " \n", "\n\n", "\n  \n"]),
            };
            self.text.push_str(end);
            self.deeper(column);
            self.text.push_str(self.choices.one_of(&["two", "- x", "a b"]));
        }
        self.text.push_str(quote);
    }

    fn block_text(&mut self, column: Option<usize>) {
        self.white();
        self.properties();
        let sign = self.choices.one_of(&["|", ">", "|-", ">+", "|+", ">-"]);
        self.text.push_str(sign);
        let deeper = 1 + self.choices.below(4);
        let is_explicit = self.choices.seldom();
        if is_explicit {
            self.text.push_str(&deeper.to_string());
        }
        self.text.push_str(self.choices.one_of(&["\n", "  # c\n", "\n\n"]));
        let indent = " ".repeat(column.unwrap_or(0) + deeper);
        for index in 0..self.choices.below(4) {
            let more = if index > 0 || is_explicit {
                self.choices.one_of(&["", "", " ", "   "])
            } else {
                ""
            };
            let line = self.choices.one_of(&["text", "# text", "- a: b", "text  ", "text\n\n"]);
            self.text.extend([&indent, more, line, "\n"]);
        }
        for _ in 0..self.choices.below(3) {
            self.text.push('\n');
        }
    }
}

fn messy(bytes: &[u8]) -> String {
    let mut mess = Mess {
        choices: Choices { bytes: bytes.iter() },
        text: String::new(),
        n_anchors: 0,
    };
    if mess.choices.seldom() {
        mess.text.push_str("---");
        mess.end_line(0);
    }
    let at = mess.choices.below(3);
    mess.text.push_str(&" ".repeat(at));
    mess.block(at, 4);
    mess.text
}

#[test]
fn most_of_what_is_made_up_can_be_read() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut n_read = 0;
    for _ in 0..200 {
        let bytes = prop::collection::vec(any::<u8>(), 20..200);
        let bytes = bytes.new_tree(&mut runner).expect("bytes can be made").current();
        n_read += usize::from(parse(&messy(&bytes)).1.is_empty());
    }
    assert!(n_read > 100, "{n_read} of 200 only");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_layout_says_the_same_afterwards(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&messy(&bytes));
    }

    #[test]
    fn a_spoilt_layout_says_the_same_afterwards(bytes in prop::collection::vec(any::<u8>(), 0..200), edits in edits()) {
        holds(&spoil(&messy(&bytes), &edits));
    }

    #[test]
    fn a_spoilt_text_says_the_same_afterwards(text in spoilt()) {
        holds(&text);
    }
}
