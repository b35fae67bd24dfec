//! Test a strategy with `cargo test`, natively and in the very kernel that will run its component: the same venue, the same
//! risk rules, the same ledger. What is left out is the sandbox, so that a debugger and `println!` work.
//!
//! ```
//! use tiltyard_sdk::prelude::*;
//! use tiltyard_sdk_testing::{Market, Trial};
//! # params! { pub struct Params {} }
//! # pub struct Always;
//! # impl Signal for Always {
//! #     type Params = Params;
//! #     const MANIFEST: Manifest = Manifest { name: "always", version: "0.1.0", description: "Long.", hypothesis: "Up.",
//! #         falsified_by: "Down.", ..Manifest::DEFAULT };
//! #     fn new(_: &Start<Params>) -> Result<Self, InitError> { Ok(Self) }
//! #     fn target(&mut self, _: &Bar) -> f64 { 1.0 }
//! # }
//!
//! let played = Trial::new(Market::closes(&[100.0, 101.0, 102.0])).signal::<Always>().unwrap();
//! assert_eq!(played.targets, [1.0, 1.0, 1.0]);
//! assert_eq!(played.fills.len(), 1, "bought at the open of the second bar");
//! assert!(played.equity > 1_000_000.0);
//! ```

#![forbid(unsafe_code)]

mod convert;
mod desk;
mod market;
mod native;
mod played;
mod tape;
mod trial;

pub use market::Market;
pub use played::{Played, Trade};
pub use tape::Tape;
pub use trial::{Trial, TrialError};
