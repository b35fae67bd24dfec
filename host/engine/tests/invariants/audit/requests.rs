//! What strategies say in their notes: what they asked for, whether they got it, and which orders they see.

use tiltyard_engine::StrategyIndex;
use tiltyard_model::OrderId;

use super::{Audit, Law};

impl Audit<'_> {
    pub(super) fn note(&mut self, strategy: StrategyIndex, key: &str, value: &str) {
        match key {
            "ask" => self.asked(value),
            "done" => self.granted(value),
            "refused" => self.refused(value),
            "broken" => self.findings.broken.push((Law::Refusals, value.to_owned())),
            "open" => self.shown(strategy, value),
            _ => {}
        }
    }

    fn asked(&mut self, request: &str) {
        self.asked = Some(0);
        if let Some(order) = resizing(request).and_then(|(id, _)| self.orders.get_mut(&id)) {
            order.resized = true;
        }
    }

    fn granted(&mut self, request: &str) {
        let at_latest = self.now + self.most_latency();
        if let Some(order) = cancellation(request).and_then(|id| self.orders.get_mut(&id)) {
            order.cancelled = Some(order.cancelled.unwrap_or(at_latest).min(at_latest));
        } else if let Some((id, quantity)) = resizing(request)
            && let Some(order) = self.orders.get_mut(&id)
        {
            let rules = &self.markets[order.ticket.instrument.0 as usize].rules;
            order.wanted = rules.quantity(quantity).map(|quantity| (at_latest, quantity));
        }
    }

    /// There is one event between the question and the answer, which is the refusal.
    fn refused(&mut self, request: &str) {
        let since = self.asked.take();
        let holds = since == Some(2);
        self.findings.holds(Law::Refusals, holds, || format!("{since:?} events for the refusal of {request}"));
    }

    /// What a strategy sees of its orders is what the log tells.
    fn shown(&mut self, strategy: StrategyIndex, shown: &str) {
        let alive = self.orders.iter().filter(|(_, order)| order.strategy == strategy && order.ended.is_none());
        let told: Vec<_> =
            alive.map(|(id, order)| (id.0, order.filled.to_f64(), order.ticket.quantity.to_f64())).collect();
        let same = format!("{told:?}") == shown;
        self.findings.holds(Law::Orders, same, || format!("open orders: shown {shown}, told {told:?}"));
    }
}

/// The order that a request takes back.
fn cancellation(request: &str) -> Option<OrderId> {
    request.strip_prefix("cancel ")?.parse().ok().map(OrderId)
}

/// The order of which a request changes the quantity, and to what.
fn resizing(request: &str) -> Option<(OrderId, f64)> {
    let (order, quantity) = request.strip_prefix("resize ")?.split_once(' ')?;
    Some((OrderId(order.parse().ok()?), quantity.parse().ok()?))
}
