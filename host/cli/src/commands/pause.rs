use std::process::ExitCode;

use anyhow::Result;

use crate::order::{How, Order, said};

/// Pause a strategy: it takes no new risk until a person resumes it; its exits go on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard pause --strategy grid --reason \"not before the fork\"\n\n\
                  Exits with 0 when it takes no new risk then, also if it was paused or halted before.")]
pub(crate) struct Args {
    /// The strategy's name.
    #[arg(long, value_name = "NAME", value_parser = said)]
    strategy: String,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = said, default_value = "paused by a person")]
    reason: String,
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let order = Order::new(&args.how, Some(&args.strategy), &args.reason)?;
    order.tell(&order.pause()?)?;
    Ok(ExitCode::SUCCESS)
}
