//! Performance statistics of return series, and whether they are more than luck.
//!
//! Pure functions on slices: no I/O, no clock, no randomness, and sums in the order of the series, so that the same
//! returns give the same figures. Every figure is a [`Figure`]: a finite number, or the reason why there is none
//! ([`Undefined`]); never NaN, never infinite, never 0 for want of something better.
//!
//! Conventions are those of quantstats 0.0.86 and empyrical-reloaded 0.7.1, which `tests/reference` holds against this
//! crate: simple returns, risk-free rate 0, sample deviation (ddof 1), compounding from 1.
//!
//! ```
//! use tiltyard_stats::{Undefined, max_drawdown, sharpe};
//!
//! let daily = [0.01, -0.02, 0.015, 0.005];
//! assert!(sharpe(&daily, 365.0)? > 0.0);
//! assert!((max_drawdown(&daily)? + 0.02).abs() < 1e-12);
//! assert_eq!(sharpe(&[0.01, 0.01], 365.0), Err(Undefined::NoVariation));
//! # Ok::<(), Undefined>(())
//! ```

#![forbid(unsafe_code)]

mod normal;
mod performance;
mod selection;
mod undefined;

pub use performance::{
    annual_return, calmar, hit_rate, max_drawdown, max_drawdown_length, mean, profit_factor, sharpe, sortino,
    standard_deviation, total_return, volatility,
};
pub use selection::{SharpeEvidence, chance_variance, expected_maximum, luck, robust_variance, trial_variance};
pub use undefined::{Figure, Undefined};
