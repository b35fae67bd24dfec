use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kelly::{NoFraction, Trips};

/// How much a host puts on when a strategy asks for a target.
///
/// A strategy asks for a signed number, its conviction: negative is short. [`AsAsked`](Self::AsAsked) takes it for the
/// fraction of equity itself; every other method has a full size of its own and puts on that size × conviction, where
/// more than 1 counts as 1. Fractions are notional ÷ equity.
///
/// In TOML a word or a table: `sizing = "as_asked"`, or `[sizing.kelly]` with its figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sizing {
    /// The fraction as it is.
    #[default]
    AsAsked,
    /// Always the same.
    FixedFraction {
        /// The full size: more than 0, at most 10.
        fraction: f64,
    },
    /// So that reaching the stop costs a fixed part of equity: budget ÷ (stop distance ÷ price).
    AtrRisk {
        /// What reaching the stop may cost, as a fraction of equity before costs: more than 0, at most 1.
        budget: f64,
        /// Stop distance ÷ ATR where the order brings no stop: more than 0, at most 100.
        atr_multiple: f64,
        /// Bars of Wilder's average: 1 to 10,000.
        atr_bars: u32,
        /// The largest full size, however near the stop: more than 0, at most 10.
        most: f64,
    },
    /// A capped share of what the strategy's own round trips say would grow fastest (Kelly 1956, Thorp 2006).
    Kelly {
        /// The part of the Kelly fraction: more than 0, at most 1. Beyond 1 risk rises and growth falls (Thorp 2006).
        share: f64,
        /// The largest full size: more than 0, at most 10.
        most: f64,
        /// Trips that won or lost before their figures count: 2 to 1,000,000.
        least_trips: u32,
        /// The full size until then, and while no trip lost: 0 to `most`. Nothing is put on if it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_known: Option<f64>,
    },
}

/// What a size is worked out from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// What the strategy asks for; negative is short.
    pub asked: f64,
    /// The price at which the position would be taken, in quote currency.
    pub price: f64,
    /// Distance of the stop that the order brings, in quote currency; `None` if it brings none.
    pub stop_distance: Option<f64>,
    /// ATR of [`Sizing::atr_bars`], in quote currency; `None` while there is none.
    pub atr: Option<f64>,
    /// The strategy's finished round trips.
    pub trips: Trips,
}

/// What is put on, and why not more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Notional ÷ equity; negative is short. Always finite.
    pub fraction: f64,
    /// What bound it.
    pub bound: SizeBound,
}

/// What bound a size. From [`Misconfigured`](Self::Misconfigured) on, nothing is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeBound {
    /// The strategy asked for no more.
    Asked,
    /// The fixed fraction.
    Fraction,
    /// The risk budget and the distance of the stop.
    RiskBudget,
    /// The share of the Kelly fraction.
    Edge,
    /// The largest size of the method.
    Most,
    /// The size for as long as there is no edge to reckon with.
    UntilKnown,
    /// The method has [problems](Sizing::problems).
    Misconfigured,
    /// What was asked for, or a figure of the round trips, is NaN, infinite or has the wrong sign.
    NotANumber,
    /// There is no price, or none above 0.
    NoPrice,
    /// The order brings no stop and there is no ATR, or the distance is not above 0.
    NoStop,
    /// Too few trips won or lost.
    TooFewTrips {
        /// Trips that there are.
        have: u32,
        /// Trips that are needed.
        need: u32,
    },
    /// No trip lost yet: there is no payoff to reckon with.
    NoPayoff,
    /// The round trips show no edge.
    NoEdge,
}

