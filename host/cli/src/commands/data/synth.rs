use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde_json::json;
use tiltyard_market::{Contradictions, Key, Origin, RawBars, Series, SyntheticMarket, parse_date};
use tiltyard_model::{Interval, Nanos};

use super::{KeptRow, changed, interval, kept_lines};
use crate::print;
use crate::workspace::Workspace;

/// Make up markets with the traits of real ones, and keep them, labelled as synthetic.
///
/// The same seed makes the same bars on every machine. More bars or symbols of the same seed extend what is there.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard data synth\n  tiltyard data synth --symbols 10 --bars 20000 --seed 7 --venue synthetic-7"
)]
pub(super) struct Args {
    /// How many markets, from SYN1-USD on.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    symbols: u16,
    /// Bars of each.
    #[arg(long, default_value_t = 8_760, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    bars: u32,
    /// What random numbers are drawn from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How long a bar is.
    #[arg(long, default_value = "1h", value_parser = interval)]
    interval: Interval,
    /// When the first bar opens (UTC).
    #[arg(long, default_value = "2020-01-01", value_name = "DATE", value_parser = date)]
    begin: Nanos,
    /// The venue under whose name they are kept; it begins with `synthetic`.
    #[arg(long, default_value = SyntheticMarket::VENUE)]
    venue: String,
    /// Say what would happen, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

fn date(text: &str) -> Result<Nanos, String> {
    parse_date(text).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args, workspace: &Workspace, json: bool) -> Result<ExitCode> {
    ensure!(
        args.venue.starts_with(SyntheticMarket::VENUE),
        "--venue {} does not begin with `{}`, so that one could take it for a market",
        args.venue,
        SyntheticMarket::VENUE
    );
    let market = SyntheticMarket { begin: args.begin, ..SyntheticMarket::new(args.seed, args.interval) };
    let catalog = workspace.catalog()?;
    let origin = Origin { sources: vec![format!("made up from seed {}", args.seed)], synthetic: Some(market.label()) };
    // What cannot be kept is known before anything is.
    let keep = |at: usize, dry_run: bool| -> Result<KeptRow> {
        let key = Key::new(&args.venue, &SyntheticMarket::symbol(at), args.interval)?;
        let bars = market.bars(at, args.bars as usize);
        let series = Series::new(RawBars::of(&key.to_string(), bars.iter()), key.length())?;
        let kept = if dry_run {
            catalog.would_keep(&key, &series, &origin, Contradictions::Refused)?
        } else {
            catalog.keep(&key, &series, &origin, Contradictions::Refused)?
        };
        Ok(kept.into())
    };
    let mut rows = (0..args.symbols.into()).map(|at| keep(at, true)).collect::<Result<Vec<_>>>()?;
    if !args.dry_run {
        rows = (0..args.symbols.into()).map(|at| keep(at, false)).collect::<Result<Vec<_>>>()?;
    }
    if json {
        let document = json!({"dry_run": args.dry_run, "kept": rows});
        print::out(&serde_json::to_string_pretty(&document)?);
    } else {
        let lines = rows.iter().flat_map(kept_lines).chain([changed(&catalog, args.dry_run)]);
        print::out(&lines.collect::<Vec<_>>().join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}
