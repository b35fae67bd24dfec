use std::fmt;

use tiltyard_sdk::Bar;

use super::check::Type;
use super::function::FUNCTIONS;
use super::indicator::{Indicator, OUTPUTS};
use super::node::{Arithmetic, Call, Comparison, Cross, Expression, Logic, Node, Place, Series};
use super::past::Past;
use super::{LARGEST, MAX_TOTAL_BARS, TOLERANCE};

/// Expressions that are evaluated together, bar by bar.
///
/// What several of them have in common, or one has several times, is worked out once. All memory is taken when they are
/// added.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// In an order in which each finds its operands.
    steps: Vec<Step>,
    /// NaN is undefined.
    numbers: Vec<f64>,
    truths: Vec<bool>,
    /// What is worked out already, with places in `numbers` and `truths` for operands, and where its value is.
    known: Vec<(Node, Place)>,
    looks_at: u32,
}

/// A condition of a [`Program`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition(Place);

/// The expressions of a program look at more bars than [`MAX_TOTAL_BARS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch {
    looks_at: u32,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "with it, the distinct indicators and `[bars]` of all rules look at {} bars or more; at most \
             {MAX_TOTAL_BARS} are kept; use fewer or shorter ones",
            self.looks_at
        )
    }
}

impl std::error::Error for TooMuch {}

#[derive(Debug, Clone)]
struct Step {
    /// Where the result goes.
    to: Place,
    work: Work,
}

#[derive(Debug, Clone)]
enum Work {
    Series(Series),
    Negative(Place),
    Arithmetic(Arithmetic, Place, Place),
    Ago(Place, Past),
    /// Of as many numbers as there are [`OUTPUTS`].
    Indicator(Option<Place>, Box<Indicator>),
    Compare(Comparison, Place, Place),
    Not(Place),
    Logic(Logic, Place, Place),
    Cross {
        above: Place,
        below: Place,
        /// Whether it was not above, at the bar before.
        was_not: bool,
    },
}

impl Program {
    /// Adds an expression. It knows only of bars from now on.
    ///
    /// # Errors
    /// [`TooMuch`]; the expressions so far are as they were.
    pub fn add(&mut self, expression: &Expression) -> Result<Condition, TooMuch> {
        let mut places: Vec<Place> = Vec::with_capacity(expression.nodes.len());
        for node in &expression.nodes {
            let place = self.place(node.with_operands(|operand| places[operand]))?;
            places.push(place);
        }
        // Never empty: the whole is a condition.
        Ok(Condition(places[places.len() - 1]))
    }

    /// Takes the next bar.
    pub fn update(&mut self, bar: &Bar) {
        let bar = &Bar {
            open_time: bar.open_time,
            open: defined(bar.open),
            high: defined(bar.high),
            low: defined(bar.low),
            close: defined(bar.close),
            volume: defined(bar.volume),
        };
        let Self { steps, numbers, truths, .. } = self;
        for Step { to, work } in steps {
            let to = *to;
            match work {
                Work::Series(series) => numbers[to] = series.of(bar),
                Work::Negative(of) => numbers[to] = -numbers[*of],
                Work::Arithmetic(arithmetic, a, b) => numbers[to] = defined(arithmetic.of(numbers[*a], numbers[*b])),
                Work::Ago(of, past) => numbers[to] = past.push(numbers[*of]),
                Work::Indicator(input, indicator) => {
                    let input = input.map_or(f64::NAN, |input| numbers[input]);
                    numbers[to..to + OUTPUTS].copy_from_slice(&indicator.update(bar, input).map(defined));
                }
                Work::Compare(comparison, a, b) => truths[to] = comparison.of(numbers[*a], numbers[*b]),
                Work::Not(of) => truths[to] = !truths[*of],
                Work::Logic(Logic::And, a, b) => truths[to] = truths[*a] && truths[*b],
                Work::Logic(Logic::Or, a, b) => truths[to] = truths[*a] || truths[*b],
                Work::Cross { above, below, was_not } => {
                    let (a, b) = (numbers[*above], numbers[*below]);
                    truths[to] = *was_not && a > b;
                    *was_not = a <= b;
                }
            }
        }
    }

