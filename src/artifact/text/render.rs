//! Rendering: the steps of a compiled template over the values of a context.

use super::{Access, ContextPath, Op, Origin, Print, Refused, Step, Style, Subject, TextTemplate};
use crate::artifact::lexer::{Guard, Skips};
use crate::artifact::literal;
use crate::artifact::place::{Place, Shape};
use crate::language::{self, EscapeError};
use crate::problem::{self, Problem, Span};
use crate::value::{Map, Name, Segment, Value};

/// More output than any file has use for: a mistake, or an attack.
const MAX_OUTPUT: usize = 128 << 20;

/// What a slot holds.
#[derive(Clone, Copy)]
enum Held<'a> {
    Nothing,
    Value(&'a Value),
    Key(&'a Name),
    Index(usize),
    Flag(bool),
}

/// An `each` that is under way, so that a path can be told.
#[derive(Clone, Copy)]
struct Trail<'a> {
    slot: usize,
    access: &'a Access,
    keyed: bool,
}

struct Render<'a> {
    template: &'a TextTemplate,
    slots: Vec<Held<'a>>,
    trails: Vec<Trail<'a>>,
    out: String,
    refused: Vec<Refused>,
    /// The last value of several lines, whose last one the text behind it goes on.
    several_lines: Option<(usize, Span, ContextPath, String)>,
    origins: Option<Vec<Origin>>,
}

impl TextTemplate {
    /// Renders the template over `context`, a value for each parameter.
    ///
    /// # Errors
    ///
    /// Every value that can't be printed at its place.
    pub fn render(&self, context: &Map) -> Result<String, Vec<Refused>> {
        self.run(context, None).map(|(text, _)| text)
    }

    /// Renders the template and says where each range of the text comes from, in order and without gaps.
    ///
    /// # Errors
    ///
    /// Every value that can't be printed at its place.
    pub fn render_with_origins(&self, context: &Map) -> Result<(String, Vec<Origin>), Vec<Refused>> {
        self.run(context, Some(Vec::new()))
    }

    fn run(&self, context: &Map, origins: Option<Vec<Origin>>) -> Result<(String, Vec<Origin>), Vec<Refused>> {
        let mut slots = vec![Held::Nothing; self.n_slots];
        for (slot, name) in slots.iter_mut().zip(self.params.iter()) {
            if let Some(value) = context.get(name) {
                *slot = Held::Value(value);
            }
        }
        for (slot, value) in self.constants.iter() {
            slots[*slot] = Held::Value(value);
        }
        let mut render = Render {
            template: self,
            slots,
            trails: Vec::new(),
            out: String::with_capacity(self.size + self.size / 2),
            refused: Vec::new(),
            several_lines: None,
            origins,
        };
        render.ops(&self.ops);
        render.bounded();
        if render.refused.is_empty() {
            Ok((render.out, render.origins.unwrap_or_default()))
        } else {
            Err(render.refused)
        }
    }
}

impl<'a> Render<'a> {
    fn ops(&mut self, ops: &'a [Op]) {
        for op in ops {
            if self.out.len() > MAX_OUTPUT {
                return;
            }
            match op {
                Op::Raw {
                    text,
                    guard,
                    file,
                    span,
                } => self.raw(text, guard, *file, *span),
                Op::Print(print) => self.print(print),
                Op::If {
                    subject, then, other, ..
                } => {
                    let holds = match subject {
                        Subject::Holds(access) => self.holds(access),
                        Subject::Lacks(access) => !self.holds(access),
                    };
                    self.ops(if holds { then } else { other });
                }
                Op::Each {
                    access,
                    slot,
                    body,
                    other,
                    ..
                } => self.each(access, *slot, body, other),
                Op::Lang { body, .. } => self.ops(body),
            }
        }
    }

    /// Refuses a text that was left off because it is too long.
    fn bounded(&mut self) {
        if self.out.len() <= MAX_OUTPUT {
            return;
        }
        let file = &self.template.files[0];
        let message = format!("the text is longer than {} MiB", MAX_OUTPUT >> 20);
        let problem = Problem::error("template::too_large", message)
            .at(problem::Place::Text(file.name.clone(), Span::default()), "prints it")
            .help("print a file for each of its parts: let `per:` of the rule name what they are for");
        self.refused = vec![Refused {
            problem,
            path: ContextPath::default(),
        }];
    }

