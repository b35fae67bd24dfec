//! Tapes of a few events and strategies of a few orders, in prices of cents and sizes of thousandths.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::convert::Infallible;

use tiltyard_engine::venue::{Latency, TapeVenue};
use tiltyard_engine::{
    Books, Entry, Event, Execution, Log, MarginTerms, Strategy, TapeFeed, TapeSimulation, Terms, TradingDesk, Update,
};
use tiltyard_model::tape::{DepthChange, Level, Print, Quote, Stamped, TapeEvent};
use tiltyard_model::{
    Bar, Columns, Decimal, Fill, Instrument, InstrumentIndex, InstrumentKind, Money, Nanos, OrderRequest, OrderType,
    OrderUpdate, Price, Qty, Side, TimeInForce, TimerId, Trade,
};
use tiltyard_risk::RiskProfile;

pub(crate) type Desk = TradingDesk<TapeVenue>;
pub(crate) const A: InstrumentIndex = InstrumentIndex(0);
pub(crate) const MS: i64 = 1_000_000;

pub(crate) fn price(cents: i64) -> Price {
    Price(Decimal::new(cents, 2))
}

pub(crate) fn qty(thousandths: i64) -> Qty {
    Qty(Decimal::new(thousandths, 3))
}

pub(crate) fn level((at, size): (i64, i64)) -> Level {
    Level { price: price(at), size: qty(size) }
}

/// A tape in the making.
#[derive(Clone, Default)]
pub(crate) struct Reel {
    pub(crate) events: Vec<Stamped>,
    update: u64,
    synchronous: bool,
}

impl Reel {
    /// Both clocks are one, and every event is received when it happens.
    pub(crate) fn new() -> Self {
        Self { synchronous: true, ..Self::default() }
    }

    fn push(mut self, ms: i64, update: Option<u64>, event: TapeEvent) -> Self {
        let happened = self.synchronous.then_some(Nanos(ms * MS));
        self.events.push(Stamped { received: Nanos(ms * MS), happened, update, event });
        self
    }

    fn next(&mut self) -> Option<u64> {
        self.update += 1;
        Some(self.update)
    }

    pub(crate) fn quote(mut self, ms: i64, bid: (i64, i64), ask: (i64, i64)) -> Self {
        let update = self.next();
        self.push(ms, update, TapeEvent::Quote(Quote { bid: Some(level(bid)), ask: Some(level(ask)) }))
    }

    pub(crate) fn print(self, ms: i64, aggressor: Side, (at, size): (i64, i64)) -> Self {
        self.push(ms, None, TapeEvent::Print(Print { price: price(at), quantity: qty(size), aggressor }))
    }

    /// A print that is received later than it happened.
    pub(crate) fn late_print(mut self, ms: i64, happened: i64, aggressor: Side, at: (i64, i64)) -> Self {
        self = self.print(ms, aggressor, at);
        self.events.last_mut().unwrap().happened = Some(Nanos(happened * MS));
        self
    }

