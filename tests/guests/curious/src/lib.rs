//! A guest that tries to find out where and when it runs, and what it can do to its host, with all that Rust's standard
//! library offers.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is one of the things it tries")]
#![allow(clippy::infinite_iter, reason = "never to end is another")]

mod asking;

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Read as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tiltyard_sdk::prelude::*;

params! {
    /// What to try.
    pub struct Params {
        /// One of the acts below, or of those in `asking`.
        act: String = "look", other;
        /// The bar on which to do it.
        bar: u32 = 0 in 0..=1_000_000 step 1, other;
    }
}

/// The guest.
#[derive(Debug)]
pub struct Curious {
    act: String,
    wait: u32,
    seed: u64,
}

impl Strategy for Curious {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "curious",
        version: "0.1.0",
        description: "Looks around.",
        hypothesis: "There is something to be seen.",
        falsified_by: "There is not.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        Ok(Self { act: start.params.act.clone(), wait: start.params.bar, seed: start.seed })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, _: InstrumentIndex, bar: &Bar) {
        if self.wait > 0 {
            self.wait -= 1;
            return;
        }
        match self.act.as_str() {
            "look" => look(desk, self.seed, bar),
            "print" => {
                print!("half a ");
                println!("line, then \x1b[31mred\x1b[0m");
                eprintln!("trouble");
            }
            "rant" => println!("{}", "Größe! ".repeat(1_000)),
            "panic" => fall(bar.close),
            "exit" => std::process::exit(3),
            "sleep" => std::thread::sleep(Duration::from_secs(3_600)),
            "hoard" => hoard(),
            other => assert!(asking::on_bar(other, desk, bar), "no act `{other}`"),
        }
    }

    fn on_fill(&mut self, desk: &mut impl Desk, fill: &Fill) {
        asking::on_fill(&self.act, desk, fill);
    }

    fn on_order(&mut self, desk: &mut impl Desk, update: &OrderUpdate) {
        asking::on_order(&self.act, desk, update);
    }

    fn on_timer(&mut self, desk: &mut impl Desk, _: TimerId, at: Timestamp) {
        asking::on_timer(&self.act, desk, at);
    }
}

/// Everything a guest might tell one place or time from another by.
fn look(desk: &mut impl Desk, seed: u64, bar: &Bar) {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map(|age| age.as_nanos());
    let set: HashMap<u32, ()> = (0..16).map(|key| (key, ())).collect();
    let order: Vec<_> = set.keys().collect();
    let mut typed = String::new();
    let read = std::io::stdin().read_to_string(&mut typed);
    let started = Instant::now();
    let elapsed = started.elapsed();
    let here = &raw const *desk as *const () as usize;
    for (key, seen) in [
        ("environment", format!("{:?}", std::env::vars().collect::<Vec<_>>())),
        ("arguments", format!("{:?}", std::env::args().collect::<Vec<_>>())),
        ("folder", format!("{:?}", std::env::current_dir().is_ok())),
        ("clock", format!("{since_epoch:?}")),
        ("elapsed", format!("{elapsed:?}")),
        ("hash order", format!("{order:?}")),
        ("typed", format!("{read:?} {typed:?}")),
        ("seed", format!("{seed}")),
        ("address", format!("{here}")),
        ("threads", format!("{:?}", std::thread::available_parallelism().is_ok())),
        ("account", format!("{} {}", desk.equity(), desk.cash())),
        ("orders", format!("{:?}", desk.open_orders())),
        ("history", format!("{:?}", desk.history(0, 2).map(|bars| bars.close))),
        ("nobody", format!("{:?} {:?}", desk.position(9), desk.history(9, 1).map(|bars| bars.close.len()))),
        ("bar", format!("{bar:?}")),
    ] {
        desk.annotate(key, &seen);
    }
}

#[inline(never)]
fn fall(price: f64) {
    panic!("the sky is falling at {price}");
}

fn hoard() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(Vec::<u8>::with_capacity(1 << 20));
        black_box(&hoard);
    }
}

register!(strategy: Curious);
