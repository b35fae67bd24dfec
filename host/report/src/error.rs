/// Values that no report can be made of. Positions count from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// A series that goes back in time.
    #[error("{series} goes back in time at position {at}; sort it by time, oldest first")]
    NotInOrder {
        /// Which series.
        series: String,
        /// The first value that is older than the one before it.
        at: usize,
    },
    /// Rows and columns that do not fit together.
    #[error("{what} has {have} values where {need} are needed, one for each {each}")]
    Shape {
        /// What does not fit.
        what: String,
        /// Values there are.
        have: usize,
        /// Values there have to be.
        need: usize,
        /// What there has to be a value for.
        each: &'static str,
    },
}
