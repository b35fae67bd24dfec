use tiltyard_model::Nanos;

use super::{ApprovalError, Lifecycle, LiveStage, LiveStep, MonthError, StepCause, Waiting};

const START: Nanos = Nanos(1_700_000_000_000_000_000);
const ONE_NANO: Nanos = Nanos(1);

fn days(days: i64) -> Nanos {
    Nanos::from_hours(24 * days)
}

/// A strategy that came to this stage at the start, with its months before that.
fn at(stage: LiveStage) -> Lifecycle {
    Lifecycle { stage, ..Lifecycle::start(START) }
}

/// After so many losing months, the last of which ended `since` after the start.
fn after_losses(stage: LiveStage, months: i64) -> (Lifecycle, Vec<Option<(LiveStage, LiveStage)>>) {
    let mut lifecycle = at(stage);
    let steps = (1..=months)
        .map(|month| lifecycle.close_month(START + days(30 * month), -0.01).unwrap())
        .map(|step| step.map(|step| (step.from, step.to)))
        .collect();
    (lifecycle, steps)
}

#[test]
fn the_shares_are_1_10_50_and_100_percent_or_nothing() {
    let shares =
        [LiveStage::One, LiveStage::Ten, LiveStage::Fifty, LiveStage::Full, LiveStage::Out].map(LiveStage::share);
    assert_eq!(shares, [0.01, 0.1, 0.5, 1.0, 0.0]);
    assert_eq!(Lifecycle::start(START).stage(), LiveStage::One);
}

#[test]
fn a_step_up_is_proposed_after_a_week_a_month_and_three_months_and_not_a_nanosecond_sooner() {
    for (stage, next, needed) in [
        (LiveStage::One, LiveStage::Ten, 7),
        (LiveStage::Ten, LiveStage::Fifty, 30),
        (LiveStage::Fifty, LiveStage::Full, 90),
    ] {
        let needed = days(needed);
        for (lasted, is_due) in [
            (Nanos(0), false),
            (needed - ONE_NANO, false),
            (needed, true),
            (needed + ONE_NANO, true),
            (needed + days(1_000), true),
        ] {
            let observed = at(stage).observe(START + lasted, Some(1.0));
            match observed {
                Ok(step) => assert!(is_due && (step.from, step.to) == (stage, next), "{stage}, {lasted}: {step:?}"),
                Err(why) => assert!(!is_due && why == Waiting::Time { lasted, needed }, "{stage}, {lasted}: {why:?}"),
            }
        }
    }
    for last in [LiveStage::Full, LiveStage::Out] {
        assert_eq!(at(last).observe(START + days(1_000), Some(9.0)), Err(Waiting::Final));
    }
}

#[test]
fn from_10_percent_on_a_step_up_takes_a_sharpe_ratio_above_0() {
    for stage in [LiveStage::Ten, LiveStage::Fifty] {
        for (sharpe, why) in [
            (Some(-5e-324), Some(Waiting::Sharpe)),
            (Some(0.0), Some(Waiting::Sharpe)),
            (Some(5e-324), None),
            (Some(2.0), None),
            (Some(f64::NAN), Some(Waiting::Sharpe)),
            (Some(f64::INFINITY), Some(Waiting::Sharpe)),
            (None, Some(Waiting::NoSharpe)),
        ] {
            assert_eq!(at(stage).observe(START + days(90), sharpe).err(), why, "{stage}, {sharpe:?}");
        }
    }
}

#[test]
fn the_first_week_asks_for_no_sharpe_ratio() {
    for sharpe in [None, Some(-3.0), Some(f64::NAN)] {
        let step = at(LiveStage::One).observe(START + days(7), sharpe).unwrap();
        assert_eq!(step.sharpe, None);
    }
}

#[test]
fn nothing_goes_up_without_a_person() {
    let mut lifecycle = Lifecycle::start(START);
    lifecycle.observe(START + days(7), None).unwrap();
    lifecycle.observe(START + days(100), Some(3.0)).unwrap();
    assert_eq!(lifecycle.stage(), LiveStage::One);
}

#[test]
fn an_approved_step_is_made_and_says_by_whom_and_why() {
    let mut lifecycle = Lifecycle::start(START);
    let mut now = START;
    for (from, to, wait) in [
        (LiveStage::One, LiveStage::Ten, 7),
        (LiveStage::Ten, LiveStage::Fifty, 30),
        (LiveStage::Fifty, LiveStage::Full, 90),
    ] {
        now = now + days(wait);
        lifecycle.observe(now, Some(1.0)).unwrap();
        let cause = StepCause::Approved { by: "Ada".to_owned(), reason: "as tested".to_owned() };
        let made = lifecycle.approve(now, to, "Ada", "as tested");
        assert_eq!(made, Ok(LiveStep { at: now, from, to, cause }));
        assert_eq!((lifecycle.stage(), lifecycle.since(), lifecycle.proposal()), (to, now, None));
    }
}

