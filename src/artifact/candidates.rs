//! Which artifacts and findings an edit may concern: the changed nodes walked backwards through the compiled rules.
//!
//! What is named here may be too much, never too little; salsa decides what is really stale. The walk goes over the
//! union of the adjacency before and after the edit, so that an edge that went away is still followed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::artifact::asleep::Asleep;
use crate::artifact::differing::{Difference, Fields};
use crate::artifact::found::{Finder, Question, Spot};
use crate::artifact::fresh::cells_of;
use crate::artifact::instance::{Cell, MAX_REFERENCES};
use crate::artifact::reads::reads;
use crate::artifact::seen::{Printing, SeenRules};
use crate::artifact::standing::Differing;
use crate::db::{Database, Db, Project, View};
use crate::fact::finding::Sight;
use crate::fact::shape;
use crate::graph::pattern::{Change, Pattern, World};
use crate::graph::{EndsByKind, Snapshot, reach};
use crate::kind::{Reads, pack};
use crate::rule::expression::{GraphFunction, Uses};
use crate::rule::file::Reach;
use crate::rule::model::{Inner, Rule};
use crate::rule::{set, strata};
use crate::spec::{self, Completed};
use crate::value::{Address, Map, Name, Value};

/// The graph and the rules as a run saw them.
#[derive(Clone, Debug)]
pub struct Before {
    environments: Vec<(spec::EnvironmentInfo, Graph)>,
    rules: SeenRules,
}

#[derive(Clone, Debug)]
struct Graph {
    snapshot: Arc<Snapshot>,
    nodes: Vec<Arc<Completed>>,
    /// The rules that say nothing; `None` where nobody has asked yet.
    asleep: Option<Asleep>,
}

impl Before {
    /// Returns the graph and the rules as they are now.
    #[must_use]
    pub fn now(db: &Database, project: Project) -> Self {
        let environments = spec::environments(db, project).iter().zip(0_u16..);
        let environments = environments
            .map(|(it, at)| (it.clone(), Graph::now(db, project, at)))
            .collect();
        Self {
            environments,
            rules: SeenRules::now(db, project),
        }
    }

    /// Returns what an earlier run saw: graphs of which nobody asks what their nodes held, and the rules. None where the
    /// environments are others now.
    #[must_use]
    pub fn kept(
        db: &Database,
        project: Project,
        graphs: Vec<(Arc<Snapshot>, Asleep)>,
        rules: SeenRules,
    ) -> Option<Self> {
        let infos = spec::environments(db, project);
        let graph = |(snapshot, asleep)| Graph {
            snapshot,
            nodes: Vec::new(),
            asleep: Some(asleep),
        };
        (infos.len() == graphs.len()).then(|| Self {
            environments: infos.iter().cloned().zip(graphs.into_iter().map(graph)).collect(),
            rules,
        })
    }

    /// Returns the rules that sleep in each environment; none where that is not known of all.
    #[must_use]
    pub fn asleep(&self) -> Option<Vec<&Asleep>> {
        self.environments.iter().map(|it| it.1.asleep.as_ref()).collect()
    }

    /// Returns the rules.
    #[must_use]
    pub fn rules(&self) -> &SeenRules {
        &self.rules
    }

    /// Takes note of what the rules are `now`, of which these are `stale`: they may say something where they did not.
    fn awaken(&mut self, stale: &BTreeSet<Name>, now: SeenRules) {
        if stale.is_empty() {
            return;
        }
        self.rules = now;
        for asleep in self.environments.iter_mut().filter_map(|it| it.1.asleep.as_mut()) {
            asleep.wake(|it| stale.contains(it));
        }
    }

    /// Finds the rules that say nothing of any node, where that is not known, so that the next edit need not concern them.
    pub fn find_asleep(&mut self, db: &Database, project: Project) {
        let rules = rules(db, project);
        for ((_, graph), environment) in self.environments.iter_mut().zip(0_u16..) {
            graph
                .asleep
                .get_or_insert_with(|| Asleep::find(db, project, environment, &rules));
        }
    }

