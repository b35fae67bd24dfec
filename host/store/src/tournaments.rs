use rusqlite::{Connection, Row, params};
use tiltyard_model::{Digest, Nanos};

use crate::sql::{all, one};
use crate::{Batch, Kind, RunKey, Store, StoreError};

/// Variants against each other on the same market, under the same rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tournament {
    /// What people call it.
    pub name: String,
    /// What it was asked to be. Its digest is the tournament's.
    pub spec: String,
    /// When it began.
    pub began: Nanos,
    /// How it ended; absent while it is running.
    pub finished: Option<Finish>,
}

/// The end of a tournament.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// When.
    pub at: Nanos,
    /// The digest of everything that came of it.
    pub result: Digest,
}

/// A variant on a window in a tournament.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the tournament's order, from 0.
    pub ordinal: u32,
    /// The digest of the variant.
    pub variant: Digest,
    /// The window, as the tournament calls it.
    pub window: String,
    /// Its run, once there is one.
    pub run: Option<RunKey>,
}

impl Tournament {
    /// Its name in the store: SHA-256 of the specification.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of(self.spec.as_bytes())
    }
}

const TOURNAMENT: &str = "SELECT name, spec, began, finished, result FROM tournaments";
const ENTRY: &str = "SELECT ordinal, variant, window, run FROM entries WHERE tournament = ?";

impl Batch<'_> {
    /// Begins a tournament with these entries (variant and window) in this order, or finds it begun. Returns its digest;
    /// [`Store::pending`] says what is left to run.
    ///
    /// # Errors
    /// [`StoreError::Differs`] if the same specification was begun with another name or other entries,
    /// [`StoreError::Unknown`] without one of the variants.
    pub fn begin_tournament(
        &self,
        name: &str,
        spec: &str,
        entries: &[(Digest, String)],
        at: Nanos,
    ) -> Result<Digest, StoreError> {
        let id = Digest::of(spec.as_bytes());
        if let Some(kept) = find(self.connection, id)? {
            return self.compare_tournament(&kept, name, entries).map(|()| id);
        }
        // Before the first row, so that a refusal leaves none.
        entries.iter().try_for_each(|(variant, _)| self.require_variant(*variant))?;
        self.write(
            "INSERT INTO tournaments (id, name, spec, began) VALUES (?, ?, ?, ?)",
            params![id.0, name, spec, at.0],
        )?;
        for (ordinal, (variant, window)) in entries.iter().enumerate() {
            self.write(
                "INSERT INTO entries (tournament, ordinal, variant, window) VALUES (?, ?, ?, ?)",
                params![id.0, ordinal as i64, variant.0, window],
            )?;
        }
        Ok(id)
    }

    fn compare_tournament(&self, kept: &Tournament, name: &str, given: &[(Digest, String)]) -> Result<(), StoreError> {
        let differs = |figure, kept_as: String, given: String| {
            Err(StoreError::Differs {
                what: Kind::Tournament,
                name: kept.id().to_string(),
                figure,
                kept: kept_as,
                given,
            })
        };
        if kept.name != name {
            return differs("name", kept.name.clone(), name.to_owned());
        }
        let entries = all(self.connection, &format!("{ENTRY} ORDER BY ordinal"), [kept.id().0], entry)?;
        if entries.len() != given.len() {
            return differs("number of entries", entries.len().to_string(), given.len().to_string());
        }
        for (entry, (variant, window)) in entries.iter().zip(given) {
            if (entry.variant, &entry.window) != (*variant, window) {
                let kept = format!("{} (variant {}, window {})", entry.ordinal, entry.variant, entry.window);
                return differs("entry", kept, format!("variant {variant}, window {window}"));
            }
        }
        Ok(())
    }

    /// Gives an entry its run. The same again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] without the entry or the run, [`StoreError::Differs`] if the run is of another variant or
    /// the entry has another run.
    pub fn finish_entry(&self, tournament: Digest, ordinal: u32, run: RunKey) -> Result<(), StoreError> {
        let name = format!("{ordinal} of tournament {tournament}");
        let entry = one(self.connection, &format!("{ENTRY} AND ordinal = ?"), params![tournament.0, ordinal], entry)?
            .ok_or_else(|| StoreError::Unknown { what: Kind::Entry, name: name.clone() })?;
        let variant =
            one(self.connection, "SELECT variant FROM runs WHERE key = ?", [run.0.0], |row| Ok(Digest(row.get(0)?)))?
                .ok_or_else(|| StoreError::Unknown { what: Kind::Run, name: run.to_string() })?;
        let differs = |figure, kept: String, given: String| {
            Err(StoreError::Differs { what: Kind::Entry, name: name.clone(), figure, kept, given })
        };
        if variant != entry.variant {
            return differs("variant", entry.variant.to_string(), variant.to_string());
        }
        match entry.run {
            Some(kept) if kept == run => return Ok(()),
            Some(kept) => return differs("run", kept.to_string(), run.to_string()),
            None => {}
        }
        self.write(
            "UPDATE entries SET run = ? WHERE tournament = ? AND ordinal = ?",
            params![run.0.0, tournament.0, ordinal],
        )?;
        Ok(())
    }

    /// Ends a tournament whose entries all have their runs. The same again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Pending`] while runs are missing, [`StoreError::Differs`] if it ended with another result.
    pub fn finish_tournament(&self, id: Digest, result: Digest, at: Nanos) -> Result<(), StoreError> {
        let kept = find(self.connection, id)?
            .ok_or_else(|| StoreError::Unknown { what: Kind::Tournament, name: id.to_string() })?;
        match kept.finished {
            Some(finish) if finish.result == result => return Ok(()),
            Some(finish) => {
                return Err(StoreError::Differs {
                    what: Kind::Tournament,
                    name: id.to_string(),
                    figure: "result",
                    kept: finish.result.to_string(),
                    given: result.to_string(),
                });
            }
            None => {}
        }
        let pending = pending(self.connection, id)?.len() as u64;
        if pending > 0 {
            return Err(StoreError::Pending { tournament: id, pending });
        }
        self.write("UPDATE tournaments SET finished = ?, result = ? WHERE id = ?", params![at.0, result.0, id.0])?;
        Ok(())
    }
}

