//! From source to syntax: CEL's grammar, read from left to right with one token ahead.
//!
//! Macros stay the calls that they are written as. Its depth is bounded before anything is read, so that neither this
//! nor the walks over what comes out can run out of stack.

use super::quoted;
use super::scan::{self, Depth, Kind, Token};
use super::syntax::{Foreign, Form, Syntax};
use super::tree::{Asked, Binary};
use crate::problem::{Problem, Span};
use crate::value::{Double, Value};

/// How deep an expression may nest.
const MAX_DEPTH: usize = 200;

/// How deep brackets alone may nest, which take most of the stack.
const MAX_BRACKETS: usize = 48;

/// The most bytes that an expression may have.
const MAX_BYTES: usize = 1 << 16;

/// Words that CEL keeps for itself: no variable and no function bears them.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// A mistake: what it is, where in the source, and what is said there.
pub(super) type Mistake = Box<(Problem, Span, &'static str)>;

type Read<T> = Result<T, Mistake>;

/// Returns the syntax of `source`, or what is wrong where.
pub(super) fn parse(source: &str) -> Read<Syntax<'_>> {
    let mut parser = Parser {
        source,
        tokens: tokens(source)?,
        at: 0,
    };
    let all = parser.expression()?;
    match parser.tokens.get(parser.at) {
        None => Ok(all),
        Some(_) => Err(parser.unexpected()),
    }
}

/// Returns the tokens of a source that is neither empty nor too deep, and in which each string is closed.
fn tokens(source: &str) -> Read<Vec<Token>> {
    if source.len() > MAX_BYTES {
        let problem = Problem::error("expression::too_deep", "the expression is longer than 64 KiB")
            .help("split it: a part can be a fact of its own");
        return Err(Box::new((problem, Span::new(0, 1), "starts here")));
    }
    let mut tokens = Vec::with_capacity(source.len() / 4 + 1);
    let mut nested = Depth::default();
    let mut too_deep = None;
    for token in scan::tokens(source, 0) {
        if token.kind == Kind::Unclosed {
            let problem = Problem::error("expression::syntax", "a string is not closed")
                .help("close it with the quote that opens it; within, write `\\'` or `\\\"`");
            return Err(Box::new((problem, token.span, "opened here")));
        }
        let (depth, n_open) = nested.add(token.kind);
        if n_open > MAX_BRACKETS || depth > MAX_DEPTH {
            too_deep = too_deep.or(Some(token.span));
            break;
        }
        tokens.push(token);
    }
    if let Some(span) = too_deep {
        let problem = Problem::error("expression::too_deep", "the expression nests too deep");
        let problem = problem.help("split it: a part can be a fact of its own");
        return Err(Box::new((problem, span, "too deep from here on")));
    }
    if tokens.is_empty() {
        let problem = Problem::error("expression::syntax", "the expression is empty")
            .help("write an expression, or leave it out");
        return Err(Box::new((problem, Span::new(0, source.len()), "nothing here")));
    }
    Ok(tokens)
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    at: usize,
}

/// A sign between two values.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Or,
    And,
    Binary(Binary),
}

