use std::collections::BTreeMap;

use tiltyard_model::{
    Bar, Change, Decimal, InstrumentIndex, Liquidity, Nanos, OrderId, OrderOrigin, OrderStatus, Price, Qty, Random,
    Rounding, Side, Ticket, TimeInForce, notional, share,
};

use super::fill_rules::{FillRules, Ohlc, Outcome, Stage, Trade};
use super::working::{Pending, Request, Working};
use super::{Host, Latency, Venue};
use crate::execution::{Execution, Reason, StrategyIndex};
use crate::market::Listed;

/// A venue made of bars: it works orders by the rules of a profile.
///
/// Only orders that were active when a bar opened may fill in it; an order that was sent while a long bar was under way
/// waits for the next one, because its prices may lie in the past.
#[derive(Debug)]
pub struct SimulatedVenue {
    rules: Box<dyn FillRules>,
    latency: Latency,
    random: Random,
    books: Vec<Vec<Working>>,
    /// When each instrument's last bar closed.
    closed: Vec<Nanos>,
}

impl SimulatedVenue {
    /// A venue for this many instruments. `seed` is where latencies are drawn from.
    #[must_use]
    pub fn new(rules: Box<dyn FillRules>, latency: Latency, seed: u64, instruments: usize) -> Self {
        let latency = Latency { fixed: latency.fixed.max(Nanos(0)), jitter: latency.jitter.max(Nanos(0)) };
        Self {
            rules,
            latency,
            random: Random(seed),
            books: vec![Vec::new(); instruments],
            closed: vec![Nanos(i64::MIN); instruments],
        }
    }

    /// The profile.
    #[must_use]
    pub fn rules(&self) -> &dyn FillRules {
        &*self.rules
    }

    fn find(&self, order: OrderId) -> Option<(usize, usize)> {
        let place = |(book, orders): (usize, &Vec<Working>)| Some((book, place(orders, order)?));
        self.books.iter().enumerate().find_map(place)
    }

    /// Sends a request after an order. While a bar is under way that the order may trade in, nobody knows what came first, so
    /// that it stays what it is until the bar has closed.
    fn request(&mut self, order: OrderId, request: Request, now: Nanos, host: &mut dyn Host) {
        let from = now + self.latency.draw(&mut self.random);
        let Some((book, at)) = self.find(order) else { return };
        let working = &mut self.books[book][at];
        if working.is_leaving() {
            return;
        }
        working.pending.push(Pending { from, request });
        if from <= now && self.closed[book] == now {
            deliver(&mut self.books[book], order, now, host);
        }
    }
}

/// Where an order stands in a book: they are sorted by their numbers.
fn place(orders: &[Working], order: OrderId) -> Option<usize> {
    orders.binary_search_by_key(&order, |working| working.id).ok()
}

impl Venue for SimulatedVenue {
    fn place(&mut self, order: OrderId, strategy: StrategyIndex, ticket: Ticket, now: Nanos) -> Nanos {
        let active_from = now + self.latency.draw(&mut self.random);
        if let Some(book) = self.books.get_mut(ticket.instrument.0 as usize) {
            book.push(Working::new(order, strategy, ticket, now, active_from));
        }
        active_from
    }

    fn cancel(&mut self, order: OrderId, reason: Reason, now: Nanos, host: &mut dyn Host) {
        self.request(order, Request::Cancel(reason), now, host);
    }

    fn replace(&mut self, order: OrderId, change: Change, now: Nanos, host: &mut dyn Host) {
        self.request(order, Request::Replace(change), now, host);
    }

    fn recalls(&self, instrument: InstrumentIndex, now: Nanos) -> bool {
        let at_once = self.latency == Latency::default();
        at_once && self.closed.get(instrument.0 as usize) == Some(&now)
    }

    fn on_bar(&mut self, instrument: InstrumentIndex, listed: &Listed, bar: &Bar, now: Nanos, host: &mut dyn Host) {
        if let Some(closed) = self.closed.get_mut(instrument.0 as usize) {
            *closed = now;
        }
        let Some(orders) = self.books.get_mut(instrument.0 as usize).filter(|orders| !orders.is_empty()) else {
            return;
        };
        let Some(prices) = Ohlc::exact(bar) else { return };
        arrive(orders, bar.open_time, host);
        let passage = Passage { rules: &*self.rules, listed, prices, volume: bar.volume, opened: bar.open_time, now };
        passage.run(orders, host);
    }

