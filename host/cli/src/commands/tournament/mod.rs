//! Tournaments of a workspace.

mod board;
mod hold;
mod list;
mod page;
mod run;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

pub(crate) use board::tell;
pub(crate) use hold::{Held, contest, hold};

/// Variants of strategies against each other on the workspace's data: run one, list them, show one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// The workspace; by default the nearest folder upward with a tiltyard.toml.
    #[arg(long, global = true, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Where compiled code is kept; by default the user's cache folder.
    #[arg(long, global = true, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Run(Box<run::Args>),
    List(list::Args),
    Show(show::Args),
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::find(args.workspace.as_deref())?;
    match &args.verb {
        Verb::Run(verb) => run::run(verb, &workspace, args.cache.as_deref(), args.json),
        Verb::List(verb) => list::run(verb, &workspace, args.json),
        Verb::Show(verb) => show::run(verb, &workspace, args.cache.as_deref(), args.json),
    }
}
