use tiltyard_sdk::Bar;

use super::function::Function;

/// A condition that was read and found to be one.
///
/// Equal expressions have the same structure, whatever blanks and parentheses they were written with. Shown with no
/// more parentheses than needed, and read back the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Each after those it stands on; the last is the whole.
    pub(super) nodes: Vec<Node>,
    pub(super) needs: u32,
}

impl Expression {
    /// Bars it needs before its answer means anything, the newest included; at most
    /// [`MAX_BARS`](super::MAX_BARS).
    #[must_use]
    pub fn needs(&self) -> u32 {
        self.needs
    }
}

/// Where a node stands in its expression, or in a program.
pub(super) type Place = usize;

/// A part of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Series(Series),
    Negative(Place),
    Arithmetic(Arithmetic, Place, Place),
    Compare(Comparison, Place, Place),
    Not(Place),
    Logic(Logic, Place, Place),
    Cross(Cross, Place, Place),
    /// A number of so many bars ago.
    Ago(Place, u32),
    Call(Call),
}

/// An indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Call {
    pub(super) function: &'static Function,
    /// What it is taken over; nothing if over bars.
    pub(super) input: Option<Place>,
    pub(super) constants: Constants,
}

/// The constant arguments of a function; those that it does not take are 0.
pub(super) type Constants = [f64; 3];

/// A field of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Series {
    Open,
    High,
    Low,
    Close,
    Volume,
}

impl Series {
    pub(super) const ALL: [Self; 5] = [Self::Open, Self::High, Self::Low, Self::Close, Self::Volume];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
        }
    }

    pub(super) fn of(self, bar: &Bar) -> f64 {
        match self {
            Self::Open => bar.open,
            Self::High => bar.high,
            Self::Low => bar.low,
            Self::Close => bar.close,
            Self::Volume => bar.volume,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cross {
    Above,
    Below,
}

impl Cross {
    pub(super) const ALL: [Self; 2] = [Self::Above, Self::Below];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Above => "crosses_above",
            Self::Below => "crosses_below",
        }
    }
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Logic(Logic),
    Compare(Comparison),
    Arithmetic(Arithmetic),
}

/// How tightly parts hold together; a part within a tighter one stands in parentheses.
pub(super) mod tightness {
    pub(in super::super) const OR: u8 = 1;
    pub(in super::super) const AND: u8 = 2;
    pub(in super::super) const NOT: u8 = 3;
    pub(in super::super) const COMPARE: u8 = 4;
    pub(in super::super) const SUM: u8 = 5;
    pub(in super::super) const PRODUCT: u8 = 6;
    pub(in super::super) const NEGATIVE: u8 = 7;
    pub(in super::super) const AGO: u8 = 8;
}

impl Operator {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Logic(Logic::Or), "or"),
        (Self::Logic(Logic::And), "and"),
        (Self::Compare(Comparison::Less), "<"),
        (Self::Compare(Comparison::AtMost), "<="),
        (Self::Compare(Comparison::Greater), ">"),
        (Self::Compare(Comparison::AtLeast), ">="),
        (Self::Compare(Comparison::Equal), "=="),
        (Self::Compare(Comparison::Unequal), "!="),
        (Self::Arithmetic(Arithmetic::Add), "+"),
        (Self::Arithmetic(Arithmetic::Subtract), "-"),
        (Self::Arithmetic(Arithmetic::Multiply), "*"),
        (Self::Arithmetic(Arithmetic::Divide), "/"),
    ];

    pub(super) fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(operator, _)| *operator)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, name)| name)
    }

    pub(super) fn tightness(self) -> u8 {
        match self {
            Self::Logic(Logic::Or) => tightness::OR,
            Self::Logic(Logic::And) => tightness::AND,
            Self::Compare(_) => tightness::COMPARE,
            Self::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => tightness::SUM,
            Self::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide) => tightness::PRODUCT,
        }
    }

    pub(super) fn node(self, left: Place, right: Place) -> Node {
        match self {
            Self::Logic(logic) => Node::Logic(logic, left, right),
            Self::Compare(comparison) => Node::Compare(comparison, left, right),
            Self::Arithmetic(arithmetic) => Node::Arithmetic(arithmetic, left, right),
        }
    }
}
