use tiltyard_engine::venue::Latency;
use tiltyard_engine::{Log, MarginTerms, SeatError, SetupError, TapeFeed, TapeSimulation, Terms};
use tiltyard_model::tape::{DepthChange, Level, Print, Quote, Stamped, TapeEvent};
use tiltyard_model::{Decimal, Instrument, InstrumentKind, MarginRules, Money, Nanos, Price, Qty, Side, decimal};
use tiltyard_risk::RiskProfile;
use tiltyard_sdk::Value;

use crate::native::NativeStrategy;
use crate::played::Played;
use crate::trial::{TrialError, start};

/// What a venue publishes of an instrument, made for a test: event by event, each with its time in milliseconds.
///
/// The instrument is a perpetual with ticks of 0.01, lots of 0.001, a leverage of 10, fees of 2 basis points for makers and 5 for
/// takers. Prices and sizes that are no numbers count as 0.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    events: Vec<Stamped>,
}

fn exact(number: f64) -> Decimal {
    decimal(number).unwrap_or_default()
}

fn level((price, size): (f64, f64)) -> Level {
    Level { price: Price(exact(price)), size: Qty(exact(size)) }
}

impl Tape {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The best bid and ask, each with its size.
    #[must_use]
    pub fn quote(self, ms: i64, bid: (f64, f64), ask: (f64, f64)) -> Self {
        self.push(ms, TapeEvent::Quote(Quote { bid: Some(level(bid)), ask: Some(level(ask)) }))
    }

    /// The whole book.
    #[must_use]
    pub fn book(self, ms: i64, bids: &[(f64, f64)], asks: &[(f64, f64)]) -> Self {
        let levels = |levels: &[(f64, f64)]| levels.iter().copied().map(level).collect();
        self.push(ms, TapeEvent::Depth(DepthChange { bids: levels(bids), asks: levels(asks), whole: true }))
    }

    /// Somebody sells so much at this price to those who bid it.
    #[must_use]
    pub fn sold(self, ms: i64, price: f64, quantity: f64) -> Self {
        self.print(ms, price, quantity, Side::Sell)
    }

    /// Somebody buys so much at this price of those who ask it.
    #[must_use]
    pub fn bought(self, ms: i64, price: f64, quantity: f64) -> Self {
        self.print(ms, price, quantity, Side::Buy)
    }

    fn print(self, ms: i64, price: f64, quantity: f64, aggressor: Side) -> Self {
        let (price, quantity) = (Price(exact(price)), Qty(exact(quantity)));
        self.push(ms, TapeEvent::Print(Print { price, quantity, aggressor }))
    }

    fn push(mut self, ms: i64, event: TapeEvent) -> Self {
        let received = Nanos(ms * 1_000_000);
        let update = Some(self.events.len() as u64).filter(|_| !matches!(event, TapeEvent::Print(_)));
        self.events.push(Stamped { received, happened: Some(received), update, event });
        self
    }

    /// Plays the tape to a strategy with these parameters, natively and with so much cash; orders arrive at once.
    ///
    /// # Errors
    /// When it does not start.
    pub fn play<T: tiltyard_sdk::Strategy>(
        &self,
        cash: u32,
        parameters: &[(&str, Value)],
    ) -> Result<Played, TrialError> {
        let simulation = TapeSimulation {
            instruments: vec![instrument()],
            latency: Latency::default(),
            risk: RiskProfile::research(),
            margin: MarginTerms::default(),
            seed: 0,
            begin: self.events.first().map_or(Nanos(0), |first| first.received),
            sampling: TapeSimulation::SAMPLING,
            days_per_year: 365.0,
        };
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let start = start::<T::Params>(&simulation.listed(), &parameters)?;
        let strategy = NativeStrategy(T::new(&start).map_err(TrialError::Init)?);
        let refused = |error: SetupError| TrialError::Market(error.to_string());
        let mut kernel = simulation.kernel(Log::keeping()).map_err(refused)?;
        let terms = Terms::new(T::MANIFEST.name, Money(Decimal::from(cash)), None);
        kernel.seat(terms, |_| Ok::<_, SetupError>(strategy)).map_err(|error| match error {
            SeatError::Setup(error) | SeatError::Start(error) => refused(error),
        })?;
        let outcome = kernel.run(&mut TapeFeed::new([self.events.iter().cloned()]));
        Ok(Played::new(&outcome.books, Vec::new()))
    }
}

fn instrument() -> Instrument {
    Instrument {
        symbol: "TEST".to_owned(),
        venue: "test".to_owned(),
        kind: InstrumentKind::Perpetual,
        base: "TEST".to_owned(),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 0.0,
        maker_fee: 0.0002,
        taker_fee: 0.0005,
        max_leverage: 10.0,
        margin: MarginRules::default(),
    }
}
