//! Which parts are numbers and which are conditions, and how many bars they need.

use super::function::Constant;
use super::node::{Node, Operator, Place};

/// The type of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Condition,
}

impl Type {
    /// What it is called, with its article.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Condition => "a condition",
        }
    }

    /// An example, for those who have something else.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Number => "`close`",
            Self::Condition => "`close > open`",
        }
    }
}

impl Node {
    /// The type of what it gives.
    pub(super) fn gives(&self) -> Type {
        match self {
            Self::Number(_)
            | Self::Series(_)
            | Self::Negative(_)
            | Self::Arithmetic(..)
            | Self::Ago(..)
            | Self::Call(_) => Type::Number,
            Self::Compare(..) | Self::Not(_) | Self::Logic(..) | Self::Cross(..) => Type::Condition,
        }
    }

    /// How many bars it needs, if what it stands on needs as many as this says.
    pub(super) fn needs(&self, of: impl Fn(Place) -> u32) -> u32 {
        match *self {
            Self::Number(_) => 0,
            Self::Series(_) => 1,
            Self::Negative(of_this) | Self::Not(of_this) => of(of_this),
            Self::Arithmetic(_, left, right) | Self::Compare(_, left, right) | Self::Logic(_, left, right) => {
                of(left).max(of(right))
            }
            Self::Cross(_, left, right) => of(left).max(of(right)) + 1,
            Self::Ago(of_this, bars) => of(of_this) + bars,
            Self::Call(call) => {
                let before = call.input.map_or(1, of).max(1) - 1;
                before + call.function.family.needs(&call.constants)
            }
        }
    }

    /// How many bars it keeps, or looks at in one go.
    pub(super) fn looks_at(&self) -> u32 {
        match self {
            Self::Ago(_, bars) => *bars,
            Self::Call(call) => {
                let constants = call.function.constants.iter().zip(call.constants);
                constants.map(|(constant, value)| if let Constant::Bars(_) = constant { value as u32 } else { 0 }).sum()
            }
            _ => 0,
        }
    }
}

impl Operator {
    /// What it takes on both sides.
    pub(super) fn takes(self) -> Type {
        match self {
            Self::Logic(_) => Type::Condition,
            Self::Compare(_) | Self::Arithmetic(_) => Type::Number,
        }
    }
}