    /// Tells whether there may be places of that time at which nothing can be made `now`.
    #[must_use]
    pub fn has_lost(&self, now: &Self) -> bool {
        let is_gone = |(old, new): (&(spec::EnvironmentInfo, Graph), &(spec::EnvironmentInfo, Graph))| {
            let (old, new) = (&old.1.snapshot, &new.1.snapshot);
            old != new && old.nodes().iter().any(|node| new.index(node).is_none())
        };
        self.environments.len() > now.environments.len()
            || !self.rules.are_in(&now.rules)
            || self.environments.iter().zip(&now.environments).any(is_gone)
    }
}

impl Graph {
    fn now(db: &Database, project: Project, environment: u16) -> Self {
        let view = View::finished(environment);
        let snapshot = shape::snapshot(db, project, view).clone();
        let nodes = snapshot
            .nodes()
            .iter()
            .filter_map(|it| shape::node(db, project, view, it).cloned())
            .collect();
        Self {
            snapshot,
            nodes,
            asleep: None,
        }
    }

    /// Returns the nodes and edges that differ from `before`.
    fn changed(&self, before: &Self) -> Roots {
        let mut changed = Roots::default();
        let mut known = before.snapshot.nodes().iter().zip(&before.nodes).peekable();
        for (address, node) in self.snapshot.nodes().iter().zip(&self.nodes) {
            // Both are sorted by address, so that one walk over the two is enough.
            while known.next_if(|it| it.0 < address).is_some() {}
            let difference = match known.next_if(|it| it.0 == address) {
                Some((_, before)) if Arc::ptr_eq(before, node) || before == node => continue,
                Some((_, before)) => Difference::between(&before.fields, &node.fields),
                None => Difference::Whole,
            };
            changed.nodes.insert(address.clone(), difference);
        }
        if self.snapshot != before.snapshot {
            let gone = before.snapshot.nodes().iter();
            let gone = gone.filter(|it| self.snapshot.index(it).is_none());
            changed.nodes.extend(gone.map(|it| (it.clone(), Difference::Whole)));
            changed.edges = before.snapshot.differing_edges(&self.snapshot);
        }
        changed
    }
}

/// Tells whether a rule, a node and an environment are there, so that something can be made there.
#[must_use]
pub fn is_there(db: &Database, project: Project, cell: &Cell) -> bool {
    let Some(rule) = set::rule(db, project, cell.rule.clone()) else {
        return false;
    };
    let Some(artifact) = &rule.artifact else { return false };
    let n_environments = match rule.reach {
        Reach::Across => 1,
        Reach::Each => spec::environments(db, project).len(),
    };
    usize::from(cell.environment) < n_environments
        && rule.body.kinds_of(&artifact.per[0]).contains(&cell.node.kind)
        && shape::snapshot(db, project, View::finished(cell.environment))
            .index(&cell.node)
            .is_some()
}

/// What a rule reads, by what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ReadBy {
    /// For each of its facts.
    facts: Vec<Part>,
    artifact: Part,
    /// What it finds fault with, and what it says of effects.
    speech: Part,
    /// Its nodes and edges.
    shape: Part,
}

/// What one thing that a rule says is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    uses: Uses,
    /// What it reads of nodes.
    fields: Fields,
}

#[salsa::tracked(returns(ref))]
fn read_by(db: &dyn Db, project: Project, id: Name) -> ReadBy {
    let Some(rule) = set::rule(db, project, id) else {
        return ReadBy::default();
    };
    let with = |parts: &mut dyn FnMut(&mut Uses)| {
        let mut uses = rule.body.uses();
        parts(&mut uses);
        let fields = Fields::new(rule, &uses);
        Part { uses, fields }
    };
    let facts = rule
        .facts
        .iter()
        .map(|fact| with(&mut |uses| uses.extend(&fact.uses())));
    let artifact = rule.artifact.as_ref().map(|artifact| {
        let schema = pack::schema_seen_from(db, project, &rule.pack);
        let read = reads(db, project, &rule.id);
        let nothing = Reads::default();
        with(&mut |uses| {
            uses.extend(artifact.path.uses());
            for (name, expression) in &artifact.with {
                let reads = read.and_then(|it| it.get(name)).unwrap_or(&nothing);
                uses.extend(&expression.uses_for(reads, schema));
            }
        })
    });
    let speech = rule.speaks().then(|| {
        let finding = rule.finding.iter();
        let texts = finding.flat_map(|it| [Some(&it.message), it.help.as_ref(), it.field.as_ref()]);
        let texts: Vec<_> = texts.flatten().collect();
        with(&mut |uses| {
            texts.iter().for_each(|it| uses.extend(it.uses()));
            rule.effect.iter().for_each(|it| it.add_uses(uses));
        })
    });
    let shape = rule.shapes().then(|| {
        with(&mut |uses| {
            rule.nodes.iter().for_each(|it| it.add_uses(uses));
            rule.edges.iter().for_each(|it| it.add_uses(uses));
        })
    });
    ReadBy {
        shape: shape.unwrap_or_default(),
        facts: facts.collect(),
        artifact: artifact.unwrap_or_default(),
        speech: speech.unwrap_or_default(),
    }
}

