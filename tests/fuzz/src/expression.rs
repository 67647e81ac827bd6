//! Expressions over the nodes of a spec: what is compiled has a value or says at which part it fails, always the same.

use std::collections::BTreeMap;

use groundplan::db::View;
use groundplan::fact::world::NODES;
use groundplan::kind::{Type, pack};
use groundplan::problem::Place;
use groundplan::rule::expression::{Bindings, Bound, Expression, ProjectScope, Scope, Variables};
use groundplan::spec;
use groundplan::value::{Address, Name, Value};

use super::{Ground, SPEC, Verdict, are_placed, lies_in};

struct World {
    ground: Ground,
    types: BTreeMap<Name, Type>,
    variables: Variables,
}

thread_local! {
    static WORLD: World = World::new();
}

impl World {
    fn new() -> Self {
        let ground = Ground::of(SPEC);
        let nodes = [
            ("s", Address::new("service", "orders")),
            ("t", Address::new("infra", "postgres")),
            ("p", spec::project_address(&ground.db, ground.project)),
        ];
        let of_kind = |it: &Address| Type::Node([it.kind.clone()].into());
        let mut types: BTreeMap<Name, Type> = nodes
            .iter()
            .map(|(name, it)| (Name::from(*name), of_kind(it)))
            .collect();
        let bound = nodes.map(|(name, it)| (Name::from(name), Bound::Node(it)));
        let names = Value::list(["b", "", "é"].map(Value::from));
        types.insert("names".into(), Type::List(Type::String.into()));
        let variables = bound
            .into_iter()
            .chain([("names".into(), Bound::Value(names))])
            .collect();
        Self {
            ground,
            types,
            variables,
        }
    }

    fn run(&self, source: &str) {
        let (db, project) = (&self.ground.db, self.ground.project);
        let file = Name::from("e");
        for anchored in [ProjectScope::Anchored, ProjectScope::Elsewhere] {
            let scope = Scope {
                project: anchored,
                ..Scope::new(pack::schema(db, project), self.types.clone())
            };
            let (expression, problems) = Expression::compile(source, &file, &|it| it, &scope);
            are_placed(&problems, &file, source);
            assert_eq!(expression.is_none(), !problems.is_empty(), "{problems:?}");
            let Some(expression) = expression else { continue };
            // What the whole project may ask for takes its time, and says nothing that the other does not.
            if anchored == ProjectScope::Anchored {
                continue;
            }
            let bindings = Bindings {
                view: View::finished(0),
                variables: &self.variables,
                world: &NODES,
            };
            let value = salsa::attach(db, || expression.evaluate(&bindings));
            if let Err(failure) = &value {
                assert!(!failure.message.is_empty());
                if let Place::Text(name, span) = &*failure.place {
                    assert_eq!(*name, file);
                    lies_in(*span, source);
                }
            }
            assert_eq!(salsa::attach(db, || expression.evaluate(&bindings)), value);
        }
    }
}

/// Fails where what must hold of any input does not hold of this one.
pub fn hold(bytes: &[u8]) -> Verdict {
    let Ok(source) = std::str::from_utf8(bytes) else {
        return Verdict::Refused;
    };
    WORLD.with(|it| it.run(source));
    Verdict::Read
}