impl Sizing {
    /// What is wrong with it, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut above_zero = |field: &str, value: f64, most: f64| {
            if !(value > 0.0 && value <= most) {
                problems.push(format!("{field} is {value}; it must be more than 0 and at most {most}"));
            }
        };
        match *self {
            Self::AsAsked => {}
            Self::FixedFraction { fraction } => above_zero("fraction", fraction, LARGEST),
            Self::AtrRisk { budget, atr_multiple, atr_bars, most } => {
                above_zero("budget", budget, 1.0);
                above_zero("atr_multiple", atr_multiple, 100.0);
                above_zero("most", most, LARGEST);
                if !(1..=10_000).contains(&atr_bars) {
                    problems.push(format!("atr_bars is {atr_bars}; it must be from 1 to 10000"));
                }
            }
            Self::Kelly { share, most, least_trips, until_known } => {
                above_zero("share", share, 1.0);
                above_zero("most", most, LARGEST);
                if !(2..=1_000_000).contains(&least_trips) {
                    problems.push(format!("least_trips is {least_trips}; it must be from 2 to 1000000"));
                }
                if let Some(until_known) = until_known.filter(|size| !(*size >= 0.0 && *size <= most)) {
                    problems.push(format!("until_known is {until_known}; it must be from 0 to most, which is {most}"));
                }
            }
        }
        problems
    }

    /// Bars of the ATR that [`Target::atr`] has to be of; `None` if the method needs none.
    #[must_use]
    pub fn atr_bars(&self) -> Option<usize> {
        match *self {
            Self::AtrRisk { atr_bars, .. } => Some(atr_bars as usize),
            Self::AsAsked | Self::FixedFraction { .. } | Self::Kelly { .. } => None,
        }
    }

    /// What is put on for this target. Whatever cannot be worked out is 0.
    #[must_use]
    pub fn size(&self, target: &Target) -> Size {
        let asked = target.asked;
        if !self.problems().is_empty() {
            return Size::nothing(SizeBound::Misconfigured);
        }
        if !asked.is_finite() {
            return Size::nothing(SizeBound::NotANumber);
        }
        if asked == 0.0 {
            return Size::nothing(SizeBound::Asked);
        }
        let full = match *self {
            Self::AsAsked => return Size { fraction: asked, bound: SizeBound::Asked },
            Self::FixedFraction { fraction } => Size { fraction, bound: SizeBound::Fraction },
            Self::AtrRisk { budget, atr_multiple, most, .. } => risked(budget, atr_multiple, target).at_most(most),
            Self::Kelly { share, most, least_trips, until_known } => {
                grown(share, least_trips, until_known, &target.trips).at_most(most)
            }
        };
        if full.fraction == 0.0 {
            return full;
        }
        Size { fraction: full.fraction * asked.clamp(-1.0, 1.0), bound: full.bound }
    }
}

/// The largest full size that can be configured: ten times the equity.
const LARGEST: f64 = 10.0;

fn is_amount(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// Budget ÷ stop distance as a fraction of the price. A stop that the order brings is never replaced by another.
fn risked(budget: f64, atr_multiple: f64, target: &Target) -> Size {
    if !is_amount(target.price) {
        return Size::nothing(SizeBound::NoPrice);
    }
    let distance = target.stop_distance.or(target.atr.map(|atr| atr * atr_multiple));
    let Some(distance) = distance.filter(|distance| is_amount(*distance)) else {
        return Size::nothing(SizeBound::NoStop);
    };
    Size { fraction: budget / (distance / target.price), bound: SizeBound::RiskBudget }
}

/// A share of the Kelly fraction, or what is put on until there is one.
fn grown(share: f64, least_trips: u32, until_known: Option<f64>, trips: &Trips) -> Size {
    let unknown = |bound| match until_known {
        Some(size) if size > 0.0 => Size { fraction: size, bound: SizeBound::UntilKnown },
        _ => Size::nothing(bound),
    };
    let kelly = match trips.kelly() {
        // Figures that are none are no lack of trips.
        Err(NoFraction::NotANumber) => return Size::nothing(SizeBound::NotANumber),
        _ if trips.decided() < least_trips => {
            return unknown(SizeBound::TooFewTrips { have: trips.decided(), need: least_trips });
        }
        Err(NoFraction::NoLoss) => return unknown(SizeBound::NoPayoff),
        Ok(kelly) => kelly,
    };
    if kelly > 0.0 {
        Size { fraction: share * kelly, bound: SizeBound::Edge }
    } else {
        Size::nothing(SizeBound::NoEdge)
    }
}

impl Size {
    fn nothing(bound: SizeBound) -> Self {
        Self { fraction: 0.0, bound }
    }

    fn at_most(self, most: f64) -> Self {
        if self.fraction > most { Self { fraction: most, bound: SizeBound::Most } } else { self }
    }
}

impl fmt::Display for SizeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "what was asked for",
            Self::Fraction => "the fixed fraction",
            Self::RiskBudget => "the risk budget and the distance of the stop",
            Self::Edge => "the share of the Kelly fraction",
            Self::Most => "the largest size",
            Self::UntilKnown => "the size until the edge is known",
            Self::Misconfigured => "nothing: the sizing has problems",
            Self::NotANumber => "nothing: a figure is not a number",
            Self::NoPrice => "nothing: there is no price",
            Self::NoStop => "nothing: there is neither a stop nor an ATR",
            Self::TooFewTrips { have, need } => return write!(f, "nothing: {have} of {need} finished round trips"),
            Self::NoPayoff => "nothing: no round trip lost yet",
            Self::NoEdge => "nothing: the round trips show no edge",
        })
    }
}

#[cfg(test)]
mod tests;
