//! What must hold whatever strategies do: random markets, random orders, every event audited by books of the test's own.
//!
//! A [`Scenario`] is played step by step. After each step an [`Audit`] reads the new events, follows every order and every
//! cent by itself and compares with the kernel's books. What is broken is filed under a [`Law`]; each property asks for one
//! group of laws, so that a failure shrinks to the smallest scenario that breaks this very law.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use common::{Desk, dec, perpetual, spot};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tiltyard_engine::venue::{Conservative, Costs, Latency, SimulatedVenue};
use tiltyard_engine::{
    BarFeed, Books, Entry, Event, Execution, Feed, Kernel, Lane, Log, MarketEvent, Player, Setup, Step, StrategyIndex,
    Update,
};
use tiltyard_model::{
    Bar, Columns, Decimal, Desk as _, Fill, HostStop, Instrument, InstrumentIndex, InstrumentKind, Liquidity, Money,
    Nanos, OpenOrder, OrderId, OrderKind, OrderOrigin, OrderRequest, OrderStatus, OrderType, OrderUpdate, Price, Qty,
    Replacement, Rounding, Side, Specification, StopLoss, Ticket, TimeInForce, TimerId, Trail, Violation, decimal,
    notional, share,
};
use tiltyard_risk::{RiskProfile, StrategyState};

const CASH: &str = "100000";
const MINUTE: Nanos = Nanos::from_secs(60);

// ---------------------------------------------------------------------------------------------------------------------
// Scenarios
// ---------------------------------------------------------------------------------------------------------------------

#[derive(Debug, Clone)]
struct Scenario {
    listings: Vec<Listing>,
    players: Vec<Script>,
    latency: Latency,
    costs: Costs,
    /// Whether a loss of 2 % halts a strategy.
    short_of_patience: bool,
    /// Before which step which strategy is halted.
    halt: Option<(usize, u32)>,
}

/// An instrument and its market. The second one of a scenario has coarser steps and a rebate for makers.
#[derive(Debug, Clone)]
struct Listing {
    /// Spot if there is none.
    leverage: Option<u8>,
    hours: i64,
    candles: Vec<Candle>,
    ends: bool,
}

/// A bar in ticks from the one before.
#[derive(Clone, Copy)]
struct Candle {
    gap: i32,
    body: i32,
    up: i32,
    down: i32,
    /// In tenths.
    volume: u32,
    missing: bool,
}

/// One line a bar, so that a failing scenario can be read.
impl fmt::Debug for Candle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gap, body, up, down, volume, missing } = self;
        write!(f, "gap {gap}, body {body}, wicks +{up} -{down}, volume {volume}/10, missing {missing}")
    }
}

/// What a strategy does at each of its steps.
#[derive(Debug, Clone)]
struct Script {
    steps: Vec<Vec<Act>>,
    host_stop: bool,
}

#[derive(Debug, Clone)]
enum Act {
    Submit(Ask),
    Cancel(Pick),
    Replace { order: Pick, quantity: Option<f64>, limit: Option<Num>, trigger: Option<Num>, trail: Option<Trail> },
    Target { instrument: u32, fraction: f64, stop: Option<Stop> },
    Close(u32),
    Timer(i64),
    Fault,
}

/// One of the open orders, or one that there is not.
#[derive(Debug, Clone, Copy)]
enum Pick {
    Open(usize),
    Number(u64),
}

/// A price: so many ticks from a reference, upwards for a buy and downwards for a sale, or any number.
#[derive(Debug, Clone, Copy)]
enum Num {
    Off(i32),
    Raw(f64),
}

#[derive(Debug, Clone, Copy)]
enum Stop {
    /// Behind the entry.
    Fixed(Num),
    Trailing(Trail),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Market,
    Limit(Num),
    Stop(Num),
    StopLimit(Num, Num),
    Trailing(Trail, Option<Num>),
    Take(Num),
}

#[derive(Debug, Clone, Copy)]
enum Life {
    Cancelled,
    Immediate,
    Kill,
    /// Minutes from now.
    Date(i64),
}

#[derive(Debug, Clone)]
struct Ask {
    instrument: u32,
    side: Side,
    kind: Kind,
    quantity: f64,
    life: Life,
    reduce_only: bool,
    post_only: bool,
    stop: Option<Stop>,
    take: Option<Num>,
}

/// Numbers that are no price and no quantity.
const ABSURD: [f64; 10] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, -0.0, 5e-324, 1e-300, 1e300, 1_000_000_000_001.0];

fn side() -> impl Strategy<Value = Side> + Clone {
    prop_oneof![3 => Just(Side::Buy), 2 => Just(Side::Sell)]
}

fn absurd() -> impl Strategy<Value = f64> + Clone {
    prop::sample::select(&ABSURD[..])
}

fn num() -> impl Strategy<Value = Num> + Clone {
    prop_oneof![60 => (-150..150).prop_map(Num::Off), 1 => absurd().prop_map(Num::Raw)]
}

fn distance() -> impl Strategy<Value = Num> + Clone {
    prop_oneof![60 => (-3..200).prop_map(Num::Off), 1 => absurd().prop_map(Num::Raw)]
}

fn trail() -> impl Strategy<Value = Trail> + Clone {
    prop_oneof![
        20 => (1..200).prop_map(|ticks| Trail::Distance(f64::from(ticks) / 100.0)),
        20 => (1..300).prop_map(|points| Trail::Percent(f64::from(points) / 100.0)),
        1 => absurd().prop_map(Trail::Distance),
        1 => absurd().prop_map(Trail::Percent),
    ]
}

fn quantity() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![
        20 => (1..40).prop_map(f64::from),
        10 => (1..9_000).prop_map(|thousandths| f64::from(thousandths) / 1000.0),
        10 => (40..400).prop_map(f64::from),
        5 => (400..3_000).prop_map(f64::from),
        1 => absurd(),
        1 => prop::sample::select(&[1e-12, 1e-9, 0.000_9, 1e12, 999_999_999_999.999][..]),
    ]
}

fn instrument() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![40 => Just(0_u32), 30 => Just(1), 1 => Just(7), 1 => Just(u32::MAX)]
}

fn stop() -> impl Strategy<Value = Stop> + Clone {
    prop_oneof![distance().prop_map(Stop::Fixed), trail().prop_map(Stop::Trailing)]
}

fn kind() -> impl Strategy<Value = Kind> + Clone {
    prop_oneof![
        3 => Just(Kind::Market),
        4 => num().prop_map(Kind::Limit),
        2 => num().prop_map(Kind::Stop),
        2 => (num(), num()).prop_map(|(trigger, limit)| Kind::StopLimit(trigger, limit)),
        2 => (trail(), prop::option::weighted(0.3, num())).prop_map(|(trail, from)| Kind::Trailing(trail, from)),
        2 => num().prop_map(Kind::Take),
    ]
}

fn ask() -> impl Strategy<Value = Ask> + Clone {
    let life = prop_oneof![
        8 => Just(Life::Cancelled),
        2 => Just(Life::Immediate),
        2 => Just(Life::Kill),
        3 => (-60_i64..900).prop_map(Life::Date),
    ];
    let flags = (prop::bool::weighted(0.15), prop::bool::weighted(0.15));
    let bracket = (prop::option::weighted(0.35, stop()), prop::option::weighted(0.35, distance()));
    let one = (instrument(), side(), kind(), quantity(), life, flags, bracket);
    one.prop_map(|(instrument, side, kind, quantity, life, (reduce_only, post_only), (stop, take))| {
        // Most orders do not contradict themselves.
        let at_once = matches!(life, Life::Immediate | Life::Kill) && !matches!(kind, Kind::Market | Kind::Limit(_));
        let life = if at_once && quantity < 1_000.0 { Life::Cancelled } else { life };
        let post_only = post_only && matches!(kind, Kind::Limit(_));
        let (stop, take) = if reduce_only { (None, None) } else { (stop, take) };
        Ask { instrument, side, kind, quantity, life, reduce_only, post_only, stop, take }
    })
}

