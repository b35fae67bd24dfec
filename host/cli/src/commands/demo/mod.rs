mod series;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tiltyard_model::{Columns, Digest, Start, Value};
use tiltyard_sandbox::{CacheOutcome, Component, Fault, Limits, Mode, Played, Sandbox, Tape, engine_version};

use super::{read_component, sandbox};
use crate::print;

/// Run the example strategies over a small synthetic market, each in its own sandbox.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard demo\n  tiltyard demo my-strategy.wasm --param fast=5\n  tiltyard demo --bars 500 --json"
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
    /// Where compiled code is kept; by default the user's cache folder.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Bars in a chunk of columns: what screen mode uses, and an odd number that must give the same.
const CHUNKS: [usize; 2] = [4_096, 777];

#[derive(Serialize)]
struct Report {
    market: &'static str,
    bars: usize,
    engine: &'static str,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    strategy: String,
    digest: Digest,
    #[serde(flatten)]
    cache: CacheOutcome,
    requests: u64,
    /// Changes of a signal strategy's target.
    changes: u64,
    fuel: u64,
    /// Digest of everything the strategy asked for, said and answered.
    result: Digest,
    /// Whether chunks of columns gave the same targets; `null` for a strategy that takes none.
    screen_agrees: Option<bool>,
    fault: Option<Fault>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let components: Vec<(String, Vec<u8>)> = if args.files.is_empty() {
        let examples = tiltyard_examples::EXAMPLES.iter();
        examples.map(|example| (example.name.to_owned(), example.component.to_vec())).collect()
    } else {
        let files = args.files.iter();
        files.map(|path| Ok((path.display().to_string(), read_component(path)?))).collect::<Result<_>>()?
    };
    let sandbox = sandbox(args.cache.as_deref())?;
    let bars: Columns = series::bars(args.bars as usize).collect();
    let runs = components
        .iter()
        .map(|(name, bytes)| run_one(&sandbox, bytes, &bars, &args.params).with_context(|| name.clone()))
        .collect::<Result<Vec<_>>>()?;
    let failed = runs.iter().any(|run| run.fault.is_some() || run.screen_agrees == Some(false));
    let report = Report { market: "synthetic", bars: bars.len(), engine: engine_version(), runs };
    if args.json {
        print::out(&serde_json::to_string_pretty(&report)?);
    } else {
        print::out(&summary(&report));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn run_one(sandbox: &Sandbox<Tape>, bytes: &[u8], bars: &Columns, params: &[String]) -> Result<Run> {
    let component = sandbox.load(bytes, Mode::Event)?;
    let manifest = &component.admission().manifest;
    let start = Start {
        instruments: vec![(series::instrument(), series::INTERVAL)],
        parameters: params.iter().map(|given| parameter(manifest, given)).collect::<Result<_>>()?,
        settlement: series::instrument().quote,
        seed: 0,
    };
    let event = Played::run(&component, &start, bars, &Limits::default())?;
    let screen_agrees = if component.admission().is_signal() && event.fault.is_none() {
        let component = sandbox.load(bytes, Mode::Screen)?;
        let mut agrees = true;
        for chunk in CHUNKS {
            agrees &= same_targets(&event.targets, &screen(&component, &start, bars, chunk)?);
        }
        Some(agrees)
    } else {
        None
    };
    let changes = event.targets.windows(2).filter(|pair| pair[0].to_bits() != pair[1].to_bits()).count() as u64;
    Ok(Run {
        strategy: format!("{} {}", manifest.name, manifest.version),
        digest: component.admission().digest,
        cache: component.cache_outcome().clone(),
        requests: event.tape.requests(),
        changes,
        fuel: event.fuel,
        result: event.tape.digest(),
        screen_agrees,
        fault: event.fault,
    })
}

fn parameter(manifest: &tiltyard_model::Manifest, given: &str) -> Result<(String, Value)> {
    let (name, value) = given.split_once('=').with_context(|| format!("`{given}` is not of the form NAME=VALUE"))?;
    Ok((name.to_owned(), manifest.parameter(name)?.parse(value)?))
}

/// One call a chunk.
fn screen(component: &Component<Tape>, start: &Start, bars: &Columns, chunk: usize) -> Result<Vec<f64>> {
    let mut tape = Tape::new(start.instruments.len(), Tape::CASH);
    let mut instance = component.start(&mut tape, start, &Limits::default())?;
    let mut targets = Vec::with_capacity(bars.len());
    for from in (0..bars.len()).step_by(chunk) {
        targets.extend(instance.on_columns(&mut tape, &bars.slice(from..from + chunk))?);
    }
    Ok(targets)
}

/// The same targets, where one NaN is like another: screen mode does not make them canonical.
fn same_targets(left: &[f64], right: &[f64]) -> bool {
    let same = |(left, right): (&f64, &f64)| left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan();
    left.len() == right.len() && left.iter().zip(right).all(same)
}

fn summary(report: &Report) -> String {
    let heads = ["strategy", "component", "requests", "target changes", "fuel/bar", "columns", "result"];
    let rows = report.runs.iter().map(|run| {
        let columns = match run.screen_agrees {
            None => "not a signal",
            Some(true) => "identical",
            Some(false) => "DIFFERENT",
        };
        vec![
            run.strategy.clone(),
            run.digest.short(),
            run.requests.to_string(),
            run.changes.to_string(),
            (run.fuel / report.bars as u64).to_string(),
            columns.to_owned(),
            run.fault.as_ref().map_or_else(|| run.result.short(), |fault| format!("FAULT: {fault}")),
        ]
    });
    let rows: Vec<_> = std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect();
    format!(
        "{} hourly bars of a SYNTHETIC market, each strategy in its own sandbox ({})\n\n{}\n\n\
         `requests` counts calls of the orders interface, `target changes` a signal's changes of mind. Nothing was traded:\n\
         this version runs strategies, it does not fill orders yet. The same component gives the same result, bit by bit.",
        report.bars,
        report.engine,
        print::table(&rows),
    )
}
