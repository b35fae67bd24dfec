use std::fmt;

/// A finite number, or why there is none.
pub type Figure = Result<f64, Undefined>;

/// Why a figure has no value. Positions count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// The series is too short.
    #[error("{}", Shortage { have: *.have, need: *.need })]
    TooFew {
        /// Values there are.
        have: usize,
        /// Values the figure needs.
        need: usize,
    },
    /// The series has a value that is NaN or infinite.
    #[error("the value at position {at} is not a finite number")]
    NotFinite {
        /// Position of the first such value.
        at: usize,
    },
    /// The number of periods in a year is not positive and finite.
    #[error("the number of periods in a year must be positive and finite")]
    NoYear,
    /// A return of -1 or less: there is nothing left to compound.
    #[error("the return at position {at} is a loss of everything or more: nothing is left to compound")]
    Ruin {
        /// Position of the first such return.
        at: usize,
    },
    /// All values are the same, but for rounding.
    #[error("the returns do not vary")]
    NoVariation,
    /// No value is negative, but for rounding.
    #[error("there is no loss to compare with")]
    NoLoss,
    /// The compounded returns never fall below an earlier peak, but for rounding.
    #[error("there is no drawdown to compare with")]
    NoDrawdown,
    /// The returns are those of too short a time to say what a year of them would be.
    #[error("the run is too short for anything to be stated for a year")]
    TooShort,
    /// All values are zero: there is neither a hit nor a miss.
    #[error("every value is zero: there is neither a gain nor a loss")]
    AllZero,
    /// The ratio is not above what it is compared with.
    #[error("it is not above what it is compared with")]
    NoEdge,
    /// The figure, or a step on the way to it, is beyond the range of a 64-bit float.
    #[error("the figure is too large to be computed")]
    TooLarge,
}

/// "at least 2 values are needed, there is 1".
struct Shortage {
    have: usize,
    need: usize,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.need {
            1 => write!(f, "at least 1 value is needed, ")?,
            need => write!(f, "at least {need} values are needed, ")?,
        }
        match self.have {
            0 => write!(f, "there is none"),
            1 => write!(f, "there is 1"),
            have => write!(f, "there are {have}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Undefined;

    #[test]
    fn reasons_read_as_sentences() {
        let too_few = |have, need| Undefined::TooFew { have, need }.to_string();
        assert_eq!(too_few(0, 1), "at least 1 value is needed, there is none");
        assert_eq!(too_few(1, 2), "at least 2 values are needed, there is 1");
        assert_eq!(too_few(2, 3), "at least 3 values are needed, there are 2");
        assert_eq!(Undefined::NotFinite { at: 2 }.to_string(), "the value at position 2 is not a finite number");
    }
}