fn act() -> impl Strategy<Value = Act> + Clone {
    let pick = prop_oneof![15 => (0_usize..6).prop_map(Pick::Open), 1 => any::<u64>().prop_map(Pick::Number)];
    let fraction = prop_oneof![
        20 => (-4..=6).prop_map(|quarters| f64::from(quarters) / 4.0),
        1 => absurd(),
        // Finite, but of no use: sizes that no decimal holds.
        1 => (9..29).prop_map(|power| 10_f64.powi(power)),
        1 => (9..29).prop_map(|power| -10_f64.powi(power)),
    ];
    let change = (
        pick.clone(),
        prop::option::of(quantity()),
        prop::option::of(num()),
        prop::option::weighted(0.3, num()),
        prop::option::weighted(0.2, trail()),
    );
    let replace = change.prop_map(|(order, quantity, limit, trigger, trail)| Act::Replace {
        order,
        quantity,
        limit,
        trigger,
        trail,
    });
    let target = (instrument(), fraction, prop::option::weighted(0.3, stop()));
    prop_oneof![
        24 => ask().prop_map(Act::Submit),
        4 => pick.prop_map(Act::Cancel),
        8 => replace,
        5 => target.prop_map(|(instrument, fraction, stop)| Act::Target { instrument, fraction, stop }),
        2 => instrument().prop_map(Act::Close),
        1 => (-2_i64..6).prop_map(Act::Timer),
    ]
}

fn candle() -> impl Strategy<Value = Candle> + Clone {
    let gap = prop_oneof![6 => Just(0), 6 => -30..30, 1 => -2_000..2_000];
    let volume = prop_oneof![1 => Just(0_u32), 4 => 1_u32..3_000, 4 => 3_000_u32..60_000, 2 => Just(10_000_000)];
    (gap, -120..120_i32, 0..120, 0..120, volume, prop::bool::weighted(0.05))
        .prop_map(|(gap, body, up, down, volume, missing)| Candle { gap, body, up, down, volume, missing })
}

fn listing() -> impl Strategy<Value = Listing> {
    let leverage = prop_oneof![2 => Just(None), 1 => (1_u8..=5).prop_map(Some)];
    let hours = prop_oneof![3 => Just(1_i64), 1 => Just(4)];
    let candles = prop_oneof![9 => vec(candle(), 5..=16), 1 => vec(candle(), 17..=40)];
    (leverage, hours, candles, prop::bool::weighted(0.15)).prop_map(|(leverage, hours, candles, ends)| Listing {
        leverage,
        hours,
        candles,
        ends,
    })
}

fn script(most: usize) -> impl Strategy<Value = Script> {
    let step = prop_oneof![2 => Just(Vec::new()), 5 => vec(act(), 1..=3)];
    let faulty = prop::option::weighted(0.03, 0..most);
    (vec(step, 3..=most), prop::bool::weighted(0.1), faulty).prop_map(|(mut steps, host_stop, faulty)| {
        if let Some(step) = faulty.and_then(|at| steps.get_mut(at)) {
            step.push(Act::Fault);
        }
        Script { steps, host_stop }
    })
}

fn latency() -> impl Strategy<Value = Latency> {
    let minutes =
        |fixed: i64, jitter: i64| Just(Latency { fixed: Nanos(fixed * MINUTE.0), jitter: Nanos(jitter * MINUTE.0) });
    prop_oneof![6 => minutes(0, 0), 2 => minutes(20, 0), 1 => minutes(0, 90), 1 => minutes(150, 0), 1 => minutes(30, 120)]
}

fn costs() -> impl Strategy<Value = Costs> {
    let flat = Costs { slippage: dec("0.001"), ..Costs::none() };
    let steep = Costs { half_spread: dec("0.0002"), slippage: dec("0.0005"), impact: dec("0.01") };
    prop_oneof![3 => Just(flat), 1 => Just(Costs::none()), 1 => Just(steep)]
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let halt = prop::option::weighted(0.2, (1_usize..20, 0_u32..3));
    let short_of_patience = prop::bool::weighted(0.1);
    (vec(listing(), 1..=2), vec(script(12), 1..=3), latency(), costs(), short_of_patience, halt).prop_map(
        |(listings, mut players, latency, costs, short_of_patience, halt)| {
            let acts = players.iter_mut().flat_map(|player| &mut player.steps).flatten();
            acts.for_each(|act| act.fit(listings.len()));
            Scenario { listings, players, latency, costs, short_of_patience, halt }
        },
    )
}

impl Act {
    /// Where there is but one instrument, what was meant for the second one is meant for the first.
    fn fit(&mut self, listings: usize) {
        if let Self::Submit(Ask { instrument, .. }) | Self::Target { instrument, .. } | Self::Close(instrument) = self
            && listings == 1
            && *instrument == 1
        {
            *instrument = 0;
        }
    }
}

impl Listing {
    fn instrument(&self, at: usize) -> Instrument {
        let symbol = if at == 0 { "A" } else { "B" };
        let plain = self.leverage.map_or_else(|| spot(symbol), |leverage| perpetual(symbol, f64::from(leverage)));
        let coarse = Instrument { tick: 0.05, lot: 0.1, maker_fee: -0.000_2, ..plain.clone() };
        if at == 0 { plain } else { coarse }
    }

    fn interval(&self) -> Nanos {
        Nanos::from_hours(self.hours)
    }