    /// Whether a condition held at the last bar.
    #[must_use]
    pub fn holds(&self, condition: Condition) -> bool {
        self.truths[condition.0]
    }

    /// How many distinct indicators it keeps.
    #[must_use]
    pub fn indicators(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.work, Work::Indicator(..))).count()
    }

    /// Where the value of a node is, whose operands are places already.
    fn place(&mut self, node: Node) -> Result<Place, TooMuch> {
        let (node, output) = node.shared();
        if let Some((_, place)) = self.known.iter().find(|(known, _)| *known == node) {
            return Ok(place + output);
        }
        let looks_at = self.looks_at + node.looks_at();
        if looks_at > MAX_TOTAL_BARS {
            return Err(TooMuch { looks_at });
        }
        self.looks_at = looks_at;
        let to = if node.gives() == Type::Number { self.numbers.len() } else { self.truths.len() };
        let work = match node {
            Node::Number(_) => None,
            Node::Series(series) => Some(Work::Series(series)),
            Node::Negative(of) => Some(Work::Negative(of)),
            Node::Arithmetic(arithmetic, a, b) => Some(Work::Arithmetic(arithmetic, a, b)),
            Node::Ago(of, bars) => Some(Work::Ago(of, Past::of(bars))),
            Node::Call(Call { function, input, constants }) => {
                Some(Work::Indicator(input, Box::new(function.family.start(&constants))))
            }
            Node::Compare(comparison, a, b) => Some(Work::Compare(comparison, a, b)),
            Node::Not(of) => Some(Work::Not(of)),
            Node::Logic(logic, a, b) => Some(Work::Logic(logic, a, b)),
            Node::Cross(_, above, below) => Some(Work::Cross { above, below, was_not: false }),
        };
        match (node, node.gives()) {
            (Node::Number(number), _) => self.numbers.push(number),
            (Node::Call(_), _) => self.numbers.extend([f64::NAN; OUTPUTS]),
            (_, Type::Number) => self.numbers.push(f64::NAN),
            (_, Type::Condition) => self.truths.push(false),
        }
        self.steps.extend(work.map(|work| Step { to, work }));
        self.known.push((node, to));
        Ok(to + output)
    }
}

impl Node {
    /// The same over other places.
    fn with_operands(self, place: impl Fn(Place) -> Place) -> Self {
        match self {
            Self::Number(_) | Self::Series(_) => self,
            Self::Negative(of) => Self::Negative(place(of)),
            Self::Arithmetic(arithmetic, a, b) => Self::Arithmetic(arithmetic, place(a), place(b)),
            Self::Compare(comparison, a, b) => Self::Compare(comparison, place(a), place(b)),
            Self::Not(of) => Self::Not(place(of)),
            Self::Logic(logic, a, b) => Self::Logic(logic, place(a), place(b)),
            Self::Cross(cross, a, b) => Self::Cross(cross, place(a), place(b)),
            Self::Ago(of, bars) => Self::Ago(place(of), bars),
            Self::Call(call) => Self::Call(Call { input: call.input.map(place), ..call }),
        }
    }

    /// The node that stands for all that are worked out together with this one, and which of its values this one is.
    fn shared(self) -> (Self, usize) {
        match self {
            Self::Cross(Cross::Below, a, b) => (Self::Cross(Cross::Above, b, a), 0),
            Self::Call(call) => {
                let first = FUNCTIONS.iter().find(|function| function.family == call.function.family);
                let function = first.unwrap_or(call.function);
                (Self::Call(Call { function, ..call }), call.function.output)
            }
            _ => (self, 0),
        }
    }
}

impl Arithmetic {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
        }
    }
}

impl Comparison {
    /// False with NaN on either side.
    fn of(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
            Self::Equal => equal(a, b),
            Self::Unequal => !a.is_nan() && !b.is_nan() && !equal(a, b),
        }
    }
}

fn equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// NaN for what is beyond bounds.
fn defined(number: f64) -> f64 {
    if number.abs() <= LARGEST { number } else { f64::NAN }
}
