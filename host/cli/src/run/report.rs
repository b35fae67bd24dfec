use std::sync::Arc;

use tiltyard_engine::Outcome;
use tiltyard_market::format_time;
use tiltyard_model::{Instrument, Nanos, to_f64};
use tiltyard_report::{InstrumentBars, RunReport};
use tiltyard_sandbox::Fault;

use super::result::plain;
use super::{Prepared, RunDocument};

impl Prepared {
    /// What the HTML report of a run is made of.
    pub(crate) fn report(&self, outcome: &Outcome<Fault>, document: &RunDocument) -> RunReport {
        let simulation = &self.market.simulation;
        let declared = &self.component.admission().manifest;
        let instruments = simulation.market.iter().map(|traded| {
            let lane = traded.lane(&simulation.window);
            let bars = Arc::new(traded.bars.slice(lane.from..lane.to));
            InstrumentBars { symbol: traded.instrument.symbol.clone(), bars, interval: traded.interval }
        });
        let instruments: Vec<_> = instruments.collect();
        let symbols: Vec<&str> = instruments.iter().map(|instrument| instrument.symbol.as_str()).collect();
        let parameters = document.manifest["strategy"]["parameters"].as_object().into_iter().flatten();
        let curve = outcome.books.records().first().map(|record| record.curve.as_slice()).unwrap_or_default();
        let rules = simulation.profile.rules(simulation.costs);
        RunReport {
            title: format!("{} on {}", declared.name, symbols.join(", ")),
            strategy: declared.name.clone(),
            version: declared.version.clone(),
            parameters: parameters.map(|(name, value)| (name.clone(), plain(value))).collect(),
            hypothesis: Some(declared.hypothesis.clone()),
            instruments,
            synthetic: document.is_synthetic(),
            window: window(simulation.window.from, simulation.window.to),
            profile: format!("{} {}", rules.name(), rules.version()),
            risk: simulation.risk.name.clone(),
            costs: self.costs(),
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

    /// What trading costs, in words.
    fn costs(&self) -> String {
        let costs = self.market.simulation.costs;
        let points = |fraction: f64| format!("{} bps", shortest(fraction * 10_000.0));
        let of = |instrument: &Instrument| match instrument {
            Instrument { maker_fee, taker_fee, .. } if maker_fee == taker_fee => points(*taker_fee),
            Instrument { maker_fee, taker_fee, .. } => format!("{} to {}", points(*maker_fee), points(*taker_fee)),
        };
        let mut fees: Vec<String> = self.market.simulation.market.iter().map(|traded| of(&traded.instrument)).collect();
        fees.dedup();
        let mut parts = vec![format!("fee {}", fees.join(", "))];
        for (name, fraction) in
            [("slippage", costs.slippage), ("half spread", costs.half_spread), ("impact", costs.impact)]
        {
            parts.push(format!("{name} {}", points(to_f64(fraction))));
        }
        parts.join("; ")
    }
}

/// A number of basis points without the last digits of a binary fraction.
fn shortest(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

fn window(from: Option<Nanos>, to: Option<Nanos>) -> String {
    let from = from.map_or("the beginning of the data".to_owned(), format_time);
    format!("{from} to {}", to.map_or("the end of the data".to_owned(), format_time))
}
