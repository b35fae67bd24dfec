//! The language that rules are written in.
//!
//! ```text
//! condition  = condition "or" condition | condition "and" condition | "not" condition
//!            | number compare number | cross "(" number "," number ")" | "(" condition ")"
//! compare    = "<" | "<=" | ">" | ">=" | "==" | "!="
//! cross      = "crosses_above" | "crosses_below"
//! number     = number ( "+" | "-" | "*" | "/" ) number | "-" number | number "[" bars "]" | "(" number ")"
//!            | literal | series | function [ "(" arguments ")" ]
//! series     = "open" | "high" | "low" | "close" | "volume"
//! ```
//!
//! From the loosest to the tightest: `or`, `and`, `not`, comparisons (which do not chain), `+ -`, `* /`, unary minus,
//! `[bars]`. Blanks and ends of line mean nothing. A literal is `20`, `0.5` or `2.5e-3`.
//!
//! Functions, with `x` for any number that changes, such as `close` or `(high + low) / 2`; `[x,]` may be left out, and
//! is `close` then. What follows it are constants: bars from 1 to [`MAX_BARS`], a width of more than 0 up to 100.
//!
//! | | |
//! |---|---|
//! | averages | `sma(x, bars)` `ema(x, bars)` `wma(x, bars)` `vwap(bars)` |
//! | momentum | `rsi([x,] bars)` `macd([x,] fast, slow, signal)` `macd_signal(…)` `macd_hist(…)` `stoch_k(k, smoothing, d)` `stoch_d(…)` |
//! | spread | `stdev(x, bars)` `zscore(x, bars)` `atr(bars)` `bollinger_upper([x,] bars, width)` `bollinger_middle(…)` `bollinger_lower(…)` |
//! | extremes | `highest(x, bars)` `lowest(x, bars)` `donchian_upper(bars)` `donchian_middle(bars)` `donchian_lower(bars)` |
//! | trend | `adx(bars)` `plus_di(bars)` `minus_di(bars)` |
//! | volume | `obv()` |
//!
//! They are the indicators of [`tiltyard_sdk::indicators`]. All but `x[bars]` and the crosses include the newest bar: a
//! breakout is `close > highest(high, 20)[1]`.
//!
//! **Undefined.** A number is undefined while an indicator is not warm, after a division by zero, and beyond
//! ±[`LARGEST`]. What is worked out from it is undefined too, and an indicator over it starts anew. Every comparison and
//! cross with an undefined number is false; so `not` of one is true: `not (x > 1)` is not `x <= 1`.
//!
//! **Equality.** `==` holds of two numbers that are apart by at most [`TOLERANCE`] of the larger one, so that it is not
//! a matter of rounding; `!=` is its opposite. `<`, `<=`, `>`, `>=` are exact.
//!
//! **Crosses.** `crosses_above(a, b)` holds at a bar where `a > b` and at the bar before `a <= b`; `crosses_below(a, b)`
//! is `crosses_above(b, a)`.
//!
//! **Bars needed.** Averages over all of the past (`ema`, `macd`, and Wilder's `rsi`, `atr`, `adx`, `plus_di`,
//! `minus_di`) are taken to be settled when what came before weighs less than 0.1 %: so `ema(x, n)` needs some 4.5 n
//! bars, Wilder's 8 n, `adx` 16 n. The level of `obv()` is that of where it began; only its changes mean anything.

mod check;
mod function;
mod indicator;
mod lexer;
mod names;
mod node;
mod parser;
mod past;
mod print;
mod problem;
mod program;

pub use node::Expression;
pub use problem::Problem;
pub use program::{Condition, Program, TooMuch};

/// Longest expression, in bytes: as much as a text parameter takes.
pub const MAX_LENGTH: usize = 16 << 10;
/// Most numbers, series, functions and operators in one expression.
pub const MAX_NODES: usize = 256;
/// How deep parentheses, functions and operators on the right of others may be nested. A level takes
/// less than 1 KB of a guest's stack, which is 64.
pub const MAX_DEPTH: usize = 32;
/// Most bars that an indicator looks at, that `[bars]` goes back, and that an expression needs in all.
pub const MAX_BARS: u32 = 1_000;
/// Most bars that the distinct indicators and `[bars]` of all expressions look at, added up. It bounds memory (3 MB) and
/// the work of a single bar.
pub const MAX_TOTAL_BARS: u32 = 50_000;
/// Numbers beyond this are undefined, so that nothing overflows.
pub const LARGEST: f64 = 1e100;
/// How far apart equal numbers may be, relative to the larger one.
pub const TOLERANCE: f64 = 1e-10;
