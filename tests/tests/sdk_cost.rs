//! What the SDK costs: the same strategy with it and written by hand, in fuel, which is the same on every machine.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::print_stdout, reason = "it tells the time that it does not assert")]

use std::time::{Duration, Instant};

use tiltyard_sandbox::{Limits, Mode};
use tiltyard_tests::{BY_HAND, Ground, Tape, bars, start};

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");
const BARS: usize = 4_096;

/// The targets, and the fuel of a bar: called for each of them, and for all at once.
fn played(ground: &Ground, bytes: &[u8]) -> [(Vec<f64>, f64); 2] {
    let bars = bars(BARS);
    [Mode::Event, Mode::Screen].map(|mode| {
        let component = ground.sandbox.load(bytes, mode).unwrap();
        let mut tape = Tape::new(1, 0.0);
        let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
        let begun = instance.fuel_used();
        let targets = match mode {
            Mode::Event => bars
                .iter()
                .map(|bar| instance.on_bar(&mut tape, tiltyard_model::InstrumentIndex(0), &bar).unwrap().unwrap())
                .collect(),
            Mode::Screen => instance.on_columns(&mut tape, &bars).unwrap(),
        };
        (targets, (instance.fuel_used() - begun) as f64 / BARS as f64)
    })
}

#[test]
fn a_strategy_made_with_the_sdk_costs_at_most_a_tenth_more_than_by_hand() {
    let ground = Ground::new(WORKER);
    let with_sdk = played(&ground, tiltyard_examples::example("ma-cross").unwrap().component);
    let by_hand = played(&ground, BY_HAND);
    for ((targets, fuel), (expected, least)) in with_sdk.iter().zip(&by_hand) {
        let bits = |targets: &[f64]| targets.iter().map(|target| target.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(targets), bits(expected));
        assert!(expected.contains(&1.0) && expected.contains(&0.0), "it has something to do");
        assert!(*fuel <= least * 1.1, "{fuel} a bar with the SDK, {least} by hand");
    }
}

/// What it takes in time, too: run with `--ignored --nocapture`. The two take turns, and the fastest of many turns counts.
#[test]
#[ignore = "it measures, and asserts nothing"]
fn the_time_of_a_chunk_of_columns() {
    let ground = Ground::new(WORKER);
    let bars = bars(BARS);
    let guests = [tiltyard_examples::example("ma-cross").unwrap().component, BY_HAND];
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..300 {
        for (guest, fastest) in guests.iter().zip(&mut fastest) {
            let component = ground.sandbox.load(guest, Mode::Screen).unwrap();
            let mut tape = Tape::new(1, 0.0);
            let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
            instance.on_columns(&mut tape, &bars).unwrap();
            let begun = Instant::now();
            instance.on_columns(&mut tape, &bars).unwrap();
            *fastest = begun.elapsed().min(*fastest);
        }
    }
    let [sdk, by_hand] = fastest.map(|time| time.as_nanos() as f64 / BARS as f64);
    println!("{sdk:.1} ns a bar with the SDK, {by_hand:.1} by hand: {:.3} times", sdk / by_hand);
}
