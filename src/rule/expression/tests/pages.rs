//! The pages of the documentation, held against the code.

use crate::rule::expression::markdown;

#[test]
fn the_table_of_functions_is_the_documented_one() {
    let page = include_str!("../../../../docs/language/expressions.md");
    let table = page.split_once("## Functions\n\n").map(|it| it.1);
    assert_eq!(
        table,
        Some(&*markdown()),
        "put this into docs/language/expressions.md:\n{}",
        markdown()
    );
}
