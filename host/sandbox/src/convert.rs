//! From the contract's types to the host's own, and back.

use tiltyard_model as model;
use tiltyard_model::{InstrumentIndex, Nanos};

use crate::contract::exports::tiltyard::strategy::lifecycle;
use crate::contract::tiltyard::strategy::{journal, market, timers, types};

/// Two enums or variants with the same cases.
macro_rules! same_cases {
    ($from:path => $to:path: $($case:ident),+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$case => Self::$case),+
                }
            }
        }
    };
}

/// A host-side type made of a contract type, payload by payload.
macro_rules! same_payloads {
    ($from:path => $to:path: $($case:ident),+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                type Given = $from;
                match value {
                    $(Given::$case(payload) => Self::$case(payload.into())),+
                }
            }
        }
    };
}

same_cases!(types::Side => model::Side: Buy, Sell);
same_cases!(model::Side => types::Side: Buy, Sell);
same_cases!(model::Liquidity => types::Liquidity: Maker, Taker);
same_cases!(journal::Level => model::Level: Debug, Info, Warn, Error);
same_cases!(model::OrderStatus => types::OrderStatus: Accepted, Triggered, Replaced, PartiallyFilled, Filled, Cancelled,
    Expired, Rejected, Liquidated);
same_cases!(model::OrderOrigin => types::OrderOrigin: Submitted, Target, Close, StopLoss, TakeProfit, Host);
same_payloads!(types::Trail => model::Trail: Distance, Percent);
same_payloads!(model::Trail => types::Trail: Distance, Percent);
same_payloads!(types::StopLoss => model::StopLoss: Fixed, Trailing);

impl From<model::InstrumentKind> for types::InstrumentKind {
    /// To a strategy spot on margin is spot, whose largest leverage says that something may be borrowed.
    fn from(kind: model::InstrumentKind) -> Self {
        match kind {
            model::InstrumentKind::Spot | model::InstrumentKind::SpotMargin => Self::Spot,
            model::InstrumentKind::Perpetual => Self::Perpetual,
        }
    }
}

impl From<types::OrderType> for model::OrderType {
    fn from(order_type: types::OrderType) -> Self {
        match order_type {
            types::OrderType::Market => Self::Market,
            types::OrderType::Limit(price) => Self::Limit(price),
            types::OrderType::StopMarket(trigger) => Self::StopMarket(trigger),
            types::OrderType::StopLimit(types::StopLimit { trigger, limit }) => Self::StopLimit { trigger, limit },
            types::OrderType::TrailingStop(types::Trailing { trail, activation }) => {
                Self::TrailingStop { trail: trail.into(), activation }
            }
            types::OrderType::TakeProfit(price) => Self::TakeProfit(price),
        }
    }
}

impl From<model::OrderType> for types::OrderType {
    fn from(order_type: model::OrderType) -> Self {
        match order_type {
            model::OrderType::Market => Self::Market,
            model::OrderType::Limit(price) => Self::Limit(price),
            model::OrderType::StopMarket(trigger) => Self::StopMarket(trigger),
            model::OrderType::StopLimit { trigger, limit } => Self::StopLimit(types::StopLimit { trigger, limit }),
            model::OrderType::TrailingStop { trail, activation } => {
                Self::TrailingStop(types::Trailing { trail: trail.into(), activation })
            }
            model::OrderType::TakeProfit(price) => Self::TakeProfit(price),
        }
    }
}

impl From<types::TimeInForce> for model::TimeInForce {
    fn from(time_in_force: types::TimeInForce) -> Self {
        match time_in_force {
            types::TimeInForce::GoodTillCancelled => Self::GoodTillCancelled,
            types::TimeInForce::ImmediateOrCancel => Self::ImmediateOrCancel,
            types::TimeInForce::FillOrKill => Self::FillOrKill,
            types::TimeInForce::GoodTillDate(time) => Self::GoodTillDate(Nanos(time)),
        }
    }
}

impl From<types::OrderRequest> for model::OrderRequest {
    fn from(request: types::OrderRequest) -> Self {
        Self {
            instrument: InstrumentIndex(request.instrument),
            side: request.side.into(),
            order_type: request.order_type.into(),
            quantity: request.quantity,
            time_in_force: request.time_in_force.into(),
            reduce_only: request.reduce_only,
            post_only: request.post_only,
            stop_loss: request.stop_loss.map(Into::into),
            take_profit: request.take_profit,
            tag: request.tag,
        }
    }
}

impl From<types::Replacement> for model::Replacement {
    fn from(change: types::Replacement) -> Self {
        Self {
            quantity: change.quantity,
            limit: change.limit,
            trigger: change.trigger,
            trail: change.trail.map(Into::into),
        }
    }
}

impl From<model::Acceptance> for types::Acceptance {
    fn from(acceptance: model::Acceptance) -> Self {
        Self {
            order: acceptance.order.0,
            quantity: acceptance.quantity,
            limit: acceptance.limit,
            trigger: acceptance.trigger,
        }
    }
}

