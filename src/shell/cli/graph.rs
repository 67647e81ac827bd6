//! `gen graph`: the layers and cycles of the graph, drawn.

use clap::Args;

use super::super::engine::GraphForm;
use super::super::report::Exit;
use super::{AskArgs, Session};

/// Draw the graph: layers in start order, and cycles
#[derive(Debug, Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    ask: AskArgs,
    /// The form of the drawing
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: GraphForm,
}

pub(super) fn run(args: &GraphArgs, session: &mut Session) -> Exit {
    let ask = match session.ask(&args.ask) {
        Ok(ask) => ask,
        Err(exit) => return exit,
    };
    let answer = session.engine.graph(&ask, args.format);
    session.show(answer, |(text, only)| {
        session.report.result(&text);
        if let Some(environment) = only {
            session.report.note(&format!(
                "the environment `{environment}` is drawn: `--env NAME` draws another"
            ));
        }
        Exit::Done
    })
}
