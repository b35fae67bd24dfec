use std::fmt;

use serde::{Deserialize, Serialize};

use crate::MarginRules;

/// The position of an instrument in a run's list of instruments, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentIndex(pub u32);

impl fmt::Display for InstrumentIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What kind of thing is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentKind {
    /// Bought and owned.
    Spot,
    /// A linear perpetual future, settled in its quote currency.
    Perpetual,
    /// Spot that is bought with borrowed quote currency and sold short with borrowed base currency, for interest.
    SpotMargin,
}

impl InstrumentKind {
    /// Whether margin stands for a position: more may be bought than there is cash for, and short positions are possible.
    #[must_use]
    pub fn is_margined(self) -> bool {
        self != Self::Spot
    }
}

/// An instrument and the rules of its venue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// The venue's symbol, such as `BTCUSDT`.
    pub symbol: String,
    /// The venue, such as `binance`.
    pub venue: String,
    /// Spot or perpetual.
    pub kind: InstrumentKind,
    /// The currency that is traded.
    pub base: String,
    /// The currency that prices are in.
    pub quote: String,
    /// Smallest step of a price, in quote currency.
    pub tick: f64,
    /// Smallest step of a quantity, in base currency.
    pub lot: f64,
    /// Least quantity × price of an order, in quote currency.
    pub min_notional: f64,
    /// Fee of an order that rested, as a fraction of notional.
    pub maker_fee: f64,
    /// Fee of an order that traded on arrival, as a fraction of notional.
    pub taker_fee: f64,
    /// Largest notional ÷ margin the venue allows; 1 for what is owned.
    pub max_leverage: f64,
    /// Margin rules of a perpetual.
    #[serde(default, skip_serializing_if = "MarginRules::is_default")]
    pub margin: MarginRules,
}
