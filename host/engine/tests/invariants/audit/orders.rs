//! What an order may become: it is accepted, changed and ended once, and what a strategy was granted is kept.

use tiltyard_engine::{StrategyIndex, Update};
use tiltyard_model::{
    Bar, Decimal, InstrumentIndex, Nanos, OrderId, OrderOrigin, OrderStatus, Qty, Ticket, TimeInForce,
};

use super::{Audit, Law, is_whole};

/// An order as its events tell.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) strategy: StrategyIndex,
    pub(super) ticket: Ticket,
    pub(super) accepted: Nanos,
    /// A bar that opened before may not fill it: when it became active, or got another price.
    pub(super) from: Nanos,
    /// Quantities that it had until it was given more, and when that was.
    pub(super) before: Vec<(Nanos, Qty)>,
    pub(super) filled: Qty,
    pub(super) triggered: bool,
    pub(super) ended: Option<(OrderStatus, Nanos)>,
    /// When at the latest a cancel that was granted holds.
    pub(super) cancelled: Option<Nanos>,
    /// The quantity that a granted replacement asked for, and when at the latest it holds.
    pub(super) wanted: Option<(Nanos, Qty)>,
    /// Whether the strategy has changed it, and whether it has ever asked for another quantity.
    pub(super) replaced: bool,
    pub(super) resized: bool,
}

impl Order {
    fn new(strategy: StrategyIndex, ticket: Ticket, accepted: Nanos, from: Nanos) -> Self {
        Self {
            strategy,
            ticket,
            accepted,
            from,
            before: Vec::new(),
            filled: Qty::ZERO,
            triggered: false,
            ended: None,
            cancelled: None,
            wanted: None,
            replaced: false,
            resized: false,
        }
    }
}

/// Whether the venue closes with it by itself: what is left of an instrument that has ended, or of a position without margin.
pub(super) fn is_forced(ticket: &Ticket) -> bool {
    ticket.origin == OrderOrigin::Host && matches!(ticket.tag.as_str(), "delisted" | "liquidation")
}

