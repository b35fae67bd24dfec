use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Columns, Instrument, InstrumentIndex, Nanos};
use tiltyard_risk::{RiskProfile, Venture};

use crate::desk::TradingDesk;
use crate::event::Log;
use crate::feed::{BarFeed, Feed, Lane, PerpetualSeries};
use crate::kernel::{Kernel, Outcome};
use crate::margin::MarginTerms;
use crate::metrics::Basis;
use crate::setup::{Setup, SetupError};
use crate::strategy::Strategy;
use crate::venue::{BacktestingPy, Conservative, Costs, FillRules, Latency, NautilusBar, SimulatedVenue, Vectorbt};

/// A market and the rules to trade it by: all that the results of a run depend on, but for its strategies.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// What is traded. The data is shared, not copied, by simulations of the same market.
    pub market: Vec<Traded>,
    /// Which part of the data is played.
    pub window: Window,
    /// How fills are made.
    pub profile: Profile,
    /// What taking costs.
    pub costs: Costs,
    /// How long orders take.
    pub latency: Latency,
    /// The limits that every order passes.
    pub risk: RiskProfile,
    /// On what margin perpetuals, and spot that is traded on margin, are held.
    pub margin: MarginTerms,
    /// Where latencies are drawn from, and what strategies draw from.
    pub seed: u64,
    /// Days of trading a year, for metrics: 365, or 252 for equities.
    pub days_per_year: f64,
}

/// An instrument of a simulation and its bars.
#[derive(Debug, Clone)]
pub struct Traded {
    /// The instrument.
    pub instrument: Instrument,
    /// The length of a bar.
    pub interval: Nanos,
    /// The bars, by rising open time.
    pub bars: Arc<Columns>,
    /// Whether the instrument ends with its last bar: then what is held is closed there.
    pub ends: bool,
    /// Marks and funding of a perpetual.
    pub perpetual: PerpetualSeries,
}

/// A part of the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Bars that close after this time are played; all, if absent.
    pub from: Option<Nanos>,
    /// Bars that close at this time or earlier are played; all, if absent.
    pub to: Option<Nanos>,
    /// How many of the bars before the first that is played strategies are warmed up with, as far as there are any.
    pub warm_up_bars: usize,
    /// Whether the run ends flat, what is held being closed at the window's last prices with costs: so that windows which follow
    /// each other can be strung together without a free exit at every seam.
    #[serde(default)]
    pub close_at_end: bool,
}

/// The named sets of fill rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Errs against the strategy.
    #[default]
    Conservative,
    /// As backtesting.py 0.6 fills.
    BacktestingPy,
    /// As vectorbt 1.2 fills what its `from_signals` is told.
    Vectorbt,
    /// As NautilusTrader 1.231 fills on bars.
    NautilusBar,
}

impl Profile {
    /// Every profile there is.
    pub const ALL: [Self; 4] = [Self::Conservative, Self::BacktestingPy, Self::Vectorbt, Self::NautilusBar];

    /// Its rules, with these costs.
    #[must_use]
    pub fn rules(self, costs: Costs) -> Box<dyn FillRules> {
        match self {
            Self::Conservative => Box::new(Conservative { costs }),
            Self::BacktestingPy => Box::new(BacktestingPy { costs }),
            Self::Vectorbt => Box::new(Vectorbt { costs }),
            Self::NautilusBar => Box::new(NautilusBar { costs }),
        }
    }

    /// What taking costs where nobody says: those of the default profile, and none in those that other engines are compared by.
    #[must_use]
    pub fn default_costs(self) -> Costs {
        match self {
            Self::Conservative => Costs::default(),
            Self::BacktestingPy | Self::Vectorbt | Self::NautilusBar => Costs::none(),
        }
    }
}

/// A part of the data that cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The window ends before it begins.
    #[error("the window ends at {to} and begins at {from}; it must end later")]
    Backwards {
        /// Where it begins.
        from: Nanos,
        /// Where it ends.
        to: Nanos,
    },
    /// No bar of an instrument lies in it.
    #[error("no bar of {symbol} lies in the window; its data goes from {first} to {last}")]
    Empty {
        /// The instrument.
        symbol: String,
        /// When its first bar opens.
        first: Nanos,
        /// When its last bar closes.
        last: Nanos,
    },
}