    pub(crate) fn book(mut self, ms: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Self {
        let update = self.next();
        self.push(ms, update, depth(bids, asks, true))
    }

    pub(crate) fn change(mut self, ms: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Self {
        let update = self.next();
        self.push(ms, update, depth(bids, asks, false))
    }

    /// Depth of the update before the last one: it is behind the quotes.
    pub(crate) fn old_change(self, ms: i64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Self {
        let update = Some(self.update - 1);
        self.push(ms, update, depth(bids, asks, false))
    }

    pub(crate) fn unknown(self, ms: i64) -> Self {
        self.push(ms, None, TapeEvent::Depth(DepthChange::unknown()))
    }
}

fn depth(bids: &[(i64, i64)], asks: &[(i64, i64)], whole: bool) -> TapeEvent {
    let levels = |levels: &[(i64, i64)]| levels.iter().copied().map(level).collect();
    TapeEvent::Depth(DepthChange { bids: levels(bids), asks: levels(asks), whole })
}

pub(crate) fn instrument(kind: InstrumentKind) -> Instrument {
    Instrument {
        symbol: "TAPED".to_owned(),
        venue: "test".to_owned(),
        kind,
        base: "TAPED".to_owned(),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 0.0,
        maker_fee: 0.0005,
        taker_fee: 0.001,
        max_leverage: if kind == InstrumentKind::Spot { 1.0 } else { 10.0 },
        margin: tiltyard_model::MarginRules::default(),
    }
}

/// A strategy that is a function of its desk, called after every event of which it is told, with their number from 0.
struct Script<F> {
    act: F,
    calls: usize,
}

impl<F: FnMut(&mut Desk, usize)> Script<F> {
    fn act(&mut self, desk: &mut Desk) -> Result<(), Infallible> {
        (self.act)(desk, self.calls);
        self.calls += 1;
        Ok(())
    }
}

impl<F: FnMut(&mut Desk, usize)> Strategy<Desk> for Script<F> {
    type Fault = Infallible;

    fn warm_up(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Columns) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, Infallible> {
        panic!("a tape has no bars")
    }

    fn on_quote(&mut self, desk: &mut Desk, _: InstrumentIndex, _: &tiltyard_model::Quote) -> Result<(), Infallible> {
        self.act(desk)
    }

    fn on_trade(&mut self, desk: &mut Desk, _: InstrumentIndex, _: &Trade) -> Result<(), Infallible> {
        self.act(desk)
    }

    fn on_step(&mut self, _: &mut Desk, _: Nanos) -> Result<(), Infallible> {
        panic!("a tape has no bars")
    }

    fn on_fill(&mut self, _: &mut Desk, _: &Fill) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, _: &OrderUpdate) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_timer(&mut self, _: &mut Desk, _: TimerId, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }
}

pub(crate) fn simulation(kind: InstrumentKind, latency: i64) -> TapeSimulation {
    TapeSimulation {
        instruments: vec![instrument(kind)],
        latency: Latency { fixed: Nanos(latency * MS), jitter: Nanos(0) },
        risk: RiskProfile::research(),
        margin: MarginTerms::default(),
        seed: 1,
        begin: Nanos(0),
        sampling: TapeSimulation::SAMPLING,
        days_per_year: 365.0,
    }
}

/// Plays a tape to a strategy with 100,000 of cash.
pub(crate) fn play_with(simulation: &TapeSimulation, events: Vec<Stamped>, act: impl FnMut(&mut Desk, usize)) -> Books {
    let mut kernel = simulation.kernel(Log::keeping()).unwrap();
    let terms = Terms::new("test", Money(Decimal::from(100_000)), None);
    kernel.seat(terms, |_| Ok::<_, Infallible>(Script { act, calls: 0 })).unwrap();
    kernel.run(&mut TapeFeed::new([events.into_iter()])).books
}

/// The same on a perpetual without latency.
pub(crate) fn play(reel: Reel, act: impl FnMut(&mut Desk, usize)) -> Books {
    play_with(&simulation(InstrumentKind::Perpetual, 0), reel.events, act)
}

/// Plays a tape to orders, each sent after the event of this number.
pub(crate) fn orders(reel: Reel, orders: &[(usize, OrderRequest)]) -> Books {
    play(reel, |desk, at| {
        for (_, order) in orders.iter().filter(|(when, _)| *when == at) {
            tiltyard_model::Desk::submit(desk, order.clone()).unwrap();
        }
    })
}

pub(crate) fn order(side: Side, thousandths: i64, order_type: OrderType) -> OrderRequest {
    OrderRequest {
        instrument: A,
        side,
        order_type,
        quantity: qty(thousandths).to_f64(),
        time_in_force: TimeInForce::GoodTillCancelled,
        reduce_only: false,
        post_only: false,
        stop_loss: None,
        take_profit: None,
        tag: String::new(),
    }
}

pub(crate) fn limit(side: Side, thousandths: i64, cents: i64) -> OrderRequest {
    order(side, thousandths, OrderType::Limit(price(cents).to_f64()))
}

pub(crate) fn market(side: Side, thousandths: i64) -> OrderRequest {
    order(side, thousandths, OrderType::Market)
}

pub(crate) fn entries(books: &Books) -> &[Entry] {
    books.log().entries()
}

pub(crate) fn executions(books: &Books) -> Vec<(Nanos, &Execution)> {
    let executed = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Executed(execution) => Some((entry.time, execution)),
        _ => None,
    });
    executed.collect()
}

/// Order, price in cents, thousandths and the millisecond at which it was recorded, of every fill.
pub(crate) fn fills(books: &Books) -> Vec<(u64, i64, i64, i64)> {
    let whole = |number: Decimal, times: i64| i64::try_from(number * Decimal::from(times)).unwrap();
    let fill = |(time, execution): (Nanos, &Execution)| {
        (execution.order.0, whole(execution.price.0, 100), whole(execution.quantity.0, 1_000), time.0 / MS)
    };
    executions(books).into_iter().map(fill).collect()
}

/// What orders came to: number, status as it is written, and reason.
pub(crate) fn ends(books: &Books) -> Vec<(u64, String, String)> {
    let ended = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Updated(update @ Update { order, status, reason, .. }) if update.is_final() => {
            Some((order.0, format!("{status:?}"), reason.to_string()))
        }
        _ => None,
    });
    ended.collect()
}
