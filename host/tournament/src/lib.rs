//! Tournaments: variants of strategies against each other, on the same market, under the same rules.
//!
//! ```text
//! Spec ──┐
//! data ──┼─→ Contest (variants × markets × windows = runs) ─→ run in parallel, each kept as it ends ─→ Table
//! components ┘                                                                                       rows, verdicts
//! ```
//!
//! A [`Contest`] is planned before anything runs: the same specification, components and data give the same runs in the same
//! order, each with a name that follows from its inputs. [`hold`] runs those that are not known yet, on all cores, and
//! keeps each in the store, so that whatever ends it, it goes on from there. The [`Table`] follows from the results alone;
//! neither the number of threads nor the order in which runs end shows in it.
//!
//! Nothing here reads a clock: whoever calls says what time it is.

#![forbid(unsafe_code)]

mod contest;
mod draft;
mod error;
mod hold;
mod market;
mod play;
mod score;
mod space;
mod spec;
mod table;
mod trades;
mod verdict;
mod window;

pub use contest::{Candidate, Contest, Entrant, Group, MOST_RUNS, Run};
pub use error::{ContestError, NoBars};
pub use hold::{HoldError, Progress, hold};
pub use play::{Desk, PlayError, Played, play};
pub use score::Score;
pub use space::{Axis, MOST_VARIANTS, Space, SpaceError};
pub use spec::{MarketSpec, Markets, Rules, Spec, StrategySpec};
pub use table::{Choice, Leader, Row, Table};
pub use trades::trades_of;
pub use verdict::Verdict;
pub use window::{MOST_SPLITS, Span, Split, SplitError, Splitting, Walk};
