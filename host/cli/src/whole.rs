//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is replaced.
    Replaced,
    /// It stays, and that is an error.
    Kept,
}

/// Writes a file.
pub(crate) fn write(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = NamedTempFile::new_in(folder).with_context(what)?;
    let mut buffer = BufWriter::new(file.as_file());
    write(&mut buffer).with_context(what)?;
    buffer.into_inner().map_err(io::IntoInnerError::into_error).with_context(what)?;
    file.as_file().sync_all().with_context(what)?;
    let persisted = match existing {
        Existing::Replaced => file.persist(path),
        Existing::Kept => file.persist_noclobber(path),
    };
    persisted.map_err(|error| error.error).with_context(what)?;
    Ok(())
}
