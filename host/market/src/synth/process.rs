//! How a made-up market moves.

use core::f64::consts::TAU;

use tiltyard_model::{Bar, Nanos};

use super::SyntheticMarket;
use super::draw::{CHARACTER, COMMON, Draw};

const DAY: f64 = 86_400e9;
const YEAR: f64 = 365.0 * DAY;
/// Volatility of the common market, a year.
const COMMON_VOLATILITY: f64 = 0.45;
/// Deviation of the logarithm of volatility, and after what time it has forgotten all but 1/e: hours, and weeks.
const FAST: (f64, f64) = (0.35, 0.5 * DAY);
const SLOW: (f64, f64) = (0.40, 20.0 * DAY);
/// Jumps a year, and the mean and deviation of one.
const JUMPS: f64 = 10.0;
const JUMP: (f64, f64) = (-0.006, 0.035);
/// By how many deviations a jump wakes the fast part of volatility.
const WAKE: f64 = 2.0;
/// After what time a price has forgotten all but 1/e of how far it went astray: keeps long series within reason.
const HOME: f64 = 6.0 * YEAR;
/// The hour of the day at which most happens, UTC, and how much more (as a logarithm).
const BUSY_HOUR: f64 = 15.0;
const BUSY: f64 = 0.35;

/// A spell of one kind of market.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Regime {
    /// Drift of the common market, a year.
    drift: f64,
    /// What volatility is multiplied by.
    volatility: f64,
    /// Mean length.
    length: f64,
}

/// Bull, bear, sideways.
const REGIMES: [Regime; 3] = [
    Regime { drift: 0.9, volatility: 0.9, length: 60.0 * DAY },
    Regime { drift: -1.1, volatility: 1.35, length: 40.0 * DAY },
    Regime { drift: 0.0, volatility: 0.7, length: 30.0 * DAY },
];

/// Volatility that remembers: the sum of a fast and a slow part, each reverting to 0.
#[derive(Debug, Clone)]
struct Volatility {
    fast: f64,
    slow: f64,
}

impl Volatility {
    fn new(draw: &mut Draw) -> Self {
        Self { fast: FAST.0 * draw.normal(), slow: SLOW.0 * draw.normal() }
    }

    /// The factor for the next bar; its square is 1 on average.
    fn step(&mut self, draw: &mut Draw, length: f64) -> f64 {
        for (part, (deviation, memory)) in [(&mut self.fast, FAST), (&mut self.slow, SLOW)] {
            let kept = libm::exp(-length / memory);
            *part = kept * *part + deviation * libm::sqrt(1.0 - kept * kept) * draw.normal();
        }
        libm::exp(self.fast + self.slow - FAST.0 * FAST.0 - SLOW.0 * SLOW.0)
    }

    fn wake(&mut self) {
        self.fast += WAKE * FAST.0;
    }
}

/// How far the hour of the day lifts volatility: a factor whose logarithm is a cosine. Bars of a day or more have none.
fn of_the_hour(open_time: Nanos, length: f64) -> f64 {
    if length >= DAY {
        return 1.0;
    }
    let hour = ((open_time.0.rem_euclid(DAY as i64)) as f64 + length / 2.0) / DAY * 24.0;
    libm::exp(BUSY * libm::cos(TAU * (hour - BUSY_HOUR) / 24.0))
}

/// A jump somewhere in a bar, as the step and the size, if there is one.
fn jump(draw: &mut Draw, length: f64) -> Option<(usize, f64)> {
    let happens = draw.chance(1.0 - libm::exp(-JUMPS * length / YEAR));
    let step = (draw.uniform() * SyntheticMarket::STEPS as f64) as usize;
    let size = JUMP.0 + JUMP.1 * draw.normal();
    happens.then_some((step.min(SyntheticMarket::STEPS - 1), size))
}

/// What all markets have in common in one bar.
#[derive(Debug, Clone)]
pub(super) struct CommonBar {
    /// Logarithmic return of each step.
    steps: [f64; SyntheticMarket::STEPS],
    /// How wild it is, 1 being usual; the hour of the day apart.
    wildness: f64,
}

/// The market that all others move with.
#[derive(Debug, Clone)]
pub(super) struct Common {
    draw: Draw,
    length: f64,
    regime: usize,
    volatility: Volatility,
    /// Logarithm of its level.
    level: f64,
}

impl Common {
    pub(super) fn new(seed: u64, length: Nanos) -> Self {
        let mut draw = Draw::new(seed, COMMON, 0);
        let regime = (draw.uniform() * 3.0) as usize % REGIMES.len();
        let volatility = Volatility::new(&mut draw);
        Self { draw, length: length.0 as f64, regime, volatility, level: 0.0 }
    }

