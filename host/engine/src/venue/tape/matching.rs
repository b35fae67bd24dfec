//! One event of a tape meeting the orders of an instrument.

use tiltyard_model::tape::{Level, Print, Stamped, TapeEvent};
use tiltyard_model::{Nanos, OrderId, OrderKind, OrderStatus, Price, Qty, Side, TimeInForce};

use super::queues::{Queues, resting_price};
use super::sight::{Sight, is_better};
use crate::market::Listed;
use crate::venue::book::Book;
use crate::venue::fill_rules::{reaches_limit, reaches_stop};
use crate::venue::passage::Filling;
use crate::venue::{Host, Working};

pub(super) struct Matching<'a> {
    pub(super) book: &'a mut Book,
    pub(super) sight: &'a mut Sight,
    pub(super) queues: &'a mut Queues,
    pub(super) listed: &'a Listed,
    pub(super) host: &'a mut dyn Host,
}

impl Matching<'_> {
    /// First what reached the venue before the event, then the event, then who takes of what is there after it.
    pub(super) fn run(mut self, event: &Stamped, happened: Nanos, now: Nanos) {
        self.arrivals(now);
        self.book.expire(now, self.host);
        self.sight.apply(event, happened);
        match &event.event {
            TapeEvent::Print(print) => self.print(print, happened, now),
            TapeEvent::Quote(_) | TapeEvent::Depth(_) => {
                self.queues.look(self.sight, now);
                self.moved_through(now);
            }
        }
        for order in self.book.which(|order| order.active_from < now && takes(order)) {
            self.meet(order, now);
        }
        self.queues.sync(self.book, self.sight, now);
    }

    /// Orders and requests that reached the venue since the last event, in the order of their arrival.
    fn arrivals(&mut self, now: Nanos) {
        let mut due: Vec<(Nanos, OrderId)> = Vec::new();
        for order in self.book.orders() {
            if takes(order) {
                due.push((order.active_from, order.id));
            }
            due.extend(order.pending.iter().map(|pending| (pending.from, order.id)));
        }
        due.retain(|(at, _)| *at < now);
        if due.is_empty() {
            return;
        }
        due.sort_unstable();
        for (at, order) in due {
            self.book.expire(at, self.host);
            // An order that arrives with a change behind it is met as what it was.
            if self.book.get(order).is_some_and(|working| working.active_from <= at && takes(working)) {
                self.meet(order, at);
            }
            self.book.deliver(order, at, self.host);
            if self.book.get(order).is_some_and(|working| working.active_from <= at && takes(working)) {
                self.meet(order, at);
            }
            self.queues.sync(self.book, self.sight, at);
        }
    }

    /// An order that would take meets what is shown.
    fn meet(&mut self, order: OrderId, at: Nanos) {
        let Some(working) = self.book.get(order) else { return };
        let (side, limit, immediate) = (working.ticket.side, resting_price(working), working.is_immediate());
        let unfilled = match working.ticket.time_in_force {
            TimeInForce::FillOrKill => "fill-or-kill",
            _ => "immediate-or-cancel",
        };
        if self.sight.is_known() {
            let best = self.sight.best(side.opposite());
            let marketable = limit.is_none_or(|limit| best.is_some_and(|best| reaches_limit(side, best.price, limit)));
            if working.ticket.post_only && limit.is_some() && marketable {
                return self.book.end(order, OrderStatus::Rejected, "post-only", self.host);
            }
            if marketable && self.fits(order, side, limit) {
                self.take(order, side, limit, at);
            }
            if let Some(working) = self.book.get_mut(order) {
                working.arrived = true;
            }
        }
        if immediate && self.book.get(order).is_some() {
            self.book.end(order, OrderStatus::Cancelled, unfilled, self.host);
        }
    }

    /// Whether all of an order is there and can be paid, if it may not trade in part.
    fn fits(&self, order: OrderId, side: Side, limit: Option<Price>) -> bool {
        let Some(working) = self.book.get(order) else { return false };
        if working.ticket.time_in_force != TimeInForce::FillOrKill {
            return true;
        }
        let (mut left, mut worst) = (working.remaining(), None);
        for level in self.sight.available(side.opposite(), limit) {
            if left.is_zero() {
                break;
            }
            left -= self.listed.rules.whole_lots(level.size).min(left);
            worst = Some(level.price);
        }
        let room = worst.map(|worst| self.host.room(working, self.listed, worst).quantity);
        left.is_zero() && room.is_some_and(|room| room >= working.remaining())
    }

    /// Takes what is there, level by level.
    fn take(&mut self, order: OrderId, side: Side, limit: Option<Price>, at: Nanos) {
        loop {
            let lots = |level: &Level| !self.listed.rules.whole_lots(level.size).is_zero();
            let Some(level) = self.sight.available(side.opposite(), limit).find(lots) else { return };
            if !self.fill_at(order, level.price, level, true, at) {
                return;
            }
        }
    }

    /// What is shown at or beyond the price of an order that rests would have met it.
    fn moved_through(&mut self, at: Nanos) {
        if self.queues.is_empty() || !self.sight.is_known() {
            return;
        }
        let best = [Side::Buy, Side::Sell].map(|side| self.sight.best(side.opposite()));
        let through = |(_, side, price): &(OrderId, Side, Price)| {
            let best = best[usize::from(*side == Side::Sell)];
            best.is_some_and(|best| reaches_limit(*side, best.price, *price))
        };
        let mut passed: Vec<(OrderId, Side, Price)> = self.queues.orders().filter(through).collect();
        passed.sort_by(|(_, side, one), (_, _, other)| match side {
            _ if is_better(*side, *one, *other) => std::cmp::Ordering::Less,
            _ if one == other => std::cmp::Ordering::Equal,
            _ => std::cmp::Ordering::Greater,
        });
        for (order, side, price) in passed {
            loop {
                let lots = |level: &Level| !self.listed.rules.whole_lots(level.size).is_zero();
                let Some(level) = self.sight.available(side.opposite(), Some(price)).find(lots) else { break };
                if !self.fill_at(order, price, level, false, at) {
                    break;
                }
            }
        }
    }

    /// Others traded: orders that rest trade with them, those that wait for a price are triggered.
    fn print(&mut self, print: &Print, happened: Nanos, now: Nanos) {
        for (order, quantity) in self.queues.print(print, happened, now, self.book) {
            let Some(price) = self.book.get(order).and_then(resting_price) else { continue };
            self.fill(order, price, quantity, false, now);
        }
        for order in self.book.which(|order| order.active_from < happened) {
            self.trigger(order, print.price);
        }
    }

    /// What the price of a print means to a stop or a take-profit.
    fn trigger(&mut self, order: OrderId, price: Price) {
        let Some(working) = self.book.get_mut(order).filter(|working| !working.triggered) else { return };
        let side = working.ticket.side;
        let reached = match working.ticket.kind {
            OrderKind::Market | OrderKind::Limit(_) => false,
            OrderKind::StopMarket(trigger) | OrderKind::StopLimit { trigger, .. } => reaches_stop(side, price, trigger),
            OrderKind::TakeProfit(limit) => reaches_limit(side, price, limit),
            OrderKind::TrailingStop { gap, activation } => {
                let follows = working.best.is_some()
                    || activation.is_none_or(|activation| reaches_limit(side, price, activation));
                let best = working.best.map_or(price, |best| match side {
                    Side::Buy => best.min(price),
                    Side::Sell => best.max(price),
                });
                working.best = follows.then_some(best);
                let trigger = self.listed.rules.whole_ticks(gap.behind(best, side), side == Side::Buy);
                follows && reaches_stop(side, price, trigger)
            }
        };
        if reached {
            working.triggered = true;
            self.host.updated(working.update(OrderStatus::Triggered, ""));
        }
    }

    /// Trades with a level that is shown; false if it did not or nothing of the order is left.
    fn fill_at(&mut self, order: OrderId, price: Price, level: Level, taker: bool, at: Nanos) -> bool {
        let Some(side) = self.book.get(order).map(|order| order.ticket.side) else { return false };
        let filled = self.fill(order, price, level.size, taker, at);
        if filled.is_zero() {
            return false;
        }
        self.sight.take(side.opposite(), Level { price: level.price, size: filled });
        self.book.get(order).is_some()
    }

    /// Trades as much as the account bears and settles what follows for other orders. What the account does not bear ends the order.
    fn fill(&mut self, order: OrderId, price: Price, quantity: Qty, taker: bool, time: Nanos) -> Qty {
        let Some(working) = self.book.get_mut(order) else { return Qty::ZERO };
        let wanted = self.listed.rules.whole_lots(quantity.min(working.remaining()));
        if wanted.is_zero() {
            return Qty::ZERO;
        }
        let before = self.host.position(working.strategy, working.ticket.instrument);
        let room = self.host.room(working, self.listed, price);
        let quantity = self.listed.rules.whole_lots(wanted.min(room.quantity));
        if quantity.is_zero() {
            self.book.end(order, OrderStatus::Cancelled, room.because, self.host);
            return Qty::ZERO;
        }
        let filling = Filling { price, quantity, taker, at_open: true, time };
        if !filling.execute(working, self.listed, self.host) {
            self.book.end(order, OrderStatus::Cancelled, "out-of-range", self.host);
            return Qty::ZERO;
        }
        if let Some(opened) = self.book.settle(order, quantity, before, self.host) {
            self.protect(order, price, opened, time);
        }
        self.book.remove_filled(order);
        if quantity < wanted {
            self.book.end(order, OrderStatus::Cancelled, room.because, self.host);
        }
        quantity
    }

    /// Brings to life what protects a position that an order has opened, or lets it grow with the position.
    fn protect(&mut self, parent: OrderId, price: Price, opened: Qty, now: Nanos) {
        let Some(entry) = self.book.get(parent) else { return };
        let children = entry.children.clone();
        let alive: Vec<OrderId> = children.into_iter().filter(|child| self.book.get(*child).is_some()).collect();
        if alive.is_empty() {
            let tickets = entry.protection(price, opened, &self.listed.rules);
            self.book.bear(parent, tickets, now, now, self.host);
        }
        for child in alive {
            if let Some(working) = self.book.get_mut(child) {
                working.ticket.quantity += opened;
                self.host.replaced(working);
            }
        }
    }
}

/// Whether an order is one that takes what it finds: a market order, a stop that was triggered, or a limit order that has not met the
/// market yet.
fn takes(order: &Working) -> bool {
    match order.ticket.kind {
        OrderKind::Market => true,
        OrderKind::StopMarket(_) | OrderKind::TrailingStop { .. } => order.triggered,
        OrderKind::StopLimit { .. } => order.triggered && !order.arrived,
        OrderKind::Limit(_) | OrderKind::TakeProfit(_) => !order.arrived,
    }
}