    /// Prices on the tick and never below 4.
    fn bars(&self, at: usize) -> Columns {
        let tick = if at == 0 { 1 } else { 5 };
        let price = |ticks: i32| f64::from(ticks * tick) / 100.0;
        let mut last = 10_000 / tick;
        let mut bars = Columns::default();
        for (at, candle) in (0..).zip(&self.candles) {
            let open = (last + candle.gap).max(500 / tick);
            let close = (open + candle.body).max(500 / tick);
            last = close;
            let (high, low) = (open.max(close) + candle.up, (open.min(close) - candle.down).max(400 / tick));
            if !candle.missing {
                bars.push(&Bar {
                    open_time: Nanos(at * self.interval().0),
                    open: price(open),
                    high: price(high),
                    low: price(low),
                    close: price(close),
                    volume: f64::from(candle.volume) / 10.0,
                });
            }
        }
        bars
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Strategies
// ---------------------------------------------------------------------------------------------------------------------

/// Plays a script, and judges by what it is told whether the kernel keeps its word. What it finds goes into the log, where
/// the audit looks for it.
struct Actor {
    script: Script,
    instruments: u32,
    step: usize,
    timers: BTreeMap<TimerId, Nanos>,
}

/// What a strategy can see of its account.
#[derive(Debug, PartialEq)]
struct View {
    equity: f64,
    cash: f64,
    positions: Vec<f64>,
    orders: Vec<OpenOrder>,
}

impl Actor {
    fn new(script: Script, instruments: usize) -> Self {
        Self { script, instruments: instruments as u32, step: 0, timers: BTreeMap::new() }
    }

    fn view(&self, desk: &Desk) -> View {
        let held = |instrument| desk.position(InstrumentIndex(instrument)).unwrap().quantity;
        View {
            equity: desk.equity(),
            cash: desk.cash(),
            positions: (0..self.instruments).map(held).collect(),
            orders: desk.open_orders(),
        }
    }

    /// Makes a request between two notes, and, where it was refused, checks that nothing has changed and that the same
    /// request is refused again.
    fn request<T: fmt::Debug>(
        &self,
        desk: &mut Desk,
        what: &str,
        absurd: bool,
        mut ask: impl FnMut(&mut Desk) -> Result<T, Vec<Violation>>,
    ) -> Option<T> {
        let before = self.view(desk);
        desk.annotate("ask", what);
        let answer = ask(desk);
        desk.annotate(if answer.is_ok() { "done" } else { "refused" }, what);
        match answer {
            Ok(done) if absurd => {
                desk.annotate("broken", &format!("absurd, but accepted: {what}: {done:?}"));
                Some(done)
            }
            Ok(done) => Some(done),
            Err(violations) => {
                let again = ask(desk).unwrap_err();
                let typed = |violation: &Violation| RULES.contains(&violation.rule.as_str());
                if violations.is_empty() || !violations.iter().all(typed) {
                    desk.annotate("broken", &format!("no typed refusal of {what}: {violations:?}"));
                }
                if absurd && !violations.iter().any(|violation| NOT_ASKED.contains(&violation.rule.as_str())) {
                    desk.annotate("broken", &format!("not malformed: {what}: {violations:?}"));
                }
                if format!("{violations:?}") != format!("{again:?}") {
                    desk.annotate("broken", &format!("{what} refused by {violations:?}, then by {again:?}"));
                }
                let after = self.view(desk);
                if before != after {
                    desk.annotate("broken", &format!("{what} was refused, but {before:?} became {after:?}"));
                }
                None
            }
        }
    }

    fn act(&mut self, desk: &mut Desk, act: &Act) -> Result<(), String> {
        let orders = desk.open_orders();
        let known = |pick: Pick| match pick {
            Pick::Open(at) if !orders.is_empty() => orders[at % orders.len()].order,
            Pick::Open(_) => OrderId(0),
            Pick::Number(number) => OrderId(number),
        };
        match act {
            Act::Submit(ask) => {
                let request = ask.request(desk);
                let what = format!("submit {request:?}");
                self.request(desk, &what, ask.is_absurd(), |desk| desk.submit(request.clone()));
            }
            Act::Cancel(pick) => {
                let order = known(*pick);
                self.request(desk, &format!("cancel {}", order.0), false, |desk| desk.cancel(order));
            }
            Act::Replace { order, quantity, limit, trigger, trail } => {
                let order = known(*order);
                let (mark, side) = orders
                    .iter()
                    .find(|open| open.order == order)
                    .map_or((100.0, Side::Buy), |open| (mark(desk, open.instrument), open.side));
                let price = |num: Option<Num>| num.map(|num| num.from(mark, side));
                let change =
                    Replacement { quantity: *quantity, limit: price(*limit), trigger: price(*trigger), trail: *trail };
                let absurd = quantity.is_some_and(is_absurd)
                    || limit.is_some_and(Num::is_absurd)
                    || trigger.is_some_and(Num::is_absurd);
                let what = format!("replace {} {quantity:?}", order.0);
                self.request(desk, &what, absurd, |desk| desk.replace(order, change));
            }
            Act::Target { instrument, fraction, stop } => {
                let instrument = InstrumentIndex(*instrument);
                let side = if *fraction < 0.0 { Side::Sell } else { Side::Buy };
                let stop = stop.map(|stop| stop.from(mark(desk, instrument), side));
                let what = format!("target {} {fraction} {stop:?}", instrument.0);
                self.request(desk, &what, !fraction.is_finite(), |desk| desk.target(instrument, *fraction, stop));
            }
            Act::Close(instrument) => {
                let instrument = InstrumentIndex(*instrument);
                let absurd = instrument.0 >= self.instruments;
                self.request(desk, &format!("close {}", instrument.0), absurd, |desk| desk.close(instrument));
            }
            Act::Timer(hours) => {
                let at = desk.now() + Nanos::from_hours(*hours);
                match desk.set_timer(at) {
                    Ok(timer) => _ = self.timers.insert(timer, at),
                    Err(_) if *hours <= 0 => {}
                    Err(error) => desk.annotate("broken", &format!("no timer at {at}: {error}")),
                }
            }
            Act::Fault => return Err("scripted".to_owned()),
        }
        Ok(())
    }
}

/// The rules that there are.
const RULES: [&str; 14] = [
    "malformed",
    "unknown-instrument",
    "unknown-order",
    "instrument-ended",
    "trading-state",
    "stale-data",
    "open-orders",
    "below-minimum",
    "insufficient-funds",
    "insufficient-margin",
    "duplicate-order",
    "reduce-only",
    "self-cross",
    "missing-stop",
];

/// What an absurd request is refused for: the number, unless what it is about does not exist in the first place.
const NOT_ASKED: [&str; 4] = ["malformed", "unknown-instrument", "unknown-order", "instrument-ended"];

fn mark(desk: &Desk, instrument: InstrumentIndex) -> f64 {
    desk.history(instrument, 1).ok().and_then(|bars| bars.close().last().copied()).unwrap_or(100.0)
}

fn is_absurd(number: f64) -> bool {
    !(1e-12..=1e12).contains(&number)
}

impl Num {
    fn from(self, reference: f64, side: Side) -> f64 {
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        match self {
            Self::Off(ticks) => ((reference * 100.0).round() + sign * f64::from(ticks)) / 100.0,
            Self::Raw(number) => number,
        }
    }

    fn is_absurd(self) -> bool {
        matches!(self, Self::Raw(_))
    }
}

impl Stop {
    /// `side` is the entry's.
    fn from(self, entry: f64, side: Side) -> StopLoss {
        match self {
            Self::Fixed(num) => StopLoss::Fixed(num.from(entry, side.opposite())),
            Self::Trailing(trail) => StopLoss::Trailing(trail),
        }
    }
}

impl Ask {
    fn request(&self, desk: &Desk) -> OrderRequest {
        let (instrument, side) = (InstrumentIndex(self.instrument), self.side);
        let mark = mark(desk, instrument);
        let price = |num: Num| num.from(mark, side);
        let order_type = match self.kind {
            Kind::Market => OrderType::Market,
            Kind::Limit(limit) => OrderType::Limit(price(limit)),
            Kind::Stop(trigger) => OrderType::StopMarket(price(trigger)),
            Kind::StopLimit(trigger, limit) => {
                OrderType::StopLimit { trigger: price(trigger), limit: limit.from(price(trigger), side) }
            }
            Kind::Trailing(trail, from) => OrderType::TrailingStop { trail, activation: from.map(price) },
            Kind::Take(limit) => OrderType::TakeProfit(price(limit)),
        };
        let entry = match order_type {
            OrderType::Market | OrderType::TrailingStop { .. } => mark,
            OrderType::Limit(price) | OrderType::StopMarket(price) | OrderType::TakeProfit(price) => price,
            OrderType::StopLimit { limit, .. } => limit,
        };
        OrderRequest {
            instrument,
            side,
            order_type,
            quantity: self.quantity,
            time_in_force: match self.life {
                Life::Cancelled => TimeInForce::GoodTillCancelled,
                Life::Immediate => TimeInForce::ImmediateOrCancel,
                Life::Kill => TimeInForce::FillOrKill,
                Life::Date(minutes) => TimeInForce::GoodTillDate(desk.now() + Nanos(minutes * MINUTE.0)),
            },
            reduce_only: self.reduce_only,
            post_only: self.post_only,
            stop_loss: self.stop.map(|stop| stop.from(entry, side)),
            take_profit: self.take.map(|take| take.from(entry, side)),
            tag: format!("tag {}", self.quantity),
        }
    }

    fn is_absurd(&self) -> bool {
        let price = match self.kind {
            Kind::Limit(price) | Kind::Stop(price) | Kind::Take(price) => price.is_absurd(),
            Kind::StopLimit(trigger, limit) => trigger.is_absurd() || limit.is_absurd(),
            Kind::Market | Kind::Trailing(..) => false,
        };
        let past = matches!(self.life, Life::Date(minutes) if minutes <= 0);
        price || past || is_absurd(self.quantity)
    }
}

impl tiltyard_engine::Strategy<Desk> for Actor {
    type Fault = String;

    fn warm_up(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Columns) -> Result<(), String> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, String> {
        Ok(None)
    }

    fn on_step(&mut self, desk: &mut Desk, _: Nanos) -> Result<(), String> {
        let acts = self.script.steps.get_mut(self.step).map(std::mem::take).unwrap_or_default();
        self.step += 1;
        for act in &acts {
            self.act(desk, act)?;
        }
        let orders = desk.open_orders();
        let shown: Vec<_> = orders.iter().map(|open| (open.order.0, open.filled, open.quantity)).collect();
        desk.annotate("open", &format!("{shown:?}"));
        Ok(())
    }

    fn on_fill(&mut self, _: &mut Desk, _: &Fill) -> Result<(), String> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, _: &OrderUpdate) -> Result<(), String> {
        Ok(())
    }

    fn on_timer(&mut self, desk: &mut Desk, timer: TimerId, at: Nanos) -> Result<(), String> {
        if self.timers.remove(&timer).is_none_or(|due| due > at) {
            desk.annotate("broken", &format!("timer {timer:?} at {at}: too early, or never set"));
        }
        Ok(())
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The audit
// ---------------------------------------------------------------------------------------------------------------------

/// What a broken promise is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    /// Cash, equity, positions, and that they follow from the log.
    Books,
    /// What an order may become.
    Orders,
    /// When, at what price and how much an order may trade.
    Fills,
    /// Stop-loss and take-profit of an entry.
    Brackets,
    /// What a refusal says and leaves alone.
    Refusals,
    /// Halts and the ends of instruments.
    Ends,
}

/// An order as its events tell.
#[derive(Debug)]
struct Order {
    strategy: StrategyIndex,
    ticket: Ticket,
    accepted: Nanos,
    /// A bar that opened before may not fill it: when it became active, or got another price.
    from: Nanos,
    /// Quantities that it had until it was given more, and when that was.
    before: Vec<(Nanos, Qty)>,
    filled: Qty,
    triggered: bool,
    ended: Option<(OrderStatus, Nanos)>,
    /// When at the latest a cancel that was granted holds.
    cancelled: Option<Nanos>,
    /// The quantity that a granted replacement asked for, and when at the latest it holds.
    wanted: Option<(Nanos, Qty)>,
    /// Whether the strategy has changed it, and whether it has ever asked for another quantity.
    replaced: bool,
    resized: bool,
}

/// What one strategy owns, by the audit's own sums.
struct Account {
    flows: Decimal,
    fees: Decimal,
    positions: Vec<Decimal>,
    halted: Option<Nanos>,
}

struct Audit<'a> {
    scenario: &'a Scenario,
    rules: Vec<Specification>,
    kinds: Vec<InstrumentKind>,
    orders: BTreeMap<OrderId, Order>,
    accounts: Vec<Account>,
    closes: Vec<Option<Price>>,
    ended: Vec<bool>,
    /// What traded in the bar being read, by instrument.
    traded: Vec<Decimal>,
    /// Orders with a bracket that opened something in the bar being read.
    opened: Vec<OrderId>,
    /// How many entries were read.
    read: usize,
    /// Entries since a request was made, and which request.
    asked: Option<(usize, String)>,
    broken: Vec<(Law, String)>,
    seen: BTreeMap<String, usize>,
}

/// The bar of each instrument in this step, and whether its event has been read.
type Bars = BTreeMap<InstrumentIndex, (Bar, bool)>;

fn exact(price: f64) -> Decimal {
    decimal(price).unwrap()
}

fn is_whole(number: Decimal, step: Decimal) -> bool {
    (number % step).is_zero()
}

impl<'a> Audit<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let instruments: Vec<_> = (0..).zip(&scenario.listings).map(|(at, listing)| listing.instrument(at)).collect();
        let count = instruments.len();
        let account = || Account {
            flows: Decimal::ZERO,
            fees: Decimal::ZERO,
            positions: vec![Decimal::ZERO; count],
            halted: None,
        };
        Self {
            scenario,
            rules: instruments.iter().map(|instrument| Specification::new(instrument).unwrap()).collect(),
            kinds: instruments.iter().map(|instrument| instrument.kind).collect(),
            orders: BTreeMap::new(),
            accounts: scenario.players.iter().map(|_| account()).collect(),
            closes: vec![None; count],
            ended: vec![false; count],
            traded: vec![Decimal::ZERO; count],
            opened: Vec::new(),
            read: 0,
            asked: None,
            broken: Vec::new(),
            seen: BTreeMap::new(),
        }
    }

    fn holds(&mut self, law: Law, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push((law, what()));
        }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }

    fn most_latency(&self) -> Nanos {
        self.scenario.latency.fixed + self.scenario.latency.jitter
    }

    fn step(&mut self, step: &Step, books: &Books) {
        let mut bars = Bars::new();
        for event in &step.events {
            if let MarketEvent::Bar(instrument, bar) = event {
                bars.insert(*instrument, (*bar, false));
            }
        }
        self.traded.fill(Decimal::ZERO);
        let entries = books.log().entries();
        for at in self.read..entries.len() {
            self.entry(&entries[at], entries.get(at + 1), &mut bars);
        }
        self.read = entries.len();
        self.compare(books);
        self.halted();
    }

    fn entry(&mut self, entry: &Entry, next: Option<&Entry>, bars: &mut Bars) {
        if let Some((since, _)) = &mut self.asked {
            *since += 1;
        }
        match &entry.event {
            Event::Accepted { strategy, order, ticket, active_from } => {
                self.accepted(entry.time, *strategy, *order, ticket, *active_from, bars);
            }
            Event::Executed(execution) => self.executed(entry.time, execution, bars),
            Event::Updated(update) => self.updated(entry.time, update, bars),
            Event::Replaced { order, ticket, filled } => {
                // A change that a strategy asked for is told of right away; one that a bracket brings has no update, or
                // one with a reason.
                let asked = next.is_some_and(|next| {
                    matches!(&next.event, Event::Updated(update)
                        if update.order == *order && update.status == OrderStatus::Replaced && update.reason.is_empty())
                });
                let opened = bars.get(&ticket.instrument).filter(|(_, read)| !read).map(|(bar, _)| bar.open_time);
                self.replaced(opened.unwrap_or(entry.time), *order, ticket, *filled, asked);
            }
            Event::Bar { instrument, .. } => self.bar(*instrument, entry.time, bars),
            Event::Ended(instrument) => self.end(*instrument),
            Event::State { strategy, state, .. } => {
                let account = &mut self.accounts[strategy.0 as usize];
                account.halted = (*state == StrategyState::Halted).then_some(entry.time);
            }
            Event::Note { strategy, key, value } => self.note(*strategy, entry.time, key, value),
            Event::Refused { violations, .. } => {
                for violation in violations {
                    self.count(format!("refused {}", violation.rule));
                }
            }
            _ => {}
        }
    }

    // What strategies say.

    fn note(&mut self, strategy: StrategyIndex, now: Nanos, key: &str, value: &str) {
        match key {
            "ask" => {
                self.asked = Some((0, value.to_owned()));
                if let Some((order, Some(_))) =
                    replacement(value).and_then(|(id, quantity)| Some((self.orders.get_mut(&id)?, quantity)))
                {
                    order.resized = true;
                }
            }
            "done" => self.granted(now, value),
            // The note of the question, one refusal, the note of the answer.
            "refused" => {
                let since = self.asked.take().map(|(since, _)| since);
                self.holds(Law::Refusals, since == Some(2), || format!("{since:?} events for the refusal of {value}"));
            }
            "broken" => self.broken.push((Law::Refusals, value.to_owned())),
            "open" => self.open(strategy, value),
            _ => {}
        }
    }

    fn granted(&mut self, now: Nanos, request: &str) {
        let at_latest = now + self.most_latency();
        let rules = &self.rules;
        if let Some(order) = cancellation(request).and_then(|id| self.orders.get_mut(&id)) {
            order.cancelled = Some(order.cancelled.unwrap_or(at_latest).min(at_latest));
        } else if let Some((id, Some(quantity))) = replacement(request)
            && let Some(order) = self.orders.get_mut(&id)
        {
            let rules = &rules[order.ticket.instrument.0 as usize];
            order.wanted = rules.quantity(quantity).map(|quantity| (at_latest, quantity));
        }
    }

    /// What a strategy sees of its orders is what the log tells.
    fn open(&mut self, strategy: StrategyIndex, shown: &str) {
        let alive = self.orders.iter().filter(|(_, order)| order.strategy == strategy && order.ended.is_none());
        let told: Vec<_> =
            alive.map(|(id, order)| (id.0, order.filled.to_f64(), order.ticket.quantity.to_f64())).collect();
        self.holds(Law::Orders, format!("{told:?}") == shown, || format!("open orders: shown {shown}, told {told:?}"));
    }

    // What becomes of orders.

    fn accepted(
        &mut self,
        now: Nanos,
        strategy: StrategyIndex,
        id: OrderId,
        ticket: &Ticket,
        active_from: Nanos,
        bars: &Bars,
    ) {
        let at = ticket.instrument.0 as usize;
        let newest = self.orders.keys().next_back().is_none_or(|last| *last < id);
        self.holds(Law::Orders, newest, || format!("{id:?} is not a new number"));
        self.on_the_grid(id, ticket);
        let asked = matches!(ticket.origin, OrderOrigin::Submitted | OrderOrigin::Target | OrderOrigin::Close);
        let halted = self.accounts[strategy.0 as usize].halted.is_some();
        self.holds(Law::Ends, !(asked && halted), || format!("{id:?} was accepted for a halted strategy"));
        self.holds(Law::Ends, !self.ended[at], || format!("{id:?} was accepted after the instrument's end"));
        let latency = self.scenario.latency;
        let delisted = ticket.origin == OrderOrigin::Host && ticket.tag == "delisted";
        let on_time = match (ticket.parent, bars.get(&ticket.instrument)) {
            (Some(_), Some((bar, false))) => active_from == bar.open_time,
            (Some(_), _) => false,
            (None, _) if delisted => active_from == now,
            (None, _) => (now + latency.fixed..=now + self.most_latency()).contains(&active_from),
        };
        self.holds(Law::Orders, on_time, || format!("{id:?} accepted at {now} is active from {active_from}"));
        let order = Order {
            strategy,
            ticket: ticket.clone(),
            accepted: now,
            from: active_from,
            before: Vec::new(),
            filled: Qty::ZERO,
            triggered: false,
            ended: None,
            cancelled: None,
            wanted: None,
            replaced: false,
            resized: false,
        };
        self.orders.insert(id, order);
    }

    /// Quantities in whole lots, prices in whole ticks.
    fn on_the_grid(&mut self, id: OrderId, ticket: &Ticket) {
        let rules = &self.rules[ticket.instrument.0 as usize];
        let lots = ticket.quantity.0 > Decimal::ZERO && is_whole(ticket.quantity.0, rules.lot.0);
        let prices = [ticket.kind.limit(), ticket.kind.trigger(), ticket.take_profit];
        let ticks = prices.into_iter().flatten().all(|price| is_whole(price.0, rules.tick.0));
        self.holds(Law::Orders, lots && ticks, || format!("{id:?} is off lot or tick: {ticket:?}"));
    }

    fn updated(&mut self, now: Nanos, update: &Update, bars: &Bars) {
        let id = update.order;
        let Some(order) = self.orders.get_mut(&id) else {
            return self.holds(Law::Orders, false, || format!("{update:?} of an order that was never accepted"));
        };
        let (ended, filled, remaining) = (order.ended, order.filled, order.ticket.quantity - order.filled);
        let ticket = order.ticket.clone();
        let same = order.strategy == update.strategy
            && (ticket.instrument, ticket.origin, ticket.parent) == (update.instrument, update.origin, update.parent)
            && ticket.tag == update.tag;
        if update.is_final() {
            order.ended = Some((update.status, now));
        }
        let triggered = update.status == OrderStatus::Triggered;
        let twice = triggered && order.triggered;
        order.triggered |= triggered;
        self.holds(Law::Orders, ended.is_none(), || format!("{update:?} after {ended:?}"));
        self.holds(Law::Orders, same, || format!("{update:?} of {ticket:?}"));
        let sums = (update.filled, update.remaining) == (filled, remaining);
        self.holds(Law::Orders, sums, || format!("{update:?}, but {filled} filled and {remaining} remain"));
        let status = match update.status {
            OrderStatus::Filled => remaining.is_zero(),
            OrderStatus::PartiallyFilled => !filled.is_zero() && !remaining.is_zero(),
            OrderStatus::Replaced | OrderStatus::Triggered => !remaining.is_zero(),
            OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => !remaining.is_zero(),
            OrderStatus::Accepted | OrderStatus::Liquidated => false,
        };
        self.holds(Law::Orders, status && !twice, || format!("{update:?} does not fit {ticket:?}"));
        if let (true, OrderKind::StopMarket(trigger) | OrderKind::StopLimit { trigger, .. }) = (triggered, ticket.kind)
        {
            let reached = bars.get(&ticket.instrument).is_some_and(|(bar, read)| {
                !read && {
                    match ticket.side {
                        Side::Buy => exact(bar.high) >= trigger.0,
                        Side::Sell => exact(bar.low) <= trigger.0,
                    }
                }
            });
            self.holds(Law::Fills, reached, || format!("{id:?} triggered by {bars:?}: {ticket:?}"));
        }
        self.count(format!("update {:?} {}", update.status, update.reason));
    }

    fn replaced(&mut self, from: Nanos, id: OrderId, ticket: &Ticket, filled: Qty, asked: bool) {
        self.on_the_grid(id, ticket);
        let Some(order) = self.orders.get_mut(&id) else {
            return self.holds(Law::Orders, false, || format!("{id:?} replaced, but never accepted"));
        };
        let before = std::mem::replace(&mut order.ticket, ticket.clone());
        let (ended, known, resized) = (order.ended, order.filled, order.resized);
        if before.kind != ticket.kind {
            order.from = order.from.max(from);
        }
        // A new trigger has not been reached yet.
        order.triggered &= before.kind.trigger() == ticket.kind.trigger();
        order.replaced |= asked;
        if asked && ticket.quantity > before.quantity {
            order.before.push((from, before.quantity));
        }
        self.holds(Law::Orders, ended.is_none(), || format!("{id:?} replaced after {ended:?}"));
        self.holds(Law::Orders, known == filled, || format!("{id:?} replaced with {filled} filled, not {known}"));
        let changed = Ticket { kind: ticket.kind, quantity: ticket.quantity, ..before.clone() };
        self.holds(Law::Orders, changed == *ticket, || format!("{before:?} replaced by {ticket:?}"));
        let sized = !asked || resized || before.quantity == ticket.quantity;
        self.holds(Law::Orders, sized, || format!("{id:?}: nobody asked for {} of {before:?}", ticket.quantity));
    }

    // What trades.

    fn executed(&mut self, now: Nanos, execution: &Execution, bars: &Bars) {
        let Execution { order: id, instrument, strategy, side, quantity, .. } = *execution;
        let at = instrument.0 as usize;
        let held = self.accounts[strategy.0 as usize].positions[at];
        let after = held + execution.signed().0;
        self.booked(execution);
        let Some(order) = self.orders.get_mut(&id) else {
            return self.holds(Law::Fills, false, || format!("never accepted: {execution:?}"));
        };
        let filled = order.filled + quantity;
        order.filled = filled;
        let ticket = order.ticket.clone();
        let (ended, from, triggered, cancelled) = (order.ended, order.from, order.triggered, order.cancelled);
        let (before, replaced) = (order.before.clone(), order.replaced);
        let same = (order.strategy, ticket.instrument, ticket.side) == (strategy, instrument, side)
            && (ticket.origin, ticket.parent, &ticket.tag) == (execution.origin, execution.parent, &execution.tag);

        self.holds(Law::Fills, ended.is_none(), || format!("after {ended:?}: {execution:?}"));
        self.holds(Law::Fills, same, || format!("{execution:?} is not {ticket:?}"));
        self.holds(Law::Fills, filled <= ticket.quantity, || format!("{filled} of {}: {execution:?}", ticket.quantity));
        let lots = quantity.0 > Decimal::ZERO && is_whole(quantity.0, self.rules[at].lot.0);
        self.holds(Law::Fills, lots, || format!("not in lots: {execution:?}"));
        let reduces = !ticket.reduce_only || (after.abs() < held.abs() && after * held >= Decimal::ZERO);
        self.holds(Law::Fills, reduces, || format!("reduce-only took {held} to {after}: {execution:?}"));
        let owned = self.kinds[at] == InstrumentKind::Perpetual || after >= Decimal::ZERO;
        self.holds(Law::Books, owned, || format!("spot sold short: {execution:?}"));

        if after.abs() > held.abs() || after * held < Decimal::ZERO {
            self.opened.push(id);
        }
        self.count(counted(&ticket, filled, execution));
        self.count(format!("exit {}", execution.reason));
        if replaced {
            self.count("replaced, then filled");
        }
        if ticket.origin == OrderOrigin::Host && ticket.tag == "delisted" {
            return;
        }
        let Some((bar, false)) = bars.get(&instrument) else {
            return self.holds(Law::Fills, false, || format!("without a bar: {execution:?}"));
        };
        self.traded[at] += quantity.0;
        self.holds(Law::Fills, from <= bar.open_time, || format!("active from {from}, but {execution:?}"));
        let late = before.iter().find(|(raised, quantity)| *raised > bar.open_time && filled > *quantity);
        self.holds(Law::Fills, late.is_none(), || format!("raised only at {late:?}: {execution:?} of {bar:?}"));
        let gone = cancelled.is_some_and(|cancelled| cancelled <= bar.open_time);
        self.holds(Law::Orders, !gone, || format!("cancelled at {cancelled:?}, but {execution:?}"));
        let time = if execution.at_open { bar.open_time } else { now };
        self.holds(Law::Fills, execution.time == time, || format!("not at {time}: {execution:?}"));
        if ticket.time_in_force == TimeInForce::FillOrKill {
            self.holds(Law::Fills, quantity == ticket.quantity, || format!("not all of {ticket:?}: {execution:?}"));
        }
        if let TimeInForce::GoodTillDate(until) = ticket.time_in_force {
            // What trades inside a bar is timed at its close.
            let alive = if execution.at_open { time < until } else { time <= until };
            self.holds(Law::Fills, alive, || format!("expired at {until}: {execution:?}"));
        }
        let waits = matches!(
            ticket.kind,
            OrderKind::StopMarket(_) | OrderKind::StopLimit { .. } | OrderKind::TrailingStop { .. }
        );
        self.holds(Law::Fills, triggered || !waits, || format!("not triggered: {execution:?} of {ticket:?}"));
        self.priced(execution, &ticket, bar);
    }

    fn priced(&mut self, execution: &Execution, ticket: &Ticket, bar: &Bar) {
        let costs = self.scenario.costs;
        let (price, tick) = (execution.price.0, self.rules[ticket.instrument.0 as usize].tick.0);
        let most = costs.taken() + costs.impact;
        let (low, high) = (exact(bar.low), exact(bar.high));
        let buys = ticket.side == Side::Buy;
        let maker = execution.liquidity == Liquidity::Maker;
        // A market that leaps over a resting order fills it at its limit all the same, which is worse than the bar.
        let above = low * (Decimal::ONE - most) <= price || maker && !buys;
        let below = price <= high * (Decimal::ONE + most) || maker && buys;
        self.holds(Law::Fills, above && below, || format!("beyond {bar:?}: {execution:?}"));
        let limit = ticket.kind.limit().map(|limit| limit.0);
        let kept = limit.is_none_or(|limit| if buys { price <= limit } else { price >= limit });
        self.holds(Law::Fills, kept, || format!("beyond {limit:?}: {execution:?}"));
        self.holds(Law::Fills, maker || !ticket.post_only, || format!("post-only: {execution:?}"));
        if maker {
            let through = limit.is_some_and(|limit| if buys { low <= limit - tick } else { high >= limit + tick });
            let at_limit = limit == Some(price);
            self.holds(Law::Fills, through && at_limit, || format!("not traded through by {bar:?}: {execution:?}"));
        }
        if ticket.kind == OrderKind::Market {
            let open = exact(bar.open);
            let worse = |cost| if buys { open * (Decimal::ONE + cost) } else { open * (Decimal::ONE - cost) };
            let (near, far) = (worse(costs.taken()), worse(most));
            let in_range = (near.min(far)..=near.max(far)).contains(&price);
            self.holds(Law::Fills, in_range && execution.at_open, || format!("not the open of {bar:?}: {execution:?}"));
        }
    }

    /// The audit's own books: value and fee rounded once, against the strategy.
    fn booked(&mut self, execution: &Execution) {
        let rules = &self.rules[execution.instrument.0 as usize];
        let rate = if execution.liquidity == Liquidity::Maker { rules.maker_fee } else { rules.taker_fee };
        let rounding = if execution.side == Side::Buy { Rounding::Up } else { Rounding::Down };
        let value = notional(execution.price, execution.quantity, rounding).unwrap();
        let fee = share(value, rate, Rounding::Up).unwrap();
        let account = &mut self.accounts[execution.strategy.0 as usize];
        account.positions[execution.instrument.0 as usize] += execution.signed().0;
        account.flows -= execution.side.signed(Qty(value.0)).0;
        account.fees += fee.0;
        let same = (value, fee) == (execution.value, execution.fee);
        self.holds(Law::Books, same, || format!("worth {value} for {fee}: {execution:?}"));
    }

    // What a bar leaves behind.

    fn bar(&mut self, instrument: InstrumentIndex, now: Nanos, bars: &mut Bars) {
        let (bar, read) = bars.get_mut(&instrument).unwrap();
        *read = true;
        let bar = *bar;
        let at = instrument.0 as usize;
        self.closes[at] = Some(Price(exact(bar.close)));
        let (traded, most) = (self.traded[at], exact(bar.volume) / Decimal::TEN);
        self.holds(Law::Fills, traded <= most, || format!("{traded} of {bar:?}"));
        let mut broken = Vec::new();
        for (id, order) in self.orders.iter().filter(|(_, order)| order.ticket.instrument == instrument) {
            if order.ended.is_some() {
                continue;
            }
            let life = match order.ticket.time_in_force {
                TimeInForce::GoodTillCancelled => true,
                TimeInForce::GoodTillDate(until) => until > now,
                TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill => order.from > bar.open_time,
            };
            let cancelled = order.cancelled.is_some_and(|cancelled| cancelled <= bar.open_time);
            let filled = order.filled >= order.ticket.quantity;
            if !life || cancelled || filled {
                broken.push((Law::Orders, format!("{id:?} is still open after {bar:?}: {order:?}")));
            }
            // With jitter the later one of two changes may arrive first.
            let steady = self.scenario.latency.jitter == Nanos(0) && order.ticket.parent.is_none();
            if let Some((_, wanted)) = order.wanted.filter(|(from, _)| steady && *from <= bar.open_time)
                && order.ticket.quantity != wanted.max(order.filled)
            {
                broken.push((Law::Orders, format!("{id:?} should have a quantity of {wanted}: {order:?}")));
            }
            let halted = self.accounts[order.strategy.0 as usize].halted;
            let since = halted.map(|halted| halted.max(order.accepted) + self.most_latency());
            if since.is_some_and(|since| since <= bar.open_time) && order.ticket.origin != OrderOrigin::Host {
                broken.push((Law::Ends, format!("{id:?} of a halted strategy still works: {order:?}")));
            }
        }
        self.broken.append(&mut broken);
        self.protected(now);
        self.brackets();
    }

    /// What an order with a bracket has opened is protected from the same bar on.
    fn protected(&mut self, now: Nanos) {
        for id in std::mem::take(&mut self.opened) {
            let ticket = &self.orders[&id].ticket;
            let bracket = [
                (OrderOrigin::StopLoss, ticket.stop_loss.is_some()),
                (OrderOrigin::TakeProfit, ticket.take_profit.is_some()),
            ];
            for (origin, _) in bracket.into_iter().filter(|(_, wanted)| *wanted) {
                // One that the strategy has taken back or made smaller is its own affair.
                let stands = self.orders.values().any(|child| {
                    (child.ticket.parent, child.ticket.origin) == (Some(id), origin)
                        && (child.cancelled.is_some()
                            || child.resized
                            || child.ended.is_none_or(|(_, when)| when == now))
                });
                self.holds(Law::Brackets, stands, || format!("{id:?} opened at {now} without its {origin:?}"));
            }
        }
    }

    /// A stop-loss and a take-profit together close no more than their entry opened, and one that has filled ends the other.
    fn brackets(&mut self) {
        let mut closed: BTreeMap<OrderId, (Qty, bool)> = BTreeMap::new();
        for (parent, order) in self.orders.values().filter_map(|order| Some((order.ticket.parent?, order))) {
            let (filled, resized) = closed.entry(parent).or_default();
            *filled += order.filled;
            *resized |= order.resized;
        }
        for (parent, (filled, resized)) in closed {
            let entered = self.orders.get(&parent).map_or(Qty::ZERO, |parent| parent.filled);
            self.holds(Law::Brackets, filled <= entered || resized, || {
                format!("{parent:?} entered {entered}, its brackets closed {filled}")
            });
        }
    }

    fn end(&mut self, instrument: InstrumentIndex) {
        let at = instrument.0 as usize;
        self.ended[at] = true;
        let working: Vec<_> = self.orders.iter().filter(|(_, order)| order.ticket.instrument == instrument).collect();
        let working: Vec<_> =
            working.into_iter().filter(|(_, order)| order.ended.is_none()).map(|(id, _)| *id).collect();
        self.holds(Law::Ends, working.is_empty(), || format!("{working:?} work in an instrument that has ended"));
        let held: Vec<_> = self.accounts.iter().map(|account| account.positions[at]).collect();
        let flat = held.iter().all(Decimal::is_zero);
        self.holds(Law::Ends, flat, || format!("{held:?} of an instrument that has ended"));
    }

    /// What a halted strategy holds is on its way out.
    fn halted(&mut self) {
        let mut broken = Vec::new();
        for (strategy, account) in (0..).map(StrategyIndex).zip(&self.accounts) {
            for (instrument, position) in (0..).map(InstrumentIndex).zip(&account.positions) {
                let exits = self.orders.values().any(|order| {
                    (order.strategy, order.ticket.instrument) == (strategy, instrument)
                        && order.ended.is_none()
                        && order.ticket.origin == OrderOrigin::Host
                        && order.ticket.side.signed(Qty(Decimal::ONE)).0 * position < Decimal::ZERO
                });
                if account.halted.is_some() && !position.is_zero() && !exits {
                    broken.push((Law::Ends, format!("{strategy} was halted, but keeps {position} of {instrument}")));
                }
            }
        }
        self.broken.append(&mut broken);
    }

    // What the books say.

    fn compare(&mut self, books: &Books) {
        let initial = dec(CASH);
        let mut sum = Money::ZERO;
        for (at, record) in books.records().iter().enumerate() {
            let ledger = &record.ledger;
            let account = &self.accounts[at];
            let cash = initial + account.flows - account.fees;
            let value = |(at, position): (usize, &Decimal)| {
                self.closes[at]
                    .filter(|_| !position.is_zero())
                    .map_or(Decimal::ZERO, |close| notional(close, Qty(*position), Rounding::Down).unwrap().0)
            };
            let equity = cash + account.positions.iter().enumerate().map(value).sum::<Decimal>();
            let positions = account.positions.clone();
            let totals = ledger.totals();
            sum += ledger.equity();
            self.holds(Law::Books, totals.equity == ledger.equity(), || format!("{totals:?} against {ledger:?}"));
            let parts = totals.initial.0 + totals.realised.0 + totals.unrealised.0 - totals.fees.0;
            self.holds(Law::Books, totals.equity.0 == parts, || format!("{totals:?} add up to {parts}"));
            self.holds(Law::Books, ledger.equity().0 == equity, || format!("equity is {equity}: {ledger:?}"));
            if self.kinds.iter().all(|kind| *kind == InstrumentKind::Spot) {
                self.holds(Law::Books, ledger.cash().0 == cash, || format!("cash is {cash}: {ledger:?}"));
                self.holds(Law::Books, cash >= Decimal::ZERO, || format!("cash of {cash}: {ledger:?}"));
            }
            for (instrument, position) in (0..).map(InstrumentIndex).zip(positions) {
                let held = ledger.position(instrument).0;
                self.holds(Law::Books, held == position, || format!("{position} of {instrument}, not {held}"));
            }
            self.lots(ledger);
        }
        let equity = books.equity();
        self.holds(Law::Books, sum == equity, || format!("an account of {equity}, but {sum} in sub-ledgers"));
    }

    /// Every lot and every round trip is part of the sums.
    fn lots(&mut self, ledger: &tiltyard_engine::Ledger) {
        for holding in ledger.holdings() {
            let lots: Qty = holding.lots().map(|lot| lot.quantity).sum();
            let held = holding.quantity();
            self.holds(Law::Books, lots == held.abs(), || format!("{held} in lots of {lots}"));
        }
        let totals = ledger.totals();
        let trips = ledger.round_trips();
        let gross: Money = trips.iter().map(|trip| trip.gross).sum();
        self.holds(Law::Books, gross == totals.realised, || format!("{gross} in round trips: {totals:?}"));
        let open: Money = ledger.holdings().iter().flat_map(tiltyard_engine::Holding::lots).map(|lot| lot.fee).sum();
        let fees = open + trips.iter().map(|trip| trip.fees).sum();
        self.holds(Law::Books, fees == totals.fees, || format!("{fees} of fees in lots and round trips: {totals:?}"));
        let net = trips.iter().all(|trip| trip.net == trip.gross - trip.fees + trip.funding);
        self.holds(Law::Books, net, || format!("{trips:?}"));
    }
}

