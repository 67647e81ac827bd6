//! Patterns as written: the syntax tree, its parser, and the one way to write it.
//!
//! No name is looked up here. The grammar is flat, so no input is deep; its length is bounded.

use std::fmt;

use super::lex::{Lexed, Mistake, Token, is_word, lex};
use crate::problem::{Place, Problem, Span};
use crate::value::{Double, Name, Path, Value};

/// How many nodes and edges a pattern may have.
pub const MOST_ELEMENTS: usize = 64;

/// A pattern as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The paths, one at least.
    pub paths: Vec<PathSyntax>,
}

/// A path as written: nodes with edges between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathSyntax {
    /// Its first node.
    pub first: NodeSyntax,
    /// Each edge and the node behind it.
    pub rest: Vec<(EdgeSyntax, NodeSyntax)>,
}

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub name: Name,
    /// Where it stands in the pattern.
    pub span: Span,
}

/// A node as written: `(s:service {type: 'x'})`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSyntax {
    /// The variable.
    pub name: Option<Word>,
    /// The kinds; any where empty.
    pub kinds: Vec<Word>,
    /// What its fields must hold.
    pub filters: Vec<FilterSyntax>,
    /// Where it stands.
    pub span: Span,
}

/// An edge as written: `-[d:depends_on {required: true}]->`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeSyntax {
    /// The variable.
    pub name: Option<Word>,
    /// The kinds; any where empty.
    pub kinds: Vec<Word>,
    /// The `*`, where it is reach.
    pub reach: Option<Span>,
    /// What its fields must hold.
    pub filters: Vec<FilterSyntax>,
    /// Which way it leads.
    pub way: Way,
    /// Where it stands.
    pub span: Span,
}

/// Which way an edge leads, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `-->`
    Right,
    /// `<--`
    Left,
}

/// A field and what it must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterSyntax {
    /// The field.
    pub path: Path,
    /// Where it stands.
    pub path_span: Span,
    /// A string, a number or a truth.
    pub value: Value,
    /// Where that stands.
    pub value_span: Span,
}

impl Syntax {
    /// Gives each node a name, where no node and no edge has one.
    pub(super) fn name_all(&mut self) {
        let is_named = self.paths.iter().any(|path| {
            path.first.name.is_some()
                || path
                    .rest
                    .iter()
                    .any(|(edge, node)| edge.name.is_some() || node.name.is_some())
        });
        if is_named {
            return;
        }
        let mut given: Vec<Name> = Vec::new();
        for path in &mut self.paths {
            for node in std::iter::once(&mut path.first).chain(path.rest.iter_mut().map(|it| &mut it.1)) {
                let kind = match node.kinds.as_slice() {
                    [only] if is_word(&only.name) => only.name.clone(),
                    _ => Name::from("node"),
                };
                let again = given.iter().filter(|it| **it == kind).count();
                given.push(kind.clone());
                let name = if again == 0 {
                    kind
                } else {
                    Name::from(format!("{kind}{}", again + 1))
                };
                node.name = Some(Word { name, span: node.span });
            }
        }
    }

    /// Parses `text`; `place` says where a range of it stands for the reader.
    #[must_use]
    pub fn parse(text: &str, place: &dyn Fn(Span) -> Place) -> (Option<Self>, Vec<Problem>) {
        let parsed = lex(text).and_then(|tokens| Parser { tokens, at: 0 }.pattern());
        match parsed {
            Ok(syntax) => {
                let n_elements: usize = syntax.paths.iter().map(|it| 1 + 2 * it.rest.len()).sum();
                if n_elements <= MOST_ELEMENTS {
                    return (Some(syntax), Vec::new());
                }
                let message = format!("this pattern has {n_elements} nodes and edges, more than {MOST_ELEMENTS}");
                let problem = Problem::error("pattern::too_long", message)
                    .at(place(Span::new(0, text.len())), "too long")
                    .help("use `*` for paths of any length, or derive a relation and ask for that");
                (None, vec![problem])
            }
            Err(mistake) => (None, vec![mistake.problem(place)]),
        }
    }
}

struct Parser {
    tokens: Vec<Lexed>,
    at: usize,
}

impl Parser {
    fn pattern(&mut self) -> Result<Syntax, Mistake> {
        let mut paths = vec![self.path()?];
        while self.accept(',').is_some() {
            paths.push(self.path()?);
        }
        match self.peek() {
            Token::End => Ok(Syntax { paths }),
            _ => Err(self.expected("an edge, `,` or the end")),
        }
    }

