//! What must hold of an account's guard whatever happens to it, restarts among it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use tiltyard_model::{Decimal, Money, Nanos};
use tiltyard_risk::{AccountGuard, AccountState, Limits, Measure, RiskProfile, Rung, Trouble, Venture};

/// Something that happens to a guard.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// Minutes later, which may be less than nothing, the account is worth this many thousandths of what it was.
    Instant(i64, u32),
    Trouble(u8),
    Ordered(AccountState),
    Resumed,
    Sent,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (-30_i64..600, 850_u32..1_120).prop_map(|(minutes, thousandths)| Happening::Instant(minutes, thousandths)),
        3 => (0_u8..3).prop_map(Happening::Trouble),
        1 => Just(Happening::Ordered(AccountState::Reducing)),
        1 => Just(Happening::Ordered(AccountState::Halted)),
        2 => Just(Happening::Resumed),
        2 => Just(Happening::Sent),
    ]
}

/// A guard with what it watches.
#[derive(Debug, Clone, PartialEq)]
struct Watched {
    guard: AccountGuard,
    now: Nanos,
    equity: Money,
}

impl Watched {
    fn new() -> Self {
        let equity = Money(Decimal::from(1_000_000));
        let mut guard = AccountGuard::default();
        guard.fund(equity);
        Self { guard, now: Nanos(0), equity }
    }

    /// What came of it: the measures that were taken.
    fn go_through(&mut self, limits: &Limits, venture: Venture, happening: Happening) -> Vec<Measure> {
        let measures = match happening {
            Happening::Instant(minutes, thousandths) => {
                self.now = Nanos(self.now.0 + minutes * 60_000_000_000);
                let equity = self.equity.0 * Decimal::new(i64::from(thousandths), 3);
                self.equity = Money(equity.round_dp(8).min(Decimal::from(1_000_000_000_000_u64)));
                self.guard.watch(limits, venture, self.now, self.equity)
            }
            Happening::Trouble(0) => self.guard.trouble(limits, self.now, Trouble::VenueError),
            Happening::Trouble(1) => self.guard.trouble(limits, self.now, Trouble::SlowAnswer { milliseconds: 10_000 }),
            Happening::Trouble(_) => self.guard.trouble(limits, self.now, Trouble::SandboxFault),
            Happening::Ordered(state) => vec![Measure::Ordered { state, cause: "a person".to_owned() }],
            Happening::Resumed => self.guard.resume(self.now, "looked into it").into_iter().collect(),
            Happening::Sent => {
                self.guard.sent(self.now);
                Vec::new()
            }
        };
        measures.iter().for_each(|measure| self.guard.apply(self.now, measure));
        if matches!(happening, Happening::Instant(..)) {
            self.guard.mark(self.now, self.equity);
        }
        measures
    }
}

fn venture() -> impl Strategy<Value = Venture> {
    prop_oneof![Just(Venture::Simulated), Just(Venture::Paper), Just(Venture::Live)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Kept and read again after every happening, it takes the same measures and stands where it would have stood.
    #[test]
    fn a_restart_changes_nothing(happenings in prop::collection::vec(happening(), 1..80), venture in venture()) {
        let limits = RiskProfile::account().limits;
        let (mut steady, mut restarted) = (Watched::new(), Watched::new());
        for happening in happenings {
            let kept = serde_json::to_string(&restarted.guard).unwrap();
            restarted.guard = serde_json::from_str(&kept).unwrap();
            let measures = steady.go_through(&limits, venture, happening);
            prop_assert_eq!(restarted.go_through(&limits, venture, happening), measures);
            prop_assert_eq!(&restarted, &steady);
        }
    }

    /// What stops an account lasts until a person resumes it, or until its time is over where that is how it ends.
    #[test]
    fn nothing_that_stops_an_account_ends_by_itself_before_its_time(
        happenings in prop::collection::vec(happening(), 1..80),
        venture in venture(),
    ) {
        let limits = RiskProfile::account().limits;
        let mut watched = Watched::new();
        for happening in happenings {
            let before = watched.guard.clone();
            let measures = watched.go_through(&limits, venture, happening);
            let (after, now) = (&watched.guard, watched.now);
            let resumed = measures.iter().any(|measure| matches!(measure, Measure::Resumed { .. }));
            let ordered = measures.iter().any(|measure| matches!(measure, Measure::Ordered { .. }));
            prop_assert!(resumed || ordered || after.state() >= before.state());
            prop_assert!(resumed || before.rung() <= Rung::Alert || after.rung() >= before.rung());
            prop_assert!(after.state() == AccountState::Active || after.cause().is_some());
            if let (Some(open), None) = (before.breaker(), after.breaker()) {
                prop_assert!(now >= open.until);
                prop_assert!(resumed || venture != Venture::Live);
            }
            if let (Some(stop), None) = (before.daily_stop(), after.daily_stop()) {
                prop_assert!(now >= stop.until, "resuming does not end a day's stop");
            }
            prop_assert!(after.seen() >= before.seen());
        }
    }

    /// As often as it is asked, the same instant has the same measures, and none are left once they are taken.
    #[test]
    fn measures_are_due_once(happenings in prop::collection::vec(happening(), 1..40)) {
        let limits = RiskProfile::account().limits;
        let mut watched = Watched::new();
        for happening in happenings {
            watched.go_through(&limits, Venture::Live, happening);
            if matches!(happening, Happening::Instant(..)) {
                let again = watched.guard.watch(&limits, Venture::Live, watched.now, watched.equity);
                prop_assert_eq!(again, []);
            }
        }
    }
}
