use crate::tiltyard::strategy::types::{InstrumentIndex, OrderRequest, OrderType, Side, TimeInForce};

/// What else an order is about is given by name: `OrderRequest { stop_loss, ..OrderRequest::market(0, Side::Buy, 1.0) }`.
impl OrderRequest {
    /// An order at the best price there is, good until it is cancelled. Quantity in base currency.
    #[must_use]
    pub fn market(instrument: InstrumentIndex, side: Side, quantity: f64) -> Self {
        Self {
            instrument,
            side,
            order_type: OrderType::Market,
            quantity,
            time_in_force: TimeInForce::GoodTillCancelled,
            reduce_only: false,
            post_only: false,
            stop_loss: None,
            take_profit: None,
            tag: String::new(),
        }
    }

    /// An order at this price or better, good until it is cancelled. Quantity in base currency, price in quote currency.
    #[must_use]
    pub fn limit(instrument: InstrumentIndex, side: Side, quantity: f64, price: f64) -> Self {
        Self { order_type: OrderType::Limit(price), ..Self::market(instrument, side, quantity) }
    }
}
