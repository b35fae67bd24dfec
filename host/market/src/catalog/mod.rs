//! Where series are kept: one Parquet file each, `VENUE/SYMBOL/INTERVAL.parquet`.

mod about;
mod error;
mod files;
mod key;
mod table;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tiltyard_model::Columns;

use crate::merge::{Merged, merge};
use crate::{Contradictions, RawBars, Series, format_time};
use files::{names, read_verified, remove_unfinished, with_table, write_whole};

pub use about::{About, Synthetic};
pub use error::CatalogError;
pub(crate) use key::named_interval;
pub use key::{Key, KeyError};
pub(crate) use table::synthetic_of;
pub use table::write_table;

/// Held by whoever writes.
const LOCK: &str = ".lock";

/// A folder of series. Each is read once, verified, and shared by everyone who asks for it.
///
/// Writers, also of other processes, take turns; a file appears whole or not at all. What was read before another
/// process wrote stays as it was, so that a run sees one state of the data.
#[derive(Debug)]
pub struct Catalog {
    folder: PathBuf,
    loaded: Mutex<BTreeMap<Key, Stored>>,
}

/// A series that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The bars.
    pub bars: Arc<Columns>,
    /// What is known about them.
    pub about: Arc<About>,
}

/// A file of the catalog.
#[derive(Debug)]
pub struct Entry {
    /// The file, relative to the catalog's folder.
    pub path: PathBuf,
    /// What it says about itself, or why it cannot be used.
    pub about: Result<About, CatalogError>,
}

/// What became of the catalog, or would become of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What is known about the whole series now.
    pub about: About,
    /// Whether there was no such series before.
    pub is_new: bool,
    /// Bars that were not there.
    pub added: u64,
    /// Bars that were there already.
    pub same: u64,
    /// Bars that others took the place of.
    pub replaced: u64,
}

/// Where bars come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The files, by the names that reports show.
    pub sources: Vec<String>,
    /// How they were made up; `None` for what a market did.
    pub synthetic: Option<Synthetic>,
}

