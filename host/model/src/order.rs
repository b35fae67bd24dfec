//! What a strategy asks for and what it is told, as the strategy sees it: prices and quantities in `f64`.
//!
//! The kernel turns requests into exact decimals by the shortest decimal representation; these types never hold money
//! that is owed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{InstrumentIndex, Nanos, Qty};

/// An order, unique within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Adds to the position.
    Buy,
    /// Takes from the position.
    Sell,
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The quantity as it changes a position: negative for a sale.
    #[must_use]
    pub fn signed(self, quantity: Qty) -> Qty {
        match self {
            Self::Buy => quantity,
            Self::Sell => -quantity,
        }
    }
}

/// How far behind the best price since activation a trailing stop stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trail {
    /// In quote currency.
    Distance(f64),
    /// In percent of the best price.
    Percent(f64),
}

/// When and at what price an order may trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderType {
    /// At once, at what the market gives.
    Market,
    /// At this price or better.
    Limit(f64),
    /// A market order once the market reaches this price, against the position it protects.
    StopMarket(f64),
    /// A limit order once the market reaches the trigger.
    StopLimit {
        /// The price at which the order wakes.
        trigger: f64,
        /// The worst price it may then trade at.
        limit: f64,
    },
    /// A stop whose trigger follows the best price since activation.
    TrailingStop {
        /// How far behind.
        trail: Trail,
        /// The price at which it starts to follow; at once if absent.
        activation: Option<f64>,
    },
    /// A limit order at this price once the market reaches it in the position's favour.
    TakeProfit(f64),
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until filled or cancelled.
    GoodTillCancelled,
    /// What can trade on arrival trades, the rest is cancelled.
    ImmediateOrCancel,
    /// All of it trades on arrival or none.
    FillOrKill,
    /// Until this time.
    GoodTillDate(Nanos),
}

/// A stop-loss that goes with an entry or a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopLoss {
    /// At this price.
    Fixed(f64),
    /// Behind the best price since the entry filled.
    Trailing(Trail),
}

/// What a strategy asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRequest {
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// Buy or sell.
    pub side: Side,
    /// When and at what price.
    pub order_type: OrderType,
    /// Base currency.
    pub quantity: f64,
    /// How long.
    pub time_in_force: TimeInForce,
    /// Only take from a position.
    pub reduce_only: bool,
    /// Only rest.
    pub post_only: bool,
    /// Becomes active when the order fills.
    pub stop_loss: Option<StopLoss>,
    /// Price that becomes active when the order fills; it and the stop-loss cancel each other.
    pub take_profit: Option<f64>,
    /// The strategy's own label.
    pub tag: String,
}

/// A change to an order that has not ended. What is absent stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Replacement {
    /// New total quantity, filled part included, in base currency.
    pub quantity: Option<f64>,
    /// New limit price.
    pub limit: Option<f64>,
    /// New trigger price.
    pub trigger: Option<f64>,
    /// New distance of a trailing stop.
    pub trail: Option<Trail>,
}

/// What the host made of a request, after rounding to tick and lot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acceptance {
    /// The order.
    pub order: OrderId,
    /// Quantity in base currency.
    pub quantity: f64,
    /// Limit price, if the order has one.
    pub limit: Option<f64>,
    /// Trigger price, if the order has one.
    pub trigger: Option<f64>,
}

/// A rule that a request broke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule, such as `malformed` or `leverage-gross`. The vocabulary is open.
    pub rule: String,
    /// What the request would have led to, in `unit`; NaN where the rule has no number.
    #[serde(with = "null_if_none")]
    pub actual: f64,
    /// What the rule allows, in `unit`; NaN where the rule has no number.
    #[serde(with = "null_if_none")]
    pub limit: f64,
    /// The unit; empty where there is none.
    pub unit: String,
}

/// JSON has no NaN: what is no number is written as `null` and read back as NaN.
mod null_if_none {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        number.is_finite().then_some(number).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        if self.actual.is_nan() && self.limit.is_nan() {
            return Ok(());
        }
        write!(f, ": {} against a limit of {} {}", self.actual, self.limit, self.unit)
    }
}

/// Who made an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderOrigin {
    /// The strategy, by `submit`.
    Submitted,
    /// The strategy, by `target`.
    Target,
    /// The strategy, by `close`.
    Close,
    /// The stop-loss of its parent, or one that the host keeps.
    StopLoss,
    /// The take-profit of its parent.
    TakeProfit,
    /// The host: a forced exit, a breaker, a liquidation, the end of an instrument.
    Host,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Passed every check and rests or waits for its trigger.
    Accepted,
    /// Its trigger was reached.
    Triggered,
    /// Changed by the strategy.
    Replaced,
    /// Traded in part; the rest is still active.
    PartiallyFilled,
    /// Traded in full. Final.
    Filled,
    /// Taken back. Final.
    Cancelled,
    /// Its time was up. Final.
    Expired,
    /// Refused by the venue after it was accepted by the host. Final.
    Rejected,
    /// Filled by force because margin ran out. Final.
    Liquidated,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderUpdate {
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentIndex,
    /// When it happened.
    pub time: Nanos,
    /// Where it stands now.
    pub status: OrderStatus,
    /// Base currency filled so far.
    pub filled: f64,
    /// Base currency still to fill.
    pub remaining: f64,
    /// Why, in an open vocabulary; empty where there is nothing to say.
    pub reason: String,
    /// Rules that were broken, if that is why.
    pub violations: Vec<Violation>,
    /// Who made the order.
    pub origin: OrderOrigin,
    /// The order that this one protects, for a stop-loss or take-profit.
    pub parent: Option<OrderId>,
    /// The label of the request; empty for an order that was not submitted.
    pub tag: String,
}

/// Whether a fill took liquidity or gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liquidity {
    /// The order rested and was traded against.
    Maker,
    /// The order traded on arrival.
    Taker,
}

/// A trade of ours, as a strategy is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentIndex,
    /// When it traded.
    pub time: Nanos,
    /// Buy or sell.
    pub side: Side,
    /// Price.
    pub price: f64,
    /// Base currency traded, more than 0.
    pub quantity: f64,
    /// Fee in settlement currency; negative for a rebate.
    pub fee: f64,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// Who made the order.
    pub origin: OrderOrigin,
    /// The order that this one protects, for a stop-loss or take-profit.
    pub parent: Option<OrderId>,
    /// The label of the request; empty for an order that was not submitted.
    pub tag: String,
}

/// What a strategy holds of one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Position {
    /// Base currency, negative when short.
    pub quantity: f64,
    /// Average entry price, for display; absent when flat.
    pub entry_price: Option<f64>,
    /// Profit not yet taken at the current mark, in settlement currency, before the cost of closing.
    pub unrealised: f64,
}

/// An order that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenOrder {
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentIndex,
    /// Buy or sell.
    pub side: Side,
    /// When and at what price, after rounding.
    pub order_type: OrderType,
    /// Base currency asked for.
    pub quantity: f64,
    /// Base currency filled so far.
    pub filled: f64,
    /// Who made the order.
    pub origin: OrderOrigin,
    /// The order that this one protects, for a stop-loss or take-profit.
    pub parent: Option<OrderId>,
    /// The label of the request; empty for an order that was not submitted.
    pub tag: String,
}
