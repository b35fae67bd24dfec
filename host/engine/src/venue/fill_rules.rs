use std::fmt;

use serde::Serialize;
use tiltyard_model::{Bar, Decimal, Price, Qty, Side, decimal};

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

    /// What the rest of a bar does to a stop-loss or take-profit whose entry filled in it, at `entry` and at this price.
    fn in_entry_bar(&self, child: &Working, entry: Stage, price: Price, bar: &Ohlc, listed: &Listed) -> Outcome;
}

/// When within a bar something happens, as far as bars can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// At its first price.
    Open,
    /// Somewhere inside, on the way against an order: stops.
    Against,
    /// Somewhere inside, on the way in an order's favour: limits and targets. It is taken to come after the other.
    Favour,
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
}

impl Ohlc {
    /// The exact prices; `None` if one of them is no number.
    #[must_use]
    pub fn exact(bar: &Bar) -> Option<Self> {
        let price = |value: f64| decimal(value).filter(|price| *price > Decimal::ZERO).map(Price);
        Some(Self { open: price(bar.open)?, high: price(bar.high)?, low: price(bar.low)?, close: price(bar.close)? })
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
