//! What the end-to-end suites share: guests made on the spot, a sandbox to put them in, and the hostile corpus.

mod corpus;
mod data;
mod files;
mod frames;
mod ground;
mod guest;
mod kernel;
mod tape;
mod traders;

pub use corpus::{BARS, Case, Outcome, corpus};
pub use data::test_data;
pub use frames::frames;
pub use ground::{Ground, bars, honest, signature, start};
pub use guest::{Wat, componentize, contract, core_module, manifest};
pub use kernel::{KernelDesk, digest_of, made_up, play_in_kernel, simulation};
pub use tape::{Played, Tape};
pub use traders::{TRADERS, Trader};

/// The Rust guest that tries what its standard library offers; see `tests/guests/curious`.
pub const CURIOUS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/curious.wasm"));
/// The example `ma-cross` written against the bindings, without the SDK; see `tests/guests/by-hand`.
pub const BY_HAND: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/by-hand.wasm"));

/// A strategy of `tests/parity/strategies`, by its case: `s6` is `s1` on several instruments.
///
/// # Panics
/// If there is none of that name.
#[must_use]
pub fn parity_strategy(case: &str) -> &'static [u8] {
    match case {
        "s1" | "s6" => include_bytes!(concat!(env!("OUT_DIR"), "/parity-s1.wasm")),
        "s2t" => include_bytes!(concat!(env!("OUT_DIR"), "/parity-s2t.wasm")),
        "s3" => include_bytes!(concat!(env!("OUT_DIR"), "/parity-s3.wasm")),
        "s4t" => include_bytes!(concat!(env!("OUT_DIR"), "/parity-s4t.wasm")),
        "s5t" => include_bytes!(concat!(env!("OUT_DIR"), "/parity-s5t.wasm")),
        other => panic!("there is no strategy of the case {other}"),
    }
}
