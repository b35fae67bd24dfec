//! What the host does with a strategy's orders and positions when less risk is wanted.

use tiltyard_model::{
    Change, Decimal, Gap, InstrumentIndex, InstrumentKind, OrderId, OrderKind, OrderOrigin, Price, Qty, Side,
};

use crate::market::Listed;
use crate::requests::Requests;
use crate::venue::{Venue, Working};

impl<V: Venue> Requests<'_, V> {
    /// Takes back what the strategy has working and closes what it holds and no exit of the host's is working off yet.
    /// Called again at every instant, because orders may fill while their cancellation is on its way.
    pub(crate) fn wind_down(&mut self, instrument: InstrumentIndex, exit: &'static str) {
        self.cancel_all(instrument, if exit == "fault" { "halt" } else { exit });
        self.exit(instrument, exit, |held, _| held);
    }

    /// Closes half of what the strategy holds, rounded up to a lot.
    pub(crate) fn close_half(&mut self, instrument: InstrumentIndex, exit: &'static str) {
        self.exit(instrument, exit, |held, listed| {
            let rest = listed.rules.whole_lots(Qty(held.0 / Decimal::TWO));
            held - rest
        });
    }

    /// Closes so much of what is held as no exit of the host's is working off yet.
    fn exit(&mut self, instrument: InstrumentIndex, exit: &str, part: impl Fn(Qty, &Listed) -> Qty) {
        let (Some(mut ticket), Some(listed)) =
            (self.closing(instrument, OrderOrigin::Host), self.market.get(instrument))
        else {
            return;
        };
        let host = |order: &&Working| order.strategy == self.strategy && order.ticket.origin == OrderOrigin::Host;
        let leaving: Qty = self.venue.working(instrument).iter().filter(host).map(Working::remaining).sum();
        ticket.quantity = part(ticket.quantity, listed) - leaving;
        if ticket.quantity.0 > Decimal::ZERO {
            ticket.tag = exit.to_owned();
            self.place(ticket);
        }
    }

    /// Takes back what may open or add: on margin all that is not reduce-only, on spot purchases. Exits stay.
    pub(crate) fn cancel_entries(&mut self, instrument: InstrumentIndex) {
        let spot = self.market.get(instrument).is_some_and(|listed| listed.instrument.kind == InstrumentKind::Spot);
        let exits = |order: &Working| order.ticket.reduce_only || spot && order.ticket.side == Side::Sell;
        for order in self.own_in(instrument, |order| !exits(order)) {
            self.venue.cancel(order, "no-new-risk".into(), self.clearing.now, self.clearing);
        }
    }

    /// Moves every stop that protects a position half way to the mark.
    pub(crate) fn tighten_stops(&mut self, instrument: InstrumentIndex) {
        let Some(listed) = self.market.get(instrument) else { return };
        let Some(mark) = listed.last() else { return };
        for order in self.own_in(instrument, |order| order.ticket.reduce_only && !order.is_triggered()) {
            let working = self.venue.working(instrument).iter().find(|working| working.id == order);
            let change =
                working.and_then(|working| tighter(working.expected().kind, working.ticket.side, mark, listed));
            if let Some(change) = change {
                self.venue.replace(order, change, self.clearing.now, self.clearing);
            }
        }
    }

    /// The strategy's orders in an instrument that are not on their way out and not the host's, in the order of acceptance.
    fn own_in(&self, instrument: InstrumentIndex, which: impl Fn(&Working) -> bool) -> Vec<OrderId> {
        let own = |order: &&Working| {
            order.strategy == self.strategy
                && order.ticket.origin != OrderOrigin::Host
                && !order.is_leaving()
                && which(order)
        };
        self.venue.working(instrument).iter().filter(own).map(|order| order.id).collect()
    }
}

/// What makes a stop half as far from the mark; `None` for other orders, and where no tick is nearer.
fn tighter(kind: OrderKind, side: Side, mark: Price, listed: &Listed) -> Option<Change> {
    let rules = &listed.rules;
    let middle = |trigger: Price| {
        // Away from the market, as a stop's trigger always goes.
        rules.whole_ticks(Price((trigger.0 + mark.0) / Decimal::TWO), side == Side::Buy)
    };
    // The mark may be beyond the trigger while an order waits for the bar that reaches it.
    let to_mark = |old: Price| {
        let new = middle(old);
        let nearer = if side == Side::Sell { new > old } else { new < old };
        (nearer && new.0 > Decimal::ZERO).then_some(new)
    };
    let nearer = |old: Price, new: Price| (new < old && new.0 > Decimal::ZERO).then_some(new);
    match kind {
        OrderKind::StopMarket(trigger) => Some(Change { trigger: Some(to_mark(trigger)?), ..Change::default() }),
        OrderKind::StopLimit { trigger, limit } => {
            let new = to_mark(trigger)?;
            let limit = Price(limit.0 + (new.0 - trigger.0)).max(rules.tick);
            Some(Change { trigger: Some(new), limit: Some(limit), ..Change::default() })
        }
        OrderKind::TrailingStop { gap: Gap::Distance(distance), .. } => {
            let half = rules.whole_ticks(Price(distance.0 / Decimal::TWO), true);
            Some(Change { gap: Some(Gap::Distance(nearer(distance, half)?)), ..Change::default() })
        }
        OrderKind::TrailingStop { gap: Gap::Fraction(fraction), .. } => {
            let half = (fraction / Decimal::TWO).round_dp(12);
            Some(Change { gap: Some(Gap::Fraction(half)), ..Change::default() }).filter(|_| half > Decimal::ZERO)
        }
        OrderKind::Market | OrderKind::Limit(_) | OrderKind::TakeProfit(_) => None,
    }
}
