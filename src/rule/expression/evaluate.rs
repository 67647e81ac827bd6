//! The evaluator: a walk over the checked form. Nodes are asked when a member of them is read, and not before.
//!
//! It does what CEL says, with numbers of both kinds mixed; each step is counted, so that it always ends.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::function::{Meter, Run, finite, sorted_by};
use super::held::Held;
use super::reads::Projection;
use super::seen::{Bound, Seen, equal, order};
use super::tree::{Absent, Asked, Binary, Binds, Fold, Make, Member, Op, Tree};
use super::{Bindings, Failure};
use crate::db::{Db, View};
use crate::kind::Type;
use crate::problem::{Place, Span};
use crate::value::{Address, Double, Map, Name, Segment, Text, Value};

/// The state of one evaluation.
pub(super) struct Evaluator<'a> {
    bindings: &'a Bindings<'a>,
    db: Option<&'a dyn Db>,
    file: &'a Name,
    locals: Vec<Held<'a>>,
    meter: Meter,
}

type Result<T> = std::result::Result<T, Failure>;

impl<'a> Evaluator<'a> {
    pub(super) fn new(bindings: &'a Bindings<'a>, db: Option<&'a dyn Db>, file: &'a Name, most_steps: u64) -> Self {
        Self {
            bindings,
            db,
            file,
            locals: Vec::new(),
            meter: Meter::new(most_steps),
        }
    }

    fn failure(&self, at: Span, message: impl Into<Arc<str>>) -> Failure {
        Failure {
            message: message.into(),
            place: Box::new(Place::Text(self.file.clone(), at)),
        }
    }

    fn spend(&mut self, at: Span, steps: usize) -> Result<()> {
        match self.meter.take(steps) {
            true => Ok(()),
            false => Err(self.failure(at, self.meter.exhausted())),
        }
    }

