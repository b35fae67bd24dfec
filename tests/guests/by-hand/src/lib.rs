//! The moving-average cross of the examples, written against the bindings without the SDK: what the SDK costs is measured
//! against it. Anywhere else than in a sandbox there is nothing of it.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::collections::VecDeque;

use tiltyard_sdk_bindings as bindings;
use tiltyard_sdk_bindings::exports::tiltyard::strategy::{lifecycle, signals};
use tiltyard_sdk_bindings::tiltyard::strategy::types::{Columns, InstrumentIndex, Timestamp};

thread_local! {
    static STATE: RefCell<Option<Cross>> = const { RefCell::new(None) };
}

struct Cross {
    tick: f64,
    fast: Sum,
    slow: Sum,
}

struct Sum {
    window: usize,
    ticks: VecDeque<f64>,
    sum: f64,
}

impl Sum {
    fn over(window: usize) -> Self {
        Self { window, ticks: VecDeque::with_capacity(window + 1), sum: 0.0 }
    }

    fn push(&mut self, ticks: f64) {
        self.sum += ticks;
        self.ticks.push_back(ticks);
        if self.ticks.len() > self.window {
            self.sum -= self.ticks.pop_front().unwrap_or_default();
        }
    }

    fn average(&self) -> Option<f64> {
        (self.ticks.len() == self.window).then(|| self.sum / self.window as f64)
    }
}

impl Cross {
    fn target(&mut self, close: f64) -> f64 {
        let ticks = (close / self.tick).round();
        self.fast.push(ticks);
        self.slow.push(ticks);
        match (self.fast.average(), self.slow.average()) {
            (Some(fast), Some(slow)) if fast > slow => 1.0,
            (Some(_), Some(_)) => 0.0,
            _ => f64::NAN,
        }
    }
}

/// Calls the strategy, once it has begun.
fn with<R>(call: impl FnOnce(&mut Cross) -> R) -> R {
    STATE.with(|state| call(state.borrow_mut().as_mut().expect("the host calls `init` first")))
}

struct ByHand;

const MANIFEST: &str = include_str!("manifest.json");

#[allow(unsafe_code, reason = "the section is read by nothing but the host")]
#[used]
#[unsafe(link_section = "tiltyard:manifest")]
static SECTION: [u8; MANIFEST.len()] = *include_bytes!("manifest.json");

impl lifecycle::Guest for ByHand {
    fn describe() -> String {
        MANIFEST.to_owned()
    }

    fn init(context: lifecycle::Context) -> Result<(), lifecycle::InitError> {
        let integer = |name: &str, default: i64| {
            let given = context.parameters.iter().find(|(known, _)| known == name);
            match given {
                Some((_, lifecycle::Value::Integer(number))) => *number as usize,
                _ => default as usize,
            }
        };
        let (fast, slow) = (Sum::over(integer("fast", 10)), Sum::over(integer("slow", 50)));
        let tick = context.instruments.first().map_or(1.0, |instrument| instrument.tick);
        STATE.with(|state| *state.borrow_mut() = Some(Cross { tick, fast, slow }));
        Ok(())
    }

    fn warm_up(_: InstrumentIndex, bars: Columns) {
        with(|cross| {
            for close in bars.close {
                cross.target(close);
            }
        });
    }
}

impl signals::Guest for ByHand {
    fn on_bar(_: Timestamp, _: f64, _: f64, _: f64, close: f64, _: f64) -> f64 {
        with(|cross| cross.target(close))
    }

    fn on_columns(bars: Columns) -> Vec<f64> {
        with(|cross| bars.close.iter().map(|close| cross.target(*close)).collect())
    }
}

bindings::export_signal!(ByHand with_types_in bindings);
