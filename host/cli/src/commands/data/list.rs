use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_market::format_time;

use crate::print;
use crate::workspace::Workspace;

/// List the series that are kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard data list --json")]
pub(super) struct Args {}

const HEADS: [&str; 8] = ["venue", "symbol", "interval", "bars", "first", "last", "missing", "digest"];

pub(super) fn run(_: &Args, workspace: &Workspace, json: bool) -> Result<ExitCode> {
    let catalog = workspace.catalog()?;
    let (mut series, mut problems) = (Vec::new(), Vec::new());
    for entry in catalog.list()? {
        match entry.about {
            Ok(about) => series.push(about),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if json {
        print::out(&serde_json::to_string_pretty(&json!({"series": series, "problems": problems}))?);
    } else if series.is_empty() && problems.is_empty() {
        print::out(&format!(
            "{} is empty; fill it with `tiltyard data import` or `tiltyard data synth`",
            catalog.folder().display()
        ));
    } else {
        let rows = series.iter().map(|about| {
            vec![
                about.venue.clone(),
                about.symbol.clone(),
                about.interval.to_string(),
                about.bars.to_string(),
                format_time(about.first),
                format_time(about.last),
                about.report.missing_bars.to_string(),
                format!("{}{}", about.digest.short(), if about.synthetic.is_some() { "  SYNTHETIC" } else { "" }),
            ]
        });
        let rows: Vec<_> = std::iter::once(HEADS.map(str::to_owned).to_vec()).chain(rows).collect();
        print::out(&print::table(&rows));
        problems.iter().for_each(|problem| print::error(problem));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
