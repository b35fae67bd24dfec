use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_market::{Contradictions, Key, Origin, import, read_tables};
use tiltyard_model::Interval;

use super::{KeptRow, changed, file_lines, file_row, interval, kept_lines};
use crate::print;
use crate::workspace::Workspace;

/// Read files of bars, check them, and keep them as one series.
///
/// CSV with or without a header, Binance's klines, JSON arrays as ccxt gives them, Parquet; plain, gzipped or zipped. What the
/// file is follows from what is in it, and is said. Bars that are there already are no news, others extend the series.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard data import btc.csv.gz --symbol BTCUSDT\n  \
                  tiltyard data import BTCUSDT-1m-2025-*.zip --symbol BTCUSDT --venue binance --interval 1m\n  \
                  tiltyard data import btc.csv --symbol BTCUSDT --dry-run --json")]
pub(super) struct Args {
    /// The files, all of one series.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What they are of, such as BTCUSDT.
    #[arg(long)]
    symbol: String,
    /// Where it trades; by default the workspace's venue.
    #[arg(long)]
    venue: Option<String>,
    /// How long a bar is, such as 1h; by default what the data say.
    #[arg(long, value_parser = interval)]
    interval: Option<Interval>,
    /// Let bars that contradict those that are there take their place.
    #[arg(long)]
    replace: bool,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, workspace: &Workspace, json: bool) -> Result<ExitCode> {
    let mut tables = Vec::new();
    for file in &args.files {
        tables.extend(read_tables(file)?);
    }
    let import = import(tables, args.interval)?;
    let key = Key::new(workspace.venue(args.venue.as_deref()), &args.symbol, import.interval)?;
    let contradictions = if args.replace { Contradictions::Replace } else { Contradictions::Refused };
    let names = args.files.iter().filter_map(|file| file.file_name());
    let sources = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let origin = Origin { sources, synthetic: import.synthetic.clone() };
    let catalog = workspace.catalog()?;
    let kept = if args.dry_run {
        catalog.would_keep(&key, &import.series, &origin, contradictions)?
    } else {
        catalog.keep(&key, &import.series, &origin, contradictions)?
    };
    let row = KeptRow::from(kept);
    if json {
        let tables: Vec<_> = import.tables.iter().map(file_row).collect();
        let document = json!({"dry_run": args.dry_run, "files": tables, "kept": row});
        print::out(&serde_json::to_string_pretty(&document)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = file_lines(&import);
    lines.extend(kept_lines(&row));
    lines.push(changed(&catalog, args.dry_run));
    print::out(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}
