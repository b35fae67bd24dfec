use crate::format::{NONE, count, exact, percent, probability, ratio};
use crate::text::{name, pairs};
use crate::tournament::{LeaderFigures, LeaderRow};

/// Rules that are named in a row.
const RULES: usize = 6;

/// A row of the leaderboard.
pub(crate) struct Candidate {
    pub(crate) rank: Figure,
    pub(crate) strategy: String,
    pub(crate) parameters: String,
    pub(crate) figures: [Figure; 13],
    pub(crate) verdict: String,
    pub(crate) fault: Option<String>,
}

/// A number of the leaderboard: how it is read, and what it is sorted by.
pub(crate) struct Figure {
    pub(crate) text: String,
    /// Empty if there is none, which is sorted to the end.
    pub(crate) key: String,
}

impl Candidate {
    pub(crate) fn of(row: &LeaderRow) -> Self {
        let figures = &row.figures;
        Self {
            rank: Figure::new(row.rank.map(|rank| rank as f64), exact),
            strategy: name(&row.strategy),
            parameters: pairs(&row.parameters),
            figures: [
                Figure::new(figures.score, ratio),
                Figure::new(figures.total_return, percent),
                Figure::sharpe(figures),
                Figure::new(figures.deflated_sharpe, probability),
                Figure::new(figures.sortino, ratio),
                Figure::new(figures.calmar, ratio),
                Figure::new(figures.max_drawdown, percent),
                Figure::new(figures.hit_rate, percent),
                Figure::new(figures.average_holding_hours, |hours| ratio(hours) + " h"),
                Figure::new(figures.trades_per_week, ratio),
                Figure::violations(figures),
                Figure::new(figures.reject_rate, percent),
                Figure::new(figures.fuel_per_bar, ratio),
            ],
            verdict: name(&row.verdict),
            fault: row.fault.as_deref().map(name),
        }
    }
}

impl Figure {
    fn new(value: Option<f64>, format: impl FnOnce(Option<f64>) -> String) -> Self {
        match value.filter(|value| value.is_finite()) {
            Some(value) => Self { text: format(Some(value)), key: value.to_string() },
            None => Self { text: NONE.to_owned(), key: String::new() },
        }
    }

    /// Requests that broke a rule, and which rules those were.
    fn violations(figures: &LeaderFigures) -> Self {
        let broken = figures.broken.iter().take(RULES).map(|(rule, times)| format!("{} {}", name(rule), count(*times)));
        let broken = broken.collect::<Vec<_>>().join(", ");
        let more = if figures.broken.len() > RULES { ", …" } else { "" };
        Self::new(Some(figures.violations as f64), |_| match broken.as_str() {
            "" => count(figures.violations),
            broken => format!("{} ({broken}{more})", count(figures.violations)),
        })
    }

    /// The Sharpe ratio with its interval.
    fn sharpe(figures: &LeaderFigures) -> Self {
        Self::new(figures.sharpe, |sharpe| match figures.sharpe_interval {
            Some((low, high)) => format!("{} ({} to {})", ratio(sharpe), ratio(Some(low)), ratio(Some(high))),
            None => ratio(sharpe),
        })
    }
}