impl Audit<'_> {
    pub(super) fn accepted(&mut self, strategy: StrategyIndex, id: OrderId, ticket: &Ticket, active_from: Nanos) {
        let now = self.now;
        let newest = self.orders.keys().next_back().is_none_or(|last| *last < id);
        self.findings.holds(Law::Orders, newest, || format!("{id:?} is not a new number"));
        self.on_the_grid(id, ticket);
        self.may_begin(strategy, id, ticket);
        let on_time = if ticket.parent.is_some() {
            self.bars.get(&ticket.instrument).is_some_and(|bar| active_from == bar.open_time)
        } else if is_forced(ticket) {
            active_from == now
        } else {
            (now + self.scenario.latency.fixed..=now + self.most_latency()).contains(&active_from)
        };
        self.findings.holds(Law::Orders, on_time, || format!("{id:?} accepted at {now} is active from {active_from}"));
        self.orders.insert(id, Order::new(strategy, ticket.clone(), now, active_from));
    }

    pub(super) fn updated(&mut self, update: &Update) {
        let id = update.order;
        let Some(order) = self.orders.get_mut(&id) else {
            let what = || format!("{update:?} of an order that was never accepted");
            return self.findings.holds(Law::Orders, false, what);
        };
        let Order { ticket, ended, filled, triggered, .. } = order.clone();
        if update.is_final() {
            order.ended = Some((update.status, self.now));
        }
        order.triggered |= update.status == OrderStatus::Triggered;
        let same = order.strategy == update.strategy
            && (ticket.instrument, ticket.origin, ticket.parent) == (update.instrument, update.origin, update.parent)
            && ticket.tag == update.tag;
        let remaining = ticket.quantity - filled;
        let sums = (update.filled, update.remaining) == (filled, remaining);
        let fits = match update.status {
            OrderStatus::Filled => remaining.is_zero() && ticket.tag != "liquidation",
            OrderStatus::Liquidated => remaining.is_zero() && ticket.tag == "liquidation",
            OrderStatus::PartiallyFilled => !filled.is_zero() && !remaining.is_zero(),
            OrderStatus::Triggered => !remaining.is_zero() && !triggered,
            OrderStatus::Replaced | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => {
                !remaining.is_zero()
            }
            OrderStatus::Accepted => false,
        };
        let findings = &mut self.findings;
        findings.holds(Law::Orders, ended.is_none(), || format!("{update:?} after {ended:?}"));
        findings.holds(Law::Orders, same, || format!("{update:?} of {ticket:?}"));
        findings.holds(Law::Orders, sums, || format!("{update:?}, but {filled} filled and {remaining} remain"));
        findings.holds(Law::Orders, fits, || format!("{update:?} does not fit {ticket:?}"));
        findings.count(format!("update {:?} {}", update.status, update.reason));
        if update.status == OrderStatus::Triggered {
            self.triggered(id, &ticket);
        }
    }

    /// `asked` says whether the strategy wanted it.
    pub(super) fn replaced(&mut self, id: OrderId, ticket: &Ticket, filled: Qty, asked: bool) {
        self.on_the_grid(id, ticket);
        let Some(order) = self.orders.get_mut(&id) else {
            return self.findings.holds(Law::Orders, false, || format!("{id:?} replaced, but never accepted"));
        };
        let from = self.bars.get(&ticket.instrument).map_or(self.now, |bar| bar.open_time);
        let before = std::mem::replace(&mut order.ticket, ticket.clone());
        if before.kind != ticket.kind {
            order.from = order.from.max(from);
        }
        // A new trigger has not been reached yet.
        order.triggered &= before.kind.trigger() == ticket.kind.trigger();
        order.replaced |= asked;
        if asked && ticket.quantity > before.quantity {
            order.before.push((from, before.quantity));
        }
        let (ended, known) = (order.ended, order.filled);
        let changed = resized(&before, ticket);
        let sized = !asked || order.resized || before.quantity == ticket.quantity;
        let findings = &mut self.findings;
        findings.holds(Law::Orders, ended.is_none(), || format!("{id:?} replaced after {ended:?}"));
        findings.holds(Law::Orders, known == filled, || format!("{id:?} replaced with {filled} filled, not {known}"));
        findings.holds(Law::Orders, changed == *ticket, || format!("{before:?} replaced by {ticket:?}"));
        findings.holds(Law::Orders, sized, || format!("{id:?}: nobody asked for {} of {before:?}", ticket.quantity));
    }

    /// After a bar nothing is open that should have ended in it, or that is not of the size that was granted.
    pub(super) fn still_open(&mut self, instrument: InstrumentIndex, bar: &Bar) {
        // With jitter the later one of two changes may arrive first.
        let steady = self.scenario.latency.jitter == Nanos(0);
        let listed = self.orders.iter().filter(|(_, order)| order.ticket.instrument == instrument);
        for (id, order) in listed.filter(|(_, order)| order.ended.is_none()) {
            let ticket = &order.ticket;
            let life = match ticket.time_in_force {
                TimeInForce::GoodTillCancelled => true,
                TimeInForce::GoodTillDate(until) => until > self.now,
                TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill => order.from > bar.open_time,
            };
            let cancelled = order.cancelled.is_some_and(|cancelled| cancelled <= bar.open_time);
            let open = life && !cancelled && order.filled < ticket.quantity;
            self.findings.holds(Law::Orders, open, || format!("{id:?} is still open after {bar:?}: {order:?}"));
            let due = order.wanted.filter(|(from, _)| steady && ticket.parent.is_none() && *from <= bar.open_time);
            if let Some((_, wanted)) = due {
                let sized = ticket.quantity == wanted.max(order.filled);
                let what = || format!("{id:?} should have a quantity of {wanted}: {order:?}");
                self.findings.holds(Law::Orders, sized, what);
            }
        }
    }

    /// Quantities in whole lots, prices in whole ticks.
    fn on_the_grid(&mut self, id: OrderId, ticket: &Ticket) {
        let rules = self.rules(ticket.instrument);
        let lots = ticket.quantity.0 > Decimal::ZERO && is_whole(ticket.quantity.0, rules.lot.0);
        let prices = [ticket.kind.limit(), ticket.kind.trigger(), ticket.take_profit];
        let ticks = prices.into_iter().flatten().all(|price| is_whole(price.0, rules.tick.0));
        self.findings.holds(Law::Orders, lots && ticks, || format!("{id:?} is off lot or tick: {ticket:?}"));
    }
}

/// An order with another's kind and size. Of one that turns a position round a change of size changes what it opens, and one that
/// opens nothing any more is an exit.
fn resized(before: &Ticket, like: &Ticket) -> Ticket {
    let changed = Ticket { kind: like.kind, quantity: like.quantity, ..before.clone() };
    match before.opens.map(|opens| opens + like.quantity - before.quantity) {
        Some(opens) if opens <= Qty::ZERO => {
            Ticket { opens: None, reduce_only: true, stop_loss: None, take_profit: None, ..changed }
        }
        opens => Ticket { opens, ..changed },
    }
}
