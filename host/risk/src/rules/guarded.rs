//! Rules that follow from where the account's guard stands, in every profile: a guard that nothing has set off refuses nothing.

use tiltyard_model::{Nanos, Violation, to_f64};

use super::{Asked, ratio, violation};
use crate::Fraction;

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

/// `lifecycle-share`: what a strategy has at stake, as a part of its equity, is no more than its stage of life allows.
pub(crate) fn lifecycle_share(asked: &Asked<'_>) -> Option<Violation> {
    let situation = asked.situation;
    if situation.share >= Fraction::ONE || !asked.adds() {
        return None;
    }
    let after = asked.elsewhere.own + asked.at_stake();
    (after > situation.share.of(situation.equity)).then(|| {
        violation(
            "lifecycle-share",
            ratio(after, situation.equity),
            situation.share.to_f64(),
            "fraction-of-strategy-equity",
        )
    })
}

/// `clock`: no new risk while time is behind what was seen before.
pub(crate) fn clock(asked: &Asked<'_>) -> Option<Violation> {
    let seen = asked.situation.account.guard.seen();
    let behind = asked.situation.clock < seen;
    (behind && asked.adds())
        .then(|| violation("clock", asked.situation.clock.0 as f64, seen.0 as f64, "nanoseconds-at-least"))
}

#[cfg(test)]
mod tests {
    use super::lifecycle_share;
    use crate::rules::Asked;
    use crate::rules::testing::{Case, buy, sell};
    use crate::{Fraction, Proposal};
    use tiltyard_model::{Qty, Ticket};

    fn broken(case: &Case, ticket: &Ticket) -> bool {
        let proposal = Proposal { ticket: &case.parted(ticket), filled: Qty::ZERO };
        case.situation(|situation| lifecycle_share(&Asked::new(&proposal, situation)).is_some())
    }

    #[test]
    fn a_strategy_puts_no_more_at_stake_than_its_stage_of_life_allows() {
        for (share, at, above) in [(100, "1", "1.001"), (1_000, "10", "10.001"), (5_000, "50", "50.001")] {
            let case = Case { share: Fraction::bps(share), ..Case::perpetual() };
            assert!(!broken(&case, &buy(at)) && broken(&case, &buy(above)), "{share}");
            let elsewhere = case.clone().stake(0, 1, "50").stake(1, 1, "9000");
            assert!(broken(&elsewhere, &sell(at)), "{share}: what it holds elsewhere counts");
        }
        assert!(!broken(&Case::perpetual(), &buy("900")), "all of it is no limit");
        let held = Case { share: Fraction::bps(100), ..Case::perpetual().position("50") };
        assert!(!broken(&held, &sell("50")), "exits pass");
    }
}
