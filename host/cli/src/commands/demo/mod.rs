use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use tiltyard_market::{Contradictions, Key, Origin, RawBars, Series, SyntheticMarket};
use tiltyard_model::{Interval, Nanos};

use super::sandbox;
use super::tournament::{contest, hold, tell};
use crate::print;
use crate::workspace::Workspace;

/// Make up markets and hold a tournament of all example strategies on them: the whole machine in one command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard demo\n  tiltyard demo --bars 3000 --seed 7\n  tiltyard demo --json")]
pub(crate) struct Args {
    /// The workspace that it makes or uses.
    #[arg(long, default_value = "tiltyard-demo", value_name = "DIR")]
    workspace: PathBuf,
    /// Hourly bars of each market.
    #[arg(long, default_value_t = 8_760, value_parser = clap::value_parser!(u32).range(48..=1_000_000))]
    bars: u32,
    /// What the markets are made from.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Runs at one time; 0 for one a core. Results do not depend on it.
    #[arg(long, default_value_t = 0, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1_024))]
    threads: usize,
    /// Where compiled code is kept; by default the user's cache folder.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The tournament; what depends on the flags is put in.
const SPECIFICATION: &str = include_str!("demo.toml");
/// Markets of it.
const MARKETS: usize = 6;
/// The length of its bars.
const HOUR: Interval = Interval::Only(Nanos::from_hours(1));
/// Bars from which on the last three months are left out as a holdout: six months.
const ENOUGH_FOR_A_HOLDOUT: u32 = 4_380;

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if !Workspace::is_at(&args.workspace) {
        Workspace::make(&args.workspace)?;
    }
    let workspace = Workspace::find(Some(&args.workspace))?;
    let market = SyntheticMarket::new(u64::from(args.seed), HOUR);
    // Markets of another seed or length are others: they have a venue of their own.
    let venue = format!("{}-{}-{}", SyntheticMarket::VENUE, args.seed, args.bars);
    let origin = Origin { sources: vec![format!("made up from seed {}", args.seed)], synthetic: Some(market.label()) };
    let catalog = workspace.catalog()?;
    for at in 0..MARKETS {
        let key = Key::new(&venue, &SyntheticMarket::symbol(at), HOUR)?;
        let bars = market.bars(at, args.bars as usize);
        let series = Series::new(RawBars::of(&key.to_string(), bars.iter()), key.length())?;
        catalog.keep(&key, &series, &origin, Contradictions::Refused)?;
    }
    let symbols: Vec<String> = (0..MARKETS).map(SyntheticMarket::symbol).collect();
    let holdout = if args.bars >= ENOUGH_FOR_A_HOLDOUT { 3 } else { 0 };
    let text = SPECIFICATION
        .replace("SEED", &args.seed.to_string())
        .replace("VENUE", &venue)
        .replace("SYMBOLS", &format!("{symbols:?}"))
        .replace("HOLDOUT", &holdout.to_string());
    let contest = contest("the demo", &text, &workspace, &sandbox(args.cache.as_deref())?)?;
    let held = hold(contest, &text, &workspace, args.threads, args.json)?;
    tell(&held, args.json)?;
    if !args.json {
        print::out(&format!("The data, the database and the report are in {}.", args.workspace.display()));
    }
    Ok(ExitCode::SUCCESS)
}
