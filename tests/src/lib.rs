//! What the end-to-end suites share: guests made on the spot, a sandbox to put them in, and the hostile corpus.

mod corpus;
mod data;
mod files;
mod ground;
mod guest;
mod tape;

pub use corpus::{BARS, CORPUS, Case, Outcome};
pub use data::test_data;
pub use ground::{Ground, bars, honest, signature, start};
pub use guest::{Wat, componentize, contract, core_module, manifest};
pub use tape::{Played, Tape};

/// The Rust guest that tries what its standard library offers; see `tests/guests/curious`.
pub const CURIOUS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/curious.wasm"));
