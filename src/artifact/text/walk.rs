//! The pass that gives each placeholder its place: the format's lexer over the raw text, every branch taken.
//!
//! Branches must meet in one state. The body of an `each` is read for its first, a middle and its last turn, so
//! that `{{#unless @last}},{{/unless}}` means what it says.

use super::{File, Op, Subject};
use crate::artifact::format::Format;
use crate::artifact::lexer::{Guard, Lexer, Trouble};
use crate::artifact::place::{Place, Spot};
use crate::language::Language;
use crate::problem::{self, Problem, Span};

/// The lexers of the file and of the languages inside, outermost first.
#[derive(Clone)]
struct Stack {
    file: Lexer,
    inner: Vec<(Language, Lexer)>,
}

impl Stack {
    fn feed(&mut self, ch: char) -> Result<(), Trouble> {
        let mut decoded = String::new();
        self.file.feed(ch, &mut decoded)?;
        for (_, lexer) in &mut self.inner {
            let mut next = String::new();
            for ch in decoded.chars() {
                lexer.feed(ch, &mut next)?;
            }
            decoded = next;
        }
        Ok(())
    }

    fn value(&mut self, next: Option<char>) -> Result<Place, Trouble> {
        let file = self.file.value(next)?;
        let mut inner = Vec::new();
        let mut hidden = file.hides_inner();
        for (language, lexer) in &mut self.inner {
            if hidden {
                break;
            }
            let spot = lexer.value(next)?;
            hidden = spot.hides_inner();
            inner.push((*language, spot));
        }
        Ok(Place { file, inner })
    }

    fn merge(&mut self, other: &Self) -> bool {
        self.file.merge(&other.file)
            && self.inner.len() == other.inner.len()
            && self
                .inner
                .iter_mut()
                .zip(&other.inner)
                .all(|((_, a), (_, b))| a.merge(b))
    }

    fn guard(&self, first: char) -> Guard {
        let guards = std::iter::once(&self.file).chain(self.inner.iter().map(|(_, it)| it));
        guards.map(|it| it.guard(first)).fold(Guard::None, join_guards)
    }
}

fn join_guards(a: Guard, b: Guard) -> Guard {
    match (a, b) {
        (Guard::None, it) | (it, Guard::None) => it,
        (Guard::Double, Guard::Line { delimiter, skips, .. })
        | (Guard::Line { delimiter, skips, .. }, Guard::Double) => Guard::Line {
            delimiter,
            skips,
            double: true,
        },
        (it, _) => it,
    }
}

/// Gives each placeholder of `ops` its place, and returns what is wrong.
pub(super) fn places(ops: &mut [Op], format: Format, files: &[File]) -> Vec<Problem> {
    let mut walk = Walk {
        files,
        problems: Vec::new(),
        turns: Vec::new(),
    };
    let mut stack = Stack {
        file: Lexer::of_format(format),
        inner: Vec::new(),
    };
    if walk.ops(ops, &mut stack).is_some()
        && let Err(trouble) = stack.file.end()
        && let Some(file) = files.first()
    {
        walk.trouble(0, file.last, &trouble);
    }
    let mut unique: Vec<Problem> = Vec::new();
    for problem in walk.problems {
        if !unique.contains(&problem) {
            unique.push(problem);
        }
    }
    unique
}

/// One turn of an `each`, as far as it is known.
struct Turn {
    slot: usize,
    first: bool,
    last: bool,
}

struct Walk<'a> {
    files: &'a [File],
    problems: Vec<Problem>,
    turns: Vec<Turn>,
}

