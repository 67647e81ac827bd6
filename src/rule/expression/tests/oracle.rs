//! The crate's own evaluator as the judge of ours: on plain CEL both say the same.

use super::world::{bound, compile};
use crate::value::{Double, Name, Value};

fn ours(value: cel::Value) -> Value {
    match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(it) => Value::Bool(it),
        cel::Value::Int(it) => Value::Int(it),
        cel::Value::Float(it) => Value::Double(Double(it)),
        cel::Value::String(it) => Value::from(&**it),
        cel::Value::List(it) => Value::list(it.iter().cloned().map(ours)),
        cel::Value::Map(it) => it
            .map
            .iter()
            .map(|(key, it)| (Name::from(key.to_string()), ours(it.clone())))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn plain_cel_means_what_the_crate_says() {
    for source in [
        "1 + 2 * 3 - 4 / 2 % 3",
        "-(1 + 2)",
        "--1",
        "!true || !!true",
        "1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2",
        "'a' < 'b' && 'B' < 'a'",
        "1 == 1.0 && 1 != 2",
        "1 < 1.5",
        "-7 / 2",
        "-7 % 3",
        "7.0 / 2.0",
        "1e3 + 0.5",
        "0x1F",
        "'a' + \"b\" + '''c\nd''' + r'\\n'",
        r"'\n\t\\\'\u00e9\x41\101'",
        "[1, 2] + [3]",
        "[1, 2, 3][1]",
        "{'a': 1, 'b': {'c': [true]}}",
        "{'a': 1}.a",
        "{'a': {'b': 2}}.a.b",
        "'a' in {'a': 1}",
        "2 in [1, 2] && !(3 in [1, 2])",
        "true ? 'x' : 'y'",
        "false ? 1 : true ? 2 : 3",
        "has({'a': 1}.a)",
        "[1, 2, 3].map(x, x * 2)",
        "[1, 2, 3].map(x, x > 1, x * 2)",
        "[1, 2, 3].filter(x, x % 2 == 1)",
        "[1, 2, 3].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x == 2)",
        "{'a': 1, 'b': 2}.all(k, k != 'c')",
        "{'a': 1}.map(k, k + '!')",
        "[[1, 2], [3]].map(x, x.map(y, y + 1))",
        "[1].map(x, [2].map(x, x))",
        "size('añ') + size([1]) + size({'a': 1})",
        "'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')",
        "'abc'.matches('b') && !'abc'.matches('^b')",
        "int('42') + int(2.9) + int(-2.9)",
        "double('2.5') + double(2)",
        "string(12) + string(true) + string('x')",
        "[1, 2] == [1, 2] && {'a': 1} == {'a': 1} && [1] != [2]",
        "1 / 0 == 1 || true",
        "false && 1 / 0 == 1",
        "[0, 2].exists(x, 4 / x == 2)",
        "[{'a': 1}].exists(x, has(x.a) && x.a == 1)",
    ] {
        let expected = cel::Env::stdlib()
            .compile(source)
            .unwrap()
            .execute(&cel::Context::default())
            .map(ours)
            .unwrap_or_else(|it| panic!("{source}: {it}"));
        let (expression, problems) = compile(source);
        let expression = expression.unwrap_or_else(|| panic!("{source}: {problems:#?}"));
        assert_eq!(bound(|it| expression.evaluate(it)), Ok(expected), "{source}");
    }
}