impl From<model::Position> for types::Position {
    fn from(position: model::Position) -> Self {
        Self { quantity: position.quantity, entry_price: position.entry_price, unrealised: position.unrealised }
    }
}

impl From<model::Quote> for types::Quote {
    fn from(quote: model::Quote) -> Self {
        Self {
            time: quote.time.0,
            bid: quote.bid,
            bid_quantity: quote.bid_quantity,
            ask: quote.ask,
            ask_quantity: quote.ask_quantity,
        }
    }
}

impl From<model::MarketError> for market::MarketError {
    fn from(error: model::MarketError) -> Self {
        match error {
            model::MarketError::UnknownInstrument(InstrumentIndex(index)) => Self::UnknownInstrument(index),
            model::MarketError::TooManyBars(limit) => Self::TooManyBars(limit),
        }
    }
}

impl From<model::TimerError> for timers::TimerError {
    fn from(error: model::TimerError) -> Self {
        match error {
            model::TimerError::NotInFuture(Nanos(now)) => Self::NotInFuture(now),
            model::TimerError::TooMany(limit) => Self::TooMany(limit),
        }
    }
}

impl From<model::Columns> for types::ColumnsResult {
    fn from(bars: model::Columns) -> Self {
        Self {
            open_time: bars.open_time().to_vec(),
            open: bars.open().to_vec(),
            high: bars.high().to_vec(),
            low: bars.low().to_vec(),
            close: bars.close().to_vec(),
            volume: bars.volume().to_vec(),
        }
    }
}

impl<'a> From<&'a model::Columns> for types::ColumnsParam<'a> {
    fn from(bars: &'a model::Columns) -> Self {
        Self {
            open_time: bars.open_time(),
            open: bars.open(),
            high: bars.high(),
            low: bars.low(),
            close: bars.close(),
            volume: bars.volume(),
        }
    }
}

impl From<model::Violation> for types::ViolationResult {
    fn from(violation: model::Violation) -> Self {
        Self { rule: violation.rule, actual: violation.actual, limit: violation.limit, unit: violation.unit }
    }
}

impl<'a> From<&'a model::Violation> for types::ViolationParam<'a> {
    fn from(violation: &'a model::Violation) -> Self {
        Self { rule: &violation.rule, actual: violation.actual, limit: violation.limit, unit: &violation.unit }
    }
}

impl From<model::OpenOrder> for types::OpenOrder {
    fn from(order: model::OpenOrder) -> Self {
        Self {
            order: order.order.0,
            instrument: order.instrument.0,
            side: order.side.into(),
            order_type: order.order_type.into(),
            quantity: order.quantity,
            filled: order.filled,
            origin: order.origin.into(),
            parent: order.parent.map(|parent| parent.0),
            tag: order.tag,
        }
    }
}

impl<'a> From<&'a model::Fill> for types::Fill<'a> {
    fn from(fill: &'a model::Fill) -> Self {
        Self {
            order: fill.order.0,
            instrument: fill.instrument.0,
            time: fill.time.0,
            side: fill.side.into(),
            price: fill.price,
            quantity: fill.quantity,
            fee: fill.fee,
            liquidity: fill.liquidity.into(),
            origin: fill.origin.into(),
            parent: fill.parent.map(|parent| parent.0),
            tag: &fill.tag,
        }
    }
}

/// An update with its violations, which the contract borrows as a list of its own.
pub(crate) fn order_update<'a>(
    update: &'a model::OrderUpdate,
    violations: &'a [types::ViolationParam<'a>],
) -> types::OrderUpdate<'a> {
    types::OrderUpdate {
        order: update.order.0,
        instrument: update.instrument.0,
        time: update.time.0,
        status: update.status.into(),
        filled: update.filled,
        remaining: update.remaining,
        reason: &update.reason,
        violations,
        origin: update.origin.into(),
        parent: update.parent.map(|parent| parent.0),
        tag: &update.tag,
    }
}

impl<'a> From<&'a model::Instrument> for types::Instrument<'a> {
    fn from(instrument: &'a model::Instrument) -> Self {
        Self {
            symbol: &instrument.symbol,
            venue: &instrument.venue,
            kind: instrument.kind.into(),
            base: &instrument.base,
            quote: &instrument.quote,
            tick: instrument.tick,
            lot: instrument.lot,
            min_notional: instrument.min_notional,
            maker_fee: instrument.maker_fee,
            taker_fee: instrument.taker_fee,
            max_leverage: instrument.max_leverage,
        }
    }
}

impl<'a> From<&'a model::Value> for lifecycle::Value<'a> {
    fn from(value: &'a model::Value) -> Self {
        match value {
            model::Value::Flag(flag) => Self::Flag(*flag),
            model::Value::Integer(number) => Self::Integer(*number),
            model::Value::Real(number) => Self::Real(*number),
            model::Value::Text(text) => Self::Text(text),
        }
    }
}
