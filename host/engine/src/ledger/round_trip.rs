use serde::{Deserialize, Serialize};
use tiltyard_model::{InstrumentIndex, MONEY_SCALE, Money, Nanos, OrderId, Price, Qty, Side};

use super::{Lot, Moment};
use crate::execution::{Execution, Reason};

/// What one order opened and another closed, first in, first out; fills of the same two orders are one round trip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// `buy` for a long position.
    pub side: Side,
    /// The order that opened it.
    pub entry_order: OrderId,
    /// The order that closed it.
    pub exit_order: OrderId,
    /// The first fill of the entry that was closed.
    pub entry_time: Nanos,
    /// The last fill of the exit.
    pub exit_time: Nanos,
    /// Average price of the entry, by quantity.
    pub entry_price: Price,
    /// Average price of the exit, by quantity.
    pub exit_price: Price,
    /// Base currency.
    pub quantity: Qty,
    /// Profit before fees.
    pub gross: Money,
    /// Fees of entry and exit.
    pub fees: Money,
    /// Funding received less paid, less the interest paid. Spot has neither.
    pub funding: Money,
    /// Fee of a liquidation, which comes on top of those of entry and exit.
    #[serde(default, skip_serializing_if = "Money::is_zero")]
    pub liquidation_fee: Money,
    /// Profit after everything.
    pub net: Money,
    /// Bars of the instrument that closed between entry and exit.
    pub bars: u64,
    /// Maximum adverse excursion: how far the price went against the position, as a fraction of the entry price, at least 0.
    /// Of bars in which it is not known what came first, the worst price counts: of the bar of an entry inside it, and of the
    /// bar of an exit that rested. An exit at the open or by a stop came before whatever was worse.
    pub mae: f64,
    /// Maximum favourable excursion, likewise; of such bars the best price does not count.
    pub mfe: f64,
    /// Why it was closed.
    pub exit_reason: Reason,
}

impl RoundTrip {
    pub(super) fn new(side: Side, lot: &Lot, entry: &Trade, execution: &Execution, at: Moment, exit: &Trade) -> Self {
        // The cost of a long lot was paid and its exit is received; a short one's cost is negative.
        let gross = match side {
            Side::Buy => exit.value - entry.value,
            Side::Sell => -exit.value - entry.value,
        };
        let fees = entry.fee + exit.fee;
        let (mae, mfe) = lot.excursion().of(lot.price.to_f64(), side == Side::Buy);
        Self {
            instrument: execution.instrument,
            side,
            entry_order: lot.order,
            exit_order: execution.order,
            entry_time: lot.opened.time,
            exit_time: at.time,
            entry_price: lot.price,
            exit_price: execution.price,
            quantity: exit.quantity,
            gross,
            fees,
            funding: entry.funding,
            liquidation_fee: exit.liquidation_fee,
            net: gross - fees + entry.funding - exit.liquidation_fee,
            bars: at.bar - lot.opened.bar,
            mae,
            mfe,
            exit_reason: execution.reason.clone(),
        }
    }

    /// Looks at the worst price of a bar in which the exit rested.
    pub(super) fn see_adverse(&mut self, high: f64, low: f64) {
        let entry = self.entry_price.to_f64();
        let against = if self.side == Side::Buy { entry - low } else { high - entry };
        self.mae = self.mae.max(against / entry);
    }

