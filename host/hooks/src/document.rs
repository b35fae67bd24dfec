use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Digest, Money, Nanos, OrderId, OrderKind, Price, Protection, Qty, Side, Violation};

use crate::Stage;

/// What a hook is told: the stage, and what the stage holds.
///
/// As JSON one object with `"stage": "pre-trade"` beside the fields. Prices, quantities and amounts are exact decimals,
/// written as texts; times are nanoseconds since 1970 (UTC), written as whole numbers; fields that are absent in an order
/// are absent or `null`. Fields may be added in later versions, so programs should ignore those that they do not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Document {
    /// An order is about to go to the venue.
    PreTrade(PreTrade),
    /// An order filled, wholly or in part, or was rejected.
    PostTrade(PostTrade),
    /// A circuit breaker opened or closed.
    CircuitBreaker(CircuitBreaker),
    /// A variant is about to send its first live order.
    Approve(Approve),
    /// A variant is about to be promoted.
    VerifyGate(VerifyGate),
    /// The kill switch was thrown.
    Kill(Kill),
}

/// An order that passed all rules and is about to go to the venue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreTrade {
    /// The market time.
    pub time: Nanos,
    /// The strategy's name.
    pub strategy: String,
    /// The instrument's symbol.
    pub instrument: String,
    /// Buy or sell.
    pub side: Side,
    /// `"market"`, or an object with the kind and its prices: `{"limit": "29000"}`.
    pub kind: OrderKind,
    /// In base currency, more than 0.
    pub quantity: Qty,
    /// The last price, in quote currency.
    pub mark: Option<Price>,
    /// Quantity × the worst price at which it could trade as things stand, in settlement currency.
    pub notional: Option<Money>,
    /// The stop-loss that goes with it.
    pub stop: Option<Protection>,
    /// The take-profit that goes with it, in quote currency.
    pub take_profit: Option<Price>,
    /// Whether it may only take from a position.
    pub reduce_only: bool,
    /// The strategy's equity, in settlement currency.
    pub equity: Money,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostTrade {
    /// The market time.
    pub time: Nanos,
    /// The strategy's name.
    pub strategy: String,
    /// The instrument's symbol; empty where a refused request named none.
    pub instrument: String,
    /// The order's number; `None` if it was rejected before it had one.
    pub order: Option<OrderId>,
    /// Buy or sell; `None` where a request was refused before that mattered.
    pub side: Option<Side>,
    /// The event.
    pub event: WhatHappened,
}

/// A fill or a rejection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhatHappened {
    /// It traded.
    Filled {
        /// In base currency, of this fill alone.
        quantity: Qty,
        /// In quote currency.
        price: Price,
        /// In settlement currency; negative for a rebate.
        fee: Money,
    },
    /// It went nowhere.
    Rejected {
        /// Every rule it broke; none if the venue or a hook refused.
        violations: Vec<Violation>,
        /// What the venue or the hook says; may be empty.
        reason: String,
    },
}

/// A circuit breaker that opened, or closed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CircuitBreaker {
    /// The market time.
    pub time: Nanos,
    /// The strategy it stops; `None` for the whole account.
    pub strategy: Option<String>,
    /// Whether it is open now: no new risk.
    pub open: bool,
    /// What made it open or close.
    pub cause: String,
    /// The end of its cool-down.
    pub until: Option<Nanos>,
}

/// A newly promoted variant whose first live order waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approve {
    /// The market time.
    pub time: Nanos,
    /// The strategy's name.
    pub strategy: String,
    /// The digest of the variant.
    pub variant: Digest,
    /// The share of its allocation that it would trade, as a fraction.
    pub share: f64,
    /// The order that waits.
    pub order: PreTrade,
}

/// A promotion that is about to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifyGate {
    /// When the gate was reached.
    pub time: Nanos,
    /// The strategy's name.
    pub strategy: String,
    /// The digest of the variant.
    pub variant: Digest,
    /// The gate's name.
    pub gate: String,
    /// What the variant is now.
    pub from: String,
    /// What it would be.
    pub to: String,
    /// The figures that the gate looked at, by name; `null` for one that has no value.
    pub figures: BTreeMap<String, Option<f64>>,
}