/// The order that a request takes back.
fn cancellation(request: &str) -> Option<OrderId> {
    request.strip_prefix("cancel ")?.parse().ok().map(OrderId)
}

/// The order that a request changes, and the quantity that it asks for.
fn replacement(request: &str) -> Option<(OrderId, Option<f64>)> {
    let (order, quantity) = request.strip_prefix("replace ")?.split_once(' ')?;
    let quantity = quantity.strip_prefix("Some(").and_then(|text| text.strip_suffix(')')).map(str::parse);
    Some((OrderId(order.parse().ok()?), quantity.transpose().ok()?))
}

/// What kind of fill this is, for counting.
fn counted(ticket: &Ticket, filled: Qty, execution: &Execution) -> String {
    let kind = match ticket.kind {
        OrderKind::Market => "market",
        OrderKind::Limit(_) => "limit",
        OrderKind::StopMarket(_) => "stop",
        OrderKind::StopLimit { .. } => "stop-limit",
        OrderKind::TrailingStop { .. } => "trailing stop",
        OrderKind::TakeProfit(_) => "take-profit",
    };
    let part = if filled < ticket.quantity { "part" } else { "all" };
    format!("{:?} {kind} {:?} {part}", ticket.origin, execution.liquidity)
}

// ---------------------------------------------------------------------------------------------------------------------
// The properties
// ---------------------------------------------------------------------------------------------------------------------