impl Simulation {
    /// A kernel for this market, without strategies yet.
    ///
    /// # Errors
    /// When an instrument or a limit makes no sense.
    pub fn kernel<S: Strategy<TradingDesk<SimulatedVenue>>>(
        &self,
        log: Log,
    ) -> Result<Kernel<SimulatedVenue, S>, SetupError> {
        let rules = self.profile.rules(self.costs);
        Kernel::empty(Setup {
            instruments: self.instruments(),
            venue: SimulatedVenue::new(rules, self.latency, self.seed, self.market.len()),
            risk: self.risk.clone(),
            venture: Venture::Simulated,
            margin: self.margin,
            guard: None,
            overseer: None,
            log,
            begin: self.basis().begin,
        })
    }

    /// Warms the kernel's strategies up and plays the window.
    pub fn play<S: Strategy<TradingDesk<SimulatedVenue>>>(
        &self,
        kernel: Kernel<SimulatedVenue, S>,
    ) -> Outcome<S::Fault> {
        self.play_feed(kernel, &mut self.feed())
    }

    /// The same with another feed of the same market.
    pub fn play_feed<S: Strategy<TradingDesk<SimulatedVenue>>>(
        &self,
        mut kernel: Kernel<SimulatedVenue, S>,
        feed: &mut impl Feed,
    ) -> Outcome<S::Fault> {
        for (index, traded) in (0..).map(InstrumentIndex).zip(&self.market) {
            let warm_up = traded.warm_up(&self.window);
            if !warm_up.is_empty() {
                kernel.warm_up(index, &warm_up);
            }
        }
        if self.window.close_at_end { kernel.run_to_flat(feed) } else { kernel.run(feed) }
    }

    /// The bars of the window.
    #[must_use]
    pub fn feed(&self) -> BarFeed {
        BarFeed::new(self.market.iter().map(|traded| traded.lane(&self.window)).collect())
    }

    /// What is traded, and the lengths of its bars.
    #[must_use]
    pub fn instruments(&self) -> Vec<(Instrument, Nanos)> {
        self.market.iter().map(|traded| (traded.instrument.clone(), traded.interval)).collect()
    }

    /// Whether there is something to play for every instrument.
    ///
    /// # Errors
    /// When there is not.
    pub fn check_window(&self) -> Result<(), WindowError> {
        if let Window { from: Some(from), to: Some(to), .. } = self.window
            && to <= from
        {
            return Err(WindowError::Backwards { from, to });
        }
        for traded in &self.market {
            let lane = traded.lane(&self.window);
            if lane.from >= lane.to {
                let times = traded.bars.open_time();
                return Err(WindowError::Empty {
                    symbol: traded.instrument.symbol.clone(),
                    first: times.first().copied().map(Nanos).unwrap_or_default(),
                    last: times.last().copied().map(Nanos).unwrap_or_default() + traded.interval,
                });
            }
        }
        Ok(())
    }

    /// What metrics depend on beside the record of a strategy.
    #[must_use]
    pub fn basis(&self) -> Basis {
        let lanes = self.market.iter().map(|traded| traded.lane(&self.window));
        let begin = lanes.filter_map(|lane| lane.bars.open_time().get(lane.from).copied()).min();
        Basis {
            begin: self.window.from.unwrap_or_default().max(Nanos(begin.unwrap_or_default())),
            interval: self.market.iter().map(|traded| traded.interval).min().unwrap_or_default(),
            sampled: false,
            days_per_year: self.days_per_year,
        }
    }
}

impl Traded {
    /// The bars of the window.
    #[must_use]
    pub fn lane(&self, window: &Window) -> Lane {
        let times = self.bars.open_time();
        let closed = |open: &i64, time: Nanos| Nanos(*open) + self.interval <= time;
        let from = window.from.map_or(0, |from| times.partition_point(|open| closed(open, from)));
        let to = window.to.map_or(times.len(), |to| times.partition_point(|open| closed(open, to)));
        let to = to.max(from);
        // An instrument ends only if its last bar is played.
        Lane {
            bars: Arc::clone(&self.bars),
            interval: self.interval,
            from,
            to,
            ends: self.ends && to == times.len(),
            perpetual: self.perpetual.clone(),
        }
    }

    /// The bars right before the window: all of them had closed by its beginning.
    fn warm_up(&self, window: &Window) -> Columns {
        let end = self.lane(window).from;
        self.bars.slice(end.saturating_sub(window.warm_up_bars)..end)
    }
}
