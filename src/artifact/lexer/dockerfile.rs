//! Dockerfile: one instruction a line, whose arguments are words, a JSON list or a shell command.

use super::data::Json;
use super::shell::Shell;
use super::{AFTER_BACKSLASH, Trouble};
use crate::artifact::place::{Ident, Spot};

/// Where in a Dockerfile the reading stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dockerfile {
    at: At,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Start,
    Comment,
    Instruction(String),
    /// Before the first argument.
    Before {
        shell: bool,
    },
    /// Among the options of an instruction whose command follows a word of its own; within that word, if any.
    Options {
        word: String,
    },
    Words {
        quote: Option<char>,
        escape: bool,
        within: bool,
    },
    Json {
        json: Json,
        depth: usize,
    },
    Shell {
        shell: Shell,
        escape: bool,
    },
}

/// Instructions whose arguments are a command.
const COMMANDS: [&str; 4] = ["RUN", "CMD", "ENTRYPOINT", "SHELL"];

impl Dockerfile {
    pub(crate) fn feed(&mut self, ch: char, decoded: &mut String) -> Result<(), Trouble> {
        match &mut self.at {
            At::Start => match ch {
                '#' => self.at = At::Comment,
                ' ' | '\t' | '\r' | '\n' => {}
                _ => self.at = At::Instruction(ch.to_string()),
            },
            At::Comment => {
                if ch == '\n' {
                    self.at = At::Start;
                }
            }
            At::Instruction(word) => match ch {
                '\n' => self.at = At::Start,
                ' ' | '\t' | '\r' if word.eq_ignore_ascii_case("HEALTHCHECK") => {
                    self.at = At::Options { word: String::new() };
                }
                ' ' | '\t' | '\r' => {
                    let shell = COMMANDS.contains(&word.to_ascii_uppercase().as_str());
                    self.at = At::Before { shell };
                }
                _ => word.push(ch),
            },
            At::Before { shell } => {
                let shell = *shell;
                match ch {
                    ' ' | '\t' => {}
                    '\n' => self.at = At::Start,
                    '[' => {
                        self.at = At::Json {
                            json: Json::default(),
                            depth: 0,
                        };
                        return self.feed(ch, decoded);
                    }
                    _ => {
                        self.begin(shell);
                        return self.feed(ch, decoded);
                    }
                }
            }
            At::Options { word } => match ch {
                // A backslash alone leads on to the next line.
                '\n' if word != "\\" => self.at = At::Start,
                ' ' | '\t' | '\r' | '\n' => {
                    if word.eq_ignore_ascii_case("CMD") {
                        self.at = At::Before { shell: true };
                    } else {
                        word.clear();
                    }
                }
                _ => word.push(ch),
            },
            At::Words { quote, escape, within } => match ch {
                _ if *escape => *escape = false,
                ' ' | '\t' if quote.is_none() => *within = false,
                '\\' => *escape = true,
                '\n' if quote.is_some() => return UNCLOSED,
                '\n' => self.at = At::Start,
                _ => {
                    *within = true;
                    if *quote == Some(ch) {
                        *quote = None;
                    } else if quote.is_none() && matches!(ch, '"' | '\'') {
                        *quote = Some(ch);
                    }
                }
            },
            At::Json { json, depth } => {
                if ch == '\n' && json.is_outside() && *depth == 0 {
                    self.at = At::Start;
                    return Ok(());
                }
                if json.is_outside() {
                    match ch {
                        '[' => *depth += 1,
                        ']' => *depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
                json.feed(ch, decoded)?;
            }
            At::Shell { shell, escape } => {
                shell.feed(ch, decoded)?;
                if ch == '\n' && !*escape {
                    if shell.is_at_rest() {
                        self.at = At::Start;
                    } else if !shell.is_in_heredoc() {
                        return UNCLOSED;
                    }
                    return Ok(());
                }
                *escape = ch == '\\' && !*escape;
            }
        }
        Ok(())
    }

    fn begin(&mut self, shell: bool) {
        self.at = if shell {
            At::Shell {
                shell: Shell::on_one_line(),
                escape: false,
            }
        } else {
            At::Words {
                quote: None,
                escape: false,
                within: false,
            }
        };
    }

    pub(crate) fn value(&mut self, next: Option<char>) -> Result<Spot, Trouble> {
        match &mut self.at {
            At::Start | At::Instruction(_) => Trouble::new(
                "a value stands where an instruction begins",
                "write the instruction out",
            ),
            At::Comment => Ok(Spot::Comment { end: None }),
            At::Before { shell } => {
                let shell = *shell;
                self.begin(shell);
                self.value(next)
            }
            At::Options { word } if word.ends_with('\\') => Err(AFTER_BACKSLASH),
            At::Options { word } => {
                let first = word.is_empty();
                // What a value holds is no word that means something.
                word.push('=');
                Ok(Spot::Identifier {
                    ident: Ident::DockerfileWord,
                    first,
                })
            }
            At::Words { escape: true, .. } => Err(AFTER_BACKSLASH),
            At::Words { quote: Some('"'), .. } => Ok(Spot::DockerfileQuoted),
            At::Words { quote: Some(_), .. } => Ok(Spot::DockerfileSingle),
            At::Words { within, .. } => {
                let first = !std::mem::replace(within, true);
                Ok(Spot::Identifier {
                    ident: Ident::DockerfileWord,
                    first,
                })
            }
            At::Json { json, .. } => json.value(),
            At::Shell { shell, .. } => shell.value(next),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        match (&mut self.at, &other.at) {
            (At::Json { json, depth }, At::Json { json: b, depth: other }) if depth == other => json.merge(b),
            (
                At::Words { quote, escape, within },
                At::Words {
                    quote: b,
                    escape: other,
                    within: also,
                },
            ) if quote == b && escape == other => {
                *within &= also;
                true
            }
            (
                At::Shell { shell, escape },
                At::Shell {
                    shell: b,
                    escape: other,
                },
            ) if escape == other => shell.merge(b),
            (a, b) => a == b,
        }
    }

    pub(crate) fn end(&self) -> Result<(), Trouble> {
        match &self.at {
            At::Words { quote: Some(_), .. } => UNCLOSED,
            At::Json { json, .. } => json.end(),
            At::Shell { shell, .. } => shell.end(),
            _ => Ok(()),
        }
    }
}

const UNCLOSED: Result<(), Trouble> = Err(Trouble {
    message: "a line ends inside of quotes",
    help: "close them, or end the line with a backslash",
});
