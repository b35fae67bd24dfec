//! What a workspace keeps: one SQLite file, and beside it a folder with the bytes of components.
//!
//! ```text
//! lineage ← component ← variant ← run ← trades
//!                          ↑       ↑
//!        tournament ← entry┴───────┘      which variant, on which window, and its run once there is one
//!        tournament ← standing            who stood where, by day or label
//!                     trial → data span   the ledger: every variant whose result on some data was looked at
//!        guard, transition, flatten       where the account and its strategies stand, and how they came there
//! ```
//!
//! [`Store`] reads. Whatever is written is written in a [`Batch`], which is kept as a whole or not at all, also when the
//! process is killed in the middle. What is kept is never replaced, but for guards, which say what holds now: writing the same again changes nothing, and writing
//! something else under the same name is an error. Only of a trial that is written again do the first figures stay
//! without a word, because it does not count again.
//!
//! - **Durability.** A batch survives the end of the process. [`Store::batch`] may lose the last batches when the power
//!   fails (WAL, `synchronous=NORMAL`), never a part of one; [`Store::durable_batch`] waits for the disk and loses none.
//! - **One writer.** Readers never wait. A second process that writes waits its turn, and then for no longer than
//!   [`Store::PATIENCE`].
//! - **Numbers** come back bit for bit, but for the sign of a zero in a column, which SQLite drops. NaN and infinity are refused.
//! - **Time** is given by the caller; nothing here reads a clock.

#![forbid(unsafe_code)]

mod components;
mod error;
mod files;
mod json;
mod risk;
mod runs;
mod schema;
mod sql;
mod standings;
mod store;
mod tournaments;
mod trades;
mod trials;

pub use components::{Component, Lineage};
pub use error::{Kind, OpenError, StoreError};
pub use risk::{Flatten, Kept, Scope, Transition};
pub use runs::{Run, RunKey};
pub use standings::Standing;
pub use store::{Batch, Store};
pub use tournaments::{Entry, Finish, Tournament};
pub use trials::{DataSpan, Trial};
