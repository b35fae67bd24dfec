//! What a kernel is made of, and why one cannot be made.

use tiltyard_model::{Decimal, Instrument, MONEY_SCALE, Money, Nanos, Specification, SpecificationError};
use tiltyard_risk::{AccountGuard, RiskProfile, Venture};

use crate::event::Log;
use crate::margin::MarginTerms;
use crate::market::Market;
use crate::oversight::Overseer;
use crate::terms::Terms;

/// What a kernel is made of, apart from its strategies.
#[derive(Debug)]
pub struct Setup<V> {
    /// What is traded, and the lengths of its bars.
    pub instruments: Vec<(Instrument, Nanos)>,
    /// Where orders go.
    pub venue: V,
    /// The limits that every order passes.
    pub risk: RiskProfile,
    /// What money is at stake.
    pub venture: Venture,
    /// On what margin perpetuals, and spot that is traded on margin, are held.
    pub margin: MarginTerms,
    /// Where the account stood before a restart; if absent it begins as an active one.
    pub guard: Option<AccountGuard>,
    /// Who is asked before an order that opens or adds, and told of what happened; in a simulation nobody.
    pub overseer: Option<Box<dyn Overseer>>,
    /// Whether every event is kept, or only the digest of them.
    pub log: Log,
    /// When the run begins: what strategies take for the time while they start.
    pub begin: Nanos,
}

/// A strategy with what the kernel has to know about it.
#[derive(Debug)]
pub struct Player<S> {
    /// The strategy.
    pub strategy: S,
    /// On what terms it trades.
    pub terms: Terms,
}

/// Why a kernel cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetupError {
    /// An instrument whose rules make no sense.
    #[error(transparent)]
    Specification(#[from] SpecificationError),
    /// Not an amount to begin with.
    #[error("cash is {0}; it must be from 0 to 1000000000000, with at most 8 decimals")]
    Cash(Decimal),
    /// Limits that make no sense.
    #[error("the risk profile is not valid: {}", .0.join("; "))]
    Risk(Vec<String>),
    /// A leverage that the venue does not allow.
    #[error("{symbol}: a leverage of {leverage} is not allowed; it takes 1 to {most}")]
    Leverage {
        /// The instrument.
        symbol: String,
        /// What was chosen.
        leverage: Decimal,
        /// The most that the venue allows.
        most: Decimal,
    },
    /// A bar that has no length.
    #[error("{symbol}: bars of {interval} are none; give a length of more than 0")]
    Interval {
        /// The instrument.
        symbol: String,
        /// What was given.
        interval: Nanos,
    },
}

/// Why a strategy has no seat.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SeatError<E> {
    /// What the kernel was given makes no sense.
    #[error(transparent)]
    Setup(SetupError),
    /// The strategy does not start.
    #[error(transparent)]
    Start(E),
}

impl<V> Setup<V> {
    /// The instruments with nothing seen yet.
    ///
    /// # Errors
    /// When an instrument, the leverage or a limit makes no sense.
    pub(crate) fn market(&self) -> Result<Market, SetupError> {
        let market = Market::new(&self.instruments, self.margin.leverage)?;
        for (instrument, interval) in &self.instruments {
            if interval.0 <= 0 {
                return Err(SetupError::Interval { symbol: instrument.symbol.clone(), interval: *interval });
            }
            let most = Specification::new(instrument)?.max_leverage;
            let leverage = self.margin.leverage.filter(|_| instrument.kind.is_margined());
            if let Some(leverage) = leverage.filter(|leverage| !(Decimal::ONE..=most).contains(leverage)) {
                return Err(SetupError::Leverage { symbol: instrument.symbol.clone(), leverage, most });
            }
        }
        let problems = self.risk.problems_in(self.venture);
        if problems.is_empty() { Ok(market) } else { Err(SetupError::Risk(problems)) }
    }
}

/// Whether a strategy may begin with this much.
pub(crate) fn check_cash(cash: Money) -> Result<(), SetupError> {
    let most = Decimal::from(1_000_000_000_000_u64);
    let exact = cash.0.normalize().scale() <= MONEY_SCALE;
    if exact && (Decimal::ZERO..=most).contains(&cash.0) { Ok(()) } else { Err(SetupError::Cash(cash.0)) }
}
