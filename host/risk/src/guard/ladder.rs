use serde::{Deserialize, Serialize};
use tiltyard_model::Money;

use crate::rules::{Setting, bounds};
use crate::{AccountState, Fraction};

/// The account's drawdown from its peak, and what it leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawdownLadder {
    /// From here on new positions are half as large, until the drawdown is smaller again.
    pub alert: Fraction,
    /// From here on there are no new entries, and stops are moved half way to the mark.
    pub tighten: Fraction,
    /// Here half of every position is closed.
    pub halve: Fraction,
    /// Here everything is cancelled and closed, and the account halted.
    pub kill: Fraction,
}

impl Default for DrawdownLadder {
    fn default() -> Self {
        let [alert, tighten, halve, kill] = [1_000, 1_500, 2_000, 2_500].map(Fraction::bps);
        Self { alert, tighten, halve, kill }
    }
}

/// A rung of the ladder. All but [`Alert`](Self::Alert) last until a person resumes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Above all of them.
    #[default]
    Clear,
    /// New positions are half as large.
    Alert,
    /// Exits only, and tighter stops.
    Tighten,
    /// Half of every position is closed.
    Halve,
    /// Everything is closed.
    Kill,
}

impl Rung {
    /// What of the account's states it demands.
    #[must_use]
    pub fn state(self) -> AccountState {
        match self {
            Self::Clear | Self::Alert => AccountState::Active,
            Self::Tighten | Self::Halve => AccountState::Reducing,
            Self::Kill => AccountState::Halted,
        }
    }
}

impl DrawdownLadder {
    /// The rung that a fall from the peak to this equity reaches.
    #[must_use]
    pub fn rung(&self, peak: Money, equity: Money) -> Rung {
        let lost = peak - equity;
        if lost <= Money::ZERO {
            return Rung::Clear;
        }
        let rungs = [
            (self.kill, Rung::Kill),
            (self.halve, Rung::Halve),
            (self.tighten, Rung::Tighten),
            (self.alert, Rung::Alert),
        ];
        rungs.into_iter().find(|(from, _)| lost >= from.of(peak)).map_or(Rung::Clear, |(_, rung)| rung)
    }
}

impl Setting for DrawdownLadder {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let steps = [("alert", self.alert), ("tighten", self.tighten), ("halve", self.halve), ("kill", self.kill)];
        let wrong = steps.iter().filter_map(|(field, at)| bounds(field, *at, 0.0001, 1.0));
        let order = steps
            .windows(2)
            .filter(|pair| pair[0].1 > pair[1].1)
            .map(|pair| (pair[1].0, format!("is {}, which is less than {}, {}", pair[1].1, pair[0].0, pair[0].1)));
        wrong.chain(order).collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.alert > other.alert || self.tighten > other.tighten || self.halve > other.halve || self.kill > other.kill
    }
}

/// What was lost since the peak, as a fraction of it: 0 at the peak.
pub(super) fn drawdown(peak: Money, equity: Money) -> f64 {
    if peak <= Money::ZERO { 0.0 } else { (peak - equity).to_f64().max(0.0) / peak.to_f64() }
}
