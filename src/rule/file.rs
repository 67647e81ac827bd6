//! Rule files as they are written: YAML to [`RuleSource`], each piece with its place.
//!
//! No name is resolved here and no expression read: that is `compile`.

use std::sync::Arc;

use crate::problem::{Place, Problem, Span, closest};
use crate::value::{Double, Name, Value};
use crate::yaml::{self, Data, Entry, Yaml};

/// A string of a rule file, and where each of its characters stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The content.
    pub text: Name,
    /// The file.
    pub file: Name,
    /// Where it begins among the strings of its rule, laid end to end.
    pub start: u32,
    source: Arc<Yaml>,
}

impl Written {
    /// Returns where the whole string stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::Text(self.file.clone(), self.source.span)
    }

    /// Returns where a range of its characters stands.
    #[must_use]
    pub fn place_of(&self, span: Span) -> Place {
        Place::Text(
            self.file.clone(),
            self.source.place(span.start as usize, span.end as usize),
        )
    }

    /// Returns where a range of the rule's strings, all of it in this one, stands in the file.
    fn within(&self, span: Span) -> Span {
        let at = |it: u32| it.saturating_sub(self.start) as usize;
        self.source.place(at(span.start), at(span.end))
    }

    /// Returns the range of this string among those of its rule.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(0, self.text.len()).shifted(self.start)
    }

    /// Moves the labels of `problems`, whose spans count among the strings of the rule, to where they stand in the file.
    #[must_use]
    pub fn located(&self, problems: Vec<Problem>) -> Vec<Problem> {
        let mut problems = problems;
        for label in problems.iter_mut().flat_map(|it| &mut it.labels) {
            if let Place::Text(file, span) = &mut label.place
                && *file == self.file
            {
                *span = self.within(*span);
            }
        }
        problems
    }
}

/// A name that a rule gives to an expression.
pub type Named = (Name, Written);

/// What a rule gives a field: a text with `${…}` in it, a value that stands there as it is, or a list of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A string.
    Text(Written),
    /// A boolean or a number, and how it is written.
    Constant(Value, Name, Place),
    /// A list.
    List(Vec<Given>, Place),
}

impl Given {
    /// Returns where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Text(written) => written.place(),
            Self::Constant(.., place) | Self::List(_, place) => place.clone(),
        }
    }
}

/// What a rule gives the fields of a node, an edge or a fact, by their dotted path.
pub type Fields = Vec<(Name, Given)>;

/// Whether a rule could be read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    Whole,
    /// Something in it has another form than a rule's; a problem says so.
    Faulty,
}

/// How often a rule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Once in each environment.
    Each,
    /// Once for all of them.
    Across,
}

/// A node that a rule derives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSource {
    /// `KIND.NAME`, with `${…}` in it.
    pub node: Written,
    /// Its fields.
    pub fields: Fields,
}

/// An edge that a rule derives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeSource {
    /// The kind of edge.
    pub edge: Written,
    /// The node at its start, or the address of one that this rule derives.
    pub from: Written,
    /// The same at its end.
    pub to: Written,
    /// Its fields.
    pub fields: Fields,
}

/// A fact that a rule derives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactSource {
    /// The relation, as the rule names it.
    pub relation: Name,
    /// Where that name stands.
    pub at: Place,
    /// The node that it speaks of.
    pub of: Written,
    /// Its fields.
    pub fields: Fields,
}

/// An artifact that a rule prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactSource {
    /// The path, with `${…}` in it.
    pub path: Written,
    /// The template.
    pub template: Written,
    /// What the template gets.
    pub with: Vec<Named>,
    /// The variables a binding of which makes one instance.
    pub per: Option<Vec<Written>>,
    /// The relation that says how a reference is written.
    pub references: Option<Written>,
    /// The format, where the suffix does not tell it.
    pub format: Option<Written>,
    /// Whether it is a script.
    pub mode: Mode,
    /// What can't be done in place where the file goes by another name: a sentence for whoever applies it.
    pub renamed: Option<Written>,
}

