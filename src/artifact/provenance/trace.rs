//! From a value back to what it was made of: through the expressions of templates and rules, through facts and the
//! rules that derive them, to fields of nodes.
//!
//! What an expression reads is known from its checking; the values that stand there now tell which items of a list
//! are meant. Where that leaves several, all of them are named.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::leaf::{
    Leaf, Read, Trail, agrees, children, cut, divided, is_entry, is_printed, is_printed_map, mention, narrowed, plain,
    scalars, stands_at, text_place, under, within,
};
use super::{Input, Role, What, Whence};
use crate::artifact::instance::MAX_REFERENCES;
use crate::db::{Db, Project, View};
use crate::fact::{self, matching, shape};
use crate::kind::whence::{self, Of};
use crate::kind::{Reads, Schema, Shape, Type, pack};
use crate::problem::{Place, Span};
use crate::rule::expression::{Bound, BoundEdge, Expression, GraphUse, Uses, Variables};
use crate::rule::model::{Filled, Rule};
use crate::rule::set;
use crate::spec;
use crate::value::{Address, Map, Name, Path, Segment, Value};

/// How many rules a value may lead through.
const MAX_DEPTH: usize = 8;

/// How many inputs one value may have before no more are looked for.
const MAX_INPUTS: usize = 200;

/// What an expression gave a name for: the expression, whose variables it reads (those of the frame that holds this
/// where there is none), and the item that the name stands for, where it is one of several.
pub(super) type Given = (Expression, Option<Rc<Frame>>, Option<Value>);

/// The variables of a rule or a template, and what each was made by.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) view: View,
    pub(super) bound: Variables,
    /// What gave each name.
    pub(super) given: BTreeMap<Name, Given>,
}

/// What is looked for among what was read.
#[derive(Clone, Copy)]
struct Sought<'v> {
    /// The value that was printed.
    value: &'v Value,
    /// The item of which it is a part, where it is one of several.
    item: Option<Item<'v>>,
}

/// Which items of several are looked for.
#[derive(Clone, Copy)]
enum Item<'v> {
    /// Those that are this one, and what was read of it.
    Exactly(&'v Value, &'v Reads),
    /// Those that look like this one.
    Like(&'v Value),
}

/// What a name stands for on a node.
enum Named<'a> {
    Field(&'a Value),
    /// The facts of this relation.
    Facts(Name),
}

