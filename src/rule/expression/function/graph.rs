//! The functions that ask the graph. What they answer is the world's business; they are only named here.

/// A function that asks the graph. Its arguments come in the order of the documentation: nodes as nodes, kinds of
/// edge as a list of strings, kinds of node and paths as strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GraphFunction {
    /// `layers(edges)`: all nodes with such edges, each after those it points to.
    Layers,
    /// `reach(node, edges)`: what can be reached from a node in one step or more; a third argument bounds the steps.
    Reach,
    /// `dependents(node, edges)`: what reaches a node in one step or more; a third argument bounds the steps.
    Dependents,
    /// `same_cycle(a, b, edges)`: whether each reaches the other.
    SameCycle,
    /// `longest(node, edges, field)`: the largest sum of a field over the paths that start at a node.
    Longest,
    /// `nodes(kind)`: all nodes of a kind.
    Nodes,
}
