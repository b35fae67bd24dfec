use std::convert::Infallible;

use tiltyard_model::tape::{self, Stamped, TapeEvent};
use tiltyard_model::{
    Bar, Columns, Decimal, Instrument, InstrumentIndex, MONEY_SCALE, Nanos, Quote, Specification, SpecificationError,
    Trade,
};
use tiltyard_risk::{
    AccountGuard, AccountState, Correlations, OrderError, RiskProfile, StrategyState, Trouble, Venture,
};

use crate::books::Books;
use crate::clearing::{Clearing, Message};
use crate::desk::TradingDesk;
use crate::event::{Event, Log};
use crate::execution::StrategyIndex;
use crate::feed::{Feed, MarketEvent, Step};
use crate::floor::{Floor, Sampling, Seat};
use crate::margin::MarginTerms;
use crate::market::Market;
use crate::oversight::Overseer;
use crate::strategy::Strategy;
use crate::terms::Terms;
use crate::timers::Timers;
use crate::venue::Venue;

/// What a kernel is made of, apart from its strategies.
#[derive(Debug)]
pub struct Setup<V> {
    /// What is traded, and the lengths of its bars.
    pub instruments: Vec<(Instrument, Nanos)>,
    /// Where orders go.
    pub venue: V,
    /// The limits that every order passes.
    pub risk: RiskProfile,
    /// What money is at stake.
    pub venture: Venture,
    /// On what margin perpetuals are held.
    pub margin: MarginTerms,
    /// Where the account stood before a restart; if absent it begins as an active one.
    pub guard: Option<AccountGuard>,
    /// Who is asked before an order that opens or adds, and told of what happened; in a simulation nobody.
    pub overseer: Option<Box<dyn Overseer>>,
    /// Whether every event is kept, or only the digest of them.
    pub log: Log,
    /// When the run begins: what strategies take for the time while they start.
    pub begin: Nanos,
}

/// A strategy with what the kernel has to know about it.
#[derive(Debug)]
pub struct Player<S> {
    /// The strategy.
    pub strategy: S,
    /// On what terms it trades.
    pub terms: Terms,
}

/// Why a kernel cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetupError {
    /// An instrument whose rules make no sense.
    #[error(transparent)]
    Specification(#[from] SpecificationError),
    /// Not an amount to begin with.
    #[error("cash is {0}; it must be from 0 to 1000000000000, with at most 8 decimals")]
    Cash(Decimal),
    /// Limits that make no sense.
    #[error("the risk profile is not valid: {}", .0.join("; "))]
    Risk(Vec<String>),
    /// A leverage that the venue does not allow.
    #[error("{symbol}: a leverage of {leverage} is not allowed; it takes 1 to {most}")]
    Leverage {
        /// The instrument.
        symbol: String,
        /// What was chosen.
        leverage: Decimal,
        /// The most that the venue allows.
        most: Decimal,
    },
    /// A bar that has no length.
    #[error("{symbol}: bars of {interval} are none; give a length of more than 0")]
    Interval {
        /// The instrument.
        symbol: String,
        /// What was given.
        interval: Nanos,
    },
}

/// Why a strategy has no seat.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SeatError<E> {
    /// What the kernel was given makes no sense.
    #[error(transparent)]
    Setup(SetupError),
    /// The strategy does not start.
    #[error(transparent)]
    Start(E),
}

/// The kernel: feed → venue → ledger → strategy → risk → venue, at every instant in this order.
///
/// It is the same in backtest, paper and live. Clock and market come from the [`Feed`], orders go to the [`Venue`], and
/// nothing in between knows which ones they are.
#[derive(Debug)]
pub struct Kernel<V, S: Strategy<TradingDesk<V>>> {
    desk: TradingDesk<V>,
    players: Vec<Playing<S, S::Fault>>,
    over: bool,
}

#[derive(Debug)]
struct Playing<S, F> {
    strategy: S,
    fault: Option<F>,
}

/// What a run has come to.
#[derive(Debug)]
pub struct Outcome<F> {
    /// What is known of each strategy.
    pub books: Books,
    /// How each strategy stopped, if not well.
    pub faults: Vec<Option<F>>,
}

