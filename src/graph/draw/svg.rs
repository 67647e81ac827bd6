//! A drawing as SVG: a column for each layer, a box for each node, a line for each edge.
//!
//! Simple on purpose: who wants crossings untangled draws DOT.

use std::fmt::Write as _;

use super::{Drawing, Look, plain};

const ROW: usize = 44;
const BOX: usize = 28;
const GAP: usize = 90;
const MARGIN: usize = 20;
/// The width of a character of the font: a guess that is wide enough.
const CHARACTER: usize = 8;

/// The box of a node.
#[derive(Clone, Copy, Default)]
struct Spot {
    left: usize,
    top: usize,
    width: usize,
}

/// Draws SVG: soft edges dashed, edges of cycles red, an arrow to what is depended on.
#[must_use]
pub fn svg(drawing: &Drawing) -> String {
    let mut spots = vec![Spot::default(); drawing.names.len()];
    let mut left = MARGIN;
    let mut height = 2 * MARGIN;
    for layer in &drawing.layers {
        let longest = layer.iter().map(|it| drawing.name(*it).chars().count()).max();
        let width = longest.unwrap_or(0) * CHARACTER + 2 * CHARACTER;
        for (row, node) in layer.iter().enumerate() {
            let top = MARGIN + row * ROW;
            spots[*node as usize] = Spot { left, top, width };
            height = height.max(top + ROW + MARGIN);
        }
        left += width + GAP;
    }
    let width = left.saturating_sub(GAP) + MARGIN;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">\n"
    );
    svg.push_str(
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
    );
    for line in &drawing.edges {
        let look = match line.look {
            Look::Cyclic => "stroke=\"red\"",
            Look::Required => "stroke=\"black\"",
            Look::Soft => "stroke=\"black\" stroke-dasharray=\"4 3\"",
        };
        let way = way(spots[line.from as usize], spots[line.to as usize]);
        let _ = write!(
            svg,
            "<path d=\"{way}\" fill=\"none\" {look} marker-end=\"url(#arrow)\">"
        );
        let ends = (drawing.name(line.from), drawing.name(line.to));
        let title = format!("{} -[:{}]-> {}", ends.0, line.kind, ends.1);
        let _ = writeln!(svg, "<title>{}</title></path>", escaped(&title));
    }
    for node in drawing.layers.iter().flatten() {
        let Spot { left, top, width } = spots[*node as usize];
        let _ = writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{BOX}\" rx=\"4\" fill=\"white\" stroke=\"black\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            left + CHARACTER,
            top + BOX / 2 + 4,
            escaped(drawing.name(*node)),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The way of an edge: from the left side of one box to the right side of another that stands before it, or in
/// a bow at the right of both where they share a column.
fn way(from: Spot, to: Spot) -> String {
    let end = (to.left + to.width, to.top + BOX / 2);
    if from.left == to.left {
        let start = (from.left + from.width, from.top + BOX / 4);
        let bow = start.0 + GAP / 2;
        return format!(
            "M{} {}C{bow} {} {bow} {} {} {}",
            start.0, start.1, start.1, end.1, end.0, end.1
        );
    }
    let start = (from.left, from.top + BOX / 2);
    let middle = usize::midpoint(start.0, end.0);
    format!(
        "M{} {}C{middle} {} {middle} {} {} {}",
        start.0, start.1, start.1, end.1, end.0, end.1
    )
}

/// Text of XML, in an element or an attribute. Control characters, which XML refuses, are gone already.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for it in plain(name).chars() {
        match it {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            // XML 1.0 knows no such characters, not even by number.
            '\u{fffe}' | '\u{ffff}' => text.push('\u{fffd}'),
            it => text.push(it),
        }
    }
    text
}