    fn on_end(&mut self, instrument: InstrumentIndex, listed: &Listed, now: Nanos, host: &mut dyn Host) {
        let Some(orders) = self.books.get_mut(instrument.0 as usize) else { return };
        while let Some(order) = orders.first().map(|order| order.id) {
            end(orders, order, OrderStatus::Cancelled, "delisted", host);
        }
        let Some(mark) = listed.mark() else { return };
        for strategy in host.strategies() {
            let held = host.position(strategy, instrument);
            if held.is_zero() {
                continue;
            }
            let side = if held.0.is_sign_positive() { Side::Sell } else { Side::Buy };
            let mut ticket = Ticket::market(instrument, side, held.abs(), OrderOrigin::Host);
            ticket.reduce_only = true;
            ticket.tag = "delisted".to_owned();
            let mut order = Working::new(host.next_order(), strategy, ticket, now, now);
            host.accepted(&order);
            let price = self.rules.costs().apply(mark, side, held.abs(), 0.0);
            let fill = Filling { price, quantity: held.abs(), taker: true, stage: Stage::Favour, time: now };
            if !fill.execute(&mut order, listed, host) {
                host.updated(order.update(OrderStatus::Cancelled, "out-of-range"));
            }
        }
    }

    fn working(&self, instrument: InstrumentIndex) -> &[Working] {
        self.books.get(instrument.0 as usize).map_or(&[], Vec::as_slice)
    }

    fn cost(&self) -> Decimal {
        // A guess at impact would have to know the next bar's volume; what it takes beyond this is cut off at the fill.
        self.rules.costs().taken()
    }
}

/// Applies what reached the venue before a bar opened, and lets orders expire whose time was up by then.
fn arrive(orders: &mut Vec<Working>, opened: Nanos, host: &mut dyn Host) {
    let waiting: Vec<OrderId> = orders.iter().filter(|order| !order.pending.is_empty()).map(|order| order.id).collect();
    for order in waiting {
        deliver(orders, order, opened, host);
    }
    expire(orders, opened, host);
}

/// Hands an order the requests that have reached it by `time`, in the order in which they were sent.
fn deliver(orders: &mut Vec<Working>, order: OrderId, time: Nanos, host: &mut dyn Host) {
    while let Some(at) = place(orders, order) {
        let due = orders[at].pending.first().is_some_and(|pending| pending.from <= time);
        if !due {
            return;
        }
        let Pending { from, request } = orders[at].pending.remove(0);
        match request {
            Request::Cancel(reason) => return end(orders, order, OrderStatus::Cancelled, reason, host),
            Request::Replace(change) => replace(orders, at, &change, from, host),
        }
    }
}

fn expire(orders: &mut Vec<Working>, time: Nanos, host: &mut dyn Host) {
    let over: Vec<OrderId> = orders
        .iter()
        .filter(|order| order.expires().is_some_and(|until| until <= time))
        .map(|order| order.id)
        .collect();
    for order in over {
        end(orders, order, OrderStatus::Expired, "", host);
    }
}

/// Ends an order and says so.
fn end(orders: &mut Vec<Working>, order: OrderId, status: OrderStatus, reason: impl Into<Reason>, host: &mut dyn Host) {
    if let Some(at) = place(orders, order) {
        let order = orders.remove(at);
        host.updated(order.update(status, reason));
    }
}

/// Changes an order. It may trade as what it is now only in bars that open from now on. A new trigger has not been reached
/// yet; a new limit makes a new arrival.
fn replace(orders: &mut Vec<Working>, at: usize, change: &Change, from: Nanos, host: &mut dyn Host) {
    let order = &mut orders[at];
    let mut changed = order.ticket.changed(change);
    // What has filled meanwhile cannot be taken back.
    changed.quantity = changed.quantity.max(order.filled);
    order.triggered &= changed.kind.trigger() == order.ticket.kind.trigger();
    order.arrived &= changed.kind == order.ticket.kind;
    order.active_from = order.active_from.max(from);
    order.ticket = changed;
    host.replaced(order);
    if order.remaining().is_zero() {
        let order = order.id;
        return end(orders, order, OrderStatus::Filled, "", host);
    }
    host.updated(order.update(OrderStatus::Replaced, ""));
}

/// One bar passing over the orders of an instrument.
struct Passage<'a> {
    rules: &'a dyn FillRules,
    listed: &'a Listed,
    prices: Ohlc,
    volume: f64,
    opened: Nanos,
    now: Nanos,
}

/// A trade that the bar allows, with the volume that is set aside for it.
struct Planned {
    trade: Trade,
    quantity: Qty,
}

/// By when it happens in the bar, then by acceptance. What an entry brings to life joins as the bar goes on.
type Plan = BTreeMap<(Stage, OrderId), Planned>;

/// What a fill opened.
struct Opened {
    price: Price,
    quantity: Qty,
}

