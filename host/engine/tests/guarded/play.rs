//! How a scenario is played.

use std::sync::Arc;

use tiltyard_engine::venue::{Conservative, Costs, Latency, SimulatedVenue};
use tiltyard_engine::{BarFeed, Feed, Kernel, Lane, Log, Player, Setup, Step, Strategy, StrategyIndex, Terms};
use tiltyard_model::{
    Bar, Columns, Desk as _, Fill, Instrument, InstrumentIndex, Money, Nanos, OrderRequest, OrderType, OrderUpdate,
    Replacement, Side, StopLoss, TimerId,
};
use tiltyard_risk::{AccountGuard, AccountState, RiskProfile, StrategyGuard, Trouble, Venture};

use crate::common::{Desk, bars, dec, order, perpetual, spot};
use crate::model::{Found, Model};
use crate::scenario::{Act, Order, Scenario};

/// What every strategy begins with.
pub(crate) const CASH: f64 = 100_000.0;
/// Slippage of a market order, as a fraction.
pub(crate) const SLIPPAGE: f64 = 0.001;
/// The market that is no perpetual.
pub(crate) const SPOT: usize = 2;

impl Scenario {
    pub(crate) fn instruments(&self) -> Vec<(Instrument, Nanos)> {
        let interval = Nanos::from_hours(self.hours);
        let bitcoin = Instrument { base: "BTC".to_owned(), ..perpetual("BTCUSD", 5.0) };
        [bitcoin, perpetual("P", 5.0), spot("S")].map(|instrument| (instrument, interval)).into()
    }

    /// Plays it, with the model reading along.
    pub(crate) fn play(&self) -> Found {
        let costs = Costs { slippage: dec("0.001"), ..Costs::none() };
        let instruments = self.instruments();
        let setup = Setup {
            venue: SimulatedVenue::new(Box::new(Conservative { costs }), Latency::default(), 7, instruments.len()),
            instruments,
            risk: RiskProfile { extreme_market: None, ..RiskProfile::account() },
            venture: if self.live { Venture::Live } else { Venture::Paper },
            margin: tiltyard_engine::MarginTerms::default(),
            guard: None,
            overseer: None,
            log: Log::keeping(),
            begin: Nanos(0),
        };
        let player = |script: &Vec<Vec<Act>>| Player {
            strategy: Actor { script: script.clone(), step: 0 },
            terms: Terms::new("test", Money(dec("100000")), None),
        };
        let mut kernel = Kernel::new(setup, self.players.iter().map(player).collect()).unwrap();
        let mut model = Model::new(self);
        let (mut feed, mut step) = (self.feed(), Step::default());
        for at in 0.. {
            for (_, order) in self.orders.iter().filter(|(when, _)| *when == at) {
                self.order(&mut kernel, *order, &mut model);
            }
            if !feed.next(&mut step) {
                break;
            }
            kernel.step(&step);
            model.read(kernel.books().unwrap());
        }
        model.found
    }

    fn order(&self, kernel: &mut Kernel<SimulatedVenue, Actor>, order: Order, model: &mut Model) {
        let strategy = |at: usize| StrategyIndex((at % self.players.len()) as u32);
        match order {
            Order::Reduce => kernel.order(AccountState::Reducing, "a person"),
            Order::Kill => kernel.order(AccountState::Halted, "a person"),
            Order::Resume => _ = kernel.resume("looked into it"),
            Order::Pause(at) => kernel.pause(strategy(at), "a person"),
            Order::ResumeStrategy(at) => _ = kernel.resume_strategy(strategy(at), "looked into it"),
            Order::VenueError(count) => (0..count).for_each(|_| kernel.trouble(Trouble::VenueError)),
            Order::Flatten => kernel.flatten(),
            Order::Restart => {
                // What would be kept and read again is what there is.
                let books = kernel.books().unwrap();
                let guard = serde_json::to_string(books.guard()).unwrap();
                model.holds(serde_json::from_str::<AccountGuard>(&guard).unwrap() == *books.guard(), || guard);
                for record in books.records() {
                    let guard = serde_json::to_string(&record.guard).unwrap();
                    model.holds(serde_json::from_str::<StrategyGuard>(&guard).unwrap() == record.guard, || guard);
                }
            }
        }
        model.read(kernel.books().unwrap());
    }

    fn feed(&self) -> BarFeed {
        let interval = Nanos::from_hours(self.hours);
        let lane = |market: usize| {
            let mut price = 100.0;
            let rows: Vec<[f64; 5]> = self
                .moves
                .iter()
                .map(|moves| {
                    let open: f64 = price;
                    // In whole cents, and never nothing.
                    price = ((price * moves[market] * 100.0).round() / 100.0).max(0.05);
                    [open, open.max(price), open.min(price), price, 1e9]
                })
                .collect();
            Lane::new(Arc::new(bars(interval, &rows)), interval)
        };
        BarFeed::new((0..3).map(lane).collect())
    }
}

/// The strategy that plays a script. It notes in the log when it only means to reduce, or to take an entry back.
struct Actor {
    script: Vec<Vec<Act>>,
    step: usize,
}

