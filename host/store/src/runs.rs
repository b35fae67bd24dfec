use std::fmt;

use rusqlite::{Row, params};
use serde_json::Value as Json;
use tiltyard_engine::Metrics;
use tiltyard_model::{Digest, Nanos, shown};

use crate::json::{canonical, from_text, to_text};
use crate::sql::{all, count, one, whole};
use crate::{Batch, Store, StoreError};

/// The name of a run: the digest of everything it follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(pub Digest);

impl RunKey {
    /// SHA-256 of the inputs as JSON with sorted keys and without spaces.
    #[must_use]
    pub fn of(inputs: &Json) -> Self {
        Self(Digest::of(canonical(inputs).as_bytes()))
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One variant over one window under one configuration, and how it went. Its trades are kept beside it, if at all:
/// [`Batch::insert_trades`].
///
/// A run that the host failed, not the strategy, is none: it is run again.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The digest of the variant.
    pub variant: Digest,
    /// Everything the outcome follows from, and nothing else: its digest is the run's name.
    pub inputs: Json,
    /// The digest of everything that happened.
    pub result: Digest,
    /// How it did; absent if a fault came before there was anything to measure.
    pub metrics: Option<Metrics>,
    /// Fuel it took.
    pub fuel: u64,
    /// Why it was stopped, if it was.
    pub fault: Option<Json>,
    /// When it was run. Not an input, so the first time stays.
    pub at: Nanos,
}

impl Run {
    /// Its name.
    #[must_use]
    pub fn key(&self) -> RunKey {
        RunKey::of(&self.inputs)
    }
}

const RUN: &str = "SELECT variant, inputs, result, metrics, fuel, fault, at FROM runs";

impl Batch<'_> {
    /// Keeps a run. Says whether it is new; the same run again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Nondeterministic`] if these inputs are known to have given something else, [`StoreError::Unknown`]
    /// without its variant, [`StoreError::Invalid`] with neither metrics nor fault or with a number that is not finite.
    pub fn insert_run(&self, run: &Run) -> Result<bool, StoreError> {
        if run.metrics.is_none() && run.fault.is_none() {
            let why = "it has neither metrics nor a fault; give what came of it".to_owned();
            return Err(StoreError::Invalid { what: format!("run {}", run.key()), why });
        }
        let inputs = canonical(&run.inputs);
        let key = RunKey(Digest::of(inputs.as_bytes()));
        let metrics = run.metrics.as_ref().map(|metrics| to_text("a set of metrics", metrics)).transpose()?;
        let fault = run.fault.as_ref().map(canonical);
        self.require_variant(run.variant)?;
        let rows = self.write(
            "INSERT INTO runs (key, variant, inputs, result, metrics, fuel, fault, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) DO NOTHING",
            params![key.0.0, run.variant.0, inputs, run.result.0, metrics, whole("fuel", run.fuel)?, fault, run.at.0],
        )?;
        if rows == 0 {
            self.compare(key, run)?;
        }
        Ok(rows == 1)
    }

    /// Refuses a run whose inputs are known to have given something else.
    fn compare(&self, key: RunKey, given: &Run) -> Result<(), StoreError> {
        let kept = one(self.connection, &format!("{RUN} WHERE key = ?"), [key.0.0], run)?;
        let kept = kept.ok_or_else(|| StoreError::Damaged("a run is in the index and not in the table".to_owned()))?;
        let text =
            |value: &Option<Json>| value.as_ref().map_or("none".to_owned(), |value| shown(&canonical(value), 200));
        let differs = |figure, kept, given| Err(StoreError::Nondeterministic { run: key, figure, kept, given });
        if kept.result != given.result {
            return differs("result", kept.result.to_string(), given.result.to_string());
        }
        if kept.fuel != given.fuel {
            return differs("fuel", kept.fuel.to_string(), given.fuel.to_string());
        }
        if kept.fault != given.fault {
            return differs("fault", text(&kept.fault), text(&given.fault));
        }
        if kept.metrics != given.metrics {
            let (kept, given) = difference(&kept.metrics, &given.metrics);
            return differs("metrics", kept, given);
        }
        if kept.variant != given.variant {
            return differs("variant", kept.variant.to_string(), given.variant.to_string());
        }
        Ok(())
    }
}

impl Store {
    /// The run with these inputs, so that it need not be run again.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn run(&self, key: RunKey) -> Result<Option<Run>, StoreError> {
        one(&self.connection, &format!("{RUN} WHERE key = ?"), [key.0.0], run)
    }

    /// The runs of a variant, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn runs_of(&self, variant: Digest) -> Result<Vec<Run>, StoreError> {
        all(&self.connection, &format!("{RUN} WHERE variant = ? ORDER BY id"), [variant.0], run)
    }
}

/// The first of two sets of metrics' fields that differs, as each has it.
fn difference(kept: &Option<Metrics>, given: &Option<Metrics>) -> (String, String) {
    let fields = |metrics| match serde_json::to_value(metrics) {
        Ok(Json::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (kept, given) = (fields(kept), fields(given));
    let differing = kept.keys().chain(given.keys()).find(|name| kept.get(*name) != given.get(*name));
    let show = |fields: &serde_json::Map<String, Json>| {
        let shown_of = |name| fields.get(name).map(|value| format!("{name} {}", shown(&canonical(value), 200)));
        differing.and_then(shown_of).unwrap_or("absent".to_owned())
    };
    (show(&kept), show(&given))
}

fn run(row: &Row<'_>) -> Result<Run, StoreError> {
    let metrics: Option<String> = row.get(3)?;
    let fault: Option<String> = row.get(5)?;
    Ok(Run {
        variant: Digest(row.get(0)?),
        inputs: from_text("the inputs of a run", &row.get::<_, String>(1)?)?,
        result: Digest(row.get(2)?),
        metrics: metrics.map(|text| from_text("the metrics of a run", &text)).transpose()?,
        fuel: count("the fuel of a run", row.get(4)?)?,
        fault: fault.map(|text| from_text("the fault of a run", &text)).transpose()?,
        at: Nanos(row.get(6)?),
    })
}
