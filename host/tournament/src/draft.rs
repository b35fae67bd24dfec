//! Rows on their way into the table: what was run, then what it is worth.

use rayon::prelude::*;
use tiltyard_engine::{Course, Metrics};
use tiltyard_model::{Digest, Digester, Nanos};
use tiltyard_stats::{SharpeEvidence, trial_variance};
use tiltyard_store::Run as Kept;

use crate::contest::{Contest, Run};
use crate::hold::{HoldError, perform, reason};
use crate::play::Played;
use crate::table::{Choice, Row};
use crate::verdict::Verdict;

/// Confidence of the interval of a Sharpe ratio.
const CONFIDENCE: f64 = 0.95;
/// Rows whose equity is shown in a chart.
const LEADERS: usize = 8;

/// A row that is not yet judged.
pub(crate) struct Draft {
    pub(crate) row: Row,
    /// Of [`Contest::groups`].
    pub(crate) group: usize,
    /// Equity after each window of a walk-forward.
    pub(crate) race: Vec<f64>,
    /// Equity after each instant of a walk-forward.
    equity: Vec<(Nanos, f64)>,
    /// The run of a single window.
    run: Option<Run>,
    /// Runs that were stopped or did not start.
    faults: usize,
}

/// The rows of a contest: of each variant, or in a walk-forward of each strategy, on each of its markets.
pub(crate) fn drafts(contest: &Contest, results: &[Kept]) -> Result<Vec<Draft>, HoldError> {
    let runs: Vec<(Run, &Kept)> = contest.runs.iter().copied().zip(results).collect();
    if contest.splits.iter().all(|split| split.train.is_none()) {
        return Ok(runs.iter().map(|(run, kept)| single(contest, run, kept)).collect());
    }
    // Runs of one strategy on one market follow each other.
    let entries: Vec<_> =
        runs.chunk_by(|one, other| (one.0.entrant, one.0.group) == (other.0.entrant, other.0.group)).collect();
    entries.into_par_iter().map(|runs| walk(contest, runs)).collect()
}

/// The row of a variant that was judged on what it was chosen from.
fn single(contest: &Contest, run: &Run, kept: &Kept) -> Draft {
    let fault = reason(kept);
    let metrics = kept.metrics.clone().filter(|_| fault.is_none());
    Draft {
        row: Row { metrics, fault, result: kept.result, ..row(contest, run) },
        group: run.group,
        race: Vec::new(),
        equity: Vec::new(),
        run: Some(*run),
        faults: usize::from(kept.fault.is_some()),
    }
}

/// The row of a strategy that chose a variant on every train window and was judged on the test that follows it.
fn walk(contest: &Contest, runs: &[(Run, &Kept)]) -> Result<Draft, HoldError> {
    let mut course: Option<Course<'static>> = None;
    let (mut race, mut choices, mut fault) = (Vec::new(), Vec::new(), None);
    let mut digester = Digester::default();
    let mut last = runs[0].0;
    for (split, windows) in contest.splits.iter().enumerate() {
        let of = |is_train: bool| runs.iter().filter(move |(run, _)| run.split == split && run.is_train == is_train);
        let Some(train) = windows.train else { continue };
        let (chosen, train_score) = choose(contest, of(true));
        let Some((test, kept)) = of(false).find(|(run, _)| run.variant == chosen) else { continue };
        last = *test;
        digester.bytes(&kept.result.0);
        choices.push(Choice {
            train,
            test: windows.test,
            params: contest.variant(test).parameters().clone(),
            train_score,
            test_sharpe: kept.metrics.as_ref().and_then(|metrics| metrics.sharpe),
        });
        // What was chosen and then stopped is disqualified as a whole: nobody could have traded on without it.
        if fault.is_none() {
            fault = reason(kept);
        }
        if fault.is_none() {
            let next = replay(contest, test, kept)?;
            match &mut course {
                Some(course) => course.extend(&next),
                None => course = Some(next),
            }
        }
        race.extend(course.as_ref().and_then(|course| course.equity().last().map(|(_, equity)| *equity)));
    }
    let metrics = course.as_ref().map(Metrics::of_course).filter(|_| fault.is_none());
    Ok(Draft {
        row: Row { metrics, choices, fault, result: digester.finish(), ..row(contest, &last) },
        group: last.group,
        race,
        equity: course.map(|course| course.equity()).unwrap_or_default(),
        run: None,
        faults: runs.iter().filter(|(_, kept)| kept.fault.is_some()).count(),
    })
}

/// The variant with the highest score on a train window, and its score. Without any score, the one with the highest Sharpe
/// ratio; without that, the first that was not stopped. Of equals the first.
fn choose<'a>(contest: &Contest, runs: impl Iterator<Item = &'a (Run, &'a Kept)>) -> (usize, Option<f64>) {
    let mut best: Option<(usize, [f64; 3])> = None;
    for (run, kept) in runs {
        let metrics = kept.metrics.as_ref().filter(|_| kept.fault.is_none());
        let value = |figure: Option<f64>| figure.unwrap_or(f64::NEG_INFINITY);
        let merit = [
            value(metrics.and_then(|metrics| contest.spec.score.of(metrics).ok())),
            value(metrics.and_then(|metrics| metrics.sharpe)),
            f64::from(u8::from(metrics.is_some())),
        ];
        if best.is_none_or(|(_, so_far)| merit > so_far) {
            best = Some((run.variant, merit));
        }
    }
    best.map_or((0, None), |(variant, [score, ..])| (variant, score.is_finite().then_some(score)))
}

