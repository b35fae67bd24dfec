use tiltyard_model::{
    Acceptance, Bar, Columns, Desk, Digest, Digester, InstrumentIndex, Level, MarketError, Nanos, OpenOrder, OrderId,
    OrderRequest, Position, Quote, Replacement, Start, StopLoss, TimerError, TimerId, Violation,
};
use tiltyard_sandbox::{Component, Fault, Limits, StartError};

/// A desk that writes down what a strategy asks for and trades nothing.
///
/// It takes every request, fills none, and holds the bars it is given as history. Two runs are the same exactly if
/// their tapes have the same digest.
#[derive(Debug, Clone, Default)]
pub struct Tape(
    /// Boxed, because a desk is moved into the sandbox and back on every call. Absent while it is there.
    Option<Box<Reel>>,
);

#[derive(Debug, Clone, Default)]
struct Reel {
    now: Nanos,
    cash: f64,
    histories: Vec<Columns>,
    requests: u64,
    timers: Vec<TimerId>,
    next_timer: u64,
    lines: Vec<String>,
    digester: Digester,
}

impl Tape {
    /// The cash that a played strategy is told it has, in settlement currency.
    pub const CASH: f64 = 1_000_000.0;
    /// Lines that are kept; the digest covers all of them.
    pub const MAX_LINES: usize = 10_000;

    /// An empty tape for this many instruments and this much cash.
    #[must_use]
    pub fn new(instruments: usize, cash: f64) -> Self {
        Self(Some(Box::new(Reel { cash, histories: vec![Columns::default(); instruments], ..Reel::default() })))
    }

    /// Takes a bar that closes at `time` into the history.
    pub fn bar(&mut self, time: Nanos, instrument: InstrumentIndex, bar: &Bar) {
        let reel = self.reel_mut();
        reel.now = time;
        if let Some(history) = reel.histories.get_mut(instrument.0 as usize) {
            history.push(bar);
        }
    }

    /// Takes a signal strategy's answer.
    pub fn answer(&mut self, target: f64) {
        self.reel_mut().digester.text("answer").f64(target);
    }

    /// Requests to the `orders` interface so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.as_ref().map_or(0, |reel| reel.requests)
    }

    /// What was asked for and said, a line each, the first [`Tape::MAX_LINES`] of it.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |reel| &reel.lines)
    }

    /// The digest of all that was asked for, said and answered, in order.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.as_ref().map(|reel| reel.digester.clone()).unwrap_or_default().finish()
    }

    fn reel_mut(&mut self) -> &mut Reel {
        self.0.get_or_insert_default()
    }

    fn write(&mut self, line: String) {
        let reel = self.reel_mut();
        reel.digester.nanos(reel.now).text(&line);
        if reel.lines.len() < Self::MAX_LINES {
            reel.lines.push(line);
        }
    }

    fn request(&mut self, line: String) -> OrderId {
        self.write(line);
        let reel = self.reel_mut();
        reel.requests += 1;
        OrderId(reel.requests)
    }

    fn histories(&self) -> &[Columns] {
        self.0.as_ref().map_or(&[], |reel| &reel.histories)
    }

    fn known(&self, instrument: InstrumentIndex) -> Result<&Columns, Vec<Violation>> {
        self.histories().get(instrument.0 as usize).ok_or_else(|| {
            vec![Violation {
                rule: "unknown-instrument".to_owned(),
                actual: f64::from(instrument.0),
                limit: self.histories().len() as f64 - 1.0,
                unit: "index".to_owned(),
            }]
        })
    }
}

/// One run of a component over bars, with a tape for a desk.
#[derive(Debug)]
pub struct Played {
    /// What it asked for and said.
    pub tape: Tape,
    /// What it answered, if it is a signal.
    pub targets: Vec<f64>,
    /// Fuel used.
    pub fuel: u64,
    /// How it ended, if not well.
    pub fault: Option<Fault>,
}

