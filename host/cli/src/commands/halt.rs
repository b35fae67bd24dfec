use std::process::ExitCode;

use anyhow::Result;

use crate::order::{How, Order, said};

/// Halt the account, or one strategy: no order of it passes until a person resumes; whoever trades takes its orders back and
/// closes what it holds.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard halt --reason \"the feed is wrong\"\n  tiltyard halt --strategy grid --reason \"it orders too much\" --dry-run\n\n\
                  Exits with 0 when it is halted then, also if it was before."
)]
pub(crate) struct Args {
    /// The strategy's name; the whole account without it.
    #[arg(long, value_name = "NAME", value_parser = said)]
    strategy: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = said)]
    reason: String,
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let order = Order::new(&args.how, args.strategy.as_deref(), &args.reason)?;
    order.tell(&order.halt()?)?;
    Ok(ExitCode::SUCCESS)
}
