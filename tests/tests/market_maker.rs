//! The market maker on recorded frames: every run the same, and every fill one that the tape allows.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tiltyard_engine::venue::{Latency, TapeVenue};
use tiltyard_engine::{Event, Log, MarginTerms, Outcome, TapeFeed, TapeSimulation, Terms, TradingDesk};
use tiltyard_market::Tape;
use tiltyard_model::tape::{DepthChange, Print, Quote, Stamped, TapeEvent};
use tiltyard_model::{
    Decimal, Instrument, InstrumentKind, Liquidity, Money, Nanos, OrderId, Price, Qty, Side, Start, Value,
};
use tiltyard_risk::RiskProfile;
use tiltyard_sandbox::{AdmissionLimits, Component, Fault, Limits, PoolLimits, Refusal, admit};
use tiltyard_tests::{Ground, test_data};

type Desk = TradingDesk<TapeVenue>;

fn recorded(file: &str) -> Option<Arc<[Stamped]>> {
    let path = test_data()?.join("binance-raw-ws").join(file);
    Some(Tape::read(Path::new(&path), "BTCUSDT").unwrap().map(Result::unwrap).collect())
}

fn instrument(kind: InstrumentKind) -> Instrument {
    let is_spot = kind == InstrumentKind::Spot;
    Instrument {
        symbol: "BTCUSDT".to_owned(),
        venue: "binance".to_owned(),
        kind,
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        tick: if is_spot { 0.01 } else { 0.1 },
        lot: if is_spot { 0.00001 } else { 0.001 },
        min_notional: 5.0,
        maker_fee: 0.0002,
        taker_fee: 0.0005,
        max_leverage: if is_spot { 1.0 } else { 10.0 },
        margin: tiltyard_model::MarginRules::default(),
    }
}

fn play(component: &Component<Desk>, tape: &[Stamped], kind: InstrumentKind, latency: Nanos) -> Outcome<Fault> {
    let simulation = TapeSimulation {
        instruments: vec![instrument(kind)],
        latency: Latency { fixed: latency, jitter: Nanos(latency.0 / 2) },
        risk: RiskProfile::research(),
        margin: MarginTerms::default(),
        seed: 1,
        begin: tape[0].received,
        sampling: TapeSimulation::SAMPLING,
        days_per_year: 365.0,
    };
    let start = Start {
        instruments: simulation.listed(),
        parameters: vec![("distance".to_owned(), Value::Real(0.0)), ("patience".to_owned(), Value::Real(0.5))],
        settlement: "USDT".to_owned(),
        seed: simulation.seed,
    };
    let mut kernel = simulation.kernel(Log::keeping()).unwrap();
    let terms = Terms::new("market-maker", Money(Decimal::from(100_000)), None);
    kernel.seat(terms, |desk| component.start(desk, &start, &Limits::default())).unwrap();
    kernel.run(&mut TapeFeed::new([tape.iter().cloned()]))
}

/// An order as the checker follows it.
#[derive(Debug)]
struct Followed {
    side: Side,
    price: Price,
    left: Qty,
    since: Nanos,
    /// The least that was shown at its price since it arrived: whatever was cancelled, so much was ahead of it at least.
    least_shown: Option<Qty>,
    /// What has printed at its price against its side since it arrived.
    printed: Qty,
    filled_at_price: Qty,
    /// Whether somebody traded beyond its price.
    passed: bool,
}

/// What a reader of the tape would note down, without any queue model: the levels as depth has them, and the last quote.
#[derive(Default)]
struct Notes {
    levels: [BTreeMap<Price, Qty>; 2],
    best: Quote,
}

impl Notes {
    fn take(&mut self, event: &TapeEvent) {
        match event {
            TapeEvent::Quote(quote) => self.best = *quote,
            TapeEvent::Depth(DepthChange { bids, asks, whole }) => {
                for (levels, changed) in self.levels.iter_mut().zip([bids, asks]) {
                    if *whole {
                        levels.clear();
                    }
                    for level in changed {
                        levels.insert(level.price, level.size);
                    }
                }
            }
            TapeEvent::Print(_) => {}
        }
    }

    /// The least that anything shown now says of a price on a side: 0 where the best has moved behind it.
    fn least(&self, side: Side, price: Price) -> Option<Qty> {
        let best = if side == Side::Buy { self.best.bid } else { self.best.ask };
        let depth = self.levels[usize::from(side == Side::Sell)].get(&price).copied();
        match best {
            Some(best) if best.price == price => Some(depth.map_or(best.size, |depth| depth.min(best.size))),
            Some(best) if (best.price < price) == (side == Side::Buy) => Some(Qty::ZERO),
            _ => depth,
        }
    }

    /// The best price of the other side that anything shown now says.
    fn opposite(&self, side: Side) -> Option<Price> {
        let (best, levels) = match side {
            Side::Buy => (self.best.ask, &self.levels[1]),
            Side::Sell => (self.best.bid, &self.levels[0]),
        };
        let mut there = levels.iter().filter(|(_, size)| !size.is_zero()).map(|(price, _)| *price);
        let depth = if side == Side::Buy { there.next() } else { there.next_back() };
        let both = [best.map(|level| level.price), depth].into_iter().flatten();
        if side == Side::Buy { both.min() } else { both.max() }
    }
}

fn beyond(side: Side, price: Price, limit: Price) -> bool {
    if side == Side::Buy { price < limit } else { price > limit }
}

