mod stop;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value as Json, json};
use tiltyard_engine::{Books, Log, Metrics, OpenRow, TradeRow, probe};

use crate::print;
use crate::run::{Data, MADE_UP, Ready, Request, SavedRun, is_synthetic};

/// Verify a saved run: rebuild its results from its events alone, then run it again and compare event by event.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard replay run.jsonl\n  tiltyard replay run.jsonl --component my.wasm --data btc.csv.gz\n  \
                  tiltyard replay run.jsonl --workspace ground\n  tiltyard replay run.jsonl --tape btc.gz\n  \
                  tiltyard replay run.jsonl --log-only\n  tiltyard replay run.jsonl --debug"
)]
pub(crate) struct Args {
    /// The file that `tiltyard backtest --save` wrote.
    file: PathBuf,
    /// The component, if it is not where it was.
    #[arg(long, value_name = "FILE.wasm")]
    component: Option<PathBuf>,
    /// The data, if it is not where it was: one file for each symbol of the run.
    #[arg(long, value_name = "FILE", conflicts_with = "workspace")]
    data: Vec<PathBuf>,
    /// The tapes, if they are not where they were: one for each symbol of the run.
    #[arg(long = "tape", value_name = "FILE", conflicts_with_all = ["data", "workspace"])]
    tapes: Vec<PathBuf>,
    /// The workspace that the data came from, if it is not where it was.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Only rebuild the results from the events; needs neither component nor data.
    #[arg(long)]
    log_only: bool,
    /// Only show where the run stopped: the fault, the last bars, and what the strategy did and said before.
    #[arg(long)]
    debug: bool,
    /// Where compiled code is kept; by default the user's cache folder.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let saved = SavedRun::read(&args.file)?;
    if args.debug {
        print::out(&stop::report(&saved, args.json)?);
        return Ok(ExitCode::SUCCESS);
    }
    let request = args.request(&saved.request)?;
    let rebuilt = rebuild(&saved)?;
    let again = if args.log_only {
        None
    } else {
        if let Data::Tapes { tapes } = &request.data
            && let Some(missing) = tapes.iter().find(|tape| !tape.exists())
        {
            bail!("{}, the tape of this run, is not there; give it with --tape FILE", missing.display());
        }
        let ready = Ready::new(&request, args.cache.as_deref())?;
        let outcome = ready.run(Log::keeping())?;
        let document = serde_json::to_value(ready.document(&outcome)?)?;
        // What differs in the inputs explains what differs in the events.
        let inputs = first_difference("/manifest", &saved.document["manifest"], &document["manifest"])
            .or_else(|| first_difference("", &saved.document, &document));
        let events = probe::first_difference(&saved.entries, outcome.books.log().entries());
        Some((inputs, events.map(|difference| difference.to_string())))
    };
    let identical =
        rebuilt.is_none() && again.as_ref().is_none_or(|(inputs, events)| inputs.is_none() && events.is_none());
    if args.json {
        let (inputs, events) = again.clone().unwrap_or_default();
        let document = json!({
            "identical": identical,
            "synthetic": is_synthetic(&saved.document),
            "events": saved.entries.len(),
            "run_again": again.is_some(),
            "results_differ": rebuilt,
            "document_differs": inputs,
            "events_differ": events,
        });
        print::out(&serde_json::to_string_pretty(&document)?);
    } else {
        let summary = summary(saved.entries.len(), rebuilt.as_deref(), again.as_ref());
        print::out(&if is_synthetic(&saved.document) { format!("{MADE_UP}\n{summary}") } else { summary });
    }
    Ok(if identical { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    /// The request of a saved run, with what is no longer where it was.
    fn request(&self, saved: &Request) -> Result<Request> {
        let mut request = saved.clone();
        if let Some(component) = &self.component {
            request.component.clone_from(component);
        }
        match (&mut request.data, &self.workspace) {
            (Data::Files(files), None) if !self.data.is_empty() => {
                ensure!(
                    self.data.len() == files.len(),
                    "{} --data were given; the run has {} instruments",
                    self.data.len(),
                    files.len()
                );
                files.clone_from(&self.data);
            }
            (Data::Files(_), Some(_)) => bail!("the bars of this run came from files; give them with --data"),
            (Data::Tapes { tapes }, None) if !self.tapes.is_empty() => {
                ensure!(
                    self.tapes.len() == tapes.len(),
                    "{} --tape were given; the run has {} instruments",
                    self.tapes.len(),
                    tapes.len()
                );
                tapes.clone_from(&self.tapes);
            }
            (Data::Tapes { .. }, workspace) if workspace.is_some() || !self.data.is_empty() => {
                bail!("this run was played on tapes; give them with --tape")
            }
            (Data::Files(_) | Data::Catalog { .. }, _) if !self.tapes.is_empty() => {
                bail!("this run was played on bars; give them with --data or --workspace")
            }
            (Data::Catalog { .. }, None) if !self.data.is_empty() => {
                bail!("the bars of this run came from a workspace; give it with --workspace")
            }
            (Data::Catalog { workspace, .. }, Some(given)) => workspace.clone_from(given),
            _ => {}
        }
        Ok(request)
    }
}

/// Where the results that follow from the events differ from those in the file.
fn rebuild(saved: &SavedRun) -> Result<Option<String>> {
    let books = Books::replay(&saved.entries);
    let record = books.records().first().context("the run has no events")?;
    let symbols = &saved.request.symbols;
    let metrics = Metrics::of(record, &saved.request.basis(&saved.entries)?);
    let rebuilt = json!({
        "metrics": metrics,
        "trades": TradeRow::all(record, symbols),
        "open": OpenRow::all(record, symbols),
        "fuel": record.fuel,
        "faulted": record.fault.is_some(),
        "halted": record.halted_by().filter(|_| record.fault.is_none()),
        "result": books.log().digest(),
    });
    let kept = json!({
        "metrics": saved.document["metrics"],
        "trades": saved.document["trades"],
        "open": saved.document["open"],
        "fuel": saved.document["fuel"],
        "faulted": !saved.document["fault"].is_null(),
        "halted": saved.document["halted"],
        "result": saved.document["manifest"]["result"],
    });
    Ok(first_difference("", &kept, &rebuilt))
}

/// The first place in which two JSON documents differ.
fn first_difference(at: &str, left: &Json, right: &Json) -> Option<String> {
    match (left, right) {
        (Json::Object(left), Json::Object(right)) => {
            let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            let value = |side: &serde_json::Map<String, Json>, key: &str| side.get(key).cloned().unwrap_or_default();
            keys.into_iter()
                .find_map(|key| first_difference(&format!("{at}/{key}"), &value(left, key), &value(right, key)))
        }
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs.into_iter().find_map(|(index, (left, right))| first_difference(&format!("{at}/{index}"), left, right))
        }
        _ => (left != right).then(|| format!("{at}: {left} in the file, {right} now")),
    }
}

fn summary(events: usize, rebuilt: Option<&str>, again: Option<&(Option<String>, Option<String>)>) -> String {
    let mut lines = vec![match rebuilt {
        None => format!("results from {events} events: identical"),
        Some(difference) => format!("results from {events} events: DIFFERENT at {difference}"),
    }];
    match again {
        None => lines.push("not run again".to_owned()),
        Some((None, None)) => lines.push("run again: identical".to_owned()),
        Some((inputs, difference)) => {
            lines.extend(inputs.iter().map(|inputs| format!("run again: the results are DIFFERENT at {inputs}")));
            lines.extend(difference.iter().map(|events| format!("run again: the events are DIFFERENT {events}")));
        }
    }
    lines.join("\n")
}