/// Follows values of one project.
pub(super) struct Tracer<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) project: Project,
    /// The relation that says how references are written.
    pub(super) references: Option<&'a Name>,
    pub(super) schema: &'a Schema,
    /// What was explained already for the value under way.
    seen: BTreeSet<(String, String)>,
    pub(super) inputs: Vec<Input>,
    /// What the inputs under way are to the value.
    role: Role,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(db: &'a dyn Db, project: Project, references: Option<&'a Name>) -> Self {
        Self {
            db,
            project,
            references,
            schema: pack::schema(db, project),
            seen: BTreeSet::new(),
            inputs: Vec::new(),
            role: Role::Made,
        }
    }

    /// Returns what `value` was made of, which an expression gave that reads `uses` of the variables of `frame`; it
    /// stands under `keys` in what the expression gave.
    pub(super) fn inputs(&mut self, uses: &Uses, frame: &Rc<Frame>, value: &Value, keys: &[Name]) -> Vec<Input> {
        self.seen.clear();
        self.follow(uses, frame, value, keys, 0);
        std::mem::take(&mut self.inputs)
    }

    fn follow(&mut self, uses: &Uses, frame: &Rc<Frame>, value: &Value, keys: &[Name], depth: usize) {
        let leaves = self.leaves(uses, frame, Sought { value, item: None }, 0);
        let (made, deciding) = divided(narrowed(leaves, value, keys), value, keys);
        self.role = Role::Made;
        for leaf in made {
            if self.inputs.len() >= MAX_INPUTS {
                return;
            }
            self.explain(&leaf, depth);
        }
        if depth > 0 {
            return;
        }
        // What only decides is named, and followed no further.
        for leaf in deciding {
            self.role = Role::Decides;
            self.explain(&leaf, MAX_DEPTH);
        }
    }

    fn leaves(&self, uses: &Uses, frame: &Rc<Frame>, sought: Sought<'_>, depth: usize) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for (name, reads) in &uses.variables {
            self.variable(name, reads, frame, (sought, depth), &mut leaves);
        }
        for used in &uses.graph {
            leaves.extend(self.of_graph(frame.view, used, sought));
        }
        leaves
    }

    /// Finds what was read of the nodes that the graph gave. Which these are is told by what they were asked for.
    fn of_graph(&self, view: View, used: &GraphUse, sought: Sought<'_>) -> Vec<Leaf> {
        let snapshot = shape::snapshot(self.db, self.project, view);
        let nodes = snapshot.nodes().iter();
        let nodes = nodes.filter(|it| used.kind.as_ref().is_none_or(|kind| it.kind == *kind));
        let mut found = Vec::new();
        if let Some(Item::Exactly(item, reads)) = sought.item {
            for node in nodes {
                self.held(view, node, &used.reads, (item, reads), &mut found);
            }
            return found;
        }
        for node in nodes {
            let mut of_node = Vec::new();
            self.node(view, node, &used.reads, &mut of_node);
            match sought.item {
                Some(_) => {
                    let by_node = |it: &mut Leaf| it.keys.insert(0, node.to_string().into());
                    of_node.iter_mut().for_each(by_node);
                }
                None => of_node.retain(|it| agrees(&it.value, sought.value)),
            }
            found.extend(of_node);
            if sought.item.is_none() && found.len() > MAX_INPUTS {
                break;
            }
        }
        if let Some(Item::Like(item)) = sought.item {
            found = within(found, item);
            found.retain(|it| agrees(&it.value, sought.value));
        }
        for leaf in &mut found {
            leaf.group = "graph".to_owned();
        }
        found
    }

    /// Finds where an item stands as a whole among what `asked` names of a node, and what `reads` names of it there.
    fn held(&self, view: View, node: &Address, asked: &Reads, (item, reads): (&Value, &Reads), leaves: &mut Vec<Leaf>) {
        let trail = Trail::default();
        for name in asked.members.keys() {
            match self.named(view, node, name) {
                Some(Named::Facts(relation)) => {
                    let facts = fact::of(self.db, self.project, view.environment, node, &relation).iter();
                    for (nth, fact) in facts.enumerate() {
                        let at = |path: Path| Read::Fact(view, node.clone(), relation.clone(), nth, path);
                        if item.as_map().is_some_and(|it| is_printed_map(it, &fact.fields)) {
                            self.value(&at, &Path::default(), item, reads, &trail, leaves);
                        }
                    }
                }
                Some(Named::Field(value)) => {
                    let at = |path: Path| Read::Field(view, node.clone(), path);
                    let path = Path(vec![name.clone()]);
                    let below = children(value).filter(|it| is_printed(item, it.1));
                    let below = below.map(|(key, _)| path.join(key)).collect::<Vec<_>>();
                    let whole = is_printed(item, value).then_some(path);
                    for path in below.into_iter().chain(whole) {
                        self.value(&at, &path, item, reads, &trail, leaves);
                    }
                }
                None => {}
            }
        }
    }

    fn variable(
        &self,
        name: &Name,
        reads: &Reads,
        frame: &Rc<Frame>,
        (sought, depth): (Sought<'_>, usize),
        leaves: &mut Vec<Leaf>,
    ) {
        if let Some((expression, other, item)) = frame.given.get(name)
            && depth < MAX_DEPTH * 2
        {
            let of = other.as_ref().unwrap_or(frame);
            let given_to = |reads: &Reads, item: Option<Item<'_>>| {
                let uses = expression.uses_for(reads, self.schema);
                self.leaves(&uses, of, Sought { item, ..sought }, depth + 1)
            };
            let Some(item) = item else {
                leaves.extend(given_to(reads, sought.item));
                return;
            };
            let given = |reads: &Reads| given_to(reads, Some(Item::Like(item)));
            let is_map =
                matches!(expression.ty(), Type::Map(_)) || is_entry(item) && !matches!(expression.ty(), Type::List(_));
            if !is_map {
                let each = Reads {
                    each: Some(Box::new(reads.clone())),
                    ..Reads::default()
                };
                let exactly = given_to(&each, Some(Item::Exactly(item, reads)));
                match exactly.is_empty() {
                    true => leaves.extend(within(given(&each), item)),
                    false => leaves.extend(exactly),
                }
                return;
            }
            let key = item.get("key").and_then(Value::as_str).map(Name::from);
            let whole = || Reads {
                whole: true,
                ..Reads::default()
            };
            let value = match reads.members.get("value") {
                Some(it) => Some(it.clone()),
                None if reads.whole => Some(whole()),
                None => None,
            };
            if let Some(value) = value {
                let found = given(&Reads {
                    each: Some(Box::new(value)),
                    ..Reads::default()
                });
                leaves.extend(under(found, key.as_ref()));
            }
            if reads.whole || reads.members.contains_key("key") {
                let found = given(&Reads {
                    each: Some(Box::new(whole())),
                    ..Reads::default()
                });
                let named = under(found, key.as_ref()).into_iter();
                leaves.extend(named.filter_map(|it| cut(it, key.as_ref()?)));
            }
            return;
        }
        match (frame.bound.get(name), sought.item) {
            (Some(Bound::Node(node)), Some(Item::Exactly(item, wanted))) => {
                self.held(frame.view, node, reads, (item, wanted), leaves);
            }
            (_, Some(Item::Exactly(..))) => {}
            (Some(bound), _) => self.bound(frame.view, bound, reads, leaves),
            (None, _) if &**name == matching::ENVIRONMENT => {
                let value = matching::environment_value(self.db, self.project, frame.view.environment);
                self.bound(frame.view, &Bound::Value(value.clone()), reads, leaves);
            }
            (None, _) if &**name == "data" => leaves.push(plain(Read::Data, Value::Null)),
            (None, _) => {}
        }
    }

    fn bound(&self, view: View, bound: &Bound, reads: &Reads, leaves: &mut Vec<Leaf>) {
        match bound {
            Bound::Node(node) => self.node(view, node, reads, leaves),
            Bound::Elsewhere(view, node) => self.node(*view, node, reads, leaves),
            Bound::Edge(edge) => {
                for (name, reads) in &reads.members {
                    match &**name {
                        "from" => self.node(view, &edge.from, reads, leaves),
                        "to" => self.node(view, &edge.to, reads, leaves),
                        _ => {
                            let value = edge.fields.get(name).cloned().unwrap_or_default();
                            let path = Path(vec![name.clone()]);
                            leaves.push(plain(Read::Edge(view, (**edge).clone(), path), value));
                        }
                    }
                }
                if reads.members.is_empty() {
                    leaves.push(plain(Read::Edge(view, (**edge).clone(), Path::default()), Value::Null));
                }
            }
            Bound::Value(value) => {
                let mut found = Vec::new();
                scalars(value, &mut |value| found.push(value.clone()));
                let is_read =
                    |it: &Value| reads.members.is_empty() || reads.members.keys().any(|key| value.get(key) == Some(it));
                let found = found.into_iter().filter(is_read);
                leaves.extend(found.map(|it| plain(Read::Environment, it)));
            }
            Bound::List(items) => {
                let inner = reads.each.as_deref().unwrap_or(reads);
                items.iter().for_each(|it| self.bound(view, it, inner, leaves));
            }
            Bound::Record(fields) => {
                for (name, it) in fields.iter() {
                    match reads.members.get(name) {
                        Some(inner) => self.bound(view, it, inner, leaves),
                        None if reads.whole => self.bound(view, it, reads, leaves),
                        None => {}
                    }
                }
            }
        }
    }

    /// Finds what `reads` names of a node.
    fn node(&self, view: View, node: &Address, reads: &Reads, leaves: &mut Vec<Leaf>) {
        let identity = |value: Value| plain(Read::Node(view, node.clone()), value);
        if reads.members.is_empty() {
            leaves.push(identity(Value::Node(node.clone())));
            return;
        }
        for (name, reads) in &reads.members {
            match &**name {
                "name" => leaves.push(identity(Value::String(node.name.clone()))),
                "kind" => leaves.push(identity(Value::String(node.kind.clone()))),
                "address" => leaves.push(identity(Value::string(node.to_string()))),
                _ => match self.named(view, node, name) {
                    Some(Named::Facts(relation)) => self.facts(view, node, &relation, reads, leaves),
                    Some(Named::Field(value)) => {
                        let at = |path: Path| Read::Field(view, node.clone(), path);
                        self.value(&at, &Path(vec![name.clone()]), value, reads, &Trail::default(), leaves);
                    }
                    None => {}
                },
            }
        }
    }

    /// Returns what `name` stands for on a node that has it.
    fn named(&self, view: View, node: &Address, name: &Name) -> Option<Named<'a>> {
        let field = shape::node(self.db, self.project, view, node).and_then(|it| it.fields.get(name));
        if let Some(value) = field {
            return Some(Named::Field(value));
        }
        let ty = Type::Node([node.kind.clone()].into());
        let relation = self.schema.member(&ty, name).ok().and_then(|it| it.relation);
        // A relation that only its own pack may call by its short name.
        let relation = relation.or_else(|| self.schema.relations_named(name).first().map(|it| it.id()));
        relation.map(Named::Facts)
    }

    fn facts(&self, view: View, node: &Address, relation: &Name, reads: &Reads, leaves: &mut Vec<Leaf>) {
        let one = self
            .schema
            .relations
            .get(relation)
            .is_some_and(|it| it.shape == Shape::One);
        let facts = fact::of(self.db, self.project, view.environment, node, relation);
        let whole = Reads {
            whole: true,
            ..Reads::default()
        };
        for (nth, fact) in facts.iter().enumerate() {
            let at = |path: Path| Read::Fact(view, node.clone(), relation.clone(), nth, path);
            let (reads, trail) = if one {
                (reads, Trail::default())
            } else {
                let trail = Trail {
                    keys: vec![nth.to_string().into()],
                    group: format!("{relation}[]"),
                };
                (reads.each.as_deref().unwrap_or(&whole), trail)
            };
            self.value(
                &at,
                &Path::default(),
                &Value::Map(fact.fields.clone()),
                reads,
                &trail,
                leaves,
            );
        }
    }

    /// Finds what `reads` names of a value that stands at `path` of a field or fact.
    fn value(
        &self,
        at: &dyn Fn(Path) -> Read,
        path: &Path,
        value: &Value,
        reads: &Reads,
        trail: &Trail,
        leaves: &mut Vec<Leaf>,
    ) {
        if leaves.len() > MAX_INPUTS * 20 {
            return;
        }
        let leaf = |value: &Value| Leaf {
            read: at(path.clone()),
            value: value.clone(),
            keys: trail.keys.clone(),
            group: trail.group.clone(),
        };
        let view = match at(Path::default()) {
            Read::Field(view, ..) | Read::Fact(view, ..) => view,
            _ => View::finished(0),
        };
        let is_all = reads.whole || (reads.members.is_empty() && reads.each.is_none());
        let all = Reads {
            whole: true,
            ..Reads::default()
        };
        match value {
            Value::Node(node) => {
                // Through which field or fact the node was reached counts as much as what was read of it.
                let mut found = Vec::new();
                self.node(view, node, reads, &mut found);
                for it in &mut found {
                    it.keys = [trail.keys.as_slice(), &it.keys].concat();
                    it.group = format!("{}.{}", trail.group, it.group);
                }
                leaves.extend(found);
            }
            Value::List(items) if !items.is_empty() => {
                for (nth, item) in items.iter().enumerate() {
                    let step = Name::from(nth.to_string());
                    let inner = if is_all { Some(&all) } else { reads.each.as_deref() };
                    if let Some(inner) = inner {
                        self.value(
                            at,
                            &path.join(step.clone()),
                            item,
                            inner,
                            &trail.item(path, &step),
                            leaves,
                        );
                    }
                }
            }
            Value::Map(map) if !map.is_empty() => {
                for (key, item) in map {
                    let is_item = is_all || reads.each.is_some();
                    let inner = match (reads.members.get(key), &reads.each) {
                        _ if is_all => Some(&all),
                        (Some(inner), _) => Some(inner),
                        (None, Some(each)) => Some(&**each),
                        (None, None) => None,
                    };
                    if let Some(inner) = inner {
                        let trail = if is_item { trail.item(path, key) } else { trail.clone() };
                        self.value(at, &path.join(key.clone()), item, inner, &trail, leaves);
                    }
                }
            }
            _ => leaves.push(leaf(value)),
        }
    }

    /// Says what a leaf is, and goes on to what that was made of.
    fn explain(&mut self, leaf: &Leaf, depth: usize) {
        match &leaf.read {
            Read::Field(view, node, path) => {
                let whence = self.whence(*view, node, path);
                self.add(What::Field(node.clone(), path.clone()), &leaf.value, whence);
                if depth < MAX_DEPTH {
                    self.mentioned(*view, &leaf.value, depth);
                }
            }
            Read::Node(view, node) => {
                let whence = self.whence(*view, node, &Path::default());
                self.add(What::Node(node.clone()), &leaf.value, whence);
            }
            Read::Fact(view, node, relation, nth, path) => {
                self.fact(*view, node, relation, *nth, path, &leaf.value, depth);
            }
            Read::Edge(view, edge, path) => {
                let whence = self.edge(*view, edge, path);
                self.add(
                    What::Edge(edge.kind.clone(), edge.from.clone(), edge.to.clone()),
                    &leaf.value,
                    whence,
                );
            }
            Read::Environment => {
                let name = leaf.value.as_str().unwrap_or_default();
                let project = spec::project_address(self.db, self.project);
                let root = self.project.root(self.db);
                let (yaml, _) = crate::yaml::parse(root.text(self.db));
                let entry = yaml.as_ref().and_then(|it| it.get("environments")).and_then(|all| {
                    let named = all.entry(name);
                    named.or_else(|| {
                        all.entries()
                            .iter()
                            .find(|it| it.value.get("dir").and_then(crate::yaml::Yaml::as_str) == Some(name))
                    })
                });
                let whence = match entry {
                    Some(entry) => Whence::Spec(vec![spec::Written {
                        file: root.path(self.db).clone(),
                        span: entry.key_span,
                        environment: None,
                    }]),
                    None => self.whence(View::finished(0), &project, &Path::default()),
                };
                self.add(What::Environment, &leaf.value, whence);
            }
            Read::Data => {
                let whence = Whence::Engine;
                self.add(What::Data, &leaf.value, whence);
            }
        }
    }

    fn add(&mut self, what: What, value: &Value, whence: Whence) -> bool {
        let is_new = self.seen.insert((format!("{what:?}"), format!("{value:?}")));
        if is_new {
            self.inputs.push(Input {
                role: self.role,
                what,
                value: value.clone(),
                whence,
            });
        }
        is_new
    }

    /// Returns where a field of a node comes from.
    pub(super) fn whence(&self, view: View, node: &Address, path: &Path) -> Whence {
        let mut written = spec::origin(self.db, self.project, view.environment, node, path);
        let derived = shape::derived(self.db, self.project, view).nodes.get(node);
        if written.is_empty() && path.0.is_empty() && derived.is_none() {
            let place = Place::Field {
                environment: None,
                node: node.clone(),
                path: Path::default(),
            };
            let found = spec::locate(self.db, self.project, &place);
            written.extend(found.map(|(file, span)| spec::Written {
                file,
                span,
                environment: None,
            }));
        }
        if !written.is_empty() {
            return Whence::Spec(written);
        }
        if let Some(derived) = derived
            && (path.0.is_empty() || stands_at(&derived.fields, &path.0))
        {
            let gives = |it: &&Name| self.gives(it, path);
            let rule = derived.rules.iter().find(gives).unwrap_or(&derived.rules[0]);
            return Whence::Rule(rule.clone(), self.rule(rule));
        }
        if path.0.is_empty() {
            return Whence::Engine;
        }
        // A field of an edge that nobody gave.
        let kinds = self.schema.kinds.get(&node.kind);
        let first = kinds.and_then(|it| it.fields.fields.get(&path.0[0]));
        if let Some(kind) = first.and_then(|it| it.edge.as_ref())
            && path.0.len() > 2
        {
            let rest = Path(path.0[2..].to_vec());
            if let Some((file, span)) = whence::field(self.db, self.project, Of::Edge(kind), &rest) {
                return Whence::Default(file, span);
            }
        }
        match whence::field(self.db, self.project, Of::Kind(&node.kind), path) {
            Some((file, span)) => Whence::Default(file, span),
            None => Whence::Engine,
        }
    }

    /// Tells whether `rule` gives this field to a node that it derives, or a part of it.
    fn gives(&self, rule: &Name, path: &Path) -> bool {
        let rule = set::rule(self.db, self.project, rule.clone()).as_ref();
        let mut fields = rule
            .into_iter()
            .flat_map(|it| &it.nodes)
            .flat_map(|it| &it.fields)
            .map(|it| &it.0);
        fields.any(|it| it.0.starts_with(&path.0) || path.0.starts_with(&it.0))
    }

    /// Returns where a rule stands.
    pub(super) fn rule(&self, id: &Name) -> Option<(Name, Span)> {
        super::rule_place(self.db, self.project, id)
    }

    fn edge(&self, view: View, edge: &BoundEdge, path: &Path) -> Whence {
        let declared = self.schema.kinds.get(&edge.from.kind).map(|it| &it.fields.fields);
        let fields = declared.into_iter().flatten().filter(|it| it.1.edge.is_some());
        for (name, _) in fields {
            for target in [edge.to.name.clone(), Name::from(edge.to.to_string())] {
                let whole = Path(vec![name.clone(), target]);
                let field = Path([whole.0.as_slice(), &path.0].concat());
                for path in [field, whole] {
                    let written = spec::origin(self.db, self.project, view.environment, &edge.from, &path);
                    if !written.is_empty() {
                        return Whence::Spec(written);
                    }
                }
            }
        }
        let derived = shape::derived(self.db, self.project, view);
        let ends = (edge.from.clone(), edge.kind.clone(), edge.to.clone());
        if let Some((_, rule)) = derived.edges.get(&ends) {
            return Whence::Rule(rule.clone(), self.rule(rule));
        }
        let node = shape::node(self.db, self.project, view, &edge.from);
        let mention = node.and_then(|it| mention(&it.fields, &edge.to, &Path::default()));
        match mention {
            Some(path) => self.whence(view, &edge.from, &path),
            None => Whence::Engine,
        }
    }

    /// Explains the references in a text: by which facts they are written.
    fn mentioned(&mut self, view: View, value: &Value, depth: usize) {
        let (Value::Text(text), Some(relation)) = (value, self.references) else {
            return;
        };
        if depth > MAX_REFERENCES {
            return;
        }
        let relation = relation.clone();
        for segment in text.segments() {
            let Segment::Reference(reference) = segment else {
                continue;
            };
            let facts = fact::of(self.db, self.project, view.environment, &reference.node, &relation);
            let field = |fields: &Map, name: &str| fields.get(name).and_then(Value::as_str).map(Name::from);
            let fits = |fields: &Map, manner: Option<&Name>| {
                field(fields, "attribute").as_ref() == Some(&reference.attribute)
                    && field(fields, "manner").as_ref() == manner
            };
            let found = reference
                .manner
                .as_ref()
                .and_then(|it| facts.iter().position(|fact| fits(&fact.fields, Some(it))))
                .or_else(|| facts.iter().position(|fact| fits(&fact.fields, None)));
            let Some(nth) = found else { continue };
            let value = facts[nth].fields.get("value").cloned().unwrap_or_default();
            let path = Path(vec!["value".into()]);
            self.fact(view, &reference.node, &relation, nth, &path, &value, depth + 1);
        }
    }

    /// Explains a field of a fact by the rule that derives it.
    #[expect(clippy::too_many_arguments, reason = "a fact has no shorter name")]
    fn fact(
        &mut self,
        view: View,
        node: &Address,
        relation: &Name,
        nth: usize,
        path: &Path,
        value: &Value,
        depth: usize,
    ) {
        let facts = fact::of(self.db, self.project, view.environment, node, relation);
        let Some(fact) = facts.get(nth) else { return };
        let found = fact.rules.iter().find_map(|id| {
            let rule = set::rule(self.db, self.project, id.clone()).as_ref()?;
            self.derivation(view, rule, node, relation, &fact.fields)
        });
        let Some((rule, which, found)) = found else {
            let whence = match fact.rules.first() {
                Some(id) => Whence::Rule(id.clone(), self.rule(id)),
                None => Whence::Engine,
            };
            self.add(What::Fact(node.clone(), relation.clone()), value, whence);
            return;
        };
        let source = set::source(self.db, self.project, rule.id.clone());
        let written = source.as_ref().filter(|it| it.facts.len() == rule.facts.len());
        let written = written.map(|it| &it.facts[which]);
        let place = written.map(|it| it.at.clone());
        let place = place.as_ref().and_then(text_place).or_else(|| self.rule(&rule.id));
        let what = What::Fact(node.clone(), relation.clone());
        if !self.add(what, value, Whence::Rule(rule.id.clone(), place)) || depth >= MAX_DEPTH {
            return;
        }
        let frame = Rc::new(rule_frame(view, rule, found));
        let mut is_given = false;
        for (at, filled) in &rule.facts[which].fields {
            let is_part = at.0.starts_with(&path.0) || path.0.starts_with(&at.0);
            if is_part {
                is_given = true;
                let keys = path.0.get(at.0.len()..).unwrap_or_default();
                self.filled(filled, &frame, value, keys, depth + 1);
            }
        }
        if !is_given && let Some((file, span)) = whence::field(self.db, self.project, Of::Relation(relation), path) {
            let what = What::Default(relation.clone(), path.clone());
            self.add(what, value, Whence::Default(file, span));
        }
    }

    fn filled(&mut self, filled: &Filled, frame: &Rc<Frame>, value: &Value, keys: &[Name], depth: usize) {
        match filled {
            // What a rule says by itself is explained by the rule.
            Filled::Constant(_) => {}
            Filled::Text(text) => {
                let reads = reads(text.ty(), keys, self.schema);
                let uses = text.uses_for(&reads, self.schema);
                self.follow(&uses, frame, value, keys, depth);
            }
            Filled::List(items) => items.iter().for_each(|it| self.filled(it, frame, value, keys, depth)),
        }
    }

    /// Finds the match of `rule` by which it derives a fact.
    fn derivation<'r>(
        &self,
        view: View,
        rule: &'r Rule,
        node: &Address,
        relation: &Name,
        fields: &Map,
    ) -> Option<(&'r Rule, usize, matching::Match)> {
        for (which, made) in rule.facts.iter().enumerate().filter(|it| it.1.relation == *relation) {
            let matches = matching::matches(self.db, self.project, view, rule, &made.of, node);
            for found in matches.found {
                let record = matching::evaluated(self.db, self.project, view, rule, node, |run| {
                    run.fields(&made.fields, &found)
                });
                let is_it = record.is_ok_and(|it| it.iter().all(|(name, value)| fields.get(name) == Some(value)));
                if is_it {
                    return Some((rule, which, found));
                }
            }
        }
        None
    }
}

