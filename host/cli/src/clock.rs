//! The one place of this program where the time of day is read. It is written beside results and orders of a person; no result
//! depends on it.

use std::time::{SystemTime, UNIX_EPOCH};

use tiltyard_model::Nanos;

/// The time.
pub(crate) fn now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
