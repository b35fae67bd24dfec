//! The strategy that plays a script, and judges by what it is told whether the kernel keeps its word.
//!
//! It speaks to the audit through notes in the log: `ask` before a request, `done` or `refused` after it, `open` for the
//! orders that it sees at the end of a step, and `broken` for what it has found itself.

use std::collections::BTreeMap;
use std::fmt;

use tiltyard_engine::Strategy;
use tiltyard_model::{
    Bar, Columns, Desk as _, Fill, InstrumentIndex, Nanos, OpenOrder, OrderId, OrderUpdate, Replacement, Side, TimerId,
    Violation,
};

use crate::common::Desk;
use crate::scenario::{Act, Change, Num, Pick, Script, is_absurd};

pub(crate) struct Actor {
    script: Script,
    instruments: u32,
    step: usize,
    timers: BTreeMap<TimerId, Nanos>,
}

/// What a strategy can see of its account.
#[derive(Debug, PartialEq)]
struct View {
    equity: f64,
    cash: f64,
    positions: Vec<f64>,
    orders: Vec<OpenOrder>,
}

/// The rules that there are.
const RULES: [&str; 16] = [
    "malformed",
    "unknown-instrument",
    "unknown-order",
    "instrument-ended",
    "trading-state",
    "stale-data",
    "open-orders",
    "changes-under-way",
    "below-minimum",
    "insufficient-funds",
    "insufficient-margin",
    "position-limit",
    "duplicate-order",
    "reduce-only",
    "self-cross",
    "missing-stop",
];

/// What an absurd request is refused for: the number, unless what it is about does not exist in the first place.
const NOT_ASKED: [&str; 4] = ["malformed", "unknown-instrument", "unknown-order", "instrument-ended"];

impl Actor {
    pub(crate) fn new(script: Script, instruments: usize) -> Self {
        Self { script, instruments: instruments as u32, step: 0, timers: BTreeMap::new() }
    }

    fn act(&mut self, desk: &mut Desk, act: &Act) -> Result<(), String> {
        match act {
            Act::Submit(ask) => {
                let request = ask.request(desk.now(), mark(desk, InstrumentIndex(ask.instrument)));
                let what = format!("submit {request:?}");
                self.request(desk, &what, ask.is_absurd(), |desk| desk.submit(request.clone()));
            }
            Act::Cancel(pick) => {
                let order = picked(*pick, &desk.open_orders());
                self.request(desk, &format!("cancel {}", order.0), false, |desk| desk.cancel(order));
            }
            Act::Replace(change) => self.replace(desk, change),
            Act::Target { instrument, fraction, stop } => {
                let instrument = InstrumentIndex(*instrument);
                let side = if *fraction < 0.0 { Side::Sell } else { Side::Buy };
                let stop = stop.map(|stop| stop.from(mark(desk, instrument), side));
                let what = format!("target {} {fraction} {stop:?}", instrument.0);
                self.request(desk, &what, !fraction.is_finite(), |desk| desk.target(instrument, *fraction, stop));
            }
            Act::Close(instrument) => {
                let instrument = InstrumentIndex(*instrument);
                let absurd = instrument.0 >= self.instruments;
                self.request(desk, &format!("close {}", instrument.0), absurd, |desk| desk.close(instrument));
            }
            Act::Timer(hours) => {
                let at = desk.now() + Nanos::from_hours(*hours);
                match desk.set_timer(at) {
                    Ok(timer) => _ = self.timers.insert(timer, at),
                    Err(_) if *hours <= 0 => {}
                    Err(error) => broken(desk, &format!("no timer at {at}: {error}")),
                }
            }
            Act::Fault => return Err("scripted".to_owned()),
        }
        Ok(())
    }

