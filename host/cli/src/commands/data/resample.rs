use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_market::{Contradictions, Key, Origin, RawBars, Series, resample};
use tiltyard_model::Interval;

use super::{KeptRow, Named, changed, interval, kept_lines};
use crate::print;
use crate::workspace::Workspace;

/// Make longer bars of a series, and keep them as one more.
///
/// Bars begin at whole multiples of their length in UTC, those of weeks on Mondays. The first and the last are dropped where
/// the data do not cover them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard data resample BTCUSDT --from 1m --to 1h")]
pub(super) struct Args {
    #[command(flatten)]
    series: Named,
    /// How long the bars are that there are.
    #[arg(long, value_parser = interval)]
    from: Interval,
    /// How long the bars are to become: a whole multiple.
    #[arg(long, value_parser = interval)]
    to: Interval,
    /// Let bars that contradict those that are there take their place.
    #[arg(long)]
    replace: bool,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, workspace: &Workspace, json: bool) -> Result<ExitCode> {
    let catalog = workspace.catalog()?;
    let from = args.series.key(workspace, args.from)?;
    let to: Key = args.series.key(workspace, args.to)?;
    let stored = catalog.series(&from)?;
    let resampled = resample(&stored.bars, args.from, args.to)?;
    let series = Series::new(RawBars::of(&to.to_string(), resampled.bars.iter()), to.length())?;
    let origin = Origin {
        sources: vec![format!("bars of {}, digest {}", args.from, stored.about.digest.short())],
        synthetic: stored.about.synthetic.clone(),
    };
    let contradictions = if args.replace { Contradictions::Replace } else { Contradictions::Refused };
    let kept = if args.dry_run {
        catalog.would_keep(&to, &series, &origin, contradictions)?
    } else {
        catalog.keep(&to, &series, &origin, contradictions)?
    };
    let row = KeptRow::from(kept);
    let said = resampled.to_string();
    if json {
        let document = json!({"dry_run": args.dry_run, "from": *stored.about, "kept": row, "notes": said});
        print::out(&serde_json::to_string_pretty(&document)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Vec::new();
    if !said.is_empty() {
        lines.push(format!("note: {said}"));
    }
    lines.extend(kept_lines(&row));
    lines.push(changed(&catalog, args.dry_run));
    print::out(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}
