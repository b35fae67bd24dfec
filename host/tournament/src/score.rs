use std::collections::BTreeMap;

use tiltyard_engine::Metrics;

/// What rows are ranked by: a sum of figures with weights. A row that lacks one of them is not ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct Score(BTreeMap<&'static str, f64>);

/// Profit factors count up to this.
const MOST_PROFIT_FACTOR: f64 = 5.0;

/// A figure by its name in [`Metrics`].
type Figure = (&'static str, fn(&Metrics) -> Option<f64>);

const FIGURES: [Figure; 9] = [
    ("annual_return", |metrics| metrics.annual_return),
    ("calmar", |metrics| metrics.calmar),
    ("expectancy", |metrics| metrics.expectancy),
    ("hit_rate", |metrics| metrics.hit_rate),
    ("max_drawdown", |metrics| metrics.max_drawdown),
    ("profit_factor", |metrics| metrics.profit_factor.map(|factor| factor.min(MOST_PROFIT_FACTOR))),
    ("sharpe", |metrics| metrics.sharpe),
    ("sortino", |metrics| metrics.sortino),
    ("total_return", |metrics| metrics.total_return),
];

impl Default for Score {
    /// 0.4 · Sharpe + 0.3 · Calmar + 0.2 · profit factor (capped at 5) + 0.1 · hit rate.
    fn default() -> Self {
        Self(BTreeMap::from([("sharpe", 0.4), ("calmar", 0.3), ("profit_factor", 0.2), ("hit_rate", 0.1)]))
    }
}

impl Score {
    /// Without any weights.
    #[must_use]
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there are no weights.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The figures that may be weighed.
    #[must_use]
    pub fn figures() -> Vec<&'static str> {
        FIGURES.iter().map(|(name, _)| *name).collect()
    }

    /// Gives a figure a weight; false if there is no such figure.
    pub fn weigh(&mut self, figure: &str, weight: f64) -> bool {
        let known = FIGURES.iter().find(|(name, _)| *name == figure);
        known.is_some_and(|(name, _)| {
            self.0.insert(name, weight);
            true
        })
    }

    /// The score.
    ///
    /// # Errors
    /// The first figure that is not defined, or `score` if their sum is too large for a number.
    pub fn of(&self, metrics: &Metrics) -> Result<f64, &'static str> {
        let sum = FIGURES.iter().try_fold(0.0, |sum, (name, figure)| match self.0.get(name) {
            Some(weight) => figure(metrics).map(|value| sum + weight * value).ok_or(*name),
            None => Ok(sum),
        })?;
        if sum.is_finite() { Ok(sum) } else { Err("score") }
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (name, weight)) in self.0.iter().enumerate() {
            let plus = if at > 0 { " + " } else { "" };
            write!(f, "{plus}{weight} · {name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Score;
    use serde_json::json;
    use tiltyard_engine::Metrics;

    #[test]
    fn a_score_too_large_for_a_number_is_none() {
        let metrics = |calmar: f64| -> Metrics {
            let document = json!({
                "initial_equity": 1.0, "final_equity": 1.0, "trades": 0, "fees": 0.0, "funding": 0.0, "violations": 0,
                "returns": {"period": "daily", "count": 2, "periods_per_year": 365.0}, "undefined": {}, "calmar": calmar,
            });
            serde_json::from_value(document).unwrap()
        };
        let mut score = Score::none();
        assert!(score.weigh("calmar", 1e6) && !score.weigh("calmer", 1.0));
        assert_eq!((score.of(&metrics(2.0)), score.of(&metrics(1e305))), (Ok(2e6), Err("score")));
        assert!(score.weigh("sharpe", 1.0));
        assert_eq!(score.of(&metrics(2.0)), Err("sharpe"));
    }
}