/// What an edit may concern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Where an artifact may differ.
    pub cells: Vec<Cell>,
    /// Who may find something else of which nodes.
    pub questions: Vec<Question>,
    /// The nodes of which something else may be said in effect.
    pub sayings: Vec<Spot>,
}

/// Of which nodes something else may be found, and by whom, or said in effect.
#[derive(Default)]
struct Spoken {
    found: BTreeSet<Question>,
    said: BTreeSet<Spot>,
}

impl Spoken {
    /// Adds the `nodes` of an environment at which `rule` may speak otherwise.
    fn add(&mut self, rule: &Rule, environment: u16, nodes: BTreeSet<Address>) {
        let spots: Vec<Spot> = nodes.into_iter().map(|it| (environment, it)).collect();
        if rule.effect.is_some() {
            self.said.extend(spots.clone());
        }
        if rule.finding.is_some() {
            let finder = Finder::Rules(Sight::of(rule));
            self.found.extend(spots.into_iter().map(|it| (it, finder)));
        }
    }

    /// Adds that the facts of some nodes of an environment may be others.
    fn add_facts(&mut self, environment: u16, roots: &Roots) {
        let nodes = roots.facts.values().flatten();
        self.found
            .extend(nodes.map(|it| ((environment, it.clone()), Finder::Facts)));
    }

    fn with(self, cells: BTreeSet<Cell>) -> Candidates {
        Candidates {
            cells: cells.into_iter().collect(),
            questions: self.found.into_iter().collect(),
            sayings: self.said.into_iter().collect(),
        }
    }
}

/// Returns every place where an artifact, or what is found, may differ `now` from what it was `before`; `now` learns which
/// rules still say nothing.
#[must_use]
pub fn candidates(db: &Database, project: Project, before: &Before, now: &mut Before) -> Candidates {
    let infos: Vec<&spec::EnvironmentInfo> = before.environments.iter().map(|it| &it.0).collect();
    let same_environments = infos.into_iter().eq(spec::environments(db, project));
    let mut cells: BTreeSet<Cell> = BTreeSet::new();
    let mut spoken = Spoken::default();
    let rules = rules(db, project);
    let stale = before.rules.differing(&now.rules);
    // What changes what facts there are, or the list of environments, may change anything.
    let everything = !same_environments || rules_of_facts_changed(db, project, &stale, &rules);
    let mut any_change = everything || !stale.is_empty();
    for (environment, (_, now)) in (0_u16..).zip(&mut now.environments) {
        let changed = before
            .environments
            .get(usize::from(environment))
            .map(|it| now.changed(&it.1));
        let changed = changed.unwrap_or_default();
        changed.trace(db);
        let any_here = !changed.is_empty();
        any_change |= any_here;
        let union = match before.environments.get(usize::from(environment)) {
            Some((_, graph)) => union(&graph.snapshot, &now.snapshot),
            None => now.snapshot.clone(),
        };
        let asleep = before.environments.get(usize::from(environment));
        let asleep = asleep
            .and_then(|it| it.1.asleep.clone())
            .filter(|_| stale.is_empty() && !everything);
        let mut walk = Backwards::new((db, project, environment), &union, &rules, changed, asleep);
        if !everything && any_here {
            walk.prepare();
        }
        if everything {
            for spot in union.nodes().iter().map(|it| (environment, it.clone())) {
                spoken.found.extend(Finder::all_about(&spot));
                spoken.said.insert(spot);
            }
        } else {
            spoken.add_facts(environment, &walk.changed);
        }
        for rule in &rules {
            if everything || stale.contains(&rule.id) {
                cells.extend(cells_of(db, project, environment, rule));
                spoken.add(rule, environment, walk.critical(rule));
            } else if any_here && rule.reach == Reach::Each {
                cells.extend(walk.cells(rule));
                spoken.add(rule, environment, walk.criticised(rule));
            }
        }
        now.asleep = walk.still_asleep();
        // What is gone has nothing to be found.
        let is_there = |it: &Spot| it.0 != environment || now.snapshot.index(&it.1).is_some();
        spoken.found.retain(|it| is_there(&it.0));
        spoken.said.retain(is_there);
    }
    if any_change {
        // What is gone is asked for once more, to be found gone.
        across(db, project, &rules, &mut cells, &mut spoken);
    }
    spoken.with(cells)
}

