//! The table of a bench: rows with their figures and budgets, printed as Markdown, and put into the README.

use std::fmt;
use std::fs;
use std::path::Path;

/// Between these lines of the README stands the table.
const MARKERS: [&str; 2] = [
    "<!-- bench: begin (written by `cargo bench --bench engine -- --write`) -->",
    "<!-- bench: end -->",
];

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    figure: String,
    beside: String,
    ratio: Option<f64>,
    budget: Option<Budget>,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    figure: f64,
    most: f64,
    unit: &'static str,
    /// What `--check` holds the figure to: the budget, or what is reached for as long as that is more.
    held: Option<f64>,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, figure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            figure: figure.into(),
            beside: String::new(),
            ratio: None,
            budget: None,
        }
    }

    /// Adds what the figure is compared with.
    pub(crate) fn beside(self, beside: String) -> Self {
        Self { beside, ..self }
    }

    /// Adds how many times it is what stands beside it.
    pub(crate) fn ratio(self, ratio: f64) -> Self {
        Self {
            ratio: Some(ratio),
            ..self
        }
    }

    /// Adds the budget of `figure`, which nothing is held to.
    pub(crate) fn budget(self, figure: f64, most: f64, unit: &'static str) -> Self {
        Self {
            budget: Some(Budget {
                figure,
                most,
                unit,
                held: None,
            }),
            ..self
        }
    }

    /// Holds the figure to `most`: where the budget is less, it is missed, and the table says so.
    pub(crate) fn held(mut self, most: f64) -> Self {
        let budget = self.budget.as_mut().expect("a figure that is held has a budget");
        budget.held = Some(most);
        self
    }
}

/// All figures of one run.
#[derive(Debug)]
pub(crate) struct Table {
    machine: String,
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(machine: String) -> Self {
        Self {
            machine,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("  {}: {}", row.what, row.figure);
        self.rows.push(row);
    }

    /// Says which figures are beyond a budget that is held to, by more than half.
    pub(crate) fn beyond(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        for row in &self.rows {
            match row.budget {
                Some(Budget {
                    figure,
                    unit,
                    held: Some(held),
                    ..
                }) if figure.is_nan() || figure > held * 1.5 => {
                    beyond.push(format!("{}: {figure:.2} {unit} of {held} {unit}", row.what));
                }
                _ => {}
            }
        }
        beyond
    }

    /// Puts the table between the markers of the README, at its end where there are none yet.
    pub(crate) fn write(&self, readme: &Path) {
        put(readme, MARKERS, &self.to_string());
    }
}

/// Puts a text between two markers of the README, at its end where there are none yet.
pub(crate) fn put(readme: &Path, [begin, end]: [&str; 2], table: &str) {
    let Ok(text) = fs::read_to_string(readme) else {
        eprintln!("{} is not there: nothing written", readme.display());
        return;
    };
    let (before, after) = match (text.split_once(begin), text.split_once(end)) {
        (Some((before, _)), Some((_, after))) => (before.to_owned(), after.to_owned()),
        _ => (format!("{}\n\n## Figures\n\n", text.trim_end()), "\n".to_owned()),
    };
    fs::write(readme, format!("{before}{begin}\n\n{table}\n{end}{after}")).expect("the README can be written");
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "≤ {} {}", self.most, self.unit)?;
        match self.held {
            _ if self.figure <= self.most => Ok(()),
            Some(held) if held > self.most => write!(f, ": missed, held to {held} {}", self.unit),
            _ => f.write_str(": missed"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | figure | beside | ratio | budget |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.rows {
            let ratio = match (row.ratio, row.budget) {
                (_, Some(budget)) if budget.unit == "×" => format!("{:.2} ×", budget.figure),
                (Some(ratio), _) => format!("{ratio:.2} ×"),
                _ => String::new(),
            };
            let budget = row.budget.map_or_else(String::new, |it| it.to_string());
            writeln!(
                f,
                "| {} | {} | {} | {ratio} | {budget} |",
                row.what, row.figure, row.beside
            )?;
        }
        writeln!(f, "\n{}.", self.machine)
    }
}
