//! What the paths of a template stand for: which value, of which type, and whether it may be absent.

use std::collections::BTreeMap;

use super::Access;
use super::check::Checker;
use super::path::{self, Written};
use crate::kind::{NoMember, Reads, Type};
use crate::problem::Span;
use crate::value::Name;

/// A value that a name stands for.
#[derive(Clone)]
pub(super) struct Binding {
    pub(super) slot: usize,
    pub(super) steps: Vec<Name>,
    pub(super) ty: Type,
    /// Whether it may be missing, for all that is known here.
    pub(super) absent: bool,
    /// The parameter that it is a part of, and which part.
    pub(super) read: Option<(Name, Vec<ReadStep>)>,
}

#[derive(Clone)]
pub(super) enum ReadStep {
    Member(Name),
    Each,
}

pub(super) struct Scope {
    /// What bare names are members of; `None` at the root.
    pub(super) this: Option<Binding>,
    pub(super) names: BTreeMap<Name, Binding>,
    /// The first slot of an `each`, and whether it has keys.
    pub(super) each: Option<(usize, bool)>,
}

impl Scope {
    pub(super) fn root(names: BTreeMap<Name, Binding>) -> Self {
        Self {
            this: None,
            names,
            each: None,
        }
    }
}

impl Checker<'_> {
    /// Returns what the path `raw` stands for.
    pub(super) fn resolve(&mut self, raw: &str, span: Span) -> Option<Binding> {
        let span = self.span_of(raw, span);
        let written = path::parse(raw);
        let top = self.scopes.len() - 1;
        if written.up > top {
            let message = format!("`{raw}` leads out of the template");
            self.refuse("template::unknown_variable", message, span, "here", "leave a `../` out");
            return None;
        }
        let level = if written.root { 0 } else { top - written.up };
        if let Some(name) = &written.local {
            return self.local_variable(name, &written, level, span);
        }
        let mut steps = written.steps.iter();
        let mut binding = self.start(&written, &mut steps, level, raw, span)?;
        for step in steps {
            binding = self.step(binding, step, span)?;
        }
        Some(binding)
    }

    fn start<'s>(
        &mut self,
        written: &'s Written,
        steps: &mut impl Iterator<Item = &'s String>,
        level: usize,
        raw: &str,
        span: Span,
    ) -> Option<Binding> {
        let scope = &self.scopes[level];
        if written.this {
            if scope.this.is_none() {
                let message = format!("`{raw}` stands outside of `each` and `with`");
                self.refuse("template::unknown_variable", message, span, "here", "name a variable");
            }
            return self.scopes[level].this.clone();
        }
        let first = steps.next()?;
        if !written.root {
            let named = self.scopes[..=level].iter().rev().find_map(|it| match it.this {
                // The names of the root are its context, not block parameters.
                None => None,
                Some(_) => it.names.get(first.as_str()),
            });
            if let Some(binding) = named {
                return Some(binding.clone());
            }
        }
        let scope = &self.scopes[level];
        if let Some(this) = scope.this.clone() {
            if self.schema.member(&this.ty, first).is_err() && self.scopes[0].names.contains_key(first.as_str()) {
                let message = format!("`{first}` is no member of what this block is about");
                let help = format!("write `{}{raw}` or `@root.{raw}`", "../".repeat(level));
                self.refuse("template::unknown_variable", message, span, "here", &help);
                return None;
            }
            return self.step(this, first, span);
        }
        if let Some(binding) = scope.names.get(first.as_str()) {
            return Some(binding.clone());
        }
        let known: Vec<Name> = scope.names.keys().cloned().collect();
        let message = format!("there is no variable `{first}`");
        let problem = self.problem("template::unknown_variable", message, span, "unknown");
        *problem = problem.clone().suggest(first, known.iter().map(|it| &**it));
        None
    }

    fn local_variable(&mut self, name: &str, written: &Written, level: usize, span: Span) -> Option<Binding> {
        let each = self.scopes[..=level].iter().rev().find_map(|it| it.each);
        let found = match (name, each) {
            _ if !written.steps.is_empty() || written.up > 0 => None,
            ("key", Some((slot, true))) => Some(local(slot + 1, Type::String)),
            ("index", Some((slot, _))) => Some(local(slot + 2, Type::Int)),
            ("first", Some((slot, _))) => Some(local(slot + 3, Type::Bool)),
            ("last", Some((slot, _))) => Some(local(slot + 4, Type::Bool)),
            _ => None,
        };
        if found.is_none() {
            let message = format!("`@{name}` is not known here");
            let help = "`@index`, `@first`, `@last`, and over a map `@key`, stand in an `each`; \
                        for an outer one name them: `{{#each x as |item index|}}`";
            self.refuse("template::unknown_variable", message, span, "unknown", help);
        }
        found
    }

    fn step(&mut self, binding: Binding, name: &str, span: Span) -> Option<Binding> {
        let member = match self.schema.member(&binding.ty, name) {
            Ok(member) => member,
            Err(error) => {
                self.no_member(&binding.ty, name, error, span);
                return None;
            }
        };
        let mut steps = binding.steps;
        steps.push(Name::from(name));
        let known = self
            .present
            .iter()
            .any(|(slot, it)| *slot == binding.slot && *it == steps);
        Some(Binding {
            slot: binding.slot,
            steps,
            ty: member.ty,
            absent: (member.optional || binding.absent) && !known,
            read: binding.read.map(|(param, mut read)| {
                read.push(ReadStep::Member(Name::from(name)));
                (param, read)
            }),
        })
    }

    fn no_member(&mut self, ty: &Type, name: &str, error: NoMember, span: Span) {
        let message = format!("{ty} has no member `{name}`");
        let problem = self.problem("template::unknown_member", message, span, "unknown");
        let known = |names: &[Name]| {
            let names: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
            names.join(", ")
        };
        *problem = match error {
            NoMember::Unknown(names) => problem.clone().suggest(name, names.iter().map(|it| &**it)),
            NoMember::Ambiguous(names) => problem.clone().help(format!(
                "several packs have one; write its full name, as in `[pack/name]`: {}",
                known(&names)
            )),
            NoMember::NotInAll(kinds) => problem.clone().help(format!("these kinds lack it: {}", known(&kinds))),
            NoMember::NoMembers => problem.clone().help(format!("a value of type {ty} has no members")),
        };
    }

    /// Returns the part of a tag that writes `raw`.
    fn span_of(&self, raw: &str, tag: Span) -> Span {
        match tag.of(&self.file.source).find(raw) {
            Some(at) => Span::new(tag.start as usize + at, tag.start as usize + at + raw.len()),
            None => tag,
        }
    }

    pub(super) fn mark(&mut self, binding: &Binding, with: impl FnOnce(&mut Reads)) {
        let Some((param, steps)) = &binding.read else {
            return;
        };
        let mut reads = self.checked.reads.entry(param.clone()).or_default();
        for step in steps {
            reads = match step {
                ReadStep::Member(name) => reads.members.entry(name.clone()).or_default(),
                ReadStep::Each => reads.each.get_or_insert_default(),
            };
        }
        with(reads);
    }
}

impl Binding {
    pub(super) fn access(&self, written: &str) -> Access {
        Access {
            slot: self.slot,
            steps: self.steps.clone().into(),
            shown: written.into(),
        }
    }
}

pub(super) fn local(slot: usize, ty: Type) -> Binding {
    Binding {
        slot,
        steps: Vec::new(),
        ty,
        absent: false,
        read: None,
    }
}
