use std::collections::BTreeMap;

use tiltyard_model::{
    Decimal, Liquidity, Nanos, OrderId, OrderStatus, Price, Qty, Rounding, Side, TimeInForce, notional, share,
};

use super::Host;
use super::book::Book;
use super::fill_rules::{FillRules, Ohlc, Outcome, Stage, Trade};
use super::working::Working;
use crate::execution::{Execution, StrategyIndex};
use crate::market::Listed;

/// One bar passing over the orders of an instrument.
pub(super) struct Passage<'a> {
    bar: Passing<'a>,
    book: &'a mut Book,
    host: &'a mut dyn Host,
    /// Volume of the bar that is nobody's yet.
    free: Qty,
    plan: BTreeMap<(Stage, OrderId), Planned>,
    /// What each strategy has opened inside the bar: a target may not close it there, because it may have come first.
    inside: BTreeMap<StrategyIndex, Qty>,
}

/// The bar and the rules by which it makes fills.
pub(super) struct Passing<'a> {
    pub(super) rules: &'a dyn FillRules,
    pub(super) listed: &'a Listed,
    pub(super) prices: Ohlc,
    pub(super) volume: f64,
    pub(super) opened: Nanos,
    pub(super) closed: Nanos,
}

/// A trade that the bar allows, with the volume that is set aside for it.
struct Planned {
    trade: Trade,
    quantity: Qty,
}

/// What a fill has led to.
#[derive(Default)]
struct Filled {
    /// The price and how much it opened, if it opened something.
    opened: Option<(Price, Qty)>,
    /// Why the rest of the order is to end, if it is.
    cut: Option<&'static str>,
}

impl<'a> Passage<'a> {
    pub(super) fn new(bar: Passing<'a>, book: &'a mut Book, host: &'a mut dyn Host) -> Self {
        let free = bar.rules.capacity(bar.volume, bar.listed);
        Self { bar, book, host, free, plan: BTreeMap::new(), inside: BTreeMap::new() }
    }

    /// Trades what the bar allows: first volume is shared out in the order of acceptance, then everything happens by the
    /// stages of the bar.
    pub(super) fn run(mut self) {
        let mut met = self.book.which(|order| order.active_from <= self.bar.opened);
        for order in &met {
            let Some(working) = self.book.get(*order) else { continue };
            let outcome = self.bar.rules.outcome(working, &self.bar.prices, self.bar.listed);
            self.plan(*order, outcome);
        }
        self.entries_before_their_stops();
        while let Some(((stage, order), planned)) = self.plan.pop_first() {
            let filled = self.fill(order, stage, &planned);
            let born =
                filled.opened.map_or_else(Vec::new, |(price, quantity)| self.protect(order, stage, price, quantity));
            self.book.remove_filled(order);
            if let Some(because) = filled.cut {
                self.book.end(order, OrderStatus::Cancelled, because, self.host);
            }
            met.extend(born);
        }
        for order in met {
            let Some(working) = self.book.get_mut(order) else { continue };
            working.arrived = true;
            let unfilled = match working.ticket.time_in_force {
                TimeInForce::ImmediateOrCancel => "immediate-or-cancel",
                TimeInForce::FillOrKill => "fill-or-kill",
                TimeInForce::GoodTillCancelled | TimeInForce::GoodTillDate(_) => continue,
            };
            self.book.end(order, OrderStatus::Cancelled, unfilled, self.host);
        }
        self.book.expire(self.bar.closed, self.host);
    }

    /// Takes down what the bar does to an order, and sets volume aside if it may trade.
    fn plan(&mut self, order: OrderId, outcome: Outcome) {
        let Some(working) = self.book.get_mut(order) else { return };
        if let Some(reason) = outcome.rejected {
            return self.book.end(order, OrderStatus::Rejected, reason, self.host);
        }
        working.best = outcome.best.or(working.best);
        if outcome.triggered && !working.triggered {
            working.triggered = true;
            self.host.updated(working.update(OrderStatus::Triggered, ""));
        }
        let Some(trade) = outcome.trade else { return };
        // Inside a bar in which its time ends, an order may have expired before the market came to it.
        let over = working.expires().is_some_and(|until| until < self.bar.closed) && trade.stage != Stage::Open;
        // A stop-loss and a take-profit cannot both trade. The stop-loss was accepted first and is planned first.
        let stopped = working.sibling.is_some_and(|sibling| self.plan.keys().any(|(_, planned)| *planned == sibling));
        let quantity = working.remaining().min(self.free);
        let killed = working.ticket.time_in_force == TimeInForce::FillOrKill && quantity < working.remaining();
        if over || stopped || killed || quantity.is_zero() {
            return;
        }
        self.free -= quantity;
        self.plan.insert((trade.stage, order), Planned { trade, quantity });
    }

    /// On its way to the stop-loss of what an order has opened, the market passes the limit at which the rest of that order
    /// waits.
    fn entries_before_their_stops(&mut self) {
        let stops = self.plan.keys().filter(|(stage, _)| *stage == Stage::Against);
        let parents: Vec<OrderId> = stops.filter_map(|(_, stop)| self.book.get(*stop)?.ticket.parent).collect();
        for parent in parents {
            if let Some(planned) = self.plan.remove(&(Stage::Favour, parent)) {
                self.plan.insert((Stage::Against, parent), planned);
            }
        }
    }

