//! Tiltyard's vocabulary: what host, kernel, sandbox and reports all speak of.
//!
//! No I/O, no clock, no randomness. Numbers that cross a crate border carry their meaning in their type: [`Nanos`],
//! [`Digest`], [`InstrumentIndex`], [`OrderId`]. [`tape`] is a module of its own: its quotes and levels are exact and a venue's, while
//! [`Quote`] is what a desk shows a strategy and [`Level`] how much a journal line matters.

#![forbid(unsafe_code)]

mod bar;
mod desk;
mod digest;
mod instrument;
mod manifest;
mod margin;
mod money;
mod order;
mod parameter;
mod random;
mod specification;
mod start;
pub mod tape;
mod text;
mod ticket;
mod time;
mod variant;

pub use bar::{Bar, Columns};
pub use desk::{Desk, Level, MarketError, Quote, TimerError, TimerId, Trade};
pub use digest::{Digest, DigestParseError, Digester};
pub use instrument::{Instrument, InstrumentIndex, InstrumentKind};
pub use manifest::{
    HostStop, Instruments, Interval, MANIFEST_SCHEMA, MANIFEST_SECTION, Manifest, ManifestError, MarketEvents, Schedule,
};
pub use margin::{BorrowRates, Margin, MarginRules, MarginTier};
pub use money::{MONEY_SCALE, Money, Price, Qty, Rounding, decimal, notional, share, to_f64};
pub use order::{
    Acceptance, Fill, Liquidity, OpenOrder, OrderId, OrderOrigin, OrderRequest, OrderStatus, OrderType, OrderUpdate,
    Position, Replacement, Side, StopLoss, TimeInForce, Trail, Violation,
};
pub use parameter::{Parameter, ParameterError, ParameterKind, Role, Value};
pub use random::Random;
pub use specification::{Specification, SpecificationError};
pub use start::Start;
pub use text::{is_shown, shown};
pub use ticket::{Change, Gap, OrderKind, Protection, Ticket};
pub use time::Nanos;
pub use variant::Variant;
// The one kind of exact number; named here so that other crates agree on it.
pub use rust_decimal::Decimal;