impl Catalog {
    /// The catalog in this folder, which need not exist before something is kept.
    ///
    /// # Errors
    /// [`CatalogError::Io`] if there is something else by this name.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CatalogError> {
        let folder = folder.into();
        match fs::metadata(&folder) {
            Ok(about) if !about.is_dir() => {
                return Err(CatalogError::Io { path: folder, error: io::ErrorKind::NotADirectory.into() });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(CatalogError::io(&folder)(error)),
            _ => {}
        }
        Ok(Self { folder, loaded: Mutex::default() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A series. Read and verified the first time, shared afterwards.
    ///
    /// # Errors
    /// [`CatalogError::Unknown`] with what there is of the symbol, [`CatalogError::Damaged`], [`CatalogError::Newer`],
    /// [`CatalogError::Io`].
    pub fn series(&self, key: &Key) -> Result<Stored, CatalogError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stored) = loaded.get(key) {
            return Ok(stored.clone());
        }
        let stored = self.load(key)?.ok_or_else(|| CatalogError::Unknown {
            key: key.clone(),
            folder: self.folder.clone(),
            known: self.known_of(key.symbol()),
        })?;
        loaded.insert(key.clone(), stored.clone());
        Ok(stored)
    }

    /// Keeps a series. If there is one already, bars that are there are no news, others extend it, and those that
    /// contradict it are an error or take the others' place.
    ///
    /// # Errors
    /// [`CatalogError::Contradiction`], [`CatalogError::Mixed`], [`CatalogError::Series`] if old and new bars are not on
    /// one grid, and whatever keeps the file from being read or written; then nothing has changed.
    pub fn keep(
        &self,
        key: &Key,
        series: &Series,
        origin: &Origin,
        contradictions: Contradictions,
    ) -> Result<Kept, CatalogError> {
        let path = self.folder.join(key.path());
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(CatalogError::io(folder))?;
        let _lock = self.lock()?;
        let (kept, whole) = self.merged(key, series, origin, contradictions)?;
        let Some(whole) = whole else { return Ok(kept) };
        remove_unfinished(folder)?;
        write_whole(&path, folder, |file| write_table(file, &whole.bars, &kept.about).map(drop))?;
        let stored = Stored { bars: Arc::new(whole.bars), about: Arc::new(kept.about.clone()) };
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), stored);
        Ok(kept)
    }

    /// What [`keep`](Self::keep) would do. Changes nothing.
    ///
    /// # Errors
    /// As [`keep`](Self::keep).
    pub fn would_keep(
        &self,
        key: &Key,
        series: &Series,
        origin: &Origin,
        contradictions: Contradictions,
    ) -> Result<Kept, CatalogError> {
        Ok(self.merged(key, series, origin, contradictions)?.0)
    }

    /// Every file, by venue, symbol and interval. Reads what they say about themselves, not their bars.
    ///
    /// # Errors
    /// [`CatalogError::Io`] if a folder cannot be read; what is wrong with a file is its entry's.
    pub fn list(&self) -> Result<Vec<Entry>, CatalogError> {
        self.entries(|path, key| with_table(path, key, |table| Ok(table.about)))
    }

    /// As [`list`](Self::list), with every bar of every series read from its file and checked again.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn check(&self) -> Result<Vec<Entry>, CatalogError> {
        self.entries(|path, key| {
            let (bars, about) = read_verified(path, key)?;
            Series::new(RawBars::of(&key.to_string(), bars.iter()), key.length())?;
            Ok(about)
        })
    }

    fn load(&self, key: &Key) -> Result<Option<Stored>, CatalogError> {
        let path = self.folder.join(key.path());
        match read_verified(&path, key) {
            Ok((bars, about)) => Ok(Some(Stored { bars: Arc::new(bars), about: Arc::new(about) })),
            Err(CatalogError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What would be there, and the series if it would have to be written.
    fn merged(
        &self,
        key: &Key,
        series: &Series,
        origin: &Origin,
        contradictions: Contradictions,
    ) -> Result<(Kept, Option<Series>), CatalogError> {
        let Some(stored) = self.load(key)? else {
            let series = Series::new(RawBars::of(&key.to_string(), series.bars.iter()), key.length())
                .map(|checked| Series { report: series.report.clone(), ..checked })?;
            let sources = origin.sources.iter().rev().take(About::SOURCES).rev().cloned().collect();
            let about = About::new(key, &series, sources, origin.synthetic.clone());
            let kept = Kept { added: about.bars, about, is_new: true, same: 0, replaced: 0 };
            return Ok((kept, Some(series)));
        };
        if stored.about.synthetic != origin.synthetic {
            return Err(CatalogError::Mixed {
                key: key.clone(),
                kept: nature(stored.about.synthetic.as_ref()),
                given: nature(origin.synthetic.as_ref()),
            });
        }
        let Merged { bars, added, same, replaced } = merge(&stored.bars, &series.bars, contradictions)
            .map_err(|contradiction| CatalogError::Contradiction { key: key.clone(), contradiction })?;
        if added == 0 && replaced == 0 {
            return Ok((Kept { about: stored.about.as_ref().clone(), is_new: false, added, same, replaced }, None));
        }
        let mut whole = Series::new(RawBars::of(&key.to_string(), bars), key.length())?;
        whole.report.add_repairs(&stored.about.report);
        whole.report.add_repairs(&series.report);
        let sources = stored.about.with_sources(&origin.sources);
        let about = About::new(key, &whole, sources, origin.synthetic.clone());
        Ok((Kept { about, is_new: false, added, same, replaced }, Some(whole)))
    }

    fn entries(&self, read: impl Fn(&Path, &Key) -> Result<About, CatalogError>) -> Result<Vec<Entry>, CatalogError> {
        let mut entries = Vec::new();
        for venue in names(&self.folder)? {
            for symbol in names(&self.folder.join(&venue))? {
                for file in names(&self.folder.join(&venue).join(&symbol))? {
                    let path: PathBuf = [&venue, &symbol, &file].iter().collect();
                    let whole = self.folder.join(&path);
                    let about = match Key::of_path(&venue, &symbol, &file) {
                        Some(key) => read(&whole, &key),
                        None => Err(CatalogError::Stray { path: whole }),
                    };
                    entries.push(Entry { path, about });
                }
            }
        }
        Ok(entries)
    }

    fn known_of(&self, symbol: &str) -> Vec<Key> {
        let entries = self.list().unwrap_or_default().into_iter();
        let keys = entries.filter_map(|entry| {
            let about = entry.about.ok()?;
            Key::new(&about.venue, &about.symbol, about.interval).ok()
        });
        keys.filter(|key| key.symbol() == symbol).collect()
    }

    /// Waits until nobody else writes.
    fn lock(&self) -> Result<File, CatalogError> {
        let path = self.folder.join(LOCK);
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(CatalogError::io(&path))?;
        file.lock().map_err(CatalogError::io(&path))?;
        Ok(file)
    }
}

fn nature(synthetic: Option<&Synthetic>) -> String {
    synthetic.map_or_else(
        || "what a market did".to_owned(),
        |Synthetic { generator, seed, begin }| {
            format!("made up by {generator} from seed {seed} beginning {}", format_time(*begin))
        },
    )
}
