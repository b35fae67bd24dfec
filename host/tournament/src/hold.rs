//! Runs a tournament: in parallel, each run kept as it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde_json::{Value as Json, json};
use tiltyard_engine::{Log, Metrics, Outcome};
use tiltyard_model::{Digest, Money, Nanos};
use tiltyard_sandbox::{Fault, Limits};
use tiltyard_store::{Run as Kept, RunKey, Store, StoreError};

use crate::contest::{Contest, Run};
use crate::play::{PlayError, Played, play};
use crate::table::{Table, Tried};
use crate::trades;

/// Results that wait to be written, at most; then runs wait.
const WAITING: usize = 1_024;
/// Results in one batch, at most.
const BATCH: usize = 512;
/// What a thread that calls a sandbox has for its stack.
const STACK: usize = 4 << 20;

/// How far a tournament is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Runs that were known before, and need not be run again.
    pub known: usize,
    /// Runs that have ended now.
    pub done: usize,
    /// All runs.
    pub all: usize,
}

/// What is needed of a run that has ended; its inputs are in the store.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The digest of everything that happened.
    pub(crate) result: Digest,
    /// How it did; absent if a fault came before there was anything to measure.
    pub(crate) metrics: Option<Metrics>,
    /// Fuel it took.
    pub(crate) fuel: u64,
    /// Why it was stopped, if it was.
    pub(crate) fault: Option<Json>,
}

impl From<Kept> for Ended {
    fn from(Kept { result, metrics, fuel, fault, .. }: Kept) -> Self {
        Self { result, metrics, fuel, fault }
    }
}

/// Why a tournament did not come to its end. What had ended by then is kept, and it goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Somebody said stop.
    #[error("stopped after {done} of {all} runs; what has ended is kept, and the same command goes on from there")]
    Stopped {
        /// Runs that have ended.
        done: usize,
        /// All runs.
        all: usize,
    },
    /// The host could not run one.
    #[error("{what}: {error}")]
    Play {
        /// Which run.
        what: String,
        /// Why not.
        error: PlayError,
    },
    /// A run gave something else when it was played again.
    #[error(
        "{what} gave another result when it was played again: the run is not deterministic, or its data has changed"
    )]
    Differs {
        /// Which run.
        what: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("{threads} threads cannot be had: {error}")]
    Threads {
        /// As many as were asked for.
        threads: usize,
        /// What the system says.
        error: rayon::ThreadPoolBuildError,
    },
}

/// Runs a tournament to its end and makes the table. What the store knows already is not run again.
///
/// `text` is the specification as the user gave it, `now` what is written as the time of each result, `threads` how many runs
/// go on at once (0 for one a core). `stop` is looked at before every run.
///
/// # Errors
/// [`HoldError`].
pub fn hold(
    contest: &Contest,
    text: &str,
    store: &mut Store,
    threads: usize,
    now: &(dyn Fn() -> Nanos + Sync),
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Digest, Table), HoldError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build();
    let pool = pool.map_err(|error| HoldError::Threads { threads, error })?;
    let tournament = begin(contest, text, store, now())?;
    let keys: Vec<RunKey> = pool.install(|| contest.runs.par_iter().map(|run| contest.key(run)).collect());
    let mut results = Vec::with_capacity(keys.len());
    for key in &keys {
        results.push(store.run(*key)?.map(Ended::from));
    }
    let pending: Vec<usize> = (0..results.len()).filter(|at| results[*at].is_none()).collect();
    let known = results.len() - pending.len();
    mark_known(store, tournament, &keys, &results)?;
    let mut done = 0;
    progress(Progress { known, done, all: results.len() });
    let ended = run_all(contest, &pool, &pending, stop, now, |batch| {
        store.batch(|store| {
            for (at, kept) in &batch {
                store.insert_run(kept)?;
                store.finish_entry(tournament, *at as u32, keys[*at])?;
            }
            Ok(())
        })?;
        done += batch.len();
        for (at, kept) in batch {
            results[at] = Some(kept.into());
        }
        progress(Progress { known, done, all: keys.len() });
        Ok(())
    });
    ended?;
    let results: Option<Vec<Ended>> = results.into_iter().collect();
    let Some(results) = results else { return Err(HoldError::Stopped { done: known + done, all: keys.len() }) };
    Table::write_trials(contest, &results, tournament, store, now())?;
    let tried = (0..contest.groups.len()).map(|group| Tried::on(&contest.data_span(group), store));
    let tried = tried.collect::<Result<Vec<_>, _>>()?;
    let table = pool.install(|| Table::new(contest, &results, &tried))?;
    table.write_standings(contest, tournament, store)?;
    trades::keep(&keys, &table.trades, store)?;
    store.batch(|store| store.finish_tournament(tournament, table.digest, now()))?;
    Ok((tournament, table))
}

