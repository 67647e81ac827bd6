//! What the reader promises: values, places, messages, bounds; and that it reads as a strict reader does.

use granit_parser::{Event, Parser};
use proptest::prelude::*;

use super::{Data, MistakeKind, Span, Style, Yaml, parse};

/// All of YAML that a spec may use, for texts to be spoilt from.
pub(super) const SAMPLE: &str = r#"# comment
name: &n "double \u00e9 \n x"
folded: >-
  some text
  more text

    deeper
literal: |
  line 1
    line 2
multi: plain text
  over two lines
'quoted key': 'it''s'
list:
- a
- - nested
  - b
- k: v
  l: [1, 2.5, {x: y}, "q", p: r]
flow: {a: 1,
  b: [c, d],
  ? e : f}
ref: *n
base: &base {x: 1}
merged:
  <<: *base
  y: !!str 2
? explicit
: value
joined: "two
  lines \
  joined"
empty:
DATABASE_URL: ${infra.postgres.url}
"#;

fn good(text: &str) -> Yaml {
    let (value, mistakes) = parse(text);
    assert_eq!(mistakes, [], "{text}");
    value.expect("a document")
}

/// The mistakes of a text, each with what it is about.
fn bad(text: &str) -> Vec<String> {
    let (_, mistakes) = parse(text);
    mistakes
        .iter()
        .map(|it| format!("{}: {it}", it.span.of(text)))
        .collect()
}

