//! Hostile strings at single places of templates, read back by what the platforms themselves read files with: ten
//! thousand a format, in one process.
//!
//! Beside `hostile.rs`, which knows what the built-in packs print, this knows places alone: each is printed by a small
//! template, and a string that the place refuses is left out.

use std::collections::BTreeMap;

use groundplan::artifact::data::{DataFormat, DataTemplate};
use groundplan::artifact::format::Format;
use groundplan::artifact::text::TextTemplate;
use groundplan::kind::{Schema, Type};
use groundplan::rule::expression::Scope;
use groundplan::value::{Map, Name, Value as Ours};
use serde_json::Value;

use super::hostile::piece;
use super::tool::{Language, Tools};
use crate::monorepo::Random;
use crate::say;

/// How many strings each format gets at least.
const N_STRINGS: usize = 10_000;

/// A template, and what of a text that it printed was read is the string.
type Place = (&'static str, fn(&Value) -> Option<&str>);

/// What prints one place.
enum Template {
    Text(TextTemplate),
    Data(DataTemplate),
}

/// A text with one string in it.
struct Printed {
    place: usize,
    string: String,
    text: String,
}

impl Template {
    fn of(source: &str, format: Format) -> Self {
        let (file, schema) = (Name::from("t"), Schema::default());
        let types = BTreeMap::from([(Name::from("name"), Type::String)]);
        let (template, problems) = if source.contains("${name}") {
            let (template, problems) =
                DataTemplate::compile(source, &file, DataFormat::Yaml, &Scope::new(&schema, types));
            (template.map(Self::Data), problems)
        } else {
            let (template, problems) = TextTemplate::compile(&file, source, format, &types, &schema, &BTreeMap::new());
            (template.map(Self::Text), problems)
        };
        template.unwrap_or_else(|| panic!("{source}: {problems:#?}"))
    }

    /// Returns the text for a string, unless the place refuses it.
    fn print(&self, string: &str) -> Option<String> {
        let context = Map::from_iter([(Name::from("name"), Ours::from(string))]);
        match self {
            Self::Text(template) => template.render(&context).ok(),
            Self::Data(template) => template.render_context(&context).ok().map(|it| it.print(&[])),
        }
    }
}

/// Prints so many strings, at one place after the other; says how many were refused.
fn printed(places: &[Place], format: Format) -> (Vec<Printed>, usize) {
    let mut random = Random(23);
    let templates: Vec<Template> = places.iter().map(|it| Template::of(it.0, format)).collect();
    let (mut all, mut n_refused) = (Vec::new(), 0);
    let mut n_of_place = vec![0; places.len()];
    for place in (0..places.len()).cycle() {
        if all.len() == N_STRINGS {
            break;
        }
        let string: String = (0..random.below(6)).map(|_| piece(&mut random)).collect();
        match templates[place].print(&string) {
            Some(text) => {
                n_of_place[place] += 1;
                all.push(Printed { place, string, text });
            }
            None => n_refused += 1,
        }
        assert!(n_refused < N_STRINGS * 20, "nearly all is refused: {n_of_place:?}");
    }
    // A place that refuses everything would pass, too.
    assert!(n_of_place.iter().all(|it| *it > 100), "{n_of_place:?}");
    (all, n_refused)
}

/// Prints strings at `places`, has `read` read all texts, and fails where another string stands in one.
fn holds(reader: &str, places: &[Place], format: Format, read: impl Fn(&Tools, &[String]) -> Vec<Value>) {
    let (all, n_refused) = printed(places, format);
    let n_all = all.len();
    let Some(tools) = Tools::of_environment() else {
        return say(&format!("judges: left out {n_all} strings by {reader}"));
    };
    let mut faults = faults(&tools, &all, places, read);
    say(&format!(
        "judges: {n_all} strings of {} places by {reader} in one process, {n_refused} others refused, {} faults",
        places.len(),
        faults.len()
    ));
    let n_faults = faults.len();
    faults.truncate(10);
    assert!(
        faults.is_empty(),
        "{n_faults} faults of {reader}:\n{}",
        faults.join("\n")
    );
}

/// Returns what stands for another string than was printed.
fn faults(
    tools: &Tools,
    all: &[Printed],
    places: &[Place],
    read: impl Fn(&Tools, &[String]) -> Vec<Value>,
) -> Vec<String> {
    let texts: Vec<String> = all.iter().map(|it| it.text.clone()).collect();
    let values = read(tools, &texts);
    assert_eq!(values.len(), all.len(), "there is an answer for each");
    let answers = all.iter().zip(&values);
    let wrong = answers.filter_map(|(printed, value)| {
        let Printed { place, string, text } = printed;
        let found = places[*place].1(value);
        (found != Some(string)).then(|| format!("meant {string:?}, found {found:?} in {value} of\n{text}"))
    });
    wrong.collect()
}

/// Returns the key of an object that has no other.
fn only_key(value: &Value) -> Option<&str> {
    value
        .as_object()
        .filter(|it| it.len() == 1)?
        .keys()
        .next()
        .map(String::as_str)
}

#[test]
fn hcl_by_the_reader_of_jobs() {
    const A: fn(&Value) -> Option<&str> = |it| it["attributes"]["a"].as_str();
    let places: [Place; 10] = [
        ("a = \"{{name}}\"\nb = 1\n", A),
        ("a = \"<${{name}}{>\"\n", |it| {
            it["attributes"]["a"].as_str()?.strip_prefix("<$")?.strip_suffix("{>")
        }),
        ("a = [1, \"{{name}}\"]\n", |it| it["attributes"]["a"][1].as_str()),
        ("a = \"x${\"{{name}}\"}\"\n", |it| {
            it["attributes"]["a"].as_str()?.strip_prefix('x')
        }),
        ("job \"{{name}}\" {\n  x = 1\n}\n", |it| {
            it["blocks"][0]["labels"][0].as_str()
        }),
        ("a = { \"{{name}}\" = 1 }\n", |it| only_key(&it["attributes"]["a"])),
        ("a = {{hcl name}}\n", A),
        ("a = {{json name}}\n", A),
        ("a = <<EOT\n{{name}}\nEOT\nb = 1\n", |it| {
            it["attributes"]["a"].as_str()?.strip_suffix('\n')
        }),
        ("b {\n  c = 1 // {{name}}\n}\na = \"{{name}}\"\n", A),
    ];
    holds("Nomad's HCL 2", &places, Format::Hcl, |tools, texts| {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let file = |(at, text): (usize, &String)| {
            let file = room.path().join(format!("{at}.hcl"));
            std::fs::write(&file, text).expect("the temporary folder is ours");
            file
        };
        let files: Vec<_> = texts.iter().enumerate().map(file).collect();
        let mut reports = tools.reports(Language::Hcl, &files);
        reports.iter_mut().map(|it| it["hcl"].take()).collect()
    });
}

/// Has stringcheck read all texts; of one that it can't read the value is null.
fn by_stringcheck(kind: &'static str) -> impl Fn(&Tools, &[String]) -> Vec<Value> {
    move |tools, texts| {
        let answers = tools.strings(kind, texts);
        let value = |mut it: Value| if it["error"].is_null() { it["value"].take() } else { it };
        answers.into_iter().map(value).collect()
    }
}

#[test]
fn yaml_by_the_reader_of_objects() {
    const K: fn(&Value) -> Option<&str> = |it| it["k"].as_str();
    let places: [Place; 12] = [
        ("k: {{name}}\nl: 1\n", K),
        ("k: \"{{name}}\"\nl: 1\n", K),
        ("k: '{{name}}'\nl: 1\n", K),
        ("k: {{yaml name}}\nl: 1\n", K),
        ("{k: {{name}}, l: 1}\n", K),
        ("k: |-\n  {{name}}\nl: 1\n", K),
        ("l:\n  - {{name}}\nk: {{name}} # x\n", K),
        ("{{name}}: 1\n", only_key),
        ("k: ${name}\nl: 1\n", K),
        ("- - ${name}\n  - 1\n", |it| it[0][0].as_str()),
        ("${name}: 1\n", only_key),
        ("k: 1\nl: {m: [{n: '<${name}>'}]}\n", |it| {
            it["l"]["m"][0]["n"].as_str()?.strip_prefix('<')?.strip_suffix('>')
        }),
    ];
    holds("the YAML of Kubernetes", &places, Format::Yaml, by_stringcheck("yaml"));
}

#[test]
fn variables_by_the_reader_of_compose() {
    const K: fn(&Value) -> Option<&str> = |it| it["K"].as_str().filter(|_| it["L"] == "1");
    let places: [Place; 3] = [
        ("K={{name}}\nL=1\n", K),
        ("K='{{name}}'\nL=1\n", K),
        ("K=\"{{name}}\"\nL=1\n", K),
    ];
    holds("compose-go's dotenv", &places, Format::Env, by_stringcheck("env"));
}

#[test]
fn dockerfiles_by_the_reader_of_buildkit() {
    let places: [Place; 3] = [
        ("FROM x\nCMD [\"a\", \"{{name}}\"]\n", |it| it[1][2].as_str()),
        ("FROM x\nENV A=\"{{name}}\"\nUSER u\n", |it| {
            it[1][2].as_str().filter(|_| it[2][1] == "u")
        }),
        ("FROM x\nENV A={{name}}\nUSER u\n", |it| {
            it[1][2].as_str().filter(|_| it[2][1] == "u")
        }),
    ];
    holds(
        "BuildKit's parser",
        &places,
        Format::Dockerfile,
        by_stringcheck("dockerfile"),
    );
}

#[test]
fn units_by_a_reader_of_units() {
    const K: fn(&Value) -> Option<&str> = |it| {
        let entries = &it[0]["Entries"];
        entries[0]["Value"].as_str().filter(|_| entries[1]["Value"] == "1")
    };
    let places: [Place; 2] = [("[s]\nk = {{name}}\nl = 1\n", K), ("[s]\nk={{name}}\nl=1\n", K)];
    holds(
        "go-systemd's reader of units",
        &places,
        Format::Ini,
        by_stringcheck("ini"),
    );
}

#[test]
fn caddyfiles_by_caddy() {
    const BODY: fn(&Value) -> Option<&str> = |it| it.as_str();
    let places: [Place; 2] = [
        ("respond * \"{{name}}\" 200\n", BODY),
        ("respond * `{{name}}` 200\n", BODY),
    ];
    holds("Caddy's own reader", &places, Format::Caddyfile, |tools, texts| {
        let room = tempfile::tempdir().expect("a temporary folder can be made");
        let file = room.path().join("Caddyfile");
        // Within a `route` they stay in their order.
        let text = format!(":80 {{\nroute {{\n{}}}\n}}\n", texts.concat());
        std::fs::write(&file, text).expect("the temporary folder is ours");
        let mut found = Vec::new();
        bodies(&tools.adapted(&file), &mut found);
        found
    });
}

/// Adds what each `respond` answers, in order; a body that is empty is left out by Caddy.
fn bodies(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|it| bodies(it, found)),
        Value::Object(map) if map.get("handler").is_some_and(|it| it == "static_response") => {
            found.push(map.get("body").cloned().unwrap_or_else(|| "".into()));
        }
        Value::Object(map) => map.values().for_each(|it| bodies(it, found)),
        _ => {}
    }
}

/// What escapes nothing must be found out, by each reader: else it would find nothing anywhere.
#[test]
fn readers_find_what_is_not_escaped() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out strings that are not escaped");
    };
    const K: fn(&Value) -> Option<&str> = |it| it["k"].as_str();
    let places: [(&str, Place); 4] = [
        ("yaml", ("k: {{name}}\n", K)),
        ("env", ("k={{name}}\n", K)),
        (
            "ini",
            ("[s]\nk = {{name}}\n", |it| it[0]["Entries"][0]["Value"].as_str()),
        ),
        (
            "dockerfile",
            ("FROM x\nCMD [\"a\", \"{{name}}\"]\n", |it| it[1][2].as_str()),
        ),
    ];
    for (kind, place) in places {
        let places = [place];
        let (all, _) = printed(&places, Format::Plain);
        let n_faults = faults(&tools, &all, &places, by_stringcheck(kind)).len();
        assert!(n_faults > N_STRINGS / 10, "{kind}: {n_faults} only");
    }
}