impl Walk<'_> {
    fn trouble(&mut self, file: usize, span: Span, trouble: &Trouble) {
        let place = problem::Place::Text(self.files[file].name.clone(), span);
        let problem = Problem::error("template::place", trouble.message).at(place, "here");
        self.problems.push(problem.help(trouble.help));
    }

    /// Reads `ops`; `None` where the state is lost.
    fn ops(&mut self, ops: &mut [Op], stack: &mut Stack) -> Option<()> {
        for at in 0..ops.len() {
            let (before, after) = ops.split_at_mut(at + 1);
            let next = after.iter().find_map(|it| match it {
                Op::Raw { text, .. } => text.chars().next(),
                _ => None,
            });
            let directly = matches!(after.first(), Some(Op::Raw { .. }));
            self.op(&mut before[at], next.filter(|_| directly), stack)?;
        }
        Some(())
    }

    fn op(&mut self, op: &mut Op, next: Option<char>, stack: &mut Stack) -> Option<()> {
        match op {
            Op::Raw {
                text,
                guard,
                file,
                span,
            } => self.raw(text, guard, (*file, *span), stack),
            Op::Print(print) => {
                match stack.value(next) {
                    Ok(place) => {
                        if let Some(problem) = refused(&place, print, self.files) {
                            self.problems.push(problem);
                        }
                        self.set_place(print, place);
                    }
                    Err(trouble) => self.trouble(print.file, print.span, &trouble),
                }
                Some(())
            }
            Op::If {
                subject,
                then,
                other,
                file,
                span,
            } => match self.known(subject) {
                Some(true) => self.ops(then, stack),
                Some(false) => self.ops(other, stack),
                None => {
                    let mut second = stack.clone();
                    self.ops(then, stack)?;
                    self.ops(other, &mut second)?;
                    self.meet(
                        stack,
                        &second,
                        *file,
                        *span,
                        "the branches of a block end at different places",
                    )
                }
            },
            Op::Each {
                slot,
                body,
                other,
                file,
                span,
                ..
            } => {
                const TURNS: &str = "a turn of `each` ends at another place than it began";
                let mut none = stack.clone();
                self.ops(other, &mut none)?;
                let mut only = stack.clone();
                self.turn(body, *slot, (true, true), &mut only)?;
                let mut middle = stack.clone();
                self.turn(body, *slot, (true, false), &mut middle)?;
                for _ in 0..3 {
                    let mut again = middle.clone();
                    self.turn(body, *slot, (false, false), &mut again)?;
                    self.meet(&mut middle, &again, *file, *span, TURNS)?;
                }
                self.turn(body, *slot, (false, true), &mut middle)?;
                *stack = middle;
                self.meet(stack, &only, *file, *span, TURNS)?;
                self.meet(
                    stack,
                    &none,
                    *file,
                    *span,
                    "a list with items ends at another place than an empty one",
                )
            }
            Op::Lang {
                languages,
                body,
                file,
                span,
            } => self.lang(languages, body, (*file, *span), stack),
        }
    }

    fn raw(&mut self, text: &str, guard: &mut Guard, (file, span): (usize, Span), stack: &mut Stack) -> Option<()> {
        if let Some(first) = text.chars().next() {
            let joined = join_guards(std::mem::take(guard), stack.guard(first));
            *guard = joined;
        }
        for (at, ch) in text.char_indices() {
            if let Err(trouble) = stack.feed(ch) {
                let span = Span::new(span.start as usize + at, span.start as usize + at + ch.len_utf8());
                self.trouble(file, span, &trouble);
                return None;
            }
        }
        Some(())
    }

    fn turn(&mut self, body: &mut [Op], slot: usize, (first, last): (bool, bool), stack: &mut Stack) -> Option<()> {
        self.turns.push(Turn { slot, first, last });
        let done = self.ops(body, stack);
        self.turns.pop();
        done
    }

    fn lang(
        &mut self,
        languages: &[Language],
        body: &mut [Op],
        (file, span): (usize, Span),
        stack: &mut Stack,
    ) -> Option<()> {
        let outer = stack.inner.len();
        let text = stack.clone().value(None).is_ok_and(|it| it.innermost().is_text());
        if !text {
            self.trouble(file, span, &OUTSIDE);
            return None;
        }
        for language in languages {
            stack.inner.push((*language, Lexer::of_language(*language)));
        }
        self.ops(body, stack)?;
        for at in outer..stack.inner.len() {
            if let Err(trouble) = stack.inner[at].1.end() {
                self.trouble(file, span, &trouble);
            }
        }
        stack.inner.truncate(outer);
        if !stack.clone().value(None).is_ok_and(|it| it.innermost().is_text()) {
            self.trouble(file, span, &OUTSIDE);
        }
        Some(())
    }

    fn meet(&mut self, stack: &mut Stack, other: &Stack, file: usize, span: Span, message: &'static str) -> Option<()> {
        let left = stack.file.describe();
        if stack.merge(other) {
            return Some(());
        }
        let right = other.file.describe();
        let help = if left == right {
            "close in each branch what it opens".to_owned()
        } else {
            format!("one way ends {left}, the other {right}: close in each what it opens")
        };
        let place = problem::Place::Text(self.files[file].name.clone(), span);
        let problem = Problem::error("template::branches_differ", message).at(place, "this block");
        self.problems.push(problem.help(help));
        None
    }

    /// Returns what a block's subject is known to be in this turn.
    fn known(&self, subject: &Subject) -> Option<bool> {
        let access = match subject {
            Subject::Holds(it) | Subject::Lacks(it) => it,
        };
        let turn = self
            .turns
            .iter()
            .rev()
            .find(|it| access.steps.is_empty() && access.slot > it.slot && access.slot - it.slot <= 4)?;
        let flag = match access.slot - turn.slot {
            3 => turn.first,
            4 => turn.last,
            _ => return None,
        };
        Some(flag == matches!(subject, Subject::Holds(_)))
    }

    fn set_place(&mut self, print: &mut super::Print, place: Place) {
        let joined = match print.place.take() {
            None => Some(place),
            Some(known) if known.inner.len() == place.inner.len() => {
                let inner = known.inner.iter().zip(&place.inner);
                let inner: Option<Vec<_>> = inner.map(|((l, a), (_, b))| Some((*l, join(a, b)?))).collect();
                join(&known.file, &place.file)
                    .zip(inner)
                    .map(|(file, inner)| Place { file, inner })
            }
            Some(_) => None,
        };
        match joined {
            Some(place) => print.place = Some(place),
            None => self.trouble(print.file, print.span, &MOVES),
        }
    }
}

