//! A venue that matches against what was there.

mod clock;
mod matching;
mod queues;
mod sight;

use tiltyard_model::tape::Stamped;
use tiltyard_model::{
    Bar, Change, Decimal, InstrumentIndex, Nanos, OrderId, OrderOrigin, OrderStatus, Price, Qty, Random, Side, Ticket,
};

use super::book::Book;
use super::liquidation::Liquidation;
use super::passage::Filling;
use super::working::Working;
use super::{Host, Latency, Venue};
use crate::execution::{Reason, StrategyIndex};
use crate::margin::exit_side;
use crate::market::Listed;

use clock::Clock;
use matching::Matching;
use queues::Queues;
use sight::Sight;

/// A venue made of a tape: orders meet the quotes, the trades and the depth that were received.
///
/// - An order arrives when its latency is over and meets what had been received by then; what follows from that is told with the next
///   event. Market orders, triggered stops and limit orders that are marketable take the sizes shown, level by level, at their prices,
///   as takers. What one order has taken is not there for another until the level has changed. Nobody matches against a book that is
///   not known or crossed: takers wait, limit orders arrive when it is known, and an immediate one ends.
/// - What a market order does not find waits for what comes. `ImmediateOrCancel` ends what is left, `FillOrKill` trades as a whole or
///   ends, a post-only order that is marketable is rejected.
/// - What is left of a limit order rests, as a maker, behind what is shown at its price; see `Queues` for how it gets on. It trades by
///   prints against its side whose trade was later than its arrival: at its price with what of the print is left after everybody
///   ahead, beyond its price with as much as was printed. And it trades, at its own price, with what is shown on the other side at or
///   beyond it later, as far as that was not taken.
/// - Prices that trigger, activate and lead stops are those of prints.
///
/// What others would have done differently because of our orders is not known: there is no impact beyond the sizes that are taken.
#[derive(Debug)]
pub struct TapeVenue {
    latency: Latency,
    random: Random,
    places: Vec<Place>,
}

/// One instrument at the venue.
#[derive(Debug, Clone, Default)]
struct Place {
    book: Book,
    sight: Sight,
    queues: Queues,
    clock: Clock,
}

impl TapeVenue {
    /// What its rules are called, where profiles of bars are named.
    pub const RULES: &'static str = "tape";
    /// Their version, raised when a rule changes.
    pub const VERSION: u32 = 1;

    /// A venue for this many instruments. `seed` is where latencies are drawn from; a latency below 0 is none.
    #[must_use]
    pub fn new(latency: Latency, seed: u64, instruments: usize) -> Self {
        let latency = Latency { fixed: latency.fixed.max(Nanos(0)), jitter: latency.jitter.max(Nanos(0)) };
        Self { latency, random: Random(seed), places: vec![Place::default(); instruments] }
    }

    /// Sends a request after an order.
    fn request(&mut self, order: OrderId, send: impl FnOnce(&mut Working, Nanos), now: Nanos, host: &mut dyn Host) {
        let from = now + self.latency.draw(&mut self.random);
        let Some(place) = self.places.iter_mut().find(|place| place.book.get(order).is_some()) else { return };
        let Some(working) = place.book.get_mut(order).filter(|working| !working.is_leaving()) else { return };
        send(working, from);
        if from <= now {
            place.book.deliver(order, now, host);
            place.queues.sync(&place.book, &place.sight, now);
        }
    }
}

impl Venue for TapeVenue {
    fn place(&mut self, order: OrderId, strategy: StrategyIndex, ticket: Ticket, now: Nanos) -> Nanos {
        let active_from = now + self.latency.draw(&mut self.random);
        if let Some(place) = self.places.get_mut(ticket.instrument.0 as usize) {
            place.book.add(Working::new(order, strategy, ticket, now, active_from));
        }
        active_from
    }

    fn cancel(&mut self, order: OrderId, reason: Reason, now: Nanos, host: &mut dyn Host) {
        self.request(order, |working, from| working.leave(from, reason), now, host);
    }

    fn replace(&mut self, order: OrderId, change: Change, now: Nanos, host: &mut dyn Host) {
        self.request(order, |working, from| working.change(from, change), now, host);
    }

    fn recalls(&self, _: InstrumentIndex, _: Nanos) -> bool {
        self.latency == Latency::default()
    }

    /// A bar says nothing that a tape does not.
    fn on_bar(&mut self, _: InstrumentIndex, _: &Listed, _: &Bar, _: Nanos, _: &mut dyn Host) {}

    fn on_tape(
        &mut self,
        instrument: InstrumentIndex,
        listed: &Listed,
        event: &Stamped,
        now: Nanos,
        host: &mut dyn Host,
    ) {
        let Some(place) = self.places.get_mut(instrument.0 as usize) else { return };
        let happened = place.clock.read(event.received, event.happened);
        if place.book.orders().is_empty() {
            place.queues = Queues::default();
            return place.sight.apply(event, happened);
        }
        Matching { book: &mut place.book, sight: &mut place.sight, queues: &mut place.queues, listed, host }
            .run(event, happened, now);
    }

    fn on_end(
        &mut self,
        instrument: InstrumentIndex,
        listed: &Listed,
        now: Nanos,
        reason: &'static str,
        host: &mut dyn Host,
    ) {
        let Some(place) = self.places.get_mut(instrument.0 as usize) else { return };
        for order in place.book.which(|_| true) {
            place.book.end(order, OrderStatus::Cancelled, reason, host);
        }
        for strategy in host.strategies() {
            let held = host.position(strategy, instrument);
            let side = exit_side(held);
            let Some(price) = place.sight.exit(side, held.abs(), listed.mark()) else { continue };
            if held.is_zero() {
                continue;
            }
            let mut ticket = Ticket::market(instrument, side, held.abs(), OrderOrigin::Host);
            ticket.reduce_only = true;
            ticket.tag = reason.to_owned();
            let mut order = Working::new(host.next_order(), strategy, ticket, now, now);
            host.accepted(&order);
            let fill = Filling { price, quantity: held.abs(), taker: true, at_open: true, time: now };
            if !fill.execute(&mut order, listed, host) {
                host.updated(order.update(OrderStatus::Cancelled, "out-of-range"));
            }
        }
    }

    fn liquidate(
        &mut self,
        strategy: StrategyIndex,
        instrument: InstrumentIndex,
        listed: &Listed,
        price: Price,
        now: Nanos,
        host: &mut dyn Host,
    ) {
        if let Some(place) = self.places.get_mut(instrument.0 as usize) {
            let at = Liquidation { strategy, instrument, listed, price, at_open: true, time: now, now };
            at.execute(&mut place.book, host);
            place.queues.sync(&place.book, &place.sight, now);
        }
    }

    fn working(&self, instrument: InstrumentIndex) -> &[Working] {
        self.places.get(instrument.0 as usize).map_or(&[], |place| place.book.orders())
    }

    /// What is shown is what is paid.
    fn cost(&self) -> Decimal {
        Decimal::ZERO
    }
}

impl Sight {
    /// The price at which all of a position is closed at the end: that of the last level it takes, or the mark where that is worse.
    fn exit(&self, side: Side, quantity: Qty, mark: Option<Price>) -> Option<Price> {
        let mut left = quantity;
        let levels = self.levels(side.opposite()).take_while(|level| {
            let is_needed = left > Qty::ZERO;
            left -= level.size;
            is_needed
        });
        let last = levels.last().map(|level| level.price);
        match side {
            Side::Sell => [last, mark].into_iter().flatten().min(),
            Side::Buy => [last, mark].into_iter().flatten().max(),
        }
    }
}
