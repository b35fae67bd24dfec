//! What must hold whatever strategies do: random markets, random orders, every event audited by books of the test's own.
//!
//! A [`Scenario`](scenario::Scenario) is played step by step. After each step an [`Audit`](audit::Audit) reads the new
//! events, follows every order and every cent by itself and compares with the kernel's books. What is broken is filed
//! under a [`Law`]; each property asks for one group of laws, so that a failure shrinks to the smallest scenario that
//! breaks this very law.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod actor;
mod audit;
#[path = "../common/mod.rs"]
mod common;
mod play;
mod scenario;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tiltyard_engine::{Books, Entry};

use audit::Law;
use scenario::{Script, scenario};

fn config() -> ProptestConfig {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let asked = std::env::var("TILTYARD_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(if ci { 10_000 } else { 1_000 });
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Equity = initial + realised + unrealised − fees + funding − interest − fees of liquidations, positions are the sums of fills, nothing is lent on spot; and what
    /// is refused has changed none of it.
    #[test]
    fn the_books_agree_to_the_last_digit(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Books, Law::Refusals]), []);
    }

    /// Every order has one life: accepted, changed, ended once, and a cancel or a change that was granted is kept.
    #[test]
    fn every_order_has_one_consistent_life(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Orders]), []);
    }

    /// Nothing trades before its time, beyond its quantity or limit, outside its bar or for more than a tenth of it.
    #[test]
    fn fills_are_what_the_bar_allows(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Fills]), []);
    }

    /// Funding and interest are what the position and the mark say, nothing outlives its margin, and what is liquidated loses no more than it.
    #[test]
    fn margin_is_kept_and_bounds_what_is_lost(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Margin]), []);
    }

    #[test]
    fn brackets_stand_from_the_entry_on_and_close_no_more_than_it_opened(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Brackets]), []);
    }

    #[test]
    fn what_was_halted_or_has_ended_is_closed(scenario in scenario()) {
        prop_assert_eq!(scenario.broken(&[Law::Ends]), []);
    }

    /// From the events alone, and from what was written of them.
    #[test]
    fn the_log_rebuilds_the_books(scenario in scenario()) {
        let books = scenario.run();
        let entries = books.log().entries();
        let write = |entry: &Entry| serde_json::to_string(entry).unwrap();
        let written: Vec<String> = entries.iter().map(write).collect();
        let read: Vec<Entry> = written.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Entries have no equality of their own: violations hold NaN.
        prop_assert_eq!(read.iter().map(write).collect::<Vec<_>>(), written);
        for replayed in [Books::replay(entries), Books::replay(&read)] {
            prop_assert_eq!(replayed.records(), books.records());
            prop_assert_eq!(replayed.log().digest(), books.log().digest());
        }
    }

    #[test]
    fn the_same_run_twice_is_the_same_run(scenario in scenario()) {
        prop_assert_eq!(scenario.run().log().digest(), scenario.run().log().digest());
    }

    /// In a market that is large enough for all, nobody notices who else is watching.
    #[test]
    fn a_strategy_that_only_watches_changes_nothing(scenario in scenario()) {
        let mut scenario = scenario;
        scenario.players.truncate(1);
        scenario.halt = None;
        for candle in scenario.listings.iter_mut().flat_map(|listing| &mut listing.candles) {
            candle.volume = 1_000_000_000;
        }
        let alone = scenario.run();
        let watcher = Script { steps: Vec::new(), host_stop: false };
        let together = scenario.play(vec![watcher, scenario.players[0].clone()], |_, _| {});
        let (alone, together) = (&alone.records()[0], &together.records()[1]);
        prop_assert_eq!(alone.ledger.totals(), together.ledger.totals());
        prop_assert_eq!(alone.ledger.round_trips(), together.ledger.round_trips());
        prop_assert_eq!((alone.accepted, alone.refused), (together.accepted, together.refused));
        // Alone, the run is over when the strategy is.
        prop_assert_eq!(&alone.curve, &together.curve[..alone.curve.len()]);
    }
}

/// Properties of fills are worth as much as there are fills of every kind. The batch is the same in every run.
#[test]
fn the_scenarios_bring_about_everything_there_is() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let strategy = scenario();
    for _ in 0..400 {
        let scenario = strategy.new_tree(&mut runner).unwrap().current();
        for (what, count) in scenario.audit().seen {
            *seen.entry(what).or_default() += count;
        }
    }
    let missing: Vec<_> = EVERYTHING.into_iter().filter(|what| !seen.contains_key(*what)).collect();
    assert_eq!(missing, [""; 0], "{seen:#?}");
}

/// Fills by origin, kind, liquidity and whether the order was done; then ends and refusals of every kind that is likely.
const EVERYTHING: [&str; 68] = [
    "Submitted market Taker all",
    "Submitted market Taker part",
    "Submitted limit Maker all",
    "Submitted limit Maker part",
    "Submitted limit Taker all",
    "Submitted limit Taker part",
    "Submitted stop Taker all",
    "Submitted stop Taker part",
    "Submitted stop-limit Maker all",
    "Submitted stop-limit Maker part",
    "Submitted stop-limit Taker all",
    "Submitted stop-limit Taker part",
    "Submitted trailing stop Taker all",
    "Submitted trailing stop Taker part",
    "Submitted take-profit Maker all",
    "Submitted take-profit Maker part",
    "Submitted take-profit Taker all",
    "Submitted take-profit Taker part",
    "StopLoss stop Taker all",
    "StopLoss stop Taker part",
    "StopLoss trailing stop Taker all",
    "StopLoss trailing stop Taker part",
    "TakeProfit take-profit Maker all",
    "TakeProfit take-profit Maker part",
    "TakeProfit take-profit Taker all",
    "Target market Taker all",
    "Target market Taker part",
    "Close market Taker all",
    "Close market Taker part",
    "Host market Taker all",
    "Host market Taker part",
    "replaced, then filled",
    "exit delisted",
    "exit fault",
    "exit halt",
    "exit liquidation",
    "funding paid",
    "funding received",
    "interest on base currency",
    "interest on quote currency",
    "all that is borrowed",
    "liquidation of an isolated position",
    "liquidation with insurance",
    "liquidation without insurance",
    "update Cancelled close",
    "update Cancelled delisted",
    "update Cancelled fill-or-kill",
    "update Cancelled halt",
    "update Cancelled immediate-or-cancel",
    "update Cancelled insufficient-funds",
    "update Cancelled liquidation",
    "update Cancelled new-target",
    "update Cancelled one-cancels-other",
    "update Cancelled protection-filled",
    "update Cancelled reduce-only",
    "update Cancelled strategy",
    "update Expired ",
    "update Rejected post-only",
    "update Replaced one-cancels-other",
    "refused instrument-ended",
    "refused insufficient-funds",
    "refused insufficient-margin",
    "refused malformed",
    "refused missing-stop",
    "refused position-limit",
    "refused reduce-only",
    "refused self-cross",
    "refused stale-data",
];
