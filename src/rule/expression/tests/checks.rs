//! Mistakes, each with its code and the place that it is shown at.

use super::world::{compile, compile_in, under};
use crate::rule::expression::ProjectScope;

#[track_caller]
fn wrong(source: &str, code: &str, at: &str, help: &str) {
    let (expression, problems) = compile(source);
    assert!(expression.is_none(), "{source} was taken");
    let problem = &problems[0];
    assert_eq!(
        (&*problem.code, under(problem, source)),
        (&*format!("expression::{code}"), at),
        "{source}: {problem:#?}"
    );
    let given = problem.help.as_deref().unwrap_or_default();
    assert!(given.contains(help), "{source}: {given}");
    assert_eq!(problems.len(), 1, "{source}: {problems:#?}");
}

#[test]
fn names_must_be_known() {
    wrong("x.name", "unknown_name", "x", "");
    wrong("nmes.size()", "unknown_name", "nmes", "`names`");
    wrong("s.boer > 1 || true", "unknown_member", "boer", "`bore`");
    wrong("true || s.nope", "unknown_member", "nope", "");
    wrong(
        "has(s.ports.http) && s.ports.http.prt > 1",
        "unknown_member",
        "prt",
        "`port`",
    );
    wrong("s.name.size", "unknown_member", "size", "");
    wrong("s['tubes/tga']", "unknown_member", "'tubes/tga'", "`tubes/tag`");
    wrong("s.both", "ambiguous_member", "both", "['a/both'], ['b/both']");
    wrong("any.litres", "not_in_all_kinds", "litres", "");
    wrong("e.baar", "unknown_member", "baar", "`bar`");
    wrong("has(s.nope)", "unknown_member", "nope", "");
    wrong("s.tag.map(t, t.valeu)", "unknown_member", "valeu", "`value`");
    wrong("s.tag.map(t, s.tag.map(t, t.value)).map(t, u)", "unknown_name", "u", "");
    wrong("'nope' in s.scaling", "unknown_member", "in", "");
}

#[test]
fn functions_must_be_known() {
    wrong("nofn(1)", "unknown_function", "nofn", "");
    wrong("s.name.uper()", "unknown_function", "uper", "`upper`");
    wrong("upper(s.name)", "unknown_function", "upper", "string.upper()");
    wrong("timestamp('x')", "unknown_function", "timestamp", "values here are");
    wrong("uint(1)", "unknown_function", "uint", "");
    wrong("cel.bnd(x, 1, x)", "unknown_function", "bnd", "");
    wrong(
        "s.name.replace('a')",
        "wrong_arguments",
        "replace",
        "string.replace(from: string, to: string)",
    );
    wrong("s.name.startsWith(1)", "wrong_arguments", "1", "string(1)");
    wrong("size(1)", "wrong_arguments", "1", "");
    wrong("s.?label.upper()", "wrong_arguments", "label", "orValue");
    wrong("[1].join()", "wrong_arguments", "[", "");
    wrong("cores('x')", "wrong_arguments", "'x'", "");
    wrong("s.?bore.orValue('x')", "wrong_arguments", "'x'", "");
    wrong("'a'.matches('(')", "bad_pattern", "'('", "");
}

#[test]
fn the_graph_is_asked_by_name() {
    wrong("reach(s, 'sends_too')", "unknown_edge", "'sends_too'", "`sends_to`");
    wrong("reach(s, s.name)", "not_literal", "name", "");
    wrong("reach(1, 'sends_to')", "wrong_arguments", "1", "");
    wrong("nodes('tank')", "not_anchored", "nodes", "(p:project)");
    wrong("layers('sends_to')", "not_anchored", "layers", "");
    wrong("longest(s, 'sends_to', 'mode')", "unknown_member", "'mode'", "");
    wrong("longest(s, 'sends_to', 'x')", "unknown_member", "'x'", "");
    wrong("code('perl', '1')", "unknown_language", "'perl'", "");
    wrong("quote('ini', '1')", "unknown_language", "'ini'", "");
    let (_, problems) = compile_in("nodes('tnk')", ProjectScope::Anchored);
    assert_eq!(problems[0].code, "expression::unknown_kind");
}

