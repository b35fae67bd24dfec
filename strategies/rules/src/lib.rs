//! Rules given as text: when to enter, when to leave, and when to stay away. A variant is a set of parameters, so that
//! a new one needs no compiler. [`language`] says how rules are written.
//!
//! At every bar the position moves as follows, and not at all before as many bars were seen as the rules need.
//!
//! 1. A long one is left when `exit` holds, a short one when `short_exit` holds. Nothing else ends a position.
//! 2. Without one, and if `filter` holds or is empty: long when `entry` holds, short when `short_entry` holds. What was
//!    left at this bar is not entered again at this bar; the other side may be. If both would be entered, neither is.
//!
//! An empty rule never holds; an empty `filter` always does. Bars of the warm-up move indicators but enter nothing, so
//! that a run begins flat however much history there was.

pub mod language;

use language::{Condition, Expression, MAX_BARS, Program};
use tiltyard_sdk::prelude::*;

params! {
    /// The rules; see the crate's documentation.
    pub struct Params {
        /// When to buy.
        entry: String = "zscore(close, 20) < -1.5 and close > open", other;
        /// When to sell what was bought.
        exit: String = "zscore(close, 20) > 0 or close < sma(close, 200)", other;
        /// What has to hold, too, for any entry; empty for nothing.
        filter: String = "close > sma(close, 200)", other;
        /// When to sell short; empty for never.
        short_entry: String = "", other;
        /// When to buy back what was sold short; empty for never.
        short_exit: String = "", other;
        /// Fraction of equity to hold.
        size: f64 = 1.0 in 0.01..=1.0 step 0.01, risk;
    }
}

/// The strategy.
#[derive(Debug)]
pub struct Rules {
    program: Program,
    entry: Option<Condition>,
    exit: Option<Condition>,
    filter: Option<Condition>,
    short_entry: Option<Condition>,
    short_exit: Option<Condition>,
    size: f64,
    /// Bars until there is an answer.
    unseen: u32,
    held: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Flat,
    Long,
    Short,
}

impl Signal for Rules {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "rules",
        version: env!("CARGO_PKG_VERSION"),
        description: "Enters and leaves by rules given as text; by default it buys dips in a rising market.",
        warm_up_bars: MAX_BARS,
        hypothesis: "Of the default rules: in a rising market, a fall that is large for the last bars and has begun to \
                     turn was impatient selling, and the price comes back to its average.",
        falsified_by: "After costs, the bars held earn no more on average than all bars above the long average do, over \
                       several years and instruments.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        start.only_instrument()?;
        let mut program = Program::default();
        let mut needs = 1;
        let mut add = |name, text: &str| {
            if text.trim().is_empty() {
                return Ok(None);
            }
            let refuse = |problem| InitError::Parameter { name, problem };
            let expression = Expression::parse(text).map_err(|problem| refuse(problem.to_string()))?;
            needs = expression.needs().max(needs);
            program.add(&expression).map(Some).map_err(|problem| refuse(problem.to_string()))
        };
        let params = &start.params;
        Ok(Self {
            entry: add("entry", &params.entry)?,
            exit: add("exit", &params.exit)?,
            filter: add("filter", &params.filter)?,
            short_entry: add("short_entry", &params.short_entry)?,
            short_exit: add("short_exit", &params.short_exit)?,
            program,
            size: params.size,
            unseen: needs,
            held: Side::Flat,
        })
    }

    fn target(&mut self, bar: &Bar) -> f64 {
        self.see(bar);
        if self.unseen > 0 {
            return f64::NAN;
        }
        self.held = self.next();
        match self.held {
            Side::Flat => 0.0,
            Side::Long => self.size,
            Side::Short => -self.size,
        }
    }

    fn warm_up(&mut self, bars: &Columns) {
        for bar in bars.iter() {
            self.see(&bar);
        }
    }
}

impl Rules {
    fn see(&mut self, bar: &Bar) {
        self.program.update(bar);
        self.unseen = self.unseen.saturating_sub(1);
    }

    /// What to hold from this bar on.
    fn next(&self) -> Side {
        let holds = |rule: Option<Condition>| rule.is_some_and(|rule| self.program.holds(rule));
        let leaves = match self.held {
            Side::Flat => true,
            Side::Long => holds(self.exit),
            Side::Short => holds(self.short_exit),
        };
        if !leaves {
            return self.held;
        }
        let may_enter = self.filter.is_none() || holds(self.filter);
        let long = may_enter && self.held != Side::Long && holds(self.entry);
        let short = may_enter && self.held != Side::Short && holds(self.short_entry);
        match (long, short) {
            (true, false) => Side::Long,
            (false, true) => Side::Short,
            _ => Side::Flat,
        }
    }
}

register!(signal: Rules);

#[cfg(test)]
mod tests;
