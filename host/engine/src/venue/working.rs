use tiltyard_model::{
    Change, Gap, Nanos, OrderId, OrderKind, OrderOrigin, OrderStatus, Price, Protection, Qty, Side, Specification,
    Ticket, TimeInForce,
};

use crate::execution::{Reason, StrategyIndex, Update};

/// An order at a venue that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Working {
    /// Its number. Numbers rise in the order of acceptance.
    pub id: OrderId,
    /// Whose it is.
    pub strategy: StrategyIndex,
    /// What it is.
    pub ticket: Ticket,
    /// How much has traded.
    pub filled: Qty,
    /// How much of that has opened a position.
    pub(super) opened: Qty,
    /// When it was accepted.
    pub accepted: Nanos,
    /// From when on it may trade.
    pub active_from: Nanos,
    /// Whether it has met the market yet: a limit order is a taker on arrival and a maker from then on.
    pub(super) arrived: bool,
    /// Whether its trigger was reached.
    pub(super) triggered: bool,
    /// The best price since a trailing stop began to follow.
    pub(super) best: Option<Price>,
    /// The other one of a stop-loss and a take-profit.
    pub(super) sibling: Option<OrderId>,
    /// The orders that protect what this one has opened.
    pub(super) children: Vec<OrderId>,
    /// Whether it is the stop-loss of what a target has opened.
    pub(super) guards_target: bool,
    /// Requests that have not reached it yet, in the order in which they were sent.
    pub(super) pending: Vec<Pending>,
}

/// A request that has not reached the venue yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) from: Nanos,
    pub(super) request: Request,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Cancel(Reason),
    /// The change, and what the order is once it and every change before it have arrived.
    Replace(Change, Box<Ticket>),
}

impl Working {
    pub(crate) fn new(
        id: OrderId,
        strategy: StrategyIndex,
        ticket: Ticket,
        accepted: Nanos,
        active_from: Nanos,
    ) -> Self {
        let best = ticket.best;
        Self {
            id,
            strategy,
            ticket,
            filled: Qty::ZERO,
            opened: Qty::ZERO,
            accepted,
            active_from,
            arrived: false,
            triggered: false,
            best,
            sibling: None,
            children: Vec::new(),
            guards_target: false,
            pending: Vec::new(),
        }
    }

    /// Still to fill.
    #[must_use]
    pub fn remaining(&self) -> Qty {
        self.ticket.quantity - self.filled
    }

    /// How much it may still open.
    pub(crate) fn may_open(&self) -> Qty {
        self.may_open_as(&self.ticket)
    }

    /// How much it may still open once it is this.
    pub(crate) fn may_open_as(&self, ticket: &Ticket) -> Qty {
        let remaining = ticket.quantity - self.filled;
        let left = ticket.opens.map_or(remaining, |opens| opens - self.opened);
        remaining.min(left).max(Qty::ZERO)
    }

    /// What it is, and what every change that is on its way makes of it, one after the other.
    pub(crate) fn becoming(&self) -> impl Iterator<Item = &Ticket> {
        let changes = self.pending.iter().filter_map(|pending| match &pending.request {
            Request::Replace(_, then) => Some(&**then),
            Request::Cancel(_) => None,
        });
        std::iter::once(&self.ticket).chain(changes)
    }

    /// Takes down a change that has been sent.
    pub(super) fn change(&mut self, from: Nanos, change: Change) {
        let then = Box::new(self.expected().changed(&change));
        self.pending.push(Pending { from, request: Request::Replace(change, then) });
    }

    /// Takes down a cancellation that has been sent.
    pub(super) fn leave(&mut self, from: Nanos, reason: Reason) {
        self.pending.push(Pending { from, request: Request::Cancel(reason) });
    }

