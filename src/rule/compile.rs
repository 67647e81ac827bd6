//! From a rule as written to one that can run: every name resolved, every expression compiled and typed.
//!
//! What is wrong comes out as problems that point into the rule file. Nothing is evaluated here.

mod effect;
mod finding;
mod join;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fingerprint::Fingerprint;
use crate::graph::pattern::{Pattern, Walk};
use crate::kind::typed::wants_unit;
use crate::kind::{Record, Relation, Schema, Type, unit};
use crate::problem::{Place, Problem, Span, closest};
use crate::rule::expression::{Expression, Guard, Present, ProjectScope, Scope, fits};
use crate::rule::file::{EdgeSource, FactSource, Fields, Form, Given, NodeSource, Reach, RuleSource, Written};
use crate::rule::interpolation::Interpolation;
use crate::rule::model::{
    ArtifactRule, Body, EdgeRule, EffectRule, FactRule, Filled, FindingRule, Inner, Join, NodeRule, Rule, entry_type,
    environment_type, environments_type,
};
use crate::value::{Name, Path, Value};

/// Returns the rule that `source` describes, if it can be made out, and what is wrong with it.
#[must_use]
pub fn compile(source: &RuleSource, schema: &Schema, schema_fingerprint: Fingerprint) -> (Option<Rule>, Vec<Problem>) {
    let mut compiler = Compiler {
        source,
        schema,
        present: Present::default(),
        has_gaps: false,
        problems: Vec::new(),
    };
    let rule = compiler.rule(schema_fingerprint);
    let rule = if compiler.problems.iter().any(Problem::is_error) {
        None
    } else {
        rule
    };
    (rule, compiler.problems)
}

struct Compiler<'a> {
    source: &'a RuleSource,
    schema: &'a Schema,
    /// What the conditions so far have asked for.
    present: Present,
    /// Whether a variable has a mistake, so that its type is not known.
    has_gaps: bool,
    problems: Vec<Problem>,
}

type Variables = BTreeMap<Name, Type>;

impl<'a> Compiler<'a> {
    fn rule(&mut self, schema_fingerprint: Fingerprint) -> Option<Rule> {
        let source = self.source;
        let written = self.written_pattern()?;
        let pattern = Arc::new(self.pattern(written, &Variables::new())?);
        let bound = pattern.variables().iter().map(|it| (it.name.clone(), it.ty.clone()));
        let bound: Variables = bound.collect();
        let mut given = bound.clone();
        match source.reach {
            Reach::Each => given.insert("environment".into(), environment_type()),
            Reach::Across => given.insert("environments".into(), environments_type()),
        };
        let mut known = given.clone();
        let body = self.body(pattern, written.span(), &bound, &mut known);
        let nodes: Vec<NodeRule> = source.nodes.iter().filter_map(|it| self.node(it, &known)).collect();
        let edges: Vec<EdgeRule> = source.edges.iter().filter_map(|it| self.edge(it, &known)).collect();
        let facts = source
            .facts
            .iter()
            .filter_map(|it| self.fact(it, &bound, &known))
            .collect();
        let finding = self.finding(&body, &bound, &known);
        let effect = self.effect(&known);
        let artifact = self.artifact(&body, &given, &known);
        self.shape_reads_no_facts(&body, &nodes, &edges);
        if self.says_nothing() && source.form == Form::Whole {
            let problem = Problem::error(
                "rule::without_effect",
                format!("the rule `{}` says nothing", source.name.text),
            )
            .at(source.name.place(), "neither derives nor prints nor denies anything")
            .help("add `facts`, `nodes`, `edges`, `artifact`, `deny`, `warn` or `effect`");
            self.problems.push(problem);
        }
        Some(Rule {
            id: source.id(),
            pack: source.pack.clone(),
            file: source.name.file.clone(),
            reach: source.reach,
            fingerprint: self.fingerprint(schema_fingerprint),
            body,
            nodes,
            edges,
            facts,
            finding,
            effect,
            artifact,
        })
    }

