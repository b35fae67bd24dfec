//! The same component, parameters, seed and bars give the same answers and the same fuel, bit by bit, wherever and
//! whenever they run.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::thread;

use tiltyard_model::Value;
use tiltyard_sandbox::{CacheOutcome, CompileLimits, Component, Limits, Mode, PoolLimits};
use tiltyard_tests::{CURIOUS, Ground, Played, Tape, bars, signature, start};

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");

fn example(name: &str) -> &'static [u8] {
    tiltyard_examples::example(name).expect("an example of that name").component
}

/// A component and its parameters.
type Guest = (&'static [u8], Vec<(&'static str, Value)>);

fn guests() -> [Guest; 4] {
    [
        (example("buy-and-hold"), vec![]),
        (example("ma-cross"), vec![("fast", Value::Integer(5)), ("short", Value::Flag(true))]),
        (include_bytes!("../guests/c/breakout.wasm"), vec![]),
        (CURIOUS, vec![]),
    ]
}

fn play(component: &Component<Tape>, parameters: &[(&str, Value)]) -> Played {
    let played = Played::run(component, &start(parameters), &bars(1_000), &Limits::default()).unwrap();
    assert_eq!(played.fault, None);
    played
}

#[test]
fn on_one_thread_and_on_many() {
    let ground = Ground::new(WORKER);
    for (bytes, parameters) in guests() {
        let component = ground.load(bytes).unwrap();
        let alone = signature(&play(&component, &parameters));
        let together: Vec<_> = thread::scope(|scope| {
            let runs: Vec<_> = (0..16).map(|_| scope.spawn(|| signature(&play(&component, &parameters)))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert!(together.iter().all(|run| *run == alone), "{alone:?} alone, {together:?} together");
    }
}

#[test]
fn after_a_restart_with_a_warm_cache() {
    let cache = tempfile::tempdir().unwrap();
    let mut before: Option<Vec<_>> = None;
    for expected in [CacheOutcome::Compiled, CacheOutcome::Hit] {
        let cache = cache.path().join("cache");
        let sandbox = Ground::sandbox_at(WORKER, PoolLimits::default(), CompileLimits::default(), &cache);
        let now: Vec<_> = guests()
            .into_iter()
            .map(|(bytes, parameters)| {
                let component = sandbox.load(bytes, Mode::Event).unwrap();
                assert_eq!(component.cache_outcome(), &expected);
                signature(&play(&component, &parameters))
            })
            .collect();
        assert!(before.as_ref().is_none_or(|before| *before == now));
        before = Some(now);
    }
}

#[test]
fn through_columns_of_any_length() {
    let ground = Ground::new(WORKER);
    let bars = bars(1_000);
    let event = play(&ground.load(example("ma-cross")).unwrap(), &[]).targets;
    let component = ground.sandbox.load(example("ma-cross"), Mode::Screen).unwrap();
    for chunk in [1, 7, 256, 1_000, 4_096] {
        let mut tape = Tape::new(1, 0.0);
        let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
        let mut targets = Vec::new();
        for from in (0..bars.len()).step_by(chunk) {
            targets.extend(instance.on_columns(&mut tape, &bars.slice(from..from + chunk)).unwrap());
        }
        let bits = |targets: &[f64]| targets.iter().map(|target| target.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&targets), bits(&event), "chunks of {chunk}");
    }
}

#[test]
fn warm_up_is_as_good_as_having_been_there() {
    let ground = Ground::new(WORKER);
    let component = ground.load(example("ma-cross")).unwrap();
    let all = bars(400);
    let (before, after) = (all.slice(0..300), all.slice(300..400));
    let mut tape = Tape::new(1, 0.0);
    let instrument = tiltyard_model::InstrumentIndex(0);
    let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    instance.warm_up(&mut tape, instrument, &before).unwrap();
    let warmed: Vec<_> =
        after.iter().map(|bar| instance.on_bar(&mut tape, instrument, &bar).unwrap().unwrap().to_bits()).collect();
    let there = Played::run(&component, &start(&[]), &all, &Limits::default()).unwrap().targets;
    assert_eq!(warmed, there[300..].iter().map(|target| target.to_bits()).collect::<Vec<_>>());
}

#[test]
fn a_guest_cannot_tell_where_or_when_it_runs() {
    let ground = Ground::new(WORKER);
    let played = play(&ground.load(CURIOUS).unwrap(), &[]);
    let seen = |key: &str| {
        let line = played.tape.lines().iter().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.split_once(" = ").unwrap().1.to_owned()
    };
    assert_eq!(seen("environment"), "[]");
    assert_eq!(seen("arguments"), "[]");
    assert_eq!(seen("typed"), "Ok(0) \"\"");
    // The close of the first bar: the market's time, not ours. Time does not pass within a call.
    assert_eq!(seen("clock"), "Ok(1700003600000000000)");
    assert_eq!(seen("elapsed"), "0ns");
    assert_eq!(seen("seed"), "7");
    assert_eq!(seen("nobody"), "None Err(MarketError::UnknownInstrument(9))");
    // Another seed is another order of its hash maps; the same seed never is.
    let component = ground.load(CURIOUS).unwrap();
    let order = |seed| {
        let start = tiltyard_model::Start { seed, ..start(&[]) };
        let played = Played::run(&component, &start, &bars(1), &Limits::default()).unwrap();
        played.tape.lines().iter().find(|line| line.starts_with("hash order")).unwrap().clone()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn what_a_guest_prints_becomes_harmless_lines() {
    let ground = Ground::new(WORKER);
    let component = ground.load(CURIOUS).unwrap();
    let start = start(&[("act", Value::Text("print".to_owned()))]);
    let played = Played::run(&component, &start, &bars(1), &Limits::default()).unwrap();
    assert_eq!(played.fault, None);
    assert_eq!(played.tape.lines(), ["Info: half a line, then \\u{1b}[31mred\\u{1b}[0m", "Warn: trouble"]);
}
