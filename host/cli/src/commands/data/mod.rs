//! Market data of a workspace.

mod check;
mod export;
mod import;
mod list;
mod resample;
mod synth;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tiltyard_market::{About, Catalog, Import, Imported, Kept, Key, Report, format_time};
use tiltyard_model::Interval;

use crate::workspace::Workspace;

/// Keep market data in the workspace: import, list, check, export, resample, make up.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// The workspace; by default the nearest folder upward with a tiltyard.toml.
    #[arg(long, global = true, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Import(import::Args),
    List(list::Args),
    Check(check::Args),
    Export(export::Args),
    Resample(resample::Args),
    Synth(synth::Args),
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = || Workspace::find(args.workspace.as_deref());
    match &args.verb {
        Verb::Import(verb) => import::run(verb, &workspace()?, args.json),
        Verb::List(verb) => list::run(verb, &workspace()?, args.json),
        Verb::Check(verb) => check::run(verb, workspace, args.json),
        Verb::Export(verb) => export::run(verb, &workspace()?, args.json),
        Verb::Resample(verb) => resample::run(verb, &workspace()?, args.json),
        Verb::Synth(verb) => synth::run(verb, &workspace()?, args.json),
    }
}

/// An interval on the command line.
fn interval(text: &str) -> Result<Interval, String> {
    match Interval::try_from(text.to_owned())? {
        Interval::Any => Err("`any` is no length; give one such as 1h".to_owned()),
        interval => Ok(interval),
    }
}

/// A series that is named on the command line.
#[derive(Debug, clap::Args)]
struct Named {
    /// The symbol, such as BTCUSDT.
    symbol: String,
    /// The venue; by default the workspace's.
    #[arg(long)]
    venue: Option<String>,
}

impl Named {
    fn key(&self, workspace: &Workspace, interval: Interval) -> Result<Key> {
        Ok(Key::new(workspace.venue(self.venue.as_deref()), &self.symbol, interval)?)
    }
}

/// What became of a series, for programs.
#[derive(Serialize)]
struct KeptRow {
    series: About,
    is_new: bool,
    added: u64,
    same: u64,
    replaced: u64,
}

impl From<Kept> for KeptRow {
    fn from(kept: Kept) -> Self {
        let Kept { about: series, is_new, added, same, replaced } = kept;
        Self { series, is_new, added, same, replaced }
    }
}

/// What became of a series, for people.
fn kept_lines(row: &KeptRow) -> Vec<String> {
    let KeptRow { series, added, same, replaced, .. } = row;
    let mut lines =
        vec![format!("{}: {added} bars are new, {same} were there, {replaced} are replaced", described(series))];
    lines.extend(note(&series.report));
    lines.push(format!("  digest {}", series.digest));
    lines
}

/// What a series is, in one line.
fn described(about: &About) -> String {
    let made_up = if about.synthetic.is_some() { "SYNTHETIC " } else { "" };
    format!(
        "{made_up}{} {} {}, {} bars from {} to {}",
        about.venue,
        about.symbol,
        about.interval,
        about.bars,
        format_time(about.first),
        format_time(about.last),
    )
}

fn note(report: &Report) -> Option<String> {
    let report = report.to_string();
    (!report.is_empty()).then(|| format!("  note: {report}"))
}

/// What was found in a file, for programs.
fn file_row(file: &Imported) -> Json {
    json!({"name": file.name, "detected": file.detected.to_string(), "bars": file.bars, "report": file.report})
}

/// What was found in files, for people.
fn file_lines(import: &Import) -> Vec<String> {
    let lines = import.tables.iter().flat_map(|file| {
        let found = format!("{}: {} bars of {}; {}", file.name, file.bars, import.interval, file.detected);
        [found].into_iter().chain(note(&file.report))
    });
    lines.collect()
}

/// Where the catalog is, for the end of a message.
fn changed(catalog: &Catalog, dry_run: bool) -> String {
    if dry_run { "Nothing was changed.".to_owned() } else { format!("Kept in {}.", catalog.folder().display()) }
}