    fn written_pattern(&mut self) -> Option<&'a Written> {
        let source = self.source;
        if source.pattern.is_none() && source.form != Form::Faulty {
            let problem = Problem::error(
                "rule::without_match",
                format!("the rule `{}` matches nothing", source.name.text),
            )
            .at(source.name.place(), "`match` is missing")
            .help("add `match: (s:service)`, say, or `(p:project)` for a rule about the whole project");
            self.problems.push(problem);
        }
        source.pattern.as_ref()
    }

    /// Compiles what the rule asks for besides its `pattern`, whose variables are the `bound` ones; `known` are these and
    /// those that the rule makes on the way.
    fn body(&mut self, pattern: Arc<Pattern>, span: Span, bound: &Variables, known: &mut Variables) -> Body {
        let source = self.source;
        let unless = source.unless.iter().filter_map(|it| self.inner(it, bound)).collect();
        let exists = source.exists.iter().filter_map(|it| self.inner(it, bound)).collect();
        let joins = source.join.iter().filter_map(|it| self.join(it, known, &pattern));
        let joins: Vec<Join> = joins.collect();
        self.unjoined(&pattern);
        let walks = walks(&pattern, &joins);
        let each = self.each(known);
        let lets = self.lets(known);
        let mut when = Vec::new();
        for written in &source.when {
            if let Some(condition) = self.condition(written, known) {
                self.present.extend(condition.ensures());
                when.push(condition);
            }
        }
        Body {
            guards: guards(&pattern, &each, &when),
            pattern,
            span,
            walks,
            unless,
            exists,
            joins,
            each,
            lets,
            when,
        }
    }

    /// Reports a rule that adds to the graph and reads facts, which are derived from the finished graph.
    fn shape_reads_no_facts(&mut self, body: &Body, nodes: &[NodeRule], edges: &[EdgeRule]) {
        if nodes.is_empty() && edges.is_empty() {
            return;
        }
        let mut uses = body.uses();
        nodes.iter().for_each(|it| it.add_uses(&mut uses));
        edges.iter().for_each(|it| it.add_uses(&mut uses));
        if let Some(relation) = uses.relations.first() {
            let message = format!(
                "`{}` adds to the graph and reads facts of `{relation}`",
                self.source.name.text
            );
            let problem = Problem::error("rule::facts_in_shape", message)
                .at(self.source.name.place(), "facts are derived when the graph is finished")
                .help("read fields and edges alone, or let `exists` and `unless` ask the graph");
            self.problems.push(problem);
        }
    }

    fn says_nothing(&self) -> bool {
        let it = self.source;
        it.nodes.is_empty()
            && it.edges.is_empty()
            && it.facts.is_empty()
            && it.artifact.is_none()
            && it.finding.is_none()
            && it.effect.is_none()
    }

    /// The rule as written, without its place in the file: moving a rule changes nothing.
    fn fingerprint(&self, schema: Fingerprint) -> Fingerprint {
        Fingerprint::of(format!("{schema}\n{}", self.source.canonical).as_bytes())
    }

    fn scope(&self, variables: &Variables) -> Scope<'_> {
        let of_project = |it: &Type| matches!(it, Type::Node(kinds) if kinds.iter().any(|it| &**it == "project"));
        let project = variables.values().any(of_project);
        Scope {
            schema: self.schema,
            variables: variables.clone(),
            project: if project {
                ProjectScope::Anchored
            } else {
                ProjectScope::Elsewhere
            },
            present: self.present.clone(),
            data: self.schema.data.get(&self.source.pack),
        }
    }

    fn pattern(&mut self, written: &Written, outer: &Variables) -> Option<Pattern> {
        let place = |span| written.place_of(span);
        let (pattern, problems) = Pattern::read_within(&written.text, self.schema, outer, &place);
        self.problems.extend(problems);
        pattern
    }

    fn inner(&mut self, written: &Written, outer: &Variables) -> Option<Inner> {
        let pattern = self.pattern(written, outer)?;
        let nodes = pattern.variables().iter().filter(|it| matches!(it.ty, Type::Node(_)));
        let shared: Vec<Name> = nodes
            .map(|it| it.name.clone())
            .filter(|it| outer.contains_key(it))
            .collect();
        if shared.is_empty() {
            let problem = Problem::error("rule::unrelated", "the pattern shares no variable with `match`")
                .at(written.place(), "would hold for all nodes or for none")
                .help("begin it at a node of `match`");
            self.problems.push(problem);
            return None;
        }
        let names: Vec<&str> = shared.iter().map(|it| &**it).collect();
        let walk = Walk::new(Arc::new(pattern), &names, &[]).expect("what is shared is a node of the pattern");
        Some(Inner {
            walk,
            shared,
            span: written.span(),
        })
    }

    fn expression(&mut self, written: &Written, known: &Variables) -> Option<Expression> {
        let (expression, problems) = Expression::compile(
            &written.text,
            &written.file,
            &|it| it.shifted(written.start),
            &self.scope(known),
        );
        self.problems.extend(written.located(problems));
        expression
    }

    fn interpolation(&mut self, written: &Written, known: &Variables) -> Option<Interpolation> {
        let (text, problems) = Interpolation::compile(&written.text, &written.file, written.start, &self.scope(known));
        self.problems.extend(written.located(problems));
        text
    }

    /// Compiles a text that must come out as a string.
    fn string(&mut self, written: &Written, known: &Variables) -> Option<Interpolation> {
        let text = self.interpolation(written, known)?;
        self.wants(&Type::String, text.ty(), written.place(), "this text")?;
        Some(text)
    }

    fn condition(&mut self, written: &Written, known: &Variables) -> Option<Expression> {
        let expression = self.expression(written, known)?;
        self.wants(&Type::Bool, expression.ty(), written.place(), "a condition")?;
        Some(expression)
    }

    fn wants(&mut self, wanted: &Type, given: &Type, place: Place, what: &str) -> Option<()> {
        if fits(given, wanted) {
            return Some(());
        }
        // A text of what is not known may well be a string.
        if self.has_gaps && matches!(given, Type::Text) {
            return None;
        }
        let problem = Problem::error(
            "rule::wrong_type",
            format!("{what} is of type `{given}`, not `{wanted}`"),
        )
        .at(place, format!("this gives `{given}`"))
        .help(conversion(wanted, given));
        self.problems.push(problem);
        None
    }

    fn pattern_place(&self) -> Place {
        self.source.pattern.as_ref().unwrap_or(&self.source.name).place()
    }

    fn each(&mut self, known: &mut Variables) -> Vec<(Name, Expression)> {
        let mut each = Vec::new();
        for (name, written) in &self.source.each {
            let expression = self.expression(written, known);
            // What reads it is not wrong on account of a mistake here.
            known.insert(name.clone(), Type::Any);
            self.has_gaps |= expression.is_none();
            let Some(expression) = expression else { continue };
            let item = match expression.ty() {
                Type::List(item) => (**item).clone(),
                Type::Map(item) => entry_type(item),
                Type::Any => Type::Any,
                other => {
                    let problem = Problem::error(
                        "rule::wrong_type",
                        format!("`each` walks a list or a map, not `{other}`"),
                    )
                    .at(written.place(), format!("this gives `{other}`"))
                    .help("put it into a list: `[…]`");
                    self.problems.push(problem);
                    continue;
                }
            };
            known.insert(name.clone(), item);
            each.push((name.clone(), expression));
        }
        each
    }

    fn lets(&mut self, known: &mut Variables) -> Vec<(Name, Expression)> {
        let mut lets = Vec::new();
        for (name, written) in &self.source.lets {
            let expression = self.expression(written, known);
            self.has_gaps |= expression.is_none();
            let ty = expression.as_ref().map_or(Type::Any, |it| it.ty().clone());
            known.insert(name.clone(), ty);
            lets.extend(expression.map(|it| (name.clone(), it)));
        }
        lets
    }

    fn filled(&mut self, given: &Given, wanted: &Type, known: &Variables) -> Option<Filled> {
        match given {
            Given::Constant(value, written, place) => {
                let ty = match value {
                    Value::Bool(_) => Type::Bool,
                    Value::Double(_) => Type::Double,
                    _ => Type::Int,
                };
                // A bare number where a string is wanted is the text that stands there: `version: 1.10`.
                if matches!(wanted, Type::String | Type::Text) {
                    return Some(Filled::Constant(Value::string(&**written)));
                }
                self.wants(wanted, &ty, place.clone(), "this value")?;
                Some(Filled::Constant(value.clone()))
            }
            Given::Text(written) => {
                let text = self.interpolation(written, known)?;
                if let (Type::Choice(choices), Some(constant)) = (wanted, text.constant()) {
                    if choices.iter().any(|it| **it == *constant) {
                        return Some(Filled::Text(text));
                    }
                    let problem = Problem::error("rule::wrong_choice", format!("`{constant}` is none of the choices"))
                        .at(written.place(), "not one of them")
                        .suggest(constant, choices.iter().map(|it| &**it));
                    self.problems.push(problem);
                    return None;
                }
                if let Some(constant) = text.constant().filter(|_| wants_unit(wanted)) {
                    return match quantity(wanted, constant) {
                        Ok(number) => Some(Filled::Constant(Value::Int(number))),
                        Err(mistake) => {
                            let message = format!("`{constant}` is no {wanted}: {mistake}");
                            let help = match wanted {
                                Type::Cpu { .. } => "write `0.5` or `250m`",
                                Type::Memory { .. } => "write `256Mi`",
                                _ => "write `30s`",
                            };
                            let problem = Problem::error("rule::wrong_quantity", message)
                                .at(written.place(), "given here")
                                .help(help);
                            self.problems.push(problem);
                            None
                        }
                    };
                }
                self.wants(wanted, text.ty(), written.place(), "this value")?;
                Some(Filled::Text(text))
            }
            Given::List(items, place) => {
                let item = match wanted {
                    Type::List(item) => (**item).clone(),
                    Type::Any => Type::Any,
                    _ => {
                        self.wants(wanted, &Type::List(Arc::new(Type::Any)), place.clone(), "this value")?;
                        return None;
                    }
                };
                items
                    .iter()
                    .map(|it| self.filled(it, &item, known))
                    .collect::<Option<Vec<_>>>()
                    .map(Filled::List)
            }
        }
    }

    /// Compiles the fields given to a record, each by its dotted path.
    fn fields(&mut self, fields: &Fields, record: &Record, what: &str, known: &Variables) -> Vec<(Path, Filled)> {
        let mut filled = Vec::new();
        for (path, given) in fields {
            let steps = Path::parse(path);
            match typed(record, &steps) {
                Ok(ty) => filled.extend(self.filled(given, &ty, known).map(|it| (steps, it))),
                Err((step, siblings)) => {
                    let problem = Problem::error("rule::unknown_field", format!("{what} has no field `{step}`"))
                        .at(given.place(), format!("`{path}` is given here"))
                        .suggest(&step, siblings.iter().map(|it| &**it));
                    self.problems.push(problem);
                }
            }
        }
        filled
    }

    fn node(&mut self, source: &NodeSource, known: &Variables) -> Option<NodeRule> {
        let kind = source.node.text.split('.').next().unwrap_or_default();
        let Some(declared) = self.schema.kinds.get(kind) else {
            let problem = Problem::error("rule::unknown_kind", format!("`{kind}` is no kind of node"))
                .at(source.node.place(), "expected `KIND.NAME`")
                .suggest(kind, self.schema.kinds.keys().map(|it| &**it));
            self.problems.push(problem);
            return None;
        };
        let fields = self.fields(
            &source.fields,
            &declared.fields.clone(),
            &format!("the kind `{kind}`"),
            known,
        );
        Some(NodeRule {
            address: self.string(&source.node, known)?,
            fields,
        })
    }

    fn edge(&mut self, source: &EdgeSource, known: &Variables) -> Option<EdgeRule> {
        let Some(declared) = self.schema.edges.get(&source.edge.text) else {
            let problem = Problem::error(
                "rule::unknown_edge",
                format!("`{}` is no kind of edge", source.edge.text),
            )
            .at(source.edge.place(), "not declared by any pack")
            .suggest(&source.edge.text, self.schema.edges.keys().map(|it| &**it));
            self.problems.push(problem);
            return None;
        };
        let fields = self.fields(
            &source.fields,
            &declared.fields.clone(),
            &format!("the edge `{}`", source.edge.text),
            known,
        );
        let mut ends = Vec::new();
        for (written, kinds) in [(&source.from, &declared.from), (&source.to, &declared.to)] {
            let end = self.expression(written, known)?;
            if !matches!(end.ty(), Type::String | Type::Any) {
                self.wants(
                    &Type::Node(kinds.clone()),
                    end.ty(),
                    written.place(),
                    "this end of the edge",
                )?;
            }
            ends.push(end);
        }
        let ends: [Expression; 2] = ends.try_into().ok()?;
        Some(EdgeRule {
            kind: source.edge.text.clone(),
            ends,
            fields,
        })
    }

    /// Returns the one relation that `name` means: of this rule's own pack where it has one of that name.
    fn relation(&mut self, name: &str, at: &Place) -> Option<&Relation> {
        let schema = self.schema;
        let named = schema.relations_named(name);
        match named[..] {
            [relation] => Some(relation),
            [] => {
                let known = schema.relations.values().map(|it| &*it.name);
                let problem = Problem::error("rule::unknown_relation", format!("`{name}` is no relation"))
                    .at(at.clone(), "not declared by any pack")
                    .suggest(name, known);
                self.problems.push(problem);
                None
            }
            _ => {
                let ids: Vec<String> = named.iter().map(|it| format!("`{}`", it.id())).collect();
                let problem = Problem::error(
                    "rule::ambiguous_relation",
                    format!("several packs have a relation `{name}`"),
                )
                .at(at.clone(), "which one?")
                .help(format!("write {}", ids.join(" or ")));
                self.problems.push(problem);
                None
            }
        }
    }

    fn fact(&mut self, source: &FactSource, bound: &Variables, known: &Variables) -> Option<FactRule> {
        let relation = self.relation(&source.relation, &source.at)?.clone();
        let of = self.variable(&source.of, bound)?;
        self.wants(
            &Type::Node(relation.of.clone()),
            &bound[&of],
            source.of.place(),
            "the subject",
        )?;
        let what = format!("the relation `{}`", relation.name);
        let fields = self.fields(&source.fields, &relation.fields, &what, known);
        for (name, field) in &relation.fields.fields {
            // A misspelt name was told above.
            let given = |it: &(Name, Given)| {
                let first = it.0.split('.').next().unwrap_or_default();
                first == &**name || closest(first, &[name]).is_some()
            };
            if !field.may_be_absent() && field.default.is_none() && !source.fields.iter().any(given) {
                let problem = Problem::error("rule::missing_field", format!("{what} needs `{name}`"))
                    .at(source.at.clone(), format!("`{name}` is missing"))
                    .help(format!("add `{name}: …`"));
                self.problems.push(problem);
            }
        }
        Some(FactRule {
            relation: relation.id(),
            of,
            fields,
        })
    }

    /// Returns the node variable of the pattern that `written` names.
    fn variable(&mut self, written: &Written, bound: &Variables) -> Option<Name> {
        match bound.get_key_value(&*written.text) {
            Some((name, Type::Node(_))) => Some(name.clone()),
            _ => {
                let nodes = bound
                    .iter()
                    .filter(|(_, ty)| matches!(ty, Type::Node(_)))
                    .map(|(name, _)| &**name);
                let problem = Problem::error(
                    "rule::no_variable",
                    format!("`{}` is no node of the match", written.text),
                )
                .at(written.place(), "expected a variable of `match`")
                .suggest(&written.text, nodes);
                self.problems.push(problem);
                None
            }
        }
    }

    fn artifact(&mut self, body: &Body, given: &Variables, known: &Variables) -> Option<ArtifactRule> {
        let source = self.source.artifact.as_ref()?;
        let walked: Vec<&Name> = body.each.iter().map(|it| &it.0).collect();
        let per: Vec<Name> = match &source.per {
            None => vec![body.pattern.first()?.name.clone()],
            Some(written) => written
                .iter()
                .filter_map(|it| {
                    if walked.contains(&&it.text) {
                        Some(it.text.clone())
                    } else {
                        self.variable(it, given)
                    }
                })
                .collect(),
        };
        if !per.first().is_some_and(|it| given.contains_key(it)) {
            let problem = Problem::error("rule::no_anchor", "an artifact's first `per` is a node of the match")
                .at(source.path.place(), "of which node is this the artifact?")
                .help("begin `per` with a node of `match`: `per: [s, p]`");
            self.problems.push(problem);
            return None;
        }
        let mut scope = given.clone();
        scope.retain(|name, _| per.contains(name) || matches!(&**name, "environment" | "environments"));
        for name in per.iter().chain(body.lets.iter().map(|it| &it.0)) {
            scope.extend(known.get_key_value(name).map(|(name, ty)| (name.clone(), ty.clone())));
        }
        let path = self.string(&source.path, &scope);
        let with: Vec<(Name, Expression)> = source
            .with
            .iter()
            .filter_map(|(name, written)| Some((name.clone(), self.expression(written, &scope)?)))
            .collect();
        let references = match &source.references {
            None => None,
            Some(written) => Some(self.writes_references(written)?),
        };
        Some(ArtifactRule {
            path: path?,
            per,
            with,
            references,
        })
    }

    fn writes_references(&mut self, written: &Written) -> Option<Name> {
        let relation = self.relation(&written.text, &written.place())?;
        let text = |name: &str| relation.fields.fields.get(name).map(|it| it.ty.clone());
        if text("attribute") == Some(Type::String) && text("value") == Some(Type::Text) {
            return Some(relation.id());
        }
        let problem = Problem::error(
            "rule::no_references",
            format!("the relation `{}` can't write references", relation.name),
        )
        .at(
            written.place(),
            "it needs the fields `attribute` (string) and `value` (text)",
        )
        .help("name a relation with these fields, or declare one: `fields: {attribute: string, value: text}`");
        self.problems.push(problem);
        None
    }
}

