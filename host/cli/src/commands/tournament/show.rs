use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use tiltyard_tournament::trades_of;

use super::hold::contest;
use super::{hold, tell};
use crate::commands::sandbox;
use crate::run::write_trades;
use crate::workspace::Workspace;

/// Show a tournament that came to its end: its table, worked out again from what was kept, and its report.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard tournament show\n  tiltyard tournament show 3f2a\n  tiltyard tournament show --row 2 --trades second.csv"
)]
pub(super) struct Args {
    /// The beginning of its digest; by default the last one that came to its end.
    digest: Option<String>,
    /// Write the trades of a row to this CSV file: of its run or, in a walk-forward, of all windows that it was judged on.
    #[arg(long, value_name = "FILE.csv")]
    trades: Option<PathBuf>,
    /// Which row, counted from 1 as they are shown.
    #[arg(long, value_name = "ROW", default_value_t = 1, requires = "trades", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    row: usize,
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
    let held = hold(contest, text, workspace, 0, json)?;
    if let Some(path) = &args.trades {
        let rows = held.table.rows.len();
        ensure!(args.row <= rows, "--row {} is beyond the last, {rows}", args.row);
        let trades = trades_of(&held.contest, &held.table, args.row - 1, &mut workspace.store()?)?;
        write_trades(path, &trades)?;
    }
    tell(&held, json)?;
    Ok(ExitCode::SUCCESS)
}