impl<V: Venue, S: Strategy<TradingDesk<V>>> Kernel<V, S> {
    /// A kernel before its first instant, with these strategies.
    ///
    /// # Errors
    /// When an instrument, an amount of cash or a limit makes no sense.
    pub fn new(setup: Setup<V>, players: Vec<Player<S>>) -> Result<Self, SetupError> {
        let mut kernel = Self::empty(setup)?;
        for Player { strategy, terms } in players {
            kernel.seat(terms, |_| Ok::<_, Infallible>(strategy)).map_err(|error| match error {
                SeatError::Setup(error) => error,
                SeatError::Start(never) => match never {},
            })?;
        }
        Ok(kernel)
    }

    /// A kernel before its first instant, without strategies.
    ///
    /// # Errors
    /// When an instrument or a limit makes no sense.
    pub fn empty(setup: Setup<V>) -> Result<Self, SetupError> {
        let market = Market::new(&setup.instruments, setup.margin.leverage)?;
        for (instrument, interval) in &setup.instruments {
            if interval.0 <= 0 {
                return Err(SetupError::Interval { symbol: instrument.symbol.clone(), interval: *interval });
            }
            let most = Specification::new(instrument)?.max_leverage;
            let leverage = setup.margin.leverage.filter(|_| instrument.kind.is_margined());
            if let Some(leverage) = leverage.filter(|leverage| !(Decimal::ONE..=most).contains(leverage)) {
                return Err(SetupError::Leverage { symbol: instrument.symbol.clone(), leverage, most });
            }
        }
        let problems = setup.risk.problems_in(setup.venture);
        if !problems.is_empty() {
            return Err(SetupError::Risk(problems));
        }
        let mut clearing = Clearing::new(Books::new(setup.log), &market, setup.margin, setup.begin);
        clearing.is_overseen = setup.overseer.is_some();
        let floor = Floor {
            market,
            venue: setup.venue,
            clearing,
            risk: setup.risk,
            venture: setup.venture,
            correlations: Correlations::default(),
            correlated_on: None,
            clock: setup.begin,
            restored: setup.guard,
            overseer: setup.overseer,
            seats: Vec::new(),
            acting: StrategyIndex(0),
            open: false,
            next_timer: 1,
            sampling: Sampling { next: None, is_due: false },
        };
        Ok(Self { desk: TradingDesk(Some(Box::new(floor))), players: Vec::new(), over: false })
    }

    /// Gives a strategy its seat and its cash, then starts it with its desk.
    ///
    /// # Errors
    /// When the amount makes no sense or the strategy does not start; the kernel is of no use then.
    pub fn seat<E>(
        &mut self,
        terms: Terms,
        start: impl FnOnce(&mut TradingDesk<V>) -> Result<S, E>,
    ) -> Result<StrategyIndex, SeatError<E>> {
        let Terms { name, cash, host_stop, share, guard } = terms;
        let most = Decimal::from(1_000_000_000_000_u64);
        let too_fine = cash.0.normalize().scale() > MONEY_SCALE;
        if cash.0 < Decimal::ZERO || cash.0 > most || too_fine {
            return Err(SeatError::Setup(SetupError::Cash(cash.0)));
        }
        let strategy = StrategyIndex(self.players.len() as u32);
        if let Some(floor) = self.desk.0.as_deref_mut() {
            let kinds = floor.market.iter().map(|(_, listed)| listed.instrument.kind).collect();
            floor.clearing.seat(Event::Seated { strategy, cash, kinds });
            if let Some(guard) = guard {
                floor.clearing.record(Event::Kept { strategy, guard });
            }
            let limits = floor.market.iter().map(|(_, listed)| floor.risk.limits_for(&name, &listed.instrument.symbol));
            let limits = limits.collect();
            let overall = floor.risk.limits_for(&name, "");
            floor.seats.push(Seat { name, host_stop, share, overall, limits, timers: Timers::default() });
            floor.acting = strategy;
        }
        let started = start(&mut self.desk).map_err(SeatError::Start)?;
        self.players.push(Playing { strategy: started, fault: None });
        Ok(strategy)
    }

    /// Bars from before the run, for the strategies and for what the host works out of history. Call it before the first
    /// step, for each instrument once.
    pub fn warm_up(&mut self, instrument: InstrumentIndex, bars: &Columns) {
        let Some(floor) = self.desk.0.as_deref_mut() else { return };
        for bar in bars.iter() {
            floor.market.bar(instrument, &bar);
        }
        // Chunks that fit into what a sandbox lets pass in one call.
        const CHUNK: usize = 4_096;
        for from in (0..bars.len()).step_by(CHUNK) {
            let chunk = bars.slice(from..from + CHUNK);
            self.each(|strategy, desk| strategy.warm_up(desk, instrument, &chunk));
        }
    }

