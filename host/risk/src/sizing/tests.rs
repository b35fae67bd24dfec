use proptest::option;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, proptest};

use super::{Size, SizeBound, Sizing, Target};
use crate::Trips;

const ATR_RISK: Sizing = Sizing::AtrRisk { budget: 0.01, atr_multiple: 2.0, atr_bars: 14, most: 0.5 };
const KELLY: Sizing = Sizing::Kelly { share: 0.5, most: 0.5, least_trips: 30, until_known: None };

fn target(asked: f64) -> Target {
    let trips = Trips { won: 18, lost: 18, mean_gain: 0.8, mean_loss: 0.5 };
    Target { asked, price: 100.0, stop_distance: None, atr: Some(2.0), trips }
}

fn kelly_until(until_known: f64) -> Sizing {
    Sizing::Kelly { share: 0.5, most: 0.5, least_trips: 30, until_known: Some(until_known) }
}

fn assert_size(size: Size, fraction: f64, bound: SizeBound) {
    assert!((size.fraction - fraction).abs() < 1e-12 && size.bound == bound, "{size:?}; {fraction}, {bound:?}");
}

#[test]
fn as_asked_is_what_was_asked_for_beyond_one_too() {
    for asked in [0.0, 0.25, -0.25, 1.0, -1.5, 3.0] {
        assert_size(Sizing::AsAsked.size(&target(asked)), asked, SizeBound::Asked);
    }
}

#[test]
fn a_fixed_fraction_is_scaled_by_conviction_up_to_one() {
    let sizing = Sizing::FixedFraction { fraction: 0.2 };
    for (asked, fraction) in [(1.0, 0.2), (0.5, 0.1), (-0.5, -0.1), (1.5, 0.2), (-7.0, -0.2)] {
        assert_size(sizing.size(&target(asked)), fraction, SizeBound::Fraction);
    }
}

#[test]
fn reaching_the_stop_costs_the_budget() {
    // Two ATR of 2 at 100 are 4 %: a quarter of the equity loses 1 % on the way there.
    assert_size(ATR_RISK.size(&target(1.0)), 0.25, SizeBound::RiskBudget);
    assert_size(ATR_RISK.size(&target(-0.5)), -0.125, SizeBound::RiskBudget);
    let own = Target { stop_distance: Some(5.0), ..target(1.0) };
    assert_size(ATR_RISK.size(&own), 0.2, SizeBound::RiskBudget);
}

#[test]
fn a_near_stop_does_not_lift_the_cap() {
    for distance in [1.0, 1e-9, f64::MIN_POSITIVE, 5e-324] {
        let near = Target { stop_distance: Some(distance), ..target(1.0) };
        assert_size(ATR_RISK.size(&near), 0.5, SizeBound::Most);
    }
}

#[test]
fn without_a_stop_that_can_be_reckoned_with_nothing_is_put_on() {
    for atr in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY), Some(f64::MAX)] {
        assert_size(ATR_RISK.size(&Target { atr, ..target(1.0) }), 0.0, SizeBound::NoStop);
    }
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let own = Target { stop_distance: Some(wrong), ..target(1.0) };
        assert_size(ATR_RISK.size(&own), 0.0, SizeBound::NoStop);
        assert_size(ATR_RISK.size(&Target { price: wrong, ..target(1.0) }), 0.0, SizeBound::NoPrice);
    }
}

#[test]
fn kelly_is_a_share_of_the_fraction_that_grows_fastest() {
    // 0.5 ÷ 0.5 − 0.5 ÷ 0.8 = 0.375, and half of it.
    assert_size(KELLY.size(&target(1.0)), 0.1875, SizeBound::Edge);
    assert_size(KELLY.size(&target(-1.0)), -0.1875, SizeBound::Edge);
}

#[test]
fn kelly_is_capped() {
    let trips = Trips { won: 20, lost: 16, mean_gain: 0.02, mean_loss: 0.01 };
    assert_size(KELLY.size(&Target { trips, ..target(1.0) }), 0.5, SizeBound::Most);
}

#[test]
fn one_trip_too_few_is_too_few() {
    let with = |won, lost| Target { trips: Trips { won, lost, ..target(1.0).trips }, ..target(1.0) };
    assert_eq!(KELLY.size(&with(15, 15)).bound, SizeBound::Edge);
    assert_size(KELLY.size(&with(15, 14)), 0.0, SizeBound::TooFewTrips { have: 29, need: 30 });
    assert_size(kelly_until(0.02).size(&with(15, 14)), 0.02, SizeBound::UntilKnown);
    assert_size(kelly_until(0.02).size(&with(0, 0)), 0.02, SizeBound::UntilKnown);
    assert_size(kelly_until(0.0).size(&with(0, 0)), 0.0, SizeBound::TooFewTrips { have: 0, need: 30 });
}

#[test]
fn without_a_loss_there_is_no_payoff() {
    let trips = Trips { won: 30, lost: 0, mean_gain: 0.02, mean_loss: 0.0 };
    let target = Target { trips, ..target(1.0) };
    assert_size(KELLY.size(&target), 0.0, SizeBound::NoPayoff);
    assert_size(kelly_until(0.02).size(&target), 0.02, SizeBound::UntilKnown);
}

