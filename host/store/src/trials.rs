use std::collections::BTreeSet;

use rusqlite::{Row, named_params, params};
use tiltyard_model::{Digest, Nanos};

use crate::json::{from_text, to_text};
use crate::sql::{all, count, finite, one, require, whole};
use crate::{Batch, Kind, Store, StoreError};

/// A stretch of market data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSpan {
    /// Where it is from.
    pub venue: String,
    /// What it is of.
    pub symbols: BTreeSet<String>,
    /// The length of its bars.
    pub interval: Nanos,
    /// Its first instant.
    pub from: Nanos,
    /// The first instant after it.
    pub to: Nanos,
    /// The digest of the data.
    pub data: Digest,
}

/// A variant whose result on some data was looked at. A line of the ledger, which is never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The digest of the variant.
    pub variant: Digest,
    /// The lineage it belonged to then.
    pub lineage: String,
    /// All the data it was tried on; its windows count once.
    pub span: DataSpan,
    /// When it was looked at for the first time.
    pub at: Nanos,
    /// The tournament it was in, if it was in one.
    pub tournament: Option<Digest>,
    /// Its Sharpe ratio, a year, as in [`Metrics`](tiltyard_engine::Metrics); absent if it is not defined.
    pub sharpe: Option<f64>,
    /// How many returns that is of.
    pub observations: u64,
    /// How many such returns there are in a year: without it the Sharpe ratio cannot be compared.
    pub periods_per_year: f64,
}

const TRIAL: &str = "
    SELECT trials.variant, trials.lineage, spans.venue, spans.symbols, spans.interval, spans.begins, spans.ends,
        spans.data, trials.at, trials.tournament, trials.sharpe, trials.observations, trials.periods_per_year
    FROM trials JOIN spans ON spans.id = trials.span";

impl Batch<'_> {
    /// Adds a trial to the ledger. Says whether it counts: a variant that was already tried on the same data does not
    /// count again, and what was written then stays.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a span without symbols, length or interval, [`StoreError::Number`] for a figure that
    /// is not finite, [`StoreError::Unknown`] without variant, lineage or tournament.
    pub fn insert_trial(&self, trial: &Trial) -> Result<bool, StoreError> {
        let sharpe = trial.sharpe.map(|sharpe| finite("a Sharpe ratio", sharpe)).transpose()?;
        let year = finite("a number of periods a year", trial.periods_per_year)?;
        let observations = whole("a number of observations", trial.observations)?;
        self.require_variant(trial.variant)?;
        let lineage = &trial.lineage;
        require(self.connection, Kind::Lineage, lineage, "SELECT 1 FROM lineages WHERE name = ?", [lineage])?;
        if let Some(id) = trial.tournament {
            require(self.connection, Kind::Tournament, id, "SELECT 1 FROM tournaments WHERE id = ?", [id.0])?;
        }
        let span = self.span(&trial.span)?;
        let rows = self.write(
            "INSERT INTO trials (variant, lineage, span, at, tournament, sharpe, observations, periods_per_year)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
             WHERE NOT EXISTS (SELECT 1 FROM trials WHERE variant = ?1 AND span = ?3)",
            params![
                trial.variant.0,
                lineage,
                span,
                trial.at.0,
                trial.tournament.map(|id| id.0),
                sharpe,
                observations,
                year,
            ],
        )?;
        Ok(rows == 1)
    }

    /// The number of a span in this file, which it gets if it has none.
    fn span(&self, span: &DataSpan) -> Result<i64, StoreError> {
        let invalid = |why: &str| Err(StoreError::Invalid { what: "a span of data".to_owned(), why: why.to_owned() });
        match span {
            span if span.symbols.is_empty() => return invalid("it is of no symbol; name what it is of"),
            span if span.from >= span.to => return invalid("it ends where it begins or before; give a later end"),
            span if span.interval.0 <= 0 => return invalid("its interval is not above 0; give the length of its bars"),
            _ => {}
        }
        let symbols = to_text("a set of symbols", &span.symbols)?;
        let values = params![span.venue, symbols, span.interval.0, span.from.0, span.to.0, span.data.0];
        let find = "SELECT id FROM spans
            WHERE (venue, symbols, interval, begins, ends, data) = (?, ?, ?, ?, ?, ?)";
        if let Some(id) = one(self.connection, find, values, |row| Ok(row.get(0)?))? {
            return Ok(id);
        }
        self.write(
            "INSERT INTO spans (venue, symbols, interval, begins, ends, data) VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )?;
        Ok(self.connection.last_insert_rowid())
    }
}

impl Store {
    /// The whole ledger, in the order in which it was written.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn trials(&self) -> Result<Vec<Trial>, StoreError> {
        all(&self.connection, &format!("{TRIAL} ORDER BY trials.id"), [], trial)
    }

    /// The distinct variants that were tried on data overlapping this span: same venue, a symbol in common, some time in
    /// common, whatever the interval. One trial each, the one of the most observations, in the order of variants.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn overlapping_trials(&self, span: &DataSpan) -> Result<Vec<Trial>, StoreError> {
        let mut trials = all(
            &self.connection,
            &format!(
                "{TRIAL} WHERE spans.venue = :venue AND spans.begins < :to AND spans.ends > :from AND EXISTS
                    (SELECT value FROM json_each(spans.symbols) INTERSECT SELECT value FROM json_each(:symbols))
                ORDER BY trials.variant, trials.sharpe IS NULL, trials.observations DESC, trials.id"
            ),
            named_params! {
                ":venue": span.venue,
                ":from": span.from.0,
                ":to": span.to.0,
                ":symbols": to_text("a set of symbols", &span.symbols)?,
            },
            trial,
        )?;
        trials.dedup_by_key(|trial| trial.variant);
        Ok(trials)
    }
}

fn trial(row: &Row<'_>) -> Result<Trial, StoreError> {
    let tournament: Option<_> = row.get(9)?;
    Ok(Trial {
        variant: Digest(row.get(0)?),
        lineage: row.get(1)?,
        span: DataSpan {
            venue: row.get(2)?,
            symbols: from_text("the symbols of a span", &row.get::<_, String>(3)?)?,
            interval: Nanos(row.get(4)?),
            from: Nanos(row.get(5)?),
            to: Nanos(row.get(6)?),
            data: Digest(row.get(7)?),
        },
        at: Nanos(row.get(8)?),
        tournament: tournament.map(Digest),
        sharpe: row.get(10)?,
        observations: count("a number of observations", row.get(11)?)?,
        periods_per_year: row.get(12)?,
    })
}
