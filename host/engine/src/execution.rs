use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use tiltyard_model::{
    Fill, InstrumentIndex, Liquidity, Money, Nanos, OrderId, OrderOrigin, OrderStatus, OrderUpdate, Price, Qty, Side,
    Violation,
};

/// A strategy in a simulation, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StrategyIndex(pub u32);

impl fmt::Display for StrategyIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a position was closed, in an open vocabulary such as `signal`, `stop_loss` or `halt`.
pub type Reason = Cow<'static, str>;

/// A trade of ours, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Whose.
    pub strategy: StrategyIndex,
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentIndex,
    /// When it traded: the open of a bar, or its close for what traded somewhere inside it.
    pub time: Nanos,
    /// Whether it traded at the first price of its bar.
    pub at_open: bool,
    /// Buy or sell.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// More than 0.
    pub quantity: Qty,
    /// Price × quantity, rounded once against the strategy; more than 0 or, for dust, 0.
    pub value: Money,
    /// Fee, negative for a rebate.
    pub fee: Money,
    /// What a liquidation costs on top.
    #[serde(default, skip_serializing_if = "Money::is_zero")]
    pub liquidation_fee: Money,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// Who made the order.
    pub origin: OrderOrigin,
    /// The order that this one protects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OrderId>,
    /// What kind of exit this is, should it close something.
    pub reason: Reason,
    /// The strategy's label.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
}

impl Execution {
    /// The quantity as it changes the position.
    #[must_use]
    pub fn signed(&self) -> Qty {
        self.side.signed(self.quantity)
    }

    /// What the strategy is told.
    #[must_use]
    pub fn to_fill(&self) -> Fill {
        Fill {
            order: self.order,
            instrument: self.instrument,
            time: self.time,
            side: self.side,
            price: self.price.to_f64(),
            quantity: self.quantity.to_f64(),
            fee: (self.fee + self.liquidation_fee).to_f64(),
            liquidity: self.liquidity,
            origin: self.origin,
            parent: self.parent,
            tag: self.tag.clone(),
        }
    }
}

/// What became of an order, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// Whose.
    pub strategy: StrategyIndex,
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentIndex,
    /// Where it stands now.
    pub status: OrderStatus,
    /// Filled so far.
    pub filled: Qty,
    /// Still to fill.
    pub remaining: Qty,
    /// Why; empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub reason: Reason,
    /// Who made the order.
    pub origin: OrderOrigin,
    /// The order that this one protects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OrderId>,
    /// The strategy's label.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
}

impl Update {
    /// Whether the order has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self.status {
            OrderStatus::Accepted | OrderStatus::Triggered | OrderStatus::Replaced | OrderStatus::PartiallyFilled => {
                false
            }
            OrderStatus::Filled
            | OrderStatus::Cancelled
            | OrderStatus::Expired
            | OrderStatus::Rejected
            | OrderStatus::Liquidated => true,
        }
    }

    /// What the strategy is told; `time` is when it happened.
    #[must_use]
    pub fn to_order_update(&self, time: Nanos) -> OrderUpdate {
        OrderUpdate {
            order: self.order,
            instrument: self.instrument,
            time,
            status: self.status,
            filled: self.filled.to_f64(),
            remaining: self.remaining.to_f64(),
            reason: self.reason.to_string(),
            violations: Vec::<Violation>::new(),
            origin: self.origin,
            parent: self.parent,
            tag: self.tag.clone(),
        }
    }
}
