//! What the catalog does with files.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;
use tiltyard_model::Columns;

use super::table::Table;
use super::{About, CatalogError, Key};
use crate::{Series, foreign};

/// Begins the names of files that are being written; one that stays behind after a crash is removed by the next writer.
const UNFINISHED: &str = ".unfinished-";

/// The names in a folder, in order, without hidden ones; none if it is no folder or not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, CatalogError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(CatalogError::io(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(CatalogError::io(folder))?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens a file, and does with it what can be done without its bars or with them.
pub(super) fn with_table<T>(
    path: &Path,
    key: &Key,
    read: impl FnOnce(Table<'_>) -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    let file = File::open(path).map_err(CatalogError::io(path))?;
    foreign::decode(|panic| CatalogError::damaged(path, panic), || read(Table::open(path, file, key)?))
}

/// The bars of a file, as they were written.
pub(super) fn read_verified(path: &Path, key: &Key) -> Result<(Columns, About), CatalogError> {
    let (bars, about) = with_table(path, key, |table| Ok((table.bars()?, table.about)))?;
    let series = Series { bars, report: about.report.clone() };
    let found = series.digest();
    if found != about.digest {
        let what = format!("its bars have the digest {}, not {}", found.short(), about.digest.short());
        return Err(CatalogError::damaged(path, what));
    }
    Ok((series.bars, about))
}

/// Removes what a writer that did not finish has left. Only who holds the lock may.
pub(super) fn remove_unfinished(folder: &Path) -> Result<(), CatalogError> {
    for entry in fs::read_dir(folder).map_err(CatalogError::io(folder))? {
        let path = entry.map_err(CatalogError::io(folder))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
            fs::remove_file(&path).map_err(CatalogError::io(&path))?;
        }
    }
    Ok(())
}

/// Writes a file that appears whole or not at all.
pub(super) fn write_whole(
    path: &Path,
    folder: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), CatalogError> {
    let failed = CatalogError::io(path);
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(&failed)?;
    write(NamedTempFile::as_file_mut(&mut file)).map_err(&failed)?;
    file.as_file().sync_all().map_err(&failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The name is on disk when its folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
