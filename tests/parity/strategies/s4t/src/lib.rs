//! S4t: buys a dip of the RSI with a limit order that waits for 10 bars, sells 1 % higher or after 60 bars.

use parity_common::Grid;
use tiltyard_sdk::prelude::*;

params! {
    /// It has none.
    pub struct Params {}
}

/// Bars that an entry waits.
const PATIENCE: u64 = 10;
/// Bars that a position is held at most.
const HOLDING: u64 = 60;

/// The strategy.
#[derive(Debug)]
pub struct S4t {
    grid: Grid,
    rsi: Rsi,
    /// The RSI of the bar before.
    before: Option<f64>,
    bar: u64,
    /// The entry that waits, and the bar at whose close it was sent.
    entry: Option<(OrderId, u64)>,
    /// The bar in which the entry filled.
    held_since: Option<u64>,
}

/// Wilder's index over 14 bars.
#[derive(Debug, Default)]
struct Rsi {
    last: Option<f64>,
    seen: u32,
    gain: f64,
    loss: f64,
}

impl Rsi {
    fn update(&mut self, close: f64) -> Option<f64> {
        let last = self.last.replace(close)?;
        let (up, down) = ((close - last).max(0.0), (last - close).max(0.0));
        self.seen += 1;
        if self.seen < 14 {
            (self.gain, self.loss) = (self.gain + up, self.loss + down);
            return None;
        }
        if self.seen == 14 {
            (self.gain, self.loss) = ((self.gain + up) / 14.0, (self.loss + down) / 14.0);
        } else {
            (self.gain, self.loss) = ((13.0 * self.gain + up) / 14.0, (13.0 * self.loss + down) / 14.0);
        }
        let sum = self.gain + self.loss;
        Some(if sum == 0.0 { 50.0 } else { 100.0 * self.gain / sum })
    }
}

impl S4t {
    /// Takes a close in; true if the index has just fallen below 30.
    fn dips(&mut self, close: f64) -> bool {
        let now = self.rsi.update(close);
        let before = std::mem::replace(&mut self.before, now);
        before.zip(now).is_some_and(|(before, now)| before >= 30.0 && now < 30.0)
    }

    /// Sells what is held 1 % above its price.
    fn ask(&self, desk: &mut impl Desk, instrument: InstrumentIndex, position: &Position) {
        let Some(price) = position.entry_price else { return };
        let entry = self.grid.ticks(price);
        let target = self.grid.price((entry * 101 + 99) / 100);
        let _ = desk.submit(&OrderRequest {
            order_type: OrderType::Limit(target),
            reduce_only: true,
            ..OrderRequest::market(instrument, Side::Sell, position.quantity)
        });
    }
}

impl Strategy for S4t {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "parity-s4t",
        version: env!("CARGO_PKG_VERSION"),
        description: "Buys a dip with a limit order and sells 1 % higher.",
        hypothesis: "It trades as other engines do.",
        falsified_by: "A trade differs.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let (instrument, _) = start.only_instrument()?;
        let grid = Grid { tick: instrument.tick };
        Ok(Self { grid, rsi: Rsi::default(), before: None, bar: 0, entry: None, held_since: None })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let (now, dips) = (self.bar, self.dips(bar.close));
        self.bar += 1;
        let position = desk.position(instrument).filter(|position| position.quantity > 0.0);
        if let Some((order, sent)) = self.entry {
            let waits = desk.open_orders().iter().any(|open| open.order == order);
            if waits && now - sent >= PATIENCE {
                let _ = desk.cancel(order);
            }
            if !waits || now - sent >= PATIENCE {
                self.entry = None;
                if let Some(position) = &position {
                    self.held_since = Some(now);
                    self.ask(desk, instrument, position);
                }
            }
        }
        if position.is_none() {
            self.held_since = None;
        }
        match self.held_since {
            Some(since) if now - since == HOLDING => {
                let _ = desk.close(instrument);
            }
            None if self.entry.is_none() && dips => {
                let limit = self.grid.price(self.grid.ticks(bar.close) * 998 / 1000);
                let request = OrderRequest {
                    order_type: OrderType::Limit(limit),
                    ..OrderRequest::market(instrument, Side::Buy, 1.0)
                };
                self.entry = desk.submit(&request).ok().map(|acceptance| (acceptance.order, now));
            }
            _ => {}
        }
    }
}

register!(strategy: S4t);
