use tiltyard_sdk::Bar;
use tiltyard_sdk::indicators::{
    Adx, Atr, Bollinger, DirectionalMovement, Donchian, Ema, Indicator as _, Macd, Obv, RollingMax, RollingMin,
    RollingStd, RollingVwap, Rsi, Sma, Stochastic, Wma, ZScore,
};

use super::function::Family;
use super::node::Constants;

/// Time constants after which what came before weighs e⁻⁷, less than 0.1 %.
const SETTLED: u32 = 7;
/// As many values as any family has.
pub(super) const OUTPUTS: usize = 3;
const UNDEFINED: [f64; OUTPUTS] = [f64::NAN; OUTPUTS];

/// A running indicator.
#[derive(Debug, Clone)]
pub(super) enum Indicator {
    Sma(Sma),
    Ema(Ema),
    Wma(Wma),
    Rsi(Rsi),
    Macd(Macd),
    Deviation(RollingStd),
    ZScore(ZScore),
    Highest(RollingMax),
    Lowest(RollingMin),
    Bollinger(Bollinger),
    Atr(Atr),
    Adx(Adx),
    DirectionalMovement(DirectionalMovement),
    Stochastic(Stochastic),
    Donchian(Donchian),
    Vwap(RollingVwap),
    Obv(Obv),
}

impl Indicator {
    /// Takes the next bar and, if it is over a number, that number; NaN is undefined.
    pub(super) fn update(&mut self, bar: &Bar, input: f64) -> [f64; OUTPUTS] {
        let one = match self {
            Self::Sma(sma) => sma.update(input),
            Self::Ema(ema) => ema.update(input),
            Self::Wma(wma) => wma.update(input),
            Self::Rsi(rsi) => rsi.update(input),
            Self::Deviation(deviation) => deviation.update(input),
            Self::ZScore(z_score) => z_score.update(input),
            Self::Highest(highest) => highest.update(input),
            Self::Lowest(lowest) => lowest.update(input),
            Self::Atr(atr) => atr.update(bar),
            Self::Adx(adx) => adx.update(bar).map(|value| value.adx),
            Self::Vwap(vwap) => vwap.update(bar),
            Self::Obv(obv) => obv.update(bar),
            Self::Macd(macd) => {
                return macd.update(input).map_or(UNDEFINED, |value| [value.line, value.signal, value.histogram]);
            }
            Self::Bollinger(bollinger) => {
                return bollinger.update(input).map_or(UNDEFINED, |bands| [bands.upper, bands.middle, bands.lower]);
            }
            Self::DirectionalMovement(movement) => {
                return movement.update(bar).map_or(UNDEFINED, |value| [value.plus, value.minus, f64::NAN]);
            }
            Self::Stochastic(stochastic) => {
                return stochastic.update(bar).map_or(UNDEFINED, |value| [value.k, value.d, f64::NAN]);
            }
            Self::Donchian(donchian) => {
                return donchian.update(bar).map_or(UNDEFINED, |value| [value.upper, value.middle, value.lower]);
            }
        };
        one.map_or(UNDEFINED, |value| [value, f64::NAN, f64::NAN])
    }

    fn warm_up(&self) -> u32 {
        match self {
            Self::Sma(sma) => sma.warm_up(),
            Self::Ema(ema) => ema.warm_up(),
            Self::Wma(wma) => wma.warm_up(),
            Self::Rsi(rsi) => rsi.warm_up(),
            Self::Macd(macd) => macd.warm_up(),
            Self::Deviation(deviation) => deviation.warm_up(),
            Self::ZScore(z_score) => z_score.warm_up(),
            Self::Highest(highest) => highest.warm_up(),
            Self::Lowest(lowest) => lowest.warm_up(),
            Self::Bollinger(bollinger) => bollinger.warm_up(),
            Self::Atr(atr) => atr.warm_up(),
            Self::Adx(adx) => adx.warm_up(),
            Self::DirectionalMovement(movement) => movement.warm_up(),
            Self::Stochastic(stochastic) => stochastic.warm_up(),
            Self::Donchian(donchian) => donchian.warm_up(),
            Self::Vwap(vwap) => vwap.warm_up(),
            Self::Obv(obv) => obv.warm_up(),
        }
    }
}

impl Family {
    /// An indicator before its first bar.
    pub(super) fn start(self, constants: &Constants) -> Indicator {
        // Bars are whole numbers from 1 to MAX_BARS.
        let [first, second, third] = constants.map(|constant| constant as u32);
        match self {
            Self::Sma => Indicator::Sma(Sma::new(first)),
            Self::Ema => Indicator::Ema(Ema::new(first)),
            Self::Wma => Indicator::Wma(Wma::new(first)),
            Self::Rsi => Indicator::Rsi(Rsi::new(first)),
            Self::Macd => Indicator::Macd(Macd::new(first, second, third)),
            Self::Deviation => Indicator::Deviation(RollingStd::new(first)),
            Self::ZScore => Indicator::ZScore(ZScore::new(first)),
            Self::Highest => Indicator::Highest(RollingMax::new(first)),
            Self::Lowest => Indicator::Lowest(RollingMin::new(first)),
            Self::Bollinger => Indicator::Bollinger(Bollinger::new(first, constants[1])),
            Self::Atr => Indicator::Atr(Atr::new(first)),
            Self::Adx => Indicator::Adx(Adx::new(first)),
            Self::DirectionalMovement => Indicator::DirectionalMovement(DirectionalMovement::new(first)),
            Self::Stochastic => Indicator::Stochastic(Stochastic::slow(first, second, third)),
            Self::Donchian => Indicator::Donchian(Donchian::new(first)),
            Self::Vwap => Indicator::Vwap(RollingVwap::new(first)),
            Self::Obv => Indicator::Obv(Obv::new()),
        }
    }

    /// Bars until its value means something: until it is there, and what came before it has faded.
    pub(super) fn needs(self, constants: &Constants) -> u32 {
        let [first, second, third] = constants.map(|constant| constant as u32);
        let exponential = |bars: u32| (SETTLED * (bars + 1)).div_ceil(2);
        let wilder = |bars: u32| SETTLED * bars;
        let fading = match self {
            Self::Ema => exponential(first),
            Self::Macd => exponential(first.max(second)) + exponential(third),
            Self::Rsi | Self::Atr | Self::DirectionalMovement => wilder(first),
            Self::Adx => 2 * wilder(first),
            _ => 0,
        };
        self.start(constants).warm_up() + fading
    }
}