/// Keeps what takes part, and the list of the runs.
fn begin(contest: &Contest, text: &str, store: &mut Store, now: Nanos) -> Result<Digest, StoreError> {
    let entries: Vec<_> =
        contest.runs.iter().map(|run| (contest.variant(run).digest(), contest.window_name(run))).collect();
    store.batch(|store| {
        for entrant in &contest.entrants {
            let manifest = &entrant.component.admission().manifest;
            store.insert_component(&entrant.bytes, manifest, &entrant.origin, now)?;
            for variant in &entrant.variants {
                store.insert_variant(variant)?;
            }
        }
        store.begin_tournament(&contest.spec.name, &contest.identity(text), &entries, now)
    })
}

/// Runs that were known before are entries of this tournament too.
fn mark_known(
    store: &mut Store,
    tournament: Digest,
    keys: &[RunKey],
    results: &[Option<Ended>],
) -> Result<(), StoreError> {
    store.batch(|store| {
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| results[*at].is_some()) {
            store.finish_entry(tournament, at as u32, *key)?;
        }
        Ok(())
    })
}

/// Runs these, and hands the results over as they come, many at a time.
fn run_all(
    contest: &Contest,
    pool: &ThreadPool,
    pending: &[usize],
    stop: &AtomicBool,
    now: &(dyn Fn() -> Nanos + Sync),
    mut keep: impl FnMut(Vec<(usize, Kept)>) -> Result<(), StoreError>,
) -> Result<(), HoldError> {
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let failed = &failed;
        scope.spawn(move || {
            pool.install(|| {
                pending.par_iter().with_max_len(1).for_each_with(sender, |sender: &mut SyncSender<_>, at| {
                    if stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let run = &contest.runs[*at];
                    let what = || contest.window_name(run);
                    let kept = one(contest, run, now).map_err(|error| HoldError::Play { what: what(), error });
                    // Nobody listens any more once something has failed.
                    let _ = sender.send(kept.map(|kept| (*at, kept)));
                });
            });
        });
        let ended = collect(&receiver, &mut keep);
        failed.store(ended.is_err(), Ordering::Relaxed);
        // Runs that wait for room to hand over their results give up.
        drop(receiver);
        ended
    })
}

fn collect(
    receiver: &Receiver<Result<(usize, Kept), HoldError>>,
    keep: &mut impl FnMut(Vec<(usize, Kept)>) -> Result<(), StoreError>,
) -> Result<(), HoldError> {
    while let Ok(first) = receiver.recv() {
        // Whatever has come meanwhile is written with it.
        let mut batch = vec![first?];
        while batch.len() < BATCH
            && let Ok(next) = receiver.try_recv()
        {
            match next {
                Ok(next) => batch.push(next),
                Err(error) => {
                    keep(batch)?;
                    return Err(error);
                }
            }
        }
        keep(batch)?;
    }
    Ok(())
}

/// One run, as it is kept.
fn one(contest: &Contest, run: &Run, now: &(dyn Fn() -> Nanos + Sync)) -> Result<Kept, PlayError> {
    let variant = contest.variant(run).digest();
    let kept = |result, metrics, fuel, fault| Kept {
        variant,
        inputs: contest.inputs(run),
        result,
        metrics,
        fuel,
        fault,
        at: now(),
    };
    Ok(match perform(contest, run)? {
        Played::Ran(outcome) => {
            let (simulation, _) = contest.scene(run);
            let record = &outcome.books.records()[0];
            let metrics = Metrics::of(record, &simulation.basis());
            kept(outcome.books.log().digest(), Some(metrics), record.fuel, fault(&outcome))
        }
        Played::Refused(error) => {
            let why = error.to_string();
            kept(Digest::of(why.as_bytes()), None, 0, Some(json!({"refused": why})))
        }
    })
}

/// Plays a run that has ended once more. It is the same to the last bit.
pub(crate) fn again(contest: &Contest, run: &Run, result: Digest) -> Result<Outcome<Fault>, HoldError> {
    let what = || contest.window_name(run);
    match perform(contest, run).map_err(|error| HoldError::Play { what: what(), error })? {
        Played::Ran(outcome) if outcome.books.log().digest() == result => Ok(*outcome),
        _ => Err(HoldError::Differs { what: what() }),
    }
}

/// Plays a run of a tournament.
///
/// # Errors
/// When the host fails.
pub(crate) fn perform(contest: &Contest, run: &Run) -> Result<Played, PlayError> {
    let (simulation, start) = contest.scene(run);
    let entrant = &contest.entrants[run.entrant];
    let cash = Money(contest.spec.rules.cash);
    play(&entrant.component, &simulation, &start, cash, &Limits::default(), Log::digest_only())
}

/// How a run was stopped, if it was: by a fault, or by a limit of risk.
fn fault(outcome: &Outcome<Fault>) -> Option<Json> {
    let fault = outcome.faults.first()?.as_ref()?;
    let mut json = serde_json::to_value(fault).unwrap_or_default();
    json["message"] = Json::String(fault.to_string());
    Some(json)
}

/// Why a kept run was stopped, in a sentence.
pub(crate) fn reason(ended: &Ended) -> Option<String> {
    let fault = ended.fault.as_ref()?;
    let text = |key: &str| fault.get(key).and_then(Json::as_str).map(str::to_owned);
    text("refused").or_else(|| text("message")).or_else(|| Some(fault.to_string()))
}
