//! Statements in few words. All are prepared once per connection.

use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use crate::{Kind, StoreError};

/// All rows, each read by `read`.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    connection.prepare_cached(sql)?.query_and_then(params, read)?.collect()
}

/// The only row, if there is one.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    connection.prepare_cached(sql)?.query_row(params, |row| Ok(read(row))).optional()?.transpose()
}

/// Refuses what refers to nothing. SQLite would as well, without saying which reference it is.
pub(crate) fn require(
    connection: &Connection,
    what: Kind,
    name: impl ToString,
    sql: &str,
    params: impl Params,
) -> Result<(), StoreError> {
    if connection.prepare_cached(sql)?.exists(params)? {
        return Ok(());
    }
    Err(StoreError::Unknown { what, name: name.to_string() })
}

/// A count as SQLite holds it.
pub(crate) fn whole(what: &'static str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Number { what, value: number.to_string() })
}

/// A count as it was written.
pub(crate) fn count(what: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Unreadable { what, why: format!("{number} is below 0") })
}

/// A number that comes back as it went in. SQLite would make a null of a NaN.
pub(crate) fn finite(what: &'static str, number: f64) -> Result<f64, StoreError> {
    if number.is_finite() { Ok(number) } else { Err(StoreError::Number { what, value: number.to_string() }) }
}
