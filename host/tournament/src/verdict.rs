use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

/// What is to become of a row. Nothing is promoted by a tournament: the best it can say is that a row is worth validating.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The strategy stopped, or did not start.
    Faulted {
        /// Why, the first time.
        why: String,
        /// In how many of its runs.
        runs: usize,
    },
    /// A figure of the score is not defined.
    Unranked {
        /// Which.
        figure: String,
        /// Why not.
        why: String,
    },
    /// Too few round trips to judge.
    FewTrades {
        /// Round trips.
        trades: u64,
        /// Round trips needed.
        least: u64,
    },
    /// The Sharpe ratio is not told from the luck of having tried often.
    Luck {
        /// Probability that it is more than luck.
        deflated_sharpe: f64,
        /// What is needed.
        least: f64,
    },
    /// More than luck, as far as this tournament can tell.
    WorthValidating {
        /// Probability that it is more than luck.
        deflated_sharpe: f64,
    },
}

impl Verdict {
    /// Round trips below which nothing is said about a strategy.
    pub const LEAST_TRADES: u64 = 100;
    /// The least deflated Sharpe ratio that is taken for more than luck.
    pub const LEAST_DEFLATED: f64 = 0.95;
}

impl Verdict {
    /// It in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Faulted { .. } => "faulted",
            Self::Unranked { .. } => "unranked",
            Self::FewTrades { .. } => "few-trades",
            Self::Luck { .. } => "luck",
            Self::WorthValidating { .. } => "worth-validating",
        }
    }
}

impl Serialize for Verdict {
    /// As `verdict`, the word, and `reason`, the sentence.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Verdict", 2)?;
        fields.serialize_field("verdict", self.word())?;
        fields.serialize_field("reason", &self.to_string())?;
        fields.end()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faulted { why, runs: 1 } => write!(f, "faulted: {why}"),
            Self::Faulted { why, runs } => write!(f, "faulted in {runs} runs: {why}"),
            Self::Unranked { figure, why } => write!(f, "unranked: {figure} is not defined, {why}"),
            Self::FewTrades { trades, least } => write!(f, "too few trades: {trades} of {least}"),
            Self::Luck { deflated_sharpe, least } => {
                write!(f, "not told from luck: deflated Sharpe {deflated_sharpe:.2} of {least}")
            }
            Self::WorthValidating { deflated_sharpe } => {
                write!(f, "worth validating: deflated Sharpe {deflated_sharpe:.2}")
            }
        }
    }
}
