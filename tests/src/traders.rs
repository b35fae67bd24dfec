//! Guests that attack the desk: what they do is in `guests/curious/src/asking.rs`.

use tiltyard_model::Value;
use tiltyard_sandbox::{Fault, FaultKind, Scope};

use crate::CURIOUS;
use crate::guest::Wat;

/// A guest that attacks what stands behind the desk, and how its run must end.
#[derive(Clone, Copy)]
pub struct Trader {
    /// What it does.
    pub name: &'static str,
    /// The file it comes as.
    pub file: fn() -> Vec<u8>,
    /// Its parameters.
    pub parameters: fn(&'static str) -> Vec<(&'static str, Value)>,
    /// Whether its run ended as it must; all there is to a run that ends well is that it does.
    pub ends: fn(Option<&Fault>) -> bool,
}

impl std::fmt::Debug for Trader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! asks {
    ($name:literal) => {
        asks!(@ $name, |fault| fault.is_none())
    };
    ($name:literal, $ends:pat) => {
        asks!(@ $name, |fault| matches!(fault, $ends))
    };
    (@ $name:literal, $ends:expr) => {
        Trader {
            name: $name,
            file: || CURIOUS.to_vec(),
            parameters: |name| vec![("act", Value::Text(name.to_owned()))],
            ends: $ends,
        }
    };
}

/// A signal that answers each bar with this, alternately.
macro_rules! answers {
    ($name:literal, $even:literal, $odd:literal) => {
        Trader {
            name: $name,
            file: || {
                let items = "(global $odd (mut i32) (i32.const 0))";
                let on_bar = concat!(
                    "(global.set $odd (i32.eqz (global.get $odd)))",
                    "(if (result f64) (global.get $odd) (then (f64.const ",
                    $odd,
                    ")) (else (f64.const ",
                    $even,
                    ")))"
                );
                Wat { world: "signal", items, on_bar, ..Wat::default() }.component()
            },
            parameters: |_| Vec::new(),
            ends: |fault| fault.is_none(),
        }
    };
}

macro_rules! stopped {
    ($kind:pat, $during:literal) => {
        Some(Fault { kind: $kind, during: $during, .. })
    };
}

/// Too much was asked for in one call.
macro_rules! flood {
    () => {
        stopped!(FaultKind::Requests { scope: Scope::Call, limit: 1_000 }, "on-bar")
    };
}

/// Computed too long, or had the host do so.
macro_rules! out_of_fuel {
    () => {
        stopped!(FaultKind::OutOfFuel { scope: Scope::Call, .. }, "on-bar")
    };
}

/// All of them.
pub const TRADERS: &[Trader] = &[
    // More than may be asked for, or said.
    asks!("submits without end", flood!()),
    asks!("cancels without end", flood!()),
    asks!("replaces without end", flood!()),
    asks!("targets without end", flood!()),
    asks!("closes without end", flood!()),
    asks!("sets timers without end", flood!()),
    asks!("takes back timers without end", out_of_fuel!()),
    asks!("asks for history without end", out_of_fuel!()),
    asks!("asks for open orders without end", out_of_fuel!()),
    asks!("asks what many lots are worth without end", out_of_fuel!()),
    asks!("talks too much", stopped!(FaultKind::Log { limit: 100_000, unit: "lines" }, "on-bar")),
    asks!("measures too much", stopped!(FaultKind::Log { limit: 100_000, unit: "lines" }, "on-bar")),
    asks!("annotates too much", stopped!(FaultKind::Log { limit: 100_000, unit: "lines" }, "on-bar")),
    // All that may be asked for.
    asks!("asks for as many orders as it may"),
    asks!("places, changes and takes back"),
    asks!("turns round as often as it may"),
    asks!("orders on every fill"),
    asks!("orders on every update"),
    asks!(
        "sets a timer on every timer",
        stopped!(FaultKind::Requests { scope: Scope::Run, limit: 1_000_000 }, "on-timer")
    ),
    asks!("sets timers at all times"),
    asks!("asks for all of history"),
    // What is no order.
    asks!("orders in numbers that are none"),
    asks!("changes orders to numbers that are none"),
    asks!("targets numbers that are none"),
    asks!("targets NaN, then infinity"),
    asks!("orders until times that are none"),
    asks!("labels orders with escapes"),
    asks!("takes back what is not its own"),
    asks!("trades instruments that are none"),
    // What is no answer.
    answers!("answers infinity, then NaN", "inf", "nan"),
    answers!("answers 1e300, then the least number", "1e300", "0x1p-1074"),
    answers!("answers minus infinity, then all", "-inf", "1"),
    answers!("answers NaN with a payload, then none", "nan:0x8000000000001", "-0"),
];