impl Passage<'_> {
    fn run(&self, orders: &mut Vec<Working>, host: &mut dyn Host) {
        let mut free = self.rules.capacity(self.volume, self.listed);
        let mut plan = Plan::new();
        let mut met: Vec<OrderId> =
            orders.iter().filter(|order| order.active_from <= self.opened).map(|order| order.id).collect();
        // Volume is shared out in the order of acceptance, whatever trades first.
        for id in &met {
            let Some(at) = place(orders, *id) else { continue };
            let outcome = self.rules.outcome(&orders[at], &self.prices, self.listed);
            self.plan(orders, at, outcome, &mut free, &mut plan, host);
        }
        while let Some(((stage, id), planned)) = plan.pop_first() {
            let Some(at) = place(orders, id) else { continue };
            let (opened, cut) = self.fill(orders, at, stage, &planned, host);
            let born = match &opened {
                Some(opened) => self.protect(orders, id, opened, &mut free, &mut plan, host),
                None => Vec::new(),
            };
            if let Some(at) = place(orders, id).filter(|at| orders[*at].remaining().is_zero()) {
                orders.remove(at);
            }
            if let Some(because) = cut {
                end(orders, id, OrderStatus::Cancelled, because, host);
            }
            for (child, opened) in born.into_iter().zip(opened.iter().cycle()) {
                let Some(at) = place(orders, child) else { continue };
                let outcome = self.rules.in_entry_bar(&orders[at], stage, opened.price, &self.prices, self.listed);
                self.plan(orders, at, outcome, &mut free, &mut plan, host);
                met.push(child);
            }
        }
        for id in met {
            let Some(at) = place(orders, id) else { continue };
            orders[at].arrived = true;
            let unfilled = match orders[at].ticket.time_in_force {
                TimeInForce::ImmediateOrCancel => "immediate-or-cancel",
                TimeInForce::FillOrKill => "fill-or-kill",
                TimeInForce::GoodTillCancelled | TimeInForce::GoodTillDate(_) => continue,
            };
            end(orders, id, OrderStatus::Cancelled, unfilled, host);
        }
        expire(orders, self.now, host);
    }

    /// Takes down what the bar does to an order, and sets volume aside if it may trade.
    fn plan(
        &self,
        orders: &mut Vec<Working>,
        at: usize,
        outcome: Outcome,
        free: &mut Qty,
        plan: &mut Plan,
        host: &mut dyn Host,
    ) {
        let order = &mut orders[at];
        let id = order.id;
        if let Some(reason) = outcome.rejected {
            return end(orders, id, OrderStatus::Rejected, reason, host);
        }
        order.best = outcome.best.or(order.best);
        if outcome.triggered && !order.triggered {
            order.triggered = true;
            host.updated(order.update(OrderStatus::Triggered, ""));
        }
        let Some(trade) = outcome.trade else { return };
        // Inside a bar in which its time ends, an order may have expired before the market came to it.
        let over = order.expires().is_some_and(|until| until < self.now) && trade.stage != Stage::Open;
        // A stop-loss and a take-profit cannot both trade. The stop-loss was accepted first and is planned first.
        let stopped = order.sibling.is_some_and(|sibling| plan.keys().any(|(_, planned)| *planned == sibling));
        if over || stopped {
            return;
        }
        let quantity = order.remaining().min(*free);
        if order.ticket.time_in_force == TimeInForce::FillOrKill && quantity < order.remaining() {
            return;
        }
        if !quantity.is_zero() {
            *free -= quantity;
            plan.insert((trade.stage, id), Planned { trade, quantity });
        }
    }

    /// Trades what was planned, as far as the account goes, and settles what follows for other orders. Answers with what it
    /// opened, if anything, and with what cut it short, if anything: then the rest of the order is to end.
    fn fill(
        &self,
        orders: &mut Vec<Working>,
        at: usize,
        stage: Stage,
        planned: &Planned,
        host: &mut dyn Host,
    ) -> (Option<Opened>, Option<&'static str>) {
        let order = &mut orders[at];
        let (strategy, instrument) = (order.strategy, order.ticket.instrument);
        let wanted = planned.quantity.min(order.remaining());
        let price = self.price(&planned.trade, order.ticket.side, wanted);
        let room = host.room(order, self.listed, price);
        let quantity = self.listed.rules.whole_lots(wanted.min(room.quantity));
        let whole = order.ticket.time_in_force == TimeInForce::FillOrKill;
        if quantity.is_zero() || whole && quantity < order.remaining() {
            return (None, Some(room.because));
        }
        let before = host.position(strategy, instrument);
        let time = if stage == Stage::Open { self.opened } else { self.now };
        let filling = Filling { price, quantity, taker: planned.trade.taker, stage, time };
        if !filling.execute(order, self.listed, host) {
            return (None, Some("out-of-range"));
        }
        let after = host.position(strategy, instrument);
        let (sibling, parent, done) = (order.sibling, order.ticket.parent, order.remaining().is_zero());
        if let Some(sibling) = sibling {
            shrink(orders, sibling, quantity, host);
        }
        if let (Some(parent), true) = (parent, done) {
            end(orders, parent, OrderStatus::Cancelled, "protection-filled", host);
        }
        release(orders, strategy, after, host);
        let opened = if before.same_side(after) { after.abs() - before.abs() } else { after.abs() };
        let opened = (opened.0 > Decimal::ZERO).then_some(Opened { price, quantity: opened });
        (opened, (quantity < wanted).then_some(room.because))
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

    /// Brings to life what protects a position that an order has opened, or lets it grow with the position. Answers with
    /// the orders that are new.
    fn protect(
        &self,
        orders: &mut Vec<Working>,
        parent: OrderId,
        opened: &Opened,
        free: &mut Qty,
        plan: &mut Plan,
        host: &mut dyn Host,
    ) -> Vec<OrderId> {
        let Some(at) = place(orders, parent) else { return Vec::new() };
        let mut alive = orders[at].children.clone();
        alive.retain(|child| place(orders, *child).is_some());
        if alive.is_empty() {
            let tickets = orders[at].protection(opened.price, opened.quantity, &self.listed.rules);
            return bear(orders, at, tickets, self.now, self.opened, host);
        }
        for child in alive {
            let Some(at) = place(orders, child) else { continue };
            orders[at].ticket.quantity += opened.quantity;
            host.replaced(&orders[at]);
            // What joins a stop that trades in this very bar goes with it.
            if let Some((_, planned)) = plan.iter_mut().find(|((_, id), _)| *id == child) {
                let more = opened.quantity.min(*free);
                *free -= more;
                planned.quantity += more;
            }
        }
        Vec::new()
    }
}