    fn path(&mut self) -> Result<PathSyntax, Mistake> {
        let first = self.node()?;
        let mut rest = Vec::new();
        while matches!(self.peek(), Token::Symbol('-' | '<')) {
            let edge = self.edge()?;
            rest.push((edge, self.node()?));
        }
        Ok(PathSyntax { first, rest })
    }

    fn node(&mut self) -> Result<NodeSyntax, Mistake> {
        let start = self.span();
        self.expect('(', "a node like `(s:service)`")?;
        let name = self.word();
        let kinds = self.kinds("the kind of the node")?;
        let filters = self.filters()?;
        let expected = match (&name, kinds.is_empty(), filters.is_empty()) {
            (None, true, true) => "a variable, `:`, `{` or `)`",
            (Some(_), true, true) => "`:`, `{` or `)`",
            (_, false, true) => "`|`, `{` or `)`",
            (_, _, false) => "`)`",
        };
        let end = self.expect(')', expected)?;
        let span = Span {
            start: start.start,
            end: end.end,
        };
        Ok(NodeSyntax {
            name,
            kinds,
            filters,
            span,
        })
    }

    fn edge(&mut self) -> Result<EdgeSyntax, Mistake> {
        let start = self.span();
        let way = if self.accept('<').is_some() {
            Way::Left
        } else {
            Way::Right
        };
        self.expect('-', "`-`, as in `<-[:depends_on]-`")?;
        let (mut name, mut kinds, mut reach, mut filters) = (None, Vec::new(), None, Vec::new());
        if self.accept('[').is_some() {
            name = self.word();
            kinds = self.kinds("the kind of the edge")?;
            reach = self.accept('*');
            if reach.is_some() && matches!(self.peek(), Token::Int(_) | Token::Double(_) | Token::Symbol('.')) {
                let mistake = Mistake::new(self.span(), "`*` takes no bounds");
                return Err(mistake.help("`*` alone means one step or more; write shorter paths out"));
            }
            filters = self.filters()?;
            let expected = match (reach, filters.is_empty()) {
                (_, false) => "`]`",
                (Some(_), true) => "`{` or `]`",
                (None, true) => "`:`, `|`, `*`, `{` or `]`",
            };
            self.expect(']', expected)?;
        }
        let mut end = self.expect('-', "`-` after the edge")?;
        match (way, self.accept('>')) {
            (Way::Right, Some(tip)) => end = tip,
            (Way::Left, None) => {}
            (Way::Right, None) => {
                let span = Span {
                    start: start.start,
                    end: end.end,
                };
                let mistake = Mistake::new(span, "an edge needs a direction");
                return Err(mistake.help("write `-[…]->`, or `<-[…]-`"));
            }
            (Way::Left, Some(tip)) => {
                let span = Span {
                    start: start.start,
                    end: tip.end,
                };
                return Err(Mistake::new(span, "an edge leads one way").help("write `-[…]->`, or `<-[…]-`"));
            }
        }
        let span = Span {
            start: start.start,
            end: end.end,
        };
        Ok(EdgeSyntax {
            name,
            kinds,
            reach,
            filters,
            way,
            span,
        })
    }

    /// `:a|b`, or nothing. A second `:`, as in older Cypher, changes nothing.
    fn kinds(&mut self, what: &str) -> Result<Vec<Word>, Mistake> {
        let mut kinds = Vec::new();
        if self.accept(':').is_none() {
            return Ok(kinds);
        }
        loop {
            kinds.push(self.word().ok_or_else(|| self.expected(what))?);
            if self.accept('|').is_none() {
                return Ok(kinds);
            }
            self.accept(':');
        }
    }

    /// `{a: 1, b.c: 'x'}`, or nothing.
    fn filters(&mut self) -> Result<Vec<FilterSyntax>, Mistake> {
        let mut filters = Vec::new();
        if self.accept('{').is_none() || self.accept('}').is_some() {
            return Ok(filters);
        }
        loop {
            let first = self.word().ok_or_else(|| self.expected("the name of a field"))?;
            let mut path_span = first.span;
            let mut path = vec![first.name];
            while self.accept('.').is_some() {
                let step = self.word().ok_or_else(|| self.expected("the name of a field"))?;
                path_span.end = step.span.end;
                path.push(step.name);
            }
            if matches!(self.peek(), Token::Symbol('=' | '<' | '>')) {
                let mistake = self.expected("`:`");
                return Err(
                    mistake.help("a field and its value are joined by `:`; compare in other ways under `when:`")
                );
            }
            self.expect(':', "`:` and a value")?;
            let (value, value_span) = self.value()?;
            let path = Path(path);
            filters.push(FilterSyntax {
                path,
                path_span,
                value,
                value_span,
            });
            if self.accept(',').is_none() {
                self.expect('}', "`,` or `}`")?;
                return Ok(filters);
            }
        }
    }

