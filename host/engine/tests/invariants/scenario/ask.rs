//! An order as a script asks for it: prices in ticks from the market of the moment, and now and then something absurd.

use proptest::prelude::*;
use tiltyard_model::{InstrumentIndex, Nanos, OrderRequest, OrderType, Side, StopLoss, TimeInForce, Trail};

use super::{MINUTE, instrument};

#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) instrument: u32,
    side: Side,
    kind: Kind,
    quantity: f64,
    life: Life,
    reduce_only: bool,
    post_only: bool,
    stop: Option<Stop>,
    take: Option<Num>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Market,
    Limit(Num),
    Stop(Num),
    /// The limit in ticks from the trigger.
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

/// A price: so many ticks from a reference, upwards for a buy and downwards for a sale, or any number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Num {
    Off(i32),
    Raw(f64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    /// Behind the entry.
    Fixed(Num),
    Trailing(Trail),
}

impl Ask {
    /// What it comes to at this time and price.
    pub(crate) fn request(&self, now: Nanos, mark: f64) -> OrderRequest {
        let side = self.side;
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
            instrument: InstrumentIndex(self.instrument),
            side,
            order_type,
            quantity: self.quantity,
            time_in_force: match self.life {
                Life::Cancelled => TimeInForce::GoodTillCancelled,
                Life::Immediate => TimeInForce::ImmediateOrCancel,
                Life::Kill => TimeInForce::FillOrKill,
                Life::Date(minutes) => TimeInForce::GoodTillDate(now + Nanos(minutes * MINUTE.0)),
            },
            reduce_only: self.reduce_only,
            post_only: self.post_only,
            stop_loss: self.stop.map(|stop| stop.from(entry, side)),
            take_profit: self.take.map(|take| take.from(entry, side)),
            tag: format!("tag {}", self.quantity),
        }
    }

    /// Whether no venue could make sense of it. Absurd protections alone do not count.
    pub(crate) fn is_absurd(&self) -> bool {
        let price = match self.kind {
            Kind::Limit(price) | Kind::Stop(price) | Kind::Take(price) => price.is_absurd(),
            Kind::StopLimit(trigger, limit) => trigger.is_absurd() || limit.is_absurd(),
            Kind::Market | Kind::Trailing(..) => false,
        };
        let past = matches!(self.life, Life::Date(minutes) if minutes <= 0);
        price || past || is_absurd(self.quantity)
    }
}

impl Num {
    pub(crate) fn from(self, reference: f64, side: Side) -> f64 {
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        match self {
            Self::Off(ticks) => ((reference * 100.0).round() + sign * f64::from(ticks)) / 100.0,
            Self::Raw(number) => number,
        }
    }

    pub(crate) fn is_absurd(self) -> bool {
        matches!(self, Self::Raw(_))
    }
}

impl Stop {
    /// `side` is the entry's.
    pub(crate) fn from(self, entry: f64, side: Side) -> StopLoss {
        match self {
            Self::Fixed(num) => StopLoss::Fixed(num.from(entry, side.opposite())),
            Self::Trailing(trail) => StopLoss::Trailing(trail),
        }
    }
}

/// Whether it can be no quantity.
pub(crate) fn is_absurd(number: f64) -> bool {
    !(1e-12..=1e12).contains(&number)
}

pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    let side = prop_oneof![3 => Just(Side::Buy), 2 => Just(Side::Sell)];
    let flags = (prop::bool::weighted(0.15), prop::bool::weighted(0.15));
    let bracket = (prop::option::weighted(0.35, stop()), prop::option::weighted(0.35, distance()));
    let one = (instrument(), side, kind(), quantity(), life(), flags, bracket);
    one.prop_map(|(instrument, side, kind, quantity, life, (reduce_only, post_only), (stop, take))| {
        // Most orders do not contradict themselves.
        let at_once = matches!(life, Life::Immediate | Life::Kill) && !matches!(kind, Kind::Market | Kind::Limit(_));
        let life = if at_once && quantity < 1_000.0 { Life::Cancelled } else { life };
        let post_only = post_only && matches!(kind, Kind::Limit(_));
        let (stop, take) = if reduce_only { (None, None) } else { (stop, take) };
        Ask { instrument, side, kind, quantity, life, reduce_only, post_only, stop, take }
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Market),
        4 => num().prop_map(Kind::Limit),
        2 => num().prop_map(Kind::Stop),
        2 => (num(), num()).prop_map(|(trigger, limit)| Kind::StopLimit(trigger, limit)),
        2 => (trail(), prop::option::weighted(0.3, num())).prop_map(|(trail, from)| Kind::Trailing(trail, from)),
        2 => num().prop_map(Kind::Take),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    prop_oneof![
        8 => Just(Life::Cancelled),
        2 => Just(Life::Immediate),
        2 => Just(Life::Kill),
        3 => (-60_i64..900).prop_map(Life::Date),
    ]
}

pub(crate) fn num() -> impl Strategy<Value = Num> {
    prop_oneof![60 => (-150..150).prop_map(Num::Off), 1 => absurd().prop_map(Num::Raw)]
}

/// Of a stop-loss or a take-profit from its entry, seldom on the wrong side.
fn distance() -> impl Strategy<Value = Num> {
    prop_oneof![60 => (-3..200).prop_map(Num::Off), 1 => absurd().prop_map(Num::Raw)]
}

pub(crate) fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![distance().prop_map(Stop::Fixed), trail().prop_map(Stop::Trailing)]
}

pub(crate) fn trail() -> impl Strategy<Value = Trail> {
    prop_oneof![
        20 => (1..200).prop_map(|ticks| Trail::Distance(f64::from(ticks) / 100.0)),
        20 => (1..300).prop_map(|points| Trail::Percent(f64::from(points) / 100.0)),
        1 => absurd().prop_map(Trail::Distance),
        1 => absurd().prop_map(Trail::Percent),
    ]
}

pub(crate) fn quantity() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => (1..40).prop_map(f64::from),
        10 => (1..9_000).prop_map(|thousandths| f64::from(thousandths) / 1000.0),
        10 => (40..400).prop_map(f64::from),
        5 => (400..3_000).prop_map(f64::from),
        1 => absurd(),
        1 => prop::sample::select(&[1e-12, 1e-9, 0.000_9, 1e12, 999_999_999_999.999][..]),
    ]
}

/// Numbers that are no price and no quantity.
pub(crate) fn absurd() -> impl Strategy<Value = f64> {
    const ABSURD: [f64; 10] =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, -0.0, 5e-324, 1e-300, 1e300, 1_000_000_000_001.0];
    prop::sample::select(&ABSURD[..])
}
