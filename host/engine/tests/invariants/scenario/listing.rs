//! An instrument and its market, candle by candle.

use std::fmt;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use tiltyard_engine::{FundingRate, PerpetualSeries};
use tiltyard_model::{Bar, BorrowRates, Columns, Decimal, Instrument, InstrumentKind, MarginRules, MarginTier, Nanos};

use crate::common::{perpetual, spot};

/// The second listing of a scenario has coarser steps and a rebate for makers.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// Spot if there is none.
    leverage: Option<u8>,
    /// Notional in thousands up to which half of the usual maintenance margin will do.
    tier: Option<u16>,
    /// In basis points.
    liquidation_fee: u8,
    /// Interest of a day on base and on quote currency in basis points, if it is spot on margin.
    lent: Option<(u16, u16)>,
    /// Whether there is a series of marks.
    marked: bool,
    /// Hours and rates in basis points.
    funding: Vec<(u8, i16)>,
    /// Of one bar.
    hours: i64,
    pub(crate) candles: Vec<Candle>,
    /// Whether the instrument ends with its last bar.
    pub(crate) ends: bool,
}

/// A bar in ticks from the one before.
#[derive(Clone, Copy)]
pub(crate) struct Candle {
    gap: i32,
    body: i32,
    up: i32,
    down: i32,
    /// In tenths.
    pub(crate) volume: u32,
    missing: bool,
    /// Of the mark, in ticks.
    skew: i32,
}

impl Listing {
    pub(crate) fn instrument(&self, at: usize) -> Instrument {
        let symbol = if at == 0 { "A" } else { "B" };
        let plain = self.leverage.map_or_else(
            || spot(symbol),
            |leverage| {
                let kind = if self.lent().is_some() { InstrumentKind::SpotMargin } else { InstrumentKind::Perpetual };
                Instrument { kind, margin: self.margin(), ..perpetual(symbol, f64::from(leverage)) }
            },
        );
        if at == 0 { plain } else { Instrument { tick: 0.05, lot: 0.1, maker_fee: -0.000_2, ..plain } }
    }

    pub(crate) fn leverage(&self) -> Option<u8> {
        self.leverage
    }

    /// Nothing is lent without leverage.
    fn lent(&self) -> Option<(u16, u16)> {
        self.lent.filter(|_| self.leverage > Some(1))
    }

    fn margin(&self) -> MarginRules {
        let leverage = f64::from(self.leverage.unwrap_or(1));
        let tier = |up_to, maintenance: f64, max_leverage| MarginTier { up_to, maintenance, max_leverage };
        let tiers = self.tier.filter(|_| leverage > 1.0).map_or_else(Vec::new, |thousands| {
            let first = Some(f64::from(thousands) * 1_000.0);
            let rate = |points: f64| (points / leverage).round() / 10_000.0;
            vec![
                tier(first, rate(2_500.0), leverage),
                tier(Some(150_000.0), rate(3_750.0), leverage / 2.0 + 0.5),
                tier(None, rate(5_000.0), 1.0),
            ]
        });
        let rate = |points: u16| f64::from(points) / 10_000.0;
        let borrowing = self.lent().map(|(base, quote)| BorrowRates { base: rate(base), quote: rate(quote) });
        MarginRules {
            tiers,
            liquidation_fee: rate(u16::from(self.liquidation_fee)),
            borrowing: borrowing.unwrap_or_default(),
        }
    }

    /// Marks that stray from the last price, and funding.
    pub(crate) fn perpetual(&self, at: usize) -> PerpetualSeries {
        let Some(_) = self.leverage else { return PerpetualSeries::default() };
        let cent = if at == 0 { 0.01 } else { 0.05 };
        let bars = self.bars(at);
        let there = self.candles.iter().filter(|candle| !candle.missing);
        let strayed = bars.iter().zip(there).map(|(bar, candle)| {
            let price = |price: f64| ((price + f64::from(candle.skew) * cent).max(1.0) * 100.0).round() / 100.0;
            Bar { open: price(bar.open), high: price(bar.high), low: price(bar.low), close: price(bar.close), ..bar }
        });
        let mut funding: Vec<FundingRate> = self
            .funding
            .iter()
            .map(|(hour, rate)| FundingRate {
                time: Nanos::from_hours(i64::from(*hour)),
                rate: Decimal::new(i64::from(*rate), 4),
            })
            .collect();
        funding.sort_by_key(|payment| payment.time);
        PerpetualSeries { marks: self.marked.then(|| Arc::new(strayed.collect())), funding: funding.into() }
    }

    pub(crate) fn interval(&self) -> Nanos {
        Nanos::from_hours(self.hours)
    }

    /// Prices on the tick and never below 4.
    pub(crate) fn bars(&self, at: usize) -> Columns {
        let tick = if at == 0 { 1 } else { 5 };
        let price = |ticks: i32| f64::from(ticks * tick) / 100.0;
        let mut last = 10_000 / tick;
        let mut bars = Columns::default();
        for (at, candle) in (0..).zip(&self.candles) {
            let open = (last + candle.gap).max(500 / tick);
            let close = (open + candle.body).max(500 / tick);
            last = close;
            if !candle.missing {
                bars.push(&Bar {
                    open_time: Nanos(at * self.interval().0),
                    open: price(open),
                    high: price(open.max(close) + candle.up),
                    low: price((open.min(close) - candle.down).max(400 / tick)),
                    close: price(close),
                    volume: f64::from(candle.volume) / 10.0,
                });
            }
        }
        bars
    }
}

/// One line a bar, so that a failing scenario can be read.
impl fmt::Debug for Candle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gap, body, up, down, volume, missing, skew } = self;
        write!(f, "gap {gap}, body {body}, wicks +{up} -{down}, volume {volume}/10, missing {missing}, skew {skew}")
    }
}

pub(crate) fn listing() -> impl Strategy<Value = Listing> {
    let leverage = prop_oneof![3 => Just(None), 1 => (1_u8..=5).prop_map(Some), 2 => (6_u8..=50).prop_map(Some)];
    let tier = prop::option::of(1_u16..80);
    let funding = prop_oneof![1 => Just(Vec::new()), 1 => vec((0_u8..40, -300_i16..300), 1..6)];
    let lent = prop_oneof![2 => Just(None), 1 => (0_u16..=1_000, 0_u16..=1_000).prop_map(Some)];
    let perpetual = (leverage, tier, 0_u8..200, lent, prop::bool::ANY, funding);
    let hours = prop_oneof![3 => Just(1_i64), 1 => Just(4)];
    let candles = prop_oneof![9 => vec(candle(), 5..=16), 1 => vec(candle(), 17..=40)];
    let one = (perpetual, hours, candles, prop::bool::weighted(0.15));
    one.prop_map(|((leverage, tier, liquidation_fee, lent, marked, funding), hours, candles, ends)| Listing {
        leverage,
        tier,
        liquidation_fee,
        lent,
        marked,
        funding,
        hours,
        candles,
        ends,
    })
}

fn candle() -> impl Strategy<Value = Candle> {
    let gap = prop_oneof![6 => Just(0), 6 => -30..30, 1 => -2_000..2_000];
    let volume = prop_oneof![1 => Just(0_u32), 4 => 1_u32..3_000, 4 => 3_000_u32..60_000, 2 => Just(10_000_000)];
    let skew = prop_oneof![3 => Just(0), 2 => -40..40, 1 => -600..600];
    let one = (gap, -120..120, 0..120, 0..120, volume, prop::bool::weighted(0.05), skew);
    one.prop_map(|(gap, body, up, down, volume, missing, skew)| Candle { gap, body, up, down, volume, missing, skew })
}
