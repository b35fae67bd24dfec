//! What stands between a strategy's request and a venue: the rules that every order passes, and the states in which
//! trading is allowed, reduced to exits, or stopped.
//!
//! Pure: no clock, no I/O. What cannot be decided is refused.

#![forbid(unsafe_code)]

mod check;
mod correlation;
mod exposure;
mod fraction;
mod guard;
mod limits;
mod profile;
mod rules;
mod state;

pub use check::{Account, Proposal, Recent, Situation, Standing, paid};
pub use correlation::Correlations;
pub use exposure::{Exposure, Open, Stake};
pub use fraction::Fraction;
pub use guard::{
    AccountGuard, CircuitBreaker, DailyLoss, DailyStop, DrawdownLadder, MaxDrawdown, Measure, OpenBreaker, OrderError,
    Rung, StrategyGuard, Trouble, Venture,
};
pub use limits::{Limits, Verdict};
pub use profile::{Override, RiskProfile};
pub use rules::{
    Concentration, InvalidStop, LeverageGross, LeverageSymbol, MissingStop, NotionalGross, NotionalSymbol, OnBreach,
    PriceCollar, RateLimit, RecentOrders, StaleData,
};
pub use state::{AccountState, Permission, StrategyState};
