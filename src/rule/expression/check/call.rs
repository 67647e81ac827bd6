//! Calls: signs, macros and the functions of the table.

use super::super::function::{self, Flow, Function, GraphFunction, Run, Style, Wanted};
use super::super::reads::{GraphUse, Trace};
use super::super::syntax::{Form, Syntax};
use super::super::tree::{Op, Tree};
use super::super::types::{self, is_number, is_text, is_whole};
use super::super::{ProjectScope, function::pattern};
use super::{Checker, Typed, macros};
use crate::kind::{Field, Record, Type};
use crate::language::Language;
use crate::problem::Problem;
use crate::value::{Name, Path, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn call(&mut self, it: &Syntax<'_>, name: &str, args: &[Syntax<'_>]) -> (Tree, Typed) {
        match (name, args) {
            ("has", [field]) => self.has(it, field),
            ("has", _) => self.wrong_macro(it, name),
            _ => self.function(it, name, Style::Global, &args.iter().collect::<Vec<_>>()),
        }
    }

    pub(super) fn method(
        &mut self,
        it: &Syntax<'_>,
        target: &Syntax<'_>,
        name: &str,
        args: &[Syntax<'_>],
    ) -> (Tree, Typed) {
        if matches!(target.form, Form::Name("cel")) && !self.scope.variables.contains_key("cel") {
            return match name {
                "bind" => self.bind(it, args),
                _ => self.unknown_function(it, &format!("cel.{name}"), Style::Global),
            };
        }
        if let Some(what) = macros::fold(name, args.len()) {
            return self.fold(it, target, args, what);
        }
        if name == "optMap" {
            return self.optional_map(it, target, args);
        }
        if macros::is_fold(name) {
            return self.wrong_macro(it, name);
        }
        let all: Vec<&Syntax<'_>> = std::iter::once(target).chain(args).collect();
        self.function(it, name, Style::Member, &all)
    }

    fn unknown_function(&mut self, it: &Syntax<'_>, name: &str, style: Style) -> (Tree, Typed) {
        let other = if style == Style::Global {
            Style::Member
        } else {
            Style::Global
        };
        let problem = Problem::error("expression::unknown_function", format!("there is no function `{name}`"));
        let problem = match function::named(name, other).next() {
            Some(row) => problem.help(format!("write `{}`", row.signature())),
            None => match name {
                "uint" | "bytes" | "timestamp" | "duration" | "type" => {
                    problem.help("values here are bool, int, double, string, list, map and node")
                }
                "lowerAscii" => problem.help("did you mean `lower`?"),
                "upperAscii" => problem.help("did you mean `upper`?"),
                _ => {
                    let known = function::TABLE.iter().map(|it| it.name);
                    let suggested = problem.clone().suggest(name, known);
                    if suggested.help.is_some() { suggested } else { problem }
                }
            },
        };
        self.refuse(problem, it.sign, "not a function")
    }

    fn function(&mut self, it: &Syntax<'_>, name: &str, style: Style, args: &[&Syntax<'_>]) -> (Tree, Typed) {
        let rows: Vec<&'static Function> = function::named(name, style)
            .filter(|it| !matches!(it.run, Run::Macro))
            .collect();
        if rows.is_empty() {
            return self.unknown_function(it, name, style);
        }
        let fitting: Vec<&'static Function> = rows
            .iter()
            .copied()
            .filter(|it| it.parameters.len() == args.len())
            .collect();
        if fitting.is_empty() {
            let shown: Vec<String> = rows.iter().map(|it| format!("`{}`", it.signature())).collect();
            let problem = Problem::error(
                "expression::wrong_arguments",
                format!("`{name}` has another number of arguments"),
            );
            return self.refuse(
                problem.help(format!("write {}", shown.join(" or "))),
                it.sign,
                "wrong number of arguments",
            );
        }
        let literal = |row: &Function, at: usize| is_literal(row.parameters[at].1);
        let mut trees = Vec::with_capacity(args.len());
        let mut types = Vec::with_capacity(args.len());
        for (at, arg) in args.iter().enumerate() {
            if literal(fitting[0], at) {
                match self.literal_argument(fitting[0], fitting[0].parameters[at].1, arg, &types) {
                    Some((tree, typed)) => {
                        trees.push(tree);
                        types.push(typed);
                    }
                    None => return (self.tree(it, Op::Broken), Typed::broken()),
                }
            } else {
                let (tree, typed) = self.check(arg);
                trees.push(tree);
                types.push(typed);
            }
        }
        if types.iter().any(|it| it.broken) {
            types.iter().for_each(|it| self.places.whole(&it.traces));
            return (self.tree(it, Op::Broken), Typed::broken());
        }
        let matching: Vec<(&'static Function, Option<Type>)> = fitting
            .iter()
            .filter_map(|row| Some((*row, matched(row, &types).ok()?)))
            .collect();
        let Some((row, same)) = matching.first().cloned() else {
            return self.wrong_arguments(name, &fitting, args, &types);
        };
        if name == "matches"
            && let Some(Value::String(source)) = &types[1].literal
            && let Err(reason) = pattern(source)
        {
            let problem = Problem::error(
                "expression::bad_pattern",
                format!("`{source}` is no regular expression"),
            );
            return self.refuse(problem.help(reason), args[1].sign, "can't be read");
        }
        let typed = self.returned(it, row, same, &types);
        let Some(mut typed) = typed else {
            return (self.tree(it, Op::Broken), Typed::broken());
        };
        if name == "keys" {
            typed.keys_of = self.path(args[0]).into_iter().collect();
        }
        if types.iter().any(|it| it.ty == Type::Any) && matching.len() > 1 {
            let known = |it: Wanted| matches!(it, Wanted::Text | Wanted::String | Wanted::Int);
            let all = matching.iter().filter(|(row, _)| known(row.returns));
            let all = all.map(|(row, same)| simple(row.returns, same.clone()));
            typed.ty = super::typed::common(all);
        }
        (self.tree(it, Op::Call(row, trees)), typed)
    }

    fn wrong_arguments(
        &mut self,
        name: &str,
        rows: &[&'static Function],
        args: &[&Syntax<'_>],
        types: &[Typed],
    ) -> (Tree, Typed) {
        // The row that gets furthest is the one that was meant.
        let (row, at) = rows
            .iter()
            .map(|row| (*row, matched(row, types).err().unwrap_or_default()))
            .max_by_key(|(_, at)| *at)
            .unwrap_or((rows[0], 0));
        let found = types[at].words();
        let wanted: Vec<&str> = if at == 0 && rows.len() > 1 {
            rows.iter().map(|it| it.parameters[0].1.words()).collect()
        } else {
            vec![row.parameters[at].1.words()]
        };
        let message = format!("`{name}` wants `{}` here, not `{found}`", wanted.join("` or `"));
        let mut problem = Problem::error("expression::wrong_arguments", message);
        problem = if types[at].optional {
            problem.help("give it a value with `.orValue(…)`")
        } else if row.parameters[at].1 == Wanted::String && is_number(&types[at].ty) {
            problem.help(format!("write `string({})`", self.text(args[at])))
        } else {
            problem.help(format!("write `{}`", row.signature()))
        };
        self.refuse(problem, args[at].sign, "wrong type")
    }

    /// Returns the type of a call, and follows what it reads.
    fn returned(
        &mut self,
        it: &Syntax<'_>,
        row: &'static Function,
        same: Option<Type>,
        args: &[Typed],
    ) -> Option<Typed> {
        if let Run::Graph(function) = row.run {
            return self.asked(it, function, row, args);
        }
        let item = same.clone().unwrap_or(Type::Any);
        let mut typed = Typed::new(simple(row.returns, same), Vec::new());
        match row.flow {
            Flow::Read => args.iter().for_each(|it| self.places.whole(&it.traces)),
            Flow::Same => {
                typed.traces = args.iter().flat_map(|it| it.traces.iter().cloned()).collect();
                typed.items = args[0].items.clone();
                typed.keys_of = args[0].keys_of.clone();
            }
            Flow::Item => typed.traces = self.places.each(&args[0].traces, &item),
        }
        match row.returns {
            Wanted::Optional => typed.optional = true,
            Wanted::Same if row.name == "orValue" => typed.nullable = args[1].nullable,
            Wanted::Entries | Wanted::Aligned => {
                let values = self.places.each(&args[0].traces, &item);
                let mut members = BTreeMap::from([(Name::from("key"), Vec::new()), (Name::from("value"), values)]);
                if row.returns == Wanted::Aligned {
                    members.insert(Name::from("pad"), Vec::new());
                }
                typed.traces = vec![Trace::Each(vec![Trace::Members(Arc::new(members))].into())];
            }
            _ => {}
        }
        Some(typed)
    }

    /// Returns the type of an answer of the graph.
    fn asked(
        &mut self,
        it: &Syntax<'_>,
        function: GraphFunction,
        row: &'static Function,
        args: &[Typed],
    ) -> Option<Typed> {
        if matches!(function, GraphFunction::Layers | GraphFunction::Nodes)
            && self.scope.project == ProjectScope::Elsewhere
        {
            let message = format!("only a rule of the whole project may ask for `{}`", row.name);
            let problem = Problem::error("expression::not_anchored", message);
            let problem = problem.help("match `(p:project)`, or ask for neighbours with `reach` and `dependents`");
            self.report(problem, it.sign, "reads every node");
            return None;
        }
        let literal = |wanted: Wanted| {
            let at = row.parameters.iter().position(|(_, it)| *it == wanted)?;
            args[at].literal.clone()
        };
        let edges = literal(Wanted::Edges).map(|it| names(&it)).unwrap_or_default();
        let kind = literal(Wanted::Kind).and_then(|it| it.as_str().map(Name::from));
        let mut from = Vec::new();
        for arg in args.iter().filter(|it| matches!(it.ty, Type::Node(_))) {
            let names = self.places.name(&arg.traces);
            if names.is_empty() {
                self.places.whole(&arg.traces);
            }
            from.extend(names);
        }
        let trace = self.places.graph(GraphUse {
            function,
            edges: edges.clone(),
            kind: kind.clone(),
            field: literal(Wanted::Path).and_then(|it| it.as_str().map(Path::parse)),
            from,
            reads: crate::kind::Reads::default(),
        });
        let ends = |start: bool, end: bool| {
            let mut kinds: Vec<Name> = Vec::new();
            for edge in edges.iter().filter_map(|it| self.scope.schema.edges.get(it)) {
                for (wanted, of) in [(start, &edge.from), (end, &edge.to)] {
                    if wanted && of.is_empty() {
                        return Type::Node([].into());
                    }
                    kinds.extend(of.iter().filter(|_| wanted).cloned());
                }
            }
            kinds.sort();
            kinds.dedup();
            Type::Node(kinds.into())
        };
        let list = |ty: Type| Type::List(Arc::new(ty));
        let ty = match function {
            GraphFunction::Layers => list(list(ends(true, true))),
            GraphFunction::Reach => list(ends(false, true)),
            GraphFunction::Dependents => list(ends(true, false)),
            GraphFunction::SameCycle => Type::Bool,
            GraphFunction::Longest => self.sum_type(&edges, literal(Wanted::Path).as_ref()),
            GraphFunction::Nodes => list(Type::Node(kind.into_iter().collect())),
        };
        Some(Typed::new(ty, vec![trace]))
    }

    /// Returns the type of a sum of a field of these edges: that of the field, where all of them agree.
    fn sum_type(&self, edges: &[Name], path: Option<&Value>) -> Type {
        let Some(path) = path.and_then(Value::as_str) else {
            return Type::Double;
        };
        let at_edge = |edge: &Name| {
            let ty = Type::Edge([edge.clone()].into());
            let member = |ty: Type, step: &Name| self.scope.schema.member(&ty, step).ok().map(|it| it.ty);
            Path::parse(path).0.iter().try_fold(ty, member)
        };
        let types: Option<Vec<Type>> = edges.iter().map(at_edge).collect();
        match types.as_deref() {
            Some([first, rest @ ..]) if rest.iter().all(|it| it == first) => first.clone(),
            _ => Type::Double,
        }
    }

    /// Checks an argument that must be written out.
    fn literal_argument(
        &mut self,
        row: &Function,
        wanted: Wanted,
        arg: &Syntax<'_>,
        before: &[Typed],
    ) -> Option<(Tree, Typed)> {
        let strings = match &arg.form {
            Form::List(list) if wanted == Wanted::Edges => {
                list.iter().map(|it| it.0.as_str()).collect::<Option<Vec<_>>>()
            }
            _ => arg.as_str().map(|it| vec![it]),
        };
        let Some(strings) = strings.filter(|it| !it.is_empty()) else {
            let problem = Problem::error(
                "expression::not_literal",
                format!("`{}` wants a name in quotes here", row.name),
            );
            let problem = problem.help(format!("write `{}`", row.signature()));
            self.report(problem, arg.sign, "must be written out");
            return None;
        };
        let schema = self.scope.schema;
        let (code, what, known): (_, _, Vec<&str>) = match wanted {
            Wanted::Edges => (
                "expression::unknown_edge",
                "kind of edge",
                schema.edges.keys().map(|it| &**it).collect(),
            ),
            Wanted::Kind => (
                "expression::unknown_kind",
                "kind of node",
                schema.kinds.keys().map(|it| &**it).collect(),
            ),
            Wanted::Language => {
                let known = Language::ALL
                    .into_iter()
                    .filter(|it| row.name != "quote" || it.has_literals());
                (
                    "expression::unknown_language",
                    "language",
                    known.map(Language::name).collect(),
                )
            }
            _ => {
                self.summed(strings[0], arg, before)?;
                ("", "", strings.clone())
            }
        };
        if let Some(name) = strings.iter().find(|it| !known.contains(it)) {
            let problem = Problem::error(code, format!("there is no {what} `{name}`")).suggest(name, known);
            self.report(problem, arg.sign, "not known");
            return None;
        }
        let value = if wanted == Wanted::Edges {
            Value::list(strings.iter().map(|it| Value::from(*it)))
        } else {
            Value::from(strings[0])
        };
        let mut typed = Typed::new(Type::String, Vec::new());
        typed.literal = Some(value.clone());
        Some((self.tree(arg, Op::Literal(value)), typed))
    }

    /// Checks the path of a number that `longest` sums: a field of the edges, or of the nodes at their ends.
    fn summed(&mut self, path: &str, arg: &Syntax<'_>, before: &[Typed]) -> Option<()> {
        let edges: Vec<Name> = before
            .last()
            .and_then(|it| it.literal.as_ref())
            .map(names)
            .unwrap_or_default();
        let known = edges.iter().filter_map(|it| self.scope.schema.edges.get(it));
        let mut kinds: Vec<Name> = known
            .flat_map(|it| it.to.iter().chain(it.from.iter()).cloned())
            .collect();
        kinds.sort();
        kinds.dedup();
        let at_end = |ty: Type| {
            Path::parse(path)
                .0
                .iter()
                .try_fold(ty, |ty, step| self.scope.schema.member(&ty, step).ok().map(|it| it.ty))
        };
        let found = at_end(Type::Edge(edges.into())).or_else(|| at_end(Type::Node(kinds.into())));
        if found.as_ref().is_some_and(|it| is_number(it) || *it == Type::Any) {
            return Some(());
        }
        let message = match found {
            Some(ty) => format!("`{path}` is `{ty}`, which can't be summed"),
            None => format!("neither the edges nor the nodes at their ends have a field `{path}`"),
        };
        self.report(
            Problem::error("expression::unknown_member", message),
            arg.sign,
            "not a number to be summed",
        );
        None
    }
}

fn names(value: &Value) -> Vec<Name> {
    let items = value.as_list().unwrap_or_default();
    items.iter().filter_map(|it| it.as_str().map(Name::from)).collect()
}

fn is_literal(wanted: Wanted) -> bool {
    matches!(wanted, Wanted::Edges | Wanted::Kind | Wanted::Path | Wanted::Language)
}

/// Returns the type `T` of a call whose arguments fit, else the place of the first that does not.
fn matched(row: &Function, args: &[Typed]) -> Result<Option<Type>, usize> {
    let mut same: Option<Type> = None;
    for (at, ((_, wanted), arg)) in row.parameters.iter().zip(args).enumerate() {
        if is_literal(*wanted) {
            continue;
        }
        if arg.optional != (*wanted == Wanted::Optional) {
            return Err(at);
        }
        if arg.nullable && !matches!(wanted, Wanted::Same | Wanted::Any | Wanted::Optional) && arg.ty != Type::Any {
            return Err(at);
        }
        if !accepts(*wanted, arg, &mut same) {
            return Err(at);
        }
    }
    Ok(same)
}

fn accepts(wanted: Wanted, arg: &Typed, same: &mut Option<Type>) -> bool {
    let ty = &arg.ty;
    let of_known_shape = matches!(same, Some(Type::List(_) | Type::Map(_) | Type::Record(_)));
    let mut bind = |ty: &Type| {
        let joined = match same.take() {
            None | Some(Type::Null) => Some(ty.clone()),
            Some(before) if *ty == Type::Null => Some(before),
            Some(before) => types::join(&before, ty),
        };
        *same = joined;
        same.is_some()
    };
    match wanted {
        Wanted::Same | Wanted::Optional => {
            if arg.empty && of_known_shape {
                true
            } else {
                bind(ty)
            }
        }
        Wanted::ListOfSame => match ty {
            Type::List(item) => bind(item),
            _ => *ty == Type::Any && bind(ty),
        },
        Wanted::ListOfNumbers => match ty {
            Type::List(item) => (is_number(item) || **item == Type::Any) && bind(item),
            _ => *ty == Type::Any && bind(ty),
        },
        Wanted::ListOfLists => match ty {
            Type::List(item) => match &**item {
                Type::List(item) => bind(item),
                item => *item == Type::Any && bind(item),
            },
            _ => *ty == Type::Any && bind(ty),
        },
        Wanted::Map => match ty {
            Type::Map(item) => bind(item),
            Type::Record(record) => {
                let item = super::typed::common(record.fields.values().map(|it| it.ty.clone()));
                if arg.empty { true } else { bind(&item) }
            }
            _ => *ty == Type::Any && bind(ty),
        },
        _ if *ty == Type::Any || wanted == Wanted::Any => true,
        Wanted::Bool => *ty == Type::Bool,
        Wanted::Int => is_whole(ty),
        Wanted::Number => is_number(ty),
        Wanted::Double => *ty == Type::Double,
        Wanted::String => matches!(ty, Type::String | Type::Choice(_) | Type::Text),
        Wanted::Text => is_text(ty),
        Wanted::List => matches!(ty, Type::List(_)),
        Wanted::ListOfString => {
            matches!(ty, Type::List(item) if arg.empty || matches!(**item, Type::String | Type::Choice(_)))
        }
        Wanted::ListOfText => matches!(ty, Type::List(item) if is_text(item) || **item == Type::Any),
        Wanted::Cpu => matches!(ty, Type::Cpu { .. } | Type::Int),
        Wanted::Memory => matches!(ty, Type::Memory { .. } | Type::Int),
        Wanted::Duration => matches!(ty, Type::Duration | Type::Int),
        Wanted::Node => matches!(ty, Type::Node(_)),
        _ => false,
    }
}

/// Returns the type of a result where `T` is `same`.
fn simple(wanted: Wanted, same: Option<Type>) -> Type {
    let same = same.unwrap_or(Type::Any);
    let list = |ty: Type| Type::List(Arc::new(ty));
    match wanted {
        Wanted::Same | Wanted::SameNumber | Wanted::Optional => same,
        Wanted::Bool => Type::Bool,
        Wanted::Int => Type::Int,
        Wanted::Double | Wanted::Number => Type::Double,
        Wanted::String => Type::String,
        Wanted::Text => Type::Text,
        Wanted::ListOfSame => list(same),
        Wanted::ListOfString => list(Type::String),
        Wanted::Map => Type::Map(Arc::new(same)),
        Wanted::Leaves => list(Type::Record(Arc::new(Record {
            fields: BTreeMap::from([
                (Name::from("path"), Field::always(Type::String, "The way there.")),
                (Name::from("values"), Field::always(list(Type::Text), "What it holds.")),
            ]),
            short: None,
        }))),
        Wanted::Entries | Wanted::Aligned => {
            let mut fields = BTreeMap::from([
                (Name::from("key"), Field::always(Type::String, "The key.")),
                (Name::from("value"), Field::always(same, "The value.")),
            ]);
            if wanted == Wanted::Aligned {
                let blanks = Type::List(Arc::new(Type::String));
                fields.insert(Name::from("pad"), Field::always(blanks, "Blanks."));
            }
            list(Type::Record(Arc::new(Record { fields, short: None })))
        }
        _ => Type::Any,
    }
}