/// Whether a file may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is read.
    Plain,
    /// It is run.
    Executable,
}

/// What a rule finds fault with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingSource {
    /// Whether it denies or warns.
    pub severity: crate::problem::Severity,
    /// The sentence, with `${…}` in it.
    pub message: Written,
    /// The node at fault, or the first of the match.
    pub at: Option<Written>,
    /// The field of it that is at fault.
    pub field: Option<Written>,
    /// What to type, with `${…}` in it.
    pub help: Option<Written>,
}

/// What a rule says of the effect of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectSource {
    /// What it is of, with `${…}` in it: what is the same before and after.
    pub of: Written,
    /// What is said where it comes.
    pub new: Option<Written>,
    /// What is said where it goes.
    pub gone: Option<Written>,
    /// An expression for how much there is of it, and of what.
    pub amount: Option<(Written, Written)>,
    /// What it is at the time, with `${…}` in it.
    pub value: Option<Written>,
}

/// A rule as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSource {
    /// Its name within the pack.
    pub name: Written,
    /// Its pack.
    pub pack: Name,
    /// All that it says, without places and comments.
    pub canonical: Name,
    /// Whether a part of it could not be read, so that what is missing may only be misspelt.
    pub form: Form,
    /// One sentence for its reader.
    pub doc: Option<Name>,
    /// The pattern.
    pub pattern: Option<Written>,
    /// Patterns none of which may match.
    pub unless: Vec<Written>,
    /// Patterns each of which must match.
    pub exists: Vec<Written>,
    /// Look-ups between parts of the pattern, `EXPR = EXPR`.
    pub join: Vec<Written>,
    /// Collections to walk, by the name of the item.
    pub each: Vec<Named>,
    /// Names for expressions.
    pub lets: Vec<Named>,
    /// Conditions, all of which must hold.
    pub when: Vec<Written>,
    /// How often it runs.
    pub reach: Reach,
    /// The rule in whose place it stands.
    pub replaces: Option<Written>,
    /// What it derives and says.
    pub nodes: Vec<NodeSource>,
    /// Edges that it derives.
    pub edges: Vec<EdgeSource>,
    /// Facts that it derives.
    pub facts: Vec<FactSource>,
    /// The artifact that it prints.
    pub artifact: Option<ArtifactSource>,
    /// What it finds fault with.
    pub finding: Option<FindingSource>,
    /// What it says of the effect of a plan.
    pub effect: Option<EffectSource>,
    /// All its strings in the order in which they were read.
    strings: Vec<Written>,
}

impl RuleSource {
    /// Returns where a range of the rule's strings, laid end to end, stands.
    #[must_use]
    pub fn place_of(&self, span: Span) -> Place {
        let written = self
            .strings
            .iter()
            .rfind(|it| it.start <= span.start)
            .unwrap_or(&self.name);
        Place::Text(written.file.clone(), written.within(span))
    }

    /// Returns `pack/name`, by which the rule is known everywhere.
    #[must_use]
    pub fn id(&self) -> Name {
        Name::from(format!("{}/{}", self.pack, self.name.text))
    }
}

const RULE_KEYS: [&str; 21] = [
    "rule", "doc", "match", "unless", "exists", "join", "each", "let", "when", "across", "replaces", "nodes", "edges",
    "facts", "artifact", "deny", "warn", "at", "field", "help", "effect",
];

/// Returns the rules of the file `file` of `pack`, and what is wrong with its form.
#[must_use]
pub fn parse(pack: &Name, file: &Name, text: &str) -> (Vec<RuleSource>, Vec<Problem>) {
    let (root, mistakes) = yaml::parse(text);
    let mut reader = Reader {
        pack,
        file,
        problems: Vec::new(),
        strings: Vec::new(),
        misspelt: Vec::new(),
    };
    reader.problems.extend(mistakes.iter().map(|it| it.problem(file)));
    let rules = root.map_or_else(Vec::new, |root| reader.file(&root));
    (rules, reader.problems)
}