/// Returns how a value of one type becomes one of another.
fn conversion(wanted: &Type, given: &Type) -> &'static str {
    match (wanted, given) {
        (Type::Bool, Type::List(_) | Type::Map(_) | Type::Record(_)) => "ask for its size: `size(…) > 0`",
        (Type::Bool, Type::String | Type::Text | Type::Choice(_)) => "compare it: `… != ''`",
        (Type::Bool, _) => "ask a question: `has(…)`, `… > 0`, `… == …`",
        (Type::String, Type::List(_)) => "join it: `${….join(', ')}`",
        (Type::String | Type::Text, Type::Node(_)) => "write `${….name}` or `${….address}`",
        (Type::String, Type::Text) => "only a text without references is a string: ask `is_plain(…)` first",
        (Type::String | Type::Text, _) => "make it a part of a text, or write `${string(…)}`",
        (Type::Int, _) => "write a whole number, or `${int(…)}`",
        (Type::Double, _) => "write a number, or `${double(…)}`",
        (Type::List(_), _) => "write a list: `[…]`",
        (Type::Node(_), _) => "name a node of another kind, or match other kinds",
        _ => "give it as the pack declares it",
    }
}

/// Returns the part of the pattern to which the variable `name` belongs.
#[must_use]
pub fn part_of(pattern: &Pattern, name: &str) -> Option<usize> {
    pattern.parts().iter().position(|it| it.iter().any(|it| **it == *name))
}

