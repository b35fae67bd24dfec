//! Rows on their way into the table: what was run, then what it is worth.

use rayon::prelude::*;
use tiltyard_engine::{Course, Metrics, TradeRow};
use tiltyard_model::{Digest, Digester};
use tiltyard_stats::chance_variance;

use crate::contest::{Contest, Run};
use crate::hold::{Ended, HoldError, again, reason};
use crate::table::{Choice, Leader, Row, Tried};
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
    /// Equity after each window of a walk-forward, until it was stopped.
    pub(crate) race: Vec<f64>,
    /// The runs that it was judged on, of [`Contest::runs`].
    pub(crate) judged_on: Vec<usize>,
    /// The trades of those that were played again for it.
    pub(crate) trades: Vec<(usize, Vec<TradeRow>)>,
    /// Runs that were stopped or did not start.
    faults: usize,
}

/// The rows of a contest: of each variant, or in a walk-forward of each strategy, on each of its markets.
pub(crate) fn drafts(contest: &Contest, results: &[Ended]) -> Result<Vec<Draft>, HoldError> {
    let all: Vec<usize> = (0..results.len()).collect();
    if contest.splits.iter().all(|split| split.train.is_none()) {
        return Ok(all.iter().map(|at| single(contest, *at, &results[*at])).collect());
    }
    // Runs of one strategy on one market follow each other.
    let entry = |at: usize| (contest.runs[at].entrant, contest.runs[at].group);
    let entries: Vec<_> = all.chunk_by(|one, other| entry(*one) == entry(*other)).collect();
    entries.into_par_iter().map(|places| walk(contest, places, results)).collect()
}

/// The row of a variant that was judged on what it was chosen from.
fn single(contest: &Contest, at: usize, ended: &Ended) -> Draft {
    let run = &contest.runs[at];
    let fault = reason(ended);
    let metrics = ended.metrics.clone().filter(|_| fault.is_none());
    Draft {
        row: Row { metrics, fault, result: ended.result, ..row(contest, run) },
        group: run.group,
        race: Vec::new(),
        judged_on: vec![at],
        trades: Vec::new(),
        faults: usize::from(ended.fault.is_some()),
    }
}

/// The row of a strategy that chose a variant on every train window and was judged on the test that follows it.
fn walk(contest: &Contest, places: &[usize], results: &[Ended]) -> Result<Draft, HoldError> {
    let mut course: Option<Course<'static>> = None;
    let (mut race, mut choices, mut fault) = (Vec::new(), Vec::new(), None);
    let (mut judged_on, mut trades) = (Vec::new(), Vec::new());
    let mut digester = Digester::default();
    let mut last = contest.runs[places[0]];
    for (split, windows) in contest.splits.iter().enumerate() {
        let of = |is_train: bool| {
            let here = move |at: &&usize| (contest.runs[**at].split, contest.runs[**at].is_train) == (split, is_train);
            places.iter().filter(here).copied()
        };
        let Some(train) = windows.train else { continue };
        let Some((trained, train_score)) = choose(contest, of(true), results) else { continue };
        let variant = contest.runs[trained].variant;
        let Some(tested) = of(false).find(|at| contest.runs[*at].variant == variant) else { continue };
        let (test, ended) = (&contest.runs[tested], &results[tested]);
        last = *test;
        digester.bytes(&ended.result.0);
        choices.push(Choice {
            train,
            test: windows.test,
            params: contest.variant(test).parameters().clone(),
            train_score,
            test_sharpe: ended.metrics.as_ref().and_then(|metrics| metrics.sharpe),
        });
        // What was chosen and then stopped is disqualified as a whole: nobody could have traded on without it. The same if
        // there was nothing to choose but what had been stopped.
        fault = fault.or_else(|| reason(&results[trained])).or_else(|| reason(ended));
        if fault.is_none() {
            trades.push((tested, extend(&mut course, contest, tested, ended)?));
            race.extend(course.as_ref().map(Course::last_equity));
            judged_on.push(tested);
        }
    }
    let metrics = course.as_ref().map(Metrics::of_course).filter(|_| fault.is_none());
    Ok(Draft {
        row: Row { metrics, choices, fault, result: digester.finish(), ..row(contest, &last) },
        group: last.group,
        race,
        judged_on,
        trades,
        faults: places.iter().filter(|at| results[**at].fault.is_some()).count(),
    })
}

