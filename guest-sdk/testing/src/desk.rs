use tiltyard_engine::TradingDesk;
use tiltyard_engine::venue::Venue;
use tiltyard_model as model;
use tiltyard_model::{Desk as _, InstrumentIndex, Nanos};
use tiltyard_sdk::{
    Acceptance, Columns, Desk, InstrumentIndex as Index, Level, MarketError, OpenOrder, OrderId, OrderRequest,
    Position, Quote, Replacement, StopLoss, TimerError, TimerId, Timestamp, Violation,
};

use crate::convert;

/// The kernel's desk as the SDK has it.
pub(crate) struct LentDesk<'a, V>(pub(crate) &'a mut TradingDesk<V>);

fn refused(violations: Vec<model::Violation>) -> Vec<Violation> {
    violations.iter().map(convert::violation).collect()
}

impl<V: Venue> Desk for LentDesk<'_, V> {
    fn history(&self, instrument: Index, count: u32) -> Result<Columns, MarketError> {
        let bars = self.0.history(InstrumentIndex(instrument), count);
        bars.map(|bars| convert::columns(&bars)).map_err(convert::market_error)
    }

    fn latest_quote(&self, instrument: Index) -> Result<Option<Quote>, MarketError> {
        let quote = self.0.latest_quote(InstrumentIndex(instrument));
        quote.map(|quote| quote.map(convert::quote)).map_err(convert::market_error)
    }

    fn equity(&self) -> f64 {
        self.0.equity()
    }

    fn cash(&self) -> f64 {
        self.0.cash()
    }

    fn position(&self, instrument: Index) -> Option<Position> {
        self.0.position(InstrumentIndex(instrument)).map(convert::position)
    }

    fn open_orders(&self) -> Vec<OpenOrder> {
        self.0.open_orders().into_iter().map(convert::open_order).collect()
    }

    fn submit(&mut self, request: &OrderRequest) -> Result<Acceptance, Vec<Violation>> {
        self.0.submit(convert::order_request(request)).map(convert::acceptance).map_err(refused)
    }

    fn cancel(&mut self, order: OrderId) -> Result<(), Vec<Violation>> {
        self.0.cancel(model::OrderId(order)).map_err(refused)
    }

    fn replace(&mut self, order: OrderId, change: Replacement) -> Result<Acceptance, Vec<Violation>> {
        let change = convert::replacement(change);
        self.0.replace(model::OrderId(order), change).map(convert::acceptance).map_err(refused)
    }

    fn target(
        &mut self,
        instrument: Index,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Vec<Violation>> {
        let answer = self.0.target(InstrumentIndex(instrument), fraction, stop.map(convert::stop_loss));
        answer.map(|order| order.map(convert::acceptance)).map_err(refused)
    }

    fn close(&mut self, instrument: Index) -> Result<Option<Acceptance>, Vec<Violation>> {
        let answer = self.0.close(InstrumentIndex(instrument));
        answer.map(|order| order.map(convert::acceptance)).map_err(refused)
    }

    fn set_timer(&mut self, at: Timestamp) -> Result<TimerId, TimerError> {
        self.0.set_timer(Nanos(at)).map(|timer| timer.0).map_err(|error| match error {
            model::TimerError::NotInFuture(now) => TimerError::NotInFuture(now.0),
            model::TimerError::TooMany(limit) => TimerError::TooMany(limit),
        })
    }

    fn cancel_timer(&mut self, timer: TimerId) -> bool {
        self.0.cancel_timer(model::TimerId(timer))
    }

    fn log(&mut self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => model::Level::Debug,
            Level::Info => model::Level::Info,
            Level::Warn => model::Level::Warn,
            Level::Error => model::Level::Error,
        };
        self.0.log(level, message);
    }

    fn metric(&mut self, name: &str, value: f64) {
        self.0.metric(name, value);
    }

    fn annotate(&mut self, key: &str, value: &str) {
        self.0.annotate(key, value);
    }
}
