use std::fmt;

use serde::{Deserialize, Serialize};

/// Where hooks are told or asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before an order goes to the venue. May refuse it.
    PreTrade,
    /// After every fill and every rejection.
    PostTrade,
    /// When a circuit breaker opens or closes.
    CircuitBreaker,
    /// Before the first live order of a newly promoted variant. May refuse it; nobody to ask refuses as well.
    Approve,
    /// Before a promotion. May refuse it.
    VerifyGate,
    /// After the kill switch was thrown.
    Kill,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 6] =
        [Self::PreTrade, Self::PostTrade, Self::CircuitBreaker, Self::Approve, Self::VerifyGate, Self::Kill];

    /// Its name, as in configuration and documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PreTrade => "pre-trade",
            Self::PostTrade => "post-trade",
            Self::CircuitBreaker => "circuit-breaker",
            Self::Approve => "approve",
            Self::VerifyGate => "verify-gate",
            Self::Kill => "kill",
        }
    }

    /// The stage with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Whether a hook may refuse, and one that fails does.
    #[must_use]
    pub fn may_refuse(self) -> bool {
        matches!(self, Self::PreTrade | Self::Approve | Self::VerifyGate)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Stage;

    #[test]
    fn stages_are_read_by_the_names_they_are_written_with() {
        for stage in Stage::ALL {
            assert_eq!(Stage::named(stage.name()), Some(stage));
            assert_eq!(serde_json::to_string(&stage).unwrap(), format!("\"{stage}\""));
        }
        assert_eq!(Stage::named("PreTrade"), None);
    }
}
