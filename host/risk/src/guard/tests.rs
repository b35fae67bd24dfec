use super::{AccountGuard, CircuitBreaker, DailyLoss, DrawdownLadder, Measure, OrderError, Rung, Trouble, Venture};
use crate::{AccountState, Limits};
use tiltyard_model::{Decimal, Money, Nanos};

const HOUR: i64 = 3_600_000_000_000;
const MINUTE: i64 = 60_000_000_000;

fn money(amount: i64) -> Money {
    Money(Decimal::from(amount))
}

fn limits() -> Limits {
    Limits {
        daily_loss: Some(DailyLoss::default()),
        drawdown_ladder: Some(DrawdownLadder::default()),
        circuit_breaker: Some(CircuitBreaker::default()),
        ..Limits::default()
    }
}

fn only(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A guard over so much money at 00:00 of day 0.
fn guard(equity: i64) -> AccountGuard {
    let mut guard = AccountGuard::default();
    guard.fund(money(equity));
    guard.mark(Nanos(0), money(equity));
    guard
}

/// What happens at an instant: measures are taken, then the instant is over.
fn at(guard: &mut AccountGuard, limits: &Limits, venture: Venture, now: i64, equity: i64) -> Vec<Measure> {
    let due = guard.watch(limits, venture, Nanos(now), money(equity));
    due.iter().for_each(|measure| guard.apply(Nanos(now), measure));
    guard.mark(Nanos(now), money(equity));
    due
}

#[test]
fn an_order_makes_nothing_less_strict() {
    let mut guard = AccountGuard::default();
    let order = |state, cause: &str| Measure::Ordered { state, cause: cause.to_owned() };
    guard.apply(Nanos(1), &order(AccountState::Halted, "a fire"));
    for state in [AccountState::Reducing, AccountState::Active] {
        guard.apply(Nanos(2), &order(state, "no fire"));
        assert_eq!((guard.state(), guard.cause()), (AccountState::Halted, Some("a fire")));
    }
}

#[test]
fn what_was_kept_by_a_persons_word_alone_knows_no_day_yet() {
    let mut guard = AccountGuard::default();
    let stops = |guard: &AccountGuard, now, equity| {
        let due = guard.watch(&limits(), Venture::Live, Nanos(now), money(equity));
        due.iter().any(|measure| matches!(measure, Measure::DailyStop(_)))
    };
    assert!(!stops(&guard, 10 * HOUR, 10_000));
    guard.mark(Nanos(10 * HOUR), money(10_000));
    assert!(!stops(&guard, 11 * HOUR, 9_501) && stops(&guard, 11 * HOUR, 9_500), "the day began with 10,000");
}

#[test]
fn the_ladder_has_rungs_at_10_15_20_and_25_percent() {
    let limits = only(|limits| limits.drawdown_ladder = Some(DrawdownLadder::default()));
    for (equity, rung, state) in [
        (9_001, Rung::Clear, AccountState::Active),
        (9_000, Rung::Alert, AccountState::Active),
        (8_501, Rung::Alert, AccountState::Active),
        (8_500, Rung::Tighten, AccountState::Reducing),
        (8_001, Rung::Tighten, AccountState::Reducing),
        (8_000, Rung::Halve, AccountState::Reducing),
        (7_501, Rung::Halve, AccountState::Reducing),
        (7_500, Rung::Kill, AccountState::Halted),
    ] {
        let mut guard = guard(10_000);
        at(&mut guard, &limits, Venture::Simulated, HOUR, equity);
        assert_eq!((guard.rung(), guard.state()), (rung, state), "{equity}");
        assert_eq!(guard.halves_positions(), equity <= 9_000, "{equity}");
    }
}

#[test]
fn an_alert_eases_by_itself_and_nothing_below_it_does() {
    let limits = only(|limits| limits.drawdown_ladder = Some(DrawdownLadder::default()));
    let mut guard = guard(10_000);
    at(&mut guard, &limits, Venture::Live, HOUR, 9_000);
    let eased = at(&mut guard, &limits, Venture::Live, 2 * HOUR, 9_500);
    assert!(matches!(eased[..], [Measure::Rung { rung: Rung::Clear, .. }]));
    at(&mut guard, &limits, Venture::Live, 3 * HOUR, 8_000);
    assert!(at(&mut guard, &limits, Venture::Live, 4 * HOUR, 10_000).is_empty());
    assert_eq!((guard.rung(), guard.state()), (Rung::Halve, AccountState::Reducing));
    assert_eq!(guard.cause(), Some("drawdown of 20.00 %"));
}

#[test]
fn resuming_takes_a_reason_and_measures_anew() {
    let limits = only(|limits| limits.drawdown_ladder = Some(DrawdownLadder::default()));
    let mut guard = guard(10_000);
    assert_eq!(guard.resume(Nanos(0), "why not"), Err(OrderError::NothingToResume));
    at(&mut guard, &limits, Venture::Live, HOUR, 7_000);
    assert_eq!(guard.resume(Nanos(HOUR), "  "), Err(OrderError::NoReason));
    let measure = guard.resume(Nanos(HOUR), "the feed was wrong").unwrap();
    guard.apply(Nanos(HOUR), &measure);
    assert_eq!(
        (guard.state(), guard.rung(), guard.cause(), guard.peak()),
        (AccountState::Active, Rung::Clear, None, money(7_000))
    );
    assert!(at(&mut guard, &limits, Venture::Live, 2 * HOUR, 6_301).is_empty());
    assert_eq!(at(&mut guard, &limits, Venture::Live, 3 * HOUR, 6_300).len(), 1, "10 % of 7,000");
}

#[test]
fn a_day_may_lose_less_than_5_percent_of_what_it_started_with() {
    let limits = only(|limits| limits.daily_loss = Some(DailyLoss::default()));
    for (equity, stops) in [(9_501, false), (9_500, true), (9_499, true)] {
        let mut guard = guard(10_000);
        at(&mut guard, &limits, Venture::Simulated, HOUR, equity);
        assert_eq!(guard.daily_stop().is_some(), stops, "{equity}");
    }
    // 12,000 at the day's highest is not what it started with.
    let mut guard = guard(10_000);
    at(&mut guard, &limits, Venture::Simulated, HOUR, 12_000);
    assert!(at(&mut guard, &limits, Venture::Simulated, 2 * HOUR, 9_501).is_empty());
    // The next day starts with what it found at midnight, or last before it.
    at(&mut guard, &limits, Venture::Simulated, 24 * HOUR, 9_600);
    assert!(at(&mut guard, &limits, Venture::Simulated, 25 * HOUR, 9_121).is_empty());
    assert_eq!(at(&mut guard, &limits, Venture::Simulated, 26 * HOUR, 9_120).len(), 1);
    let mut late = super::tests::guard(10_000);
    at(&mut late, &limits, Venture::Simulated, 23 * HOUR, 9_700);
    assert!(at(&mut late, &limits, Venture::Simulated, 25 * HOUR, 9_216).is_empty());
    assert_eq!(at(&mut late, &limits, Venture::Simulated, 26 * HOUR, 9_215).len(), 1, "5 % of 9,700");
}

#[test]
fn the_stop_lasts_60_minutes_and_if_still_below_until_the_next_utc_day() {
    let limits = only(|limits| limits.daily_loss = Some(DailyLoss::default()));
    let mut recovered = guard(10_000);
    at(&mut recovered, &limits, Venture::Live, HOUR, 9_400);
    at(&mut recovered, &limits, Venture::Live, HOUR + 60 * MINUTE - 1, 9_600);
    assert!(recovered.daily_stop().is_some());
    at(&mut recovered, &limits, Venture::Live, HOUR + 60 * MINUTE, 9_600);
    assert!(recovered.daily_stop().is_none());

    let mut below = guard(10_000);
    at(&mut below, &limits, Venture::Live, HOUR, 9_400);
    at(&mut below, &limits, Venture::Live, 2 * HOUR, 9_500);
    assert_eq!(below.daily_stop().unwrap().until, Nanos(24 * HOUR));
    at(&mut below, &limits, Venture::Live, 3 * HOUR, 9_900);
    assert!(below.daily_stop().is_some(), "until the day is over, whatever happens in it");
    at(&mut below, &limits, Venture::Live, 24 * HOUR, 9_000);
    assert!(below.daily_stop().is_none(), "a new day starts with what it finds");
}

#[test]
fn a_breached_limit_opens_the_breaker_for_60_minutes() {
    let mut paper = guard(10_000);
    let due = at(&mut paper, &limits(), Venture::Paper, HOUR, 9_400);
    assert!(matches!(due[..], [Measure::DailyStop(_), Measure::BreakerOpened(_)]), "{due:?}");
    assert!(!paper.takes_risk());
    at(&mut paper, &limits(), Venture::Paper, 2 * HOUR - 1, 9_900);
    assert!(paper.breaker().is_some());
    at(&mut paper, &limits(), Venture::Paper, 2 * HOUR, 9_900);
    assert!(paper.breaker().is_none() && paper.takes_risk());
}

#[test]
fn a_breaker_never_closes_into_live_by_itself() {
    let mut live = guard(10_000);
    at(&mut live, &limits(), Venture::Live, HOUR, 9_400);
    assert!(matches!(live.resume(Nanos(HOUR), "looks fine"), Err(OrderError::CoolingDown { .. })));
    at(&mut live, &limits(), Venture::Live, 30 * HOUR, 9_400);
    assert!(live.breaker().is_some());
    let measure = live.resume(Nanos(30 * HOUR), "looked into it").unwrap();
    live.apply(Nanos(30 * HOUR), &measure);
    assert!(live.takes_risk());
}

#[test]
fn troubles_open_the_breaker_when_they_come_together() {
    let rule = CircuitBreaker::default();
    for (trouble, count, cause) in [
        (Trouble::VenueError, rule.venue_errors, "venue-errors"),
        (Trouble::SlowAnswer { milliseconds: rule.slow_ms + 1 }, rule.slow_answers, "slow-answers"),
        (Trouble::SandboxFault, rule.faults, "sandbox-faults"),
    ] {
        let mut guard = guard(10_000);
        for number in 1..=count {
            let now = Nanos(i64::from(number) * 1_000_000_000);
            for measure in guard.trouble(&limits(), now, trouble) {
                guard.apply(now, &measure);
            }
            assert_eq!(guard.breaker().is_some(), number == count, "{cause} {number}");
        }
        assert_eq!(guard.breaker().unwrap().cause, cause);
        // Far apart they are what happens.
        let mut patient = super::tests::guard(10_000);
        for number in 1..=3 * count {
            let now = Nanos(i64::from(number) * HOUR);
            for measure in patient.trouble(&limits(), now, trouble) {
                patient.apply(now, &measure);
            }
        }
        assert!(patient.breaker().is_none(), "{cause}");
    }
    let quick = Trouble::SlowAnswer { milliseconds: rule.slow_ms };
    let mut guard = guard(10_000);
    for _ in 0..100 {
        for measure in guard.trouble(&limits(), Nanos(1), quick) {
            guard.apply(Nanos(1), &measure);
        }
    }
    assert!(guard.breaker().is_none(), "an answer in time is none");
}

#[test]
fn what_was_kept_is_what_was() {
    let mut guard = guard(10_000);
    at(&mut guard, &limits(), Venture::Live, HOUR, 8_400);
    guard.apply(Nanos(HOUR), &Measure::Ordered { state: AccountState::Halted, cause: "kill".to_owned() });
    guard.sent(Nanos(HOUR));
    let kept = serde_json::to_string(&guard).unwrap();
    let restored: AccountGuard = serde_json::from_str(&kept).unwrap();
    assert_eq!(restored, guard);
    let mut other = AccountGuard::default();
    other.apply(Nanos(2 * HOUR), &Measure::Restored(Box::new(restored)));
    assert_eq!((other.state(), other.cause()), (AccountState::Halted, Some("kill")));
}

#[test]
fn a_clock_that_goes_back_changes_no_day() {
    let mut guard = guard(10_000);
    at(&mut guard, &limits(), Venture::Live, 25 * HOUR, 10_000);
    at(&mut guard, &limits(), Venture::Live, 2 * HOUR, 9_600);
    assert_eq!(guard.seen(), Nanos(25 * HOUR));
    assert!(guard.daily_stop().is_none());
    at(&mut guard, &limits(), Venture::Live, 26 * HOUR, 9_500);
    assert!(guard.daily_stop().is_some(), "the day still starts with 10,000");
}
