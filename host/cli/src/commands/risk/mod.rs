//! What the account's risk rules say and where it stands.

mod check;
mod question;
mod show;

use std::process::ExitCode;

use anyhow::Result;

/// Show where the account stands and by which limits, or ask what the rules say of an order.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    Show(show::Args),
    Check(check::Args),
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match args {
        Args::Show(args) => show::run(args),
        Args::Check(args) => check::run(args),
    }
}
