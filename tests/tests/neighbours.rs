//! A hundred hostile guests beside an honest one: its results and its fuel are what they are without them.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::print_stderr, reason = "it measures what it does not assert")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use tiltyard_engine::{Log, Simulation};
use tiltyard_model::{Digest, InstrumentKind, Value};
use tiltyard_sandbox::{Component, PoolLimits};
use tiltyard_tests::{Ground, KernelDesk, TRADERS, corpus, digest_of, made_up, play_in_kernel};

const HOSTILE: usize = 100;
/// Runs of the honest guest, alone and beside the others.
const RUNS: usize = 3;
const CASH: u64 = 1_000_000;

/// A guest, compiled if it can be, and otherwise the file that has to be refused again and again.
enum Hostile {
    Loaded(Box<Component<KernelDesk>>, Vec<(&'static str, Value)>),
    Refused(Vec<u8>),
}

impl Hostile {
    fn visit(&self, ground: &Ground<KernelDesk>, simulation: &Simulation) {
        match self {
            // However it ends: other tests ask how.
            Self::Loaded(component, parameters) => {
                drop(play_in_kernel(component, simulation, CASH, parameters, Log::digest_only()));
            }
            Self::Refused(file) => drop(ground.load(file)),
        }
    }
}

/// A hundred guests of different kinds: all that attack the desk, then from the corpus.
fn hostile(ground: &Ground<KernelDesk>) -> Vec<(&'static str, Hostile)> {
    let traders = TRADERS.iter().map(|trader| (trader.name, (trader.file)(), (trader.parameters)(trader.name)));
    let corpus = corpus().map(|case| (case.name, (case.file)(), (case.parameters)()));
    let all = traders.chain(corpus).take(HOSTILE);
    all.map(|(name, file, parameters)| match ground.load(&file) {
        Ok(component) => (name, Hostile::Loaded(Box::new(component), parameters)),
        Err(_) => (name, Hostile::Refused(file)),
    })
    .collect()
}

#[test]
fn a_hundred_hostile_guests_do_not_change_an_honest_one_by_a_bit() {
    let ground = Ground::with_pool(env!("CARGO_BIN_EXE_compile-worker"), PoolLimits::default());
    let honest = ground.load(tiltyard_examples::example("ma-cross").unwrap().component).unwrap();
    let market = made_up(InstrumentKind::Spot, 500);
    let play = || -> (Digest, u64) {
        let outcome = play_in_kernel(&honest, &market, CASH, &[], Log::digest_only()).unwrap();
        assert!(outcome.faults[0].is_none(), "{:?}", outcome.faults);
        (digest_of(&outcome, &market), outcome.books.records()[0].fuel)
    };
    let timed = || {
        let begun = Instant::now();
        let signatures: Vec<_> = (0..RUNS).map(|_| play()).collect();
        (signatures, begun.elapsed() / RUNS as u32)
    };
    play();
    let (undisturbed, alone) = timed();

    let guests = hostile(&ground);
    assert_eq!(guests.len(), HOSTILE);
    let (done, visits) = (AtomicBool::new(false), AtomicU64::new(0));
    let all_are_here = Arc::new(Barrier::new(HOSTILE + 1));
    let few = made_up(InstrumentKind::Perpetual, 20);
    let (beside, together) = thread::scope(|scope| {
        for (name, guest) in &guests {
            let (ground, few, done, visits, all_are_here) = (&ground, &few, &done, &visits, Arc::clone(&all_are_here));
            let visiting = move || {
                all_are_here.wait();
                while !done.load(Ordering::Relaxed) {
                    guest.visit(ground, few);
                    visits.fetch_add(1, Ordering::Relaxed);
                }
            };
            thread::Builder::new().name((*name).to_owned()).spawn_scoped(scope, visiting).unwrap();
        }
        all_are_here.wait();
        let measured = timed();
        done.store(true, Ordering::Relaxed);
        measured
    });
    assert!(undisturbed.iter().chain(&beside).all(|signature| *signature == undisturbed[0]), "{beside:?}");
    eprintln!(
        "an honest run: {alone:?} alone, {together:?} beside {HOSTILE} hostile guests that made {} visits",
        visits.into_inner()
    );
}
