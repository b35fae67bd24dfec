//! Between the host's types and the SDK's, which are generated from the contract.

use tiltyard_model as model;
use tiltyard_sdk as sdk;

pub(crate) fn bar(bar: &model::Bar) -> sdk::Bar {
    let model::Bar { open_time, open, high, low, close, volume } = *bar;
    sdk::Bar { open_time: open_time.0, open, high, low, close, volume }
}

pub(crate) fn columns(bars: &model::Columns) -> sdk::Columns {
    sdk::Columns {
        open_time: bars.open_time().to_vec(),
        open: bars.open().to_vec(),
        high: bars.high().to_vec(),
        low: bars.low().to_vec(),
        close: bars.close().to_vec(),
        volume: bars.volume().to_vec(),
    }
}

pub(crate) fn instrument(instrument: &model::Instrument) -> sdk::Instrument {
    let model::Instrument { tick, lot, min_notional, maker_fee, taker_fee, max_leverage, .. } = *instrument;
    sdk::Instrument {
        symbol: instrument.symbol.clone(),
        venue: instrument.venue.clone(),
        kind: match instrument.kind {
            model::InstrumentKind::Spot | model::InstrumentKind::SpotMargin => sdk::InstrumentKind::Spot,
            model::InstrumentKind::Perpetual => sdk::InstrumentKind::Perpetual,
        },
        base: instrument.base.clone(),
        quote: instrument.quote.clone(),
        tick,
        lot,
        min_notional,
        maker_fee,
        taker_fee,
        max_leverage,
    }
}

pub(crate) fn side(side: model::Side) -> sdk::Side {
    match side {
        model::Side::Buy => sdk::Side::Buy,
        model::Side::Sell => sdk::Side::Sell,
    }
}

fn side_of(side: sdk::Side) -> model::Side {
    match side {
        sdk::Side::Buy => model::Side::Buy,
        sdk::Side::Sell => model::Side::Sell,
    }
}

fn trail(trail: model::Trail) -> sdk::Trail {
    match trail {
        model::Trail::Distance(distance) => sdk::Trail::Distance(distance),
        model::Trail::Percent(percent) => sdk::Trail::Percent(percent),
    }
}

fn trail_of(trail: sdk::Trail) -> model::Trail {
    match trail {
        sdk::Trail::Distance(distance) => model::Trail::Distance(distance),
        sdk::Trail::Percent(percent) => model::Trail::Percent(percent),
    }
}

pub(crate) fn stop_loss(stop: sdk::StopLoss) -> model::StopLoss {
    match stop {
        sdk::StopLoss::Fixed(price) => model::StopLoss::Fixed(price),
        sdk::StopLoss::Trailing(trail) => model::StopLoss::Trailing(trail_of(trail)),
    }
}

fn order_type(order_type: model::OrderType) -> sdk::OrderType {
    match order_type {
        model::OrderType::Market => sdk::OrderType::Market,
        model::OrderType::Limit(limit) => sdk::OrderType::Limit(limit),
        model::OrderType::StopMarket(trigger) => sdk::OrderType::StopMarket(trigger),
        model::OrderType::StopLimit { trigger, limit } => sdk::OrderType::StopLimit(sdk::StopLimit { trigger, limit }),
        model::OrderType::TrailingStop { trail: behind, activation } => {
            sdk::OrderType::TrailingStop(sdk::Trailing { trail: trail(behind), activation })
        }
        model::OrderType::TakeProfit(price) => sdk::OrderType::TakeProfit(price),
    }
}

fn order_type_of(order_type: sdk::OrderType) -> model::OrderType {
    match order_type {
        sdk::OrderType::Market => model::OrderType::Market,
        sdk::OrderType::Limit(limit) => model::OrderType::Limit(limit),
        sdk::OrderType::StopMarket(trigger) => model::OrderType::StopMarket(trigger),
        sdk::OrderType::StopLimit(sdk::StopLimit { trigger, limit }) => model::OrderType::StopLimit { trigger, limit },
        sdk::OrderType::TrailingStop(sdk::Trailing { trail, activation }) => {
            model::OrderType::TrailingStop { trail: trail_of(trail), activation }
        }
        sdk::OrderType::TakeProfit(price) => model::OrderType::TakeProfit(price),
    }
}

pub(crate) fn order_request(request: &sdk::OrderRequest) -> model::OrderRequest {
    model::OrderRequest {
        instrument: model::InstrumentIndex(request.instrument),
        side: side_of(request.side),
        order_type: order_type_of(request.order_type),
        quantity: request.quantity,
        time_in_force: match request.time_in_force {
            sdk::TimeInForce::GoodTillCancelled => model::TimeInForce::GoodTillCancelled,
            sdk::TimeInForce::ImmediateOrCancel => model::TimeInForce::ImmediateOrCancel,
            sdk::TimeInForce::FillOrKill => model::TimeInForce::FillOrKill,
            sdk::TimeInForce::GoodTillDate(until) => model::TimeInForce::GoodTillDate(model::Nanos(until)),
        },
        reduce_only: request.reduce_only,
        post_only: request.post_only,
        stop_loss: request.stop_loss.map(stop_loss),
        take_profit: request.take_profit,
        tag: request.tag.clone(),
    }
}