#[test]
fn what_may_be_absent_must_be_asked_for() {
    wrong("s.label == 'x'", "may_be_absent", "label", "has(s.label)");
    wrong("s.home.value", "may_be_absent", "home", "s.?home.orValue");
    wrong("s.label == 'x' && has(s.label)", "may_be_absent", "label", "");
    wrong("has(s.label) || s.label == 'x'", "may_be_absent", "label", "");
    wrong("has(s.label) ? 'x' : s.label", "may_be_absent", "label", "");
    wrong("s.env['PEER']", "may_be_absent", "'PEER'", "has(s.env['PEER'])");
    wrong("names.map(n, s.ports[n].port)", "may_be_absent", "[", "`n in s.ports`");
    wrong("has(b.label) && s.label == 'x'", "may_be_absent", "label", "");
    wrong("s.raw.x", "may_be_absent", "raw", "");
    wrong(
        "s.tag.map(s, s.value) == [] || s.label == ''",
        "may_be_absent",
        "label",
        "",
    );
    wrong("s.?label", "wrong_type", "label", "orValue");
    wrong("s.?bore > 1", "wrong_type", "bore", "orValue");
    for right in [
        "has(s.label) && s.label == 'x'",
        "!has(s.label) || s.label == 'x'",
        "has(s.label) ? s.label : 'x'",
        "!has(s.label) ? 'x' : s.label",
        "!(!has(s.label) || !has(b.label)) && s.label == b.label",
        "has(s.home.value) && s.home.value == 'x'",
        "'PEER' in s.env && s.env.PEER == 'x'",
        "s.ports.filter(p, has(s.ports[p].static)).map(p, s.ports[p].port).size() == 1",
        "s.waits_for.filter(w, has(w.why)).map(w, w.why).size() == 1",
        "s.waits_for.filter(w, has(w.why)).sortBy(w, w.node.name)[0].node.name == 'x'",
        "s.waits_for.map(w, has(w.why), w.why).size() == 1",
        "s.?label.hasValue() && s.label == 'x'",
        "names.filter(n, n in s.ports).all(n, n in s.ports && s.ports[n].port > 1)",
        "cel.bind(x, s.scaling, has(x.max) && x.max > 1)",
        "has(s.scaling.max) && cel.bind(x, s.scaling, x.max > 1)",
    ] {
        let (expression, problems) = compile(right);
        assert!(expression.is_some(), "{right}: {problems:#?}");
    }
}

#[test]
fn types_must_fit() {
    wrong("s.name + 1", "wrong_type", "+", "string(1)");
    wrong("1 + s.name", "wrong_type", "+", "string(1)");
    wrong("s.cpu + s.memory", "wrong_type", "+", "");
    wrong("s.cpu > s.memory", "wrong_type", ">", "");
    wrong("s.name > 1", "wrong_type", ">", "");
    wrong("!s.name", "wrong_type", "name", "!= ''");
    wrong("s.bore && true", "wrong_type", "bore", "> 0");
    wrong("s.tags ? 1 : 2", "wrong_type", "tags", "size");
    wrong("true ? 1 : 'a'", "wrong_type", "?", "dyn");
    wrong("-s.name", "wrong_type", "name", "");
    wrong("s.tags['x']", "wrong_type", "'x'", "");
    wrong("s.env[1]", "wrong_type", "1", "");
    wrong("s.bore[0]", "wrong_type", "[", "");
    wrong("s.bore.map(x, x)", "wrong_type", "bore", "");
    wrong("'a' in s.name", "wrong_type", "in", "contains");
    wrong("{1: 2}", "wrong_type", "1", "quotes");
    wrong("1u", "syntax", "1u", "");
    wrong("b'x'", "syntax", "b'x'", "");
    wrong("X{a: 1}", "syntax", "{", "");
    wrong("(has(s.label) ? 1 : null) + 1", "wrong_type", "+", "null");
    wrong("s.?bore ? 1 : 2", "wrong_type", "bore", "");
}

