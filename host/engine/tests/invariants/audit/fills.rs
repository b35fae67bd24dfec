//! When, at what price and how much an order may trade: no more than its bar allows.

use tiltyard_engine::Execution;
use tiltyard_model::{Bar, Decimal, InstrumentIndex, Liquidity, OrderId, OrderKind, Side, Ticket, TimeInForce};

use super::orders::{Order, is_forced};
use super::{Audit, Law, exact, is_whole};

impl Audit<'_> {
    pub(super) fn executed(&mut self, execution: &Execution) {
        let Execution { order: id, instrument, strategy, quantity, .. } = *execution;
        let held = self.position(strategy, instrument);
        self.booked(execution);
        let after = self.position(strategy, instrument);
        let Some(order) = self.orders.get_mut(&id) else {
            return self.findings.holds(Law::Fills, false, || format!("never accepted: {execution:?}"));
        };
        order.filled += quantity;
        let order = order.clone();
        if after.abs() > held.abs() || after * held < Decimal::ZERO {
            self.opened.push(id);
        }
        self.counted(execution, &order);
        self.of_its_order(execution, &order);
        let reduces = !order.ticket.reduce_only || (after.abs() < held.abs() && after * held >= Decimal::ZERO);
        self.findings.holds(Law::Fills, reduces, || format!("reduce-only took {held} to {after}: {execution:?}"));
        if is_forced(&order.ticket) {
            return;
        }
        let Some(bar) = self.bars.get(&instrument).copied() else {
            return self.findings.holds(Law::Fills, false, || format!("without a bar: {execution:?}"));
        };
        self.markets[instrument.0 as usize].traded += quantity.0;
        self.timed(execution, &order, &bar);
        self.priced(execution, &order.ticket, &bar);
    }

    /// The bar being read has reached the trigger.
    pub(super) fn triggered(&mut self, id: OrderId, ticket: &Ticket) {
        // The trigger of a trailing stop has moved in between.
        let (OrderKind::StopMarket(trigger) | OrderKind::StopLimit { trigger, .. }) = ticket.kind else {
            return;
        };
        let bar = self.bars.get(&ticket.instrument);
        let reached = bar.is_some_and(|bar| match ticket.side {
            Side::Buy => exact(bar.high) >= trigger.0,
            Side::Sell => exact(bar.low) <= trigger.0,
        });
        self.findings.holds(Law::Fills, reached, || format!("{id:?} triggered by {bar:?}: {ticket:?}"));
    }

    /// Nobody trades more than a tenth of a bar.
    pub(super) fn volume(&mut self, instrument: InstrumentIndex, bar: &Bar) {
        let traded = self.markets[instrument.0 as usize].traded;
        let most = exact(bar.volume) / Decimal::TEN;
        self.findings.holds(Law::Fills, traded <= most, || format!("{traded} of {bar:?}"));
    }

    /// An order that is alive, as the execution says it is, and no more than all of it.
    fn of_its_order(&mut self, execution: &Execution, order: &Order) {
        let Order { ticket, filled, ended, .. } = order;
        let quantity = execution.quantity;
        let same = (order.strategy, ticket.instrument, ticket.side)
            == (execution.strategy, execution.instrument, execution.side)
            && (ticket.origin, ticket.parent, &ticket.tag) == (execution.origin, execution.parent, &execution.tag);
        let lots = quantity.0 > Decimal::ZERO && is_whole(quantity.0, self.rules(execution.instrument).lot.0);
        let findings = &mut self.findings;
        findings.holds(Law::Fills, ended.is_none(), || format!("after {ended:?}: {execution:?}"));
        findings.holds(Law::Fills, same, || format!("{execution:?} is not {ticket:?}"));
        let part = *filled <= ticket.quantity;
        findings.holds(Law::Fills, part, || format!("{filled} of {}: {execution:?}", ticket.quantity));
        findings.holds(Law::Fills, lots, || format!("not in lots: {execution:?}"));
    }

    /// Not before the order was active, of that size and triggered; not after it was cancelled or has expired.
    fn timed(&mut self, execution: &Execution, order: &Order, bar: &Bar) {
        let Order { ticket, from, before, filled, triggered, cancelled, .. } = order;
        let findings = &mut self.findings;
        findings.holds(Law::Fills, *from <= bar.open_time, || format!("active from {from}, but {execution:?}"));
        let late = before.iter().find(|(raised, quantity)| *raised > bar.open_time && filled > quantity);
        findings.holds(Law::Fills, late.is_none(), || format!("raised only at {late:?}: {execution:?} of {bar:?}"));
        let gone = cancelled.is_some_and(|cancelled| cancelled <= bar.open_time);
        findings.holds(Law::Orders, !gone, || format!("cancelled at {cancelled:?}, but {execution:?}"));
        // What trades inside a bar is timed at its close.
        let time = if execution.at_open { bar.open_time } else { self.now };
        findings.holds(Law::Fills, execution.time == time, || format!("not at {time}: {execution:?}"));
        if ticket.time_in_force == TimeInForce::FillOrKill {
            let all = execution.quantity == ticket.quantity;
            findings.holds(Law::Fills, all, || format!("not all of {ticket:?}: {execution:?}"));
        }
        if let TimeInForce::GoodTillDate(until) = ticket.time_in_force {
            let alive = if execution.at_open { time < until } else { time <= until };
            findings.holds(Law::Fills, alive, || format!("expired at {until}: {execution:?}"));
        }
        let waits = matches!(
            ticket.kind,
            OrderKind::StopMarket(_) | OrderKind::StopLimit { .. } | OrderKind::TrailingStop { .. }
        );
        findings.holds(Law::Fills, *triggered || !waits, || format!("not triggered: {execution:?} of {ticket:?}"));
    }

    /// Inside the bar but for the costs, at the limit or better, and for a maker only where the market went through it.
    fn priced(&mut self, execution: &Execution, ticket: &Ticket, bar: &Bar) {
        let (price, tick) = (execution.price.0, self.rules(ticket.instrument).tick.0);
        let (open, low, high) = (exact(bar.open), exact(bar.low), exact(bar.high));
        let costs = self.scenario.costs;
        let (least, most) = (costs.taken(), costs.taken() + costs.impact);
        let buys = ticket.side == Side::Buy;
        let maker = execution.liquidity == Liquidity::Maker;
        let findings = &mut self.findings;
        // A market that leaps over a resting order fills it at its limit all the same, which is worse than the bar.
        let above = low * (Decimal::ONE - most) <= price || maker && !buys;
        let below = price <= high * (Decimal::ONE + most) || maker && buys;
        findings.holds(Law::Fills, above && below, || format!("beyond {bar:?}: {execution:?}"));
        let limit = ticket.kind.limit().map(|limit| limit.0);
        let kept = limit.is_none_or(|limit| if buys { price <= limit } else { price >= limit });
        findings.holds(Law::Fills, kept, || format!("beyond {limit:?}: {execution:?}"));
        findings.holds(Law::Fills, maker || !ticket.post_only, || format!("post-only: {execution:?}"));
        if maker {
            let through = limit.is_some_and(|limit| if buys { low <= limit - tick } else { high >= limit + tick });
            let at_limit = limit == Some(price);
            findings.holds(Law::Fills, through && at_limit, || format!("not traded through by {bar:?}: {execution:?}"));
        }
        if ticket.kind == OrderKind::Market {
            let worse = |cost| if buys { open * (Decimal::ONE + cost) } else { open * (Decimal::ONE - cost) };
            let (near, far) = (worse(least), worse(most));
            let in_range = (near.min(far)..=near.max(far)).contains(&price);
            let what = || format!("not the open of {bar:?}: {execution:?}");
            findings.holds(Law::Fills, in_range && execution.at_open, what);
        }
    }

    /// What kind of fill this is.
    fn counted(&mut self, execution: &Execution, order: &Order) {
        let ticket = &order.ticket;
        let kind = match ticket.kind {
            OrderKind::Market => "market",
            OrderKind::Limit(_) => "limit",
            OrderKind::StopMarket(_) => "stop",
            OrderKind::StopLimit { .. } => "stop-limit",
            OrderKind::TrailingStop { .. } => "trailing stop",
            OrderKind::TakeProfit(_) => "take-profit",
        };
        let part = if order.filled < ticket.quantity { "part" } else { "all" };
        self.findings.count(format!("{:?} {kind} {:?} {part}", ticket.origin, execution.liquidity));
        self.findings.count(format!("exit {}", execution.reason));
        if order.replaced {
            self.findings.count("replaced, then filled");
        }
    }
}
