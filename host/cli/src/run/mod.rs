//! One run of one component: what was asked for, what came of it, and the file that keeps both.

mod entrant;
mod file;
mod market;
mod perpetual;
mod prepared;
mod ready;
mod recording;
mod report;
mod request;
mod result;
mod tape;
mod trades;

use tiltyard_engine::TradingDesk;
use tiltyard_engine::venue::SimulatedVenue;
use tiltyard_sandbox::Sandbox;

pub(crate) use file::SavedRun;
pub(crate) use market::Market;
pub(crate) use prepared::Prepared;
pub(crate) use ready::Ready;
pub(crate) use report::points;
pub(crate) use request::{Data, Request, RunArgs, parameter};
pub(crate) use result::{MADE_UP, RunDocument, broken, is_synthetic, plain};
pub(crate) use trades::write_trades;

/// What components trade bars on.
pub(crate) type Desk = TradingDesk<SimulatedVenue>;

/// The sandbox in which this program runs components on bars.
pub(crate) type Ground = Sandbox<Desk>;
