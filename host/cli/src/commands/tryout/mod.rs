mod series;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tiltyard_engine::venue::{Costs, Latency, SimulatedVenue};
use tiltyard_engine::{
    Books, Kernel, Log, Metrics, Profile, SeatError, Simulation, Strategy, TargetPlayback, Terms, Traded, Window, probe,
};
use tiltyard_model::{Digest, Manifest, Money, Start};
use tiltyard_risk::RiskProfile;
use tiltyard_sandbox::{CacheOutcome, Component, Fault, Limits, Mode, engine_version};

use super::{read_component, sandbox};
use crate::print;
use crate::run::{Desk, Ground, parameter};

/// Run strategies over a small synthetic market, each in its own sandbox, to see that they work; the examples if none are given.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard try\n  tiltyard try my-strategy.wasm --param fast=5\n  tiltyard try --bars 500 --json"
)]
pub(crate) struct Args {
    /// Components to run instead of the examples.
    files: Vec<PathBuf>,
    /// A parameter of every component that is run.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Hourly bars of the synthetic market.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    bars: u32,
    /// Instruments that the given components trade.
    #[arg(long, default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=50))]
    instruments: usize,
    /// Where compiled code is kept; by default the user's cache folder.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Bars in a chunk of columns: what screen mode uses, and an odd number that must give the same.
const CHUNKS: [usize; 2] = [4_096, 777];
/// Cash of each strategy, in settlement currency.
const CASH: u32 = 1_000_000;

#[derive(Serialize)]
struct Report {
    market: &'static str,
    bars: usize,
    engine: &'static str,
    profile: &'static str,
    risk: String,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    strategy: String,
    instruments: usize,
    digest: Digest,
    #[serde(flatten)]
    cache: CacheOutcome,
    metrics: Metrics,
    fuel: u64,
    /// Digest of everything that happened.
    result: Digest,
    /// Whether chunks of columns led to the same trades; `null` for a strategy that takes none.
    screen_agrees: Option<bool>,
    fault: Option<Fault>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let components: Vec<(String, Vec<u8>, usize)> = if args.files.is_empty() {
        let examples = tiltyard_examples::EXAMPLES.iter();
        examples.map(|example| (example.name.to_owned(), example.component.to_vec(), example.instruments)).collect()
    } else {
        let files = args.files.iter();
        files
            .map(|path| Ok((path.display().to_string(), read_component(path)?, args.instruments)))
            .collect::<Result<_>>()?
    };
    let ground = sandbox(args.cache.as_deref())?;
    let runs = components
        .iter()
        .map(|(name, bytes, instruments)| {
            let simulation = simulation(*instruments, args.bars as usize);
            run_one(&ground, bytes, &simulation, &args.params).with_context(|| name.clone())
        })
        .collect::<Result<Vec<_>>>()?;
    let simulation = simulation(1, 0);
    let failed = runs.iter().any(|run| run.fault.is_some() || run.screen_agrees == Some(false));
    let report = Report {
        market: "synthetic",
        bars: args.bars as usize,
        engine: engine_version(),
        profile: simulation.profile.rules(simulation.costs).name(),
        risk: simulation.risk.name.clone(),
        runs,
    };
    if args.json {
        print::out(&serde_json::to_string_pretty(&report)?);
    } else {
        print::out(&summary(&report));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Synthetic markets, with the default rules and costs.
fn simulation(instruments: usize, bars: usize) -> Simulation {
    let traded = |market: usize| Traded {
        instrument: series::instrument(market),
        interval: series::INTERVAL,
        bars: Arc::new(series::bars(market, bars).collect()),
        ends: false,
        perpetual: tiltyard_engine::PerpetualSeries::default(),
    };
    Simulation {
        market: (0..instruments).map(traded).collect(),
        window: Window::default(),
        profile: Profile::default(),
        costs: Costs::default(),
        latency: Latency::default(),
        risk: RiskProfile::research(),
        seed: 0,
        days_per_year: 365.0,
        margin: tiltyard_engine::MarginTerms::default(),
    }
}

fn run_one(ground: &Ground, bytes: &[u8], simulation: &Simulation, params: &[String]) -> Result<Run> {
    let component = ground.load(bytes, Mode::Event)?;
    let manifest = &component.admission().manifest;
    let start = Start {
        instruments: simulation.instruments(),
        parameters: params.iter().map(|given| parameter(manifest, given)).collect::<Result<_>>()?,
        settlement: series::instrument(0).quote,
        seed: simulation.seed,
    };
    let mut kernel = simulation.kernel(Log::keeping())?;
    seat(&mut kernel, manifest, |desk| component.start(desk, &start, &Limits::default()))?;
    let mut outcome = simulation.play(kernel);
    let fault = outcome.faults.pop().flatten();
    let books = outcome.books;
    let screen_agrees = if component.admission().is_signal() && fault.is_none() {
        let component = ground.load(bytes, Mode::Screen)?;
        let mut agrees = true;
        for chunk in CHUNKS {
            let screened = screen(&component, &start, simulation, chunk)?;
            agrees &= probe::trading(books.log().entries(), screened.log().entries()).is_none();
        }
        Some(agrees)
    } else {
        None
    };
    let record = books.records().first().context("a run without a strategy")?;
    Ok(Run {
        strategy: format!("{} {}", manifest.name, manifest.version),
        instruments: simulation.market.len(),
        digest: component.admission().digest,
        cache: component.cache_outcome().clone(),
        metrics: Metrics::of(record, &simulation.basis()),
        fuel: record.fuel,
        result: books.log().digest(),
        screen_agrees,
        fault,
    })
}

/// Gives a strategy its seat, with its cash and the stop-loss that its manifest asks for.
fn seat<S: Strategy<Desk>, E: std::error::Error + Send + Sync + 'static>(
    kernel: &mut Kernel<SimulatedVenue, S>,
    manifest: &Manifest,
    start: impl FnOnce(&mut Desk) -> Result<S, E>,
) -> Result<()> {
    match kernel.seat(Terms::new(&manifest.name, Money(CASH.into()), manifest.host_stop), start) {
        Ok(_) => Ok(()),
        Err(SeatError::Setup(error)) => Err(error.into()),
        Err(SeatError::Start(error)) => Err(error.into()),
    }
}

/// The targets of whole chunks of columns, played back through the same kernel.
fn screen(component: &Component<Desk>, start: &Start, simulation: &Simulation, chunk: usize) -> Result<Books> {
    let bars = &simulation.market[0].bars;
    let mut desk = Desk::default();
    let mut instance = component.start(&mut desk, start, &Limits::default())?;
    let mut targets = Vec::with_capacity(bars.len());
    for from in (0..bars.len()).step_by(chunk) {
        targets.extend(instance.on_columns(&mut desk, &bars.slice(from..from + chunk))?);
    }
    let mut kernel = simulation.kernel(Log::keeping())?;
    seat(&mut kernel, &component.admission().manifest, |_| Ok::<_, Infallible>(TargetPlayback::new(targets)))?;
    Ok(simulation.play(kernel).books)
}

fn summary(report: &Report) -> String {
    let heads = [
        "strategy",
        "markets",
        "component",
        "return",
        "Sharpe",
        "drawdown",
        "trades",
        "fees",
        "fuel/bar",
        "columns",
        "result",
    ];
    let rows = report.runs.iter().map(|run| {
        let columns = match run.screen_agrees {
            None => "not a signal",
            Some(true) => "identical",
            Some(false) => "DIFFERENT",
        };
        let number =
            |figure: Option<f64>, decimals| figure.map_or("–".to_owned(), |figure| format!("{figure:.decimals$}"));
        let percent = |figure: Option<f64>| number(figure.map(|figure| figure * 100.0), 1);
        vec![
            run.strategy.clone(),
            run.instruments.to_string(),
            run.digest.short(),
            percent(run.metrics.total_return),
            number(run.metrics.sharpe, 2),
            percent(run.metrics.max_drawdown),
            run.metrics.trades.to_string(),
            format!("{:.0}", run.metrics.fees),
            (run.fuel / (report.bars * run.instruments) as u64).to_string(),
            columns.to_owned(),
            run.fault.as_ref().map_or_else(|| run.result.short(), |fault| format!("FAULT: {fault}")),
        ]
    });
    let rows: Vec<_> = std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect();
    format!(
        "{} hourly bars of SYNTHETIC markets, each strategy in its own sandbox ({})\n\n{}\n\n\
         Return and drawdown in percent, of {CASH} to begin with; fills by the profile `{}`, orders by the risk profile `{}`.\n\
         Prices are made up: this says how the machine works, nothing about the strategies.",
        report.bars,
        report.engine,
        print::table(&rows),
        report.profile,
        report.risk,
    )
}
