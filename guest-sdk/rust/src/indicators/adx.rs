use super::{Ema, Indicator, atr::true_range, finite, within_bounds};
use crate::Bar;

/// What [`DirectionalMovement`] gives, in percent of the true range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Directional {
    /// +DI: movement upwards.
    pub plus: f64,
    /// −DI: movement downwards.
    pub minus: f64,
}

/// Directional indicators: `±DI = 100 × S(±DM) / S(true range)`.
///
/// Of the rise of the high and the fall of the low since the last bar, the greater, if positive, is the directional
/// movement DM of its direction; the other is 0. S is Wilder's accumulation, `sₜ = sₜ₋₁ − sₜ₋₁ / n + xₜ`. Both are 0
/// while there was no range.
///
/// Source: J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978; TA-Lib `PLUS_DI` and `MINUS_DI`.
/// Warm-up: n + 1. Seeding: the sums over the first n − 1 changes; the n-th is accumulated. Uses high, low and close.
#[derive(Debug, Clone)]
pub struct DirectionalMovement {
    window: u32,
    last: Option<Extent>,
    changes: u32,
    plus: f64,
    minus: f64,
    range: f64,
}

/// What a bar leaves for the next one.
#[derive(Debug, Clone, Copy)]
struct Extent {
    high: f64,
    low: f64,
    close: f64,
}

impl DirectionalMovement {
    /// Over this many bars; 14 is usual.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { window: within_bounds(window), last: None, changes: 0, plus: 0.0, minus: 0.0, range: 0.0 }
    }
}

impl Indicator<&Bar> for DirectionalMovement {
    type Value = Directional;

    fn update(&mut self, bar: &Bar) -> Option<Directional> {
        let &Bar { high, low, close, .. } = bar;
        if !finite([high, low, close]) {
            self.reset();
            return None;
        }
        let last = self.last.replace(Extent { high, low, close })?;
        let (up, down) = (high - last.high, last.low - low);
        if self.changes < self.window {
            self.changes += 1;
        }
        let seeded = self.changes == self.window;
        let kept = if seeded { 1.0 - 1.0 / f64::from(self.window) } else { 1.0 };
        self.plus = self.plus * kept + if up > down { up.max(0.0) } else { 0.0 };
        self.minus = self.minus * kept + if down > up { down.max(0.0) } else { 0.0 };
        self.range = self.range * kept + true_range(bar, last.close);
        let percent = |movement: f64| if self.range > 0.0 { 100.0 * (movement / self.range) } else { 0.0 };
        seeded.then(|| Directional { plus: percent(self.plus), minus: percent(self.minus) })
    }

    fn warm_up(&self) -> u32 {
        self.window + 1
    }

    fn reset(&mut self) {
        *self = Self::new(self.window);
    }
}

/// What [`Adx`] gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdxValue {
    /// ADX: how strong a trend is, whatever its direction; 0 to 100.
    pub adx: f64,
    /// +DI: movement upwards, in percent of the true range.
    pub plus_di: f64,
    /// −DI: movement downwards, in percent of the true range.
    pub minus_di: f64,
}

/// Average directional movement index: Wilder's average of `DX = 100 × |+DI − −DI| / (+DI + −DI)`.
///
/// A bar without any directional movement left leaves it as it was, or counts as 0 while seeding, as in TA-Lib.
///
/// Source: J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978; TA-Lib `ADX`. Warm-up: 2 n. Seeding: the
/// simple average of the first n values of DX; the indicators below it as [`DirectionalMovement`], which has them
/// earlier. Uses high, low and close.
#[derive(Debug, Clone)]
pub struct Adx {
    movement: DirectionalMovement,
    index: Ema,
    last: Option<f64>,
}

impl Adx {
    /// Over this many bars; 14 is usual.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self { movement: DirectionalMovement::new(window), index: Ema::wilder(window), last: None }
    }
}

impl Indicator<&Bar> for Adx {
    type Value = AdxValue;

    fn update(&mut self, bar: &Bar) -> Option<AdxValue> {
        if !finite([bar.high, bar.low, bar.close]) {
            self.reset();
            return None;
        }
        let Directional { plus, minus } = self.movement.update(bar)?;
        let moves = plus + minus;
        if moves > 0.0 {
            self.last = self.index.update(100.0 * ((plus - minus).abs() / moves));
        } else if self.last.is_none() {
            self.last = self.index.update(0.0);
        }
        self.last.map(|adx| AdxValue { adx, plus_di: plus, minus_di: minus })
    }

    fn warm_up(&self) -> u32 {
        self.movement.warm_up() + self.index.warm_up() - 1
    }

    fn reset(&mut self) {
        self.movement.reset();
        self.index.reset();
        self.last = None;
    }
}
