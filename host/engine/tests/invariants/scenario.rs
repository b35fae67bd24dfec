//! What a random scenario is: one or two markets, up to three strategies with a script each, and the venue between them.

mod act;
mod ask;
mod listing;

use proptest::collection::vec;
use proptest::prelude::*;
use tiltyard_engine::venue::{Costs, Latency};
use tiltyard_engine::{MarginMode, MarginTerms};
use tiltyard_model::{Decimal, Nanos};

pub(crate) use act::{Act, Change, Pick};
pub(crate) use ask::{Num, is_absurd};
pub(crate) use listing::Listing;

use crate::common::dec;

const MINUTE: Nanos = Nanos::from_secs(60);

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) listings: Vec<Listing>,
    pub(crate) players: Vec<Script>,
    pub(crate) latency: Latency,
    pub(crate) costs: Costs,
    pub(crate) margin: MarginTerms,
    /// Whether a loss of 2 % halts a strategy.
    pub(crate) short_of_patience: bool,
    /// Before which step which strategy is halted.
    pub(crate) halt: Option<(usize, u32)>,
}

/// What a strategy does at each of its steps.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Vec<Act>>,
    pub(crate) host_stop: bool,
}

pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let halt = prop::option::weighted(0.2, (1_usize..20, 0_u32..3));
    let short_of_patience = prop::bool::weighted(0.1);
    let venue = (latency(), costs(), margin());
    let one = (vec(listing::listing(), 1..=2), vec(script(12), 1..=3), venue, short_of_patience, halt);
    one.prop_map(|(listings, mut players, (latency, costs, (mode, leverage)), short_of_patience, halt)| {
        let most = listings.iter().filter_map(Listing::leverage).min();
        let leverage = leverage.zip(most).map(|(leverage, most): (u8, u8)| Decimal::from(leverage.min(most)));
        let margin = MarginTerms { mode, leverage };
        let acts = players.iter_mut().flat_map(|player| &mut player.steps).flatten();
        acts.for_each(|act| act.fit(listings.len()));
        Scenario { listings, players, latency, costs, margin, short_of_patience, halt }
    })
}

fn script(most: usize) -> impl Strategy<Value = Script> {
    let step = prop_oneof![2 => Just(Vec::new()), 5 => vec(act::act(), 1..=3)];
    let faulty = prop::option::weighted(0.03, 0..most);
    (vec(step, 3..=most), prop::bool::weighted(0.1), faulty).prop_map(|(mut steps, host_stop, faulty)| {
        if let Some(step) = faulty.and_then(|at| steps.get_mut(at)) {
            step.push(Act::Fault);
        }
        Script { steps, host_stop }
    })
}

/// One of two instruments, or one that there is not.
fn instrument() -> impl Strategy<Value = u32> {
    prop_oneof![40 => Just(0_u32), 30 => Just(1), 1 => Just(7), 1 => Just(u32::MAX)]
}

fn latency() -> impl Strategy<Value = Latency> {
    let minutes =
        |fixed: i64, jitter: i64| Just(Latency { fixed: Nanos(fixed * MINUTE.0), jitter: Nanos(jitter * MINUTE.0) });
    prop_oneof![6 => minutes(0, 0), 2 => minutes(20, 0), 1 => minutes(0, 90), 1 => minutes(150, 0), 1 => minutes(30, 120)]
}

fn margin() -> impl Strategy<Value = (MarginMode, Option<u8>)> {
    (prop_oneof![Just(MarginMode::Cross), Just(MarginMode::Isolated)], prop::option::weighted(0.3, 1_u8..30))
}

fn costs() -> impl Strategy<Value = Costs> {
    let flat = Costs { slippage: dec("0.001"), ..Costs::none() };
    let steep = Costs { half_spread: dec("0.0002"), slippage: dec("0.0005"), impact: dec("0.01") };
    prop_oneof![3 => Just(flat), 1 => Just(Costs::none()), 1 => Just(steep)]
}
