//! Patterns, over the kinds of all built-in packs: there is one way to write each, which reads as the same.

use std::sync::LazyLock;

use groundplan::graph::pattern::Pattern;
use groundplan::kind::{Schema, pack};
use groundplan::problem::{Place, Span};

use super::{Ground, SPEC, Verdict, are_placed};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let ground = Ground::of(SPEC);
    pack::schema(&ground.db, ground.project).clone()
});

fn place(span: Span) -> Place {
    Place::Text("p".into(), span)
}

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Verdict::Refused;
    };
    for read in [Pattern::read, Pattern::read_naming_all] {
        let (pattern, problems) = read(text, &SCHEMA, &place);
        are_placed(&problems, &"p".into(), text);
        assert_eq!(
            pattern.is_none(),
            problems.iter().any(|it| it.is_error()),
            "{problems:?}"
        );
        let Some(pattern) = pattern else { continue };
        let written = pattern.to_string();
        let (again, problems) = Pattern::read(&written, &SCHEMA, &place);
        let again = again.unwrap_or_else(|| panic!("{text:?} is written {written:?}: {problems:?}"));
        assert_eq!(again.to_string(), written);
        assert_eq!(again.parts(), pattern.parts(), "{text:?} is written {written:?}");
        assert_eq!(again.touches(), pattern.touches(), "{text:?} is written {written:?}");
    }
    Verdict::Read
}