    pub(super) fn step(&mut self, open_time: Nanos) -> CommonBar {
        let (draw, length) = (&mut self.draw, self.length);
        let turns = draw.chance(1.0 - libm::exp(-length / REGIMES[self.regime].length));
        let other = 1 + usize::from(draw.chance(0.5));
        if turns {
            self.regime = (self.regime + other) % REGIMES.len();
        }
        let regime = REGIMES[self.regime];
        let wildness = regime.volatility * self.volatility.step(draw, length);
        let step = length / SyntheticMarket::STEPS as f64;
        let deviation = COMMON_VOLATILITY * wildness * of_the_hour(open_time, length) * libm::sqrt(step / YEAR);
        let tail = draw.tail();
        let drift = (regime.drift - self.level * YEAR / HOME) * step / YEAR;
        let mut steps = [0.0; SyntheticMarket::STEPS];
        for step in &mut steps {
            *step = drift + deviation * tail * draw.normal();
        }
        if let Some((at, size)) = jump(draw, length) {
            steps[at] += size;
            self.volatility.wake();
        }
        self.level += steps.iter().sum::<f64>();
        CommonBar { steps, wildness }
    }
}

/// What one market is like.
#[derive(Debug, Clone)]
pub(super) struct Own {
    /// Price it begins at.
    price: f64,
    /// How far it moves with the common market.
    beta: f64,
    /// Volatility of its own, a year.
    volatility: f64,
    /// Quote currency traded in a usual day.
    daily_value: f64,
    /// Decimals of prices and quantities.
    decimals: (i32, i32),
}

impl Own {
    pub(super) fn new(seed: u64, market: usize) -> Self {
        let mut draw = Draw::new(seed, CHARACTER, market as u64);
        let price = libm::pow(10.0, draw.between(0.0, 4.5));
        let magnitude = libm::floor(libm::log10(price)) as i32;
        Self {
            price,
            beta: draw.between(0.7, 1.3),
            volatility: draw.between(0.25, 0.5),
            daily_value: libm::pow(10.0, draw.between(7.5, 9.0)),
            // Five figures of a price, and lots worth a cent or less.
            decimals: ((4 - magnitude).max(0), magnitude + 2),
        }
    }

    pub(super) fn tick(&self) -> f64 {
        1.0 / power(self.decimals.0)
    }

    pub(super) fn lot(&self) -> f64 {
        1.0 / power(self.decimals.1)
    }

    /// The price on the tick, one tick at least.
    fn price_at(&self, price: f64) -> f64 {
        let scale = power(self.decimals.0);
        (price * scale).round().max(1.0) / scale
    }

    fn volume_at(&self, volume: f64) -> f64 {
        let scale = power(self.decimals.1);
        (volume * scale).round() / scale
    }
}

/// 10ⁿ, exactly.
fn power(decimals: i32) -> f64 {
    (0..decimals).fold(1.0, |power, _| power * 10.0)
}

/// One market on its way.
#[derive(Debug, Clone)]
pub(super) struct Path<'a> {
    own: &'a Own,
    draw: Draw,
    length: f64,
    volatility: Volatility,
    /// Logarithm of its price over the one it began at.
    level: f64,
    /// Last close.
    price: f64,
}

impl<'a> Path<'a> {
    pub(super) fn new(own: &'a Own, mut draw: Draw, length: Nanos) -> Self {
        let volatility = Volatility::new(&mut draw);
        Self { own, draw, length: length.0 as f64, volatility, level: 0.0, price: own.price_at(own.price) }
    }

    pub(super) fn bar(&mut self, open_time: Nanos, common: &CommonBar) -> Bar {
        let (own, draw, length) = (self.own, &mut self.draw, self.length);
        let hour = of_the_hour(open_time, length);
        let wildness = self.volatility.step(draw, length);
        let step = length / SyntheticMarket::STEPS as f64;
        let deviation = own.volatility * wildness * hour * libm::sqrt(step / YEAR);
        let tail = draw.tail();
        let mut moves: [f64; SyntheticMarket::STEPS] =
            std::array::from_fn(|at| own.beta * common.steps[at] + deviation * tail * draw.normal());
        if let Some((at, size)) = jump(draw, length) {
            moves[at] += size;
            self.volatility.wake();
        }
        let pull = -self.level * step / HOME;

        let open = self.price;
        let (mut high, mut low, mut close) = (open, open, open);
        for step in moves {
            self.level += step + pull;
            close = own.price_at(own.price * libm::exp(self.level));
            (high, low) = (high.max(close), low.min(close));
        }
        self.price = close;

        // What usually moves in a bar of this length, and how much more this one did.
        let usual = (COMMON_VOLATILITY + own.volatility) * libm::sqrt(length / YEAR);
        let moved = libm::fabs(libm::log(close / open)) / usual;
        let noise = libm::exp(0.3 * draw.normal() - 0.045);
        let activity = libm::sqrt(common.wildness * wildness) * hour * hour * (0.6 + moved).min(20.0) * noise;
        let volume = own.volume_at(own.daily_value / own.price * (length / DAY) * activity);
        Bar { open_time, open, high, low, close, volume }
    }
}
