use std::fmt;

use super::node::{Expression, Node, Operator, Place, tightness};

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never empty: the whole is a condition.
        self.print(f, self.nodes.len() - 1, tightness::OR)
    }
}

impl Expression {
    /// A part, in parentheses if it holds together less tightly than `least`.
    fn print(&self, f: &mut fmt::Formatter<'_>, at: Place, least: u8) -> fmt::Result {
        match self.nodes[at] {
            Node::Number(number) => literal(f, number),
            Node::Series(series) => f.write_str(series.name()),
            Node::Negative(of) => parenthesised(f, tightness::NEGATIVE < least, |f| {
                f.write_str("-")?;
                self.print(f, of, tightness::NEGATIVE)
            }),
            Node::Not(of) => parenthesised(f, tightness::NOT < least, |f| {
                f.write_str("not ")?;
                self.print(f, of, tightness::NOT)
            }),
            Node::Arithmetic(arithmetic, left, right) => {
                self.between(f, Operator::Arithmetic(arithmetic), [left, right], least)
            }
            Node::Compare(comparison, left, right) => {
                self.between(f, Operator::Compare(comparison), [left, right], least)
            }
            Node::Logic(logic, left, right) => self.between(f, Operator::Logic(logic), [left, right], least),
            Node::Cross(cross, left, right) => {
                write!(f, "{}(", cross.name())?;
                self.print(f, left, tightness::OR)?;
                f.write_str(", ")?;
                self.print(f, right, tightness::OR)?;
                f.write_str(")")
            }
            Node::Ago(of, bars) => {
                self.print(f, of, tightness::AGO)?;
                write!(f, "[{bars}]")
            }
            Node::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                let mut comma = "";
                if let Some(input) = call.input {
                    self.print(f, input, tightness::OR)?;
                    comma = ", ";
                }
                for (_, constant) in call.function.constants.iter().zip(call.constants) {
                    f.write_str(comma)?;
                    literal(f, constant)?;
                    comma = ", ";
                }
                f.write_str(")")
            }
        }
    }

    fn between(
        &self,
        f: &mut fmt::Formatter<'_>,
        operator: Operator,
        [left, right]: [Place; 2],
        least: u8,
    ) -> fmt::Result {
        let own = operator.tightness();
        // Comparisons do not chain; all else groups from the left.
        let of_left = if let Operator::Compare(_) = operator { own + 1 } else { own };
        parenthesised(f, own < least, |f| {
            self.print(f, left, of_left)?;
            write!(f, " {} ", operator.name())?;
            self.print(f, right, own + 1)
        })
    }
}

fn parenthesised(
    f: &mut fmt::Formatter<'_>,
    needed: bool,
    inner: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if !needed {
        return inner(f);
    }
    f.write_str("(")?;
    inner(f)?;
    f.write_str(")")
}

/// The shortest digits that read back the same, and no hundred zeros.
fn literal(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    if number == 0.0 || (1e-6..1e16).contains(&number) { write!(f, "{number}") } else { write!(f, "{number:e}") }
}
