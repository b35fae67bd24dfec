use std::process::ExitCode;

use anyhow::Result;

use crate::order::{How, Order, said};

/// Let the account, or one strategy, trade again after a halt, a pause, a drawdown or an open circuit breaker. What it may lose
/// is measured anew from here on.
///
/// The account's own resuming takes the file KILL away; strategies that were halted stay so until each is resumed. What cannot be
/// read begins anew.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard resume --reason \"the feed was wrong; it is right again\"\n  tiltyard resume --strategy grid --reason \"limits are fixed\"\n\n\
                  Exits with 1 when there is nothing to resume, or the circuit breaker still cools down."
)]
pub(crate) struct Args {
    /// The strategy's name; the account without it.
    #[arg(long, value_name = "NAME", value_parser = said)]
    strategy: Option<String>,
    /// What was found, and what was done about it.
    #[arg(long, value_name = "TEXT", value_parser = said)]
    reason: String,
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let order = Order::new(&args.how, args.strategy.as_deref(), &args.reason)?;
    order.tell(&order.resume()?)?;
    Ok(ExitCode::SUCCESS)
}
