use tiltyard_model::{
    Acceptance, Columns, Desk, InstrumentIndex, Level, MarketError, Nanos, OpenOrder, OrderId, OrderRequest, Position,
    Quote, Replacement, StopLoss, TimerError, TimerId, Violation,
};

use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::floor::Floor;
use crate::requests::Requests;
use crate::venue::Venue;

/// What a strategy sees and does in the kernel.
///
/// It is lent to one strategy at a time and shows nothing of the others. Boxed inside, because it is moved into a sandbox
/// and back on every call; a desk that is away, or was never filled, knows no instrument and takes no order.
#[derive(Debug)]
pub struct TradingDesk<V>(pub(crate) Option<Box<Floor<V>>>);

impl<V> Default for TradingDesk<V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<V: Venue> TradingDesk<V> {
    fn acting(&self) -> Option<(&Floor<V>, &crate::books::Record)> {
        let floor = self.0.as_deref()?;
        Some((floor, floor.clearing.books.record_of(floor.acting)?))
    }

    fn ask<T>(
        &mut self,
        request: impl FnOnce(&mut Requests<'_, V>) -> Result<T, Vec<Violation>>,
    ) -> Result<T, Vec<Violation>> {
        match self.0.as_deref_mut().filter(|floor| floor.open) {
            Some(floor) => request(&mut floor.requests(floor.acting)),
            None => Err(vec![Violation {
                rule: "trading-state".to_owned(),
                actual: f64::NAN,
                limit: f64::NAN,
                unit: String::new(),
            }]),
        }
    }

    fn write(&mut self, event: impl FnOnce(StrategyIndex) -> Event) {
        if let Some(floor) = self.0.as_deref_mut() {
            floor.clearing.record(event(floor.acting));
        }
    }
}

impl<V: Venue> Desk for TradingDesk<V> {
    fn now(&self) -> Nanos {
        self.0.as_ref().map(|floor| floor.clearing.now).unwrap_or_default()
    }

    fn history(&self, instrument: InstrumentIndex, count: u32) -> Result<Columns, MarketError> {
        let listed = self.0.as_ref().and_then(|floor| floor.market.get(instrument));
        listed.map(|listed| listed.history(count as usize)).ok_or(MarketError::UnknownInstrument(instrument))
    }

    fn latest_quote(&self, instrument: InstrumentIndex) -> Result<Option<Quote>, MarketError> {
        let listed = self.0.as_ref().and_then(|floor| floor.market.get(instrument));
        let listed = listed.ok_or(MarketError::UnknownInstrument(instrument))?;
        Ok(listed.quote().map(|(time, bid, ask)| Quote::of(time, bid, ask)))
    }

    fn equity(&self) -> f64 {
        self.acting().map_or(0.0, |(_, record)| record.ledger.equity().to_f64())
    }

    fn cash(&self) -> f64 {
        self.acting().map_or(0.0, |(_, record)| record.ledger.cash().to_f64())
    }

    fn position(&self, instrument: InstrumentIndex) -> Option<Position> {
        let holding = self.acting()?.1.ledger.holding(instrument)?;
        Some(Position {
            quantity: holding.quantity().to_f64(),
            entry_price: holding.entry_price(),
            unrealised: holding.unrealised().to_f64(),
        })
    }

    fn open_orders(&self) -> Vec<OpenOrder> {
        let Some((floor, _)) = self.acting() else { return Vec::new() };
        let all = floor.market.iter().flat_map(|(instrument, _)| floor.venue.working(instrument));
        let own = all.filter(|order| order.strategy == floor.acting);
        let mut orders: Vec<_> = own.map(|order| OpenOrder::of(order.id, &order.ticket, order.filled)).collect();
        orders.sort_by_key(|order| order.order);
        orders
    }

    fn submit(&mut self, request: OrderRequest) -> Result<Acceptance, Vec<Violation>> {
        self.ask(|requests| requests.submit(request))
    }

    fn cancel(&mut self, order: OrderId) -> Result<(), Vec<Violation>> {
        self.ask(|requests| requests.cancel(order))
    }

    fn replace(&mut self, order: OrderId, change: Replacement) -> Result<Acceptance, Vec<Violation>> {
        self.ask(|requests| requests.replace(order, change))
    }

    fn target(
        &mut self,
        instrument: InstrumentIndex,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Vec<Violation>> {
        self.ask(|requests| requests.target(instrument, fraction, stop))
    }

    fn close(&mut self, instrument: InstrumentIndex) -> Result<Option<Acceptance>, Vec<Violation>> {
        self.ask(|requests| requests.close(instrument))
    }

    fn set_timer(&mut self, at: Nanos) -> Result<TimerId, TimerError> {
        let now = self.now();
        let Some(floor) = self.0.as_deref_mut().filter(|_| at > now) else { return Err(TimerError::NotInFuture(now)) };
        let timer = TimerId(floor.next_timer);
        floor.next_timer += 1;
        if let Some(seat) = floor.seat() {
            seat.timers.set(at, timer);
        }
        Ok(timer)
    }

    fn cancel_timer(&mut self, timer: TimerId) -> bool {
        self.0.as_deref_mut().and_then(Floor::seat).is_some_and(|seat| seat.timers.cancel(timer))
    }

    fn log(&mut self, level: Level, message: &str) {
        self.write(|strategy| Event::Line { strategy, level, message: message.to_owned() });
    }

    fn metric(&mut self, name: &str, value: f64) {
        let value = value.is_finite().then_some(value);
        self.write(|strategy| Event::Metric { strategy, name: name.to_owned(), value });
    }

    fn annotate(&mut self, key: &str, value: &str) {
        self.write(|strategy| Event::Note { strategy, key: key.to_owned(), value: value.to_owned() });
    }
}
