//! Where the account stands survives a restart, and what cannot be trusted is no state.
#![allow(clippy::unwrap_used, reason = "a test may")]

use rusqlite::Connection;
use tiltyard_model::{Decimal, Money, Nanos};
use tiltyard_risk::{AccountGuard, AccountState, Measure, StrategyGuard, StrategyState};
use tiltyard_store::{Flatten, Kept, Scope, Store, StoreError, Transition};

const NOW: Nanos = Nanos(1_700_000_000_000_000_000);

fn halted() -> AccountGuard {
    let mut guard = AccountGuard::default();
    guard.fund(Money(Decimal::from(10_000)));
    guard.apply(NOW, &Measure::Ordered { state: AccountState::Halted, cause: "a test".to_owned() });
    guard
}

fn paused() -> StrategyGuard {
    let mut guard = StrategyGuard::new(Money(Decimal::from(100)));
    guard.change(StrategyState::Paused, "a test", Money::ZERO);
    guard
}

fn transition(what: &str) -> Transition {
    Transition {
        at: NOW,
        scope: Scope::Account,
        who: "person".to_owned(),
        what: what.to_owned(),
        cause: "a test".to_owned(),
    }
}

/// A file in which the account is halted and a strategy paused, and somebody who changes it by hand.
fn tampered(sql: &str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workspace.db");
    let mut store = Store::open(&path).unwrap();
    let keep = |batch: &tiltyard_store::Batch<'_>| {
        batch.keep_account_guard(NOW, &halted())?;
        batch.keep_strategy_guard(NOW, "grid", &paused())?;
        batch.insert_transition(&transition("halted"))
    };
    store.durable_batch(keep).unwrap();
    drop(store);
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, Store::open(&path).unwrap())
}

#[test]
fn what_was_kept_is_there_after_a_restart() {
    let (_folder, store) = tampered("");
    assert_eq!(store.account_guard(), Kept::State(halted()));
    assert_eq!(store.strategy_guard("grid"), Kept::State(paused()));
    assert_eq!(store.strategy_guard("trend"), Kept::Nothing);
    assert_eq!(store.guarded_strategies().unwrap(), ["grid"]);
    assert_eq!(store.last_transitions(10).unwrap(), [transition("halted")]);
}

#[test]
fn nothing_is_kept_at_first() {
    let store = Store::open_in_memory().unwrap();
    assert_eq!(store.account_guard(), Kept::Nothing);
    assert_eq!(store.account_guard().or_default(), Some(AccountGuard::default()));
    assert!(store.last_transitions(10).unwrap().is_empty() && store.flatten_order().unwrap().is_none());
}

#[test]
fn what_was_changed_by_another_hand_is_no_state() {
    for sql in [
        "UPDATE guards SET state = replace(state, 'halted', 'active')",
        "UPDATE guards SET state = ''",
        "UPDATE guards SET state = substr(state, 1, 20)",
        "UPDATE guards SET at = at + 1",
        "UPDATE guards SET digest = zeroblob(32)",
        "UPDATE guards SET scope = 'strategy/other' WHERE scope = 'strategy/grid';
         UPDATE guards SET state = (SELECT state FROM guards WHERE scope = 'strategy/other') WHERE scope = 'account'",
    ] {
        let (_folder, store) = tampered(sql);
        let kept = store.account_guard();
        assert!(kept.unreadable().is_some_and(|why| why.contains("digest")), "{sql}: {kept:?}");
        assert_eq!(kept.or_default(), None, "{sql}");
    }
    let (_folder, store) = tampered("UPDATE guards SET scope = 'strategy/trend' WHERE scope = 'strategy/grid'");
    assert!(store.strategy_guard("trend").unreadable().is_some(), "one strategy's is no other's");
}

#[test]
fn what_a_newer_program_wrote_is_no_state() {
    let (_folder, store) = tampered("UPDATE guards SET form = 2");
    assert!(store.account_guard().unreadable().unwrap().starts_with("a newer program wrote it"));
    let (_folder, store) = tampered("DROP TABLE guards");
    assert!(store.account_guard().unreadable().is_some(), "nor is what is gone");
    assert!(store.guarded_strategies().is_err());
}

#[test]
fn an_unreadable_state_is_written_over_by_whoever_decides_to() {
    let (_folder, mut store) = tampered("UPDATE guards SET state = ''");
    store.durable_batch(|batch| batch.keep_account_guard(NOW, &AccountGuard::default())).unwrap();
    assert_eq!(store.account_guard(), Kept::State(AccountGuard::default()));
}

#[test]
fn a_guard_and_its_transition_are_kept_together_or_not_at_all() {
    let mut store = Store::open_in_memory().unwrap();
    let nameless = Transition { scope: Scope::Strategy(" ".to_owned()), ..transition("halted") };
    let refused = store.durable_batch(|batch| {
        batch.keep_account_guard(NOW, &halted())?;
        assert_eq!(batch.account_guard(), Kept::State(halted()));
        batch.insert_transition(&nameless)
    });
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    assert_eq!(store.account_guard(), Kept::Nothing);
    assert!(store.durable_batch(|batch| batch.keep_strategy_guard(NOW, "", &paused())).is_err());
}

#[test]
fn transitions_are_only_added_to() {
    for sql in [
        "UPDATE transitions SET cause = 'another'",
        "DELETE FROM transitions",
        "INSERT OR REPLACE INTO transitions VALUES (1, 1, 'account', 'person', 'resumed', '')",
    ] {
        let (folder, store) = tampered("");
        let said = Connection::open(folder.path().join("workspace.db")).unwrap().execute_batch(sql).unwrap_err();
        assert!(said.to_string().contains("append-only"), "{sql}: {said}");
        assert_eq!(store.last_transitions(10).unwrap(), [transition("halted")]);
    }
}

#[test]
fn the_latest_transitions_come_first() {
    let mut store = Store::open_in_memory().unwrap();
    let all = ["halted", "resumed", "halted"];
    store.durable_batch(|batch| all.iter().try_for_each(|what| batch.insert_transition(&transition(what)))).unwrap();
    assert_eq!(store.last_transitions(2).unwrap(), [transition("halted"), transition("resumed")]);
}

#[test]
fn the_first_order_to_flatten_waits_until_it_was_carried_out() {
    let order = |cause: &str| Flatten { at: NOW, who: "person".to_owned(), cause: cause.to_owned() };
    let mut store = Store::open_in_memory().unwrap();
    store
        .durable_batch(|batch| batch.order_flatten(&order("one")).and_then(|()| batch.order_flatten(&order("two"))))
        .unwrap();
    assert_eq!(store.flatten_order().unwrap(), Some(order("one")));
    let carried_out = store.durable_batch(|batch| {
        batch.clear_flatten()?;
        batch.order_flatten(&order("three"))
    });
    assert_eq!((carried_out.unwrap(), store.flatten_order().unwrap()), ((), Some(order("three"))));
}