#[test]
fn a_strategy_without_an_edge_gets_nothing_whatever_is_configured_until_it_is_known() {
    for trips in [
        Trips { won: 0, lost: 30, mean_gain: 0.0, mean_loss: 0.01 },
        Trips { won: 10, lost: 20, mean_gain: 0.01, mean_loss: 0.01 },
        Trips { won: 15, lost: 15, mean_gain: 0.01, mean_loss: 0.01 },
    ] {
        assert_size(kelly_until(0.02).size(&Target { trips, ..target(1.0) }), 0.0, SizeBound::NoEdge);
    }
}

#[test]
fn figures_that_are_none_are_not_taken_for_a_lack_of_trips() {
    let trips = Trips { won: 1, lost: 1, mean_gain: f64::NAN, mean_loss: 0.01 };
    assert_size(kelly_until(0.02).size(&Target { trips, ..target(1.0) }), 0.0, SizeBound::NotANumber);
}

#[test]
fn a_conviction_that_is_no_number_puts_nothing_on() {
    for sizing in [Sizing::AsAsked, Sizing::FixedFraction { fraction: 0.2 }, ATR_RISK, KELLY] {
        for asked in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_size(sizing.size(&target(asked)), 0.0, SizeBound::NotANumber);
        }
        assert_size(sizing.size(&target(0.0)), 0.0, SizeBound::Asked);
    }
}

#[test]
fn all_problems_come_at_once_and_a_method_with_problems_puts_nothing_on() {
    let nan = f64::NAN;
    for (sizing, problems) in [
        (Sizing::AsAsked, 0),
        (ATR_RISK, 0),
        (KELLY, 0),
        (kelly_until(0.5), 0),
        (Sizing::FixedFraction { fraction: 10.0 }, 0),
        (Sizing::FixedFraction { fraction: 10.1 }, 1),
        (Sizing::FixedFraction { fraction: 0.0 }, 1),
        (Sizing::FixedFraction { fraction: nan }, 1),
        (Sizing::AtrRisk { budget: 1.1, atr_multiple: nan, atr_bars: 0, most: -1.0 }, 4),
        (Sizing::Kelly { share: 1.1, most: f64::INFINITY, least_trips: 1, until_known: Some(nan) }, 4),
        (kelly_until(0.51), 1),
        (kelly_until(-0.01), 1),
    ] {
        assert_eq!(sizing.problems().len(), problems, "{sizing:?}: {:?}", sizing.problems());
        if problems > 0 {
            assert_size(sizing.size(&target(1.0)), 0.0, SizeBound::Misconfigured);
        }
    }
    let problem = &Sizing::FixedFraction { fraction: 0.0 }.problems()[0];
    assert_eq!(problem, "fraction is 0; it must be more than 0 and at most 10");
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct File {
    sizing: Sizing,
}

#[test]
fn every_method_reads_what_it_writes() {
    for sizing in [Sizing::AsAsked, Sizing::FixedFraction { fraction: 0.2 }, ATR_RISK, KELLY, kelly_until(0.02)] {
        let written = toml::to_string(&File { sizing }).unwrap();
        assert_eq!(toml::from_str::<File>(&written).unwrap().sizing, sizing, "{written}");
    }
    let read = |text: &str| toml::from_str::<File>(text).map(|file| file.sizing);
    assert_eq!(read("sizing = \"as_asked\"").unwrap(), Sizing::AsAsked);
    assert_eq!(read("[sizing.kelly]\nshare = 0.5\nmost = 0.5\nleast_trips = 30").unwrap(), KELLY);
}

#[test]
fn a_key_or_a_method_that_is_not_known_is_an_error() {
    for text in [
        "sizing = \"all_in\"",
        "[sizing.fixed_fraction]\nfraction = 0.2\nmost = 1.0",
        "[sizing.fixed_fraction]",
        "[sizing.as_asked]\nfraction = 0.2",
        "[sizing.fixed_fraction]\nfraction = 0.2\n[sizing.as_asked]",
    ] {
        assert!(toml::from_str::<File>(text).is_err(), "{text}");
    }
}

#[test]
fn what_bound_a_size_is_said_in_words() {
    assert_eq!(SizeBound::TooFewTrips { have: 3, need: 30 }.to_string(), "nothing: 3 of 30 finished round trips");
    assert_eq!(SizeBound::RiskBudget.to_string(), "the risk budget and the distance of the stop");
}

fn any_target() -> impl Strategy<Value = Target> {
    let figure = || any::<u64>().prop_map(f64::from_bits);
    let trips = (any::<u32>(), any::<u32>(), figure(), figure()).prop_map(|(won, lost, mean_gain, mean_loss)| Trips {
        won,
        lost,
        mean_gain,
        mean_loss,
    });
    (figure(), figure(), option::of(figure()), option::of(figure()), trips)
        .prop_map(|(asked, price, stop_distance, atr, trips)| Target { asked, price, stop_distance, atr, trips })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_figures_are_a_size_is_finite_and_within_its_cap_on_the_side_that_was_asked_for(
        target in any_target(),
    ) {
        for sizing in [Sizing::FixedFraction { fraction: 0.5 }, ATR_RISK, KELLY, kelly_until(0.02)] {
            let Size { fraction, .. } = sizing.size(&target);
            prop_assert!(fraction.abs() <= 0.5, "{sizing:?}: {fraction}");
            prop_assert!(fraction == 0.0 || fraction.signum() == target.asked.signum(), "{sizing:?}: {fraction}");
        }
        prop_assert!(Sizing::AsAsked.size(&target).fraction.is_finite());
    }
}