impl Scenario {
    fn kernel(&self, scripts: Vec<Script>) -> Kernel<SimulatedVenue, Actor> {
        let listed = (0..).zip(&self.listings);
        let setup = Setup {
            instruments: listed.map(|(at, listing)| (listing.instrument(at), listing.interval())).collect(),
            venue: SimulatedVenue::new(
                Box::new(Conservative { costs: self.costs }),
                self.latency,
                7,
                self.listings.len(),
            ),
            risk: RiskProfile { max_drawdown: self.short_of_patience.then_some(0.02), ..RiskProfile::research() },
            log: Log::keeping(),
            begin: Nanos(0),
        };
        let player = |script: Script| Player {
            host_stop: script.host_stop.then_some(HostStop { atr_multiple: 1.5, atr_bars: 3 }),
            strategy: Actor::new(script, self.listings.len()),
            cash: Money(dec(CASH)),
        };
        Kernel::new(setup, scripts.into_iter().map(player).collect()).unwrap()
    }

    fn feed(&self) -> BarFeed {
        let lane = |(at, listing): (usize, &Listing)| Lane {
            ends: listing.ends,
            ..Lane::new(Arc::new(listing.bars(at)), listing.interval())
        };
        BarFeed::new(self.listings.iter().enumerate().map(lane).collect())
    }

