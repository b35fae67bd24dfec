//! Tournaments end to end: what comes of one is the same however it was run, whoever takes part, and whatever ended it on
//! the way.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a killed child tells how far it was; figures are told")]

mod faults;
mod field;
mod figures;
mod foresight;
mod noise;
mod real;
mod refused;
mod resumed;
