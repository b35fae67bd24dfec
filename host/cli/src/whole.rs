//! Files that appear whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is replaced.
    Replaced,
    /// It stays, and that is an error.
    Kept,
}

/// Writes a file. A link to one stays a link.
pub(crate) fn write(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<()> {
    let what = || format!("writing {}", path.display());
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    ensure!(
        !path.exists() || path.is_file(),
        "{} is there and no file; give the name of one, or of none yet",
        path.display()
    );
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // For whom the user's mask lets read it: a temporary file's own mode is for its owner alone.
    let mut unfinished = tempfile::Builder::new();
    let unfinished = unfinished.prefix(".tiltyard-").permissions(Permissions::from_mode(0o666));
    let file = unfinished.tempfile_in(folder).with_context(what)?;
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