    /// Plays it, and calls after every step.
    fn play(&self, scripts: Vec<Script>, mut each: impl FnMut(&Step, &Books)) -> Books {
        let mut kernel = self.kernel(scripts);
        let (mut feed, mut step) = (self.feed(), Step::default());
        for at in 0.. {
            if let Some((_, strategy)) = self.halt.filter(|(when, _)| *when == at) {
                let strategy = StrategyIndex(strategy % self.players.len() as u32);
                kernel.halt(strategy, "test");
                each(&Step { time: step.time, events: Vec::new() }, kernel.books().unwrap());
            }
            if kernel.is_over() || !feed.next(&mut step) {
                break;
            }
            kernel.step(&step);
            each(&step, kernel.books().unwrap());
        }
        kernel.finish().books
    }

    fn run(&self) -> Books {
        self.play(self.players.clone(), |_, _| {})
    }

    fn audit(&self) -> Audit<'_> {
        let mut audit = Audit::new(self);
        self.play(self.players.clone(), |step, books| audit.step(step, books));
        audit
    }

    fn broken(&self, laws: &[Law]) -> Vec<(Law, String)> {
        self.audit().broken.into_iter().filter(|(law, _)| laws.contains(law)).collect()
    }
}

fn config() -> ProptestConfig {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    ProptestConfig { cases: if ci { 10_000 } else { 1_000 }, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Equity = initial + realised + unrealised − fees, positions are the sums of fills, nothing is lent on spot; and what
    /// is refused has changed none of it.
    #[test]
    fn the_books_agree_to_the_last_digit(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Books, Law::Refusals]), []);
    }

    /// Every order has one life: accepted, changed, ended once, and a cancel or a change that was granted is kept.
    #[test]
    fn every_order_has_one_consistent_life(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Orders]), []);
    }

    /// Nothing trades before its time, beyond its quantity or limit, outside its bar or for more than a tenth of it.
    #[test]
    fn fills_are_what_the_bar_allows(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Fills]), []);
    }

    #[test]
    fn brackets_stand_from_the_entry_on_and_close_no_more_than_it_opened(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Brackets]), []);
    }

    #[test]
    fn what_was_halted_or_has_ended_is_closed(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Ends]), []);
    }

    /// From the events alone, and from what was written of them.
    #[test]
    fn the_log_rebuilds_the_books(scenario in scenario()) {
        let books = scenario.run();
        let entries = books.log().entries();
        let write = |entry: &Entry| serde_json::to_string(entry).unwrap();
        let written: Vec<String> = entries.iter().map(write).collect();
        let read: Vec<Entry> = written.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Entries have no equality of their own: violations hold NaN.
        prop_assert_eq!(read.iter().map(write).collect::<Vec<_>>(), written);
        for replayed in [Books::replay(entries), Books::replay(&read)] {
            prop_assert_eq!(replayed.records(), books.records());
            prop_assert_eq!(replayed.log().digest(), books.log().digest());
        }
    }

    #[test]
    fn the_same_run_twice_is_the_same_run(scenario in scenario()) {
        prop_assert_eq!(scenario.run().log().digest(), scenario.run().log().digest());
    }

    /// In a market that is large enough for all, nobody notices who else is watching.
    #[test]
    fn a_strategy_that_only_watches_changes_nothing(scenario in scenario()) {
        let mut scenario = scenario;
        scenario.players.truncate(1);
        scenario.halt = None;
        for candle in scenario.listings.iter_mut().flat_map(|listing| &mut listing.candles) {
            candle.volume = 1_000_000_000;
        }
        let alone = scenario.run();
        let watcher = Script { steps: Vec::new(), host_stop: false };
        let together = scenario.play(vec![watcher, scenario.players[0].clone()], |_, _| {});
        let (alone, together) = (&alone.records()[0], &together.records()[1]);
        prop_assert_eq!(alone.ledger.totals(), together.ledger.totals());
        prop_assert_eq!(alone.ledger.round_trips(), together.ledger.round_trips());
        prop_assert_eq!((alone.accepted, alone.refused), (together.accepted, together.refused));
        // Alone, the run is over when the strategy is.
        prop_assert_eq!(&alone.curve, &together.curve[..alone.curve.len()]);
    }
}

