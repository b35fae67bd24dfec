use std::collections::VecDeque;

use tiltyard_model::{
    Decimal, InstrumentKind, Liquidity, MONEY_SCALE, Money, OrderId, Price, Qty, Rounding, Side, notional,
};

use super::round_trip::{Excursion, RoundTrip, Trade};
use super::{Moment, exact};
use crate::execution::Execution;

/// What is held of one instrument, lot by lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    kind: InstrumentKind,
    /// Signed: negative when short. The sum of the lots.
    quantity: Qty,
    lots: VecDeque<Lot>,
    /// The sum of the lots' costs.
    cost: Money,
    mark: Option<Price>,
    /// What is put aside for it, if it is isolated.
    margin: Money,
    /// Its quantity at the average price of its entries.
    basis: Money,
    /// What it is worth at the mark: asked for far more often than it changes.
    value: Money,
    bars: u64,
    /// Round trips whose exit rested inside the bar under way, so that the bar's worst price may lie before it.
    resting_exits: Vec<usize>,
}

/// What one fill opened and nothing has closed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Lot {
    /// The order that opened it.
    pub order: OrderId,
    /// When.
    pub opened: Moment,
    /// At what price.
    pub price: Price,
    /// More than 0.
    pub quantity: Qty,
    /// What was paid for it, negative for what a short sale brought.
    pub cost: Money,
    /// What of the entry's fee is on it.
    pub fee: Money,
    /// Funding that it has received less paid, less the interest that it has paid.
    pub funding: Money,
    /// Whether it was opened inside its bar, so that the bar's extremes may lie before it.
    inside: bool,
    excursion: Excursion,
}

impl Holding {
    pub(super) fn new(kind: InstrumentKind) -> Self {
        Self {
            kind,
            quantity: Qty::ZERO,
            lots: VecDeque::new(),
            cost: Money::ZERO,
            mark: None,
            margin: Money::ZERO,
            basis: Money::ZERO,
            value: Money::ZERO,
            bars: 0,
            resting_exits: Vec::new(),
        }
    }

    /// The instrument's kind.
    #[must_use]
    pub fn kind(&self) -> InstrumentKind {
        self.kind
    }

    /// Base currency, negative when short.
    #[must_use]
    pub fn quantity(&self) -> Qty {
        self.quantity
    }

    /// The lots, oldest first.
    pub fn lots(&self) -> impl ExactSizeIterator<Item = &Lot> {
        self.lots.iter()
    }

    /// The last price that the instrument was marked to.
    #[must_use]
    pub fn last_mark(&self) -> Option<Price> {
        self.mark
    }

    /// What the lots cost, negative when short.
    #[must_use]
    pub fn cost(&self) -> Money {
        self.cost
    }

    /// What it is worth at the last mark, rounded against the strategy; negative when short.
    #[must_use]
    pub fn value(&self) -> Money {
        self.value
    }

    /// What is put aside for it, funding included, if it is isolated; otherwise nothing.
    #[must_use]
    pub fn margin(&self) -> Money {
        self.margin
    }

    /// What it cost at the average price of its entries, negative when short: closing a part takes the same part of it, whichever lots
    /// go. Venues reckon the margin of a position by it.
    #[must_use]
    pub fn basis(&self) -> Money {
        self.basis
    }

    fn valued(&self) -> Money {
        if self.quantity.is_zero() {
            return Money::ZERO;
        }
        // A fill is a mark, so that whatever is held has one.
        let Some(mark) = self.mark else { return self.cost() };
        notional(mark, self.quantity, Rounding::Down).unwrap_or_else(|| self.beyond())
    }

    /// What is worth more than can be said: more than any account may be worth, so that the run ends.
    fn beyond(&self) -> Money {
        let sign = if self.quantity.0.is_sign_negative() { -1 } else { 1 };
        Money(Decimal::from_i128_with_scale(sign * 10_i128.pow(24), 0))
    }

    /// Profit at the last mark, before the cost of closing.
    #[must_use]
    pub fn unrealised(&self) -> Money {
        self.value() - self.cost()
    }

    /// The best price for the position since the oldest lot was opened; `None` when flat.
    #[must_use]
    pub fn best_price(&self) -> Option<Price> {
        let prices = self.lots.iter().map(|lot| lot.excursion.best());
        exact(if self.quantity.0.is_sign_negative() { prices.reduce(f64::min) } else { prices.reduce(f64::max) }?)
    }

    /// The average price of the lots, for display; `None` when flat.
    #[must_use]
    pub fn entry_price(&self) -> Option<f64> {
        let quantity = self.quantity.to_f64();
        (quantity != 0.0).then(|| self.cost().to_f64() / quantity)
    }

    /// Marks what is held to a price that is not the last one.
    pub(super) fn mark_apart(&mut self, price: f64) {
        if !self.quantity.is_zero() {
            self.mark = exact(price).or(self.mark);
            self.value = self.valued();
        }
    }