    fn value(&mut self) -> Result<(Value, Span), Mistake> {
        let mut span = self.span();
        let minus = self.accept('-').is_some();
        span.end = self.span().end;
        let value = match (self.peek(), minus) {
            (Token::Int(it), false) => Value::Int(*it),
            (Token::Int(it), true) => Value::Int(-it),
            (Token::Double(it), false) => Value::Double(Double(*it)),
            (Token::Double(it), true) => Value::Double(Double(-it)),
            (_, true) => return Err(self.expected("a number")),
            (Token::String(it), _) => Value::string(it.as_str()),
            (Token::Word(it), _) if it == "true" => Value::Bool(true),
            (Token::Word(it), _) if it == "false" => Value::Bool(false),
            (Token::Word(it), _) if it == "null" => {
                let mistake = self.expected("a value");
                return Err(mistake.help("ask whether a field is absent under `when:`, with `!has(…)`"));
            }
            (Token::Word(it), _) => {
                let help = format!("a string stands in quotes: `'{it}'`");
                return Err(self.expected("a string, a number, `true` or `false`").help(help));
            }
            _ => return Err(self.expected("a string, a number, `true` or `false`")),
        };
        self.at += 1;
        Ok((value, span))
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    fn accept(&mut self, symbol: char) -> Option<Span> {
        let span = self.span();
        let here = *self.peek() == Token::Symbol(symbol);
        self.at += usize::from(here);
        here.then_some(span)
    }

    fn expect(&mut self, symbol: char, expected: &str) -> Result<Span, Mistake> {
        self.accept(symbol).ok_or_else(|| self.expected(expected))
    }

    fn word(&mut self) -> Option<Word> {
        let Token::Word(name) = self.peek() else {
            return None;
        };
        let word = Word {
            name: Name::from(name.as_str()),
            span: self.span(),
        };
        self.at += 1;
        Some(word)
    }

    fn expected(&self, expected: &str) -> Mistake {
        let found = self.peek();
        let mistake = Mistake::new(self.span(), format!("expected {expected}, found {}", found.noun()));
        let Token::Word(word) = found else {
            return mistake;
        };
        match word.to_ascii_uppercase().as_str() {
            "WHERE" => mistake.help("a pattern has no `WHERE`: write the condition under `when:`"),
            "MATCH" | "RETURN" | "OPTIONAL" => mistake.help("write the pattern alone, such as `(s:service)`"),
            _ => mistake,
        }
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, path) in self.paths.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}", path.first)?;
            for (edge, node) in &path.rest {
                write!(f, "{edge}{node}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for NodeSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = inner(self.name.as_ref(), &self.kinds, "", &self.filters);
        write!(f, "({inner})")
    }
}

impl fmt::Display for EdgeSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.reach.is_some() { "*" } else { "" };
        let inner = inner(self.name.as_ref(), &self.kinds, star, &self.filters);
        match self.way {
            Way::Right => write!(f, "-[{inner}]->"),
            Way::Left => write!(f, "<-[{inner}]-"),
        }
    }
}

fn inner(name: Option<&Word>, kinds: &[Word], star: &str, filters: &[FilterSyntax]) -> String {
    let mut inner = name.map_or(String::new(), |it| bare(&it.name));
    for (at, kind) in kinds.iter().enumerate() {
        inner.push_str(if at == 0 { ":" } else { "|" });
        inner.push_str(&bare(&kind.name));
    }
    inner.push_str(star);
    if !filters.is_empty() {
        let space = if inner.is_empty() { "" } else { " " };
        let shown: Vec<String> = filters.iter().map(ToString::to_string).collect();
        inner.push_str(&format!("{space}{{{}}}", shown.join(", ")));
    }
    inner
}

impl fmt::Display for FilterSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.path.0.iter().map(|it| bare(it)).collect();
        write!(f, "{}: ", steps.join("."))?;
        match &self.value {
            Value::Int(it) => write!(f, "{it}"),
            // Always with a fraction, and never with an exponent.
            Value::Double(it) if it.0.fract() == 0.0 => write!(f, "{}.0", it.0),
            Value::Double(it) => write!(f, "{}", it.0),
            Value::Bool(it) => write!(f, "{it}"),
            value => write!(f, "'{}'", escaped(value.as_str().unwrap_or_default())),
        }
    }
}

fn bare(name: &str) -> String {
    if is_word(name) {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for it in text.chars() {
        match it {
            '\\' => escaped.push_str("\\\\"),
            '\'' => escaped.push_str("\\'"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            it => escaped.push(it),
        }
    }
    escaped
}
