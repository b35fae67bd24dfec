use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tiltyard_engine::Entry;

use super::{Request, RunDocument};
use crate::whole::{self, Existing};

/// A run in a file, one JSON text a line: what was asked for, every event, what came of it.
#[derive(Debug)]
pub(crate) struct SavedRun {
    pub(crate) request: Request,
    pub(crate) entries: Vec<Entry>,
    /// The object that `backtest --json` printed.
    pub(crate) document: Json,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    tiltyard_run: u32,
    request: Request,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Foot {
    document: Json,
}

/// The form of the file.
const FORM: u32 = 1;

impl SavedRun {
    /// Writes a run. The file appears whole or not at all.
    pub(crate) fn write(path: &Path, request: &Request, entries: &[Entry], document: &RunDocument) -> Result<()> {
        let document = serde_json::to_value(document)?;
        whole::write(path, Existing::Replaced, |file| {
            writeln!(file, "{}", serde_json::to_string(&Head { tiltyard_run: FORM, request: request.clone() })?)?;
            for entry in entries {
                writeln!(file, "{}", serde_json::to_string(entry)?)?;
            }
            writeln!(file, "{}", serde_json::to_string(&Foot { document })?)
        })
    }

    /// Reads a run.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let what = || format!("reading {}", path.display());
        let mut lines = BufReader::new(File::open(path).with_context(what)?).lines();
        let first = lines.next().transpose().with_context(what)?.unwrap_or_default();
        let head: Head = serde_json::from_str(&first)
            .with_context(|| format!("{} is not a run that `tiltyard backtest --save` wrote", path.display()))?;
        ensure!(
            head.tiltyard_run == FORM,
            "{} is a run of form {}; this version reads form {FORM}",
            path.display(),
            head.tiltyard_run
        );
        let mut entries = Vec::new();
        let mut document = None;
        for (number, line) in (2..).zip(lines) {
            let line = line.with_context(what)?;
            let damaged = || format!("{}, line {number}: the run is damaged", path.display());
            ensure!(document.is_none(), "{}, line {number}: there is something after the end", path.display());
            match serde_json::from_str::<Foot>(&line) {
                Ok(foot) => document = Some(foot.document),
                Err(_) => {
                    let entry: Entry = serde_json::from_str(&line).with_context(damaged)?;
                    entry.check().map_err(anyhow::Error::msg).with_context(damaged)?;
                    entries.push(entry);
                }
            }
        }
        head.request.check().with_context(|| format!("{}, line 1: the run is damaged", path.display()))?;
        let document = document.with_context(|| format!("{} ends early: its results are missing", path.display()))?;
        Ok(Self { request: head.request, entries, document })
    }
}
