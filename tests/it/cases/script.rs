//! `case.yaml`: what a golden folder runs besides `apply`. A few lines that happen to look like YAML, and no more.

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// What stands behind `gen`.
    pub(super) words: Vec<String>,
    /// The exit code that is right.
    pub(super) exit: i32,
}

/// One step of a case.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `gen` is run.
    Gen(Command),
    /// Somebody changes files: a line for the shell, which runs in the project.
    Shell(String),
}

/// All of a case's commands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// The exit code of `apply`, where the case insists on one.
    pub(super) apply: Option<i32>,
    /// What runs after it, in order.
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// Reads `text`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        for (at, line) in text.lines().enumerate() {
            let wrong = |what: &str| format!("case.yaml:{}: {what}: {line}", at + 1);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line
                .split_once(": ")
                .ok_or_else(|| wrong("neither `run: …`, `sh: …` nor `exit: …`"))?;
            match key {
                "run" => {
                    let words = words(value).ok_or_else(|| wrong("a quote is left open"))?;
                    script.steps.push(Step::Gen(Command { words, exit: 0 }));
                }
                "sh" => script.steps.push(Step::Shell(value.to_owned())),
                "exit" => {
                    let exit = value.trim().parse().map_err(|_| wrong("no exit code"))?;
                    match script.steps.last_mut() {
                        Some(Step::Gen(command)) => command.exit = exit,
                        Some(Step::Shell(_)) => return Err(wrong("the exit code of a line for the shell is 0")),
                        None => script.apply = Some(exit),
                    }
                }
                _ => return Err(wrong("neither `run: …`, `sh: …` nor `exit: …`")),
            }
        }
        Ok(script)
    }
}

/// Splits `text` into words, where quotes of either sort hold one together; `None` if one is left open.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[test]
fn a_script_is_read_word_by_word() {
    let text =
        "# why\nexit: 1\n\nrun: query \"(a:service {type: 'x'})\" --json ''\nsh: rm 'a: b'\nrun: check\nexit: 2\n";
    let command = |words: &[&str], exit| {
        Step::Gen(Command {
            words: words.iter().map(ToString::to_string).collect(),
            exit,
        })
    };
    let steps = vec![
        command(&["query", "(a:service {type: 'x'})", "--json", ""], 0),
        Step::Shell("rm 'a: b'".to_owned()),
        command(&["check"], 2),
    ];
    assert_eq!(Script::parse(text), Ok(Script { apply: Some(1), steps }));
    assert_eq!(
        Script::parse("run: 'a").unwrap_err(),
        "case.yaml:1: a quote is left open: run: 'a"
    );
    assert_eq!(
        Script::parse("\nruns: a").unwrap_err(),
        "case.yaml:2: neither `run: …`, `sh: …` nor `exit: …`: runs: a"
    );
    assert_eq!(
        Script::parse("exit: no").unwrap_err(),
        "case.yaml:1: no exit code: exit: no"
    );
}