impl Actor {
    fn act(desk: &mut Desk, act: &Act) {
        match *act {
            Act::Submit { market, buys, fraction, limit, stop } => {
                let side = if buys { Side::Buy } else { Side::Sell };
                Self::submit(desk, market, side, fraction, limit, stop);
            }
            Act::Flood { market, count } => {
                for number in 0..count {
                    Self::submit(desk, market, Side::Buy, 0.001 + number as f64 * 1e-5, None, Some(0.02));
                }
            }
            Act::Target { market, fraction, stop } => {
                let Some(mark) = mark(desk, market) else { return };
                let side = if fraction < 0.0 { Side::Sell } else { Side::Buy };
                let _ =
                    desk.target(InstrumentIndex(market as u32), fraction, stop.map(|away| stop_at(mark, side, away)));
            }
            Act::Reduce { market, part, reduce_only, limit } => {
                let instrument = InstrumentIndex(market as u32);
                let held = desk.position(instrument).map_or(0.0, |position| position.quantity);
                let entries = desk.open_orders().iter().any(|order| order.instrument == instrument);
                let Some(mark) = mark(desk, market).filter(|_| held != 0.0) else { return };
                let side = if held > 0.0 { Side::Sell } else { Side::Buy };
                let quantity = if part == 1.0 { held.abs() } else { (held.abs() * part * 1e3).floor() / 1e3 };
                let kind = limit.map_or(OrderType::Market, |limit| OrderType::Limit(mark * limit));
                let request = OrderRequest { instrument, reduce_only, ..order(side, quantity, kind) };
                // With other orders under way, one that is not marked as reducing may open something after all.
                if quantity > 0.0 && (reduce_only || !entries) {
                    desk.annotate("reduce", if reduce_only { "only" } else { "small" });
                    let _ = desk.submit(request);
                }
            }
            Act::Replace { at, price, part } => {
                let orders = desk.open_orders();
                let Some(order) = orders.get(at) else { return };
                let Some(mark) = mark(desk, order.instrument.0 as usize) else { return };
                let price = Some(mark * price);
                let (limit, trigger) = match order.order_type {
                    OrderType::Limit(_) => (price, None),
                    OrderType::StopMarket(_) => (None, price),
                    _ => (None, None),
                };
                let quantity = (part != 1.0).then_some(order.quantity * part);
                let change = Replacement { quantity, limit, trigger, ..Replacement::default() };
                let _ = desk.replace(order.order, change);
            }
            Act::Stop { market, away, part } => {
                let instrument = InstrumentIndex(market as u32);
                let held = desk.position(instrument).map_or(0.0, |position| position.quantity);
                let Some(mark) = mark(desk, market).filter(|_| held != 0.0) else { return };
                let side = if held > 0.0 { Side::Sell } else { Side::Buy };
                let StopLoss::Fixed(trigger) = stop_at(mark, side.opposite(), away) else { return };
                let request = order(side, held.abs() * part, OrderType::StopMarket(trigger));
                let _ = desk.submit(OrderRequest { instrument, reduce_only: true, ..request });
            }
            Act::Close(market) => _ = desk.close(InstrumentIndex(market as u32)),
            Act::Cancel(at) => {
                let orders = desk.open_orders();
                let Some(order) = orders.get(at) else { return };
                desk.annotate("cancel", &order.order.0.to_string());
                let _ = desk.cancel(order.order);
            }
        }
    }

    fn submit(desk: &mut Desk, market: usize, side: Side, fraction: f64, limit: Option<f64>, stop: Option<f64>) {
        let Some(mark) = mark(desk, market) else { return };
        let price = limit.map_or(mark, |limit| mark * limit);
        let quantity = desk.equity() * fraction / price;
        let kind = limit.map_or(OrderType::Market, |_| OrderType::Limit(price));
        let stop_loss = stop.map(|away| stop_at(price, side, away));
        let instrument = InstrumentIndex(market as u32);
        let _ = desk.submit(OrderRequest { instrument, stop_loss, ..order(side, quantity, kind) });
    }
}

fn stop_at(price: f64, side: Side, away: f64) -> StopLoss {
    StopLoss::Fixed(if side == Side::Buy { price * (1.0 - away) } else { price * (1.0 + away) })
}

fn mark(desk: &Desk, market: usize) -> Option<f64> {
    desk.history(InstrumentIndex(market as u32), 1).ok()?.close().last().copied()
}

impl Strategy<Desk> for Actor {
    type Fault = String;

    fn warm_up(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Columns) -> Result<(), String> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, String> {
        Ok(None)
    }

    fn on_step(&mut self, desk: &mut Desk, _: Nanos) -> Result<(), String> {
        let acts = self.script.get_mut(self.step).map(std::mem::take).unwrap_or_default();
        self.step += 1;
        acts.iter().for_each(|act| Self::act(desk, act));
        Ok(())
    }

    fn on_fill(&mut self, _: &mut Desk, _: &Fill) -> Result<(), String> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, _: &OrderUpdate) -> Result<(), String> {
        Ok(())
    }

    fn on_timer(&mut self, _: &mut Desk, _: TimerId, _: Nanos) -> Result<(), String> {
        Ok(())
    }
}
