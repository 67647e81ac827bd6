//! The YAML reader: places lie where they belong, and what is printed of a text is read back as the same. Its layout says the
//! same as well, and has no other.

use groundplan::artifact::data::{DataFormat, Datum, Document, Kind};
use groundplan::problem::Span;
use groundplan::value::{Double, Name};
use groundplan::yaml::format::{Unformatted, formatted};
use groundplan::yaml::{self, Data, Yaml};

use super::{Verdict, lies_in};

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Verdict::Refused;
    };
    let (document, mistakes) = yaml::parse(text);
    for mistake in &mistakes {
        lies_in(mistake.span, text);
        assert!(!mistake.to_string().is_empty());
    }
    laid_out(text, mistakes.is_empty());
    let Some(document) = document else {
        return Verdict::Read;
    };
    placed(&document, text);
    if mistakes.is_empty() {
        let datum = datum(&document);
        let printed = Document {
            file: "t".into(),
            format: DataFormat::Yaml,
            documents: vec![datum.clone()],
            around: None,
        }
        .print(&[]);
        let (again, mistakes) = yaml::parse(&printed);
        assert!(mistakes.is_empty(), "{mistakes:?}\n{printed}");
        let again = again.expect("something is printed");
        assert_eq!(self::datum(&again), datum, "{printed}");
    }
    Verdict::Read
}

/// Fails where the layout of a text that can be read is refused, or is changed by a second time.
fn laid_out(text: &str, is_read: bool) {
    match formatted(text) {
        Ok(once) => assert_eq!(formatted(&once).as_ref(), Ok(&once), "{text}"),
        Err(why) => assert!(!is_read && why != Unformatted::Changed, "{why:?}\n{text}"),
    }
}

/// Fails where a part of `yaml` stands outside of the text.
fn placed(yaml: &Yaml, text: &str) {
    lies_in(yaml.span, text);
    if let Some(content) = yaml.as_str() {
        for (at, char) in content.char_indices() {
            let place = yaml.place(at, at + char.len_utf8());
            lies_in(place, text);
            assert!(
                yaml.span.start <= place.start && place.end <= yaml.span.end,
                "{place:?} of {yaml:?}"
            );
        }
    }
    yaml.items().iter().for_each(|it| placed(it, text));
    for entry in yaml.entries() {
        lies_in(entry.key_span, text);
        placed(&entry.value, text);
    }
}

/// Returns what `yaml` says, wherever it stands.
fn datum(yaml: &Yaml) -> Datum {
    let kind = match &yaml.data {
        Data::Null => Kind::Null,
        Data::Bool(truth) => Kind::Bool(*truth),
        Data::Int(number) => Kind::Int(*number),
        Data::Double { value, .. } => Kind::Double(Double(*value)),
        Data::String(text) => Kind::String(Name::from(&*text.content)),
        Data::List(items) => Kind::List(items.iter().map(datum).collect()),
        Data::Map(entries) => {
            let entries = entries.iter();
            Kind::Map(entries.map(|it| (Name::from(&*it.key), datum(&it.value))).collect())
        }
    };
    Datum {
        at: Span::default(),
        comment: None,
        note: 0,
        kind,
    }
}