    /// Adds a round trip, to one of the same two orders if there is one. Answers where it is.
    pub(super) fn join(trips: &mut Vec<Self>, trip: Self) -> usize {
        // Orders that are being filled together are few and recent.
        let recent = trips.iter_mut().enumerate().rev().take(64);
        let same = |(_, other): &(usize, &mut Self)| {
            (other.entry_order, other.exit_order) == (trip.entry_order, trip.exit_order)
        };
        let Some((at, known)) = recent.into_iter().find(same) else {
            trips.push(trip);
            return trips.len() - 1;
        };
        let average = |left: Price, right: Price| {
            if left == right {
                return left;
            }
            let (left, right) = (left.0 * known.quantity.0, right.0 * trip.quantity.0);
            Price(((left + right) / (known.quantity + trip.quantity).0).round_dp(12).normalize())
        };
        known.entry_price = average(known.entry_price, trip.entry_price);
        known.exit_price = average(known.exit_price, trip.exit_price);
        known.exit_time = trip.exit_time;
        known.quantity += trip.quantity;
        known.gross += trip.gross;
        known.fees += trip.fees;
        known.funding += trip.funding;
        known.liquidation_fee += trip.liquidation_fee;
        known.net += trip.net;
        known.bars = known.bars.max(trip.bars);
        known.mae = known.mae.max(trip.mae);
        known.mfe = known.mfe.max(trip.mfe);
        at
    }
}

/// A quantity with what was paid or received for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trade {
    pub(super) quantity: Qty,
    pub(super) value: Money,
    pub(super) fee: Money,
    /// Of a lot: what it has received less paid.
    pub(super) funding: Money,
    /// Of an exit.
    pub(super) liquidation_fee: Money,
}

impl Trade {
    /// Takes a part out, in proportion; what is rounded away stays with the rest, so that the parts add up to the last
    /// digit.
    pub(super) fn take(&mut self, quantity: Qty) -> Self {
        if quantity >= self.quantity {
            return std::mem::take(self);
        }
        let fraction = quantity.0 / self.quantity.0;
        let part = |whole: Money| Money((whole.0 * fraction).round_dp(MONEY_SCALE));
        let taken = Self {
            quantity,
            value: part(self.value),
            fee: part(self.fee),
            funding: part(self.funding),
            liquidation_fee: part(self.liquidation_fee),
        };
        *self = Self {
            quantity: self.quantity - quantity,
            value: self.value - taken.value,
            fee: self.fee - taken.fee,
            funding: self.funding - taken.funding,
            liquidation_fee: self.liquidation_fee - taken.liquidation_fee,
        };
        taken
    }
}

/// The worst and the best price seen while something was held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Excursion {
    worst: f64,
    best: f64,
}

impl Excursion {
    pub(super) fn from(price: f64) -> Self {
        Self { worst: price, best: price }
    }

    pub(super) fn see(&mut self, price: f64, long: bool) {
        let (low, high) = if long { (&mut self.worst, &mut self.best) } else { (&mut self.best, &mut self.worst) };
        *low = low.min(price);
        *high = high.max(price);
    }

    pub(super) fn best(&self) -> f64 {
        self.best
    }

    /// Adverse and favourable, as fractions of the entry price.
    fn of(&self, entry: f64, long: bool) -> (f64, f64) {
        let sign = if long { 1.0 } else { -1.0 };
        let fraction = |from: f64, to: f64| ((to - from) * sign / entry).max(0.0);
        (fraction(self.worst, entry), fraction(entry, self.best))
    }
}

#[cfg(test)]
mod tests {
    use super::Trade;
    use tiltyard_model::{Decimal, Money, Qty};

    #[test]
    fn parts_add_up_to_the_last_digit() {
        let dec = |text: &str| Decimal::from_str_exact(text).unwrap();
        let whole = Trade {
            quantity: Qty(dec("3")),
            value: Money(dec("100")),
            fee: Money(dec("0.00000001")),
            ..Trade::default()
        };
        let mut rest = whole;
        let parts = [rest.take(Qty(dec("1"))), rest.take(Qty(dec("1"))), rest.take(Qty(dec("1")))];
        assert_eq!(parts[0].value, Money(dec("33.33333333")));
        assert_eq!(parts.iter().map(|part| part.value).sum::<Money>(), whole.value);
        assert_eq!(parts.iter().map(|part| part.fee).sum::<Money>(), whole.fee);
        assert!(rest.quantity.is_zero() && rest.value == Money::ZERO);
    }
}
