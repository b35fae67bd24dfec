//! What a bar does to an order at a level, by the rules that several profiles share.

use tiltyard_model::{Price, Side};

use super::fill_rules::{Ohlc, Outcome, Stage, Trade, reaches_limit, reaches_stop};

/// At the limit, or at the open if that is better.
pub(super) fn at_limit(side: Side, limit: Price, bar: &Ohlc) -> Outcome {
    if reaches_limit(side, bar.open, limit) {
        Outcome::trade(Trade::make(Stage::Open, bar.open))
    } else if reaches_limit(side, bar.favour(side), limit) {
        Outcome::trade(Trade::make(Stage::Second, limit))
    } else {
        Outcome::default()
    }
}

/// At the trigger, or at the open if the bar opens beyond it.
pub(super) fn at_stop(side: Side, trigger: Price, bar: &Ohlc) -> Outcome {
    if reaches_stop(side, bar.open, trigger) {
        Outcome::stopped(Trade::take(Stage::Open, bar.open))
    } else if reaches_stop(side, bar.against(side), trigger) {
        Outcome::stopped(Trade::take(Stage::First, trigger))
    } else {
        Outcome::default()
    }
}

/// A stop that follows the best price of the bars before; `best` is `None` until its activation price is reached.
pub(super) fn trailing(
    side: Side,
    best: Option<Price>,
    activation: Option<Price>,
    bar: &Ohlc,
    trigger: impl Fn(Price) -> Price,
) -> Outcome {
    let favour = bar.favour(side);
    let Some(best) = best else {
        let reached = activation.is_some_and(|activation| reaches_limit(side, favour, activation));
        return Outcome { best: reached.then_some(favour), ..Outcome::default() };
    };
    let stopped = at_stop(side, trigger(best), bar);
    let better = match side {
        Side::Buy => best.min(favour),
        Side::Sell => best.max(favour),
    };
    if stopped.trade.is_some() { stopped } else { Outcome::follows(better) }
}
