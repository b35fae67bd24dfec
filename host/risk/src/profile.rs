use serde::{Deserialize, Serialize};
use tiltyard_model::Violation;

use crate::check::{Proposal, Situation};
use crate::rules;

/// A named set of limits.
///
/// The always-on rules belong to every profile; what a profile adds is optional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskProfile {
    /// Its name, for reports and run manifests.
    pub name: String,
    /// A strategy that has lost this fraction of its highest equity is halted: from 0.0001 to 1. A halted strategy's
    /// orders are cancelled and its positions closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_drawdown: Option<f64>,
}

impl RiskProfile {
    /// Only the always-on rules, so that strategies are compared on their own sizing.
    #[must_use]
    pub fn research() -> Self {
        Self { name: "research".to_owned(), max_drawdown: None }
    }

    /// What is wrong with it, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let in_bounds = |limit: f64| (0.0001..=1.0).contains(&limit);
        self.max_drawdown
            .filter(|limit| !in_bounds(*limit))
            .map(|limit| format!("max_drawdown is {limit}; it must be from 0.0001 to 1"))
            .into_iter()
            .collect()
    }

    /// Whether the strategy may have another open order in an instrument in which it has this many. Asked before anything
    /// else is looked at, so that a flood of orders costs nothing.
    ///
    /// # Errors
    /// The rule `open-orders`.
    pub fn room_for_another(&self, open: usize) -> Result<(), Violation> {
        rules::open_orders(open).map_or(Ok(()), Err)
    }

    /// Whether another change of an order, or another one in its place, may be sent while this many have not reached the venue.
    ///
    /// # Errors
    /// The rule `changes-under-way`.
    pub fn room_for_change(&self, under_way: usize) -> Result<(), Violation> {
        rules::changes_under_way(under_way).map_or(Ok(()), Err)
    }

    /// Every rule that this order would break; an order that breaks none may go to the venue.
    #[must_use]
    pub fn check(&self, proposal: &Proposal<'_>, situation: &Situation<'_>) -> Vec<Violation> {
        rules::ALWAYS_ON.iter().filter_map(|rule| rule(proposal, situation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::RiskProfile;

    #[test]
    fn limits_out_of_bounds_are_named() {
        for (limit, problems) in [(0.0, 1), (-0.1, 1), (1.01, 1), (f64::NAN, 1), (1e-30, 1), (0.1, 0), (1.0, 0)] {
            let profile = RiskProfile { max_drawdown: Some(limit), ..RiskProfile::research() };
            assert_eq!(profile.problems().len(), problems, "{limit}");
        }
        assert!(RiskProfile::research().problems().is_empty());
    }
}
