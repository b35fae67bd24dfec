use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Params, TransactionBehavior};

use crate::files::ComponentFiles;
use crate::schema::{self, Found, MIGRATIONS};
use crate::{OpenError, StoreError};

/// The least a database has, in bytes.
const SMALLEST_PAGE: u64 = 512;

/// The size of a new store's pages, in bytes: a run takes some 2.5 KB, and of smaller pages each would fill one alone.
const PAGE: u32 = 8192;

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
    /// Whether the database has failed, and may have kept a part of what it was given.
    failed: Cell<bool>,
}

impl Store {
    /// How long a writer waits for another.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// Opens the store in this file, and makes or migrates it if need be. Its folder has to exist.
    ///
    /// # Errors
    /// [`OpenError`]; the file then has what it had, and a new one nothing.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        // SQLite would take a file that is shorter than its smallest page for an empty one, and write over it.
        if fs::metadata(path).is_ok_and(|file| (1..SMALLEST_PAGE).contains(&file.len())) {
            return Err(OpenError::NotADatabase { path: path.to_owned() });
        }
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
        let accept = |found| match found {
            Found::Store { .. } => Ok(()),
            Found::Foreign { application } => Err(OpenError::Foreign { path: path.to_owned(), application }),
            Found::Newer { version } => {
                Err(OpenError::Newer { path: path.to_owned(), found: version, known: MIGRATIONS.len() as i32 })
            }
        };
        // Before anything is written.
        accept(schema::find(&connection).map_err(refuse)?)?;
        connection.pragma_update(None, "page_size", PAGE).map_err(refuse)?;
        let mode = write_ahead(&connection).map_err(refuse)?;
        if mode != "wal" && matches!(files, ComponentFiles::Folder(_)) {
            return Err(OpenError::Journal { path: path.to_owned(), mode });
        }
        accept(schema::migrate(&mut connection).map_err(refuse)?)?;
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
        let batch = Batch { connection: &transaction, files: &self.files, failed: Cell::new(false) };
        let written = write(&batch)?;
        if batch.failed.get() {
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
        let found: String = self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
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

impl Batch<'_> {
    /// Writes, and says how many rows were. After one failure nothing more is written: SQLite takes a whole transaction
    /// back after some, and what came then would be kept on its own.
    pub(crate) fn write(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        if self.failed.replace(true) {
            return Err(StoreError::Undone);
        }
        let rows = self.connection.prepare_cached(sql)?.execute(params)?;
        self.failed.set(false);
        Ok(rows)
    }
}

/// Asks for a write-ahead log, and says which journal there is then.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        // SQLite's own patience does not reach this change: two that both wait to make it would wait for ever.
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < Store::PATIENCE => {
                thread::sleep(PAUSE);
                waited += PAUSE;
            }
            answer => return answer,
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

#[cfg(test)]
mod tests {
    use rusqlite::params;
    use tiltyard_model::Nanos;

    use super::{Batch, Store};
    use crate::StoreError;
    use crate::schema::{self, APPLICATION, MIGRATIONS};

    fn lineage(batch: &Batch<'_>, name: &str) -> Result<usize, StoreError> {
        batch.write("INSERT INTO lineages VALUES (?, ?)", params![name, Nanos(1).0])
    }

    /// Enough for some hundred pages.
    fn much(batch: &Batch<'_>) -> Result<(), StoreError> {
        (0..1_000).try_for_each(|number| lineage(batch, &format!("{number}{}", "-".repeat(1_000))).map(|_| ()))
    }

    #[test]
    fn a_full_disk_is_an_error_that_leaves_nothing_of_the_batch() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("workspace.db")).unwrap();
        store.batch(|batch| lineage(batch, "before")).unwrap();
        let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let allow = |store: &Store, pages: i64| store.connection.pragma_update(None, "max_page_count", pages).unwrap();
        allow(&store, pages + 10);
        assert!(matches!(store.batch(much), Err(StoreError::Full)));
        // Not even if the error is swallowed and more is written.
        let swallowed = store.batch(|batch| {
            let _ = much(batch);
            let _ = lineage(batch, "after");
            Ok(())
        });
        assert!(matches!(swallowed, Err(StoreError::Undone)), "{swallowed:?}");
        store.check().unwrap();
        assert_eq!(store.lineages().unwrap().len(), 1);
        allow(&store, 1 << 20);
        store.batch(much).unwrap();
        assert_eq!(store.lineages().unwrap().len(), 1_001);
    }

    #[test]
    fn a_batch_that_panics_leaves_nothing_and_the_store_goes_on() {
        let mut store = Store::open_in_memory().unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.batch(|batch| -> Result<(), StoreError> {
                lineage(batch, "gone")?;
                panic!("a strategy's host may")
            })
        }));
        assert!(panicked.is_err());
        store.batch(|batch| lineage(batch, "kept")).unwrap();
        assert_eq!(store.lineages().unwrap().len(), 1);
    }

    #[test]
    fn only_a_durable_batch_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("workspace.db")).unwrap();
        let level = |batch: &Batch<'_>| -> Result<i64, StoreError> {
            Ok(batch.connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?)
        };
        let (normal, full) = (1, 2);
        assert_eq!(store.batch(level).unwrap(), normal);
        assert_eq!(store.durable_batch(level).unwrap(), full);
        assert_eq!(store.batch(level).unwrap(), normal);
    }

    #[test]
    fn every_older_schema_becomes_the_newest() {
        let tables = |store: &Store| -> Vec<String> {
            let mut tables = store.connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").unwrap();
            tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let newest = tables(&Store::open_in_memory().unwrap());
        for version in 0..=MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("workspace.db");
            let old = rusqlite::Connection::open(&path).unwrap();
            if version > 0 {
                MIGRATIONS[..version].iter().for_each(|sql| old.execute_batch(sql).unwrap());
                old.pragma_update(None, "application_id", APPLICATION).unwrap();
                old.pragma_update(None, "user_version", version as i32).unwrap();
            }
            drop(old);
            let store = Store::open(&path).unwrap();
            assert_eq!(tables(&store), newest, "from schema {version}");
            assert_eq!(
                schema::find(&store.connection).unwrap(),
                schema::Found::Store { version: MIGRATIONS.len() as i32 }
            );
        }
    }
}
