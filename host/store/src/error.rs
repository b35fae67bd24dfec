use std::fmt;
use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};
use tiltyard_model::Digest;

use crate::RunKey;

/// Why a file cannot be used as a store. The file is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither a database nor an empty file.
    #[error("{} is not a database; give another path, or move the file away to begin anew", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A database of another program.
    #[error("{} is a database of another program (application id {application}); give another path", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says it is of.
        application: i32,
    },
    /// Written by a newer program.
    #[error(
        "{} has schema {found}, and this program knows schemas up to {known}; use the newer tiltyard that wrote it",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema it has.
        found: i32,
        /// The newest this program knows.
        known: i32,
    },
    /// The file, or the folder it is in, cannot be written.
    #[error("{} cannot be written; give its user the right to write the file and its folder", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("{} cannot be opened; see that its folder exists and that file and folder can be written", .path.display())]
    Unopenable {
        /// The file.
        path: PathBuf,
    },
    /// A file system on which a write-ahead log is not possible.
    #[error("{} keeps its journal as `{mode}`, not as a write-ahead log; use a local disk", .path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// The journal it keeps.
        mode: String,
    },
    /// Anything else.
    #[error("{} cannot be used as a store", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<StoreError>,
    },
}

/// Why something was not read or written.
///
/// A [`Batch`](crate::Batch) that returns one is taken back. One that goes on after a refusal keeps the rest; after a
/// failure of the database it is taken back whatever it returns.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else is writing.
    #[error("the database is locked: another process has been writing to it for too long; let it finish or end it")]
    Locked,
    /// No space.
    #[error("the disk is full: nothing of the batch was kept; make room and repeat it")]
    Full,
    /// The system does not take what is written: a quota, the largest size of a file, a broken disk.
    #[error(
        "the system does not let the database grow: nothing of the batch was kept; see to the disk, its quota and the largest size of a file, and repeat it"
    )]
    Refused,
    /// The file has become read-only.
    #[error("the database cannot be written; give its user the right to write the file and its folder")]
    ReadOnly,
    /// What is in the file cannot be.
    #[error("the database is damaged ({0}); restore it from a copy")]
    Damaged(String),
    /// What a row says cannot be read.
    #[error("{what} in the database cannot be read ({why}); restore it from a copy")]
    Unreadable {
        /// Which column.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Anything else that SQLite says.
    #[error("the database cannot be used")]
    Sqlite(#[source] rusqlite::Error),
    /// An earlier error has already ended the batch.
    #[error("the batch was taken back after an earlier error; return that error from the batch")]
    Undone,
    /// Something refers to what is not there.
    #[error("there is no {what} {name} in the store; insert it first")]
    Unknown {
        /// What is missing.
        what: Kind,
        /// Its name.
        name: String,
    },
    /// The same run had another outcome.
    #[error(
        "run {run} is not deterministic: its {figure} is {given} and was {kept} from the same inputs; \
         trust neither and find what differs"
    )]
    Nondeterministic {
        /// The run.
        run: RunKey,
        /// What is not the same.
        figure: &'static str,
        /// What it was.
        kept: String,
        /// What it is now.
        given: String,
    },
    /// Something else is already kept under this name.
    #[error("{what} {name} is kept with {figure} {kept}, and {given} was given; what is kept is never replaced")]
    Differs {
        /// What is kept.
        what: Kind,
        /// Its name.
        name: String,
        /// What is not the same.
        figure: &'static str,
        /// What it is.
        kept: String,
        /// What was given.
        given: String,
    },
    /// A number that no column holds.
    #[error("{what} {value} cannot be kept; only finite numbers are, and whole ones up to 2^63 - 1")]
    Number {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// Something that contradicts itself.
    #[error("{what} cannot be kept: {why}")]
    Invalid {
        /// What it is.
        what: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// A tournament that is to end has not run everything.
    #[error("tournament {tournament} has {pending} entries without a run; run them before it is finished")]
    Pending {
        /// The tournament.
        tournament: Digest,
        /// How many are left.
        pending: u64,
    },
    /// The file of a component cannot be read or written.
    #[error("{} cannot be read or written; see that it is there and that its folder can be written", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file of a component is not what it was.
    #[error("{} has the digest {found}, not that of its name; delete it and insert the component again", .path.display())]
    Tampered {
        /// The file.
        path: PathBuf,
        /// The digest of what is in it.
        found: Digest,
    },
}

/// What can be missing or in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A family of variants.
    Lineage,
    /// A compiled strategy.
    Component,
    /// A component with its parameters.
    Variant,
    /// A variant on a window.
    Run,
    /// Variants against each other.
    Tournament,
    /// A place in a tournament that a run fills.
    Entry,
    /// The places of a tournament on a day.
    Standings,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lineage => "lineage",
            Self::Component => "component",
            Self::Variant => "variant",
            Self::Run => "run",
            Self::Tournament => "tournament",
            Self::Entry => "entry",
            Self::Standings => "standings",
        })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(told) = error.sqlite_error() else { return Self::Sqlite(error) };
        match (told.code, told.extended_code) {
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Locked,
            // The second is what a full disk is called when the index of the log does not fit.
            (ErrorCode::DiskFull, _) | (_, SQLITE_IOERR_SHMSIZE) => Self::Full,
            (_, SQLITE_IOERR_WRITE | SQLITE_IOERR_FSYNC) => Self::Refused,
            (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => Self::ReadOnly,
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}