/// The kill switch was thrown. Orders are being cancelled and positions closed already; nothing waits for this hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kill {
    /// When it was thrown.
    pub time: Nanos,
    /// By whom or by what: a command, an API call, the file, a signal, a rule.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
}

impl Document {
    /// The stage it belongs to.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::PreTrade(_) => Stage::PreTrade,
            Self::PostTrade(_) => Stage::PostTrade,
            Self::CircuitBreaker(_) => Stage::CircuitBreaker,
            Self::Approve(_) => Stage::Approve,
            Self::VerifyGate(_) => Stage::VerifyGate,
            Self::Kill(_) => Stage::Kill,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use tiltyard_model::{Decimal, Digest, Money, Nanos, OrderId, OrderKind, Price, Protection, Qty, Side, Violation};

    use super::{Approve, CircuitBreaker, Document, Kill, PostTrade, PreTrade, VerifyGate, WhatHappened};

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn pre_trade() -> PreTrade {
        PreTrade {
            time: Nanos::from_secs(1_700_000_000),
            strategy: "ma-cross".to_owned(),
            instrument: "BTCUSDT".to_owned(),
            side: Side::Buy,
            kind: OrderKind::Limit(Price(decimal("29000.5"))),
            quantity: Qty(decimal("0.01")),
            mark: Some(Price(decimal("29010"))),
            notional: Some(Money(decimal("290.005"))),
            stop: Some(Protection::Fixed(Price(decimal("28500")))),
            take_profit: None,
            reduce_only: false,
            equity: Money(decimal("10000")),
        }
    }

    #[test]
    fn a_program_reads_the_stage_and_exact_numbers_as_texts() {
        let written = serde_json::to_value(Document::PreTrade(pre_trade())).unwrap();
        let expected = json!({
            "stage": "pre-trade",
            "time": 1_700_000_000_000_000_000_i64,
            "strategy": "ma-cross",
            "instrument": "BTCUSDT",
            "side": "buy",
            "kind": {"limit": "29000.5"},
            "quantity": "0.01",
            "mark": "29010",
            "notional": "290.005",
            "stop": {"fixed": "28500"},
            "take_profit": null,
            "reduce_only": false,
            "equity": "10000",
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn every_document_names_its_stage_and_reads_what_it_writes() {
        let (time, strategy, variant) = (Nanos(1), "ma-cross".to_owned(), Digest([7; 32]));
        let violation = Violation { rule: "leverage-gross".to_owned(), actual: 1.2, limit: 1.0, unit: String::new() };
        let post_trade = |event| {
            let (instrument, order) = ("BTCUSDT".to_owned(), Some(OrderId(3)));
            Document::PostTrade(PostTrade {
                time,
                strategy: strategy.clone(),
                instrument,
                order,
                side: Some(Side::Sell),
                event,
            })
        };
        let (quantity, price, fee) = (Qty(decimal("1")), Price(decimal("2")), Money(decimal("-0.1")));
        let documents = [
            Document::PreTrade(pre_trade()),
            post_trade(WhatHappened::Filled { quantity, price, fee }),
            post_trade(WhatHappened::Rejected { violations: vec![violation], reason: String::new() }),
            Document::CircuitBreaker(CircuitBreaker {
                time,
                strategy: None,
                open: true,
                cause: "daily-loss".to_owned(),
                until: Some(Nanos(2)),
            }),
            Document::Approve(Approve { time, strategy: strategy.clone(), variant, share: 0.01, order: pre_trade() }),
            Document::VerifyGate(VerifyGate {
                time,
                strategy: strategy.clone(),
                variant,
                gate: "paper".to_owned(),
                from: "paper".to_owned(),
                to: "live".to_owned(),
                figures: BTreeMap::from([("sharpe".to_owned(), Some(1.25)), ("calmar".to_owned(), None)]),
            }),
            Document::Kill(Kill { time, by: "command".to_owned(), reason: String::new() }),
        ];
        for document in documents {
            let written = serde_json::to_value(&document).unwrap();
            assert_eq!(written["stage"], document.stage().name());
            assert_eq!(serde_json::from_value::<Document>(written).unwrap(), document);
        }
    }
}
