use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value as Json, json};
use tiltyard_engine::{Metrics, OpenRow, Outcome, TradeRow};
use tiltyard_market::format_time;
use tiltyard_model::InstrumentKind;
use tiltyard_sandbox::{Fault, engine_version};

use super::{Prepared, Request};

/// The object that `backtest --json` prints. Others build on it: fields are added, never renamed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunDocument {
    /// Everything the results follow from, and their digest.
    pub(crate) manifest: Json,
    pub(crate) metrics: Metrics,
    pub(crate) trades: Vec<TradeRow>,
    /// What is still held at the end, marked at the last price.
    pub(crate) open: Vec<OpenRow>,
    pub(crate) fuel: u64,
    pub(crate) fault: Option<Fault>,
    /// Why the run ended early, if a limit ended it.
    pub(crate) halted: Option<String>,
}

impl RunDocument {
    pub(super) fn new(prepared: &Prepared, request: &Request, outcome: &Outcome<Fault>) -> Result<Self> {
        let record = outcome.books.records().first().context("a run without a strategy")?;
        let simulation = &prepared.market.simulation;
        Ok(Self {
            manifest: manifest(prepared, request, outcome)?,
            metrics: Metrics::of(record, &simulation.basis()),
            trades: TradeRow::all(record, &request.symbols),
            open: OpenRow::all(record, &request.symbols),
            fuel: record.fuel,
            fault: outcome.faults.first().cloned().flatten(),
            halted: record.halted_by().map(str::to_owned).filter(|_| record.fault.is_none()),
        })
    }
}

impl RunDocument {
    /// Whether any of the market was made up.
    pub(crate) fn is_synthetic(&self) -> bool {
        any_synthetic(&self.manifest)
    }
}

fn manifest(prepared: &Prepared, request: &Request, outcome: &Outcome<Fault>) -> Result<Json> {
    let admission = prepared.component.admission();
    let declared = &admission.manifest;
    let parameters = declared
        .resolve(&prepared.start.parameters)
        .map_err(|errors| anyhow::Error::msg(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    let parameters: serde_json::Map<String, Json> =
        parameters.into_iter().map(|(name, value)| Ok((name, serde_json::to_value(value)?))).collect::<Result<_>>()?;
    let simulation = &prepared.market.simulation;
    let instruments = simulation.market.iter().zip(&prepared.market.sources).map(|(traded, source)| {
        let lane = traded.lane(&simulation.window);
        let time = |at: Option<&i64>| at.map(|time| format_time(tiltyard_model::Nanos(*time)));
        let times = traded.bars.open_time();
        let mut said = json!({
            "instrument": traded.instrument,
            "rules": source.rules,
            "data": source,
            "first_bar": time(times.get(lane.from)),
            "last_bar": time(lane.to.checked_sub(1).and_then(|last| times.get(last))),
        });
        if traded.instrument.kind == InstrumentKind::Perpetual {
            said["perpetual"] = source.perpetual.clone();
        }
        said
    });
    let rules = simulation.profile.rules(simulation.costs);
    let margined = simulation.market.iter().any(|traded| traded.instrument.kind.is_margined());
    let mut manifest = json!({
        "tiltyard": env!("CARGO_PKG_VERSION"),
        "engine": engine_version(),
        "strategy": {"name": declared.name, "version": declared.version, "parameters": parameters},
        "component": admission.digest,
        "instruments": instruments.collect::<Vec<_>>(),
        "interval": request.interval,
        "window": simulation.window,
        "profile": {"name": rules.name(), "version": rules.version(), "costs": simulation.costs},
        "fee": request.fee,
        "latency": simulation.latency,
        "risk": simulation.risk,
        "cash": request.cash,
        "settlement": prepared.market.settlement,
        "periods_per_year": simulation.days_per_year,
        "delist_at_end": request.delist_at_end,
        "seed": request.seed,
        "result": outcome.books.log().digest(),
    });
    if margined {
        manifest["margin"] = json!(simulation.margin);
    }
    Ok(manifest)
}

/// What is said of a run on such a market.
pub(crate) const MADE_UP: &str = "SYNTHETIC market: prices are made up, this says nothing about the strategy";

/// Whether any of the market was made up, as the object that `backtest --json` prints has it.
pub(crate) fn is_synthetic(document: &Json) -> bool {
    any_synthetic(&document["manifest"])
}

fn any_synthetic(manifest: &Json) -> bool {
    let instruments = manifest["instruments"].as_array();
    instruments.into_iter().flatten().any(|instrument| instrument["data"]["synthetic"] == true)
}

/// A JSON value as people read it: texts without quotation marks.
pub(crate) fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How often which rule of risk was broken, in words.
pub(crate) fn broken(metrics: &Metrics) -> String {
    metrics.broken.iter().map(|(rule, times)| format!("{rule} {times}")).collect::<Vec<_>>().join(", ")
}
