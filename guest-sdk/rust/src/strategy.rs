use crate::{
    Bar, Columns, Desk, Fill, Instrument, InstrumentIndex, Manifest, OrderUpdate, Params, Quote, Side, TimerId,
    Timestamp,
};

/// What a run is about.
#[derive(Debug, Clone)]
pub struct Start<P> {
    /// What is traded.
    pub instruments: Vec<Instrument>,
    /// Length of a bar of each instrument, in nanoseconds.
    pub bar_intervals: Vec<i64>,
    /// The currency of the account: of equity, cash, fees and profit.
    pub settlement: String,
    /// The parameters, within their bounds.
    pub params: P,
    /// For strategies that draw random numbers.
    pub seed: u64,
}

impl<P> Start<P> {
    /// The instrument and the length of its bars in nanoseconds, for a strategy that trades one.
    ///
    /// # Errors
    /// [`InitError::Instruments`] if there are more or fewer.
    pub fn only_instrument(&self) -> Result<(&Instrument, i64), InitError> {
        match (&self.instruments[..], &self.bar_intervals[..]) {
            ([instrument], [interval]) => Ok((instrument, *interval)),
            (others, _) => Err(InitError::Instruments(format!("one is needed, {} were given", others.len()))),
        }
    }
}

/// Why a strategy does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitError {
    /// A parameter does not go together with another, although it is within its bounds.
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong with it, such as "must be less than `slow`".
        problem: String,
    },
    /// Instruments or intervals it cannot trade, and why.
    Instruments(String),
    /// Anything else.
    Other(String),
}

/// A trade of others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// When it was received, in nanoseconds since 1970 UTC.
    pub time: Timestamp,
    /// In quote currency per unit of base currency.
    pub price: f64,
    /// In base currency.
    pub quantity: f64,
    /// What the taker did: `Buy` took from the asks.
    pub aggressor: Side,
}

/// A strategy that acts on events and sends orders.
///
/// One that is told of quotes and trades declares it in its manifest and in `register!`:
///
/// ```
/// use tiltyard_sdk::prelude::*;
///
/// params! { pub struct Params {} }
///
/// /// Buys one lot below every bid.
/// pub struct Patient {
///     tick: f64,
///     lot: f64,
/// }
///
/// impl Strategy for Patient {
///     type Params = Params;
///     const MANIFEST: Manifest = Manifest {
///         name: "patient",
///         version: "0.1.0",
///         description: "Waits a tick below the market.",
///         market_events: &MarketEvents::ALL,
///         hypothesis: "Somebody is always in a hurry.",
///         falsified_by: "Nobody comes.",
///         ..Manifest::DEFAULT
///     };
///
///     fn new(start: &Start<Params>) -> Result<Self, InitError> {
///         let (instrument, _) = start.only_instrument()?;
///         Ok(Self { tick: instrument.tick, lot: instrument.lot })
///     }
///
///     fn on_bar(&mut self, _: &mut impl Desk, _: InstrumentIndex, _: &Bar) {}
///
///     fn on_quote(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, quote: &Quote) {
///         if desk.open_orders().is_empty() {
///             let _ = desk.submit(&OrderRequest::limit(instrument, Side::Buy, self.lot, quote.bid - self.tick));
///         }
///     }
/// }
///
/// register!(tape: Patient);
/// ```
pub trait Strategy: Sized + 'static {
    /// Its parameters, declared with [`params!`](crate::params).
    type Params: Params;
    /// What it declares about itself.
    const MANIFEST: Manifest;

    /// Starts a run.
    ///
    /// # Errors
    /// When it cannot work with these parameters or instruments.
    fn new(start: &Start<Self::Params>) -> Result<Self, InitError>;

    /// Takes bars from before the run. Nothing can be ordered yet.
    fn warm_up(&mut self, instrument: InstrumentIndex, bars: &Columns) {
        let _ = (instrument, bars);
    }

    /// A bar closed. A strategy of quotes and trades has none on a tape.
    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar);

    /// The best bid or ask changed. Only a strategy with `register!(tape: …)` is told.
    fn on_quote(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, quote: &Quote) {
        let _ = (desk, instrument, quote);
    }

    /// Others traded. Only a strategy with `register!(tape: …)` is told.
    fn on_trade(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, trade: &Trade) {
        let _ = (desk, instrument, trade);
    }

    /// All bars that closed at this instant were delivered.
    fn on_step(&mut self, desk: &mut impl Desk, time: Timestamp) {
        let _ = (desk, time);
    }

    /// An order traded.
    fn on_fill(&mut self, desk: &mut impl Desk, fill: &Fill) {
        let _ = (desk, fill);
    }

    /// An order changed.
    fn on_order(&mut self, desk: &mut impl Desk, update: &OrderUpdate) {
        let _ = (desk, update);
    }

    /// A timer is due.
    fn on_timer(&mut self, desk: &mut impl Desk, timer: TimerId, at: Timestamp) {
        let _ = (desk, timer, at);
    }
}

/// A strategy that is a pure function of one instrument's bars.
pub trait Signal: Sized + 'static {
    /// Its parameters, declared with [`params!`](crate::params).
    type Params: Params;
    /// What it declares about itself.
    const MANIFEST: Manifest;

    /// Starts a run.
    ///
    /// # Errors
    /// When it cannot work with these parameters or instruments.
    fn new(start: &Start<Self::Params>) -> Result<Self, InitError>;

    /// A bar closed: the fraction of equity to hold from now on. 1 is fully invested, 0 flat, negative short, NaN "as
    /// before".
    fn target(&mut self, bar: &Bar) -> f64;

    /// Takes bars from before the run. By default they are answered like any other and the answers dropped.
    fn warm_up(&mut self, bars: &Columns) {
        for bar in bars.iter() {
            self.target(&bar);
        }
    }
}
