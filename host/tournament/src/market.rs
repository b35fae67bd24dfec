//! The series of a tournament, cut to what it may read, and what was known of their instruments when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tiltyard_engine::Traded;
use tiltyard_market::{ASSUMED_FEE, Catalog, Instruments, Key, format_time, infer_instrument, months_before};
use tiltyard_model::{Columns, Digest, Digester, Instrument, Interval, Nanos, to_f64};

use crate::error::{ContestError, NoBars};
use crate::spec::Spec;

/// A series with the bars that a tournament may read. Those of the holdout are not in it, so that nothing can see them:
/// neither a strategy, nor what is inferred from bars.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) venue: String,
    pub(crate) symbol: String,
    pub(crate) interval: Nanos,
    pub(crate) bars: Arc<Columns>,
    pub(crate) is_synthetic: bool,
    /// When the first bar opens.
    pub(crate) first: Nanos,
    /// When the last bar closes, of those that may be read.
    pub(crate) last: Nanos,
    /// When the last bar closes, whether it may be read or not.
    pub(crate) end: Nanos,
}

/// What is known of an instrument at an instant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) instrument: Instrument,
    /// Digest of the bars that have closed.
    pub(crate) data: Digest,
}

/// The series of a specification, and where the holdout begins that was cut off, if there is one.
pub(crate) fn read(spec: &Spec, catalog: &Catalog) -> Result<(Vec<Market>, Option<Nanos>), ContestError> {
    let Interval::Only(interval) = spec.market.interval else { unreachable!("a specification names a length") };
    let venue = &spec.market.venue;
    let stored = spec.market.symbols.iter().map(|symbol| {
        let stored = catalog.series(&Key::new(venue, symbol, spec.market.interval)?)?;
        Ok((symbol, stored))
    });
    let stored = stored.collect::<Result<Vec<_>, ContestError>>()?;
    let last = |bars: &Columns| Nanos(bars.open_time().last().copied().unwrap_or_default()) + interval;
    // The months before the end of the series that ends first: otherwise the last months of one could be read beside another.
    let end = stored.iter().map(|(_, stored)| last(&stored.bars)).min().unwrap_or_default();
    let begin = stored.iter().map(|(_, stored)| open_of_first(&stored.bars)).max().unwrap_or_default();
    if end <= begin {
        return Err(ContestError::Apart { from: format_time(begin), to: format_time(end) });
    }
    let sealed_from = (spec.market.holdout_months > 0).then(|| months_before(end, spec.market.holdout_months));
    let market = stored.into_iter().map(|(symbol, stored)| {
        let bars = &stored.bars;
        let (first, end) = (open_of_first(bars), last(bars));
        let to = spec.market.to.into_iter().chain(sealed_from).min();
        let count = to.map_or(bars.len(), |to| bars.open_time().partition_point(|open| Nanos(*open) + interval <= to));
        if count == 0 {
            let asked = [spec.market.from.unwrap_or(first), to.unwrap_or_default()];
            return Err(no_bars(symbol, asked, [first, end], sealed_from));
        }
        let bars = if count == bars.len() { Arc::clone(bars) } else { Arc::new(bars.slice(0..count)) };
        let is_synthetic = stored.about.synthetic.is_some();
        let last = last(&bars);
        Ok(Market { venue: venue.clone(), symbol: symbol.clone(), interval, bars, is_synthetic, first, last, end })
    });
    Ok((market.collect::<Result<_, _>>()?, sealed_from))
}

fn open_of_first(bars: &Columns) -> Nanos {
    Nanos(bars.open_time().first().copied().unwrap_or_default())
}

/// There is nothing to play from one time to another.
pub(crate) fn no_bars(symbol: &str, asked: [Nanos; 2], data: [Nanos; 2], sealed_from: Option<Nanos>) -> ContestError {
    let ([from, to], [first, last]) = (asked.map(format_time), data.map(format_time));
    let sealed = sealed_from.map(format_time);
    ContestError::NoBars(Box::new(NoBars { symbol: symbol.to_owned(), from, to, first, last, sealed }))
}

impl Market {
    /// What is known at each of these instants: the rules that hold just before it or, where there are none, what the bars
    /// show that have closed by then.
    pub(crate) fn known(
        &self,
        ends: &BTreeSet<Nanos>,
        instruments: &Instruments,
        spec: &Spec,
    ) -> BTreeMap<Nanos, Known> {
        let mut digester = Digester::default();
        digester.text("tiltyard bars 1");
        let (mut seen, mut inferred): (usize, Option<Instrument>) = (0, None);
        let known = ends.iter().map(|end| {
            let count = self.bars.open_time().partition_point(|open| Nanos(*open) + self.interval <= *end).max(seen);
            let new = self.bars.slice(seen..count);
            digest_bars(&mut digester, &new);
            // Where there are rules at one end of a window, there are at all.
            let ruled = instruments.at_end(&self.venue, &self.symbol, *end, self.last);
            let mut instrument = ruled.map(|rules| rules.instrument.clone()).unwrap_or_else(|| {
                let mut all = infer_instrument(&self.symbol, &self.venue, &new, ASSUMED_FEE, ASSUMED_FEE);
                if let Some(before) = &inferred {
                    (all.tick, all.lot) = (all.tick.min(before.tick), all.lot.min(before.lot));
                }
                inferred.insert(all).clone()
            });
            seen = count;
            if let Some(fee) = spec.rules.fee {
                (instrument.maker_fee, instrument.taker_fee) = (to_f64(fee), to_f64(fee));
            }
            (*end, Known { instrument, data: digester.clone().finish() })
        });
        known.collect()
    }

    /// The series as a simulation plays it.
    pub(crate) fn traded(&self, instrument: Instrument) -> Traded {
        Traded {
            instrument,
            interval: self.interval,
            bars: Arc::clone(&self.bars),
            ends: false,
            perpetual: tiltyard_engine::PerpetualSeries::default(),
        }
    }
}

fn digest_bars(digester: &mut Digester, bars: &Columns) {
    for bar in bars.iter() {
        digester.nanos(bar.open_time).f64(bar.open).f64(bar.high).f64(bar.low).f64(bar.close).f64(bar.volume);
    }
}
