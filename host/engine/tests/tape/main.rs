//! Orders on a tape: who takes what was there, and who waits for whom.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
mod properties;
mod queues;
mod taking;
