use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value as Json, json};
use tiltyard_engine::venue::Venue;
use tiltyard_engine::{Basis, MarginTerms, Metrics, OpenRow, Outcome, TradeRow, Window};
use tiltyard_market::format_time;
use tiltyard_model::{Instrument, InstrumentKind, Interval, Nanos};
use tiltyard_sandbox::{Fault, engine_version};

use super::entrant::Entrant;
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

/// What a run was made on, as its manifest has it.
pub(super) struct Stage {
    pub(super) instruments: Vec<Json>,
    pub(super) window: Window,
    pub(super) profile: Json,
    pub(super) settlement: String,
    /// On what margin instruments were held, if any was.
    pub(super) margin: Option<MarginTerms>,
    pub(super) basis: Basis,
}

impl RunDocument {
    pub(super) fn new<V: Venue + Send + 'static>(
        request: &Request,
        entrant: &Entrant<V>,
        stage: Stage,
        outcome: &Outcome<Fault>,
    ) -> Result<Self> {
        let record = outcome.books.records().first().context("a run without a strategy")?;
        let metrics = Metrics::of(record, &stage.basis);
        Ok(Self {
            manifest: manifest(request, entrant, stage, outcome)?,
            metrics,
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

fn manifest<V: Venue + Send + 'static>(
    request: &Request,
    entrant: &Entrant<V>,
    stage: Stage,
    outcome: &Outcome<Fault>,
) -> Result<Json> {
    let declared = entrant.manifest();
    let mut manifest = json!({
        "tiltyard": env!("CARGO_PKG_VERSION"),
        "engine": engine_version(),
        "strategy": {"name": declared.name, "version": declared.version, "parameters": entrant.parameters()?},
        "component": entrant.component.admission().digest,
        "instruments": stage.instruments,
        "interval": request.interval,
        "window": stage.window,
        "profile": stage.profile,
        "fee": request.fee,
        "latency": request.latency,
        "risk": request.risk,
        "cash": request.cash,
        "settlement": stage.settlement,
        "periods_per_year": request.days_per_year,
        "delist_at_end": request.delist_at_end,
        "seed": request.seed,
        "result": outcome.books.log().digest(),
    });
    if stage.basis.sampled {
        manifest["sampling"] = json!(Interval::Only(stage.basis.interval));
    }
    if let Some(margin) = stage.margin {
        manifest["margin"] = json!(margin);
    }
    Ok(manifest)
}

impl Prepared {
    /// What it was played on.
    pub(super) fn stage(&self) -> Stage {
        let simulation = &self.market.simulation;
        let instruments = simulation.market.iter().zip(&self.market.sources).map(|(traded, source)| {
            let lane = traded.lane(&simulation.window);
            let time = |at: Option<&i64>| at.map(|time| format_time(Nanos(*time)));
            let times = traded.bars.open_time();
            let mut said = json!({
                "instrument": traded.instrument,
                "rules": source.rules,
                "data": source,
                "first_bar": time(times.get(lane.from)),
                "last_bar": time(lane.to.checked_sub(1).and_then(|last| times.get(last))),
            });
            perpetual(&mut said, &traded.instrument, source.perpetual.clone());
            said
        });
        let rules = simulation.profile.rules(simulation.costs);
        let margined = simulation.market.iter().any(|traded| traded.instrument.kind.is_margined());
        Stage {
            instruments: instruments.collect(),
            window: simulation.window,
            profile: json!({"name": rules.name(), "version": rules.version(), "costs": simulation.costs}),
            settlement: self.market.settlement.clone(),
            margin: margined.then_some(simulation.margin),
            basis: simulation.basis(),
        }
    }
}

/// Says what a perpetual was played with beside its prices.
pub(super) fn perpetual(said: &mut Json, instrument: &Instrument, with: Json) {
    if instrument.kind == InstrumentKind::Perpetual {
        said["perpetual"] = with;
    }
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