/// Goes through tape and log side by side and holds every fill of a maker against what was received by then.
fn check(tape: &[Stamped], outcome: &Outcome<Fault>) -> usize {
    let mut notes = Notes::default();
    let mut orders: BTreeMap<OrderId, Followed> = BTreeMap::new();
    let mut log = outcome.books.log().entries().iter().peekable();
    let (mut fills, mut at) = (0, 0);
    while at < tape.len() {
        let now = tape[at].received;
        let instant: Vec<&Stamped> = tape[at..].iter().take_while(|event| event.received == now).collect();
        at += instant.len();
        // What was shown when it arrived counts too.
        for order in orders.values_mut().filter(|order| order.since < now && order.least_shown.is_none()) {
            order.least_shown = notes.least(order.side, order.price);
        }
        let mut printed: BTreeMap<(Price, bool), Qty> = BTreeMap::new();
        for event in &instant {
            if let TapeEvent::Print(Print { price, quantity, aggressor }) = event.event {
                *printed.entry((price, aggressor == Side::Sell)).or_insert(Qty::ZERO) += quantity;
            }
            for order in orders.values_mut().filter(|order| order.since < now) {
                let TapeEvent::Print(Print { price, quantity, aggressor }) = event.event else { continue };
                if aggressor == order.side {
                    continue;
                }
                order.passed |= beyond(order.side, price, order.price);
                if price == order.price {
                    order.printed += quantity;
                }
            }
            notes.take(&event.event);
            for order in orders.values_mut().filter(|order| order.since < now) {
                let least = notes.least(order.side, order.price);
                order.least_shown = order.least_shown.into_iter().chain(least).min();
            }
        }
        while let Some(entry) = log.next_if(|entry| entry.time <= now) {
            match &entry.event {
                Event::Accepted { order, ticket, active_from, .. } => {
                    let Some(price) = ticket.kind.limit() else { continue };
                    let followed = Followed {
                        side: ticket.side,
                        price,
                        left: ticket.quantity,
                        since: *active_from,
                        least_shown: None,
                        printed: Qty::ZERO,
                        filled_at_price: Qty::ZERO,
                        passed: false,
                    };
                    orders.insert(*order, followed);
                }
                Event::Updated(update) if update.is_final() => _ = orders.remove(&update.order),
                Event::Executed(execution) => {
                    fills += 1;
                    assert_eq!(execution.liquidity, Liquidity::Maker, "it is post-only");
                    let order = orders.get_mut(&execution.order).unwrap();
                    assert_eq!((execution.side, execution.price), (order.side, order.price), "at its limit");
                    assert!(order.since < entry.time, "not before it was there");
                    assert!(execution.quantity <= order.left, "no more than was asked for");
                    order.left -= execution.quantity;
                    let aggressor_sells = order.side == Side::Buy;
                    let through: Qty = printed
                        .iter()
                        .filter(|((price, sells), _)| {
                            *sells == aggressor_sells && beyond(order.side, *price, order.price)
                        })
                        .map(|(_, quantity)| *quantity)
                        .sum();
                    let met = notes.opposite(order.side).is_some_and(|other| !beyond(order.side, order.price, other));
                    if through >= execution.quantity || met {
                        continue;
                    }
                    // At its price: somebody traded there now, and since it came as much as was at least ahead of it, and its own.
                    assert!(
                        printed.contains_key(&(order.price, aggressor_sells)),
                        "{execution:?}: nobody traded there"
                    );
                    order.filled_at_price += execution.quantity;
                    let ahead = order.least_shown.filter(|_| !order.passed).unwrap_or(Qty::ZERO);
                    assert!(ahead + order.filled_at_price <= order.printed, "{execution:?}: {order:?}");
                }
                _ => {}
            }
        }
    }
    fills
}

#[test]
fn one_that_is_told_of_quotes_without_declaring_them_is_refused() {
    let mut bytes = tiltyard_examples::example("market-maker").unwrap().component.to_vec();
    let declared = br#""market_events":["quotes","#;
    let places: Vec<usize> =
        bytes.windows(declared.len()).enumerate().filter(|(_, part)| part == declared).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        // A field of another name is one that this version does not know.
        bytes[at + 1] = b'x';
    }
    let refusal = admit(&bytes, &AdmissionLimits::default()).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::MarketEvents { name: "quotes", interface: "quote-events", is_declared: false },
        "{refusal}"
    );
}

#[test]
fn it_trades_recorded_frames_the_same_on_every_thread_and_only_as_the_tape_allows() {
    let ground: Ground<Desk> = Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default());
    let component = ground.load(tiltyard_examples::example("market-maker").unwrap().component).unwrap();
    let recordings =
        [("spot-btcusdt-20240808.gz", InstrumentKind::Spot), ("usdm-btcusdt-20240808.gz", InstrumentKind::Perpetual)];
    for (file, kind) in recordings {
        let Some(tape) = recorded(file) else { return };
        for latency in [Nanos(0), Nanos(5_000_000)] {
            let once = play(&component, &tape, kind, latency);
            assert!(once.faults.iter().all(Option::is_none), "{:?}", once.faults);
            let fills = check(&tape, &once);
            assert!(fills > 10, "{file}: {fills} fills");
            let digest = once.books.log().digest();
            std::thread::scope(|scope| {
                let again =
                    [(), ()].map(|()| scope.spawn(|| play(&component, &tape, kind, latency).books.log().digest()));
                for again in again {
                    assert_eq!(again.join().unwrap(), digest, "{file}");
                }
            });
        }
    }
}