    /// Runs until the feed or every strategy has ended.
    pub fn run(mut self, feed: &mut impl Feed) -> Outcome<S::Fault> {
        let mut step = Step::default();
        while !self.over && feed.next(&mut step) {
            self.step(&step);
        }
        self.finish()
    }

    /// The same, and ends flat: at the last instant, after the strategies have spoken, their orders are cancelled and their
    /// positions closed at the last prices, with costs.
    pub fn run_to_flat(mut self, feed: &mut impl Feed) -> Outcome<S::Fault> {
        let (mut step, mut next) = (Step::default(), Step::default());
        let mut more = feed.next(&mut step);
        while !self.over && more {
            more = feed.next(&mut next);
            self.instant(&step, !more);
            std::mem::swap(&mut step, &mut next);
        }
        self.finish()
    }

    /// One instant, in the order that everything depends on.
    pub fn step(&mut self, step: &Step) {
        self.instant(step, false);
    }

    fn instant(&mut self, step: &Step, is_last: bool) {
        let of_tape = step.is_of_tape();
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.begin();
            if of_tape {
                floor.sample_before(step.time);
            }
            floor.market_moves(step);
            floor.safeguard();
            floor.tell();
        }
        self.strategies_act(step);
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.venue.settle(&floor.market, floor.clearing.now, &mut floor.clearing);
            if is_last {
                floor.close_out();
            }
            if !of_tape || is_last {
                floor.sample();
            }
            floor.tell();
            self.over = floor.is_over();
        }
    }

    /// Stops a strategy for good: its orders are cancelled, its positions closed by the profile's rules.
    pub fn halt(&mut self, strategy: StrategyIndex, cause: &str) {
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.halt(strategy, cause);
        }
    }

    /// Stops new risk of a strategy, which goes on with its exits.
    pub fn pause(&mut self, strategy: StrategyIndex, cause: &str) {
        if let Some(floor) = self.desk.0.as_deref_mut().filter(|floor| !floor.is_halted(strategy)) {
            floor.change(strategy, StrategyState::Paused, cause);
        }
    }

    /// A person lets a strategy trade again that was paused or halted, and says why. What it may lose is measured anew.
    ///
    /// # Errors
    /// [`OrderError`]; nothing changes then.
    pub fn resume_strategy(&mut self, strategy: StrategyIndex, reason: &str) -> Result<(), OrderError> {
        if reason.trim().is_empty() {
            return Err(OrderError::NoReason);
        }
        let Some(floor) = self.desk.0.as_deref_mut() else { return Err(OrderError::NothingToResume) };
        let state = floor.clearing.books.record_of(strategy).map(|record| record.guard.state());
        if state.is_none_or(|state| state == StrategyState::Active) {
            return Err(OrderError::NothingToResume);
        }
        floor.change(strategy, StrategyState::Active, reason);
        self.over = false;
        Ok(())
    }

    /// Puts the account into a state: [`AccountState::Reducing`] takes entries back and leaves exits, [`AccountState::Halted`] is
    /// the kill switch, which takes everything back, closes everything and halts every strategy.
    pub fn order(&mut self, state: AccountState, cause: &str) {
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.order(state, cause);
            floor.tell();
        }
    }

    /// A person resumes the account. Strategies that were halted with it stay so until each is resumed.
    ///
    /// # Errors
    /// [`OrderError`]; nothing changes then.
    pub fn resume(&mut self, reason: &str) -> Result<(), OrderError> {
        self.desk.0.as_deref_mut().map_or(Err(OrderError::NothingToResume), |floor| floor.resume(reason))
    }

    /// Takes every order back and closes every position. Strategies go on.
    pub fn flatten(&mut self) {
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.clearing.books.strategies().for_each(|strategy| floor.flatten(strategy, "flatten"));
        }
    }

    /// Something went wrong that the circuit breaker counts.
    pub fn trouble(&mut self, trouble: Trouble) {
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.trouble(trouble);
            floor.tell();
        }
    }

    /// Whether every strategy has stopped and closed its positions.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What is known so far.
    #[must_use]
    pub fn books(&self) -> Option<&Books> {
        self.desk.0.as_ref().map(|floor| &floor.clearing.books)
    }

    /// Ends the run.
    #[must_use]
    pub fn finish(mut self) -> Outcome<S::Fault> {
        let fuel = self.players.iter().map(|player| player.strategy.fuel_used()).collect();
        let mut books = Books::default();
        if let Some(mut floor) = self.desk.0.take() {
            floor.end_of_tapes();
            floor.clearing.record(Event::Finished { fuel });
            books = floor.clearing.books;
        }
        Outcome { books, faults: self.players.into_iter().map(|player| player.fault).collect() }
    }

    /// Calls every strategy that has not stopped, in order. One that faults is halted.
    fn each(&mut self, mut call: impl FnMut(&mut S, &mut TradingDesk<V>) -> Result<(), S::Fault>) {
        for at in 0..self.players.len() {
            self.call(at, &mut call);
        }
    }

    /// Calls one strategy, unless it has stopped; false if it has, or does now.
    fn call(&mut self, at: usize, call: impl FnOnce(&mut S, &mut TradingDesk<V>) -> Result<(), S::Fault>) -> bool {
        let index = StrategyIndex(at as u32);
        let player = &mut self.players[at];
        if let Some(floor) = self.desk.0.as_deref_mut() {
            if floor.is_halted(index) {
                return false;
            }
            floor.acting = index;
        }
        let Err(fault) = call(&mut player.strategy, &mut self.desk) else { return true };
        let message = fault.to_string();
        player.fault = Some(fault);
        if let Some(floor) = self.desk.0.as_deref_mut() {
            floor.clearing.record(Event::Fault { strategy: index, message });
            floor.halt(index, "fault");
            floor.trouble(Trouble::SandboxFault);
        }
        false
    }

    /// Every strategy hears what became of its orders, then what the market did, then, if bars closed, that all of them were delivered,
    /// then its timers: one strategy after the other.
    fn strategies_act(&mut self, step: &Step) {
        for at in 0..self.players.len() {
            self.act(at, step);
        }
    }

    fn act(&mut self, at: usize, step: &Step) {
        let messages = match self.desk.0.as_deref_mut() {
            Some(floor) => floor.clearing.inboxes.get_mut(at).map(std::mem::take).unwrap_or_default(),
            None => return,
        };
        for message in &messages {
            let alive = self.call(at, |strategy, desk| match message {
                Message::Fill(fill) => strategy.on_fill(desk, fill),
                Message::Order(update) => strategy.on_order(desk, update),
            });
            if !alive {
                return;
            }
        }
        for event in &step.events {
            let goes_on = match event {
                MarketEvent::Bar(instrument, bar) => self.bar(at, *instrument, bar),
                MarketEvent::Tape(instrument, stamped) => self.tape(at, *instrument, stamped),
                MarketEvent::Mark(..) | MarketEvent::Funding(..) | MarketEvent::Ended(_) => true,
            };
            if !goes_on {
                return;
            }
        }
        if !step.is_of_tape() && !self.call(at, |strategy, desk| strategy.on_step(desk, step.time)) {
            return;
        }
        while let Some(timer) = self.desk.0.as_deref_mut().and_then(|floor| floor.due(at)) {
            if !self.call(at, |strategy, desk| strategy.on_timer(desk, timer, step.time)) {
                return;
            }
        }
    }

    fn tape(&mut self, at: usize, instrument: InstrumentIndex, stamped: &Stamped) -> bool {
        match stamped.event {
            TapeEvent::Quote(tape::Quote { bid: Some(bid), ask: Some(ask) }) => {
                let quote = Quote::of(stamped.received, bid, ask);
                self.call(at, |strategy, desk| strategy.on_quote(desk, instrument, &quote))
            }
            TapeEvent::Print(print) => {
                let trade = Trade::of(stamped.received, print);
                self.call(at, |strategy, desk| strategy.on_trade(desk, instrument, &trade))
            }
            TapeEvent::Quote(_) | TapeEvent::Depth(_) => true,
        }
    }

    fn bar(&mut self, at: usize, instrument: InstrumentIndex, bar: &Bar) -> bool {
        self.call(at, |strategy, desk| {
            let target = strategy.on_bar(desk, instrument, bar)?;
            // NaN is "as before". A refusal is on the record; the signal will say the same again.
            if let Some(fraction) = target.filter(|fraction| !fraction.is_nan()) {
                let _ = tiltyard_model::Desk::target(desk, instrument, fraction, None);
            }
            Ok(())
        })
    }
}