/// The course of a run that was run before: played again, and the same to the last bit.
fn replay(contest: &Contest, run: &Run, kept: &Kept) -> Result<Course<'static>, HoldError> {
    let failed = |error| HoldError::Play { what: contest.window_name(run), error };
    match perform(contest, run).map_err(failed)? {
        Played::Ran(outcome) if outcome.books.log().digest() == kept.result => {
            let (simulation, _) = contest.scene(run);
            Ok(Course::of(&outcome.books.records()[0], &simulation.basis()).into_owned())
        }
        _ => Err(HoldError::Differs { what: contest.window_name(run) }),
    }
}

/// A row of which nothing is known but who and where.
fn row(contest: &Contest, run: &Run) -> Row {
    let manifest = &contest.entrants[run.entrant].component.admission().manifest;
    let variant = contest.variant(run);
    Row {
        rank: None,
        strategy: manifest.name.clone(),
        version: manifest.version.clone(),
        component: variant.component(),
        market: contest.groups[run.group].label.clone(),
        variant: variant.digest(),
        params: variant.parameters().clone(),
        choices: Vec::new(),
        metrics: None,
        score: None,
        sharpe_interval: None,
        deflated_sharpe: None,
        trials: 0,
        fault: None,
        verdict: Verdict::Unranked { figure: "score".to_owned(), why: "it was not judged".to_owned() },
        result: Digest::of(b""),
    }
}

impl Draft {
    /// Judges a row, given the Sharpe ratios (per period) of all variants that were ever tried on its data and their number.
    pub(crate) fn judge(&mut self, contest: &Contest, sharpes: &[f64], trials: usize) {
        let row = &mut self.row;
        row.trials = trials as u64;
        let Some(metrics) = &row.metrics else {
            let why = row.fault.clone().unwrap_or_else(|| "nothing was run".to_owned());
            row.verdict = Verdict::Faulted { why, runs: self.faults.max(1) };
            return;
        };
        let evidence = metrics.evidence();
        let year = metrics.returns.periods_per_year.sqrt();
        row.sharpe_interval = evidence
            .and_then(|evidence| evidence.interval(CONFIDENCE).ok())
            .map(|(low, high)| (low * year, high * year));
        row.deflated_sharpe = evidence.and_then(|evidence| deflated(&evidence, sharpes, trials));
        row.verdict = match contest.spec.score.of(metrics) {
            Ok(score) => {
                row.score = Some(score);
                verdict(metrics.trades, row.deflated_sharpe)
            }
            Err(figure) => {
                let why = metrics.undefined.get(figure).cloned().unwrap_or_else(|| "for want of data".to_owned());
                Verdict::Unranked { figure: figure.to_owned(), why }
            }
        };
    }
}

/// Probability that a Sharpe ratio is more than the best of so many trials without skill would show.
fn deflated(evidence: &SharpeEvidence, sharpes: &[f64], trials: usize) -> Option<f64> {
    // Without any trial that has a Sharpe ratio there is still chance itself.
    let sharpes = if sharpes.is_empty() { &[0.0] } else { sharpes };
    let variance = trial_variance(sharpes, evidence.observations).ok()?;
    evidence.deflated(variance, trials.max(1)).ok()
}

fn verdict(trades: u64, deflated: Option<f64>) -> Verdict {
    let (least_trades, least) = (Verdict::LEAST_TRADES, Verdict::LEAST_DEFLATED);
    match deflated {
        _ if trades < least_trades => Verdict::FewTrades { trades, least: least_trades },
        Some(deflated_sharpe) if deflated_sharpe >= least => Verdict::WorthValidating { deflated_sharpe },
        deflated => Verdict::Luck { deflated_sharpe: deflated.unwrap_or_default(), least },
    }
}

/// The equity of the first rows: kept from the walk, or played again.
pub(crate) fn leaders(
    contest: &Contest,
    drafts: &[Draft],
    results: &[Kept],
) -> Result<Vec<(usize, Vec<(Nanos, f64)>)>, HoldError> {
    let first = drafts.iter().enumerate().filter(|(_, draft)| draft.row.metrics.is_some()).take(LEADERS);
    let places: Vec<(usize, &Draft)> = first.collect();
    let equity = |(at, draft): (usize, &Draft)| match &draft.run {
        None => Ok((at, draft.equity.clone())),
        Some(run) => {
            let place = contest.runs.iter().position(|known| known == run);
            let kept = place.map(|place| &results[place]);
            let course = kept.map(|kept| replay(contest, run, kept)).transpose()?;
            Ok((at, course.map(|course| course.equity()).unwrap_or_default()))
        }
    };
    places.into_par_iter().map(equity).collect()
}
