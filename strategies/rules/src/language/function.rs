/// A function of the language: an output of an indicator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) input: Input,
    pub(super) constants: &'static [Constant],
    pub(super) family: Family,
    /// Which of the family's values it is.
    pub(super) output: usize,
}

/// What a function is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Whole bars.
    Bars,
    /// A number, the first argument.
    Number,
    /// A number, or `close` if none is given.
    NumberOrClose,
}

/// A constant argument, with its name in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constant {
    /// A whole number from 1 to [`MAX_BARS`](super::MAX_BARS).
    Bars(&'static str),
    /// More than 0, at most [`MAX_WIDTH`].
    Width(&'static str),
}

/// Most standard deviations in a band.
pub(super) const MAX_WIDTH: f64 = 100.0;

impl Constant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bars(name) | Self::Width(name) => name,
        }
    }
}

/// Functions of one family with the same arguments share one indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Sma,
    Ema,
    Wma,
    Rsi,
    Macd,
    Deviation,
    ZScore,
    Highest,
    Lowest,
    Bollinger,
    Atr,
    Adx,
    DirectionalMovement,
    Stochastic,
    Donchian,
    Vwap,
    Obv,
}

const BARS: &[Constant] = &[Constant::Bars("bars")];
const MACD: &[Constant] = &[Constant::Bars("fast"), Constant::Bars("slow"), Constant::Bars("signal")];
const BANDS: &[Constant] = &[Constant::Bars("bars"), Constant::Width("width")];
const STOCHASTIC: &[Constant] = &[Constant::Bars("k"), Constant::Bars("smoothing"), Constant::Bars("d")];

/// All there are. A new one needs a line here and, if its family is new, its indicator in `indicator.rs`.
pub(super) const FUNCTIONS: &[Function] = &[
    function("sma", Input::Number, BARS, Family::Sma, 0),
    function("ema", Input::Number, BARS, Family::Ema, 0),
    function("wma", Input::Number, BARS, Family::Wma, 0),
    function("vwap", Input::Bars, BARS, Family::Vwap, 0),
    function("rsi", Input::NumberOrClose, BARS, Family::Rsi, 0),
    function("macd", Input::NumberOrClose, MACD, Family::Macd, 0),
    function("macd_signal", Input::NumberOrClose, MACD, Family::Macd, 1),
    function("macd_hist", Input::NumberOrClose, MACD, Family::Macd, 2),
    function("stoch_k", Input::Bars, STOCHASTIC, Family::Stochastic, 0),
    function("stoch_d", Input::Bars, STOCHASTIC, Family::Stochastic, 1),
    function("stdev", Input::Number, BARS, Family::Deviation, 0),
    function("zscore", Input::Number, BARS, Family::ZScore, 0),
    function("atr", Input::Bars, BARS, Family::Atr, 0),
    function("bollinger_upper", Input::NumberOrClose, BANDS, Family::Bollinger, 0),
    function("bollinger_middle", Input::NumberOrClose, BANDS, Family::Bollinger, 1),
    function("bollinger_lower", Input::NumberOrClose, BANDS, Family::Bollinger, 2),
    function("highest", Input::Number, BARS, Family::Highest, 0),
    function("lowest", Input::Number, BARS, Family::Lowest, 0),
    function("donchian_upper", Input::Bars, BARS, Family::Donchian, 0),
    function("donchian_middle", Input::Bars, BARS, Family::Donchian, 1),
    function("donchian_lower", Input::Bars, BARS, Family::Donchian, 2),
    function("adx", Input::Bars, BARS, Family::Adx, 0),
    function("plus_di", Input::Bars, BARS, Family::DirectionalMovement, 0),
    function("minus_di", Input::Bars, BARS, Family::DirectionalMovement, 1),
    function("obv", Input::Bars, &[], Family::Obv, 0),
];

const fn function(
    name: &'static str,
    input: Input,
    constants: &'static [Constant],
    family: Family,
    output: usize,
) -> Function {
    Function { name, input, constants, family, output }
}

impl Function {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// How it is written, such as `rsi([x,] bars)`.
    pub(super) fn usage(&self) -> String {
        let input = match self.input {
            Input::Bars => "",
            Input::Number => "x, ",
            Input::NumberOrClose => "[x,] ",
        };
        let constants: Vec<_> = self.constants.iter().map(|constant| constant.name()).collect();
        format!("`{}({input}{})`", self.name, constants.join(", "))
    }
}