    fn held(&self, access: &Access) -> Held<'a> {
        let held = self.slots[access.slot];
        match held {
            Held::Value(value) => match value.at(&access.steps) {
                None | Some(Value::Null) => Held::Nothing,
                Some(value) => Held::Value(value),
            },
            held => held,
        }
    }

    fn holds(&self, access: &Access) -> bool {
        match self.held(access) {
            Held::Nothing => false,
            Held::Value(value) => match value {
                Value::Null => false,
                Value::Bool(truth) => *truth,
                Value::String(text) => !text.is_empty(),
                Value::Text(text) => !text.segments().is_empty(),
                Value::List(items) => !items.is_empty(),
                Value::Map(map) => !map.is_empty(),
                Value::Int(_) | Value::Double(_) | Value::Node(_) => true,
            },
            Held::Key(key) => !key.is_empty(),
            Held::Index(_) => true,
            Held::Flag(flag) => flag,
        }
    }

    fn each(&mut self, access: &'a Access, slot: usize, body: &'a [Op], other: &'a [Op]) {
        let value = match self.held(access) {
            Held::Value(value) => value,
            _ => return self.ops(other),
        };
        let keyed = matches!(value, Value::Map(_));
        self.trails.push(Trail { slot, access, keyed });
        let n = match value {
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.turn(slot, (item, None), (at, items.len()), body);
                }
                items.len()
            }
            Value::Map(map) => {
                for (at, (key, item)) in map.iter().enumerate() {
                    self.turn(slot, (item, Some(key)), (at, map.len()), body);
                }
                map.len()
            }
            _ => 0,
        };
        self.trails.pop();
        if n == 0 {
            self.ops(other);
        }
    }

    fn turn(
        &mut self,
        slot: usize,
        (item, key): (&'a Value, Option<&'a Name>),
        (at, n): (usize, usize),
        body: &'a [Op],
    ) {
        self.slots[slot] = Held::Value(item);
        self.slots[slot + 1] = key.map_or(Held::Nothing, Held::Key);
        self.slots[slot + 2] = Held::Index(at);
        self.slots[slot + 3] = Held::Flag(at == 0);
        self.slots[slot + 4] = Held::Flag(at + 1 == n);
        self.ops(body);
    }

    fn raw(&mut self, text: &str, guard: &Guard, file: usize, span: Span) {
        let double = match guard {
            Guard::None => false,
            Guard::Double => true,
            Guard::Line { double, .. } => *double,
        };
        if double && let Some(sign @ ('$' | '%')) = self.out.chars().next_back() {
            self.out.push(sign);
        }
        if let Guard::Line { delimiter, skips, .. } = guard
            && let Some(end) = text.find('\n')
        {
            let start = self.out.rfind('\n').map_or(0, |it| it + 1);
            let line = format!("{}{}", &self.out[start..], &text[..end]);
            if skips.closes(&line, delimiter) {
                let error = EscapeError::new(format!("a line of the text is the heredoc's delimiter `{delimiter}`"));
                match self.several_lines.take() {
                    Some((file, span, path, label)) => self.refuse(&error, file, span, path, &label),
                    None => self.refuse(&error, file, span, ContextPath::default(), "printed here"),
                }
            }
        }
        if self.several_lines.is_some() && text.contains('\n') {
            self.several_lines = None;
        }
        let start = self.out.len();
        self.out.push_str(text);
        if self.origins.is_some() {
            self.note_raw(text, start, file, span);
        }
    }

    fn note_raw(&mut self, text: &str, start: usize, file: usize, span: Span) {
        let name = self.template.files[file].name.clone();
        let Some(origins) = &mut self.origins else {
            return;
        };
        let before = origins.last().map_or(0, |it| it.range.end);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let from = span.start as usize + at;
            let range = Span::new(
                if at == 0 { before as usize } else { start + at },
                start + at + line.len(),
            );
            origins.push(Origin {
                range,
                file: name.clone(),
                span: Span::new(from, from + line.len()),
                path: None,
            });
            at += line.len();
        }
    }

    fn print(&mut self, print: &'a Print) {
        let start = self.out.len();
        let done = match &print.place {
            Some(place) => self.print_at(print, place),
            None => Ok(()),
        };
        let done = done.and_then(|()| {
            let place = print.place.iter();
            let spots = place.flat_map(|it| std::iter::once(&it.file).chain(it.inner.iter().map(|(_, spot)| spot)));
            for spot in spots {
                if let Some((delimiter, skips)) = spot.delimiter() {
                    self.check_lines(start, delimiter, skips)?;
                }
            }
            Ok(())
        });
        if let Err(error) = done {
            let (path, label) = self.shown(&print.access);
            self.refuse(&error, print.file, print.span, path, &label);
            // What was printed of it would only be refused once more.
            self.out.truncate(start);
            return;
        }
        if self.out[start..].contains('\n') {
            let (path, label) = self.shown(&print.access);
            self.several_lines = Some((print.file, print.span, path, label));
        }
        if self.origins.is_some() {
            let origin = Origin {
                range: Span::new(start, self.out.len()),
                file: self.template.files[print.file].name.clone(),
                span: print.span,
                path: Some(self.path(&print.access)),
            };
            self.origins.iter_mut().for_each(|it| it.push(origin.clone()));
        }
    }

    /// Returns the path of a value, and what a message shows of it.
    fn shown(&self, access: &Access) -> (ContextPath, String) {
        let path = self.path(access);
        let label = match self.held(access) {
            Held::Value(Value::String(text)) | Held::Key(text) => format!("would print `{}`", excerpt(text)),
            Held::Value(Value::Text(text)) => {
                let written = text.segments().iter().filter_map(|it| match it {
                    Segment::Literal(text) => Some(&**text),
                    _ => None,
                });
                format!("would print `{}`", excerpt(&written.collect::<String>()))
            }
            _ => "printed here".to_owned(),
        };
        (path, label)
    }

    fn print_at(&mut self, print: &Print, place: &Place) -> Result<(), EscapeError> {
        let held = self.held(&print.access);
        if let Some(printer) = print.printer {
            let text = match held {
                Held::Nothing => return Err(missing()),
                Held::Value(value) => printer.print(value)?,
                Held::Key(key) => printer.print(&Value::String(key.clone()))?,
                Held::Index(at) => at.to_string(),
                Held::Flag(flag) => flag.to_string(),
            };
            return place.print_bare(&text, Some(printer), &mut self.out);
        }
        match held {
            Held::Nothing => Err(missing()),
            Held::Value(value) => self.print_value(value, print, place),
            Held::Key(key) => self.print_string(key, print, place),
            Held::Index(at) => place.print_bare(&at.to_string(), None, &mut self.out),
            Held::Flag(flag) => place.print_bare(if flag { "true" } else { "false" }, None, &mut self.out),
        }
    }

    fn print_value(&mut self, value: &Value, print: &Print, place: &Place) -> Result<(), EscapeError> {
        match value {
            Value::Bool(true) => place.print_bare("true", None, &mut self.out),
            Value::Bool(false) => place.print_bare("false", None, &mut self.out),
            Value::Int(number) => match print.style {
                Style::Plain => place.print_bare(&number.to_string(), None, &mut self.out),
                Style::Duration => place.print_string(&literal::duration(*number), &mut self.out),
                Style::Cpu => place.print_string(&literal::cpu(*number), &mut self.out),
                Style::Memory => place.print_string(&literal::memory(*number), &mut self.out),
            },
            Value::Double(number) => place.print_bare(&literal::double(number.0), None, &mut self.out),
            Value::String(text) => self.print_string(text, print, place),
            Value::Text(text) => place.print_text(text, &mut self.out),
            Value::Null => Err(missing()),
            Value::List(_) | Value::Map(_) | Value::Node(_) => {
                Err(EscapeError::new(format!("{} can't be printed", value.noun())))
            }
        }
    }

    fn print_string(&mut self, text: &str, print: &Print, place: &Place) -> Result<(), EscapeError> {
        if print.passes && print.shape != Shape::Number && language::is_safe_word(text) {
            self.out.push_str(text);
            return Ok(());
        }
        place.print_string(text, &mut self.out)
    }

    /// Refuses a whole line, among those that the text since `start` touches, that would close a heredoc.
    fn check_lines(&self, start: usize, delimiter: &str, skips: Skips) -> Result<(), EscapeError> {
        if !self.out[start..].contains('\n') {
            return Ok(());
        }
        let from = self.out[..start].rfind('\n').map_or(0, |it| it + 1);
        let until = self.out.rfind('\n').unwrap_or(from);
        if self.out[from..until]
            .split('\n')
            .any(|line| skips.closes(line, delimiter))
        {
            return Err(EscapeError::new(format!(
                "a line of it is the heredoc's delimiter `{delimiter}`"
            )));
        }
        Ok(())
    }

    fn path(&self, access: &Access) -> ContextPath {
        let mut steps: Vec<Step> = access.steps.iter().rev().cloned().map(Step::Member).collect();
        let mut slot = access.slot;
        let mut left = self.trails.len();
        while slot >= self.template.params.len() {
            let found = self.trails[..left]
                .iter()
                .rposition(|it| slot >= it.slot && slot <= it.slot + 4);
            let Some(at) = found else {
                break;
            };
            let trail = self.trails[at];
            left = at;
            match (trail.keyed, self.slots[trail.slot + 1], self.slots[trail.slot + 2]) {
                (true, Held::Key(key), _) => steps.push(Step::Member(key.clone())),
                (_, _, Held::Index(index)) => steps.push(Step::Index(index)),
                _ => {}
            }
            steps.extend(trail.access.steps.iter().rev().cloned().map(Step::Member));
            slot = trail.access.slot;
        }
        if let Some(name) = self.template.params.get(slot) {
            steps.push(Step::Member(name.clone()));
        }
        steps.reverse();
        ContextPath(steps)
    }

    fn refuse(&mut self, error: &EscapeError, file: usize, span: Span, path: ContextPath, label: &str) {
        let message = if path.0.is_empty() {
            error.message.to_string()
        } else {
            format!("`{path}` can't be printed here: {}", error.message)
        };
        let place = problem::Place::Text(self.template.files[file].name.clone(), span);
        self.refused.push(Refused {
            problem: Problem::error("template::refused", message)
                .at(place, label)
                .help("change the value in the spec, or let a rule deny it where it is said"),
            path,
        });
    }
}

/// Returns what a message shows of a value: its beginning, on one line.
fn excerpt(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{more}", shown.escape_debug())
}

/// How many characters of a value a message shows.
const SHOWN: usize = 80;

fn missing() -> EscapeError {
    EscapeError::new("the context does not hold it")
}