/// Properties of fills are worth as much as there are fills of every kind. The batch is the same in every run.
#[test]
fn the_scenarios_bring_about_everything_there_is() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let strategy = scenario();
    for _ in 0..400 {
        let scenario = strategy.new_tree(&mut runner).unwrap().current();
        for (what, count) in scenario.audit().seen {
            *seen.entry(what).or_default() += count;
        }
    }
    let missing: Vec<_> = EVERYTHING.into_iter().filter(|what| !seen.contains_key(*what)).collect();
    assert_eq!(missing, [""; 0], "{seen:#?}");
}

/// Fills by origin, kind, liquidity and whether the order was done; then ends and refusals of every kind that is likely.
const EVERYTHING: [&str; 57] = [
    "Submitted market Taker all",
    "Submitted market Taker part",
    "Submitted limit Maker all",
    "Submitted limit Maker part",
    "Submitted limit Taker all",
    "Submitted limit Taker part",
    "Submitted stop Taker all",
    "Submitted stop Taker part",
    "Submitted stop-limit Maker all",
    "Submitted stop-limit Maker part",
    "Submitted stop-limit Taker all",
    "Submitted stop-limit Taker part",
    "Submitted trailing stop Taker all",
    "Submitted trailing stop Taker part",
    "Submitted take-profit Maker all",
    "Submitted take-profit Maker part",
    "Submitted take-profit Taker all",
    "Submitted take-profit Taker part",
    "StopLoss stop Taker all",
    "StopLoss stop Taker part",
    "StopLoss trailing stop Taker all",
    "StopLoss trailing stop Taker part",
    "TakeProfit take-profit Maker all",
    "TakeProfit take-profit Maker part",
    "TakeProfit take-profit Taker all",
    "Target market Taker all",
    "Target market Taker part",
    "Close market Taker all",
    "Close market Taker part",
    "Host market Taker all",
    "Host market Taker part",
    "replaced, then filled",
    "exit delisted",
    "exit fault",
    "exit halt",
    "update Cancelled close",
    "update Cancelled delisted",
    "update Cancelled fill-or-kill",
    "update Cancelled halt",
    "update Cancelled immediate-or-cancel",
    "update Cancelled insufficient-funds",
    "update Cancelled new-target",
    "update Cancelled one-cancels-other",
    "update Cancelled protection-filled",
    "update Cancelled reduce-only",
    "update Cancelled strategy",
    "update Expired ",
    "update Rejected post-only",
    "update Replaced one-cancels-other",
    "refused instrument-ended",
    "refused insufficient-funds",
    "refused insufficient-margin",
    "refused malformed",
    "refused missing-stop",
    "refused reduce-only",
    "refused self-cross",
    "refused stale-data",
];
