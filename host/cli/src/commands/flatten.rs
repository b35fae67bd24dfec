use std::process::ExitCode;

use anyhow::Result;

use crate::order::{How, Order, said};

/// Order everything to be cancelled and closed, by whoever trades next. Strategies go on afterwards; `halt` and `kill` stop them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard flatten --reason \"over the weekend\"\n\n\
                  The order is kept until it was carried out; `tiltyard risk show` tells whether it waits.")]
pub(crate) struct Args {
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = said)]
    reason: String,
    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let order = Order::new(&args.how, None, &args.reason)?;
    order.tell(&order.flatten()?)?;
    Ok(ExitCode::SUCCESS)
}
