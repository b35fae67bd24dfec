use crate::{Bar, Columns, Desk, Fill, Instrument, InstrumentIndex, Manifest, OrderUpdate, Params, TimerId, Timestamp};

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

/// A strategy that acts on events and sends orders.
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

    /// A bar closed.
    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar);

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