#[test]
fn comparisons_must_be_able_to_hold() {
    wrong("s.bore == '80'", "never_equal", "==", "without quotes");
    wrong("s.name == 1", "never_equal", "==", "in quotes");
    wrong("s == t", "never_equal", "==", "");
    wrong("s.tags == 'x'", "never_equal", "==", "");
    wrong("s.bore == null", "never_equal", "==", "has(");
    wrong("s.?mode.orValue('push') == 1", "never_equal", "==", "");
    wrong("has(s.mode) && s.mode == 'pul'", "never_equal", "==", "`pull`");
    wrong("'tubs' in s.platforms", "never_equal", "in", "`tubes`");
    wrong("1 in s.tags", "never_equal", "in", "");
    wrong("1 in s.env", "never_equal", "in", "");
}

#[test]
fn macros_must_be_written_so() {
    wrong("has(s)", "bad_macro", "s", "");
    wrong("has(s.a, s.b)", "bad_macro", "has", "");
    wrong("names.map(1, 2)", "bad_macro", "1", "");
    wrong("names.map(x)", "bad_macro", "map", "map(x, result)");
    wrong("s.env.all(k, k, true)", "bad_macro", "k", "");
    wrong("names.filter(n, n)", "wrong_type", "n", "");
    wrong("names.map(n, s.?label)", "wrong_type", "label", "orValue");
    wrong("names.transformMapEntry(i, n, n)", "wrong_type", "n", "");
}

#[test]
fn syntax_is_explained() {
    wrong("", "syntax", "", "");
    wrong("a +", "syntax", "", "");
    wrong("s.name = 'x'", "syntax", "=", "==");
    wrong("s.name and true", "syntax", "and", "&&");
    wrong("'abc", "syntax", "'abc", "");
    wrong("names[0", "syntax", "", "");
    wrong("s.bore > 1)", "syntax", ")", "");
    wrong("ñ", "syntax", "ñ", "");
    wrong("99999999999999999999", "syntax", "99999999999999999999", "");
    wrong("1e999", "syntax", "1e999", "");
}

#[test]
fn deep_sources_are_refused() {
    for source in [
        format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("1{}", " + 1".repeat(10_000)),
        format!("s{}", ".a".repeat(10_000)),
        format!("{}true", "!".repeat(10_000)),
        format!("{}1", "true ? 1 : ".repeat(5_000)),
        format!("{}1", "-".repeat(10_000)),
        format!("names{}", "[0]".repeat(10_000)),
        "(".repeat(100_000),
        "x".repeat(100_000),
    ] {
        let (expression, problems) = compile(&source);
        assert!(expression.is_none());
        assert_eq!(problems[0].code, "expression::too_deep", "{}", &source[..20]);
    }
    for source in [
        format!("{}1{}", "(".repeat(48), ")".repeat(48)),
        format!("1{}", " + 1".repeat(199)),
        format!("{}1", "true ? 1 : ".repeat(60)),
        format!("{}1{}", "[".repeat(48), "]".repeat(48)),
    ] {
        let (expression, problems) = compile(&source);
        assert!(expression.is_some(), "{problems:#?}");
    }
}

#[test]
fn sources_that_double_are_refused() {
    for (start, step) in [
        ("[1]", "[x, x]"),
        ("[1]", "{'a': x, 'b': x}"),
        ("s", "{'a': x, 'b': x}"),
        ("[s]", "true ? [x, x] : [x]"),
        ("s", "[x, x].map(y, {'a': y, 'b': y})"),
        ("[s]", "true ? [dyn(x)] : [dyn(x)]"),
    ] {
        let source = (0..40).fold(start.to_owned(), |inner, _| format!("cel.bind(x, {inner}, {step})"));
        let (expression, problems) = compile(&source);
        assert!(expression.is_none(), "{step}");
        assert_eq!(problems[0].code, "expression::too_deep", "{step}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let (_, problems) = compile("s.nope + s.bore.x > nofn(1) ? zz : s.label");
    let codes: Vec<&str> = problems.iter().map(|it| &*it.code).collect();
    assert_eq!(
        codes,
        [
            "expression::unknown_member",
            "expression::unknown_member",
            "expression::unknown_function",
            "expression::unknown_name",
            "expression::may_be_absent"
        ]
    );
}
