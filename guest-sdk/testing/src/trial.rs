use std::sync::{Arc, Mutex};

use tiltyard_engine::venue::{Costs, Latency, SimulatedVenue};
use tiltyard_engine::{Log, Profile, SeatError, SetupError, Simulation, Strategy, Terms, TradingDesk, Window};
use tiltyard_model::{Decimal, HostStop, Instrument, Money, Nanos};
use tiltyard_risk::RiskProfile;
use tiltyard_sdk::{InitError, Manifest, Param, Params, Signal, Start, Value};

use crate::convert;
use crate::market::Market;
use crate::native::{NativeSignal, NativeStrategy};
use crate::played::Played;

/// One run of a strategy over markets made for a test, with the default profile and costs.
#[derive(Debug, Clone)]
pub struct Trial {
    markets: Vec<Market>,
    parameters: Vec<(String, Value)>,
    cash: u32,
    costs: Costs,
}

/// Why a trial does not run.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialError {
    /// The strategy does not start.
    Init(InitError),
    /// A parameter that is not declared, is of another kind or out of its bounds: as the host would refuse it.
    Parameter(String),
    /// The market makes no sense.
    Market(String),
}

impl Trial {
    /// A trial on one market, with a million to begin with.
    #[must_use]
    pub fn new(market: Market) -> Self {
        Self { markets: vec![market], parameters: Vec::new(), cash: 1_000_000, costs: Costs::default() }
    }

    /// With another market beside the others.
    #[must_use]
    pub fn and(mut self, market: Market) -> Self {
        self.markets.push(market);
        self
    }

    /// With a value for a parameter: `Value::Integer`, `Value::Real`, `Value::Flag` or `Value::Text`.
    #[must_use]
    pub fn param(mut self, name: &str, value: Value) -> Self {
        self.parameters.push((name.to_owned(), value));
        self
    }

    /// With other cash.
    #[must_use]
    pub fn cash(mut self, cash: u32) -> Self {
        self.cash = cash;
        self
    }

    /// Without slippage; fees are the market's.
    #[must_use]
    pub fn without_slippage(mut self) -> Self {
        self.costs = Costs::none();
        self
    }

    /// Runs a strategy that sends orders.
    ///
    /// # Errors
    /// When it does not start.
    pub fn strategy<T: tiltyard_sdk::Strategy>(&self) -> Result<Played, TrialError> {
        let start = self.start::<T::Params>()?;
        let strategy = T::new(&start).map_err(TrialError::Init)?;
        self.play(NativeStrategy(strategy), &T::MANIFEST, Arc::default())
    }

    /// Runs a signal strategy.
    ///
    /// # Errors
    /// When it does not start.
    pub fn signal<T: Signal>(&self) -> Result<Played, TrialError> {
        let start = self.start::<T::Params>()?;
        let signal = T::new(&start).map_err(TrialError::Init)?;
        let targets = Arc::default();
        self.play(NativeSignal { signal, targets: Arc::clone(&targets) }, &T::MANIFEST, targets)
    }

    fn start<P: Params>(&self) -> Result<Start<P>, TrialError> {
        let traded = self.markets.iter().map(Market::traded).map(|traded| (traded.instrument, traded.interval));
        start(&traded.collect::<Vec<_>>(), &self.parameters)
    }

    fn play<S: Strategy<TradingDesk<SimulatedVenue>>>(
        &self,
        strategy: S,
        manifest: &Manifest,
        targets: Arc<Mutex<Vec<f64>>>,
    ) -> Result<Played, TrialError> {
        let simulation = Simulation {
            market: self.markets.iter().map(Market::traded).collect(),
            window: Window::default(),
            profile: Profile::default(),
            costs: self.costs,
            latency: Latency::default(),
            risk: RiskProfile::research(),
            seed: 0,
            days_per_year: 365.0,
            margin: tiltyard_engine::MarginTerms::default(),
        };
        let refused = |error: SetupError| TrialError::Market(error.to_string());
        let mut kernel = simulation.kernel(Log::keeping()).map_err(refused)?;
        let host_stop = manifest
            .host_stop
            .as_ref()
            .and_then(|stop| Some(HostStop { atr_multiple: stop.atr_multiple.parse().ok()?, atr_bars: stop.atr_bars }));
        let cash = Money(Decimal::from(self.cash));
        kernel.seat(Terms::new(manifest.name, cash, host_stop), |_| Ok::<_, SetupError>(strategy)).map_err(
            |error| match error {
                SeatError::Setup(error) | SeatError::Start(error) => refused(error),
            },
        )?;
        let outcome = simulation.play(kernel);
        let targets = targets.lock().map(|targets| targets.clone()).unwrap_or_default();
        Ok(Played::new(&outcome.books, targets))
    }
}

/// What a strategy is told at its start.
pub(crate) fn start<P: Params>(
    instruments: &[(Instrument, Nanos)],
    parameters: &[(String, Value)],
) -> Result<Start<P>, TrialError> {
    for (name, value) in parameters {
        let declared = P::SCHEMA.iter().find(|parameter| parameter.name == name);
        let within = declared.is_some_and(|declared| is_within(declared, value));
        if !within {
            return Err(TrialError::Parameter(format!("`{name}` = {value:?} is not declared or out of bounds")));
        }
    }
    let params = P::from_values(parameters)
        .map_err(|name| TrialError::Parameter(format!("`{name}` is not declared, or its value is of another kind")))?;
    Ok(Start {
        instruments: instruments.iter().map(|(instrument, _)| convert::instrument(instrument)).collect(),
        bar_intervals: instruments.iter().map(|(_, interval)| interval.0).collect(),
        settlement: "USD".to_owned(),
        params,
        seed: 0,
    })
}

/// Whether a host would take this value for a parameter, as far as bounds go.
fn is_within(declared: &Param, value: &Value) -> bool {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        Value::Flag(_) | Value::Text(_) => return true,
    };
    let bound = |text: &str| text.replace('_', "").parse::<f64>().ok();
    declared.bounds.is_none_or(|bounds| {
        bound(bounds.min).is_none_or(|min| number >= min) && bound(bounds.max).is_none_or(|max| number <= max)
    })
}