/// Returns the way through the pattern from each of its node variables.
fn walks(pattern: &Arc<Pattern>, joins: &[Join]) -> BTreeMap<Name, Walk> {
    let joins: Vec<(Name, Name)> = joins
        .iter()
        .map(|it| (it.sides[0].0.clone(), it.sides[1].0.clone()))
        .collect();
    let nodes = pattern.variables().iter().filter(|it| matches!(it.ty, Type::Node(_)));
    nodes
        .map(|it| {
            let walk = Walk::new(pattern.clone(), &[&it.name], &joins);
            (it.name.clone(), walk.expect("a variable of the pattern is in it"))
        })
        .collect()
}

/// Returns, of each node variable, the conditions that read it alone, those of the collections that are walked last.
fn guards(pattern: &Pattern, each: &[(Name, Expression)], when: &[Expression]) -> BTreeMap<Name, Vec<Guard>> {
    let nodes = pattern.variables().iter().filter(|it| matches!(it.ty, Type::Node(_)));
    nodes
        .map(|it| {
            let conditions = when.iter().flat_map(|when| when.guards(&it.name));
            let walked = each.iter().filter_map(|(_, each)| each.filled(&it.name));
            (it.name.clone(), conditions.chain(walked).collect())
        })
        .collect()
}

/// Returns the type at the end of `path`, or the step that does not exist and its siblings.
fn typed(record: &Record, path: &Path) -> Result<Type, (Name, Vec<Name>)> {
    let mut ty = Type::Record(Arc::new(record.clone()));
    for step in &path.0 {
        ty = match &ty {
            Type::Record(record) => match record.fields.get(step) {
                Some(field) => field.ty.clone(),
                None => return Err((step.clone(), record.fields.keys().cloned().collect())),
            },
            Type::Map(item) => (**item).clone(),
            Type::Any => Type::Any,
            _ => return Err((step.clone(), Vec::new())),
        };
    }
    Ok(ty)
}

/// Returns the number that `text` writes with its unit, as a spec would read it.
fn quantity(wanted: &Type, text: &str) -> Result<i64, unit::UnitMistake> {
    match wanted {
        Type::Cpu { bare } => unit::cpu(text, *bare, 1000),
        Type::Memory { bare } => unit::memory(text, *bare),
        _ => unit::duration(text),
    }
}
