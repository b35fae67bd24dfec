//! What stands between a strategy's request and a venue: the rules that every order passes, and the states in which
//! trading is allowed, reduced to exits, or stopped.
//!
//! Pure: no clock, no I/O. What cannot be decided is refused.

#![forbid(unsafe_code)]

mod bracket;
mod check;
mod correlation;
mod exposure;
mod extreme;
mod fraction;
mod guard;
mod kelly;
mod lifecycle;
mod limits;
mod profile;
mod read;
mod rules;
mod sizing;
mod state;

pub use bracket::right_side;
pub use check::{Account, Proposal, Recent, Situation, Standing, paid, part_exit_from_entry, worth_at_worst};
pub use correlation::Correlations;
pub use exposure::{Exposure, Open, Stake};
pub use extreme::{ExtremeMarket, MarketState};
pub use fraction::Fraction;
pub use guard::{
    AccountGuard, CircuitBreaker, DailyLoss, DailyStop, DrawdownLadder, MaxDrawdown, Measure, OpenBreaker, OrderError,
    Rung, StrategyGuard, Trouble, Venture,
};
pub use kelly::Trips;
pub use lifecycle::{ApprovalError, Lifecycle, LiveStage, LiveStep, MonthError, StepCause, StepUp, Waiting};
pub use limits::{Limits, Verdict};
pub use profile::{Override, RiskProfile};
pub use rules::{
    Concentration, InvalidStop, LeverageGross, LeverageSymbol, MissingStop, NotionalGross, NotionalSymbol, OnBreach,
    PriceCollar, RateLimit, RecentOrders, StaleData,
};
pub use sizing::{Size, SizeBound, Sizing, Target};
pub use state::{AccountState, Permission, StrategyState};