fn json(value: &Yaml) -> String {
    match &value.data {
        Data::Null => "null".into(),
        Data::Bool(it) => it.to_string(),
        Data::Int(it) => it.to_string(),
        Data::Double { value, .. } => format!("{value:?}"),
        Data::String(it) => format!("{:?}", it.content),
        Data::List(it) => format!("[{}]", it.iter().map(json).collect::<Vec<_>>().join(",")),
        Data::Map(it) => {
            let entries: Vec<String> = it.iter().map(|it| format!("{}:{}", it.key, json(&it.value))).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

#[test]
fn the_first_marker_of_a_conflict_is_named_before_what_it_spoils() {
    let said = |marker: &str| {
        vec![format!(
            "{marker}: git has left a conflict: this line is one of its markers"
        )]
    };
    assert_eq!(
        bad("a: {b: 1,\n<<<<<<< HEAD\n  c: 2}\n=======\n  c: 3}\n>>>>>>> x\n"),
        said("<<<<<<< HEAD")
    );
    assert_eq!(bad("a: 'b\r\n=======\r\nc: 1\r\n>>>>>>> x\r\n"), said("======="));
    assert_eq!(bad("a: 1\n||||||| base\n"), said("||||||| base"));
    // Neither longer ones nor what stands within a text is a marker.
    assert!(!bad("a: 1\n<<<<<<<< HEAD\n")[0].contains("conflict"));
    assert_eq!(bad("a: |\n  <<<<<<< HEAD\n  =======\n# =======\nb: 1\n"), [""; 0]);
}

#[test]
fn scalars_follow_the_core_schema() {
    let text = "[yes, no, on, true, False, ~, null, 010, 0o17, 0x1F, -3, 15.40, .5, 1e3, 1_000, 0b1, 1:2, -, +, .]";
    let value = good(&text.replace(", -,", ", '-',"));
    assert_eq!(
        json(&value),
        r#"["yes","no","on",true,false,null,null,10,15,31,-3,15.4,0.5,1000.0,"1_000","0b1","1:2","-","+","."]"#
    );
    assert!(matches!(&value.items()[11].data, Data::Double { source, .. } if &**source == "15.40"));
}

#[test]
fn the_sample_has_its_values() {
    let text = good(SAMPLE);
    assert_eq!(
        json(&text),
        concat!(
            r#"{name:"double é \n x",folded:"some text more text\n\n  deeper",literal:"line 1\n  line 2\n","#,
            r#"multi:"plain text over two lines",quoted key:"it's",list:["a",["nested","b"],"#,
            r#"{k:"v",l:[1,2.5,{x:"y"},"q",{p:"r"}]}],flow:{a:1,b:["c","d"],e:"f"},ref:"double é \n x","#,
            r#"base:{x:1},merged:{y:"2",x:1},explicit:"value",joined:"two lines joined",empty:null,"#,
            r#"DATABASE_URL:"${infra.postgres.url}"}"#
        )
    );
}

#[test]
fn spans_are_exact() {
    let text = "\u{feff}a:\r\n  - 'x'  \r\n  - {é: \"y\"} # c\r\nb: p\r\n  q  \r\n\r\n";
    let value = good(text);
    assert_eq!(
        value.source(text),
        "a:\r\n  - 'x'  \r\n  - {é: \"y\"} # c\r\nb: p\r\n  q"
    );
    let list = value.get("a").expect("a");
    assert_eq!(list.source(text), "- 'x'  \r\n  - {é: \"y\"}");
    assert_eq!(list.items()[0].source(text), "'x'");
    let entry = &list.items()[1].entries()[0];
    assert_eq!((entry.key_span.of(text), entry.value.source(text)), ("é", "\"y\""));
    assert_eq!(value.get("b").and_then(Yaml::as_str), Some("p q"));
}

#[test]
fn a_byte_of_a_content_has_its_place() {
    for text in [
        "k: see ${a.b} there",
        "k: 'it''s ${a.b}'",
        r#"k: "\u00e9 \n ${a.b}""#,
        "k: |\n  one\n  two ${a.b}\n",
        "k: >\n  one\n  two\n\n  ${a.b}\n",
        "k: one\n  two ${a.b}\n",
    ] {
        let value = good(text);
        let value = value.get("k").expect("k");
        let start = value.as_str().and_then(|it| it.find("${")).expect("a reference");
        assert_eq!(value.place(start, start + 6).of(text), "${a.b}", "{text}");
    }
}

#[test]
fn nothing_is_no_mistake() {
    for text in ["", "\u{feff}", "# only\n", "\n \n", "---\n", "--- # c\n...\n"] {
        assert_eq!(parse(text), (None, vec![]), "{text:?}");
    }
}

#[test]
fn mistakes_name_what_is_wrong() {
    for (text, message) in [
        ("a: 1\nb: 2\na: 3", "a: the key `a` comes twice"),
        ("a:\n\tb: 1", "\t: a tab indents this line"),
        ("a: 1\n  b: 2", ":: a second `:` follows within one value"),
        (
            "a:\n  b: 1\n c: 2",
            "c: 2: the line is not indented like those it belongs to",
        ),
        ("a: 1\nb\nc: 2", "b: a key and `:` are expected here"),
        ("a: b: c", ":: a second `:` follows within one value"),
        (
            "a: 1\n- b",
            "-: `-` begins an item of a list, but a key is expected here",
        ),
        ("a:\n  ? b\n: c", ":: a key is missing before `:`"),
        ("a: - b", "-: a list can not begin on the line of its key"),
        ("a: 'b\nc: d", "': the quote is not closed"),
        ("a: {b: c\nd: e", "{: `{` is not closed"),
        ("a: [b}", "}: `[` is closed by the wrong bracket"),
        ("a: [b 'c' {d", "{: `,` or `]` is expected here"),
        ("a: {b: ${c.d}, e: f}", "${c.d}: `${…}` within brackets has no quotes"),
        ("a: @b", "@: a value can not begin with `@`"),
        ("a: \"\\q\"", "\\q: the escape does not exist"),
        ("a: \"b\" c", "c: the value has ended, but the line goes on"),
        ("a: | b\n  c", "b: only a comment can follow the sign of a block text"),
        ("a: 1\n---\nb: 2", "---: a second document begins"),
        ("[a]: b", "[a]: a list or a map can not be a key"),
        ("a: *b", "*b: no anchor `&b` stands before this alias"),
        ("a: &b [*b]", "*b: the alias `*b` contains itself"),
        ("a: !foo b", "!foo: the tag `!foo` has no meaning here"),
        ("a: !!int b", "!!int: the value is not what the tag `!!int` says"),
        (
            "a: 9223372036854775808",
            "9223372036854775808: the whole number does not fit into 64 bits",
        ),
        ("a: .inf", ".inf: the number is not finite"),
        ("a: {<<: b}", "<<: `<<` needs a map, or a list of maps"),
        ("a: b\u{1}", "\u{1}: the character U+0001 is not allowed"),
        (
            "%TAG ! x\n---\na: b",
            "%TAG ! x: the line begins with `%`, but is not `%YAML 1.2`",
        ),
    ] {
        assert_eq!(bad(text), [message], "{text}");
    }
}

#[test]
fn what_stands_before_a_mistake_is_kept() {
    let (value, mistakes) = parse("a: 1\nb:\n  c: 2\n  d: [3, {e: 4\nf: 5\n");
    assert_eq!(mistakes.len(), 1);
    assert_eq!(json(&value.expect("a document")), "{a:1,b:{c:2,d:[3,{e:4}]}}");
    let (value, _) = parse("a: 1\na: 2\nb: 3");
    assert_eq!(json(&value.expect("a document")), "{a:1,b:3}");
}

#[test]
fn an_item_without_a_value_may_have_an_anchor() {
    assert_eq!(
        json(&good("- &a\n- b\n-\n  &c\n- !!null\n- d\n")),
        r#"[null,"b",null,null,"d"]"#
    );
    assert_eq!(json(&good("a: &a\n- b\nc:\n  &c\n- d\n")), r#"{a:["b"],c:["d"]}"#);
}

#[test]
fn merged_entries_give_way() {
    let value = good("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  b: 0\n  <<: [*x, *y]\n");
    assert_eq!(value.get("z").map(json).as_deref(), Some("{b:0,a:1,c:4}"));
}

#[test]
fn keys_are_texts() {
    assert_eq!(
        json(&good("1: a\ntrue: b\n~: c\n1.50: d\n'': e")),
        r#"{1:"a",true:"b",~:"c",1.50:"d",:"e"}"#
    );
}

#[test]
fn depth_and_aliases_have_bounds() {
    for text in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "{a: ".repeat(100_000),
    ] {
        let (_, mistakes) = parse(&text);
        assert!(matches!(mistakes[0].kind, MistakeKind::TooDeep), "{:?}", mistakes[0]);
    }
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let (_, mistakes) = parse(&bomb);
    assert!(matches!(mistakes[0].kind, MistakeKind::TooManyAliases));
    assert_eq!(mistakes[0].span.of(&bomb), "*a3");
    let mut deep = String::from("a0: &a0 [x]\n");
    for level in 1..80 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(parse(&deep).1.iter().any(|it| it.kind == MistakeKind::TooDeep));
}

fn assert_places(value: &Yaml, text: &str, parent: Span) {
    assert!(value.span.start <= value.span.end && text.get(value.span.start as usize..).is_some());
    assert!(text.get(..value.span.end as usize).is_some());
    assert!(
        parent.start <= value.span.start && value.span.end <= parent.end,
        "{value:?} in {parent:?}"
    );
    if let Data::String(it) = &value.data
        && it.style == Style::Plain
        && !value.source(text).contains(['\n', '\r'])
    {
        assert_eq!(value.source(text), &*it.content);
    }
    if let Some(content) = value.as_str() {
        for at in 0..=content.len() {
            let place = value.place(at, content.len());
            assert!(
                value.span.start <= place.start && place.end <= value.span.end,
                "{place:?} of {value:?}"
            );
        }
    }
    value.items().iter().for_each(|it| assert_places(it, text, value.span));
    for entry in value.entries() {
        assert!(value.span.start <= entry.key_span.start && entry.key_span.end <= value.span.end);
        assert_places(&entry.value, text, value.span);
    }
}

fn assert_sound(text: &str) {
    let (value, mistakes) = parse(text);
    for mistake in &mistakes {
        assert!(
            text.get(mistake.span.start as usize..mistake.span.end as usize)
                .is_some(),
            "{mistake:?}"
        );
        assert!(!mistake.to_string().is_empty() && !mistake.help().is_empty());
    }
    if let Some(value) = value
        && !text.contains('*')
    {
        assert_places(
            &value,
            text,
            Span {
                start: 0,
                end: u32::MAX,
            },
        );
    }
}

/// The values of a text in the order of the file, as a strict reader has them; none if it refuses the text.
pub(super) fn judged(text: &str) -> Option<Vec<String>> {
    let options = granit_parser::options! { strict_indentation: true };
    let mut events = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        match event.ok()?.0 {
            Event::SequenceStart(..) => events.push("[".into()),
            Event::MappingStart(..) => events.push("{".into()),
            Event::SequenceEnd => events.push("]".into()),
            Event::MappingEnd => events.push("}".into()),
            Event::Scalar(content, ..) => events.push(content.into_owned()),
            _ => {}
        }
    }
    Some(events)
}

fn flat(value: &Yaml, text: &str, events: &mut Vec<String>) {
    match &value.data {
        Data::List(items) => {
            events.push("[".into());
            items.iter().for_each(|it| flat(it, text, events));
            events.push("]".into());
        }
        Data::Map(entries) => {
            events.push("{".into());
            for entry in entries {
                events.push(entry.key.to_string());
                flat(&entry.value, text, events);
            }
            events.push("}".into());
        }
        Data::String(it) => events.push(it.content.to_string()),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Double { .. } => events.push(value.source(text).into()),
    }
}

/// Where both read a text, they read the same.
fn assert_agrees(text: &str) {
    let (Some(value), mistakes) = parse(text) else { return };
    // A block text that the file ends within has no last line end; the judge adds one.
    if !mistakes.is_empty() || text.contains('*') || !text.ends_with('\n') {
        return;
    }
    let mut ours = Vec::new();
    flat(&value, text, &mut ours);
    // The judge writes a value that is not there as `~`.
    let plain = |it: Vec<String>| {
        it.into_iter()
            .map(|it| if it == "~" { String::new() } else { it })
            .collect::<Vec<_>>()
    };
    // It merges nothing either.
    if let Some(theirs) = judged(text).filter(|it| !it.contains(&"<<".to_owned())) {
        assert_eq!(plain(ours), plain(theirs), "{text:?}");
    }
}

#[derive(Clone, Debug)]
pub(super) enum Edit {
    Insert(prop::sample::Index, String),
    Remove(prop::sample::Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    const PIECES: &[&str] = &[
        "\n", "  ", "\t", ":", ": ", "- ", "? ", "#", " #", "\"", "'", "|", "|-\n", "> \n", "{", "}", "[", "]", ",",
        "&a ", "*n", "!!str ", "!x ", "%", "@", "`", "---\n", "...\n", "\r\n", "\r", "é", "\u{feff}", "\\", "~",
        "<<: ", "\0", "0", " ",
    ];
    let piece = prop::sample::select(PIECES).prop_map_into::<String>();
    prop_oneof![
        3 => (any::<prop::sample::Index>(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        1 => (any::<prop::sample::Index>(), 1..8_usize).prop_map(|(at, n)| Edit::Remove(at, n)),
    ]
}

pub(super) fn spoilt() -> impl Strategy<Value = String> {
    let n_lines = SAMPLE.lines().count();
    (0..n_lines, 1..12_usize, edits()).prop_map(|(first, n, edits)| {
        let lines: String = SAMPLE.split_inclusive('\n').skip(first).take(n).collect();
        spoil(&lines, &edits)
    })
}

pub(super) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 0..6)
}

pub(super) fn spoil(text: &str, edits: &[Edit]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for edit in edits {
        match edit {
            Edit::Insert(at, piece) => {
                let at = at.index(characters.len() + 1);
                characters.splice(at..at, piece.chars());
            }
            Edit::Remove(at, n) => {
                let at = at.index(characters.len() + 1);
                characters.drain(at..(at + n).min(characters.len()));
            }
        }
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        assert_sound(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_spoilt_text_is_read_or_refused(text in spoilt()) {
        assert_sound(&text);
    }

    #[test]
    fn a_spoilt_text_is_read_as_a_strict_reader_does(text in spoilt()) {
        assert_agrees(&text);
    }
}