impl Played {
    /// Plays bars of the first instrument, one call each, until they end or the component faults.
    ///
    /// # Errors
    /// When it does not start.
    pub fn run(
        component: &Component<Tape>,
        start: &Start,
        bars: &Columns,
        limits: &Limits,
    ) -> Result<Self, StartError> {
        let mut tape = Tape::new(start.instruments.len(), Tape::CASH);
        let mut instance = component.start(&mut tape, start, limits)?;
        let interval = start.instruments.first().map(|(_, interval)| *interval).unwrap_or_default();
        let instrument = InstrumentIndex(0);
        let mut targets = Vec::new();
        for bar in bars.iter() {
            let time = bar.open_time + interval;
            tape.bar(time, instrument, &bar);
            let Ok(target) = instance.on_bar(&mut tape, instrument, &bar) else { break };
            if let Some(target) = target {
                tape.answer(target);
                targets.push(target);
            }
            if instance.on_step(&mut tape, time).is_err() {
                break;
            }
        }
        Ok(Self { fuel: instance.fuel_used(), fault: instance.fault().cloned(), tape, targets })
    }
}

impl Desk for Tape {
    fn now(&self) -> Nanos {
        self.0.as_ref().map(|reel| reel.now).unwrap_or_default()
    }

    fn history(&self, instrument: InstrumentIndex, count: u32) -> Result<Columns, MarketError> {
        let history = self.histories().get(instrument.0 as usize).ok_or(MarketError::UnknownInstrument(instrument))?;
        Ok(history.slice(history.len().saturating_sub(count as usize)..history.len()))
    }

    fn latest_quote(&self, instrument: InstrumentIndex) -> Result<Option<Quote>, MarketError> {
        match self.histories().get(instrument.0 as usize) {
            Some(_) => Ok(None),
            None => Err(MarketError::UnknownInstrument(instrument)),
        }
    }

    fn equity(&self) -> f64 {
        self.cash()
    }

    fn cash(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |reel| reel.cash)
    }

    fn position(&self, instrument: InstrumentIndex) -> Option<Position> {
        self.histories().get(instrument.0 as usize).map(|_| Position::default())
    }

    fn open_orders(&self) -> Vec<OpenOrder> {
        Vec::new()
    }

    fn submit(&mut self, request: OrderRequest) -> Result<Acceptance, Vec<Violation>> {
        self.known(request.instrument)?;
        let order = self.request(format!("submit {request:?}"));
        Ok(Acceptance { order, quantity: request.quantity, limit: None, trigger: None })
    }

    fn cancel(&mut self, order: OrderId) -> Result<(), Vec<Violation>> {
        self.request(format!("cancel {}", order.0));
        Ok(())
    }

    fn replace(&mut self, order: OrderId, change: Replacement) -> Result<Acceptance, Vec<Violation>> {
        self.request(format!("replace {} {change:?}", order.0));
        let Replacement { quantity, limit, trigger, trail: _ } = change;
        Ok(Acceptance { order, quantity: quantity.unwrap_or_default(), limit, trigger })
    }

    fn target(
        &mut self,
        instrument: InstrumentIndex,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Vec<Violation>> {
        self.known(instrument)?;
        self.request(format!("target {instrument} {fraction:?} {stop:?}"));
        Ok(None)
    }

    fn close(&mut self, instrument: InstrumentIndex) -> Result<Option<Acceptance>, Vec<Violation>> {
        self.known(instrument)?;
        self.request(format!("close {instrument}"));
        Ok(None)
    }

    fn set_timer(&mut self, at: Nanos) -> Result<TimerId, TimerError> {
        if at <= self.now() {
            return Err(TimerError::NotInFuture(self.now()));
        }
        self.write(format!("timer at {at}"));
        let reel = self.reel_mut();
        reel.next_timer += 1;
        let timer = TimerId(reel.next_timer);
        reel.timers.push(timer);
        Ok(timer)
    }

    fn cancel_timer(&mut self, timer: TimerId) -> bool {
        let timers = &mut self.reel_mut().timers;
        let waiting = timers.len();
        timers.retain(|other| *other != timer);
        timers.len() < waiting
    }

    fn log(&mut self, level: Level, message: &str) {
        self.write(format!("{level:?}: {message}"));
    }

    fn metric(&mut self, name: &str, value: f64) {
        self.write(format!("metric {name} = {value:?}"));
    }

    fn annotate(&mut self, key: &str, value: &str) {
        self.write(format!("{key} = {value}"));
    }
}
