use tiltyard_model::{OrderKind, OrderOrigin, Qty};

use super::fill_rules::{Entry, FillRules, Ohlc, Outcome, Stage, Trade, UNLIMITED};
use super::levels::{at_limit, at_stop, trailing};
use super::{Costs, Working};
use crate::market::Listed;

/// Fills as vectorbt 1.2.0 makes them of what its `from_signals` is told, found by running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vectorbt {
    /// What taking costs.
    pub costs: Costs,
}

/// Why an order is refused that signals cannot be.
const NO_SIGNAL: &str = "not-a-signal";

impl FillRules for Vectorbt {
    fn name(&self) -> &'static str {
        "vectorbt"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "As vectorbt 1.2.0 with from_signals. Market orders trade at the close at which they were decided, unless a stop-loss or \
         take-profit has traded in the bar: then they are refused. A stop-loss trades at the open if the bar opens beyond it, else \
         at its trigger; a take-profit at the open if that is better, else at its price; when a bar touches both, the stop-loss. \
         Both are live from the bar after the entry. A trailing stop follows a bar's best price after the bar was tested. Limit and \
         stop orders are no signals and are refused. Every quantity fills."
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
            // One that latency has kept from the close at which it was decided.
            OrderKind::Market => Outcome::trade(Trade::take(Stage::Close, bar.close)),
            OrderKind::StopMarket(trigger) if protects(order) => at_stop(side, trigger, bar),
            OrderKind::TakeProfit(price) if protects(order) => at_limit(side, price, bar),
            OrderKind::TrailingStop { gap, activation } if protects(order) => {
                trailing(side, order.best(), activation, bar, |best| gap.behind(best, side))
            }
            _ => Outcome::rejected(NO_SIGNAL),
        }
    }

    fn in_entry_bar(&self, child: &Working, entry: &Entry, _: &Ohlc, _: &Listed) -> Outcome {
        match child.ticket.kind {
            OrderKind::TrailingStop { activation: None, .. } => Outcome::follows(entry.price),
            _ => Outcome::default(),
        }
    }

    fn trades_at_close(&self) -> bool {
        true
    }

    fn at_close(&self, order: &Working, listed: &Listed, traded: bool) -> Outcome {
        match (order.ticket.kind, listed.last()) {
            _ if protects(order) => Outcome::default(),
            (OrderKind::Market, _) if traded => Outcome::rejected("one-order-a-bar"),
            (OrderKind::Market, Some(close)) => Outcome::trade(Trade::take(Stage::Close, close)),
            _ => Outcome::rejected(NO_SIGNAL),
        }
    }
}

/// Whether an order came with an entry.
fn protects(order: &Working) -> bool {
    matches!(order.ticket.origin, OrderOrigin::StopLoss | OrderOrigin::TakeProfit)
}
