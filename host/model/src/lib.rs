//! Tiltyard's vocabulary: what host, kernel, sandbox and reports all speak of.
//!
//! No I/O, no clock, no randomness. Numbers that cross a crate border carry their meaning in their type: [`Nanos`],
//! [`Digest`], [`InstrumentIndex`], [`OrderId`].

#![forbid(unsafe_code)]

mod bar;
mod desk;
mod digest;
mod instrument;
mod manifest;
mod order;
mod parameter;
mod start;
mod text;
mod time;

pub use bar::{Bar, Columns};
pub use desk::{Desk, Level, MarketError, Quote, TimerError, TimerId};
pub use digest::{Digest, DigestParseError, Digester};
pub use instrument::{Instrument, InstrumentIndex, InstrumentKind};
pub use manifest::{HostStop, Instruments, Interval, MANIFEST_SECTION, Manifest, ManifestError, Schedule};
pub use order::{
    Acceptance, Fill, Liquidity, OpenOrder, OrderId, OrderOrigin, OrderRequest, OrderStatus, OrderType, OrderUpdate,
    Position, Replacement, Side, StopLoss, TimeInForce, Trail, Violation,
};
pub use parameter::{Parameter, ParameterError, ParameterKind, Role, Value};
pub use start::Start;
pub use text::{is_shown, shown};
pub use time::Nanos;
