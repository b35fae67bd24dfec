use crate::bindings::{account, journal, market, orders, timers};
use crate::{
    Acceptance, Columns, InstrumentIndex, OpenOrder, OrderId, OrderRequest, Position, Quote, Replacement, StopLoss,
    TimerId, Timestamp, Violation,
};

pub use journal::Level;
pub use market::MarketError;
pub use timers::TimerError;

/// What a strategy may see and do. In a component it is the host; in a native test it is whatever the test makes it.
///
/// Instruments are counted from 0 in the order of [`Start::instruments`](crate::Start::instruments).
pub trait Desk {
    /// The latest closed bars, oldest first: `count`, or as many as there have been.
    ///
    /// # Errors
    /// For an unknown instrument, or more bars than one call may return.
    fn history(&self, instrument: InstrumentIndex, count: u32) -> Result<Columns, MarketError>;

    /// The latest quote, where the market delivers quotes.
    ///
    /// # Errors
    /// For an unknown instrument.
    fn latest_quote(&self, instrument: InstrumentIndex) -> Result<Option<Quote>, MarketError>;

    /// Cash plus positions at the current mark, in settlement currency.
    fn equity(&self) -> f64;

    /// Cash, in settlement currency.
    fn cash(&self) -> f64;

    /// What is held of an instrument; `None` for an unknown one.
    fn position(&self, instrument: InstrumentIndex) -> Option<Position>;

    /// Orders that have not ended.
    fn open_orders(&self) -> Vec<OpenOrder>;

    /// Sends an order.
    ///
    /// # Errors
    /// Every rule it breaks; nothing has changed.
    fn submit(&mut self, request: &OrderRequest) -> Result<Acceptance, Vec<Violation>>;

    /// Takes an order back.
    ///
    /// # Errors
    /// Every rule this breaks; nothing has changed.
    fn cancel(&mut self, order: OrderId) -> Result<(), Vec<Violation>>;

    /// Changes an order.
    ///
    /// # Errors
    /// Every rule this breaks; nothing has changed.
    fn replace(&mut self, order: OrderId, change: Replacement) -> Result<Acceptance, Vec<Violation>>;

    /// Holds this fraction of equity: 1 is fully invested, 0 flat, negative short. Acts only on a change.
    ///
    /// # Errors
    /// Every rule this breaks; nothing has changed.
    fn target(
        &mut self,
        instrument: InstrumentIndex,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Vec<Violation>>;

    /// Closes what is held at market and cancels its orders.
    ///
    /// # Errors
    /// Every rule this breaks; nothing has changed.
    fn close(&mut self, instrument: InstrumentIndex) -> Result<Option<Acceptance>, Vec<Violation>>;

    /// Asks for a call of `on_timer` at a market time.
    ///
    /// # Errors
    /// When the time has come already, or there are too many timers.
    fn set_timer(&mut self, at: Timestamp) -> Result<TimerId, TimerError>;

    /// Takes a timer back; false if it was not waiting.
    fn cancel_timer(&mut self, timer: TimerId) -> bool;

    /// Writes a line into the journal.
    fn log(&mut self, level: Level, message: &str);

    /// Records a number under a name.
    fn metric(&mut self, name: &str, value: f64);

    /// Adds a key and a value to the decision being recorded.
    fn annotate(&mut self, key: &str, value: &str);
}

/// The host, as a component reaches it.
#[doc(hidden)]
#[derive(Debug)]
pub struct HostDesk;

impl Desk for HostDesk {
    fn history(&self, instrument: InstrumentIndex, count: u32) -> Result<Columns, MarketError> {
        market::history(instrument, count)
    }

    fn latest_quote(&self, instrument: InstrumentIndex) -> Result<Option<Quote>, MarketError> {
        market::latest_quote(instrument)
    }

    fn equity(&self) -> f64 {
        account::equity()
    }

    fn cash(&self) -> f64 {
        account::cash()
    }

    fn position(&self, instrument: InstrumentIndex) -> Option<Position> {
        account::position_of(instrument)
    }

    fn open_orders(&self) -> Vec<OpenOrder> {
        account::open_orders()
    }

    fn submit(&mut self, request: &OrderRequest) -> Result<Acceptance, Vec<Violation>> {
        orders::submit(request)
    }

    fn cancel(&mut self, order: OrderId) -> Result<(), Vec<Violation>> {
        orders::cancel(order)
    }

    fn replace(&mut self, order: OrderId, change: Replacement) -> Result<Acceptance, Vec<Violation>> {
        orders::replace(order, change)
    }

    fn target(
        &mut self,
        instrument: InstrumentIndex,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Vec<Violation>> {
        orders::target(instrument, fraction, stop)
    }

    fn close(&mut self, instrument: InstrumentIndex) -> Result<Option<Acceptance>, Vec<Violation>> {
        orders::close(instrument)
    }

    fn set_timer(&mut self, at: Timestamp) -> Result<TimerId, TimerError> {
        timers::set(at)
    }

    fn cancel_timer(&mut self, timer: TimerId) -> bool {
        timers::cancel(timer)
    }

    fn log(&mut self, level: Level, message: &str) {
        journal::log(level, message);
    }

    fn metric(&mut self, name: &str, value: f64) {
        journal::metric(name, value);
    }

    fn annotate(&mut self, key: &str, value: &str) {
        journal::annotate(key, value);
    }
}
