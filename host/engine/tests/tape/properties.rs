//! What must hold whatever is published and ordered.

use std::collections::VecDeque;

use proptest::prelude::*;
use tiltyard_model::tape::{DepthChange, Level, Print, Quote, Stamped, TapeEvent};
use tiltyard_model::{Decimal, InstrumentKind, Liquidity, Nanos, Price, Qty, Side, TimeInForce};

use super::common::{MS, executions, level, limit, market, play_with, price, qty, simulation};

/// What happens at a real queue, a millisecond or more after the last thing.
#[derive(Debug, Clone, Copy)]
enum Happens {
    /// Somebody joins at its end with so much.
    Joins(i64),
    /// The one at this place, counted round, leaves.
    Leaves(usize),
    /// A seller takes so much.
    Sells(i64),
}

fn happens() -> impl Strategy<Value = (i64, Happens)> {
    let what = prop_oneof![
        3 => (1..20_i64).prop_map(Happens::Joins),
        2 => any::<usize>().prop_map(Happens::Leaves),
        3 => (1..25_i64).prop_map(Happens::Sells),
    ];
    (1..40_i64, what)
}

/// A queue as it really is, and how much a seller would have sold to somebody in it who is not there.
struct Truth {
    queue: VecDeque<(i64, bool)>,
    watched: bool,
    passed: i64,
}

impl Truth {
    fn size(&self) -> i64 {
        self.queue.iter().map(|(size, _)| size).sum()
    }

