//! The example strategies as compiled components, built with this crate and embedded in it.

#![forbid(unsafe_code)]

/// An example strategy.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Its name, the same as in its manifest.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
}

macro_rules! example {
    ($name:literal) => {
        Example { name: $name, component: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm")) }
    };
}

/// All examples, in alphabetical order.
pub const EXAMPLES: &[Example] = &[example!("buy-and-hold"), example!("ma-cross")];

/// The example with this name.
#[must_use]
pub fn example(name: &str) -> Option<Example> {
    EXAMPLES.iter().copied().find(|example| example.name == name)
}
