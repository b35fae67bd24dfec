use std::fmt;

use serde::Serialize;
use tiltyard_model::{Bar, Decimal, OrderKind, Price, Qty, Side, decimal};

use super::{Costs, Working};
use crate::market::Listed;

/// How a simulated venue makes fills out of bars: what a profile consists of.
///
/// The venue keeps orders, time, volume and brackets; a profile answers what a bar does to an order. Profiles are named
/// and versioned, because results hold only for the rules that they were made with.
pub trait FillRules: fmt::Debug + Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its version, raised when a rule changes.
    fn version(&self) -> u32;

    /// What the rules are, in a few sentences.
    fn description(&self) -> &'static str;

    /// What taking costs.
    fn costs(&self) -> &Costs;

    /// How much of a bar's volume can be ours, all orders of the simulation together.
    fn capacity(&self, volume: f64, listed: &Listed) -> Qty;

    /// What a bar does to an order that was active when it opened.
    fn outcome(&self, order: &Working, bar: &Ohlc, listed: &Listed) -> Outcome;

    /// What the rest of a bar does to a stop-loss or take-profit whose entry filled in it.
    fn in_entry_bar(&self, child: &Working, entry: &Entry, bar: &Ohlc, listed: &Listed) -> Outcome;

    /// Whether it is known which extreme a bar reached first. Where it is not, a target may not close what was opened inside the
    /// bar, because it may have come before.
    fn knows_the_way(&self) -> bool {
        false
    }

    /// When a bar comes to the extreme that is against a position which this side closes.
    fn adverse(&self, _exit: Side) -> Stage {
        Stage::First
    }

    /// Whether orders may trade at the close at which they were decided.
    fn trades_at_close(&self) -> bool {
        false
    }

    /// What becomes of a new order at the close at which it was decided. `listed` has seen the bar that closed; `traded` is
    /// whether the strategy traded the instrument in that bar.
    fn at_close(&self, _order: &Working, _listed: &Listed, _traded: bool) -> Outcome {
        Outcome::default()
    }
}

/// When within a bar something happens, as far as bars can tell: a profile says which of its extremes it takes for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// At its first price.
    Open,
    /// Somewhere inside, on the way to the extreme that is taken to come first.
    First,
    /// Somewhere inside, on the way to the other extreme.
    Second,
    /// At its last price.
    Close,
}

/// More than any order is for: 10¹², as [`Specification::LARGEST`](tiltyard_model::Specification::LARGEST).
pub(super) const UNLIMITED: Qty = Qty(Decimal::from_parts(3_567_587_328, 232, 0, false, 0));

/// How an order got its first fill, for what protects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What kind of order it is.
    pub kind: OrderKind,
    /// When in the bar.
    pub stage: Stage,
    /// At what price.
    pub price: Price,
    /// Where its stop-loss stands, if it has one.
    pub stop: Option<Price>,
}

/// What a bar does to an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its trigger was reached.
    pub triggered: bool,
    /// It trades.
    pub trade: Option<Trade>,
    /// The venue refuses it, and why.
    pub rejected: Option<&'static str>,
    /// The best price that a trailing stop follows after the bar.
    pub best: Option<Price>,
}

/// A trade that a bar makes possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// When in the bar.
    pub stage: Stage,
    /// At what price; a taker pays costs on top.
    pub price: Price,
    /// Whether it takes liquidity.
    pub taker: bool,
    /// No worse than this, costs included.
    pub limit: Option<Price>,
    /// How much there is at this price; `None` where it is not limited.
    pub depth: Option<Depth>,
}

/// What stands at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// This much.
    pub size: Qty,
    /// Where everything else trades; `None` where it waits.
    pub beyond: Option<Price>,
}

/// A bar's prices as exact numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ohlc {
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// What was traded, in base currency; 0 if it is no number.
    pub volume: Qty,
}

impl Ohlc {
    /// The exact prices; `None` if one of them is no number.
    #[must_use]
    pub fn exact(bar: &Bar) -> Option<Self> {
        let price = |value: f64| decimal(value).filter(|price| *price > Decimal::ZERO).map(Price);
        let volume = decimal(bar.volume).filter(|volume| *volume > Decimal::ZERO).map_or(Qty::ZERO, Qty);
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(price);
        Some(Self { open: open?, high: high?, low: low?, close: close?, volume })
    }

    /// The extreme that a stop on this side waits for.
    #[must_use]
    pub fn against(&self, side: Side) -> Price {
        match side {
            Side::Buy => self.high,
            Side::Sell => self.low,
        }
    }

    /// The extreme that a limit order on this side waits for.
    #[must_use]
    pub fn favour(&self, side: Side) -> Price {
        self.against(side.opposite())
    }
}

impl Outcome {
    /// It trades.
    pub(super) fn trade(trade: Trade) -> Self {
        Self { trade: Some(trade), ..Self::default() }
    }

    /// A trigger was reached, and it trades.
    pub(super) fn stopped(trade: Trade) -> Self {
        Self { triggered: true, ..Self::trade(trade) }
    }

    /// The venue refuses it.
    pub(super) fn rejected(why: &'static str) -> Self {
        Self { rejected: Some(why), ..Self::default() }
    }

    /// A trailing stop follows.
    pub(super) fn follows(best: Price) -> Self {
        Self { best: Some(best), ..Self::default() }
    }
}

impl Trade {
    /// A taker at this price.
    pub(super) fn take(stage: Stage, price: Price) -> Self {
        Self { stage, price, taker: true, limit: None, depth: None }
    }

    /// A limit order that waited for this price.
    pub(super) fn make(stage: Stage, price: Price) -> Self {
        Self { stage, price, taker: false, limit: Some(price), depth: None }
    }
}

/// Whether a stop on this side is reached at `price`.
#[must_use]
pub(super) fn reaches_stop(side: Side, price: Price, trigger: Price) -> bool {
    match side {
        Side::Buy => price >= trigger,
        Side::Sell => price <= trigger,
    }
}

/// Whether a limit order on this side could trade at `price`.
#[must_use]
pub(super) fn reaches_limit(side: Side, price: Price, limit: Price) -> bool {
    reaches_stop(side.opposite(), price, limit)
}