    pub(super) fn put_aside(&mut self, margin: Money) {
        self.margin = margin;
    }

    /// Shares funding, or interest below 0, out among the lots by their quantities; what is rounded away stays with the last.
    pub(super) fn fund(&mut self, amount: Money) {
        let whole = self.quantity.abs();
        let mut rest = amount;
        let Some(last) = self.lots.len().checked_sub(1) else { return };
        for lot in self.lots.iter_mut().take(last) {
            let part = Money((amount.0 * (lot.quantity.0 / whole.0)).round_dp(MONEY_SCALE));
            lot.funding += part;
            rest -= part;
        }
        if let Some(lot) = self.lots.back_mut() {
            lot.funding += rest;
        }
    }

    /// A bar closed.
    pub(super) fn mark(&mut self, high: f64, low: f64, close: f64, trips: &mut [RoundTrip]) {
        self.bars += 1;
        self.see(high, low, close, trips);
    }

    /// The market went from `high` to `low` and stands at `close`.
    pub(super) fn see(&mut self, high: f64, low: f64, close: f64, trips: &mut [RoundTrip]) {
        for at in self.resting_exits.drain(..) {
            if let Some(trip) = trips.get_mut(at) {
                trip.see_adverse(high, low);
            }
        }
        if self.quantity.is_zero() {
            // Converted when it is needed: most bars of most runs find nothing held.
            self.mark = None;
            return;
        }
        self.mark = exact(close).or(self.mark);
        self.value = self.valued();
        let long = self.quantity.0.is_sign_positive();
        for lot in &mut self.lots {
            if lot.inside && lot.opened.bar + 1 == self.bars {
                // Its best price may lie before the entry; that its worst one does not is the worse of the two.
                lot.excursion.see(if long { low } else { high }, long);
                lot.excursion.see(close, long);
            } else {
                lot.excursion.see(high, long);
                lot.excursion.see(low, long);
            }
        }
    }

    /// Books a trade: what it closes goes out first in, first out, what is left over opens a lot. Answers with what
    /// closing has earned before fees.
    pub(super) fn book(&mut self, execution: &Execution, trips: &mut Vec<RoundTrip>) -> Money {
        let at = Moment { time: execution.time, bar: self.bars };
        let mut rest = Trade {
            quantity: execution.quantity,
            value: execution.value,
            fee: execution.fee,
            liquidation_fee: execution.liquidation_fee,
            ..Trade::default()
        };
        let mut realised = Money::ZERO;
        let closes = self.quantity.0 * execution.side.signed(Qty(Decimal::ONE)).0 < Decimal::ZERO;
        if closes {
            let side = execution.side.opposite();
            let left = (self.quantity.abs() - execution.quantity).0.max(Decimal::ZERO) / self.quantity.abs().0;
            self.basis = Money((self.basis.0 * left).round_dp(MONEY_SCALE));
            while !rest.quantity.is_zero() {
                let Some(lot) = self.lots.front_mut() else { break };
                let quantity = lot.quantity.min(rest.quantity);
                let out = rest.take(quantity);
                let entry = lot.take(quantity);
                self.cost -= entry.value;
                lot.excursion.see(execution.price.to_f64(), side == Side::Buy);
                let trip = RoundTrip::new(side, lot, &entry, execution, at, &out);
                realised += trip.gross;
                let at = RoundTrip::join(trips, trip);
                if !execution.at_open && execution.liquidity == Liquidity::Maker {
                    self.resting_exits.push(at);
                }
                if lot.quantity.is_zero() {
                    self.lots.pop_front();
                }
            }
        }
        if !rest.quantity.is_zero() {
            let cost = match execution.side {
                Side::Buy => rest.value,
                Side::Sell => -rest.value,
            };
            self.cost += cost;
            self.basis += cost;
            self.lots.push_back(Lot {
                order: execution.order,
                opened: at,
                price: execution.price,
                quantity: rest.quantity,
                cost,
                fee: rest.fee,
                funding: Money::ZERO,
                inside: !execution.at_open,
                excursion: Excursion::from(execution.price.to_f64()),
            });
        }
        self.quantity += execution.signed();
        if self.mark.is_none() {
            self.mark = Some(execution.price);
        }
        self.value = self.valued();
        realised
    }
}

impl Lot {
    /// The price range that was seen while it was held.
    pub(super) fn excursion(&self) -> &Excursion {
        &self.excursion
    }

    /// Takes a part of the lot out, with its share of cost and fee; all of it leaves nothing behind.
    fn take(&mut self, quantity: Qty) -> Trade {
        let mut whole = Trade {
            quantity: self.quantity,
            value: self.cost,
            fee: self.fee,
            funding: self.funding,
            ..Trade::default()
        };
        let part = whole.take(quantity);
        (self.quantity, self.cost, self.fee, self.funding) = (whole.quantity, whole.value, whole.fee, whole.funding);
        part
    }
}
