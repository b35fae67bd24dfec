use tiltyard_model::{OrderKind, Qty};

use super::fill_rules::{Entry, FillRules, Ohlc, Outcome, Stage, Trade, UNLIMITED, reaches_stop};
use super::levels::{at_limit, at_stop, trailing};
use super::{Costs, Working};
use crate::market::Listed;

/// Fills as backtesting.py 0.6.6 makes them, found by running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BacktestingPy {
    /// What taking costs.
    pub costs: Costs,
}

impl FillRules for BacktestingPy {
    fn name(&self) -> &'static str {
        "backtesting-py"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "As backtesting.py 0.6.6. Market orders trade at the next open. A limit order that is touched trades at its limit, or at \
         the open if that is better; a stop likewise at the worse of the two. The stop-loss and take-profit of a market order are \
         live in the bar of the entry, those of a limit order from the next bar on, and of a stop order only the take-profit, if \
         the bar stays clear of the stop-loss. When a bar touches both, the stop-loss trades, even if the bar opens beyond the \
         take-profit. A stop-limit waits at its limit from the bar after its trigger. Every quantity fills. Trailing stops, which \
         backtesting.py has not, stand in each bar where the bars before have put them."
    }

    fn costs(&self) -> &Costs {
        &self.costs
    }

    fn capacity(&self, _: f64, _: &Listed) -> Qty {
        UNLIMITED
    }

    fn outcome(&self, order: &Working, bar: &Ohlc, _: &Listed) -> Outcome {
        let side = order.ticket.side;
        match order.ticket.kind {
            OrderKind::Market => Outcome::trade(Trade::take(Stage::Open, bar.open)),
            OrderKind::Limit(limit) | OrderKind::TakeProfit(limit) => at_limit(side, limit, bar),
            OrderKind::StopMarket(trigger) => at_stop(side, trigger, bar),
            OrderKind::StopLimit { limit, .. } if order.is_triggered() => at_limit(side, limit, bar),
            OrderKind::StopLimit { trigger, .. } => {
                Outcome { triggered: reaches_stop(side, bar.against(side), trigger), ..Outcome::default() }
            }
            OrderKind::TrailingStop { gap, activation } => {
                let best = order.best().or_else(|| activation.is_none().then_some(bar.open));
                trailing(side, best, activation, bar, |best| gap.behind(best, side))
            }
        }
    }

    fn in_entry_bar(&self, child: &Working, entry: &Entry, bar: &Ohlc, listed: &Listed) -> Outcome {
        let side = child.ticket.side;
        let trails = matches!(child.ticket.kind, OrderKind::TrailingStop { .. });
        match entry.kind {
            OrderKind::Market => self.outcome(child, bar, listed),
            OrderKind::StopMarket(_)
                if matches!(child.ticket.kind, OrderKind::TakeProfit(_))
                    && entry.stop.is_none_or(|stop| !reaches_stop(side, bar.against(side), stop)) =>
            {
                self.outcome(child, bar, listed)
            }
            _ if trails => Outcome::follows(entry.price),
            _ => Outcome::default(),
        }
    }
}
