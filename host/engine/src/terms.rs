use tiltyard_model::{HostStop, Money};
use tiltyard_risk::{Fraction, StrategyGuard};

/// On what terms a strategy trades.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Its name, by which a risk profile may give it limits of its own.
    pub name: String,
    /// Its cash, in settlement currency: from 0 to 10¹².
    pub cash: Money,
    /// The stop-loss that its manifest asks the host to keep.
    pub host_stop: Option<HostStop>,
    /// What part of its equity its stage of life lets it put at stake; all of it is 1.
    pub share: Fraction,
    /// Where it stood before a restart; if absent it begins as an active strategy.
    pub guard: Option<StrategyGuard>,
}

impl Terms {
    /// A strategy that begins, with so much cash.
    #[must_use]
    pub fn new(name: &str, cash: Money, host_stop: Option<HostStop>) -> Self {
        Self { name: name.to_owned(), cash, host_stop, share: Fraction::ONE, guard: None }
    }
}