const OUTSIDE: Trouble = Trouble {
    message: "a `lang` block begins or ends where no free text stands",
    help: "put it inside of the quotes or the heredoc that the language is read from",
};

const MOVES: Trouble = Trouble {
    message: "a value stands at different places from turn to turn",
    help: "close what is opened before the turn ends",
};

fn refused(place: &Place, print: &super::Print, files: &[File]) -> Option<Problem> {
    let at = problem::Place::Text(files[print.file].name.clone(), print.span);
    for (depth, (_, spot)) in place.inner.iter().enumerate() {
        let outer = if depth == 0 {
            &place.file
        } else {
            &place.inner[depth - 1].1
        };
        let hidden = spot.delimiter().is_some() && outer.delimiter().is_none() && *outer != Spot::Plain;
        if !outer.is_text() || hidden {
            let problem = Problem::error("template::place", "a language is read where its text can't be followed");
            return Some(
                problem
                    .at(at, "here")
                    .help("move the value out of the `lang` block, or its heredoc"),
            );
        }
    }
    let (message, help) = place.innermost().refuses(print.shape)?;
    let help = help.replace('…', &print.access.shown);
    Some(Problem::error("template::place", message).at(at, "here").help(help))
}

/// Returns the stricter of two spots of one kind.
fn join(a: &Spot, b: &Spot) -> Option<Spot> {
    let mut joined = a.clone();
    match (&mut joined, b) {
        (
            Spot::Identifier { ident, first },
            Spot::Identifier {
                ident: other,
                first: also,
            },
        ) if ident == other => {
            *first |= also;
        }
        (Spot::GoText { after_brace }, Spot::GoText { after_brace: also }) => *after_brace |= also,
        (
            Spot::HclHeredoc {
                delimiter,
                flush,
                starts_line,
            },
            Spot::HclHeredoc {
                delimiter: other,
                flush: other_flush,
                starts_line: also,
            },
        ) if delimiter == other && flush == other_flush => *starts_line |= also,
        (
            Spot::ShellHeredoc {
                delimiter, starts_line, ..
            },
            Spot::ShellHeredoc {
                delimiter: other,
                starts_line: also,
                ..
            },
        ) if delimiter == other => *starts_line |= also,
        (
            Spot::YamlBlock { indent, first },
            Spot::YamlBlock {
                indent: other,
                first: also,
            },
        ) if indent == other => {
            *first |= also;
        }
        (a, b) if a == b => {}
        _ => return None,
    }
    Some(joined)
}
