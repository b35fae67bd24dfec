//! Rules that follow from where the account's guard stands, in every profile: a guard that nothing has set off refuses nothing.

use tiltyard_model::{Nanos, Violation, to_f64};

use super::{Asked, violation};

/// `daily-loss`: no new risk after the day has lost too much.
pub(crate) fn daily_loss(asked: &Asked<'_>) -> Option<Violation> {
    let stop = asked.situation.account.guard.daily_stop()?;
    asked.adds().then(|| violation("daily-loss", to_f64(stop.loss), stop.most.to_f64(), "fraction-of-the-day's-start"))
}

/// `circuit-breaker`: no new risk while it is open.
pub(crate) fn circuit_breaker(asked: &Asked<'_>) -> Option<Violation> {
    let open = asked.situation.account.guard.breaker()?;
    let minutes = |span: Nanos| span.0 as f64 / 60e9;
    asked.adds().then(|| {
        let (since, cool_down) = (asked.situation.now - open.since, open.until - open.since);
        violation("circuit-breaker", minutes(since), minutes(cool_down), "minutes-since-it-opened")
    })
}

/// `clock`: no new risk while time is behind what was seen before.
pub(crate) fn clock(asked: &Asked<'_>) -> Option<Violation> {
    let seen = asked.situation.account.guard.seen();
    let behind = asked.situation.clock < seen;
    (behind && asked.adds())
        .then(|| violation("clock", asked.situation.clock.0 as f64, seen.0 as f64, "nanoseconds-at-least"))
}
