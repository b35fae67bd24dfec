//! The contract's vocabulary and its signal world, as generated for Rust. Strategies use `tiltyard-sdk`, which shows
//! nothing of this.
//!
//! A crate of its own because two worlds that export the same interface cannot be generated in one crate: the macros
//! that export it would have the same name.
#![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated code")]
// The canonical ABI passes pointers into linear memory. The generator writes that code, and it upholds the ABI.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "signal-strategy",
    pub_export_macro: true,
    export_macro_name: "export_signal",
    default_bindings_module: "tiltyard_sdk::glue::signal",
    runtime_path: "wit_bindgen::rt",
    generate_unused_types: true,
});

mod order;

use tiltyard::strategy::types::{Columns, Timestamp};

/// What traded in one interval: prices in quote currency, volume in base currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// When the interval began, in nanoseconds since 1970 UTC.
    pub open_time: Timestamp,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base currency traded.
    pub volume: f64,
}

impl Columns {
    /// The bars one by one, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bar> + '_ {
        // Side by side, so that lengths are compared once and not at every bar.
        let Self { open_time, open, high, low, close, volume } = self;
        let prices = open.iter().zip(high).zip(low).zip(close);
        open_time.iter().zip(prices).zip(volume).map(|((open_time, (((open, high), low), close)), volume)| Bar {
            open_time: *open_time,
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: *volume,
        })
    }
}