    /// Trades what was planned, as far as the account goes, and settles what follows for other orders.
    fn fill(&mut self, order: OrderId, stage: Stage, planned: &Planned) -> Filled {
        let Some(working) = self.book.get_mut(order) else { return Filled::default() };
        let (strategy, instrument) = (working.strategy, working.ticket.instrument);
        let before = self.host.position(strategy, instrument);
        let mut wanted = planned.quantity.min(working.remaining());
        if working.ticket.reduce_only && stage == Stage::Favour {
            let inside = self.inside.get(&strategy).copied().unwrap_or_default();
            wanted = wanted.min(Qty((before.abs() - inside).0.max(Decimal::ZERO)));
            if wanted.is_zero() {
                return Filled::default();
            }
        }
        let price = self.bar.price(&planned.trade, working.ticket.side, wanted);
        let room = self.host.room(working, self.bar.listed, price);
        let quantity = self.bar.listed.rules.whole_lots(wanted.min(room.quantity));
        let whole = working.ticket.time_in_force == TimeInForce::FillOrKill;
        if quantity.is_zero() || whole && quantity < working.remaining() {
            return Filled { cut: Some(room.because), ..Filled::default() };
        }
        let time = if stage == Stage::Open { self.bar.opened } else { self.bar.closed };
        let filling = Filling { price, quantity, taker: planned.trade.taker, stage, time };
        if !filling.execute(working, self.bar.listed, self.host) {
            return Filled { cut: Some("out-of-range"), ..Filled::default() };
        }
        let opened = self.book.settle(order, quantity, before, self.host);
        if let Some(opened) = opened.filter(|_| stage != Stage::Open) {
            *self.inside.entry(strategy).or_default() += opened;
        }
        let cut = (quantity < wanted).then_some(room.because);
        Filled { opened: opened.map(|opened| (price, opened)), cut }
    }

    /// Brings to life what protects a position that an order has opened, or lets it grow with the position. Answers with the
    /// orders that are new; what the rest of the bar does to them is planned.
    fn protect(&mut self, parent: OrderId, stage: Stage, price: Price, opened: Qty) -> Vec<OrderId> {
        let Some(entry) = self.book.get(parent) else { return Vec::new() };
        let alive: Vec<OrderId> =
            entry.children.iter().copied().filter(|child| self.book.get(*child).is_some()).collect();
        if alive.is_empty() {
            let tickets = entry.protection(price, opened, &self.bar.listed.rules);
            let born = self.book.bear(parent, tickets, self.bar.closed, self.bar.opened, self.host);
            for child in &born {
                let Some(working) = self.book.get(*child) else { continue };
                let outcome = self.bar.rules.in_entry_bar(working, stage, price, &self.bar.prices, self.bar.listed);
                self.plan(*child, outcome);
            }
            return born;
        }
        for child in alive {
            let Some(working) = self.book.get_mut(child) else { continue };
            working.ticket.quantity += opened;
            self.host.replaced(working);
            // What joins a stop that trades in this very bar goes with it; a target gets what was there before, unless the
            // entry was as early as can be.
            let joins = |planned: OrderId, at: Stage| planned == child && (at != Stage::Favour || stage == Stage::Open);
            if let Some((_, planned)) = self.plan.iter_mut().find(|((at, id), _)| joins(*id, *at)) {
                let more = opened.min(self.free);
                self.free -= more;
                planned.quantity += more;
            }
        }
        Vec::new()
    }
}

impl Passing<'_> {
    fn price(&self, trade: &Trade, side: Side, quantity: Qty) -> Price {
        if !trade.taker {
            return trade.price;
        }
        let price = self.rules.costs().apply(trade.price, side, quantity, self.volume);
        match (trade.limit, side) {
            (Some(limit), Side::Buy) => price.min(limit),
            (Some(limit), Side::Sell) => price.max(limit),
            (None, _) => price,
        }
    }
}

/// A fill whose price and quantity are settled.
pub(super) struct Filling {
    pub(super) price: Price,
    pub(super) quantity: Qty,
    pub(super) taker: bool,
    pub(super) stage: Stage,
    pub(super) time: Nanos,
}

impl Filling {
    /// Books it; false, with nothing changed, if it is worth more than can be said exactly.
    pub(super) fn execute(&self, order: &mut Working, listed: &Listed, host: &mut dyn Host) -> bool {
        let ticket = &order.ticket;
        let rounding = match ticket.side {
            Side::Buy => Rounding::Up,
            Side::Sell => Rounding::Down,
        };
        let rate = if self.taker { listed.rules.taker_fee } else { listed.rules.maker_fee };
        let Some(value) = notional(self.price, self.quantity, rounding) else { return false };
        let Some(fee) = share(value, rate, Rounding::Up) else { return false };
        host.executed(Execution {
            strategy: order.strategy,
            order: order.id,
            instrument: ticket.instrument,
            time: self.time,
            at_open: self.stage == Stage::Open,
            side: ticket.side,
            price: self.price,
            quantity: self.quantity,
            value,
            fee,
            liquidity: if self.taker { Liquidity::Taker } else { Liquidity::Maker },
            origin: ticket.origin,
            parent: ticket.parent,
            reason: order.exit_reason(),
            tag: ticket.tag.clone(),
        });
        order.filled += self.quantity;
        let status = if order.remaining().is_zero() { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
        host.updated(order.update(status, ""));
        true
    }
}