    /// Whether it has met the market before.
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        self.arrived
    }

    /// Whether its trigger was reached.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.triggered
    }

    /// The best price since a trailing stop began to follow.
    #[must_use]
    pub fn best(&self) -> Option<Price> {
        self.best
    }

    /// Whether it is the stop-loss that belongs to a target: of its order, or put in that one's place.
    #[must_use]
    pub fn guards_target(&self) -> bool {
        self.ticket.origin == OrderOrigin::StopLoss && (self.guards_target || self.ticket.parent.is_none())
    }

    /// Whether a cancellation is on its way.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.pending.iter().any(|pending| matches!(pending.request, Request::Cancel(_)))
    }

    /// How many requests have not reached it yet.
    #[must_use]
    pub fn changes_under_way(&self) -> usize {
        self.pending.len()
    }

    /// The order as it will be when every change that is on its way has arrived.
    #[must_use]
    pub fn expected(&self) -> Ticket {
        self.pending.iter().fold(self.ticket.clone(), |ticket, pending| match &pending.request {
            Request::Replace(change, _) => ticket.changed(change),
            Request::Cancel(_) => ticket,
        })
    }

    /// Whether it must trade on arrival or not at all.
    pub(super) fn is_immediate(&self) -> bool {
        matches!(self.ticket.time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill)
    }

    /// When it expires, if ever.
    pub(super) fn expires(&self) -> Option<Nanos> {
        match self.ticket.time_in_force {
            TimeInForce::GoodTillDate(until) => Some(until),
            _ => None,
        }
    }

    pub(crate) fn update(&self, status: OrderStatus, reason: impl Into<Reason>) -> Update {
        Update {
            strategy: self.strategy,
            order: self.id,
            instrument: self.ticket.instrument,
            status,
            filled: self.filled,
            remaining: self.remaining(),
            reason: reason.into(),
            origin: self.ticket.origin,
            parent: self.ticket.parent,
            tag: self.ticket.tag.clone(),
        }
    }

    /// What an exit by this order is called.
    pub(super) fn exit_reason(&self) -> Reason {
        let reason = match (self.ticket.origin, self.ticket.kind) {
            (_, OrderKind::TrailingStop { .. }) => "trailing_stop",
            (OrderOrigin::StopLoss, _) | (_, OrderKind::StopMarket(_) | OrderKind::StopLimit { .. }) => "stop_loss",
            (OrderOrigin::TakeProfit, _) | (_, OrderKind::TakeProfit(_)) => "take_profit",
            (OrderOrigin::Target, _) => "target",
            (OrderOrigin::Close, _) => "close",
            (OrderOrigin::Submitted, _) => "signal",
            (OrderOrigin::Host, _) => return self.ticket.tag.clone().into(),
        };
        reason.into()
    }

    /// The orders that protect `quantity` of what this one has opened at `price`, without numbers of their own yet.
    pub(super) fn protection(&self, price: Price, quantity: Qty, rules: &Specification) -> Vec<Ticket> {
        let side = self.ticket.side.opposite();
        let child = |kind, origin| Ticket {
            instrument: self.ticket.instrument,
            side,
            kind,
            quantity,
            time_in_force: TimeInForce::GoodTillCancelled,
            reduce_only: true,
            post_only: false,
            stop_loss: None,
            take_profit: None,
            origin,
            parent: Some(self.id),
            best: None,
            opens: None,
            tag: self.ticket.tag.clone(),
        };
        let stop = self.ticket.stop_loss.map(|stop| child(protecting(stop, price, side, rules), OrderOrigin::StopLoss));
        let target = self.ticket.take_profit.map(|price| child(OrderKind::TakeProfit(price), OrderOrigin::TakeProfit));
        stop.into_iter().chain(target).collect()
    }
}

/// The kind of order that protects a position entered at `price`; `side` is the protecting order's own.
#[must_use]
pub(crate) fn protecting(stop: Protection, price: Price, side: Side, rules: &Specification) -> OrderKind {
    match stop {
        Protection::Fixed(trigger) => OrderKind::StopMarket(trigger),
        Protection::Trailing(gap) => OrderKind::TrailingStop { gap, activation: None },
        Protection::Behind(distance) => {
            let trigger = rules.whole_ticks(Gap::Distance(distance).behind(price, side), side == Side::Buy);
            // A distance of more than the price leaves the lowest price that there is.
            OrderKind::StopMarket(trigger.max(rules.tick))
        }
    }
}
