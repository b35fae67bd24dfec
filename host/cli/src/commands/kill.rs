use std::process::ExitCode;

use anyhow::Result;

use crate::order::{How, Order, said};

/// Pull the kill switch: everything is cancelled and closed, and the account halted until a person resumes.
///
/// Makes the file KILL in the workspace first, whose words are when and why. While it exists the account is halted, whatever
/// else is kept, so `touch KILL` does it too. Then the halt is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard kill\n  tiltyard kill --reason \"orders that nobody understands\"")]
pub(crate) struct Args {
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = said, default_value = "killed by a person")]
    reason: String,
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let order = Order::new(&args.how, None, &args.reason)?;
    order.tell(&order.kill()?)?;
    Ok(ExitCode::SUCCESS)
}
