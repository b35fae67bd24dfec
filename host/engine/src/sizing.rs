//! How much is put on for a `target`: the profile's method, less what an extreme market, a drawdown and the strategy's stage of
//! life take off.

use tiltyard_model::{InstrumentIndex, Price, Protection, StopLoss, Trail};
use tiltyard_risk::{SizeBound, Sizing, Target as Asked, Trips};

use crate::books::Record;
use crate::ledger::RoundTrip;
use crate::market::Listed;
use crate::requests::{Refusal, Requests, violation};
use crate::targets::Target;
use crate::venue::Venue;

impl<V: Venue> Requests<'_, V> {
    /// What the profile's method is multiplied by: 1 where nothing speaks for less.
    pub(crate) fn scale(&self, listed: &Listed) -> f64 {
        let share = self.seat.map_or(1.0, |seat| seat.share.to_f64());
        let halved = if self.clearing.books.guard().halves_positions() { 0.5 } else { 1.0 };
        let extreme = self.risk.extreme_market.as_ref().map_or(1.0, |rule| {
            let bars = listed.history(rule.bars());
            rule.exposure(rule.state(bars.close()))
        });
        share * halved * extreme
    }

    /// The fraction of equity to hold for what was asked.
    ///
    /// # Errors
    /// The rule `sizing`, where the method cannot say how much that is.
    pub(crate) fn sized(
        &self,
        wanted: &Target,
        instrument: InstrumentIndex,
        listed: &Listed,
        mark: Price,
    ) -> Result<f64, Refusal> {
        if self.risk.sizing == Sizing::AsAsked || wanted.fraction == 0.0 {
            return Ok(wanted.fraction * wanted.scale);
        }
        let kept = || -> Result<Option<f64>, Refusal> {
            Ok(self.kept_stop(listed, instrument)?.and_then(|stop| match stop {
                Protection::Behind(distance) => Some(distance.to_f64()),
                Protection::Fixed(_) | Protection::Trailing(_) => None,
            }))
        };
        let stop_distance = wanted.stop.map_or_else(kept, |stop| Ok(Some(distance(stop, mark.to_f64()))))?;
        let trips = self.clearing.books.record_of(self.strategy).map(finished).unwrap_or_default();
        let size = self.risk.sizing.size(&Asked {
            asked: wanted.fraction,
            price: mark.to_f64(),
            stop_distance,
            atr: self.risk.sizing.atr_bars().and_then(|bars| listed.average_true_range(bars)),
            trips,
        });
        match size.bound {
            SizeBound::NoPrice | SizeBound::NoStop | SizeBound::NotANumber | SizeBound::Misconfigured => {
                Err(vec![violation("sizing", wanted.fraction, f64::NAN, reason(size.bound))])
            }
            _ => Ok(size.fraction * wanted.scale),
        }
    }
}

/// How far a stop is from the mark, in quote currency.
fn distance(stop: StopLoss, mark: f64) -> f64 {
    match stop {
        StopLoss::Fixed(price) => (mark - price).abs(),
        StopLoss::Trailing(Trail::Distance(distance)) => distance,
        StopLoss::Trailing(Trail::Percent(percent)) => mark * percent / 100.0,
    }
}

/// Why a size cannot be said, as a unit of a violation.
fn reason(bound: SizeBound) -> &'static str {
    match bound {
        SizeBound::NoPrice => "no-price",
        SizeBound::NoStop => "no-stop",
        SizeBound::Misconfigured => "misconfigured",
        _ => "not-a-number",
    }
}

/// What the strategy's finished round trips say about its edge.
fn finished(record: &Record) -> Trips {
    let entered = |trip: &RoundTrip| trip.entry_price.to_f64() * trip.quantity.to_f64();
    let returns: Vec<f64> = record.ledger.round_trips().iter().map(|trip| trip.net.to_f64() / entered(trip)).collect();
    Trips::of(&returns)
}
