//! The kernel that backtest, paper and live share: feed → venue → ledger → strategy → risk → venue.
//!
//! Pure: no clock, no randomness but what is drawn from a run's seed, no I/O. Whatever happens becomes an [`Event`];
//! [`Books`] follow from events alone, so that a kept log rebuilds every number.

#![forbid(unsafe_code)]

mod books;
mod clearing;
mod course;
mod desk;
mod event;
mod execution;
mod exits;
mod feed;
mod floor;
mod interest;
mod kernel;
mod ledger;
mod margin;
mod market;
mod metrics;
mod oversight;
mod playback;
pub mod probe;
mod report;
mod requests;
mod safeguards;
mod simulation;
mod situation;
mod sizing;
mod strategy;
mod tape;
mod targets;
mod terms;
mod timers;
pub mod venue;

pub use books::{Books, Record, Sample};
pub use course::Course;
pub use desk::TradingDesk;
pub use event::{Entry, Event, Log};
pub use execution::{Execution, Reason, StrategyIndex, Update};
pub use feed::{BarFeed, Feed, FundingRate, Lane, MarketEvent, PerpetualSeries, Step};
pub use kernel::{Kernel, Outcome, Player, SeatError, Setup, SetupError};
pub use ledger::{Holding, Ledger, Lot, Moment, RoundTrip, Totals};
pub use margin::{MarginMode, MarginTerms};
pub use market::{Listed, Market};
pub use metrics::{Basis, Convention, Metrics, Period};
pub use oversight::{Happened, Overseer, Planned};
pub use playback::TargetPlayback;
pub use report::{OpenRow, TradeRow};
pub use simulation::{Profile, Simulation, Traded, Window, WindowError};
pub use strategy::Strategy;
pub use tape::{TapeFeed, TapeSimulation};
pub use terms::Terms;
