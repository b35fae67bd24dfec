use rusqlite::{Connection, Row, params};
use serde_json::Value as Json;
use tiltyard_model::{Digest, Nanos};

use crate::json::{canonical, from_text};
use crate::sql::{all, finite, require};
use crate::{Batch, Kind, Store, StoreError};

/// Where a variant stood in a tournament at some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The digest of the variant.
    pub variant: Digest,
    /// Its place from 1; absent if it is not ranked.
    pub rank: Option<u32>,
    /// What it was ranked by; absent if that is not defined for it.
    pub score: Option<f64>,
    /// The figures beside it, as the tournament shows them.
    pub figures: Json,
}

impl Batch<'_> {
    /// Keeps the standings of a tournament under a label, such as a day. Says whether they are new.
    ///
    /// # Errors
    /// [`StoreError::Differs`] if others are kept under this label, [`StoreError::Invalid`] for a variant that is in it
    /// twice or a rank of 0, [`StoreError::Unknown`] without the tournament or a variant.
    pub fn insert_standings(
        &self,
        tournament: Digest,
        label: &str,
        standings: &[Standing],
        at: Nanos,
    ) -> Result<bool, StoreError> {
        require(
            self.connection,
            Kind::Tournament,
            tournament,
            "SELECT 1 FROM tournaments WHERE id = ?",
            [tournament.0],
        )?;
        let mut given = standings.to_vec();
        given.sort_by_key(|standing| (standing.rank.is_none(), standing.rank, standing.variant));
        check(label, &given)?;
        let kept = read(self.connection, tournament, label)?;
        if !kept.is_empty() {
            return if kept == given { Ok(false) } else { Err(differs(tournament, label, &kept, &given)) };
        }
        // Before the first row, so that a refusal leaves none.
        given.iter().try_for_each(|standing| self.require_variant(standing.variant))?;
        for standing in &given {
            self.write(
                "INSERT INTO standings (tournament, label, at, variant, rank, score, figures)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    tournament.0,
                    label,
                    at.0,
                    standing.variant.0,
                    standing.rank,
                    standing.score,
                    canonical(&standing.figures),
                ],
            )?;
        }
        Ok(!given.is_empty())
    }
}

impl Store {
    /// The standings of a tournament under a label: by rank, then those without one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn standings(&self, tournament: Digest, label: &str) -> Result<Vec<Standing>, StoreError> {
        read(&self.connection, tournament, label)
    }

    /// The labels of a tournament's standings and their times, earliest first: the course of the race.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn standing_labels(&self, tournament: Digest) -> Result<Vec<(String, Nanos)>, StoreError> {
        all(
            &self.connection,
            "SELECT DISTINCT label, at FROM standings WHERE tournament = ? ORDER BY at, label",
            [tournament.0],
            |row| Ok((row.get(0)?, Nanos(row.get(1)?))),
        )
    }
}

fn check(label: &str, standings: &[Standing]) -> Result<(), StoreError> {
    let invalid = |why| Err(StoreError::Invalid { what: format!("the standings `{label}`"), why });
    let mut variants: Vec<_> = standings.iter().map(|standing| standing.variant).collect();
    variants.sort_unstable();
    if let Some(pair) = variants.windows(2).find(|pair| pair[0] == pair[1]) {
        return invalid(format!("variant {} is in it twice; give it one place", pair[0]));
    }
    for standing in standings {
        if standing.rank == Some(0) {
            return invalid(format!("variant {} has rank 0; ranks begin at 1", standing.variant));
        }
        standing.score.map(|score| finite("a score", score)).transpose()?;
    }
    Ok(())
}

fn differs(tournament: Digest, label: &str, kept: &[Standing], given: &[Standing]) -> StoreError {
    let at = kept.iter().zip(given).take_while(|(kept, given)| kept == given).count();
    let show = |standings: &[Standing]| match standings.get(at) {
        Some(standing) => {
            let Standing { variant, rank, score, figures } = standing;
            format!("{variant} (rank {rank:?}, score {score:?}, {})", canonical(figures))
        }
        None => format!("{} in all", standings.len()),
    };
    let name = format!("`{label}` of tournament {tournament}");
    StoreError::Differs { what: Kind::Standings, name, figure: "place", kept: show(kept), given: show(given) }
}

fn read(connection: &Connection, tournament: Digest, label: &str) -> Result<Vec<Standing>, StoreError> {
    all(
        connection,
        "SELECT variant, rank, score, figures FROM standings WHERE tournament = ? AND label = ?
         ORDER BY rank IS NULL, rank, variant",
        params![tournament.0, label],
        standing,
    )
}

fn standing(row: &Row<'_>) -> Result<Standing, StoreError> {
    Ok(Standing {
        variant: Digest(row.get(0)?),
        rank: row.get(1)?,
        score: row.get(2)?,
        figures: from_text("the figures of a standing", &row.get::<_, String>(3)?)?,
    })
}