impl Store {
    /// The tournament with this digest.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn tournament(&self, id: Digest) -> Result<Option<Tournament>, StoreError> {
        find(&self.connection, id)
    }

    /// All tournaments, in the order in which they were begun.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn tournaments(&self) -> Result<Vec<Tournament>, StoreError> {
        all(&self.connection, &format!("{TOURNAMENT} ORDER BY rowid"), [], tournament)
    }

    /// The entries of a tournament, in its order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(&self, tournament: Digest) -> Result<Vec<Entry>, StoreError> {
        all(&self.connection, &format!("{ENTRY} ORDER BY ordinal"), [tournament.0], entry)
    }

    /// The entries that have no run yet, in the tournament's order: what an interrupted one goes on with.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pending(&self, tournament: Digest) -> Result<Vec<Entry>, StoreError> {
        pending(&self.connection, tournament)
    }
}

fn find(connection: &Connection, id: Digest) -> Result<Option<Tournament>, StoreError> {
    one(connection, &format!("{TOURNAMENT} WHERE id = ?"), [id.0], tournament)
}

fn pending(connection: &Connection, tournament: Digest) -> Result<Vec<Entry>, StoreError> {
    all(connection, &format!("{ENTRY} AND run IS NULL ORDER BY ordinal"), [tournament.0], entry)
}

fn tournament(row: &Row<'_>) -> Result<Tournament, StoreError> {
    let (at, result): (Option<i64>, Option<_>) = (row.get(3)?, row.get(4)?);
    Ok(Tournament {
        name: row.get(0)?,
        spec: row.get(1)?,
        began: Nanos(row.get(2)?),
        finished: at.zip(result).map(|(at, result)| Finish { at: Nanos(at), result: Digest(result) }),
    })
}

fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let run: Option<_> = row.get(3)?;
    Ok(Entry {
        ordinal: row.get(0)?,
        variant: Digest(row.get(1)?),
        window: row.get(2)?,
        run: run.map(|key| RunKey(Digest(key))),
    })
}
