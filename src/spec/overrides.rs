//! What a run sets apart from the files, as the topmost layer.

use std::sync::Arc;

use super::file::{PROJECT, Saying, collection, core_mhz};
use super::locate::step_into;
use crate::db::{Db, Override, Project};
use crate::kind::pack;
use crate::kind::typed::{Layer, Reader};
use crate::kind::{Kind, Schema, Type};
use crate::problem::{Place, Problem};
use crate::value::{Address, Name, Path, Value};
use crate::yaml::{self, Data, Entry, Yaml};

/// What a run sets, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides {
    /// The environment, where it is for one alone; the node; what is said of it.
    pub(super) layers: Vec<(Option<Name>, Address, Saying)>,
    /// The nodes of which something is said, and where.
    pub(super) aims: Vec<(Address, Place)>,
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
        let file = given.file();
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
        let place = reader.place(yaml.span);
        let layer = layer(schema, &mut reader, given, yaml, project);
        result.aims.extend(layer.iter().map(|it| (it.1.clone(), place.clone())));
        result.layers.extend(layer);
        result.problems.append(&mut reader.problems);
    }
    result
}

/// Returns where this run itself sets a field of a node that goes by one of `paths`: the last word on it.
pub(super) fn place(
    db: &dyn Db,
    project: Project,
    environment: Option<&Name>,
    node: &Address,
    paths: &[Path],
) -> Option<(Name, yaml::Span)> {
    let schema = pack::schema(db, project);
    project.overrides(db).iter().rev().find_map(|given| {
        let aim = Aim::of(schema, given, super::project_address(db, project))?;
        let is_meant = aim.address == *node && (aim.environment.is_none() || aim.environment.as_ref() == environment);
        let (yaml, _) = yaml::parse(&given.yaml);
        let rest = paths
            .iter()
            .find_map(|it| it.0.strip_prefix(aim.steps))
            .filter(|_| is_meant)?;
        let inner = |yaml, step| step_into(yaml, step).or_else(|| is_scalar(yaml).then_some(yaml));
        let found = rest.iter().try_fold(yaml.as_ref()?, |yaml, step| inner(yaml, step))?;
        Some((given.file(), found.span))
    })
}

/// Tells whether `yaml` may be short for a record.
fn is_scalar(yaml: &Yaml) -> bool {
    !matches!(yaml.data, Data::Map(_) | Data::List(_) | Data::Null)
}

/// What an override is about.
struct Aim<'a> {
    environment: Option<Name>,
    kind: &'a Kind,
    address: Address,
    /// The path of the field within the node.
    steps: &'a [Name],
}

impl<'a> Aim<'a> {
    fn of(schema: &'a Schema, given: &'a Override, project: Address) -> Option<Self> {
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
            (_, Some((path, kind))) => (schema.kinds.get(kind)?, &steps[path.0.len()..]),
            ([first, rest @ ..], None) => match collection(schema, first) {
                Some(kind) => (kind, rest),
                None => (schema.kinds.get(PROJECT)?, steps),
            },
            _ => return None,
        };
        let (address, steps) = match steps {
            _ if &*kind.name == PROJECT => (project, steps),
            [name, rest @ ..] => (Address::new(kind.name.clone(), name.clone()), rest),
            [] => return None,
        };
        Some(Self {
            environment,
            kind,
            address,
            steps,
        })
    }
}

fn layer(
    schema: &Schema,
    reader: &mut Reader<'_>,
    given: &Override,
    yaml: Yaml,
    project: Address,
) -> Option<(Option<Name>, Address, Saying)> {
    let Some(Aim {
        environment,
        kind,
        address,
        steps,
    }) = Aim::of(schema, given, project)
    else {
        let message = format!("`{}` names no field of the spec", given.path);
        let problem = Problem::error("spec::unknown_override", message)
            .at(reader.place(yaml.span), "set here")
            .help("write `COLLECTION.NAME.FIELD`");
        reader.problems.push(problem);
        return None;
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
