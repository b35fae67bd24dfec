//! HTML reports of a run ([`RunReport`]) and of a tournament ([`TournamentReport`]).
//!
//! Values in, text out: the same values give the same bytes, and whoever asks for a report writes it where it belongs.
//! Each report is one file that needs nothing else: style, script and data are inside, and a Content-Security-Policy
//! forbids it to load anything and to run any script but its own two, which it names by their digests.
//!
//! Names, parameters, faults come from strangers. They are bounded, shown without characters that a reader would obey,
//! escaped by the templates, and escaped again where the charts would read markup.
//!
//! Long series are thinned so that a report stays below [`MAX_BYTES`]; what was left out is said beside it.

#![forbid(unsafe_code)]

mod charts;
mod error;
mod figures;
mod format;
mod leaderboard;
mod monthly;
mod page;
mod run;
mod text;
mod thin;
mod tournament;

pub use error::ReportError;
pub use run::{InstrumentBars, RunReport};
pub use tournament::{HeatMap, LeaderFigures, LeaderRow, Standing, StandingSeries, Standings, TournamentReport};

/// No report is larger than this, in bytes, whatever it is made of. 4.7 million of them are the script that draws charts; four
/// years of hours on one instrument add 0.4 million.
pub const MAX_BYTES: usize = 16 << 20;