/// The run of the variant with the highest score on a train window, and that score. Without any score, of the one with the
/// highest Sharpe ratio; without that, of the first that was not stopped, or of the first. Of equals the first.
fn choose(contest: &Contest, trained: impl Iterator<Item = usize>, results: &[Ended]) -> Option<(usize, Option<f64>)> {
    let mut best: Option<(usize, [f64; 3])> = None;
    for at in trained {
        let metrics = results[at].metrics.as_ref().filter(|_| results[at].fault.is_none());
        let value = |figure: Option<f64>| figure.unwrap_or(f64::NEG_INFINITY);
        let merit = [
            value(metrics.and_then(|metrics| contest.spec.score.of(metrics).ok())),
            value(metrics.and_then(|metrics| metrics.sharpe)),
            f64::from(u8::from(metrics.is_some())),
        ];
        if best.is_none_or(|(_, so_far)| merit > so_far) {
            best = Some((at, merit));
        }
    }
    best.map(|(at, [score, ..])| (at, score.is_finite().then_some(score)))
}

/// Strings a run to those before it, and says what it traded.
fn extend(
    course: &mut Option<Course<'static>>,
    contest: &Contest,
    at: usize,
    ended: &Ended,
) -> Result<Vec<TradeRow>, HoldError> {
    let run = &contest.runs[at];
    let outcome = again(contest, run, ended.result)?;
    let record = &outcome.books.records()[0];
    let next = Course::of(record, &contest.scene(run).0.basis());
    match course {
        Some(course) => course.extend(&next),
        None => *course = Some(next.into_owned()),
    }
    Ok(TradeRow::all(record, &contest.symbols(run)))
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
    /// Judges a row, given what was ever tried on its data.
    pub(crate) fn judge(&mut self, contest: &Contest, tried: &Tried) {
        let row = &mut self.row;
        row.trials = tried.variants as u64;
        let Some(metrics) = &row.metrics else {
            let why = row.fault.clone().unwrap_or_else(|| "nothing was run".to_owned());
            row.verdict = Verdict::Faulted { why, runs: self.faults.max(1) };
            return;
        };
        let evidence = metrics.evidence();
        let year = metrics.returns.periods_per_year;
        row.sharpe_interval = evidence
            .and_then(|evidence| evidence.interval(CONFIDENCE).ok())
            .map(|(low, high)| (low * year.sqrt(), high * year.sqrt()));
        row.deflated_sharpe = evidence.and_then(|evidence| {
            // In periods of this row, whatever those of the trials were.
            let variance = chance_variance(evidence.observations).ok()?.max(tried.variance / year);
            evidence.deflated(variance, tried.variants.max(1)).ok()
        });
        row.verdict = match contest.spec.score.of(metrics) {
            Ok(score) => {
                row.score = Some(score);
                verdict(metrics.trades, row.deflated_sharpe)
            }
            Err(figure) => {
                let why = metrics.undefined.get(figure).cloned().unwrap_or_else(|| "it is no number".to_owned());
                Verdict::Unranked { figure: figure.to_owned(), why }
            }
        };
    }
}

fn verdict(trades: u64, deflated: Option<f64>) -> Verdict {
    let (least_trades, least) = (Verdict::LEAST_TRADES, Verdict::LEAST_DEFLATED);
    match deflated {
        _ if trades < least_trades => Verdict::FewTrades { trades, least: least_trades },
        Some(deflated_sharpe) if deflated_sharpe >= least => Verdict::WorthValidating { deflated_sharpe },
        deflated => Verdict::Luck { deflated_sharpe: deflated.unwrap_or_default(), least },
    }
}

/// The equity of the first rows. It is played again: kept for every row, it would be most of what a tournament holds. Their
/// trades come with it.
pub(crate) fn leaders(contest: &Contest, drafts: &mut [Draft], results: &[Ended]) -> Result<Vec<Leader>, HoldError> {
    let first = drafts.iter_mut().enumerate().filter(|(_, draft)| draft.row.metrics.is_some()).take(LEADERS);
    let first: Vec<(usize, &mut Draft)> = first.collect();
    let equity = |(place, draft): (usize, &mut Draft)| {
        let mut course = None;
        let trades = draft.judged_on.iter().map(|at| Ok((*at, extend(&mut course, contest, *at, &results[*at])?)));
        draft.trades = trades.collect::<Result<_, HoldError>>()?;
        Ok(Leader { place, equity: course.map(|course| course.equity()).unwrap_or_default() })
    };
    first.into_par_iter().map(equity).collect()
}
