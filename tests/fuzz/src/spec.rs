//! The spec reader, with all built-in packs: every mistake has its place in the file, and so has every field of what is
//! free of them.

use std::cell::RefCell;

use groundplan::problem::Place;
use groundplan::spec;
use groundplan::value::Path;
use salsa::Setter as _;

use super::{Ground, Verdict, are_placed, lies_in};

/// A database keeps a little of each text that it has read.
const MOST_TEXTS: usize = 5_000;

thread_local! {
    static GROUND: RefCell<(Ground, usize)> = RefCell::new((Ground::of(""), 0));
}

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Verdict::Refused;
    };
    GROUND.with_borrow_mut(|(ground, n_texts)| {
        *n_texts += 1;
        if *n_texts > MOST_TEXTS {
            (*ground, *n_texts) = (Ground::of(""), 1);
        }
        ground.root.set_text(&mut ground.db).to(text.into());
        read(ground, text);
    });
    Verdict::Read
}

fn read(ground: &Ground, text: &str) {
    let (db, project) = (&ground.db, ground.project);
    let problems = spec::problems(db, project);
    are_placed(&problems, &"gen.yaml".into(), text);
    for label in problems.iter().flat_map(|it| &it.labels) {
        if let Place::Field { .. } = &label.place
            && let Some((file, span)) = spec::locate(db, project, &label.place)
        {
            assert_eq!(&*file, "gen.yaml");
            lies_in(span, text);
        }
    }
    for (environment, _) in (0_u16..).zip(spec::environments(db, project)) {
        for address in spec::addresses(db, project, environment) {
            let node = spec::complete_node(db, project, Some(environment), address.clone());
            let node = node.as_ref().expect("a node that is named is declared");
            for (name, _) in &node.node.fields {
                for written in spec::origin(db, project, environment, address, &Path(vec![name.clone()])) {
                    lies_in(written.span, text);
                }
            }
        }
    }
}