    fn replace(&self, desk: &mut Desk, change: &Change) {
        let Change { order, quantity, limit, trigger, trail } = *change;
        let orders = desk.open_orders();
        let order = picked(order, &orders);
        let open = orders.iter().find(|open| open.order == order);
        let (mark, side) = open.map_or((100.0, Side::Buy), |open| (mark(desk, open.instrument), open.side));
        let price = |num: Option<Num>| num.map(|num| num.from(mark, side));
        let replacement = Replacement { quantity, limit: price(limit), trigger: price(trigger), trail };
        let absurd = quantity.is_some_and(is_absurd) || [limit, trigger].into_iter().flatten().any(Num::is_absurd);
        // In words that the audit reads.
        let what = match quantity {
            Some(quantity) => format!("resize {} {quantity:?}", order.0),
            None => format!("replace {}", order.0),
        };
        self.request(desk, &what, absurd, |desk| desk.replace(order, replacement));
    }

    /// Makes a request between two notes, and, where it was refused, checks that nothing has changed and that the same
    /// request is refused again.
    fn request<T: fmt::Debug>(
        &self,
        desk: &mut Desk,
        what: &str,
        absurd: bool,
        mut ask: impl FnMut(&mut Desk) -> Result<T, Vec<Violation>>,
    ) {
        let before = self.view(desk);
        desk.annotate("ask", what);
        let violations = match ask(desk) {
            Ok(done) => {
                desk.annotate("done", what);
                if absurd {
                    broken(desk, &format!("absurd, but accepted: {what}: {done:?}"));
                }
                return;
            }
            Err(violations) => violations,
        };
        desk.annotate("refused", what);
        let again = ask(desk).unwrap_err();
        let one_of = |rules: &[&str], violation: &Violation| rules.contains(&violation.rule.as_str());
        if violations.is_empty() || !violations.iter().all(|violation| one_of(&RULES, violation)) {
            broken(desk, &format!("no typed refusal of {what}: {violations:?}"));
        }
        if absurd && !violations.iter().any(|violation| one_of(&NOT_ASKED, violation)) {
            broken(desk, &format!("not malformed: {what}: {violations:?}"));
        }
        // Not by their equality: violations hold NaN.
        if format!("{violations:?}") != format!("{again:?}") {
            broken(desk, &format!("{what} refused by {violations:?}, then by {again:?}"));
        }
        let after = self.view(desk);
        if before != after {
            broken(desk, &format!("{what} was refused, but {before:?} became {after:?}"));
        }
    }

    fn view(&self, desk: &Desk) -> View {
        let held = |instrument| desk.position(InstrumentIndex(instrument)).unwrap().quantity;
        View {
            equity: desk.equity(),
            cash: desk.cash(),
            positions: (0..self.instruments).map(held).collect(),
            orders: desk.open_orders(),
        }
    }
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
        let acts = self.script.steps.get_mut(self.step).map(std::mem::take).unwrap_or_default();
        self.step += 1;
        for act in &acts {
            self.act(desk, act)?;
        }
        let orders = desk.open_orders();
        let shown: Vec<_> = orders.iter().map(|open| (open.order.0, open.filled, open.quantity)).collect();
        desk.annotate("open", &format!("{shown:?}"));
        Ok(())
    }

    fn on_fill(&mut self, _: &mut Desk, _: &Fill) -> Result<(), String> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, _: &OrderUpdate) -> Result<(), String> {
        Ok(())
    }

    fn on_timer(&mut self, desk: &mut Desk, timer: TimerId, at: Nanos) -> Result<(), String> {
        if self.timers.remove(&timer).is_none_or(|due| due > at) {
            broken(desk, &format!("timer {timer:?} at {at}: too early, or never set"));
        }
        Ok(())
    }
}

fn broken(desk: &mut Desk, what: &str) {
    desk.annotate("broken", what);
}

/// The last close, or 100 where there is none.
fn mark(desk: &Desk, instrument: InstrumentIndex) -> f64 {
    desk.history(instrument, 1).ok().and_then(|bars| bars.close().last().copied()).unwrap_or(100.0)
}

fn picked(pick: Pick, open: &[OpenOrder]) -> OrderId {
    match pick {
        Pick::Open(at) if !open.is_empty() => open[at % open.len()].order,
        Pick::Open(_) => OrderId(0),
        Pick::Number(number) => OrderId(number),
    }
}
