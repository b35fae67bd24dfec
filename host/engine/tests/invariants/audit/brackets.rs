//! The stop-loss and the take-profit of an entry: there in time, and no larger than it.

use std::collections::BTreeMap;

use tiltyard_model::{OrderId, OrderOrigin, Qty};

use super::{Audit, Law};

impl Audit<'_> {
    /// What an order with a bracket has opened is protected from the same bar on.
    pub(super) fn protected(&mut self) {
        let now = self.now;
        for id in std::mem::take(&mut self.opened) {
            let ticket = &self.orders[&id].ticket;
            let stop_loss = ticket.stop_loss.map(|_| OrderOrigin::StopLoss);
            let take_profit = ticket.take_profit.map(|_| OrderOrigin::TakeProfit);
            for origin in [stop_loss, take_profit].into_iter().flatten() {
                let mut legs = self.orders.values().filter(|order| order.ticket.parent == Some(id));
                let stands = legs.any(|leg| {
                    // One that the strategy has taken back or made smaller is its own affair.
                    let excused = leg.cancelled.is_some() || leg.resized;
                    leg.ticket.origin == origin && (excused || leg.ended.is_none_or(|(_, when)| when == now))
                });
                let what = || format!("{id:?} opened at {now} without its {origin:?}");
                self.findings.holds(Law::Brackets, stands, what);
            }
        }
    }

    /// A stop-loss and a take-profit together close no more than their entry opened, unless the strategy resized them.
    pub(super) fn brackets(&mut self) {
        let mut closed: BTreeMap<OrderId, (Qty, bool)> = BTreeMap::new();
        for (parent, order) in self.orders.values().filter_map(|order| Some((order.ticket.parent?, order))) {
            let (filled, resized) = closed.entry(parent).or_default();
            *filled += order.filled;
            *resized |= order.resized;
        }
        for (parent, (filled, resized)) in closed {
            let entered = self.orders.get(&parent).map_or(Qty::ZERO, |parent| parent.filled);
            let what = || format!("{parent:?} entered {entered}, its brackets closed {filled}");
            self.findings.holds(Law::Brackets, filled <= entered || resized, what);
        }
    }
}
