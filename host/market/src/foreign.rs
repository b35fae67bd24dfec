//! A border around decoders that panic where they should return an error.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a decoder over a file that may be damaged. The Parquet library asserts what a file may well violate; a panic in it is
/// damage to the file, nothing else. The panic's own message still goes to standard error, or wherever the hook sends it.
///
/// # Errors
/// The decoder's, or `broken` of what it panicked with.
pub(crate) fn decode<T, E>(broken: impl FnOnce(String) -> E, decoder: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // Whatever state the decoder was in is dropped with it.
    catch_unwind(AssertUnwindSafe(decoder)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        Err(broken(format!("its decoder gave up: {}", text.unwrap_or("no reason was given"))))
    })
}
