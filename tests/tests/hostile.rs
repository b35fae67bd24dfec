//! The hostile corpus: every guest ends as it must, the process survives, memory is given back, and an honest strategy
//! is not disturbed by a bit.
#![allow(clippy::unwrap_used, reason = "a test may")]

use tiltyard_model::Start;
use tiltyard_sandbox::{FaultKind, Limits, LoadError, PoolLimits, StartError};
use tiltyard_tests::{Case, Ground, Outcome, Played, Wat, bars, corpus, honest, signature, start};

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");

fn example(name: &str) -> &'static [u8] {
    tiltyard_examples::example(name).expect("an example of that name").component
}

fn visit(ground: &Ground, case: &Case) -> Outcome {
    let component = match ground.load(&(case.file)()) {
        Ok(component) => component,
        Err(error) => return Outcome::NotLoaded(error),
    };
    let start: Start = start(&(case.parameters)());
    match Played::run(&component, &start, &bars(tiltyard_tests::BARS), &Limits::default()) {
        Err(error) => Outcome::NotStarted(error),
        Ok(Played { fault: Some(fault), .. }) => Outcome::Stopped(fault),
        Ok(Played { tape, .. }) => Outcome::Finished(tape),
    }
}

#[test]
fn every_guest_ends_as_it_must_and_disturbs_nobody() {
    let ground = Ground::new(WORKER);
    let (neighbour, undisturbed) = honest(&ground, example("ma-cross"));
    let mut wrong = Vec::new();
    for case in corpus() {
        let outcome = visit(&ground, case);
        if !(case.ends)(&outcome) {
            wrong.push(format!("{}: {outcome:?}", case.name));
        }
        let played = Played::run(&neighbour, &start(&[]), &bars(300), &Limits::default()).unwrap();
        assert_eq!(signature(&played), undisturbed, "after `{}`", case.name);
    }
    assert!(wrong.is_empty(), "{} of {} ended otherwise:\n{}", wrong.len(), corpus().count(), wrong.join("\n"));
}

#[test]
fn a_guest_ends_the_same_way_every_time() {
    let ground = Ground::new(WORKER);
    for name in ["infinite loop", "hoards", "panics on bar 5", "log flood", "deep recursion"] {
        let case = corpus().find(|case| case.name == name).unwrap();
        assert_eq!(format!("{:?}", visit(&ground, case)), format!("{:?}", visit(&ground, case)), "{name}");
    }
}

#[test]
fn a_fault_tells_where_in_the_guest_it_happened() {
    let ground = Ground::new(WORKER);
    let case = corpus().find(|case| case.name == "panics on bar 5").unwrap();
    let Outcome::Stopped(fault) = visit(&ground, case) else { panic!("not stopped") };
    assert_eq!(fault.frames, ["curious::fall", "tiltyard:strategy/bar-events@0.1.0#on-bar"]);
    let FaultKind::Panic { message } = &fault.kind else { panic!("{fault}") };
    assert!(message.contains("curious/src/lib.rs:") && !message.contains("/home/"), "{message}");
}

#[test]
fn a_stopped_instance_answers_nothing_more() {
    let ground = Ground::new(WORKER);
    let component = ground.load(&Wat { on_bar: "(unreachable)", ..Wat::default() }.component()).unwrap();
    let mut tape = tiltyard_tests::Tape::new(1, 0.0);
    let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    let bar = bars(1).get(0).unwrap();
    let index = tiltyard_model::InstrumentIndex(0);
    let first = instance.on_bar(&mut tape, index, &bar).unwrap_err();
    let fuel = instance.fuel_used();
    assert_eq!(instance.on_bar(&mut tape, index, &bar).unwrap_err(), first);
    assert_eq!(instance.save(&mut tape).unwrap_err(), first);
    assert_eq!(instance.fuel_used(), fuel);
    assert_eq!(instance.fault(), Some(&first));
}

/// What people are told, word for word: each error names the thing, the limit and the remedy.
#[test]
fn every_refusal_and_fault_says_what_and_why() {
    let ground = Ground::new(WORKER);
    let told = |case: &Case| match visit(&ground, case) {
        Outcome::NotLoaded(error) => format!("not loaded: {error}"),
        Outcome::NotStarted(error) => format!("not started: {error}"),
        Outcome::Stopped(fault) => format!("stopped: {fault}"),
        Outcome::Finished(_) => "finished".to_owned(),
    };
    let all: Vec<_> = corpus().map(|case| format!("{}\n    {}", case.name, told(case))).collect();
    insta::assert_snapshot!("messages", all.join("\n"));
}

#[test]
fn what_one_guest_leaves_in_memory_the_next_does_not_see() {
    // One place: every guest gets the memory of the one before it.
    let ground = Ground::with_pool(WORKER, PoolLimits { instances: 1, ..PoolLimits::default() });
    let smear =
        "(drop (memory.grow (i32.const 100))) (memory.fill (i32.const 65536) (i32.const 170) (i32.const 6000000))";
    // Traps if any byte it did not write itself is not zero.
    let search = "(local $at i32) (drop (memory.grow (i32.const 100))) (local.set $at (i32.const 70000))
        (loop (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
            (local.set $at (i32.add (local.get $at) (i32.const 64)))
            (br_if 0 (i32.lt_u (local.get $at) (i32.const 6000000))))";
    for secret in [smear, smear, search] {
        let component = ground.load(&Wat { on_bar: secret, ..Wat::default() }.component()).unwrap();
        let played = Played::run(&component, &start(&[]), &bars(1), &Limits::default()).unwrap();
        assert_eq!(played.fault, None);
    }
}

#[test]
fn a_full_pool_is_an_error_of_its_own() {
    let ground = Ground::with_pool(WORKER, PoolLimits { instances: 1, ..PoolLimits::default() });
    let component = ground.load(example("buy-and-hold")).unwrap();
    let mut tape = tiltyard_tests::Tape::new(1, 0.0);
    let first = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    let second = component.start(&mut tape, &start(&[]), &Limits::default());
    assert!(matches!(second, Err(tiltyard_sandbox::StartError::PoolFull { .. })), "{second:?}");
    drop(first);
    component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
}

/// A retry is free for a guest whose host failed: a guest must not be able to claim it.
#[test]
fn a_guest_that_breaks_the_contract_in_its_start_function_is_to_blame() {
    let ground = Ground::new(WORKER);
    let imports = r#"(import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))"#;
    let items = "(func $start (call $drop (i32.const 7))) (start $start)";
    let error = ground.load(&Wat { imports, items, ..Wat::default() }.component()).unwrap_err();
    let LoadError::Describe(StartError::Fault(fault)) = error else { panic!("{error}") };
    assert!(matches!(fault.kind, FaultKind::Contract { .. }), "{fault}");
}