/// Writes what `yaml` says on one line, whatever its layout.
fn canonical(yaml: &Yaml) -> String {
    match &yaml.data {
        Data::Null => "null".to_owned(),
        Data::Bool(truth) => truth.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Double { source, .. } => source.to_string(),
        Data::String(text) => format!("{:?}", text.content),
        Data::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Data::Map(entries) => {
            let entries = entries
                .iter()
                .map(|it| format!("{:?}:{}", it.key, canonical(&it.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

struct Reader<'a> {
    pack: &'a Name,
    file: &'a Name,
    problems: Vec<Problem>,
    /// The strings of the rule that is being read.
    strings: Vec<Written>,
    /// Keys that are most likely meant by others: in which map, and which.
    misspelt: Vec<(Span, String)>,
}

impl Reader<'_> {
    fn place(&self, span: Span) -> Place {
        Place::Text(self.file.clone(), span)
    }

    fn file(&mut self, root: &Yaml) -> Vec<RuleSource> {
        self.keys(root, &["rules"], "a rule file");
        let Some(rules) = root.get("rules") else {
            return Vec::new();
        };
        let Data::List(items) = &rules.data else {
            self.wanted(rules, "a list of rules", "begin each of them with `- rule: its-name`");
            return Vec::new();
        };
        items.iter().filter_map(|it| self.rule(it)).collect()
    }

    fn rule(&mut self, yaml: &Yaml) -> Option<RuleSource> {
        if !matches!(yaml.data, Data::Map(_)) {
            self.wanted(yaml, "a rule", "begin it with `- rule: its-name`");
            return None;
        }
        let n_problems = self.problems.len();
        self.strings.clear();
        self.keys(yaml, &RULE_KEYS, "a rule");
        let Some(name) = self.string(yaml, "rule") else {
            if yaml.get("rule").is_some() || self.is_misspelt(yaml, "rule") {
                return None;
            }
            let problem = Problem::error("rule::without_name", "a rule has no name")
                .at(self.place(yaml.span), "`rule` is missing here")
                .help("begin it with `- rule: its-name`");
            self.problems.push(problem);
            return None;
        };
        self.name(&name);
        let reach = match yaml.get("across") {
            None => Reach::Each,
            Some(it) if it.as_str() == Some("environments") => Reach::Across,
            Some(it) => {
                self.wanted(it, "`environments`", "write `across: environments`, or leave it out");
                Reach::Each
            }
        };
        let mut rule = RuleSource {
            name,
            pack: self.pack.clone(),
            canonical: Name::from(canonical(yaml)),
            form: Form::Whole,
            doc: self.string(yaml, "doc").map(|it| it.text),
            pattern: self.string(yaml, "match"),
            unless: self.strings(yaml, "unless"),
            exists: self.strings(yaml, "exists"),
            join: self.strings(yaml, "join"),
            each: self.named(yaml, "each"),
            lets: self.named(yaml, "let"),
            when: self.strings(yaml, "when"),
            reach,
            replaces: self.string(yaml, "replaces"),
            nodes: self
                .items(yaml, "nodes")
                .into_iter()
                .filter_map(|it| self.node(it))
                .collect(),
            edges: self
                .items(yaml, "edges")
                .into_iter()
                .filter_map(|it| self.edge(it))
                .collect(),
            facts: self
                .items(yaml, "facts")
                .into_iter()
                .flat_map(|it| self.facts(it))
                .collect(),
            artifact: yaml.get("artifact").and_then(|it| self.artifact(it)),
            finding: self.finding(yaml),
            effect: yaml.get("effect").and_then(|it| self.effect(it)),
            strings: Vec::new(),
        };
        rule.strings = std::mem::take(&mut self.strings);
        if self.problems.len() > n_problems {
            rule.form = Form::Faulty;
        }
        Some(rule)
    }

    /// Reports the name of a rule or of its pack that has other characters than names do: it stands in the manifest, in
    /// heads of files and in `disable`.
    fn name(&mut self, name: &Written) {
        let is_name = |it: &str| !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || "_-.".contains(it));
        let (wrong, what) = match (is_name(self.pack), is_name(&name.text)) {
            (true, true) => return,
            (false, _) => (self.pack, "its folder below `rules/`"),
            (true, false) => (&name.text, "this"),
        };
        let problem = Problem::error("rule::bad_name", format!("`{wrong}` can't be a name"))
            .at(
                name.place(),
                format!("{what} has other characters than a name may have"),
            )
            .help("use letters, digits, `-`, `_` and `.`");
        self.problems.push(problem);
    }

    fn node(&mut self, yaml: &Yaml) -> Option<NodeSource> {
        self.keys(yaml, &["node", "fields"], "a derived node");
        let node = self.required(yaml, "node")?;
        Some(NodeSource {
            node,
            fields: self.fields(yaml),
        })
    }

    fn edge(&mut self, yaml: &Yaml) -> Option<EdgeSource> {
        self.keys(yaml, &["edge", "from", "to", "fields"], "a derived edge");
        let edge = self.required(yaml, "edge")?;
        let from = self.required(yaml, "from")?;
        let to = self.required(yaml, "to")?;
        Some(EdgeSource {
            edge,
            from,
            to,
            fields: self.fields(yaml),
        })
    }

    fn fields(&mut self, yaml: &Yaml) -> Fields {
        let mut all = Vec::new();
        if let Some(fields) = yaml.get("fields") {
            self.flatten("", fields, &mut all);
        }
        all
    }

    /// Collects the strings of nested maps by their dotted path: `{resources: {cpu: …}}` gives `resources.cpu`.
    fn flatten(&mut self, prefix: &str, yaml: &Yaml, all: &mut Fields) {
        for entry in yaml.entries() {
            let path = if prefix.is_empty() {
                entry.key.to_string()
            } else {
                format!("{prefix}.{}", entry.key)
            };
            self.field(path, &entry.value, all);
        }
        if !matches!(yaml.data, Data::Map(_)) {
            self.wanted(yaml, "a map of fields", "write `fields: {name: value}`");
        }
    }

    fn field(&mut self, path: String, value: &Yaml, all: &mut Fields) {
        if matches!(value.data, Data::Map(_)) {
            self.flatten(&path, value, all);
        } else if let Some(given) = self.given(value) {
            all.push((Name::from(path), given));
        }
    }

    fn facts(&mut self, yaml: &Yaml) -> Vec<FactSource> {
        if yaml.entries().is_empty() {
            self.wanted(
                yaml,
                "`relation: {of: …, field: …}`",
                "write `- relation: {of: s, field: value}`",
            );
        }
        yaml.entries().iter().filter_map(|it| self.fact(it)).collect()
    }

    fn fact(&mut self, entry: &Entry) -> Option<FactSource> {
        let help = "say of which node of the match, as in `of: s`";
        let of = self.needed(&entry.value, "of", help)?;
        let mut fields = Vec::new();
        for it in entry.value.entries().iter().filter(|it| &*it.key != "of") {
            self.field(it.key.to_string(), &it.value, &mut fields);
        }
        Some(FactSource {
            relation: Name::from(&*entry.key),
            at: self.place(entry.key_span),
            of,
            fields,
        })
    }

    fn artifact(&mut self, yaml: &Yaml) -> Option<ArtifactSource> {
        let known = [
            "path",
            "template",
            "with",
            "per",
            "references",
            "format",
            "executable",
            "renamed",
        ];
        self.keys(yaml, &known, "an artifact");
        let path = self.required(yaml, "path")?;
        let template = self.required(yaml, "template")?;
        let mode = match yaml.get("executable").map(|it| &it.data) {
            None | Some(Data::Bool(false)) => Mode::Plain,
            Some(Data::Bool(true)) => Mode::Executable,
            Some(_) => {
                let found = yaml.get("executable").unwrap_or(yaml);
                self.wanted(found, "`true` or `false`", "write `executable: true`, or leave it out");
                Mode::Plain
            }
        };
        Some(ArtifactSource {
            path,
            template,
            with: self.named(yaml, "with"),
            per: yaml.get("per").is_some().then(|| self.strings(yaml, "per")),
            references: self.string(yaml, "references"),
            format: self.string(yaml, "format"),
            mode,
            renamed: self.string(yaml, "renamed"),
        })
    }

    fn finding(&mut self, yaml: &Yaml) -> Option<FindingSource> {
        let (severity, message) = match (self.string(yaml, "deny"), self.string(yaml, "warn")) {
            (Some(message), None) => (crate::problem::Severity::Error, message),
            (None, Some(message)) => (crate::problem::Severity::Warning, message),
            (Some(_), Some(warn)) => {
                let problem = Problem::error("rule::deny_and_warn", "a rule denies and warns at once")
                    .at(warn.place(), "one of the two")
                    .help("split it into two rules");
                self.problems.push(problem);
                return None;
            }
            (None, None) => return None,
        };
        Some(FindingSource {
            severity,
            message,
            at: self.string(yaml, "at"),
            field: self.string(yaml, "field"),
            help: self.string(yaml, "help"),
        })
    }

    fn effect(&mut self, yaml: &Yaml) -> Option<EffectSource> {
        self.keys(yaml, &["of", "new", "gone", "amount", "unit", "value"], "an effect");
        if !matches!(yaml.data, Data::Map(_)) {
            return None;
        }
        let of = self.needed(
            yaml,
            "of",
            "say of what, the same before and after: `of: \"${s.name}\"`",
        );
        let (new, gone) = (self.string(yaml, "new"), self.string(yaml, "gone"));
        let value = self.string(yaml, "value");
        let is_amount = yaml.get("amount").is_some() || yaml.get("unit").is_some();
        if new.is_none() && gone.is_none() && value.is_none() && !is_amount {
            let problem = Problem::error(
                "rule::missing_key",
                "an effect says none of `new`, `gone`, `amount` and `value`",
            )
            .at(self.place(yaml.span), "what happens is missing")
            .help("add `new: opens` and `gone: closes`, say, or `amount: EXPRESSION` and `unit: replicas`, or `value: ${…}`");
            self.problems.push(problem);
        }
        let amount = is_amount.then(|| self.required(yaml, "amount").zip(self.required(yaml, "unit")));
        Some(EffectSource {
            of: of?,
            new,
            gone,
            amount: amount.flatten(),
            value,
        })
    }

    /// Reports the keys of `yaml` that are not `known`.
    fn keys(&mut self, yaml: &Yaml, known: &[&str], what: &str) {
        if !matches!(yaml.data, Data::Map(_)) {
            let keys: Vec<String> = known.iter().map(|it| format!("`{it}`")).collect();
            self.wanted(yaml, what, &format!("its keys are {}", keys.join(", ")));
        }
        for entry in yaml.entries().iter().filter(|it| !known.contains(&&*it.key)) {
            let meant = closest(&entry.key, known);
            self.misspelt.extend(meant.map(|it| (yaml.span, it.to_owned())));
            let problem = Problem::error("rule::unknown_key", format!("{what} has no `{}`", entry.key))
                .at(self.place(entry.key_span), "not known here")
                .suggest(&entry.key, known.iter().copied());
            self.problems.push(problem);
        }
    }

    fn wanted(&mut self, yaml: &Yaml, what: &str, help: &str) {
        let problem = Problem::error("rule::wrong_form", format!("expected {what}, found {}", yaml.noun()))
            .at(self.place(yaml.span), format!("{what} stands here"))
            .help(help);
        self.problems.push(problem);
    }

    /// Tells whether `key` is there under another spelling, which was told already.
    fn is_misspelt(&self, yaml: &Yaml, key: &str) -> bool {
        self.misspelt.iter().any(|it| it.0 == yaml.span && it.1 == key)
    }

    fn required(&mut self, yaml: &Yaml, key: &str) -> Option<Written> {
        self.needed(yaml, key, &format!("add `{key}: …`"))
    }

    fn needed(&mut self, yaml: &Yaml, key: &str, help: &str) -> Option<Written> {
        if yaml.get(key).is_none() && !self.is_misspelt(yaml, key) {
            let problem = Problem::error("rule::missing_key", format!("`{key}` is missing"))
                .at(self.place(yaml.span), format!("give `{key}` here"))
                .help(help);
            self.problems.push(problem);
        }
        self.string(yaml, key)
    }

    fn string(&mut self, yaml: &Yaml, key: &str) -> Option<Written> {
        self.written(yaml.get(key)?)
    }

    /// Returns the string under `key`, or each of the list there.
    fn strings(&mut self, yaml: &Yaml, key: &str) -> Vec<Written> {
        match yaml.get(key) {
            None => Vec::new(),
            Some(Yaml {
                data: Data::List(items),
                ..
            }) => items.iter().filter_map(|it| self.written(it)).collect(),
            Some(one) => self.written(one).into_iter().collect(),
        }
    }

    fn named(&mut self, yaml: &Yaml, key: &str) -> Vec<Named> {
        let Some(map) = yaml.get(key) else { return Vec::new() };
        if !matches!(map.data, Data::Map(_)) {
            self.wanted(map, "a map of names to expressions", "write `{name: expression}`");
        }
        map.entries()
            .iter()
            .filter_map(|it| Some((Name::from(&*it.key), self.written(&it.value)?)))
            .collect()
    }

    fn items<'y>(&mut self, yaml: &'y Yaml, key: &str) -> Vec<&'y Yaml> {
        match yaml.get(key) {
            None => Vec::new(),
            Some(Yaml {
                data: Data::List(items),
                ..
            }) => items.iter().collect(),
            Some(other) => {
                self.wanted(other, "a list", "put a `-` before each item");
                Vec::new()
            }
        }
    }

    fn given(&mut self, yaml: &Yaml) -> Option<Given> {
        let place = self.place(yaml.span);
        match &yaml.data {
            Data::Bool(truth) => Some(Given::Constant(Value::Bool(*truth), truth.to_string().into(), place)),
            Data::Int(number) => Some(Given::Constant(Value::Int(*number), number.to_string().into(), place)),
            Data::Double { value, source } => {
                let value = Value::Double(Double(*value));
                Some(Given::Constant(value, Name::from(&**source), place))
            }
            Data::List(items) => Some(Given::List(
                items.iter().filter_map(|it| self.given(it)).collect(),
                place,
            )),
            _ => self.written(yaml).map(Given::Text),
        }
    }

    /// Returns a scalar as the text it was written as.
    fn written(&mut self, yaml: &Yaml) -> Option<Written> {
        let text = match &yaml.data {
            Data::String(text) => Name::from(&*text.content),
            Data::Bool(truth) => Name::from(truth.to_string()),
            Data::Int(number) => Name::from(number.to_string()),
            Data::Double { source, .. } => Name::from(&**source),
            Data::Null | Data::List(_) | Data::Map(_) => {
                let help = match yaml.data {
                    Data::Null => "write it behind the colon, or leave the key out",
                    _ => "put it in quotes, so that YAML takes it for a text",
                };
                self.wanted(yaml, "a string", help);
                return None;
            }
        };
        let written = Written {
            text,
            file: self.file.clone(),
            start: self.strings.last().map_or(0, |it| it.span().end + 1),
            source: Arc::new(yaml.clone()),
        };
        self.strings.push(written.clone());
        Some(written)
    }
}