    fn db(&self) -> &'a dyn Db {
        self.db.expect("a database is attached while an expression reads nodes")
    }

    /// Returns the value of a part of an expression.
    fn run(&mut self, tree: &'a Tree) -> Result<Seen> {
        self.place(tree).map(Held::seen)
    }

    /// Returns where the value of a part of an expression is: what is stored is not copied before it is kept.
    pub(super) fn place(&mut self, tree: &'a Tree) -> Result<Held<'a>> {
        self.spend(tree.span, 1)?;
        match &tree.op {
            Op::Literal(value) => Ok(Held::Stored(self.bindings.view, value)),
            Op::Variable(name) => self.variable(tree.span, name),
            Op::Local(at) => Ok(self.locals[*at].clone()),
            Op::Member(member) => self.member(tree, member),
            Op::Index(of, key, asked) => self.index(tree, of, key, *asked),
            Op::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let branch = if self.truth(condition)? { yes } else { no };
                self.place(branch)
            }
            _ => {
                let made = self.value(tree)?;
                let most = self.meter.most();
                if made.weight() as u64 > most {
                    return Err(self.failure(tree.span, format!("a list of more than {most} values was made")));
                }
                Ok(Held::Made(made))
            }
        }
    }

    fn variable(&self, at: Span, name: &Name) -> Result<Held<'a>> {
        let view = self.bindings.view;
        match self.bindings.variables.get(name) {
            Some(Bound::Node(node)) => Ok(Held::Node(view, node)),
            Some(Bound::Elsewhere(view, node)) => Ok(Held::Node(*view, node)),
            Some(Bound::Value(value)) => Ok(Held::Stored(view, value)),
            Some(bound) => Ok(Held::Made(Seen::bound(view, bound))),
            None => match self.db.and_then(|it| self.bindings.world.variable(it, view, name)) {
                Some(value) => Ok(Held::Stored(view, value)),
                None => Err(self.failure(at, format!("`{name}` is not bound"))),
            },
        }
    }

    fn value(&mut self, tree: &'a Tree) -> Result<Seen> {
        match &tree.op {
            Op::Literal(_) | Op::Variable(_) | Op::Local(_) | Op::Member(_) | Op::Index(..) | Op::Conditional(_) => {
                self.run(tree)
            }
            Op::Has(of, ty) => Ok(Seen::of(self.is_there(of, ty)?)),
            Op::List(items) => self.list(tree, items),
            Op::Map(entries) => self.map(tree, entries),
            Op::And(sides) => self.either(sides, false),
            Op::Or(sides) => self.either(sides, true),
            Op::Not(inner) => Ok(Seen::of(!self.truth(inner)?)),
            Op::Negate(inner) => self.negate(inner),
            Op::Binary(sign, sides) => {
                let (a, b) = (self.place(&sides[0])?, self.place(&sides[1])?);
                self.spend(tree.span, a.weight().saturating_add(b.weight()))?;
                self.binary(tree.span, *sign, &a, &b)
            }
            Op::Call(function, args) => {
                let args = args
                    .iter()
                    .map(|it| self.place(it))
                    .collect::<Result<Vec<Held<'a>>>>()?;
                self.spend(tree.span, args.iter().map(Held::weight).sum())?;
                let values = |args: &[Held<'a>]| args.iter().map(|it| it.value().into_owned()).collect::<Vec<Value>>();
                let result = match function.run {
                    Run::Values(run) => {
                        let args = values(&args);
                        run(&mut self.meter, &args).map(|it| Seen::Plain(self.bindings.view, it))
                    }
                    Run::Seen(run) => {
                        let args: Vec<Seen> = args.into_iter().map(Held::seen).collect();
                        run(&mut self.meter, &args)
                    }
                    Run::Graph(function) => {
                        let view = args.iter().find_map(Held::seen_from).unwrap_or(self.bindings.view);
                        let answer = self.bindings.world.call(self.db(), view, function, &values(&args));
                        answer.map(|it| Seen::Plain(view, it))
                    }
                    Run::Macro => unreachable!("the checker resolves macros"),
                };
                result.map_err(|reason| self.failure(tree.span, format!("`{}`: {reason}", function.name)))
            }
            Op::Fold(fold) => self.fold(tree, fold),
            Op::Bind(parts) => {
                let value = self.place(&parts[0])?;
                self.with(value, |it| it.run(&parts[1]))
            }
            Op::OptionalMap(parts) => match self.run(&parts[0])? {
                Seen::Optional(Some(value)) => {
                    let value = Held::Made((*value).clone());
                    let result = self.with(value, |it| it.run(&parts[1]))?;
                    Ok(Seen::optional(Some(result)))
                }
                _ => Ok(Seen::Optional(None)),
            },
            Op::Broken => unreachable!("an expression with problems is never made"),
        }
    }

    fn with<T>(&mut self, value: Held<'a>, run: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.locals.len();
        self.locals.push(value);
        let result = run(self);
        self.locals.truncate(depth);
        result
    }

    /// Returns the truth of a condition.
    pub(super) fn truth(&mut self, tree: &'a Tree) -> Result<bool> {
        let place = self.place(tree)?;
        match place.plain() {
            Some(Value::Bool(truth)) => Ok(*truth),
            _ => Err(self.failure(tree.span, format!("a condition is a boolean, not {}", place.noun()))),
        }
    }

    /// `&&` and `||`: a side that decides wins over a failure of the other.
    fn either(&mut self, sides: &'a [Tree; 2], decides: bool) -> Result<Seen> {
        let first = self.truth(&sides[0]);
        if matches!(first, Ok(truth) if truth == decides) {
            return Ok(Seen::of(decides));
        }
        let second = self.truth(&sides[1])?;
        if second == decides {
            return Ok(Seen::of(decides));
        }
        first.map(|_| Seen::of(second))
    }

    fn negate(&mut self, inner: &'a Tree) -> Result<Seen> {
        let seen = self.run(inner)?;
        match seen.plain() {
            Some(Value::Int(number)) => match number.checked_neg() {
                Some(number) => Ok(Seen::of(number)),
                None => Err(self.failure(inner.span, "the number is too large")),
            },
            Some(Value::Double(number)) => Ok(Seen::of(Value::Double(Double(-number.0)))),
            _ => Err(self.failure(inner.span, format!("`-` wants a number, not {}", seen.noun()))),
        }
    }

    /// Returns a member of a value, none if it is not there.
    fn look(&self, at: Span, of: &Held<'a>, name: &str, relation: Option<&Name>) -> Result<Option<Held<'a>>> {
        match of {
            Held::Stored(view, Value::Map(map)) => Ok(map.get(name).map(|it| Held::Stored(*view, it))),
            Held::Stored(view, Value::Node(node)) => Ok(self.ask(*view, node, name, relation)),
            Held::Node(view, node) => Ok(self.ask(*view, node, name, relation)),
            Held::Stored(_, other) => Err(self.failure(at, format!("{} has no field `{name}`", other.noun()))),
            Held::Made(seen) => self.look_made(at, seen, name, relation),
        }
    }

    fn look_made(&self, at: Span, of: &Seen, name: &str, relation: Option<&Name>) -> Result<Option<Held<'a>>> {
        let plain = |view: View, value: Value| Some(Held::Made(Seen::Plain(view, value)));
        match of {
            Seen::Plain(view, Value::Map(map)) => Ok(map.get(name).and_then(|it| plain(*view, it.clone()))),
            Seen::Plain(view, Value::Node(node)) => Ok(self.ask(*view, node, name, relation)),
            Seen::Record(fields, _) => Ok(fields.get(name).cloned().map(Held::Made)),
            Seen::Edge(view, edge) => Ok(match name {
                "from" => plain(*view, Value::Node(edge.from.clone())),
                "to" => plain(*view, Value::Node(edge.to.clone())),
                "kind" => plain(*view, Value::String(edge.kind.clone())),
                _ => edge.fields.get(name).and_then(|it| plain(*view, it.clone())),
            }),
            Seen::Optional(None) => Ok(None),
            Seen::Optional(Some(inner)) => self.look_made(at, inner, name, relation),
            other => Err(self.failure(at, format!("{} has no field `{name}`", other.noun()))),
        }
    }

    /// Asks a node for a member: this is where salsa learns what was read.
    fn ask(&self, view: View, node: &Address, name: &str, relation: Option<&Name>) -> Option<Held<'a>> {
        let made = |value: Value| Some(Held::Made(Seen::Plain(view, value)));
        let value = match (name, relation) {
            ("name", _) => return made(Value::String(node.name.clone())),
            ("kind", _) => return made(Value::String(node.kind.clone())),
            ("address", _) => return made(Value::string(node.to_string())),
            (_, Some(relation)) => self.bindings.world.facts(self.db(), view, node, relation),
            (_, None) => self.bindings.world.field(self.db(), view, node, name),
        };
        match value? {
            Cow::Borrowed(value) => Some(Held::Stored(view, value)),
            Cow::Owned(value) => made(value),
        }
    }

    fn member(&mut self, tree: &Tree, member: &'a Member) -> Result<Held<'a>> {
        let of = self.place(&member.of)?;
        let found = self.look(tree.span, &of, &member.name, member.relation.as_ref())?;
        let found = found.or_else(|| match (member.absent, &of) {
            (_, Held::Made(Seen::Optional(None))) | (Absent::Failure, _) => None,
            (Absent::List, _) => Some(Held::Made(Seen::of(Value::list([])))),
            (Absent::Map, _) => Some(Held::Made(Seen::of(Value::Map(Map::default())))),
        });
        match (member.asked, found) {
            (Asked::Optionally, found) => Ok(Held::Made(Seen::optional(found.map(Held::seen)))),
            (Asked::Plainly, Some(found)) => Ok(found),
            (Asked::Plainly, None) => Err(self.failure(tree.span, format!("there is no `{}` here", member.name))),
        }
    }

    fn at(&self, at: Span, of: &Held<'a>, key: &Held<'a>) -> Result<Option<Held<'a>>> {
        match (of, key.plain()) {
            (Held::Made(Seen::Optional(None)), _) => Ok(None),
            (Held::Made(Seen::Optional(Some(inner))), _) => self.at(at, &Held::Made((**inner).clone()), key),
            (_, Some(Value::String(name))) => self.look(at, of, name, None),
            (_, Some(Value::Int(position))) if of.has_items() => {
                Ok(usize::try_from(*position).ok().and_then(|it| of.item(it)))
            }
            _ => Err(self.failure(at, format!("{} can't be indexed by {}", of.noun(), key.noun()))),
        }
    }

    fn index(&mut self, tree: &Tree, of: &'a Tree, key: &'a Tree, asked: Asked) -> Result<Held<'a>> {
        let of = self.place(of)?;
        let key = self.place(key)?;
        let found = self.at(tree.span, &of, &key)?;
        match (asked, found) {
            (Asked::Optionally, found) => Ok(Held::Made(Seen::optional(found.map(Held::seen)))),
            (Asked::Plainly, Some(found)) => Ok(found),
            (Asked::Plainly, None) => Err(match key.plain() {
                Some(Value::Int(position)) => {
                    let n = of.len().unwrap_or_default();
                    self.failure(tree.span, format!("position {position} lies outside of a list of {n}"))
                }
                Some(Value::String(name)) => self.failure(tree.span, format!("there is no key `{name}` here")),
                _ => self.failure(tree.span, "there is nothing here"),
            }),
        }
    }

    /// Tells whether the way to a member is there, and the member is not empty.
    fn is_there(&mut self, tree: &'a Tree, ty: &Type) -> Result<bool> {
        let found = self.reach(tree)?;
        Ok(match found {
            Some(Held::Made(Seen::Optional(inner))) => inner.is_some(),
            Some(place) => match place.plain() {
                Some(value) => !ty.is_blank(value),
                None => place.len() != Some(0),
            },
            None => false,
        })
    }

    /// Returns what stands at the end of a way, none if a step is missing.
    fn reach(&mut self, tree: &'a Tree) -> Result<Option<Held<'a>>> {
        self.spend(tree.span, 1)?;
        match &tree.op {
            Op::Member(member) => match self.reach(&member.of)? {
                Some(of) => self.look(tree.span, &of, &member.name, member.relation.as_ref()),
                None => Ok(None),
            },
            Op::Index(of, key, _) => match self.reach(of)? {
                Some(of) => {
                    let key = self.place(key)?;
                    self.at(tree.span, &of, &key)
                }
                None => Ok(None),
            },
            _ => self.place(tree).map(Some),
        }
    }

    fn list(&mut self, tree: &Tree, items: &'a [(Tree, Asked)]) -> Result<Seen> {
        self.spend(tree.span, items.len())?;
        let mut made = Vec::with_capacity(items.len());
        for (item, asked) in items {
            match (self.run(item)?, asked) {
                (Seen::Optional(inner), Asked::Optionally) => made.extend(inner.map(|it| (*it).clone())),
                (seen, _) => made.push(seen),
            }
        }
        Ok(Seen::list(made))
    }

    fn map(&mut self, tree: &Tree, entries: &'a [(Tree, Tree, Asked)]) -> Result<Seen> {
        self.spend(tree.span, entries.len())?;
        let mut made = BTreeMap::new();
        for (key, value, asked) in entries {
            let name = self.key(key)?;
            let value = match (self.run(value)?, asked) {
                (Seen::Optional(None), Asked::Optionally) => continue,
                (Seen::Optional(Some(inner)), Asked::Optionally) => (*inner).clone(),
                (seen, _) => seen,
            };
            if made.insert(name.clone(), value).is_some() {
                return Err(self.failure(key.span, format!("the key `{name}` stands twice in a map")));
            }
        }
        Ok(Seen::record(made))
    }

    fn key(&mut self, tree: &'a Tree) -> Result<Name> {
        let seen = self.place(tree)?;
        match seen.plain() {
            Some(Value::String(name)) => Ok(name.clone()),
            Some(Value::Text(_)) => Err(self.failure(tree.span, "a text with references can't be a key")),
            _ => Err(self.failure(tree.span, format!("a key is a string, not {}", seen.noun()))),
        }
    }

    fn binary(&mut self, at: Span, sign: Binary, a: &Held<'a>, b: &Held<'a>) -> Result<Seen> {
        match sign {
            Binary::Add if a.plain().is_none_or(|it| it.as_list().is_some()) => {
                if let (Some(mut items), Some(more)) = (a.items(), b.items()) {
                    self.spend(at, items.len() + more.len())?;
                    items.extend(more);
                    return Ok(Seen::list(items.into_iter().map(Held::seen).collect()));
                }
            }
            Binary::In => return self.contains(at, a, b),
            _ => {}
        }
        let (a, b) = (a.value(), b.value());
        let result = match sign {
            Binary::Equal | Binary::Differ => {
                self.spend(at, a.as_list().map_or(0, <[_]>::len))?;
                Ok(Value::Bool(equal(&a, &b) == (sign == Binary::Equal)))
            }
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => compared(sign, &a, &b),
            _ => {
                if let (Binary::Add, Some(a), Some(b)) = (sign, a.as_text(), b.as_text()) {
                    return self.joined(at, &a, &b);
                }
                calculated(sign, &a, &b)
            }
        };
        result.map(Seen::of).map_err(|it| self.failure(at, it))
    }

    fn joined(&mut self, at: Span, a: &Text, b: &Text) -> Result<Seen> {
        let bytes = |text: &Text| {
            let sizes = text.segments().iter().map(|it| match it {
                Segment::Literal(text) => text.len(),
                _ => 16,
            });
            sizes.sum::<usize>()
        };
        self.spend(at, (bytes(a) + bytes(b)) / 16)?;
        let text = Text::new(a.segments().iter().chain(b.segments()).cloned());
        Ok(Seen::of(Value::text(text)))
    }

    fn contains(&mut self, at: Span, item: &Held<'a>, of: &Held<'a>) -> Result<Seen> {
        if let Some(items) = of.plain().and_then(Value::as_list) {
            self.spend(at, items.len())?;
            let item = item.value();
            return Ok(Seen::of(items.iter().any(|it| equal(it, &item))));
        }
        if let Held::Made(Seen::List(items, _)) = of {
            self.spend(at, items.len())?;
            let item = item.value();
            return Ok(Seen::of(items.iter().any(|it| equal(&it.value(), &item))));
        }
        match (of.plain(), of, item.plain()) {
            (Some(Value::Map(map)), _, Some(Value::String(name))) => Ok(Seen::of(map.get(name).is_some())),
            (_, Held::Made(Seen::Record(fields, _)), Some(Value::String(name))) => {
                Ok(Seen::of(fields.contains_key(name)))
            }
            (Some(Value::Map(_)), ..) | (_, Held::Made(Seen::Record(..)), _) => Ok(Seen::of(false)),
            _ => Err(self.failure(at, format!("`in` looks into a list or a map, not into {}", of.noun()))),
        }
    }

    fn fold(&mut self, tree: &Tree, fold: &'a Fold) -> Result<Seen> {
        let of = self.place(&fold.of)?;
        let pairs: Vec<(Option<Name>, Held<'a>)> = if let Some(items) = of.items() {
            items.into_iter().map(|it| (None, it)).collect()
        } else if let Some(entries) = of.entries() {
            entries.into_iter().map(|(key, it)| (Some(key), it)).collect()
        } else {
            return Err(self.failure(tree.span, format!("{} can't be walked", of.noun())));
        };
        self.spend(tree.span, pairs.len())?;
        let mut failed: Option<Failure> = None;
        let mut n_held = 0_usize;
        let mut made: Vec<Seen> = Vec::new();
        let mut keyed: Vec<(Value, Seen)> = Vec::new();
        let mut entries: BTreeMap<Name, Seen> = BTreeMap::new();
        for (at, (key, value)) in pairs.into_iter().enumerate() {
            self.spend(tree.span, 1)?;
            let first = match &key {
                Some(key) => Held::Made(Seen::of(Value::String(key.clone()))),
                None if fold.binds == Binds::Item => value.clone(),
                None => Held::Made(Seen::of(i64::try_from(at).unwrap_or(i64::MAX))),
            };
            let depth = self.locals.len();
            self.locals.push(first.clone());
            if fold.binds == Binds::Both {
                self.locals.push(value);
            }
            let result = self.step(fold);
            self.locals.truncate(depth);
            let (held, body) = match result {
                Ok(result) => result,
                // An item that decides wins over a failure of another, as it does with `&&` and `||`.
                Err(failure) if matches!(fold.make, Make::All | Make::Exists) => {
                    failed.get_or_insert(failure);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            n_held += usize::from(held);
            match (fold.make, body) {
                (Make::All, _) if !held => return Ok(Seen::of(false)),
                (Make::Exists, _) if held => return Ok(Seen::of(true)),
                (Make::Filter, _) if held => made.push(first.seen()),
                (Make::List, Some(body)) => made.push(body),
                (Make::Sorted, Some(body)) => keyed.push((body.value(), first.seen())),
                (Make::Map, Some(body)) => {
                    let key = key.unwrap_or_else(|| Name::from(at.to_string()));
                    entries.insert(key, body);
                }
                (Make::Entries, Some(body)) => {
                    for (key, value) in body.entries().unwrap_or_default() {
                        if entries.insert(key.clone(), value).is_some() {
                            return Err(self.failure(tree.span, format!("the key `{key}` is made twice")));
                        }
                    }
                }
                _ => {}
            }
        }
        match (fold.make, failed) {
            (Make::All | Make::Exists, Some(failure)) => Err(failure),
            (Make::All, None) => Ok(Seen::of(true)),
            (Make::Exists, None) => Ok(Seen::of(false)),
            (Make::ExistsOne, _) => Ok(Seen::of(n_held == 1)),
            (Make::Filter | Make::List, _) => Ok(Seen::list(made)),
            (Make::Sorted, _) => sorted_by(&mut self.meter, keyed).map_err(|it| self.failure(tree.span, it)),
            (Make::Map | Make::Entries, _) => Ok(Seen::record(entries)),
        }
    }

    /// Returns whether an item counts, and what it becomes.
    fn step(&mut self, fold: &'a Fold) -> Result<(bool, Option<Seen>)> {
        let held = match &fold.test {
            Some(test) => self.truth(test)?,
            None => true,
        };
        let body = match &fold.body {
            Some(body) if held => Some(self.run(body)?),
            _ => None,
        };
        Ok((held, body))
    }

    /// Returns a value with just what its reader names: nodes become maps of it.
    pub(super) fn project(&mut self, place: &Held<'a>, projection: &Projection) -> Result<Value> {
        self.spend(Span::default(), 1)?;
        if projection.whole {
            return Ok(place.value().into_owned());
        }
        if let Some(items) = place.items() {
            let item = projection.each.as_deref();
            let items = items.iter().map(|it| match item {
                Some(item) => self.project(it, item),
                None => Ok(Value::Null),
            });
            return items.collect::<Result<Vec<Value>>>().map(Value::list);
        }
        if let (Some(item), Some(entries)) = (projection.each.as_deref(), place.entries()) {
            let entries = entries
                .iter()
                .map(|(key, it)| Ok((key.clone(), self.project(it, item)?)));
            return entries
                .collect::<Result<Vec<(Name, Value)>>>()
                .map(|it| it.into_iter().collect());
        }
        let has_members = match place {
            Held::Node(..) | Held::Made(Seen::Record(..) | Seen::Edge(..)) => true,
            _ => matches!(place.plain(), Some(Value::Map(_) | Value::Node(_))),
        };
        if !has_members {
            return Ok(place.value().into_owned());
        }
        let mut fields = Vec::with_capacity(projection.members.len());
        for (name, relation, projection) in &projection.members {
            if let Some(member) = self.look(Span::default(), place, name, relation.as_ref())? {
                fields.push((name.clone(), self.project(&member, projection)?));
            }
        }
        Ok(fields.into_iter().collect())
    }
}

fn compared(sign: Binary, a: &Value, b: &Value) -> std::result::Result<Value, String> {
    let comparable = match (a, b) {
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => true,
        (Value::String(_), Value::String(_)) => true,
        (Value::Text(_), _) | (_, Value::Text(_)) => {
            return Err("a text with references has no order".to_owned());
        }
        _ => false,
    };
    if !comparable {
        return Err(format!(
            "`{}` can't compare {} with {}",
            sign.sign(),
            a.noun(),
            b.noun()
        ));
    }
    let order = order(a, b);
    Ok(Value::Bool(match sign {
        Binary::Less => order.is_lt(),
        Binary::LessOrEqual => order.is_le(),
        Binary::Greater => order.is_gt(),
        _ => order.is_ge(),
    }))
}

fn calculated(sign: Binary, a: &Value, b: &Value) -> std::result::Result<Value, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            if *b == 0 && matches!(sign, Binary::Divide | Binary::Remainder) {
                return Err("division by zero".to_owned());
            }
            let result = match sign {
                Binary::Add => a.checked_add(*b),
                Binary::Subtract => a.checked_sub(*b),
                Binary::Multiply => a.checked_mul(*b),
                Binary::Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result
                .map(Value::Int)
                .ok_or_else(|| format!("the result of `{}` is too large for a whole number", sign.sign()))
        }
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            let (a, b) = (double(a), double(b));
            match sign {
                Binary::Add => finite(a + b),
                Binary::Subtract => finite(a - b),
                Binary::Multiply => finite(a * b),
                Binary::Divide if b == 0.0 => Err("division by zero".to_owned()),
                Binary::Divide => finite(a / b),
                _ => Err("`%` wants whole numbers".to_owned()),
            }
        }
        _ => Err(format!(
            "`{}` can't stand between {} and {}",
            sign.sign(),
            a.noun(),
            b.noun()
        )),
    }
}

fn double(value: &Value) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "mixed numbers are calculated as doubles")]
        Value::Int(number) => *number as f64,
        Value::Double(number) => number.0,
        _ => 0.0,
    }
}
