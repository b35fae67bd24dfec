use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;
use tiltyard_market::{About, Catalog, Instruments, Key, import, read_tables};
use tiltyard_model::{Columns, Decimal, Instrument, Interval, Nanos, decimal};

use super::{described, file_lines, file_row, interval, note};
use crate::print;
use crate::workspace::Workspace;

/// Check every series that is kept, or a file that is not: damage, impossible bars, disorder, repetition, gaps, prices off the
/// tick of their time.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard data check\n  tiltyard data check --file btc.csv.gz\n  tiltyard data check --file btc.csv --interval 1h --json"
)]
pub(super) struct Args {
    /// Check this file instead, and import nothing.
    #[arg(long)]
    file: Option<PathBuf>,
    /// How long a bar of the file is; by default what its data say.
    #[arg(long, value_parser = interval, requires = "file")]
    interval: Option<Interval>,
}

pub(super) fn run(args: &Args, workspace: impl FnOnce() -> Result<Workspace>, json: bool) -> Result<ExitCode> {
    match &args.file {
        Some(file) => check_file(file, args.interval, json),
        None => check_catalog(&workspace()?, json),
    }
}

fn check_file(file: &Path, interval: Option<Interval>, json: bool) -> Result<ExitCode> {
    let import = import(read_tables(file)?, interval)?;
    let digest = import.series.digest();
    if json {
        let tables: Vec<_> = import.tables.iter().map(file_row).collect();
        let document = json!({"interval": import.interval, "files": tables, "bars": import.series.bars.len(),
            "report": import.series.report, "digest": digest});
        print::out(&serde_json::to_string_pretty(&document)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = file_lines(&import);
    lines.push(format!("  digest {digest}"));
    print::out(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// A series that can be used, and how it fits the rules of its venue.
#[derive(Serialize)]
struct Checked {
    series: About,
    /// Bars with a price off the tick that the rules of their time have; `null` where no rules are known.
    off_tick: Option<u64>,
}

fn check_catalog(workspace: &Workspace, json: bool) -> Result<ExitCode> {
    let catalog = workspace.catalog()?;
    let rules = workspace.instruments()?;
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for entry in catalog.check()? {
        match entry.about {
            Ok(series) => {
                let off_tick = off_tick(&catalog, &rules, &series)?;
                good.push(Checked { series, off_tick });
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    if json {
        print::out(&serde_json::to_string_pretty(&json!({"series": good, "problems": problems}))?);
    } else {
        let mut lines = Vec::new();
        for Checked { series, off_tick } in &good {
            lines.push(described(series));
            lines.extend(note(&series.report));
            lines.extend(
                off_tick.filter(|bars| *bars > 0).map(|bars| format!("  note: {bars} bars have prices off the tick")),
            );
        }
        lines.push(format!("{} series are whole, {} files are not", good.len(), problems.len()));
        print::out(&lines.join("\n"));
        problems.iter().for_each(|problem| print::error(problem));
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Bars off the tick of their time, if any of it is known.
fn off_tick(catalog: &Catalog, rules: &Instruments, about: &About) -> Result<Option<u64>> {
    let key = Key::new(&about.venue, &about.symbol, about.interval)?;
    if rules.find(key.venue(), key.symbol(), about.last).is_err() {
        return Ok(None);
    }
    let bars = catalog.series(&key)?.bars;
    Ok(Some(count_off_tick(&bars, |time| rules.find(key.venue(), key.symbol(), time).ok())))
}

fn count_off_tick<'a>(bars: &Columns, rules: impl Fn(Nanos) -> Option<&'a Instrument>) -> u64 {
    let is_off = |price: f64, tick: Decimal| decimal(price).is_none_or(|price| !(price % tick).is_zero());
    let bars = bars.iter().filter(|bar| {
        let tick = rules(bar.open_time).and_then(|rules| decimal(rules.tick));
        tick.is_some_and(|tick| [bar.open, bar.high, bar.low, bar.close].iter().any(|price| is_off(*price, tick)))
    });
    bars.count() as u64
}
