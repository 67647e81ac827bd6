//! `gen schema`: the JSON Schema of the spec, for editors to complete from.

use clap::Args;

use super::super::report::Exit;
use super::Session;

/// Print the JSON Schema of the spec
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {}

pub(super) fn run(_: &SchemaArgs, session: &mut Session) -> Exit {
    let answer = session.engine.schema();
    session.show(answer, |schema| {
        session.report.result(&format!("{schema:#}\n"));
        Exit::Done
    })
}
