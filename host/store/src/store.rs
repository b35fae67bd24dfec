use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::files::ComponentFiles;
use crate::schema::{self, Found, MIGRATIONS};
use crate::{OpenError, StoreError};

/// What a workspace keeps.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) files: ComponentFiles,
}

/// What is written together: kept as a whole or not at all.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) files: &'a ComponentFiles,
}

impl Store {
    /// How long a writer waits for another.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// Opens the store in this file, and makes or migrates it if need be. Its folder has to exist.
    ///
    /// # Errors
    /// [`OpenError`]; the file is then what it was, and a new one at most empty.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        // Without SQLITE_OPEN_URI, so that every path is one.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| refusal(path, error))?;
        // SQLite opens what cannot be written for reading, without saying so.
        if connection.is_readonly("main").map_err(|error| refusal(path, error))? {
            return Err(OpenError::ReadOnly { path: path.to_owned() });
        }
        Self::set_up(connection, ComponentFiles::beside(path), path)
    }

    /// A store that ends with the process, for tests.
    ///
    /// # Errors
    /// [`OpenError::Failed`] when there is no memory for it.
    pub fn open_in_memory() -> Result<Self, OpenError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| refusal(path, error))?;
        Self::set_up(connection, ComponentFiles::Memory(Default::default()), path)
    }

    fn set_up(mut connection: Connection, files: ComponentFiles, path: &Path) -> Result<Self, OpenError> {
        let refuse = |error| refusal(path, error);
        connection.busy_timeout(Self::PATIENCE).map_err(refuse)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(refuse)?;
        match schema::find(&connection).map_err(refuse)? {
            Found::Store { .. } => {}
            Found::Foreign { application } => return Err(OpenError::Foreign { path: path.to_owned(), application }),
            Found::Newer { version: found } => {
                let known = MIGRATIONS.len() as i32;
                return Err(OpenError::Newer { path: path.to_owned(), found, known });
            }
        }
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(refuse)?;
        if mode != "wal" && matches!(files, ComponentFiles::Folder(_)) {
            return Err(OpenError::Journal { path: path.to_owned(), mode });
        }
        schema::migrate(&mut connection).map_err(refuse)?;
        Ok(Self { connection, files })
    }

    /// Writes together what `write` writes: all of it, or nothing if it returns an error.
    ///
    /// Fast: when the power fails, the last batches may be lost, each as a whole. Thousands of rows belong in one batch.
    ///
    /// # Errors
    /// Those of `write`; [`StoreError::Locked`], [`StoreError::Full`], [`StoreError::ReadOnly`].
    pub fn batch<T>(&mut self, write: impl FnOnce(&Batch<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.transact("NORMAL", write)
    }

    /// As [`Store::batch`], and on disk when it returns, with every batch before it. For what must not be forgotten:
    /// orders, fills, stages.
    ///
    /// # Errors
    /// As [`Store::batch`].
    pub fn durable_batch<T>(
        &mut self,
        write: impl FnOnce(&Batch<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transact("FULL", write)
    }

    fn transact<T>(
        &mut self,
        synchronous: &str,
        write: impl FnOnce(&Batch<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connection.pragma_update(None, "synchronous", synchronous)?;
        // From the start, so that a batch waits for its turn before it reads what it will build on.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = write(&Batch { connection: &transaction, files: &self.files })?;
        if transaction.is_autocommit() {
            return Err(StoreError::Undone);
        }
        transaction.commit()?;
        Ok(written)
    }

    /// Checks the whole file: its pages, its indices, and that everything that is referred to is there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        let found: String = self.connection.pragma_query_value(None, "integrity_check(1)", |row| row.get(0))?;
        if found != "ok" {
            return Err(StoreError::Damaged(found));
        }
        let mut dangling = self.connection.prepare("PRAGMA foreign_key_check")?;
        match dangling.query([])?.next()? {
            None => Ok(()),
            Some(row) => {
                let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
                Err(StoreError::Damaged(format!("a row of {from} refers to one of {to} that is not there")))
            }
        }
    }
}

/// Why this file cannot be opened, from what SQLite says.
fn refusal(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => OpenError::Unopenable { path },
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => OpenError::ReadOnly { path },
        _ => OpenError::Failed { path, source: Box::new(error.into()) },
    }
}