    fn happen(&mut self, what: Happens) -> i64 {
        match what {
            Happens::Joins(size) => self.queue.push_back((size, false)),
            Happens::Leaves(at) if !self.queue.is_empty() => _ = self.queue.remove(at % self.queue.len()),
            Happens::Leaves(_) => {}
            Happens::Sells(size) => {
                let ahead: i64 = self.queue.iter().filter(|(_, ahead)| *ahead).map(|(size, _)| size).sum();
                let sold = size.min(self.size());
                if self.watched {
                    self.passed += (sold - ahead).max(0);
                }
                let mut left = sold;
                while left > 0 {
                    let Some((front, _)) = self.queue.front_mut() else { break };
                    let part = left.min(*front);
                    *front -= part;
                    left -= part;
                    if *front == 0 {
                        self.queue.pop_front();
                    }
                }
                return sold;
            }
        }
        0
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Prints may come late and quotes at once, without a time, or quotes late and prints at once: never does an order trade more
    /// than it would have in the real queue.
    #[test]
    fn no_order_trades_before_its_turn(
        course in proptest::collection::vec((happens(), 0..200_i64), 1..60),
        start in 1..40_i64,
        arrives in 1..20_usize,
        quotes_late in any::<bool>(),
    ) {
        let mut truth = Truth { queue: [(start, false)].into(), watched: false, passed: 0 };
        let quote = |size: i64| {
            let bid = if size > 0 { level((9_900, size)) } else { level((9_800, 1)) };
            TapeEvent::Quote(Quote { bid: Some(bid), ask: Some(level((10_100, 5))) })
        };
        let (mut events, mut passed, mut now, mut last_late) = (Vec::new(), Vec::new(), 0, 0);
        let stamped = |received, happened: Option<i64>, update, event| {
            Stamped { received: Nanos(received * MS), happened: happened.map(|ms| Nanos(ms * MS)), update, event }
        };
        // The first event fixes what the clocks have to do with each other, the second is where the order is sent.
        let book = DepthChange { bids: vec![level((9_900, start)), level((9_000, 1))], asks: vec![level((10_100, 5))], whole: true };
        events.push(stamped(0, Some(0), Some(0), TapeEvent::Depth(book)));
        for (at, ((after, what), delay)) in course.into_iter().enumerate() {
            now += after;
            last_late = (now + delay).max(last_late);
            let sold = truth.happen(what);
            let update = Some(at as u64 + 1);
            let (quoted, printed) = if quotes_late { (last_late, now) } else { (now, last_late) };
            events.push(stamped(quoted, quotes_late.then_some(now), update, quote(truth.size())));
            if sold > 0 {
                let print = Print { price: price(9_900), quantity: qty(sold), aggressor: Side::Sell };
                events.push(stamped(printed, Some(now), None, TapeEvent::Print(print)));
            }
            if at + 1 == arrives {
                // Sent now: it is told of nothing that is under way.
                truth.watched = true;
                truth.queue.iter_mut().for_each(|(_, ahead)| *ahead = true);
                let tick = Print { price: price(10_100), quantity: qty(1), aggressor: Side::Buy };
                events.push(stamped(now, Some(now), None, TapeEvent::Print(tick)));
            }
            passed.push((now, truth.passed));
        }
        events.sort_by_key(|event| event.received);
        let books = play_with(&simulation(InstrumentKind::Perpetual, 0), events, |desk, _| {
            let is_sent = !tiltyard_model::Desk::open_orders(desk).is_empty();
            let now = tiltyard_model::Desk::now(desk);
            if !is_sent && passed.get(arrives - 1).is_some_and(|(at, _)| Nanos(at * MS) == now) {
                let _ = tiltyard_model::Desk::submit(desk, limit(Side::Buy, 1_000, 9_900));
            }
        });
        let mut filled = Qty::ZERO;
        for (at, execution) in executions(&books) {
            filled += execution.quantity;
            let would = passed.iter().take_while(|(when, _)| Nanos(*when * MS) <= at).last().map_or(0, |(_, passed)| *passed);
            prop_assert!(filled <= qty(would), "{filled:?} at {at:?}, {would} in truth");
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    Limit(Side, i64, i64, TimeInForce),
    Market(Side, i64),
    Cancel(usize),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn act() -> impl Strategy<Value = Act> {
    let force = prop_oneof![
        6 => Just(TimeInForce::GoodTillCancelled),
        1 => Just(TimeInForce::ImmediateOrCancel),
        1 => Just(TimeInForce::FillOrKill),
    ];
    prop_oneof![
        4 => (side(), 1..9_i64, 9_895..9_906_i64, force).prop_map(|(side, size, at, force)| Act::Limit(side, size, at, force)),
        1 => (side(), 1..9_i64).prop_map(|(side, size)| Act::Market(side, size)),
        1 => any::<usize>().prop_map(Act::Cancel),
    ]
}

/// Anything that a venue could publish, whether it makes sense or not.
fn published() -> impl Strategy<Value = (i64, bool, TapeEvent)> {
    let near = |(at, size): (i64, i64)| level((at, size));
    let levels = |from: i64| proptest::collection::vec((from..from + 6, 0..6_i64).prop_map(near), 0..4);
    let best = move |from: i64| proptest::option::weighted(0.9, (from..from + 6, 1..6_i64).prop_map(near));
    let quote = (best(9_895), best(9_900)).prop_map(|(bid, ask)| TapeEvent::Quote(Quote { bid, ask }));
    let print = (9_895..9_906_i64, 1..9_i64, side())
        .prop_map(|(at, size, aggressor)| TapeEvent::Print(Print { price: price(at), quantity: qty(size), aggressor }));
    let depth = (levels(9_895), levels(9_900), proptest::bool::weighted(0.2))
        .prop_map(|(bids, asks, whole)| TapeEvent::Depth(DepthChange { bids, asks, whole }));
    (0..3_i64, any::<bool>(), prop_oneof![3 => quote, 3 => print, 2 => depth])
}

/// The largest size that any event so far has shown at each price of a side.
fn most_shown(events: &[Stamped], side: Side, at: Price, until: Nanos) -> Qty {
    let levels = events.iter().take_while(|event| event.received <= until).flat_map(|event| match &event.event {
        TapeEvent::Quote(Quote { bid, ask }) => if side == Side::Buy { *bid } else { *ask }.into_iter().collect(),
        TapeEvent::Depth(DepthChange { bids, asks, .. }) => if side == Side::Buy { bids } else { asks }.clone(),
        TapeEvent::Print(_) => Vec::new(),
    });
    levels.filter(|Level { price, .. }| *price == at).map(|level| level.size).max().unwrap_or(Qty::ZERO)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fills_are_what_was_published(
        published in proptest::collection::vec((published(), proptest::option::of(act())), 1..60),
        latency in 0..3_i64,
    ) {
        let (mut now, mut events, mut acts) = (0, Vec::new(), Vec::new());
        for (at, ((after, is_late, event), act)) in published.into_iter().enumerate() {
            now += after;
            let update = (!matches!(event, TapeEvent::Print(_))).then(|| (at as u64).saturating_sub(u64::from(is_late) * 3));
            events.push(Stamped { received: Nanos(now * MS), happened: None, update, event });
            acts.push(act);
        }
        let run = || play_with(&simulation(InstrumentKind::Perpetual, latency), events.clone(), |desk, at| {
            match acts.get(at).cloned().flatten() {
                Some(Act::Limit(side, size, at, time_in_force)) => {
                    let order = tiltyard_model::OrderRequest { time_in_force, ..limit(side, size, at) };
                    let _ = tiltyard_model::Desk::submit(desk, order);
                }
                Some(Act::Market(side, size)) => _ = tiltyard_model::Desk::submit(desk, market(side, size)),
                Some(Act::Cancel(which)) => {
                    let open = tiltyard_model::Desk::open_orders(desk);
                    if let Some(order) = open.get(which % open.len().max(1)) {
                        let _ = tiltyard_model::Desk::cancel(desk, order.order);
                    }
                }
                None => {}
            }
        });
        let books = run();
        prop_assert_eq!(books.log().digest(), run().log().digest(), "the same tape gives the same run");
        let mut by_print = std::collections::BTreeMap::new();
        let mut limits = std::collections::BTreeMap::new();
        for entry in super::common::entries(&books) {
            if let tiltyard_engine::Event::Accepted { order, ticket, active_from, .. } = &entry.event {
                limits.insert(*order, (ticket.kind.limit(), ticket.quantity, *active_from));
            }
        }
        let mut filled = std::collections::BTreeMap::new();
        for (at, execution) in executions(&books) {
            let (limit, quantity, from) = limits[&execution.order];
            let (side, other) = (execution.side, execution.side.opposite());
            *filled.entry(execution.order).or_insert(Qty::ZERO) += execution.quantity;
            prop_assert!(filled[&execution.order] <= quantity);
            prop_assert!(execution.time >= from, "no fill before its arrival");
            let keeps = |at: Price, limit: Price| if side == Side::Buy { at <= limit } else { at >= limit };
            prop_assert!(limit.is_none_or(|limit| keeps(execution.price, limit)));
            if execution.liquidity == Liquidity::Taker {
                prop_assert!(execution.quantity <= most_shown(&events, other, execution.price, at));
                continue;
            }
            let own = limit.unwrap();
            prop_assert_eq!(execution.price, own);
            let prints: Decimal = events.iter().filter(|event| event.received == at).map(|event| match event.event {
                TapeEvent::Print(Print { price, quantity, aggressor }) if aggressor == other && keeps(price, own) => quantity.0,
                _ => Decimal::ZERO,
            }).sum();
            let beyond: Decimal = (9_890..9_910).map(price).filter(|price| keeps(*price, own))
                .map(|price| most_shown(&events, other, price, at).0).sum();
            // A level that goes and comes back is another one each time.
            let shown = events.iter().filter(|event| event.received == at && !matches!(event.event, TapeEvent::Print(_)));
            let beyond = beyond * Decimal::from(shown.count());
            let total = by_print.entry((at, side == Side::Buy, own)).or_insert(Decimal::ZERO);
            *total += execution.quantity.0;
            prop_assert!(*total <= prints + beyond, "{total} of {prints} printed and {beyond} shown");
        }
    }
}
