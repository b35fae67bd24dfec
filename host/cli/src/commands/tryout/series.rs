//! A small synthetic market: no real prices, the same on every machine.

use tiltyard_model::{Bar, Instrument, InstrumentKind, Nanos};

/// When the series begins: 2024-01-01T00:00:00 UTC.
const BEGIN: Nanos = Nanos::from_secs(1_704_067_200);
/// Length of a bar.
pub(crate) const INTERVAL: Nanos = Nanos::from_hours(1);

/// What a series is of. The markets are counted from 0.
pub(crate) fn instrument(market: usize) -> Instrument {
    Instrument {
        symbol: format!("SYNTHETIC-{}", market + 1),
        venue: "synthetic".to_owned(),
        kind: InstrumentKind::Spot,
        base: format!("SYN{}", market + 1),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.000_01,
        min_notional: 10.0,
        maker_fee: 0.0005,
        taker_fee: 0.0005,
        max_leverage: 1.0,
        margin: tiltyard_model::MarginRules::default(),
    }
}

/// Hourly bars of a market, each with its own way, whose trend turns every few weeks and whose moves come in calm and wild spells.
///
/// Only additions, multiplications and roundings, which every machine does alike.
pub(crate) fn bars(market: usize, count: usize) -> impl Iterator<Item = Bar> {
    let mut random = Random(2_024 + market as u64);
    let (mut price, mut trend, mut spread) = (100.0_f64, 0.0, 0.004);
    let mut time = BEGIN;
    (0..count).map(move |at| {
        if at % 500 == 0 {
            trend = 0.000_6 * random.centred();
        }
        if at % 90 == 0 {
            spread = 0.002 + 0.008 * random.uniform();
        }
        let cents = |price: f64| (price * 100.0).round() / 100.0;
        let open = cents(price);
        // The sum of four is bell-shaped enough.
        let noise: f64 = (0..4).map(|_| random.centred()).sum();
        price = (price * (1.0 + trend + spread * noise)).max(1.0);
        let close = cents(price);
        let reach = spread * price;
        let bar = Bar {
            open_time: time,
            open,
            high: cents(open.max(close) + reach * random.uniform()),
            low: cents((open.min(close) - reach * random.uniform()).max(0.01)),
            close,
            volume: (1_000.0 * (0.5 + random.uniform())).round(),
        };
        time = time + INTERVAL;
        bar
    })
}

/// A linear congruential generator (Knuth's MMIX constants); good enough for a picture of a market.
struct Random(u64);

impl Random {
    /// In 0 to 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// In −1 to 1.
    fn centred(&mut self) -> f64 {
        self.uniform() * 2.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::{INTERVAL, bars};

    #[test]
    fn bars_are_possible_and_consecutive() {
        let bars: Vec<_> = bars(1, 5_000).collect();
        for (at, bar) in bars.iter().enumerate() {
            assert!(bar.low > 0.0 && bar.low <= bar.open.min(bar.close), "{at}: {bar:?}");
            assert!(bar.high >= bar.open.max(bar.close), "{at}: {bar:?}");
        }
        assert!(bars.windows(2).all(|pair| pair[1].open_time - pair[0].open_time == INTERVAL));
        assert!(bars.windows(2).all(|pair| pair[1].open == pair[0].close));
    }
}