impl<'s> Parser<'s> {
    /// Returns the characters of the token `ahead` of the next one; none behind the last.
    fn text(&self, ahead: usize) -> &'s str {
        self.tokens.get(self.at + ahead).map_or("", |it| it.of(self.source))
    }

    fn kind(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.at + ahead).map(|it| it.kind)
    }

    /// Takes the next token.
    fn next(&mut self) -> Read<Token> {
        let token = self.tokens.get(self.at).copied().ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(token)
    }

    /// Takes the next token, if it is `sign`.
    fn takes(&mut self, sign: &str) -> bool {
        let found = self.text(0) == sign;
        self.at += usize::from(found);
        found
    }

    /// Takes the next token, which is `sign` or a mistake.
    fn expect(&mut self, sign: &str) -> Read<()> {
        if self.takes(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Returns what begins at `start` and ends with the token that was taken last.
    fn since(&self, start: u32, sign: Span, form: Form<'s>) -> Syntax<'s> {
        let end = self.tokens[self.at - 1].span.end;
        Syntax {
            sign,
            whole: Span { start, end },
            form,
        }
    }

    /// Reads `a`, or `a ? b : c`.
    fn expression(&mut self) -> Read<Syntax<'s>> {
        let start = self.here();
        let first = self.binary(1)?;
        let sign = self.here_span();
        if !self.takes("?") {
            return Ok(first);
        }
        let yes = self.binary(1)?;
        self.expect(":")?;
        let no = self.expression()?;
        Ok(self.since(start, sign, Form::Conditional(Box::new([first, yes, no]))))
    }

    /// Returns where the next token stands.
    fn here_span(&self) -> Span {
        let end = self.source.len();
        self.tokens.get(self.at).map_or(Span::new(end, end), |it| it.span)
    }

    fn here(&self) -> u32 {
        self.here_span().start
    }

    /// Returns the sign that comes next, and how strongly it binds.
    fn sign(&self) -> Option<(Sign, u8)> {
        Some(match self.text(0) {
            "||" => (Sign::Or, 1),
            "&&" => (Sign::And, 2),
            "<" => (Sign::Binary(Binary::Less), 3),
            "<=" => (Sign::Binary(Binary::LessOrEqual), 3),
            ">" => (Sign::Binary(Binary::Greater), 3),
            ">=" => (Sign::Binary(Binary::GreaterOrEqual), 3),
            "==" => (Sign::Binary(Binary::Equal), 3),
            "!=" => (Sign::Binary(Binary::Differ), 3),
            "in" => (Sign::Binary(Binary::In), 3),
            "+" => (Sign::Binary(Binary::Add), 4),
            "-" => (Sign::Binary(Binary::Subtract), 4),
            "*" => (Sign::Binary(Binary::Multiply), 5),
            "/" => (Sign::Binary(Binary::Divide), 5),
            "%" => (Sign::Binary(Binary::Remainder), 5),
            _ => return None,
        })
    }

    /// Reads values between which signs stand that bind at least as strongly as `least`.
    fn binary(&mut self, least: u8) -> Read<Syntax<'s>> {
        let start = self.here();
        let mut left = self.unary()?;
        while let Some((sign, strength)) = self.sign().filter(|it| it.1 >= least) {
            let at = self.next()?.span;
            let right = self.binary(strength + 1)?;
            left = match sign {
                Sign::Binary(binary) => self.since(start, at, Form::Binary(binary, Box::new([left, right]))),
                Sign::And | Sign::Or => {
                    let mut sides = vec![left, right];
                    let mut signs = vec![at];
                    while self.sign() == Some((sign, strength)) {
                        signs.push(self.next()?.span);
                        sides.push(self.binary(strength + 1)?);
                    }
                    let join = if sign == Sign::And { Form::And } else { Form::Or };
                    balanced(sides, &signs, join)
                }
            };
        }
        Ok(left)
    }

    /// Reads `!a`, `-a` or a member. Two of a sign take each other away.
    fn unary(&mut self) -> Read<Syntax<'s>> {
        let (start, sign) = (self.here(), self.here_span());
        let text = self.text(0);
        let is_number = text == "-" && matches!(self.kind(1), Some(Kind::Int | Kind::Float));
        if !matches!(text, "!" | "-") || is_number {
            return self.member();
        }
        let mut odd = false;
        while self.takes(text) {
            odd = !odd;
        }
        let of = self.member()?;
        Ok(match text {
            _ if !odd => of,
            "!" => self.since(start, sign, Form::Not(Box::new(of))),
            _ => self.since(start, sign, Form::Negate(Box::new(of))),
        })
    }

    /// Reads a value and all that is asked of it.
    fn member(&mut self) -> Read<Syntax<'s>> {
        let start = self.here();
        let mut of = self.primary()?;
        // The name of a message: names and points alone.
        let mut is_path = matches!(of.form, Form::Name(_));
        loop {
            match self.text(0) {
                "." => {
                    self.at += 1;
                    let asked = self.asked();
                    let (name, sign, kind) = self.name()?;
                    is_path &= asked == Asked::Plainly && kind == Kind::Word;
                    of = if kind == Kind::Word && asked == Asked::Plainly && self.text(0) == "(" {
                        is_path = false;
                        let args = self.arguments()?;
                        self.since(start, sign, Form::Method(Box::new(of), name, args))
                    } else {
                        self.since(start, sign, Form::Member(Box::new(of), name, asked))
                    };
                }
                "[" => {
                    is_path = false;
                    let sign = self.next()?.span;
                    let asked = self.asked();
                    let key = self.expression()?;
                    self.expect("]")?;
                    of = self.since(start, sign, Form::Index(Box::new([of, key]), asked));
                }
                "{" if is_path => {
                    let sign = self.here_span();
                    self.items("}", |it| {
                        it.asked();
                        it.name()?;
                        it.expect(":")?;
                        it.expression()
                    })?;
                    return Ok(self.since(start, sign, Form::Foreign(Foreign::Message)));
                }
                _ => return Ok(of),
            }
        }
    }

    fn asked(&mut self) -> Asked {
        if self.takes("?") {
            Asked::Optionally
        } else {
            Asked::Plainly
        }
    }

    /// Reads the name of a member.
    fn name(&mut self) -> Read<(&'s str, Span, Kind)> {
        let text = self.text(0);
        let name = match self.kind(0) {
            Some(Kind::Word) if !matches!(text, "in" | "true" | "false" | "null") => text,
            Some(Kind::Quoted) => &text[1..text.len() - 1],
            _ => return Err(self.unexpected()),
        };
        let token = self.next()?;
        Ok((name, token.span, token.kind))
    }

    /// Reads what a function is called with.
    fn arguments(&mut self) -> Read<Vec<Syntax<'s>>> {
        self.at += 1;
        let mut all = Vec::new();
        if self.takes(")") {
            return Ok(all);
        }
        loop {
            all.push(self.expression()?);
            if !self.takes(",") {
                self.expect(")")?;
                return Ok(all);
            }
        }
    }

    /// Reads what stands between two brackets; a comma may stand behind the last item.
    fn items<T>(&mut self, close: &str, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.at += 1;
        let mut all = Vec::new();
        loop {
            if self.text(0) == close || (all.is_empty() && self.text(0) == ",") {
                self.takes(",");
                self.expect(close)?;
                return Ok(all);
            }
            all.push(item(self)?);
            if !self.takes(",") {
                self.expect(close)?;
                return Ok(all);
            }
        }
    }

    fn primary(&mut self) -> Read<Syntax<'s>> {
        let (start, sign) = (self.here(), self.here_span());
        let text = self.text(0);
        match (self.kind(0), text) {
            (Some(Kind::Word), _) => self.word(start),
            // A name from the root.
            (Some(Kind::Sign), ".") if self.kind(1) == Some(Kind::Word) => {
                self.at += 1;
                self.word(start)
            }
            (Some(Kind::Sign), "-") if matches!(self.kind(1), Some(Kind::Int | Kind::Float)) => {
                self.at += 1;
                self.number(start)
            }
            (Some(Kind::Int | Kind::Float), _) => self.number(start),
            (Some(Kind::String), _) => {
                let content = quoted::content(text).map_err(|span| {
                    let escape = span.of(text);
                    let problem = Problem::error("expression::syntax", format!("`{escape}` is no escape"));
                    let problem = problem.help("write `\\\\` for a backslash, or an `r` before the quote");
                    Box::new((problem, span.shifted(start), "stands for no character"))
                })?;
                self.at += 1;
                Ok(self.since(start, sign, Form::Literal(Value::from(&*content))))
            }
            (Some(Kind::Bytes), _) => self.foreign(Foreign::Bytes),
            (Some(Kind::Unsigned), _) => self.foreign(Foreign::Unsigned),
            (_, "(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            (_, "[") => {
                let items = self.items("]", |it| {
                    let asked = it.asked();
                    Ok((it.expression()?, asked))
                })?;
                Ok(self.since(start, sign, Form::List(items)))
            }
            (_, "{") => {
                let entries = self.items("}", |it| {
                    let asked = it.asked();
                    let key = it.expression()?;
                    it.expect(":")?;
                    Ok((key, it.expression()?, asked))
                })?;
                Ok(self.since(start, sign, Form::Map(entries)))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn foreign(&mut self, what: Foreign) -> Read<Syntax<'s>> {
        let sign = self.next()?.span;
        Ok(self.since(sign.start, sign, Form::Foreign(what)))
    }

    /// Reads a variable, a call, or a word that is a value.
    fn word(&mut self, start: u32) -> Read<Syntax<'s>> {
        let (sign, text) = (self.here_span(), self.text(0));
        let is_rooted = start != sign.start;
        let value = match text {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => None,
        };
        if text == "in" || RESERVED.contains(&text) || (is_rooted && value.is_some()) {
            return Err(self.unexpected());
        }
        self.at += 1;
        let name = Span { start, ..sign }.of(self.source);
        let form = match value {
            Some(value) => Form::Literal(value),
            None if self.text(0) == "(" => Form::Call(name, self.arguments()?),
            None => Form::Name(name),
        };
        Ok(self.since(start, sign, form))
    }

    /// Reads a number, before which a `-` may have been taken.
    fn number(&mut self, start: u32) -> Read<Syntax<'s>> {
        let token = self.next()?;
        let text = token.of(self.source);
        let minus = if start == token.span.start { "" } else { "-" };
        let value = if token.kind == Kind::Float {
            let number = format!("{minus}{text}").parse::<f64>();
            number
                .ok()
                .filter(|it| it.is_finite())
                .map(|it| Value::Double(Double(it)))
        } else {
            let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |it| (it, 16));
            i64::from_str_radix(&format!("{minus}{digits}"), radix)
                .ok()
                .map(Value::Int)
        };
        let Some(value) = value else {
            let (what, help) = if token.kind == Kind::Float {
                ("is too large for a number", "write a smaller one")
            } else {
                ("is too large for a whole number", "write it as a double: `1e20`")
            };
            let problem = Problem::error("expression::syntax", format!("`{text}` {what}"));
            return Err(Box::new((problem.help(help), token.span, "not expected")));
        };
        Ok(self.since(start, token.span, Form::Literal(value)))
    }

    /// Returns the mistake that the next token is.
    fn unexpected(&self) -> Mistake {
        let Some(token) = self.tokens.get(self.at) else {
            let problem = Problem::error("expression::syntax", "the expression ends too early")
                .help("close what is open, and write both sides of each sign: `a && b`, `condition ? one : other`");
            let end = self.source.trim_end().len();
            return Box::new((problem, Span::new(end, end), "something is missing here"));
        };
        let text = token.of(self.source);
        let problem = Problem::error("expression::syntax", format!("`{text}` is not expected here"));
        let problem = problem.help(match text {
            "=" => "compare with `==`",
            "and" | "&" => "write `&&`",
            "or" | "|" => "write `||`",
            "if" | "then" | "else" => "write `condition ? one : other`",
            "$" => "this is an expression already: leave `${…}` out",
            _ if self.at > 0 && self.tokens[self.at - 1].of(self.source) == "not" => "write `!` for `not`",
            _ => "an expression is CEL: `a.b == 'c' && size(d) > 0`",
        });
        Box::new((problem, token.span, "not expected"))
    }
}

/// Returns what `signs` between `sides` make, as a tree that is no deeper than it must be.
fn balanced<'s>(sides: Vec<Syntax<'s>>, signs: &[Span], join: fn(Box<[Syntax<'s>; 2]>) -> Form<'s>) -> Syntax<'s> {
    fn part<'s>(
        sides: &mut std::vec::IntoIter<Syntax<'s>>,
        signs: &[Span],
        join: fn(Box<[Syntax<'s>; 2]>) -> Form<'s>,
    ) -> Syntax<'s> {
        let middle = signs.len() / 2;
        let Some(sign) = signs.get(middle) else {
            return sides.next().expect("there is a side more than there are signs");
        };
        let left = part(sides, &signs[..middle], join);
        let right = part(sides, &signs[middle + 1..], join);
        Syntax {
            sign: *sign,
            whole: Span {
                start: left.whole.start,
                end: right.whole.end,
            },
            form: join(Box::new([left, right])),
        }
    }
    part(&mut sides.into_iter(), signs, join)
}
