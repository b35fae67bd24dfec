//! The tables, and how a file gets them.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a file as a store: `TILT`.
pub(crate) const APPLICATION: i32 = 0x5449_4c54;

/// What makes each schema of the one before it. One that was released is never changed; the next one follows it.
pub(crate) const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001_components.sql"),
    include_str!("migrations/0002_runs.sql"),
    include_str!("migrations/0003_tournaments.sql"),
    include_str!("migrations/0004_trials.sql"),
    include_str!("migrations/0005_risk.sql"),
];

/// What a file is, before anything in it is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet, or a store of this schema.
    Store { version: i32 },
    /// A store of a schema that is not known.
    Newer { version: i32 },
    /// Something else.
    Foreign { application: i32 },
}

/// Looks without writing.
pub(crate) fn find(connection: &Connection) -> rusqlite::Result<Found> {
    // One statement, so that all of it is seen at one moment, whoever migrates the file meanwhile.
    let sql = "SELECT application_id, user_version, NOT EXISTS (SELECT 1 FROM sqlite_schema)
        FROM pragma_application_id, pragma_user_version";
    let (application, version, empty): (i32, i32, bool) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(match (application, version) {
        (0, 0) if empty => Found::Store { version: 0 },
        (APPLICATION, 1..) if version as usize > MIGRATIONS.len() => Found::Newer { version },
        (APPLICATION, 1..) => Found::Store { version },
        _ => Found::Foreign { application },
    })
}

/// Brings a file to the newest schema, in one transaction. Says what it found, in case another program was first.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<Found> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = find(&transaction)?;
    // What is of the newest schema is only read: opening a store is no change of it.
    if let Found::Store { version } = found
        && (version as usize) < MIGRATIONS.len()
    {
        MIGRATIONS[version as usize..].iter().try_for_each(|sql| transaction.execute_batch(sql))?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i32)?;
    }
    transaction.commit()?;
    Ok(found)
}
