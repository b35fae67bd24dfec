//! Markets of a few bars and strategies of a few lines.
#![allow(dead_code, reason = "every test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::convert::Infallible;
use std::sync::Arc;

use tiltyard_engine::venue::{Conservative, Costs, Latency, SimulatedVenue};
use tiltyard_engine::{
    BarFeed, Books, Entry, Event, Execution, Kernel, Lane, Log, MarginTerms, Player, Setup, Strategy, Terms,
    TradingDesk, Update,
};
use tiltyard_model::{
    Bar, Columns, Decimal, Fill, Instrument, InstrumentIndex, InstrumentKind, Money, Nanos, OrderRequest, OrderType,
    OrderUpdate, Side, TimeInForce, TimerId,
};
use tiltyard_risk::{RiskProfile, Venture};

pub(crate) const HOUR: Nanos = Nanos::from_hours(1);
pub(crate) const A: InstrumentIndex = InstrumentIndex(0);
pub(crate) const B: InstrumentIndex = InstrumentIndex(1);

pub(crate) type Desk = TradingDesk<SimulatedVenue>;

pub(crate) fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

/// Ticks of a cent, lots of a thousandth, 5 basis points for a maker and 10 for a taker.
pub(crate) fn spot(symbol: &str) -> Instrument {
    Instrument {
        symbol: symbol.to_owned(),
        venue: "test".to_owned(),
        kind: InstrumentKind::Spot,
        base: symbol.to_owned(),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 10.0,
        maker_fee: 0.0005,
        taker_fee: 0.001,
        max_leverage: 1.0,
        margin: tiltyard_model::MarginRules::default(),
    }
}

pub(crate) fn perpetual(symbol: &str, max_leverage: f64) -> Instrument {
    Instrument { kind: InstrumentKind::Perpetual, max_leverage, ..spot(symbol) }
}

/// Bars from rows of open, high, low, close and volume, one after the other from time 0.
pub(crate) fn bars(interval: Nanos, rows: &[[f64; 5]]) -> Columns {
    let bar = |(at, [open, high, low, close, volume]): (i64, &[f64; 5])| Bar {
        open_time: Nanos(at * interval.0),
        open: *open,
        high: *high,
        low: *low,
        close: *close,
        volume: *volume,
    };
    (0..).zip(rows).map(bar).collect()
}

pub(crate) fn lane(bars: Columns, interval: Nanos) -> Lane {
    Lane::new(Arc::new(bars), interval)
}

/// What a strategy was told since its last turn.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) fills: Vec<Fill>,
    pub(crate) updates: Vec<OrderUpdate>,
    pub(crate) timers: Vec<TimerId>,
}

/// A strategy that is one function of its desk, the number of the step and the news.
pub(crate) struct Script<F> {
    act: F,
    step: usize,
    news: News,
}

impl<F: FnMut(&mut Desk, usize, &News)> Script<F> {
    pub(crate) fn new(act: F) -> Self {
        Self { act, step: 0, news: News::default() }
    }
}

impl<F: FnMut(&mut Desk, usize, &News)> Strategy<Desk> for Script<F> {
    type Fault = Infallible;

    fn warm_up(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Columns) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, Infallible> {
        Ok(None)
    }

    fn on_step(&mut self, desk: &mut Desk, _: Nanos) -> Result<(), Infallible> {
        (self.act)(desk, self.step, &self.news);
        self.step += 1;
        self.news = News::default();
        Ok(())
    }

    fn on_fill(&mut self, _: &mut Desk, fill: &Fill) -> Result<(), Infallible> {
        self.news.fills.push(fill.clone());
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, update: &OrderUpdate) -> Result<(), Infallible> {
        self.news.updates.push(update.clone());
        Ok(())
    }

    fn on_timer(&mut self, _: &mut Desk, timer: TimerId, _: Nanos) -> Result<(), Infallible> {
        self.news.timers.push(timer);
        Ok(())
    }
}

/// A market with its venue, before the strategies come.
pub(crate) struct Stage {
    pub(crate) instruments: Vec<(Instrument, Nanos)>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) costs: Costs,
    pub(crate) latency: Latency,
    pub(crate) risk: RiskProfile,
    pub(crate) cash: &'static str,
    pub(crate) margin: MarginTerms,
}

impl Stage {
    /// One instrument, slippage of 10 basis points, 100,000 of cash.
    pub(crate) fn new(instrument: Instrument, lane: Lane) -> Self {
        Self {
            instruments: vec![(instrument, lane.interval)],
            lanes: vec![lane],
            costs: Costs { slippage: dec("0.001"), ..Costs::none() },
            latency: Latency::default(),
            risk: RiskProfile::research(),
            cash: "100000",
            margin: MarginTerms::default(),
        }
    }

    pub(crate) fn with(mut self, instrument: Instrument, lane: Lane) -> Self {
        self.instruments.push((instrument, lane.interval));
        self.lanes.push(lane);
        self
    }

    pub(crate) fn kernel<S: Strategy<Desk>>(&self, strategies: Vec<S>) -> Kernel<SimulatedVenue, S> {
        let rules = Box::new(Conservative { costs: self.costs });
        let setup = Setup {
            instruments: self.instruments.clone(),
            venue: SimulatedVenue::new(rules, self.latency, 7, self.instruments.len()),
            risk: self.risk.clone(),
            venture: Venture::Simulated,
            margin: self.margin,
            guard: None,
            overseer: None,
            log: Log::keeping(),
            begin: Nanos(0),
        };
        let cash = Money(dec(self.cash));
        let players = strategies.into_iter().map(|strategy| Player { strategy, terms: Terms::new("test", cash, None) });
        Kernel::new(setup, players.collect()).unwrap()
    }

    pub(crate) fn feed(&self) -> BarFeed {
        BarFeed::new(self.lanes.clone())
    }

    pub(crate) fn run<S: Strategy<Desk>>(&self, strategies: Vec<S>) -> Books {
        self.kernel(strategies).run(&mut self.feed()).books
    }

    /// One scripted strategy.
    pub(crate) fn play(&self, act: impl FnMut(&mut Desk, usize, &News)) -> Books {
        self.run(vec![Script::new(act)])
    }
}

/// A market order to buy, to be changed.
pub(crate) fn order(side: Side, quantity: f64, order_type: OrderType) -> OrderRequest {
    OrderRequest {
        instrument: A,
        side,
        order_type,
        quantity,
        time_in_force: TimeInForce::GoodTillCancelled,
        reduce_only: false,
        post_only: false,
        stop_loss: None,
        take_profit: None,
        tag: String::new(),
    }
}

pub(crate) fn entries(books: &Books) -> &[Entry] {
    books.log().entries()
}

pub(crate) fn executions(books: &Books) -> Vec<&Execution> {
    let executed = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Executed(execution) => Some(execution),
        _ => None,
    });
    executed.collect()
}

/// What became of orders, and at which instant.
pub(crate) fn updates(books: &Books) -> Vec<(Nanos, &Update)> {
    let updated = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Updated(update) => Some((entry.time, update)),
        _ => None,
    });
    updated.collect()
}
