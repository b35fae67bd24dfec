//! What a random scenario is: three markets, up to three strategies, and people who step in between.

use proptest::collection::vec;
use proptest::prelude::*;

/// Prices by step and market, what strategies do at each step, and what people do before it.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// By step, each market's price relative to the one before.
    pub(crate) moves: Vec<[f64; 3]>,
    /// By strategy and step.
    pub(crate) players: Vec<Vec<Vec<Act>>>,
    /// Before which step who does what.
    pub(crate) orders: Vec<(usize, Order)>,
    /// Hours that a bar is long.
    pub(crate) hours: i64,
    /// Whether real money is at stake.
    pub(crate) live: bool,
}

/// What a strategy does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends an order worth this fraction of the equity, with a stop this far away; the limit is relative to the mark, or absent.
    Submit { market: usize, buys: bool, fraction: f64, limit: Option<f64>, stop: Option<f64> },
    /// The same so many times.
    Flood { market: usize, count: usize },
    /// Sells, or buys back, this part of what it holds, at the market or at a limit that may rest.
    Reduce { market: usize, part: f64, reduce_only: bool, limit: Option<f64> },
    /// Takes back an order: the nth that is open.
    Cancel(usize),
    /// Changes an order, the nth that is open: its price relative to the mark, its quantity relative to what it is.
    Replace { at: usize, price: f64, part: f64 },
    /// Sends a stop that only reduces, this far from the mark, for this part of what it holds.
    Stop { market: usize, away: f64, part: f64 },
    /// Closes what it holds.
    Close(usize),
    /// Asks for a position.
    Target { market: usize, fraction: f64, stop: Option<f64> },
}

/// What a person or the world does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Reduce,
    Kill,
    Resume,
    Pause(usize),
    ResumeStrategy(usize),
    VenueError(usize),
    Flatten,
    Restart,
}

pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let calm = -0.02..0.02_f64;
    let wild = -0.85..2.0_f64;
    let price = prop_oneof![6 => calm, 2 => wild].prop_map(|change: f64| 1.0 + change);
    let moves = vec([price.clone(), price.clone(), price], 4..24);
    let step = prop_oneof![2 => Just(Vec::new()), 5 => vec(act(), 1..=4)];
    let players = vec(vec(step, 4..24), 1..=3);
    let orders = vec((1_usize..24, order()), 0..=5);
    let hours = prop_oneof![Just(1_i64), Just(6), Just(24)];
    (moves, players, orders, hours, any::<bool>()).prop_map(|(moves, players, orders, hours, live)| Scenario {
        moves,
        players,
        orders,
        hours,
        live,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let market = 0_usize..3;
    let limit = || prop_oneof![3 => Just(None), 2 => (0.93..1.07_f64).prop_map(Some)];
    let stop =
        || prop_oneof![8 => (0.006..0.049_f64).prop_map(Some), 1 => (0.0..0.1_f64).prop_map(Some), 1 => Just(None)];
    let size = || prop_oneof![6 => 0.001..0.26_f64, 1 => 0.2..1.6_f64];
    let submit = (market.clone(), any::<bool>(), size(), limit(), stop())
        .prop_map(|(market, buys, fraction, limit, stop)| Act::Submit { market, buys, fraction, limit, stop });
    let target = (market.clone(), -0.3..0.3_f64, stop()).prop_map(|(market, fraction, stop)| Act::Target {
        market,
        fraction,
        stop,
    });
    let part = prop_oneof![Just(1.0), 0.1..1.0_f64];
    let reduce = (market.clone(), part, any::<bool>(), limit())
        .prop_map(|(market, part, reduce_only, limit)| Act::Reduce { market, part, reduce_only, limit });
    let replace = (0_usize..6, 0.9..1.1_f64, prop_oneof![Just(1.0), 0.2..2.0_f64])
        .prop_map(|(at, price, part)| Act::Replace { at, price, part });
    let protect = (market.clone(), 0.001..0.5_f64, prop_oneof![Just(1.0), 0.1..1.0_f64])
        .prop_map(|(market, away, part)| Act::Stop { market, away, part });
    let close = market.clone().prop_map(Act::Close);
    let flood = (market, 20_usize..40).prop_map(|(market, count)| Act::Flood { market, count });
    prop_oneof![
        8 => submit,
        3 => reduce,
        3 => target,
        3 => (0_usize..6).prop_map(Act::Cancel),
        3 => replace,
        2 => protect,
        1 => close,
        1 => flood,
    ]
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        2 => Just(Order::Reduce),
        1 => Just(Order::Kill),
        4 => Just(Order::Resume),
        2 => (0_usize..3).prop_map(Order::Pause),
        2 => (0_usize..3).prop_map(Order::ResumeStrategy),
        2 => (1_usize..7).prop_map(Order::VenueError),
        1 => Just(Order::Flatten),
        2 => Just(Order::Restart),
    ]
}
