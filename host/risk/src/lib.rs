//! What stands between a strategy's request and a venue: the rules that every order passes, and the states in which
//! trading is allowed, reduced to exits, or stopped.
//!
//! Pure: no clock, no I/O. What cannot be decided is refused.

#![forbid(unsafe_code)]

mod check;
mod extreme;
mod kelly;
mod lifecycle;
mod profile;
mod rules;
mod sizing;
mod state;

pub use check::{Proposal, Situation, Standing, paid};
pub use extreme::{ExtremeMarket, MarketState};
pub use kelly::Trips;
pub use lifecycle::{ApprovalError, Lifecycle, LiveStage, LiveStep, MonthError, StepCause, StepUp, Waiting};
pub use profile::RiskProfile;
pub use sizing::{Size, SizeBound, Sizing, Target};
pub use state::{AccountState, Permission, StrategyState};
