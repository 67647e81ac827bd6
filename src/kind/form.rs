//! The form of a `pack.yaml`: where maps, lists and texts stand in it. What they say is read in `declare` and `field`.

use super::typed::Reader;
use crate::yaml::{Data, Yaml};

/// What stands at some place.
enum Form {
    Text,
    /// A list of texts.
    Texts,
    /// A text, or a list of them.
    TextOrTexts,
    List,
    /// A map with free keys.
    MapOf(&'static Form),
    /// A map with these keys, as far as they are there.
    Keys(&'static [(&'static str, Form)]),
    /// Read elsewhere.
    Any,
}

static HEAD: Form = Form::Keys(&[
    ("pack", Form::Text),
    ("platform", Form::Text),
    ("platforms", Form::Texts),
    ("doc", Form::Text),
    ("example", Form::Text),
    ("requires", Form::Texts),
    ("optional", Form::Texts),
    ("kinds", Form::MapOf(&KIND)),
    ("edges", Form::MapOf(&EDGE)),
    ("relations", Form::MapOf(&RELATION)),
    ("alias", Form::MapOf(&Form::Any)),
    ("unsupported", Form::List),
    ("data", Form::Any),
    ("generator", Form::Keys(GENERATOR)),
    ("patterns", Form::MapOf(&PATTERN)),
]);
static GENERATOR: &[(&str, Form)] = &[
    ("name", Form::Text),
    ("executor", Form::Text),
    ("category", Form::Text),
    ("icon", Form::Text),
    ("config", Form::Text),
];
static PATTERN: Form = Form::Keys(&[
    ("doc", Form::Text),
    ("set", Form::MapOf(&Form::Any)),
    ("service", Form::MapOf(&Form::Any)),
    ("builds", Form::Any),
]);
static KIND: Form = Form::Keys(&[
    ("doc", Form::Text),
    ("collection", Form::Text),
    ("attributes", Form::MapOf(&Form::Text)),
    ("attributes_from", Form::Text),
    ("inherits", Form::MapOf(&Form::Text)),
    ("platforms", Form::Text),
    ("core_mhz", Form::Text),
    ("usual", Form::Any),
]);
static EDGE: Form = Form::Keys(&[
    ("doc", Form::Text),
    ("from", Form::TextOrTexts),
    ("to", Form::TextOrTexts),
    ("yields_to", Form::Text),
]);
static RELATION: Form = Form::Keys(&[
    ("doc", Form::Text),
    ("of", Form::TextOrTexts),
    ("shape", Form::Text),
    ("order_by", Form::Text),
]);

/// Reports what has another form than a `pack.yaml`.
pub(super) fn check(reader: &mut Reader<'_>, yaml: &Yaml) {
    HEAD.check(reader, yaml, "pack.yaml");
}

impl Form {
    fn check(&self, reader: &mut Reader<'_>, yaml: &Yaml, name: &str) {
        match (self, &yaml.data) {
            // A key without a value says nothing.
            (_, Data::Null) | (Self::Any, _) | (Self::Text | Self::TextOrTexts, Data::String(_)) => {}
            (Self::List, Data::List(_)) => {}
            (Self::Texts | Self::TextOrTexts, Data::List(items)) => {
                items.iter().for_each(|it| Self::Text.check(reader, it, name));
            }
            (Self::MapOf(item), Data::Map(entries)) => {
                entries.iter().for_each(|it| item.check(reader, &it.value, &it.key));
            }
            (Self::Keys(keys), Data::Map(_)) => {
                for (key, form) in *keys {
                    if let Some(value) = yaml.get(key) {
                        form.check(reader, value, key);
                    }
                }
            }
            _ => self.mistaken(reader, yaml, name),
        }
    }

    fn mistaken(&self, reader: &mut Reader<'_>, yaml: &Yaml, name: &str) {
        let wanted = match self {
            Self::Text => "a text",
            Self::Texts | Self::List => "a list",
            Self::TextOrTexts => "a text, or a list of them",
            Self::MapOf(_) | Self::Keys(_) | Self::Any => "a map",
        };
        let source = yaml.source(reader.text);
        let is_scalar = !matches!(yaml.data, Data::List(_) | Data::Map(_));
        let help = match self {
            Self::Text | Self::TextOrTexts if is_scalar => format!("put it in quotes: `\"{source}\"`"),
            Self::Text | Self::TextOrTexts => format!("write `{name}: …` with one text behind it"),
            Self::Texts | Self::List if is_scalar => format!("write `{name}: [{source}]`"),
            Self::Texts | Self::List => format!("write `{name}: […]`, or a line with a `-` for each"),
            Self::Keys(keys) => {
                let keys: Vec<String> = keys.iter().map(|it| format!("`{}`", it.0)).collect();
                format!("it may hold {}", keys.join(", "))
            }
            Self::MapOf(_) | Self::Any => "write `NAME: …`, one line for each, indented below it".to_owned(),
        };
        let message = format!("`{name}` wants {wanted}, found {}", yaml.noun());
        reader
            .error("pack::wrong_form", yaml.span, message, &format!("expected {wanted}"))
            .help = Some(help.into());
    }
}
