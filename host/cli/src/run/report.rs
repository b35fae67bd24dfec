use std::sync::Arc;

use tiltyard_engine::Outcome;
use tiltyard_market::format_time;
use tiltyard_model::{Instrument, Nanos, to_f64};
use tiltyard_report::{InstrumentBars, RunReport};
use tiltyard_sandbox::Fault;

use super::result::plain;
use super::tape::TapeRun;
use super::{Prepared, Ready, RunDocument};

impl Ready {
    /// What the HTML report of a run is made of.
    pub(crate) fn report(&self, outcome: &Outcome<Fault>, document: &RunDocument) -> RunReport {
        let scene = match self {
            Self::Bars(run) => run.scene(),
            Self::Tapes(run) => run.scene(),
        };
        let declared = match self {
            Self::Bars(run) => run.entrant.manifest(),
            Self::Tapes(run) => run.entrant.manifest(),
        };
        let symbols: Vec<&str> = scene.instruments.iter().map(|instrument| instrument.symbol.as_str()).collect();
        let text = |at: &str| document.manifest.pointer(at).map(plain).unwrap_or_default();
        let parameters = document.manifest["strategy"]["parameters"].as_object().into_iter().flatten();
        let curve = outcome.books.records().first().map(|record| record.curve.as_slice()).unwrap_or_default();
        RunReport {
            title: format!("{} on {}", declared.name, symbols.join(", ")),
            strategy: declared.name.clone(),
            version: declared.version.clone(),
            parameters: parameters.map(|(name, value)| (name.clone(), plain(value))).collect(),
            hypothesis: Some(declared.hypothesis.clone()),
            instruments: scene.instruments,
            synthetic: document.is_synthetic(),
            window: scene.window,
            profile: format!("{} {}", text("/profile/name"), text("/profile/version")),
            risk: text("/risk/name"),
            costs: scene.costs,
            manifest: document.manifest.clone(),
            equity: curve.iter().map(|sample| (sample.time, sample.equity)).collect(),
            trades: document.trades.clone(),
            open: document.open.clone(),
            metrics: document.metrics.clone(),
            fault: document.fault.as_ref().map(ToString::to_string),
            halted: document.halted.clone(),
            violations: document.metrics.broken.clone().into_iter().collect(),
        }
    }
}

/// What a report says of the market.
struct Scene {
    instruments: Vec<InstrumentBars>,
    window: String,
    costs: String,
}

impl Prepared {
    fn scene(&self) -> Scene {
        let simulation = &self.market.simulation;
        let instruments = simulation.market.iter().map(|traded| {
            let lane = traded.lane(&simulation.window);
            let bars = Arc::new(traded.bars.slice(lane.from..lane.to));
            InstrumentBars { symbol: traded.instrument.symbol.clone(), bars, interval: traded.interval }
        });
        let costs = simulation.costs;
        let mut parts = vec![fees(simulation.market.iter().map(|traded| &traded.instrument))];
        for (name, fraction) in
            [("slippage", costs.slippage), ("half spread", costs.half_spread), ("impact", costs.impact)]
        {
            parts.push(format!("{name} {}", points(to_f64(fraction))));
        }
        Scene {
            instruments: instruments.collect(),
            window: window(simulation.window.from, simulation.window.to),
            costs: parts.join("; "),
        }
    }
}

impl TapeRun {
    /// A tape has no bars to draw.
    fn scene(&self) -> Scene {
        let instruments = self.simulation.instruments.iter().map(|instrument| InstrumentBars {
            symbol: instrument.symbol.clone(),
            bars: Arc::default(),
            interval: self.simulation.sampling,
        });
        let (first, last) = self.span();
        Scene {
            instruments: instruments.collect(),
            window: window(Some(first), Some(last)),
            costs: fees(&self.simulation.instruments),
        }
    }
}

/// The fees of these, in words.
fn fees<'a>(instruments: impl IntoIterator<Item = &'a Instrument>) -> String {
    let of = |instrument: &Instrument| match instrument {
        Instrument { maker_fee, taker_fee, .. } if maker_fee == taker_fee => points(*taker_fee),
        Instrument { maker_fee, taker_fee, .. } => format!("{} to {}", points(*maker_fee), points(*taker_fee)),
    };
    let mut fees: Vec<String> = instruments.into_iter().map(of).collect();
    fees.dedup();
    format!("fee {}", fees.join(", "))
}

/// A fraction in basis points, in words.
pub(crate) fn points(fraction: f64) -> String {
    format!("{} bps", shortest(fraction * 10_000.0))
}

/// A number of basis points without the last digits of a binary fraction.
fn shortest(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn window(from: Option<Nanos>, to: Option<Nanos>) -> String {
    let from = from.map_or("the beginning of the data".to_owned(), format_time);
    format!("{from} to {}", to.map_or("the end of the data".to_owned(), format_time))
}