/// Returns the variables of one match of a rule.
pub(super) fn rule_frame(view: View, rule: &Rule, found: matching::Match) -> Frame {
    let mut given = BTreeMap::new();
    for (name, expression) in &rule.body.each {
        let item = match found.get(name) {
            Some(Bound::Value(item)) => Some(item.clone()),
            _ => None,
        };
        given.insert(name.clone(), (expression.clone(), None, item));
    }
    for (name, expression) in &rule.body.lets {
        given.insert(name.clone(), (expression.clone(), None, None));
    }
    Frame {
        view,
        bound: found,
        given,
    }
}

/// Returns what is read of a value of type `ty` by who goes down `keys`.
pub(super) fn reads(ty: &Type, keys: &[Name], schema: &Schema) -> Reads {
    let Some((key, rest)) = keys.split_first() else {
        return Reads {
            whole: true,
            ..Reads::default()
        };
    };
    match ty {
        Type::List(item) | Type::Map(item) => Reads {
            each: Some(Box::new(reads(item, rest, schema))),
            ..Reads::default()
        },
        Type::Record(_) | Type::Node(_) | Type::Edge(_) => {
            let ty = schema.member(ty, key).map_or(Type::Any, |it| it.ty);
            Reads {
                members: [(key.clone(), reads(&ty, rest, schema))].into(),
                ..Reads::default()
            }
        }
        _ => Reads {
            whole: true,
            ..Reads::default()
        },
    }
}