/// Returns the same where nodes and edges differ as `edit` says by environment, and of the rules only some that do nothing but
/// print; none where that may be too little, since rules that shape the graph may say something
/// else; then `before` is of no use any more.
#[must_use]
pub(super) fn candidates_of(
    db: &Database,
    project: Project,
    before: &mut Before,
    (edit, Printing { stale, now }): (Vec<Differing>, Printing),
) -> Option<Candidates> {
    let rules = rules(db, project);
    let mut cells: BTreeSet<Cell> = BTreeSet::new();
    before.awaken(&stale, now);
    for rule in rules.iter().filter(|it| stale.contains(&it.id)) {
        let environments = (0_u16..).take(before.environments.len());
        cells.extend(environments.flat_map(|it| cells_of(db, project, it, rule)));
    }
    let mut spoken = Spoken::default();
    // What sees all environments sees a change in any.
    let mut seeing: Vec<Arc<Rule>> = Vec::new();
    for ((environment, (_, graph)), Differing { differences, .. }) in (0_u16..).zip(&mut before.environments).zip(edit)
    {
        let now = shape::snapshot(db, project, View::finished(environment)).clone();
        let changed = Roots {
            nodes: differences,
            edges: graph.snapshot.differing_edges(&now),
            ..Roots::default()
        };
        if changed.is_empty() {
            continue;
        }
        changed.trace(db);
        let union = union(&graph.snapshot, &now);
        graph.snapshot = now;
        let mut walk = Backwards::new((db, project, environment), &union, &rules, changed, graph.asleep.take());
        if rules.iter().any(|it| walk.reshapes(it)) {
            return None;
        }
        walk.prepare();
        spoken.add_facts(environment, &walk.changed);
        for rule in rules.iter().filter(|it| it.reach == Reach::Each) {
            cells.extend(walk.cells(rule));
            spoken.add(rule, environment, walk.criticised(rule));
        }
        let across = rules.iter().filter(|it| it.reach == Reach::Across);
        seeing.extend(across.filter(|it| walk.is_seen_by(it)).cloned());
        graph.asleep = walk.still_asleep();
    }
    across(db, project, &seeing, &mut cells, &mut spoken);
    Some(spoken.with(cells))
}

/// Adds the places of the rules that see all environments: they see any change.
fn across(db: &Database, project: Project, rules: &[Arc<Rule>], cells: &mut BTreeSet<Cell>, spoken: &mut Spoken) {
    for rule in rules.iter().filter(|it| it.reach == Reach::Across) {
        cells.extend(cells_of(db, project, 0, rule));
        if let (true, Some(anchor)) = (rule.speaks(), rule.body.pattern.first()) {
            let all = shape::nodes_of(db, project, View::finished(0), rule, &anchor.name);
            spoken.add(rule, 0, all.into_iter().collect());
        }
    }
}

fn rules(db: &Database, project: Project) -> Vec<Arc<Rule>> {
    let ids = set::ids(db, project).iter();
    ids.filter_map(|id| set::rule(db, project, id.clone()).clone())
        .collect()
}

fn rules_of_facts_changed(db: &Database, project: Project, stale: &BTreeSet<Name>, rules: &[Arc<Rule>]) -> bool {
    let gone = stale.iter().any(|id| set::rule(db, project, id.clone()).is_none());
    gone || rules
        .iter()
        .any(|it| stale.contains(&it.id) && (!it.facts.is_empty() || it.shapes()))
}

/// Returns all nodes and edges of both graphs.
fn union(a: &Arc<Snapshot>, b: &Arc<Snapshot>) -> Arc<Snapshot> {
    if a == b { a.clone() } else { Arc::new(a.union(b)) }
}

