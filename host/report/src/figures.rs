//! The table of metrics: each figure with what it is taken from, or why there is none.

use tiltyard_engine::{Metrics, Period};

use crate::format::{NONE, amount, count, exact, percent, ratio};
use crate::text;

/// A row of the table.
pub(crate) struct FigureRow {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// How it is computed, or why it is not.
    pub(crate) basis: String,
    pub(crate) undefined: bool,
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum Unit {
    Percent,
    Ratio,
    Amount,
    Hours,
    Periods,
    Count,
    Milliseconds,
}

impl Unit {
    fn format(self, value: f64) -> String {
        let value = Some(value);
        match self {
            Self::Percent => percent(value),
            Self::Ratio => ratio(value),
            Self::Amount => amount(value),
            Self::Hours => ratio(value) + " h",
            Self::Periods | Self::Count => exact(value),
            Self::Milliseconds => ratio(value) + " ms",
        }
    }
}

/// What the returns are: `641 daily returns (UTC), 365 periods a year`.
pub(crate) fn convention(metrics: &Metrics) -> String {
    let returns = &metrics.returns;
    let kind = match returns.period {
        Period::Daily => "daily returns (UTC)",
        Period::PerBar => "returns per bar",
        Period::PerSample => "returns from sample to sample",
    };
    let year = match returns.period {
        Period::PerSample => "not stated for a year".to_owned(),
        Period::Daily | Period::PerBar => format!("{} periods a year", exact(Some(returns.periods_per_year))),
    };
    format!("{} {kind}, {year}", count(returns.count as u64))
}

/// All figures, in the order that people ask for them.
pub(crate) fn rows(metrics: &Metrics) -> Vec<FigureRow> {
    let year = exact(Some(metrics.returns.periods_per_year));
    let period = match metrics.returns.period {
        Period::Daily => "daily (UTC)",
        Period::PerBar => "per-bar",
        Period::PerSample => "per-sample",
    };
    let returns = format!("{} {period} returns", count(metrics.returns.count as u64));
    let m = metrics;
    let row = |field: &str, name: &'static str, value: Option<f64>, unit: Unit, basis: &str| {
        let finite = value.filter(|value| value.is_finite());
        let why = || match m.undefined.get(field) {
            Some(why) => format!("undefined: {}", text::name(why)),
            None if value.is_some() => "undefined: not a finite number".to_owned(),
            None => "undefined".to_owned(),
        };
        FigureRow {
            name,
            value: finite.map_or_else(|| NONE.to_owned(), |value| unit.format(value)),
            basis: finite.map_or_else(why, |_| basis.to_owned()),
            undefined: finite.is_none(),
        }
    };
    use Unit::{Amount, Count, Hours, Milliseconds, Percent, Periods, Ratio};
    vec![
        row("initial_equity", "Initial equity", Some(m.initial_equity), Amount, "settlement currency"),
        row("final_equity", "Final equity", Some(m.final_equity), Amount, "cash plus holdings at the last marks"),
        row("total_return", "Total return", m.total_return, Percent, "final ÷ initial equity − 1"),
        row(
            "annual_return",
            "Annual return",
            m.annual_return,
            Percent,
            &format!("(1 + total)^({year} ÷ {}) − 1", count(m.returns.count as u64)),
        ),
        row("volatility", "Volatility", m.volatility, Percent, &format!("deviation (ddof 1) of {returns} × √{year}")),
        row(
            "sharpe",
            "Sharpe",
            m.sharpe,
            Ratio,
            &format!("mean ÷ deviation (ddof 1) of {returns} × √{year}; risk-free rate 0"),
        ),
        row("sortino", "Sortino", m.sortino, Ratio, &format!("mean ÷ √(Σ min(r, 0)² ÷ n) of {returns} × √{year}")),
        row("calmar", "Calmar", m.calmar, Ratio, "annual return ÷ |max drawdown|"),
        row("max_drawdown", "Max drawdown", m.max_drawdown, Percent, &format!("of {returns}, compounded")),
        row(
            "max_drawdown_marked",
            "Max drawdown, marked",
            m.max_drawdown_marked,
            Percent,
            "of the equity at every instant",
        ),
        row(
            "max_drawdown_length",
            "Longest drawdown",
            m.max_drawdown_length,
            Periods,
            &format!("periods below an earlier peak, of {returns}"),
        ),
        row("trades", "Trades", Some(m.trades as f64), Count, "round trips"),
        row("hit_rate", "Hit rate", m.hit_rate, Percent, "round trips with a profit ÷ those with a profit or a loss"),
        row("profit_factor", "Profit factor", m.profit_factor, Ratio, "profits ÷ losses of the round trips, net"),
        row("expectancy", "Expectancy", m.expectancy, Amount, "mean net profit of a round trip"),
        row("average_win", "Average win", m.average_win, Amount, "mean net profit of those that won"),
        row("average_loss", "Average loss", m.average_loss, Amount, "mean net loss of those that lost"),
        row("trades_per_week", "Trades a week", m.trades_per_week, Ratio, "round trips ÷ weeks of the run"),
        row("average_holding_hours", "Average hold", m.average_holding_hours, Hours, "mean time from entry to exit"),
        row("exposure", "Exposure", m.exposure, Percent, "instants after which something was held ÷ all"),
        row("turnover", "Turnover", m.turnover, Ratio, "everything bought and sold ÷ mean equity"),
        row("fees", "Fees", Some(m.fees), Amount, "paid"),
        row("funding", "Funding", Some(m.funding), Amount, "received less paid"),
        row("interest", "Interest", Some(m.interest), Amount, "paid on what was borrowed"),
        row("violations", "Violations", Some(m.violations as f64), Count, "requests that broke a rule of risk"),
        row("reject_rate", "Reject rate", m.reject_rate, Percent, "refused requests and rejected orders ÷ all"),
        row(
            "fuel_per_bar",
            "Fuel per bar",
            m.fuel_per_bar,
            Ratio,
            "what the strategy costs to run, the same on every machine",
        ),
        row(
            "decision_latency_ms",
            "Decision latency",
            m.decision_latency_ms,
            Milliseconds,
            "from an event to the answer",
        ),
    ]
}
