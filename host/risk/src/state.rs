use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the whole account stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Every order that passes the rules.
    #[default]
    Active,
    /// Exits only.
    Reducing,
    /// No strategy order at all; the host itself may cancel and reduce.
    Halted,
}

/// Where one strategy stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyState {
    /// Every order that passes the rules.
    #[default]
    Active,
    /// No new risk.
    Paused,
    /// No order at all.
    Halted,
}

/// What the two states together allow a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Every order that passes the rules.
    All,
    /// Orders that take from a position.
    Reduce,
    /// Nothing.
    Nothing,
}

impl Permission {
    /// The stricter of the two holds.
    #[must_use]
    pub fn of(account: AccountState, strategy: StrategyState) -> Self {
        let account = match account {
            AccountState::Active => Self::All,
            AccountState::Reducing => Self::Reduce,
            AccountState::Halted => Self::Nothing,
        };
        let strategy = match strategy {
            StrategyState::Active => Self::All,
            StrategyState::Paused => Self::Reduce,
            StrategyState::Halted => Self::Nothing,
        };
        account.max(strategy)
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Reducing => "reducing",
            Self::Halted => "halted",
        })
    }
}

impl fmt::Display for StrategyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Halted => "halted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountState, Permission, StrategyState};

    #[test]
    fn the_stricter_state_holds() {
        use AccountState as A;
        use StrategyState as S;
        for (account, strategy, allowed) in [
            (A::Active, S::Active, Permission::All),
            (A::Active, S::Paused, Permission::Reduce),
            (A::Active, S::Halted, Permission::Nothing),
            (A::Reducing, S::Active, Permission::Reduce),
            (A::Reducing, S::Halted, Permission::Nothing),
            (A::Halted, S::Active, Permission::Nothing),
        ] {
            assert_eq!(Permission::of(account, strategy), allowed, "{account}, {strategy}");
        }
    }
}
