use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;

use super::hold::contest;
use super::{hold, tell};
use crate::commands::sandbox;
use crate::workspace::Workspace;

/// Show a tournament that came to its end: its table, worked out again from what was kept, and its report.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard tournament show\n  tiltyard tournament show 3f2a")]
pub(super) struct Args {
    /// The beginning of its digest; by default the last one that came to its end.
    digest: Option<String>,
}

pub(super) fn run(args: &Args, workspace: &Workspace, cache: Option<&Path>, json: bool) -> Result<ExitCode> {
    let tournaments = workspace.store()?.tournaments()?;
    let wanted = args.digest.as_deref().unwrap_or_default();
    let mut ended = tournaments.iter().rev().filter(|tournament| tournament.finished.is_some());
    let tournament = ended
        .find(|tournament| tournament.id().to_string().starts_with(wanted))
        .with_context(|| format!("no tournament {wanted} came to its end; `tiltyard tournament list` shows them"))?;
    let document: Json = serde_json::from_str(&tournament.spec).context("the kept specification is damaged")?;
    let text = document["specification"].as_str().context("the kept specification is damaged")?;
    let contest = contest(&tournament.name, text, workspace, &sandbox(cache)?)?;
    ensure!(
        contest.identity(text) == tournament.spec,
        "the data, a component or the program has changed since {} was run, so that it cannot be worked out again; run it anew with the same specification",
        tournament.name
    );
    tell(&hold(contest, text, workspace, 0, json)?, json)?;
    Ok(ExitCode::SUCCESS)
}
