use serde::{Deserialize, Serialize};

use crate::{
    Acceptance, Columns, InstrumentIndex, Nanos, OpenOrder, OrderId, OrderRequest, Position, Replacement, Side,
    StopLoss, Violation, tape,
};

/// A timer, unique within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

/// How much a journal line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the author while looking for a mistake.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is off.
    Warn,
    /// Something went wrong.
    Error,
}

/// The best bid and ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quote {
    /// When it was received.
    pub time: Nanos,
    /// Best price someone buys at.
    pub bid: f64,
    /// Base currency wanted at `bid`.
    pub bid_quantity: f64,
    /// Best price someone sells at.
    pub ask: f64,
    /// Base currency offered at `ask`.
    pub ask_quantity: f64,
}

impl Quote {
    /// What a strategy sees of the best levels.
    #[must_use]
    pub fn of(time: Nanos, bid: tape::Level, ask: tape::Level) -> Self {
        let [bid_quantity, ask_quantity] = [bid, ask].map(|level| level.size.to_f64());
        Self { time, bid: bid.price.to_f64(), bid_quantity, ask: ask.price.to_f64(), ask_quantity }
    }
}

/// A trade of others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// When it was received.
    pub time: Nanos,
    /// In quote currency per unit of base currency.
    pub price: f64,
    /// In base currency.
    pub quantity: f64,
    /// What the taker did: `Buy` took from the asks.
    pub aggressor: Side,
}

impl Trade {
    /// What a strategy sees of a print.
    #[must_use]
    pub fn of(time: Nanos, print: tape::Print) -> Self {
        let tape::Print { price, quantity, aggressor } = print;
        Self { time, price: price.to_f64(), quantity: quantity.to_f64(), aggressor }
    }
}

/// Why a question about the market has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// No instrument has this index.
    #[error("no instrument has index {0}")]
    UnknownInstrument(InstrumentIndex),
    /// More bars than one call may return.
    #[error("at most {0} bars in one call")]
    TooManyBars(u32),
}

/// Why a timer was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimerError {
    /// The time is not after the current market time, which is the payload.
    #[error("the time is not after {0}, the current market time")]
    NotInFuture(Nanos),
    /// The strategy has as many timers as it may.
    #[error("at most {0} timers")]
    TooMany(u32),
}

/// What a strategy may see and do: its only way to the world.
///
/// The kernel keeps one desk for each strategy. The sandbox lends it to the guest for the length of a call and has
/// checked every limit on bytes, lines, orders and timers before a method is reached; what an answer *means* is the
/// desk's to decide.
pub trait Desk {
    /// The current market time. It is also what the guest's clocks read.
    fn now(&self) -> Nanos;

    /// The latest closed bars of an instrument, oldest first: `count`, or as many as there have been. The strategy is
    /// charged for `count` bars, so this must not take longer than that is worth.
    ///
    /// # Errors
    /// When no instrument has this index.
    fn history(&self, instrument: InstrumentIndex, count: u32) -> Result<Columns, MarketError>;

    /// The latest quote, if the market delivers quotes.
    ///
    /// # Errors
    /// When no instrument has this index.
    fn latest_quote(&self, instrument: InstrumentIndex) -> Result<Option<Quote>, MarketError>;

    /// Cash plus positions at the current mark, in settlement currency.
    fn equity(&self) -> f64;

    /// Cash, in settlement currency.
    fn cash(&self) -> f64;

    /// What is held of an instrument; `None` if no instrument has this index.
    fn position(&self, instrument: InstrumentIndex) -> Option<Position>;

    /// Orders that have not ended, in the order they were accepted.
    fn open_orders(&self) -> Vec<OpenOrder>;

    /// Sends an order.
    ///
    /// # Errors
    /// Every rule the order breaks; nothing has changed.
    fn submit(&mut self, request: OrderRequest) -> Result<Acceptance, Vec<Violation>>;

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

    /// Holds this fraction of equity, acting only on a change.
    ///
    /// # Errors
    /// Every rule this breaks; nothing has changed.
    fn target(
        &mut self,
        instrument: InstrumentIndex,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Vec<Violation>>;

    /// Closes what is held and cancels its orders.
    ///
    /// # Errors
    /// Every rule this breaks; nothing has changed.
    fn close(&mut self, instrument: InstrumentIndex) -> Result<Option<Acceptance>, Vec<Violation>>;

    /// Asks for a call at a market time.
    ///
    /// # Errors
    /// When the time has come already or there are too many timers.
    fn set_timer(&mut self, at: Nanos) -> Result<TimerId, TimerError>;

    /// Takes a timer back; false if it was not waiting.
    fn cancel_timer(&mut self, timer: TimerId) -> bool;

    /// Takes a journal line, already bounded and free of control characters.
    fn log(&mut self, level: Level, message: &str);

    /// Takes a number under a name.
    fn metric(&mut self, name: &str, value: f64);

    /// Takes a key and a value for the decision being recorded.
    fn annotate(&mut self, key: &str, value: &str);
}