/// Brings to life the orders that protect what the order at this place has opened.
fn bear(
    orders: &mut Vec<Working>,
    at: usize,
    tickets: Vec<Ticket>,
    now: Nanos,
    from: Nanos,
    host: &mut dyn Host,
) -> Vec<OrderId> {
    let (strategy, of_target) = (orders[at].strategy, orders[at].ticket.origin == OrderOrigin::Target);
    let mut born: Vec<Working> =
        tickets.into_iter().map(|ticket| Working::new(host.next_order(), strategy, ticket, now, from)).collect();
    let ids: Vec<OrderId> = born.iter().map(|child| child.id).collect();
    for child in &mut born {
        child.sibling = ids.iter().copied().find(|other| *other != child.id);
        child.guards_target = of_target;
        host.accepted(child);
    }
    orders[at].children.clone_from(&ids);
    orders.append(&mut born);
    ids
}

/// Takes from the other one of a stop-loss and a take-profit what its sibling has filled.
fn shrink(orders: &mut Vec<Working>, sibling: OrderId, filled: Qty, host: &mut dyn Host) {
    let Some(at) = place(orders, sibling) else { return };
    let order = &mut orders[at];
    if order.remaining() <= filled {
        return end(orders, sibling, OrderStatus::Cancelled, "one-cancels-other", host);
    }
    order.ticket.quantity -= filled;
    host.replaced(order);
    host.updated(order.update(OrderStatus::Replaced, "one-cancels-other"));
}

/// Ends reduce-only orders that have nothing left to reduce, so that none of them meets a later position.
fn release(orders: &mut Vec<Working>, strategy: StrategyIndex, position: Qty, host: &mut dyn Host) {
    let idle = |order: &&Working| {
        let against = order.ticket.side.signed(position).0 < Decimal::ZERO;
        order.strategy == strategy && order.ticket.reduce_only && !against && !order.remaining().is_zero()
    };
    let idle: Vec<OrderId> = orders.iter().filter(idle).map(|order| order.id).collect();
    for order in idle {
        end(orders, order, OrderStatus::Cancelled, "reduce-only", host);
    }
}

/// A fill whose price and quantity are settled.
struct Filling {
    price: Price,
    quantity: Qty,
    taker: bool,
    stage: Stage,
    time: Nanos,
}

impl Filling {
    /// Books it; false, with nothing changed, if it is worth more than can be said exactly.
    fn execute(&self, order: &mut Working, listed: &Listed, host: &mut dyn Host) -> bool {
        let ticket = &order.ticket;
        let (rounding, rate) = match (ticket.side, self.taker) {
            (Side::Buy, true) => (Rounding::Up, listed.rules.taker_fee),
            (Side::Buy, false) => (Rounding::Up, listed.rules.maker_fee),
            (Side::Sell, true) => (Rounding::Down, listed.rules.taker_fee),
            (Side::Sell, false) => (Rounding::Down, listed.rules.maker_fee),
        };
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