pub(crate) fn replacement(change: sdk::Replacement) -> model::Replacement {
    let sdk::Replacement { quantity, limit, trigger, trail } = change;
    model::Replacement { quantity, limit, trigger, trail: trail.map(trail_of) }
}

pub(crate) fn acceptance(acceptance: model::Acceptance) -> sdk::Acceptance {
    let model::Acceptance { order, quantity, limit, trigger } = acceptance;
    sdk::Acceptance { order: order.0, quantity, limit, trigger }
}

pub(crate) fn violation(violation: &model::Violation) -> sdk::Violation {
    let model::Violation { rule, actual, limit, unit } = violation.clone();
    sdk::Violation { rule, actual, limit, unit }
}

fn origin(origin: model::OrderOrigin) -> sdk::OrderOrigin {
    match origin {
        model::OrderOrigin::Submitted => sdk::OrderOrigin::Submitted,
        model::OrderOrigin::Target => sdk::OrderOrigin::Target,
        model::OrderOrigin::Close => sdk::OrderOrigin::Close,
        model::OrderOrigin::StopLoss => sdk::OrderOrigin::StopLoss,
        model::OrderOrigin::TakeProfit => sdk::OrderOrigin::TakeProfit,
        model::OrderOrigin::Host => sdk::OrderOrigin::Host,
    }
}

pub(crate) fn fill(fill: &model::Fill) -> sdk::Fill {
    sdk::Fill {
        order: fill.order.0,
        instrument: fill.instrument.0,
        time: fill.time.0,
        side: side(fill.side),
        price: fill.price,
        quantity: fill.quantity,
        fee: fill.fee,
        liquidity: match fill.liquidity {
            model::Liquidity::Maker => sdk::Liquidity::Maker,
            model::Liquidity::Taker => sdk::Liquidity::Taker,
        },
        origin: origin(fill.origin),
        parent: fill.parent.map(|order| order.0),
        tag: fill.tag.clone(),
    }
}

pub(crate) fn order_update(update: &model::OrderUpdate) -> sdk::OrderUpdate {
    sdk::OrderUpdate {
        order: update.order.0,
        instrument: update.instrument.0,
        time: update.time.0,
        status: match update.status {
            model::OrderStatus::Accepted => sdk::OrderStatus::Accepted,
            model::OrderStatus::Triggered => sdk::OrderStatus::Triggered,
            model::OrderStatus::Replaced => sdk::OrderStatus::Replaced,
            model::OrderStatus::PartiallyFilled => sdk::OrderStatus::PartiallyFilled,
            model::OrderStatus::Filled => sdk::OrderStatus::Filled,
            model::OrderStatus::Cancelled => sdk::OrderStatus::Cancelled,
            model::OrderStatus::Expired => sdk::OrderStatus::Expired,
            model::OrderStatus::Rejected => sdk::OrderStatus::Rejected,
            model::OrderStatus::Liquidated => sdk::OrderStatus::Liquidated,
        },
        filled: update.filled,
        remaining: update.remaining,
        reason: update.reason.clone(),
        violations: update.violations.iter().map(violation).collect(),
        origin: origin(update.origin),
        parent: update.parent.map(|order| order.0),
        tag: update.tag.clone(),
    }
}

pub(crate) fn open_order(order: model::OpenOrder) -> sdk::OpenOrder {
    sdk::OpenOrder {
        order: order.order.0,
        instrument: order.instrument.0,
        side: side(order.side),
        order_type: order_type(order.order_type),
        quantity: order.quantity,
        filled: order.filled,
        origin: origin(order.origin),
        parent: order.parent.map(|order| order.0),
        tag: order.tag,
    }
}

pub(crate) fn position(position: model::Position) -> sdk::Position {
    let model::Position { quantity, entry_price, unrealised } = position;
    sdk::Position { quantity, entry_price, unrealised }
}

pub(crate) fn quote(quote: model::Quote) -> sdk::Quote {
    let model::Quote { time, bid, bid_quantity, ask, ask_quantity } = quote;
    sdk::Quote { time: time.0, bid, bid_quantity, ask, ask_quantity }
}

pub(crate) fn trade(trade: model::Trade) -> sdk::Trade {
    let model::Trade { time, price, quantity, aggressor } = trade;
    sdk::Trade { time: time.0, price, quantity, aggressor: side(aggressor) }
}

pub(crate) fn market_error(error: model::MarketError) -> sdk::MarketError {
    match error {
        model::MarketError::UnknownInstrument(index) => sdk::MarketError::UnknownInstrument(index.0),
        model::MarketError::TooManyBars(limit) => sdk::MarketError::TooManyBars(limit),
    }
}
