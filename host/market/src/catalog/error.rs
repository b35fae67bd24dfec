use std::io;
use std::path::{Path, PathBuf};

use crate::{Contradiction, Key, SeriesError};

/// Why something cannot be kept, or got.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The system says no. Nothing was changed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was said.
        error: io::Error,
    },
    /// There is no such series.
    #[error("{key} is not in the catalog {}; import it{}", folder.display(), others(known))]
    Unknown {
        /// What was asked for.
        key: Key,
        /// The catalog's folder.
        folder: PathBuf,
        /// What there is of this symbol.
        known: Vec<Key>,
    },
    /// The file is not what was written.
    #[error("{} is damaged: {what}; remove it and import the data again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it shows.
        what: String,
    },
    /// A later version wrote the file.
    #[error("{} has form {found}, this version reads up to form {known}; use a newer version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: u32,
        /// [`About::FORM`](crate::About::FORM).
        known: u32,
    },
    /// A file whose name no series has.
    #[error("{} is not a file of the catalog; move it away", path.display())]
    Stray {
        /// The file.
        path: PathBuf,
    },
    /// New bars say something else than those that are kept.
    #[error("{key}: {contradiction}\nto take the new ones, replace them")]
    Contradiction {
        /// The series.
        key: Key,
        /// Which bars.
        contradiction: Contradiction,
    },
    /// Real and made-up bars, or bars that were made up differently, in one series.
    #[error("{key} is kept as {kept}, and what is given is {given}; give it another symbol or venue")]
    Mixed {
        /// The series.
        key: Key,
        /// What the kept bars are.
        kept: String,
        /// What the new bars are.
        given: String,
    },
    /// Old and new bars together make no series.
    #[error(transparent)]
    Series(#[from] SeriesError),
}

impl CatalogError {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::Io { path: path.to_owned(), error }
    }

    pub(super) fn damaged(path: &Path, what: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.to_string() }
    }
}

fn others(known: &[Key]) -> String {
    if known.is_empty() {
        return String::new();
    }
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    format!(", or use one of {}", known.join(", "))
}