#[test]
fn an_approval_needs_a_proposal_the_stage_a_name_and_a_reason() {
    let now = START + days(7);
    let mut lifecycle = Lifecycle::start(START);
    assert_eq!(lifecycle.approve(now, LiveStage::Ten, "Ada", "ok"), Err(ApprovalError::NoProposal));
    lifecycle.observe(now, None).unwrap();
    let another = ApprovalError::AnotherStage { proposed: LiveStage::Ten, approved: LiveStage::Full };
    assert_eq!(lifecycle.approve(now, LiveStage::Full, "Ada", "ok"), Err(another));
    let long = "x".repeat(Lifecycle::MOST_TEXT + 1);
    for wrong in ["", "  ", "\u{1b}[2J", &long] {
        let name = lifecycle.approve(now, LiveStage::Ten, wrong, "ok");
        assert_eq!(name, Err(ApprovalError::NoText { field: "name" }));
        let reason = lifecycle.approve(now, LiveStage::Ten, "Ada", wrong);
        assert_eq!(reason, Err(ApprovalError::NoText { field: "reason" }));
    }
    assert_eq!(lifecycle.stage(), LiveStage::One);
    assert!(lifecycle.approve(now, LiveStage::Ten, "Ada", &long[1..]).is_ok());
}

#[test]
fn a_proposal_is_withdrawn_when_what_it_takes_no_longer_holds() {
    let mut lifecycle = at(LiveStage::Ten);
    let first = lifecycle.observe(START + days(30), Some(1.0)).unwrap();
    let again = lifecycle.observe(START + days(31), Some(0.5)).unwrap();
    assert_eq!((again.proposed, again.sharpe), (first.proposed, Some(0.5)));
    assert_eq!(lifecycle.observe(START + days(32), Some(-0.1)), Err(Waiting::Sharpe));
    let approved = lifecycle.approve(START + days(32), LiveStage::Fifty, "Ada", "ok");
    assert_eq!(approved, Err(ApprovalError::NoProposal));
}

#[test]
fn two_losing_months_fall_back_to_50_percent_and_three_to_out() {
    let fell = Some((LiveStage::Full, LiveStage::Fifty));
    assert_eq!(after_losses(LiveStage::Full, 1).1, [None]);
    assert_eq!(after_losses(LiveStage::Full, 2).1, [None, fell]);
    assert_eq!(after_losses(LiveStage::Full, 3).1, [None, fell, Some((LiveStage::Fifty, LiveStage::Out))]);
    for stage in [LiveStage::One, LiveStage::Ten, LiveStage::Fifty] {
        assert_eq!(after_losses(stage, 3).1, [None, None, Some((stage, LiveStage::Out))], "{stage}");
    }
    assert_eq!(after_losses(LiveStage::Full, 9).0.stage(), LiveStage::Out);
}

#[test]
fn only_losing_months_in_a_row_count() {
    for (gains, stage) in [
        (&[-0.01, 0.01, -0.01][..], LiveStage::Full),
        (&[-0.01, -0.01], LiveStage::Fifty),
        (&[-5e-324, -5e-324], LiveStage::Fifty),
        (&[0.0, 0.0, 0.0], LiveStage::Full),
        (&[-0.01, 0.0, -0.01], LiveStage::Fifty),
        (&[-0.01, 5e-324, -0.01], LiveStage::Full),
        (&[f64::NAN, f64::INFINITY], LiveStage::Fifty),
        (&[f64::NAN, f64::NAN, f64::NEG_INFINITY], LiveStage::Out),
    ] {
        let mut lifecycle = at(LiveStage::Full);
        for (month, gain) in (1..).zip(gains) {
            lifecycle.close_month(START + days(30 * month), *gain).unwrap();
        }
        assert_eq!(lifecycle.stage(), stage, "{gains:?}");
    }
}

#[test]
fn whoever_fell_back_waits_three_months_again() {
    let (mut lifecycle, _) = after_losses(LiveStage::Full, 2);
    let fell = START + days(60);
    lifecycle.close_month(fell + days(30), 0.02).unwrap();
    let waiting = lifecycle.observe(fell + days(90) - ONE_NANO, Some(1.0)).unwrap_err();
    assert!(matches!(waiting, Waiting::Time { .. }), "{waiting:?}");
    assert_eq!(lifecycle.observe(fell + days(90), Some(1.0)).unwrap().to, LiveStage::Full);
}

