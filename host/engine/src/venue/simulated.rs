use tiltyard_model::{
    Bar, Change, Decimal, InstrumentIndex, Nanos, OrderId, OrderOrigin, OrderStatus, Price, Random, Side, Ticket,
};

use super::book::Book;
use super::fill_rules::{FillRules, Ohlc};
use super::liquidation::Liquidation;
use super::passage::{Filling, Passage, Passing};
use super::working::{Pending, Request, Working};
use super::{Host, Latency, Venue};
use crate::execution::{Reason, StrategyIndex};
use crate::market::{Listed, Market};

/// A venue made of bars: it works orders by the rules of a profile.
///
/// Only orders that were active when a bar opened may fill in it; an order that was sent while a long bar was under way
/// waits for the next one, because its prices may lie in the past.
#[derive(Debug)]
pub struct SimulatedVenue {
    rules: Box<dyn FillRules>,
    latency: Latency,
    random: Random,
    places: Vec<Place>,
}

/// One instrument at the venue.
#[derive(Debug, Clone)]
struct Place {
    book: Book,
    /// When its last bar closed.
    closed: Nanos,
    /// Who traded in that bar, for profiles that ask.
    traded: Vec<StrategyIndex>,
}

impl SimulatedVenue {
    /// A venue for this many instruments. `seed` is where latencies are drawn from; a latency below 0 is none.
    #[must_use]
    pub fn new(rules: Box<dyn FillRules>, latency: Latency, seed: u64, instruments: usize) -> Self {
        let latency = Latency { fixed: latency.fixed.max(Nanos(0)), jitter: latency.jitter.max(Nanos(0)) };
        let place = Place { book: Book::default(), closed: Nanos(i64::MIN), traded: Vec::new() };
        Self { rules, latency, random: Random(seed), places: vec![place; instruments] }
    }

    /// The profile.
    #[must_use]
    pub fn rules(&self) -> &dyn FillRules {
        &*self.rules
    }

    /// Sends a request after an order. While a bar is under way that the order may trade in, nobody knows what came first, so
    /// that it stays what it is until the bar has closed.
    fn request(&mut self, order: OrderId, request: Request, now: Nanos, host: &mut dyn Host) {
        let from = now + self.latency.draw(&mut self.random);
        let Some(place) = self.places.iter_mut().find(|place| place.book.get(order).is_some()) else { return };
        let Some(working) = place.book.get_mut(order).filter(|working| !working.is_leaving()) else { return };
        working.pending.push(Pending { from, request });
        if from <= now && place.closed == now {
            place.book.deliver(order, now, host);
        }
    }
}

impl Venue for SimulatedVenue {
    fn place(&mut self, order: OrderId, strategy: StrategyIndex, ticket: Ticket, now: Nanos) -> Nanos {
        let active_from = now + self.latency.draw(&mut self.random);
        if let Some(place) = self.places.get_mut(ticket.instrument.0 as usize) {
            place.book.add(Working::new(order, strategy, ticket, now, active_from));
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
        let between_bars = self.places.get(instrument.0 as usize).is_some_and(|place| place.closed == now);
        self.latency == Latency::default() && between_bars
    }

    fn on_bar(&mut self, instrument: InstrumentIndex, listed: &Listed, bar: &Bar, now: Nanos, host: &mut dyn Host) {
        let Some(place) = self.places.get_mut(instrument.0 as usize) else { return };
        place.closed = now;
        place.traded.clear();
        if place.book.orders().is_empty() && !listed.instrument.kind.is_margined() {
            return;
        }
        let (Some(prices), Some(marks)) = (Ohlc::exact(bar), Ohlc::exact(&listed.mark_bar(bar))) else { return };
        place.book.arrive(bar.open_time, host);
        let (rules, volume) = (&*self.rules, bar.volume);
        let passing = Passing { rules, listed, instrument, prices, marks, volume, opened: bar.open_time, closed: now };
        let traded = Passage::new(passing, &mut place.book, host).run();
        place.traded = traded;
    }

    fn settle(&mut self, market: &Market, now: Nanos, host: &mut dyn Host) {
        if !self.rules.trades_at_close() {
            return;
        }
        for (place, (instrument, listed)) in self.places.iter_mut().zip(market.iter()) {
            let Some(bar) = listed.last_bar().filter(|_| place.closed == now && !place.book.orders().is_empty()) else {
                continue;
            };
            let Some(prices) = Ohlc::exact(&bar) else { continue };
            let passing = Passing {
                rules: &*self.rules,
                listed,
                instrument,
                prices,
                marks: prices,
                volume: bar.volume,
                opened: now,
                closed: now,
            };
            Passage::new(passing, &mut place.book, host).arrivals(&place.traded);
        }
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
        let Some(last) = listed.last() else { return };
        for strategy in host.strategies() {
            let held = host.position(strategy, instrument);
            if held.is_zero() {
                continue;
            }
            let side = if held.0.is_sign_positive() { Side::Sell } else { Side::Buy };
            let mut ticket = Ticket::market(instrument, side, held.abs(), OrderOrigin::Host);
            ticket.reduce_only = true;
            ticket.tag = reason.to_owned();
            let mut order = Working::new(host.next_order(), strategy, ticket, now, now);
            host.accepted(&order);
            let price = self.rules.costs().apply(last, side, held.abs(), listed.last_volume());
            let fill = Filling { price, quantity: held.abs(), taker: true, at_open: false, time: now };
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
            let at = Liquidation { strategy, instrument, listed, price, at_open: false, time: now, now };
            at.execute(&mut place.book, host);
        }
    }

    fn working(&self, instrument: InstrumentIndex) -> &[Working] {
        self.places.get(instrument.0 as usize).map_or(&[], |place| place.book.orders())
    }

    fn cost(&self) -> Decimal {
        // A guess at impact would have to know the next bar's volume; what it takes beyond this is cut off at the fill.
        self.rules.costs().taken()
    }
}
