use std::collections::BTreeMap;

use tiltyard_model::{
    Decimal, InstrumentIndex, Liquidity, Money, Nanos, OrderId, OrderStatus, Price, Qty, Rounding, Side, TimeInForce,
    notional, share,
};

use super::Host;
use super::book::Book;
use super::fill_rules::{Depth, Entry, FillRules, Ohlc, Outcome, Stage, Trade, reaches_stop};
use super::liquidation::Liquidation;
use super::working::Working;
use crate::execution::{Execution, StrategyIndex};
use crate::margin::exit_side;
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
    /// When in the bar each strategy that has traded did so last.
    last: BTreeMap<StrategyIndex, Stage>,
}

/// The bar and the rules by which it makes fills.
pub(super) struct Passing<'a> {
    pub(super) rules: &'a dyn FillRules,
    pub(super) listed: &'a Listed,
    pub(super) instrument: InstrumentIndex,
    pub(super) prices: Ohlc,
    /// What positions are judged by.
    pub(super) marks: Ohlc,
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
        Self { bar, book, host, free, plan: BTreeMap::new(), inside: BTreeMap::new(), last: BTreeMap::new() }
    }

    /// Trades what the bar allows. Answers with those who traded.
    pub(super) fn run(mut self) -> Vec<StrategyIndex> {
        self.liquidate_at_open();
        let met = self.book.which(|order| order.active_from <= self.bar.opened);
        self.meet(met, |bar, order| bar.rules.outcome(order, &bar.prices, bar.listed))
    }

    /// Trades what the profile allows of the orders that have come in since the bar closed. `traded` are the strategies that have
    /// traded in the bar.
    pub(super) fn arrivals(self, traded: &[StrategyIndex]) {
        let met = self.book.which(|order| !order.arrived && order.active_from <= self.bar.closed);
        self.meet(met, |bar, order| bar.rules.at_close(order, bar.listed, traded.contains(&order.strategy)));
    }

    /// First volume is shared out in the order of acceptance, then everything happens by the stages of the bar.
    fn meet(
        mut self,
        mut met: Vec<OrderId>,
        outcome: impl Fn(&Passing<'_>, &Working) -> Outcome,
    ) -> Vec<StrategyIndex> {
        for order in &met {
            let Some(working) = self.book.get(*order) else { continue };
            let outcome = outcome(&self.bar, working);
            self.plan(*order, outcome);
        }
        self.entries_before_their_stops();
        while let Some(((stage, order), planned)) = self.plan.pop_first() {
            self.liquidate_before(stage, order, &planned);
            let filled = self.fill(order, stage, &planned);
            let born =
                filled.opened.map_or_else(Vec::new, |(price, quantity)| self.protect(order, stage, price, quantity));
            self.book.remove_filled(order);
            if let Some(because) = filled.cut {
                self.book.end(order, OrderStatus::Cancelled, because, self.host);
            }
            met.extend(born);
        }
        self.liquidate_inside();
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
        self.last.into_keys().collect()
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
        // Where nobody knows which of a stop-loss and a take-profit was reached first, it was the stop-loss, which was accepted first
        // and is planned first.
        let stopped = !self.bar.rules.knows_the_way()
            && working.sibling.is_some_and(|sibling| self.plan.keys().any(|(_, planned)| *planned == sibling));
        let there =
            trade.depth.filter(|depth| depth.beyond.is_none()).map_or(self.free, |depth| depth.size.min(self.free));
        let quantity = working.remaining().min(there);
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
        let stops = self.plan.keys().filter(|(stage, _)| *stage == Stage::First);
        let parents: Vec<OrderId> = stops.filter_map(|(_, stop)| self.book.get(*stop)?.ticket.parent).collect();
        for parent in parents {
            if let Some(planned) = self.plan.remove(&(Stage::Second, parent)) {
                self.plan.insert((Stage::First, parent), planned);
            }
        }
    }

    /// Trades what was planned, as far as the account goes, and settles what follows for other orders.
    fn fill(&mut self, order: OrderId, stage: Stage, planned: &Planned) -> Filled {
        let Some(working) = self.book.get_mut(order) else { return Filled::default() };
        let (strategy, instrument) = (working.strategy, working.ticket.instrument);
        let before = self.host.position(strategy, instrument);
        let mut wanted = planned.quantity.min(working.remaining());
        if working.ticket.reduce_only && stage == Stage::Second && !self.bar.rules.knows_the_way() {
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
        // What trades at a close has nothing of the bar before it.
        let at_open = stage == Stage::Open || self.bar.has_closed();
        let time = if stage == Stage::Open { self.bar.opened } else { self.bar.closed };
        let (best, beyond) = planned.trade.split(quantity);
        for (price, quantity) in std::iter::once((price, best)).chain(beyond) {
            let filling = Filling { price, quantity, taker: planned.trade.taker, at_open, time };
            if !filling.execute(working, self.bar.listed, self.host) {
                return Filled { cut: Some("out-of-range"), ..Filled::default() };
            }
        }
        self.last.insert(strategy, stage);
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
            let stop = tickets.iter().find_map(|ticket| ticket.kind.trigger());
            let entry = Entry { kind: entry.ticket.kind, stage, price, stop };
            let born = self.book.bear(parent, tickets, self.bar.closed, self.bar.opened, self.host);
            for child in &born {
                let Some(working) = self.book.get(*child) else { continue };
                let outcome = self.bar.rules.in_entry_bar(working, &entry, &self.bar.prices, self.bar.listed);
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
            let joins = |planned: OrderId, at: Stage| planned == child && (at != Stage::Second || stage == Stage::Open);
            if let Some((_, planned)) = self.plan.iter_mut().find(|((at, id), _)| joins(*id, *at)) {
                let more = opened.min(self.free);
                self.free -= more;
                planned.quantity += more;
            }
        }
        Vec::new()
    }
}

impl Trade {
    /// What of a quantity trades at this price, and what beyond it.
    fn split(&self, quantity: Qty) -> (Qty, Option<(Price, Qty)>) {
        let Some(Depth { size, beyond: Some(beyond) }) = self.depth else { return (quantity, None) };
        let best = quantity.min(size);
        (best, Some((beyond, quantity - best)).filter(|(_, rest)| !rest.is_zero()))
    }
}

impl Passage<'_> {
    fn may_liquidate(&self) -> bool {
        self.bar.listed.instrument.kind.is_margined() && !self.bar.has_closed()
    }

    /// Closes by force whose margin the first mark has used up.
    fn liquidate_at_open(&mut self) {
        if self.may_liquidate() {
            self.host.strategies().into_iter().for_each(|strategy| self.liquidate(strategy, Stage::Open));
        }
    }

    /// Closes by force whose margin the bar has used up. Where nobody knows which extreme came first, what was entered inside the bar
    /// is held to the worst of it; not what was entered at the close, or at an extreme that is known to come later.
    fn liquidate_inside(&mut self) {
        if !self.may_liquidate() {
            return;
        }
        for strategy in self.host.strategies() {
            let adverse = self.adverse(strategy);
            let late = |last: &Stage| *last == Stage::Close || self.bar.rules.knows_the_way() && *last > adverse;
            if !self.last.get(&strategy).is_some_and(late) {
                self.liquidate(strategy, adverse);
            }
        }
    }

    /// When the bar comes to the extreme that is against what a strategy holds.
    fn adverse(&self, strategy: StrategyIndex) -> Stage {
        self.bar.rules.adverse(exit_side(self.host.position(strategy, self.bar.instrument)))
    }

    /// On its way against a position the market comes to the liquidation before it comes to a stop beyond, and to both before it
    /// turns, or closes.
    fn liquidate_before(&mut self, stage: Stage, order: OrderId, planned: &Planned) {
        let Some(working) = self.book.get(order).filter(|_| !self.bar.has_closed()) else { return };
        let (strategy, side) = (working.strategy, working.ticket.side);
        let Some(price) = self.host.liquidation_price(strategy, self.bar.instrument) else { return };
        let exits = exit_side(self.host.position(strategy, self.bar.instrument)) == side;
        let beyond = exits && reaches_stop(side, planned.trade.price, price);
        let adverse = self.adverse(strategy);
        if stage > adverse || stage == adverse && beyond {
            self.liquidate(strategy, adverse);
        }
    }

    fn liquidate(&mut self, strategy: StrategyIndex, stage: Stage) {
        let Passing { listed, instrument, marks, opened, closed, .. } = self.bar;
        let Some(price) = self.host.liquidation_price(strategy, instrument) else { return };
        let side = exit_side(self.host.position(strategy, instrument));
        let at_open = stage == Stage::Open;
        let reached = if at_open { marks.open } else { marks.against(side) };
        if reaches_stop(side, reached, price) {
            let (price, time) = if at_open { (marks.open, opened) } else { (price, closed) };
            let at = Liquidation { strategy, instrument, listed, price, at_open, time, now: closed };
            at.execute(self.book, self.host);
        }
    }
}

impl Passing<'_> {
    /// Whether nothing moves any more: the bar is only its last price.
    fn has_closed(&self) -> bool {
        self.opened == self.closed
    }

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
    pub(super) at_open: bool,
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
            at_open: self.at_open,
            side: ticket.side,
            price: self.price,
            quantity: self.quantity,
            value,
            fee,
            liquidation_fee: Money::ZERO,
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
