//! The example strategies as compiled components, built with this crate and embedded in it.

#![forbid(unsafe_code)]

/// An example strategy.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Its name, the same as in its manifest.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
    /// How many instruments show what it does: more than one for a strategy that compares them.
    pub instruments: usize,
}

macro_rules! example {
    ($name:literal, $instruments:literal) => {
        Example {
            name: $name,
            component: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")),
            instruments: $instruments,
        }
    };
}

/// All examples that trade bars, in alphabetical order.
pub const EXAMPLES: &[Example] = &[
    example!("buy-and-hold", 1),
    example!("donchian", 1),
    example!("ma-cross", 1),
    example!("momentum", 4),
    example!("rsi-reversion", 1),
    example!("rules", 1),
    example!("tp-trail", 1),
];

/// The examples that trade quotes and trades, of which bars have none.
pub const ON_TAPES: &[Example] = &[example!("market-maker", 1)];

/// The example with this name.
#[must_use]
pub fn example(name: &str) -> Option<Example> {
    EXAMPLES.iter().chain(ON_TAPES).copied().find(|example| example.name == name)
}
