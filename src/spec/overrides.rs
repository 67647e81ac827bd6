//! What a run sets apart from the files, as the topmost layer.

use std::sync::Arc;

use super::file::{PROJECT, Saying, collection, core_mhz};
use crate::db::{Db, Override, Project};
use crate::kind::pack;
use crate::kind::typed::{Layer, Reader};
use crate::kind::{Schema, Type};
use crate::problem::Problem;
use crate::value::{Address, Name, Value};
use crate::yaml::{self, Data, Entry, Yaml};

/// What a run sets, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides {
    /// The environment, where it is for one alone; the node; what is said of it.
    pub(super) layers: Vec<(Option<Name>, Address, Saying)>,
    pub(super) problems: Vec<Problem>,
}

impl Overrides {
    /// Returns what is said of a node in an environment, or in the base.
    pub(super) fn of<'o>(
        &'o self,
        environment: Option<&'o Name>,
        address: &'o Address,
    ) -> impl Iterator<Item = &'o Saying> {
        let fits = move |it: &&(Option<Name>, Address, Saying)| {
            it.1 == *address && (it.0.is_none() || it.0.as_ref() == environment)
        };
        self.layers.iter().filter(fits).map(|it| &it.2)
    }
}

/// Returns what this run sets.
#[salsa::tracked(returns(ref))]
pub(super) fn overrides(db: &dyn Db, project: Project) -> Overrides {
    let mut result = Overrides::default();
    if project.overrides(db).is_empty() {
        return result;
    }
    let schema = pack::schema(db, project);
    for given in project.overrides(db) {
        let file = Name::from(format!("--set {}", given.path));
        let mut reader = Reader {
            core_mhz: core_mhz(db, project),
            layer: Layer::Overlay,
            ..Reader::new(&file, &given.yaml)
        };
        let (yaml, mistakes) = yaml::parse(&given.yaml);
        reader.problems.extend(mistakes.iter().map(|it| it.problem(&file)));
        let yaml = yaml.unwrap_or(Yaml {
            span: yaml::Span::default(),
            data: Data::Null,
        });
        let project = super::project_address(db, project);
        let layer = layer(schema, &mut reader, given, yaml, project);
        result.layers.extend(layer);
        result.problems.append(&mut reader.problems);
    }
    result
}

fn layer(
    schema: &Schema,
    reader: &mut Reader<'_>,
    given: &Override,
    yaml: Yaml,
    project: Address,
) -> Option<(Option<Name>, Address, Saying)> {
    let mut steps = given.path.0.as_slice();
    let mut environment = None;
    if let [first, name, rest @ ..] = steps
        && &**first == "environments"
    {
        environment = Some(name.clone());
        steps = rest;
    }
    let declared = schema.declares.iter().find(|(path, _)| steps.starts_with(&path.0));
    let (kind, steps) = match (steps, declared) {
        (_, Some((path, kind))) => (schema.kinds.get(kind), &steps[path.0.len()..]),
        ([first, rest @ ..], None) => match collection(schema, first) {
            Some(kind) => (Some(kind), rest),
            None => (schema.kinds.get(PROJECT), steps),
        },
        _ => (None, steps),
    };
    let unknown = |reader: &mut Reader<'_>| {
        let message = format!("`{}` names no field of the spec", given.path);
        let problem = Problem::error("spec::unknown_override", message).help("write `COLLECTION.NAME.FIELD`");
        reader.problems.push(problem);
        None
    };
    let Some(kind) = kind else {
        return unknown(reader);
    };
    let (address, steps) = match steps {
        _ if &*kind.name == PROJECT => (project, steps),
        [name, rest @ ..] => (Address::new(kind.name.clone(), name.clone()), rest),
        [] => return unknown(reader),
    };
    if steps.is_empty() && yaml.data == Data::Null {
        return Some((environment, address, None));
    }
    let span = yaml.span;
    let nested = steps.iter().rev().fold(yaml, |value, step| Yaml {
        span,
        data: Data::Map(vec![Entry {
            key: (&**step).into(),
            key_span: span,
            value,
        }]),
    });
    let record = Type::Record(Arc::clone(&kind.fields));
    let value = reader.read(&record, &nested, &address.name);
    let fields = value.as_ref().and_then(Value::as_map).cloned()?;
    Some((environment, address, Some(fields)))
}