#[test]
fn a_losing_month_withdraws_a_proposal_and_keeps_new_ones_back() {
    let mut lifecycle = at(LiveStage::Ten);
    lifecycle.observe(START + days(31), Some(1.0)).unwrap();
    assert_eq!(lifecycle.close_month(START + days(31), -0.01), Ok(None));
    assert_eq!(lifecycle.proposal(), None);
    assert_eq!(lifecycle.observe(START + days(32), Some(1.0)), Err(Waiting::LosingMonth));
    lifecycle.close_month(START + days(62), 0.01).unwrap();
    assert!(lifecycle.observe(START + days(62), Some(1.0)).is_ok());
}

#[test]
fn a_month_counts_once_and_in_order() {
    let mut lifecycle = at(LiveStage::Full);
    let error = |end, last| Err(MonthError { end, last });
    assert_eq!(lifecycle.close_month(START, -0.01), error(START, START), "it was not live");
    let end = START + days(30);
    lifecycle.close_month(end, -0.01).unwrap();
    assert_eq!(lifecycle.close_month(end, -0.01), error(end, end));
    assert_eq!(lifecycle.close_month(end - ONE_NANO, 0.5), error(end - ONE_NANO, end));
    assert_eq!((lifecycle.stage(), lifecycle.losing_months()), (LiveStage::Full, 1));
}

#[test]
fn a_clock_that_goes_back_proposes_nothing_and_withdraws_what_was_proposed() {
    let mut lifecycle = Lifecycle::start(START);
    let seen = START + days(8);
    lifecycle.observe(seen, None).unwrap();
    let back = seen - ONE_NANO;
    let approved = lifecycle.approve(back, LiveStage::Ten, "Ada", "ok");
    assert_eq!(approved, Err(ApprovalError::ClockWentBack { seen, now: back }));
    assert_eq!(lifecycle.observe(back, None), Err(Waiting::ClockWentBack { seen }));
    assert_eq!(lifecycle.approve(seen, LiveStage::Ten, "Ada", "ok"), Err(ApprovalError::NoProposal));
    assert!(lifecycle.observe(seen, None).is_ok(), "it has caught up");
    assert_eq!(at(LiveStage::One).observe(Nanos(i64::MIN), None), Err(Waiting::ClockWentBack { seen: START }));
}

#[test]
fn a_clock_that_went_back_keeps_no_step_down() {
    let mut lifecycle = at(LiveStage::Full);
    let seen = START + days(500);
    assert_eq!(lifecycle.observe(seen, None), Err(Waiting::Final));
    lifecycle.close_month(START + days(30), -0.01).unwrap();
    let step = lifecycle.close_month(START + days(60), -0.01).unwrap().unwrap();
    assert_eq!((step.to, step.at, step.cause), (LiveStage::Fifty, seen, StepCause::LosingMonths(2)));
}

#[test]
fn what_was_kept_goes_on_where_it_was() {
    let mut lifecycle = at(LiveStage::Ten);
    lifecycle.close_month(START + days(20), 0.01).unwrap();
    lifecycle.observe(START + days(30), Some(1.25)).unwrap();
    let kept = serde_json::to_string(&lifecycle).unwrap();
    let mut restored: Lifecycle = serde_json::from_str(&kept).unwrap();
    assert_eq!(restored, lifecycle);
    assert!(restored.problems().is_empty());
    assert!(restored.approve(START + days(30), LiveStage::Fifty, "Ada", "ok").is_ok());
}

#[test]
fn what_cannot_have_been_kept_has_problems() {
    let mut lifecycle = at(LiveStage::Ten);
    let step = lifecycle.observe(START + days(30), Some(1.0)).unwrap();
    let contradictions = [
        Lifecycle { stage: LiveStage::Full, ..lifecycle.clone() },
        Lifecycle { proposal: Some(super::StepUp { to: LiveStage::Full, ..step }), ..lifecycle.clone() },
        Lifecycle { proposal: Some(super::StepUp { proposed: START - ONE_NANO, ..step }), ..lifecycle.clone() },
        Lifecycle { seen: START - ONE_NANO, proposal: None, ..lifecycle.clone() },
        Lifecycle { losing_months: 3, ..lifecycle.clone() },
        Lifecycle { losing_months: 2, ..at(LiveStage::Full) },
    ];
    for wrong in contradictions {
        assert_eq!(wrong.problems().len(), 1, "{wrong:?}: {:?}", wrong.problems());
    }
    assert!(serde_json::from_str::<Lifecycle>("{}").is_err());
}
