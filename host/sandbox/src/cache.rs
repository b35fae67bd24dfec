//! Compiled code on disk, under the digest of its component.
//!
//! Loading compiled code runs it: whoever can put a file here can run code in the host. So the folder belongs to the
//! host's user alone, every entry says which component and which engine it is of and carries its own checksum, and what
//! does not match in everything is compiled again.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;
use tiltyard_model::Digest;

/// First bytes of an entry; the number is that of this layout.
const MAGIC: &[u8; 8] = b"TILTCC01";
/// Magic, component, engine, checksum of the code.
const HEADER: usize = 8 + 3 * 32;

/// A folder of compiled code.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// Where compiled code came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "cache", content = "why")]
pub enum CacheOutcome {
    /// Compiled before, by this very engine.
    Hit,
    /// Compiled now, for the first time.
    Compiled,
    /// Compiled again, because what was there is not what it should be.
    Rebuilt(String),
}

/// Why a folder cannot be used as a cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Not readable or writable.
    #[error("{} in the cache of compiled code cannot be used; give a folder that can be written", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others could have put code there.
    #[error(
        "{} in the cache of compiled code could have been written by others (owner {owner}, mode {mode:o}), and what is \
         in it is run; delete it, it will be made again",
        .path.display()
    )]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// The user it belongs to.
        owner: u32,
        /// Its permissions.
        mode: u32,
    },
}

/// What there is for a component.
pub(crate) enum Lookup {
    /// Code that matches in everything.
    Found(Vec<u8>),
    /// Nothing.
    Absent,
    /// Something that must not be used, and why.
    Unusable(String),
}

impl Cache {
    /// Uses this folder, making it if need be.
    ///
    /// # Errors
    /// When it cannot be made, or belongs to or can be written by others.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let folder = folder.into();
        let io = |source| CacheError::Io { path: folder.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io)?;
        check_ours(&folder, &fs::metadata(&folder).map_err(io)?)?;
        Ok(Self { folder })
    }

    /// Where the entry of this component is, for this engine.
    fn path(&self, component: Digest, engine: Digest) -> PathBuf {
        self.folder.join(engine.short()).join(format!("{component}.cwasm"))
    }

    /// Looks for code and checks all that can be checked.
    pub(crate) fn find(&self, component: Digest, engine: Digest) -> Lookup {
        let path = self.path(component, engine);
        match read(&path) {
            Ok(entry) => match check(entry, component, engine) {
                Ok(code) => Lookup::Found(code),
                Err(why) => Lookup::Unusable(why.to_owned()),
            },
            Err(CacheError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Lookup::Absent,
            Err(error) => Lookup::Unusable(error.to_string()),
        }
    }

    /// Keeps code. The entry appears whole or not at all, whoever else writes it at the same time.
    pub(crate) fn keep(&self, component: Digest, engine: Digest, code: &[u8]) -> Result<(), CacheError> {
        let path = self.path(component, engine);
        let io = |source| CacheError::Io { path: path.clone(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
        let mut file = NamedTempFile::new_in(folder).map_err(io)?;
        let parts: [&[u8]; 5] = [MAGIC, &component.0, &engine.0, &Digest::of(code).0, code];
        parts.iter().try_for_each(|part| file.write_all(part)).map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        Ok(())
    }
}

/// Reads an entry that nobody else can have written: it, and the folder it is in, belong to this user alone.
fn read(path: &Path) -> Result<Vec<u8>, CacheError> {
    let io = |source| CacheError::Io { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(io)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    check_ours(folder, &fs::metadata(folder).map_err(io)?)?;
    check_ours(path, &file.metadata().map_err(io)?)?;
    let mut entry = Vec::new();
    file.read_to_end(&mut entry).map_err(io)?;
    Ok(entry)
}

fn check_ours(path: &Path, about: &fs::Metadata) -> Result<(), CacheError> {
    let (owner, mode) = (about.uid(), about.mode() & 0o7777);
    if owner == rustix::process::geteuid().as_raw() && mode & 0o022 == 0 {
        return Ok(());
    }
    Err(CacheError::Unsafe { path: path.to_owned(), owner, mode })
}

fn check(mut entry: Vec<u8>, component: Digest, engine: Digest) -> Result<Vec<u8>, &'static str> {
    if entry.len() < HEADER {
        return Err("the entry is cut short");
    }
    let code = entry.split_off(HEADER);
    if entry[..8] != MAGIC[..] {
        return Err("the entry is not one of this cache");
    }
    if entry[8..40] != component.0 {
        return Err("the entry is of another component");
    }
    if entry[40..72] != engine.0 {
        return Err("the entry is of another engine");
    }
    if entry[72..] != Digest::of(&code).0 {
        return Err("the entry's checksum does not match");
    }
    Ok(code)
}
