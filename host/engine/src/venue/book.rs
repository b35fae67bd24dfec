use tiltyard_model::{Change, Decimal, Nanos, OrderId, OrderOrigin, OrderStatus, Qty, Ticket};

use super::Host;
use super::working::{Pending, Request, Working};
use crate::execution::{Reason, StrategyIndex};

/// The working orders of one instrument, sorted by their numbers and so by acceptance.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    orders: Vec<Working>,
}

impl Book {
    /// The orders, in the order in which they were accepted.
    pub(super) fn orders(&self) -> &[Working] {
        &self.orders
    }

    /// Takes an order whose number is higher than all before.
    pub(super) fn add(&mut self, order: Working) {
        self.orders.push(order);
    }

    pub(super) fn get(&self, order: OrderId) -> Option<&Working> {
        self.orders.get(self.place(order)?)
    }

    pub(super) fn get_mut(&mut self, order: OrderId) -> Option<&mut Working> {
        let place = self.place(order)?;
        self.orders.get_mut(place)
    }

    fn place(&self, order: OrderId) -> Option<usize> {
        self.orders.binary_search_by_key(&order, |working| working.id).ok()
    }

    /// The numbers of the orders of which this holds.
    pub(super) fn which(&self, holds: impl Fn(&Working) -> bool) -> Vec<OrderId> {
        self.orders.iter().filter(|order| holds(order)).map(|order| order.id).collect()
    }

    /// Takes out an order of which nothing is left.
    pub(super) fn remove_filled(&mut self, order: OrderId) {
        if let Some(place) = self.place(order).filter(|place| self.orders[*place].remaining().is_zero()) {
            self.orders.remove(place);
        }
    }

    /// Ends an order and says so.
    pub(super) fn end(&mut self, order: OrderId, status: OrderStatus, reason: impl Into<Reason>, host: &mut dyn Host) {
        if let Some(place) = self.place(order) {
            let order = self.orders.remove(place);
            host.updated(order.update(status, reason));
        }
    }

    /// Lets orders expire whose time is up.
    pub(super) fn expire(&mut self, time: Nanos, host: &mut dyn Host) {
        for order in self.which(|order| order.expires().is_some_and(|until| until <= time)) {
            self.end(order, OrderStatus::Expired, "", host);
        }
    }

    /// Hands every order what has reached it by `time`, and lets those expire whose time was up by then.
    pub(super) fn arrive(&mut self, time: Nanos, host: &mut dyn Host) {
        for order in self.which(|order| !order.pending.is_empty()) {
            self.deliver(order, time, host);
        }
        self.expire(time, host);
    }

    /// Hands an order the requests that have reached it by `time`, in the order in which they were sent.
    pub(super) fn deliver(&mut self, order: OrderId, time: Nanos, host: &mut dyn Host) {
        while let Some(working) = self.get_mut(order) {
            if working.pending.first().is_none_or(|pending| pending.from > time) {
                return;
            }
            let Pending { from, request } = working.pending.remove(0);
            match request {
                Request::Cancel(reason) => return self.end(order, OrderStatus::Cancelled, reason, host),
                Request::Replace(change, _) => self.replace(order, &change, from, host),
            }
        }
    }

    /// Changes an order. It may trade as what it is now only in bars that open from now on. A new trigger has not been
    /// reached yet; a new limit makes a new arrival.
    fn replace(&mut self, order: OrderId, change: &Change, from: Nanos, host: &mut dyn Host) {
        let Some(working) = self.get_mut(order) else { return };
        // What has filled meanwhile cannot be taken back.
        let quantity = change.quantity.map(|quantity| quantity.max(working.filled));
        let changed = working.ticket.changed(&Change { quantity, ..*change });
        working.triggered &= changed.kind.trigger() == working.ticket.kind.trigger();
        working.arrived &= changed.kind == working.ticket.kind;
        working.active_from = working.active_from.max(from);
        working.ticket = changed;
        host.replaced(working);
        if working.remaining().is_zero() {
            return self.end(order, OrderStatus::Filled, "", host);
        }
        host.updated(working.update(OrderStatus::Replaced, ""));
    }

    /// Brings to life the orders that protect what `parent` has opened.
    pub(super) fn bear(
        &mut self,
        parent: OrderId,
        tickets: Vec<Ticket>,
        now: Nanos,
        from: Nanos,
        host: &mut dyn Host,
    ) -> Vec<OrderId> {
        let Some(entry) = self.get_mut(parent) else { return Vec::new() };
        let (strategy, of_target) = (entry.strategy, entry.ticket.origin == OrderOrigin::Target);
        let mut born: Vec<Working> =
            tickets.into_iter().map(|ticket| Working::new(host.next_order(), strategy, ticket, now, from)).collect();
        let ids: Vec<OrderId> = born.iter().map(|child| child.id).collect();
        entry.children.clone_from(&ids);
        for child in &mut born {
            child.sibling = ids.iter().copied().find(|other| *other != child.id);
            child.guards_target = of_target;
            host.accepted(child);
        }
        self.orders.append(&mut born);
        ids
    }

    /// What a fill of this quantity means to other orders of its strategy, which held `before`; says how much it has opened, if
    /// anything.
    pub(super) fn settle(&mut self, order: OrderId, quantity: Qty, before: Qty, host: &mut dyn Host) -> Option<Qty> {
        let working = self.get(order)?;
        let (strategy, instrument) = (working.strategy, working.ticket.instrument);
        let (sibling, parent, done) = (working.sibling, working.ticket.parent, working.remaining().is_zero());
        let after = host.position(strategy, instrument);
        if let Some(sibling) = sibling {
            self.shrink(sibling, quantity, host);
        }
        if let (Some(parent), true) = (parent, done) {
            self.end(parent, OrderStatus::Cancelled, "protection-filled", host);
        }
        self.release(strategy, after, host);
        let opened = if before.same_side(after) { after.abs() - before.abs() } else { after.abs() };
        let opened = (opened.0 > Decimal::ZERO).then_some(opened)?;
        if let Some(working) = self.get_mut(order) {
            working.opened += opened;
        }
        Some(opened)
    }

    /// Takes from the other one of a stop-loss and a take-profit what its sibling has filled.
    pub(super) fn shrink(&mut self, sibling: OrderId, filled: Qty, host: &mut dyn Host) {
        let Some(order) = self.get_mut(sibling) else { return };
        if order.remaining() <= filled {
            return self.end(sibling, OrderStatus::Cancelled, "one-cancels-other", host);
        }
        order.ticket.quantity -= filled;
        host.replaced(order);
        host.updated(order.update(OrderStatus::Replaced, "one-cancels-other"));
    }

    /// Ends reduce-only orders that have nothing left to reduce, so that none of them meets a later position.
    pub(super) fn release(&mut self, strategy: StrategyIndex, position: Qty, host: &mut dyn Host) {
        let idle = self.which(|order| {
            let against = order.ticket.side.signed(position).0 < Decimal::ZERO;
            order.strategy == strategy && order.ticket.reduce_only && !against && !order.remaining().is_zero()
        });
        for order in idle {
            self.end(order, OrderStatus::Cancelled, "reduce-only", host);
        }
    }
}