/// Nodes, edges and facts in which something may have changed.
#[derive(Debug, Default)]
struct Roots {
    nodes: BTreeMap<Address, Difference>,
    edges: EndsByKind,
    /// The nodes on which the facts of each relation may have changed.
    facts: BTreeMap<Name, BTreeSet<Address>>,
}

impl Roots {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty()
    }

    /// Says what differs, from which all that is asked is found.
    fn trace(&self, db: &Database) {
        for node in self.nodes.keys() {
            db.trace(|| format!("`{node}` holds something else: what may read that is asked"));
        }
        for (kind, edges) in &self.edges {
            for (from, to) in edges {
                db.trace(|| format!("an edge `{kind}` from `{from}` to `{to}` differs: what may follow it is asked"));
            }
        }
    }
}

struct Backwards<'a> {
    db: &'a Database,
    project: Project,
    environment: u16,
    union: &'a Arc<Snapshot>,
    rules: &'a [Arc<Rule>],
    /// What differs.
    changed: Roots,
    /// The rules that have said nothing so far, where they are known.
    asleep: Option<Asleep>,
    /// Of each relation that writes references: where a text stands that may be written in another way.
    mentions: BTreeMap<Name, Roots>,
}

impl<'a> Backwards<'a> {
    fn new(
        (db, project, environment): (&'a Database, Project, u16),
        union: &'a Arc<Snapshot>,
        rules: &'a [Arc<Rule>],
        changed: Roots,
        asleep: Option<Asleep>,
    ) -> Self {
        Self {
            db,
            project,
            environment,
            union,
            rules,
            changed,
            asleep,
            mentions: BTreeMap::new(),
        }
    }

    /// Tells whether `rule` has said nothing of any node, and says nothing after `roots` have changed.
    fn sleeps(&self, rule: &Rule, roots: &Roots) -> bool {
        let touched = |relations: &[Name]| {
            let facts: Vec<&BTreeSet<Address>> = relations.iter().filter_map(|it| roots.facts.get(it)).collect();
            roots.nodes.keys().chain(facts.into_iter().flatten())
        };
        let asleep = self.asleep.as_ref();
        asleep.is_some_and(|it| it.keeps(self.db, self.environment, rule, touched))
    }

    /// Returns the rules that say nothing of any node even now.
    fn still_asleep(self) -> Option<Asleep> {
        let sleeping = self.rules.iter().filter(|it| self.sleeps(it, &self.changed));
        let sleeping: BTreeSet<Name> = sleeping.map(|it| it.id.clone()).collect();
        let mut asleep = self.asleep?;
        asleep.wake(|it| !sleeping.contains(it));
        Some(asleep)
    }

    /// Walks the fact rules, and the texts that mention what they speak of.
    fn prepare(&mut self) {
        let changed = std::mem::take(&mut self.changed);
        self.changed = self.with_facts(changed);
        for relation in self
            .rules
            .iter()
            .filter_map(|it| it.artifact.as_ref()?.references.as_ref())
        {
            if !self.mentions.contains_key(relation) {
                let mentions = self.mentions(relation);
                self.mentions.insert(relation.clone(), mentions);
            }
        }
    }

    /// Walks the fact rules from `roots`, stratum by stratum.
    fn with_facts(&self, roots: Roots) -> Roots {
        let mut roots = roots;
        let of = &strata::strata(self.db, self.project).of;
        let last = of.values().copied().max().unwrap_or(0);
        for stratum in 0..=last {
            for rule in self.rules {
                let facts = rule.facts.iter().enumerate();
                let facts: Vec<_> = facts.filter(|it| of.get(&it.1.relation) == Some(&stratum)).collect();
                if facts.is_empty() || self.sleeps(rule, &roots) {
                    continue;
                }
                for (nth, fact) in facts {
                    let part = &read_by(self.db, self.project, rule.id.clone()).facts[nth];
                    let touched = self.touched(rule, &fact.of, part, &roots);
                    roots.facts.entry(fact.relation.clone()).or_default().extend(touched);
                }
            }
        }
        roots
    }

    /// Returns where a text stands that mentions something of which the facts of `relation` may have changed, be it
    /// that it mentions what mentions it, or that a fact brings the text there from where it was written.
    fn mentions(&self, relation: &Name) -> Roots {
        let mut mentioned: BTreeSet<Address> = self.changed.facts.get(relation).cloned().unwrap_or_default();
        let mut mentions = Roots::default();
        let mut known = BTreeSet::new();
        for _ in 0..MAX_REFERENCES {
            let mut nodes = mentioned.clone();
            for node in mentioned.iter().filter_map(|it| self.union.index(it)) {
                let mentioning = self.union.incoming(node, shape::REFERENCES);
                nodes.extend(mentioning.map(|(from, _)| self.union.address(from).clone()));
            }
            if nodes == known {
                break;
            }
            known.clone_from(&nodes);
            mentions = self.with_facts(Roots {
                nodes: nodes.iter().map(|it| (it.clone(), Difference::Whole)).collect(),
                ..Roots::default()
            });
            mentioned = nodes;
            mentioned.extend(mentions.facts.get(relation).into_iter().flatten().cloned());
        }
        mentions
    }

    /// Returns the places where an artifact of `rule` may have changed.
    fn cells(&self, rule: &Rule) -> Vec<Cell> {
        let Some(artifact) = &rule.artifact else {
            return Vec::new();
        };
        if self.sleeps(rule, &self.changed) {
            return Vec::new();
        }
        let part = &read_by(self.db, self.project, rule.id.clone()).artifact;
        let mut touched = self.touched(rule, &artifact.per[0], part, &self.changed);
        if let Some(mentions) = artifact.references.as_ref().and_then(|it| self.mentions.get(it)) {
            touched.extend(self.touched(rule, &artifact.per[0], part, mentions));
        }
        touched
            .into_iter()
            .map(|node| Cell {
                environment: self.environment,
                rule: rule.id.clone(),
                node,
            })
            .collect()
    }

    /// Returns the nodes at which what `rule` finds may have changed.
    fn criticised(&self, rule: &Rule) -> BTreeSet<Address> {
        let (true, Some(anchor)) = (rule.speaks(), rule.body.pattern.first()) else {
            return BTreeSet::new();
        };
        if self.sleeps(rule, &self.changed) {
            return BTreeSet::new();
        }
        let part = &read_by(self.db, self.project, rule.id.clone()).speech;
        self.touched(rule, &anchor.name, part, &self.changed)
    }

    /// Tells whether `rule` reads something that may have changed, wherever it stands.
    fn is_seen_by(&self, rule: &Rule) -> bool {
        let read_by = read_by(self.db, self.project, rule.id.clone());
        let references = rule.artifact.as_ref().and_then(|it| it.references.as_ref());
        let mentions = references.and_then(|it| self.mentions.get(it));
        let roots = [Some(&self.changed), mentions].into_iter().flatten();
        roots.into_iter().any(|roots| {
            let mut parts = [&read_by.artifact, &read_by.speech].into_iter();
            parts.any(|it| follows(rule, &it.uses, roots) || !sources(it, roots).is_empty())
        })
    }

    /// Tells whether `rule` may add something else to the graph.
    fn reshapes(&self, rule: &Rule) -> bool {
        let Some(anchor) = rule.body.pattern.first().filter(|_| rule.shapes()) else {
            return false;
        };
        let part = &read_by(self.db, self.project, rule.id.clone()).shape;
        !self.sleeps(rule, &self.changed) && !self.touched(rule, &anchor.name, part, &self.changed).is_empty()
    }

    /// Returns the nodes at which `rule` may find something.
    fn critical(&self, rule: &Rule) -> BTreeSet<Address> {
        match (rule.speaks(), rule.body.pattern.first()) {
            (true, Some(anchor)) => self.all(rule, &anchor.name),
            _ => BTreeSet::new(),
        }
    }

    /// Returns the nodes that `anchor` may be bound to where something that `rule` reads is among `roots`.
    fn touched(&self, rule: &Rule, anchor: &Name, part: &Part, roots: &Roots) -> BTreeSet<Address> {
        let Part { uses, .. } = part;
        let mut sources = sources(part, roots);
        if sources.is_empty() && !follows(rule, uses, roots) {
            return sources;
        }
        let everywhere = uses.graph.iter().any(|it| {
            it.from.is_empty()
                || matches!(
                    it.function,
                    GraphFunction::Layers | GraphFunction::Nodes | GraphFunction::SameCycle
                )
        });
        // A node that stands in a fact may be any; a look-up may find any; what shares no name is found anywhere.
        let inner = || rule.body.unless.iter().chain(&rule.body.exists);
        if everywhere
            || !uses.reached.is_empty()
            || !rule.body.joins.is_empty()
            || inner().any(|it| it.shared.is_empty())
        {
            return self.all(rule, anchor);
        }
        if !uses.graph.is_empty() {
            sources.extend(roots.edges.values().flatten().map(|it| it.0.clone()));
        }
        let mut seen = BTreeSet::new();
        for used in &uses.graph {
            seen.extend(match used.function {
                GraphFunction::Dependents => reach::reach_of_all(self.union, &sources, &used.edges),
                _ => reach::dependents_of_all(self.union, &sources, &used.edges),
            });
        }
        sources.extend(seen);
        let changes = [Change::Nodes(&sources), Change::Edges(&roots.edges)];
        let touched: Option<Vec<_>> = changes.into_iter().map(|it| self.through(rule, anchor, it)).collect();
        touched.map_or_else(|| self.all(rule, anchor), |it| it.into_iter().flatten().collect())
    }

    /// Returns the nodes that `anchor` may be bound to where any variable of the rule is bound to what changed;
    /// `None` where that takes too many steps to find out.
    fn through(&self, rule: &Rule, anchor: &Name, change: Change<'_>) -> Option<BTreeSet<Address>> {
        let mut found = self.back(&rule.body.pattern, anchor, change)?;
        for Inner { walk, shared, .. } in rule.body.unless.iter().chain(&rule.body.exists) {
            for variable in shared {
                let bound = self.back(walk.pattern(), variable, change)?;
                found.extend(self.back(&rule.body.pattern, anchor, Change::At(variable, &bound))?);
            }
        }
        Some(found)
    }

    /// Walks one pattern backwards; `None` where that takes too many steps.
    fn back(&self, pattern: &Pattern, target: &Name, change: Change<'_>) -> Option<BTreeSet<Address>> {
        let world = Union { snapshot: self.union };
        pattern
            .touched(&world, target, change, &[], crate::fact::matching::MAX_STEPS)
            .ok()?
            .ok()
    }

    fn all(&self, rule: &Rule, anchor: &Name) -> BTreeSet<Address> {
        let kinds = rule.body.kinds_of(anchor);
        kinds
            .iter()
            .flat_map(|kind| self.union.of_kind(kind).iter().cloned())
            .collect()
    }
}

/// Returns the nodes among `roots` of which what is read may have changed.
fn sources(part: &Part, roots: &Roots) -> BTreeSet<Address> {
    let nodes = roots.nodes.iter().filter(|it| it.1.concerns(&it.0.kind, &part.fields));
    let facts = part.uses.relations.iter().filter_map(|it| roots.facts.get(it));
    nodes.map(|it| it.0).chain(facts.flatten()).cloned().collect()
}

/// Tells whether `rule` follows edges of a kind of which some differ: in its patterns, or by what it asks of the graph.
fn follows(rule: &Rule, uses: &Uses, roots: &Roots) -> bool {
    let inner = rule.body.unless.iter().chain(&rule.body.exists);
    let patterns = inner.map(|it| it.walk.pattern()).chain([&rule.body.pattern]);
    let in_patterns = patterns.flat_map(|it| it.edge_kinds());
    let asked = uses.graph.iter().flat_map(|it| &it.edges);
    in_patterns.chain(asked).any(|it| roots.edges.contains_key(it))
}

/// The graph before and after, without fields: going backwards, filters are not looked at.
struct Union<'a> {
    snapshot: &'a Snapshot,
}

impl World for Union<'_> {
    fn outgoing(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
        if let Some(at) = self.snapshot.index(node) {
            self.snapshot
                .outgoing(at, kind)
                .for_each(|(to, fields)| each(self.snapshot.address(to), fields));
        }
    }

    fn incoming(&self, node: &Address, kind: &Name, each: &mut dyn FnMut(&Address, &Map)) {
        if let Some(at) = self.snapshot.index(node) {
            self.snapshot
                .incoming(at, kind)
                .for_each(|(from, fields)| each(self.snapshot.address(from), fields));
        }
    }

    fn of_kind(&self, kind: &Name, each: &mut dyn FnMut(&Address)) {
        self.snapshot.of_kind(kind).iter().for_each(each);
    }

    fn field(&self, _: &Address, _: &Name) -> Option<Value> {
        None
    }

    fn exists(&self, node: &Address) -> bool {
        self.snapshot.index(node).is_some()
    }
}
