//! The account's rules and its guard against a model of the test's own, whatever strategies, markets and people do.
//!
//! A [`Scenario`](scenario::Scenario) is played under the profile `account`; a [`Model`](model::Model) reads the log, does its own
//! sums in `f64` and says what should not have passed, or should have.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../common/mod.rs"]
mod common;
mod model;
mod play;
mod scenario;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use scenario::scenario;

fn config() -> ProptestConfig {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let asked = std::env::var("TILTYARD_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(if ci { 10_000 } else { 1_000 });
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// No order that was accepted exceeds a limit, open orders counted at their worst; what only reduces is never stopped by a rule
    /// of the account; nothing of a strategy's passes while it is halted; and the guard stands where the losses demand.
    #[test]
    fn what_passes_is_within_every_limit_and_what_reduces_passes(scenario in scenario()) {
        prop_assert_eq!(scenario.play().broken, [""; 0]);
    }
}

/// The property is worth as much as there is of everything. The batch is the same in every run.
#[test]
fn the_scenarios_bring_about_everything_there_is() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let strategy = scenario();
    for _ in 0..400 {
        for (what, count) in strategy.new_tree(&mut runner).unwrap().current().play().seen {
            *seen.entry(what).or_default() += count;
        }
    }
    let missing: Vec<_> = EVERYTHING.into_iter().filter(|what| !seen.contains_key(*what)).collect();
    assert_eq!(missing, [""; 0], "{seen:#?}");
}

const EVERYTHING: [&str; 28] = [
    "accepted and adds",
    "accepted and reduces",
    "accepted while reducing",
    "refused by circuit-breaker",
    "refused by concentration",
    "refused by daily-loss",
    "refused by invalid-stop",
    "refused by leverage-symbol",
    "refused by missing-stop",
    "refused by notional-symbol",
    "refused by price-collar",
    "refused by rate-limit",
    "refused by trading-state",
    "cancelled",
    "traded as an order that turns a position round",
    "measure breaker_closed",
    "measure breaker_opened",
    "measure daily_stop",
    "measure daily_stop_ended",
    "measure ordered",
    "measure resumed",
    "measure rung alert",
    "measure rung clear",
    "measure rung halve",
    "measure rung kill",
    "measure rung tighten",
    "strategy halted",
    "strategy paused",
];
