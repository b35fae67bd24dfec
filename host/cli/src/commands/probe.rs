use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde_json::json;
use tiltyard_engine::{Entry, Log, Simulation, Window, probe};
use tiltyard_market::format_time;
use tiltyard_model::Nanos;

use crate::print;
use crate::run::{Prepared, RunArgs};

/// Look for mistakes that make results too good.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Run over ever longer beginnings of the data: nothing may depend on what comes later.
    #[command(
        after_help = "Examples:\n  tiltyard probe lookahead my.wasm --symbol BTCUSDT --interval 1h --data btc.csv.gz\n  tiltyard probe lookahead my-strategy --symbol BTCUSDT --interval 1h"
    )]
    Lookahead(Lookahead),
    /// Run the same window after different amounts of history: results may not depend on how much there was.
    #[command(
        after_help = "Example:\n  tiltyard probe warmup my.wasm --symbol BTCUSDT --interval 1h --data btc.csv.gz --from 2024-01-01"
    )]
    Warmup(Warmup),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lookahead {
    #[command(flatten)]
    run: RunArgs,
    /// How many beginnings of the data.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    cuts: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Warmup {
    #[command(flatten)]
    run: RunArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// One comparison.
struct Finding {
    what: String,
    difference: Option<probe::Difference>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let (findings, json) = match args {
        Args::Lookahead(args) => (lookahead(args)?, args.json),
        Args::Warmup(args) => (warmup(args)?, args.json),
    };
    let passed = findings.iter().all(|finding| finding.difference.is_none());
    if json {
        let rows = findings.iter().map(|finding| {
            let difference = finding.difference.as_ref().map(ToString::to_string);
            json!({"what": finding.what, "difference": difference})
        });
        let document = json!({"passed": passed, "comparisons": rows.collect::<Vec<_>>()});
        print::out(&serde_json::to_string_pretty(&document)?);
    } else {
        let lines = findings.iter().map(|finding| match &finding.difference {
            None => format!("{}: identical", finding.what),
            Some(difference) => format!("{}: DIFFERENT {difference}", finding.what),
        });
        let verdict = if passed { "passed" } else { "FAILED" };
        print::out(&lines.chain([verdict.to_owned()]).collect::<Vec<_>>().join("\n"));
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn entries(prepared: &Prepared, simulation: &Simulation) -> Result<Vec<Entry>> {
    Ok(prepared.run_simulation(simulation, Log::keeping())?.books.log().entries().to_vec())
}

fn lookahead(args: &Lookahead) -> Result<Vec<Finding>> {
    let prepared = Prepared::new(&args.run.request()?, args.run.cache.as_deref())?;
    let simulation = &prepared.market.simulation;
    let full = entries(&prepared, simulation)?;
    let closes = simulation.market.iter().flat_map(|traded| {
        let lane = traded.lane(&simulation.window);
        traded.bars.open_time()[lane.from..lane.to].iter().map(|open| Nanos(*open) + traded.interval)
    });
    let mut closes: Vec<Nanos> = closes.collect();
    closes.sort_unstable();
    closes.dedup();
    let cuts = args.cuts as usize;
    let mut findings = Vec::new();
    for cut in 1..=cuts {
        // Beginnings of even lengths; the whole is not one of them.
        let Some(until) = (closes.len() * cut / (cuts + 1)).checked_sub(1).map(|at| closes[at]) else { continue };
        let window = Window { to: Some(until), ..simulation.window };
        let prefix = entries(&prepared, &Simulation { window, ..simulation.clone() })?;
        findings.push(Finding {
            what: format!("up to {}", format_time(until)),
            difference: probe::lookahead(&full, &prefix, until),
        });
    }
    ensure!(
        !findings.is_empty(),
        "{} instants are too few for {cuts} cuts; give more data or fewer --cuts",
        closes.len()
    );
    Ok(findings)
}

fn warmup(args: &Warmup) -> Result<Vec<Finding>> {
    let prepared = Prepared::new(&args.run.request()?, args.run.cache.as_deref())?;
    let simulation = &prepared.market.simulation;
    let least = simulation.window.warm_up_bars;
    let before = simulation.market.iter().map(|traded| traded.lane(&simulation.window).from);
    let available = before.min().unwrap_or_default();
    ensure!(
        simulation.window.from.is_some() && available > least,
        "there are {available} bars before the window, and the strategy is warmed up with {least}; give a later --from, so that \
         there is more history to compare with"
    );
    let base = entries(&prepared, simulation)?;
    let mut findings = Vec::new();
    let mut longer = vec![least + 1, (2 * least).min(available), available];
    longer.retain(|bars| *bars > least);
    longer.dedup();
    for bars in longer {
        let window = Window { warm_up_bars: bars, ..simulation.window };
        let entries = entries(&prepared, &Simulation { window, ..simulation.clone() })?;
        findings.push(Finding {
            what: format!("{least} bars of history against {bars}"),
            difference: probe::trading(&base, &entries),
        });
    }
    Ok(findings)
}
