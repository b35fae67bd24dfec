use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tiltyard_model::Digest;

use crate::StoreError;

/// Where the bytes of components are: `<digest>.wasm` in a folder, or in memory for a store that is.
#[derive(Debug)]
pub(crate) enum ComponentFiles {
    Folder(PathBuf),
    Memory(RefCell<BTreeMap<Digest, Vec<u8>>>),
}

impl ComponentFiles {
    /// The folder beside this database. It is made when something is kept.
    pub(crate) fn beside(database: &Path) -> Self {
        Self::Folder(database.with_file_name("components"))
    }

    /// Keeps a component under its digest, on disk before this returns. The file appears whole or not at all.
    pub(crate) fn keep(&self, digest: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        match self {
            Self::Memory(files) => _ = files.borrow_mut().insert(digest, bytes.to_owned()),
            // One that is damaged is written anew.
            Self::Folder(folder) if self.read(digest).is_err() => {
                write(folder, &path(folder, digest), bytes).map_err(|source| match source.kind() {
                    io::ErrorKind::StorageFull => StoreError::Full,
                    _ => StoreError::File { path: path(folder, digest), source },
                })?;
            }
            Self::Folder(_) => {}
        }
        Ok(())
    }

    /// The bytes, if they are still what they were.
    pub(crate) fn read(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let (path, bytes) = match self {
            Self::Memory(files) => {
                (PathBuf::new(), files.borrow().get(&digest).cloned().ok_or(io::ErrorKind::NotFound.into()))
            }
            Self::Folder(folder) => (path(folder, digest), fs::read(path(folder, digest))),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(source) => return Err(StoreError::File { path, source }),
        };
        match Digest::of(&bytes) {
            found if found == digest => Ok(bytes),
            found => Err(StoreError::Tampered { path, found }),
        }
    }
}

fn path(folder: &Path, digest: Digest) -> PathBuf {
    folder.join(format!("{digest}.wasm"))
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A name has to last as well as what it names.
    if !folder.is_dir() {
        fs::create_dir_all(folder)?;
        sync(folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    }
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
