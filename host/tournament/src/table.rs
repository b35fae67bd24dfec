//! What came of a tournament: who did how, and what that is worth.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use tiltyard_engine::{Metrics, TradeRow};
use tiltyard_model::{Digest, Digester, Nanos, Value};
use tiltyard_stats::robust_variance;
use tiltyard_store::{DataSpan, Standing, Store, StoreError, Trial};

use crate::contest::Contest;
use crate::draft::{drafts, leaders};
use crate::hold::{Ended, HoldError};
use crate::verdict::Verdict;
use crate::window::Span;

/// The table of a tournament, best first.
#[derive(Debug)]
pub struct Table {
    /// The rows: those that are ranked by rank, then the others in the order of the specification.
    pub rows: Vec<Row>,
    /// Distinct variants that were ever tried on data overlapping this tournament's.
    pub trials: u64,
    /// Digest of everything that came of it, but for what depends on other tournaments: trials, verdicts.
    pub digest: Digest,
    /// Equity of the first rows, by their places in [`Table::rows`].
    pub equity: Vec<Leader>,
    /// Where each row stood after each window: its equity. Empty for a single window.
    pub race: Vec<Vec<f64>>,
    /// The runs that each row was judged on, of [`Contest::runs`].
    pub judged_on: Vec<Vec<usize>>,
    /// The trades of those runs that were played again when the table was made.
    pub(crate) trades: Vec<(usize, Vec<TradeRow>)>,
    /// Sharpe ratio a year of every variant on every market, over all windows to judge on, where it is defined: by entrant,
    /// group and variant.
    pub sharpes: BTreeMap<(usize, usize, usize), f64>,
}

/// The equity of one of the first rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Leader {
    /// Its place in [`Table::rows`].
    pub place: usize,
    /// Equity after each instant.
    pub equity: Vec<(Nanos, f64)>,
}

/// A strategy's variant on a market; in a walk-forward, a strategy that chose its variant anew for every window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its place, from 1; absent if its score is not defined.
    pub rank: Option<u32>,
    /// The strategy's name.
    pub strategy: String,
    /// The strategy's version.
    pub version: String,
    /// The component.
    pub component: Digest,
    /// What it traded.
    pub market: String,
    /// The variant, the last chosen one in a walk-forward.
    pub variant: Digest,
    /// Its parameters.
    pub params: BTreeMap<String, Value>,
    /// What was chosen on each window of a walk-forward.
    pub choices: Vec<Choice>,
    /// How it did: on the whole window, or on all tests strung together.
    pub metrics: Option<Metrics>,
    /// What it is ranked by.
    pub score: Option<f64>,
    /// Where its Sharpe ratio lies with a confidence of 95 %, a year.
    pub sharpe_interval: Option<(f64, f64)>,
    /// Probability that its Sharpe ratio is more than the luck of all that was tried.
    pub deflated_sharpe: Option<f64>,
    /// Distinct variants that were ever tried on data overlapping its own.
    pub trials: u64,
    /// Why it was stopped, if it was.
    pub fault: Option<String>,
    /// What is to become of it, in a word, and the reason.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Digest of its runs' results.
    pub result: Digest,
}

/// What was chosen on a window, and how it was judged on the next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// What it was chosen on.
    pub train: Span,
    /// What it was judged on.
    pub test: Span,
    /// The variant.
    pub params: BTreeMap<String, Value>,
    /// Its score on the train window; absent if no variant had one, and the first that ran was taken.
    pub train_score: Option<f64>,
    /// Its Sharpe ratio of a year on the test window.
    pub test_sharpe: Option<f64>,
}

/// What was ever tried on data overlapping some, in this tournament and in others.
pub(crate) struct Tried {
    /// Distinct variants.
    pub(crate) variants: usize,
    /// Variance of their Sharpe ratios of a year: periods differ from trial to trial. 0 where none has one.
    pub(crate) variance: f64,
}

impl Tried {
    pub(crate) fn on(span: &DataSpan, store: &Store) -> Result<Self, StoreError> {
        let trials = store.overlapping_trials(span)?;
        let sharpes: Vec<f64> = trials.iter().filter_map(|trial| trial.sharpe).collect();
        Ok(Self { variants: trials.len(), variance: robust_variance(&sharpes).unwrap_or_default() })
    }
}

impl Table {
    /// Adds every variant on every market to the ledger of trials.
    pub(crate) fn write_trials(
        contest: &Contest,
        results: &[Ended],
        tournament: Digest,
        store: &mut Store,
        at: Nanos,
    ) -> Result<(), StoreError> {
        store.batch(|store| {
            for ((entrant, group, variant), metrics) in tested(contest, results) {
                let entrant = &contest.entrants[entrant];
                let (sharpe, observations, year) = pooled(&metrics, contest.spec.rules.days_per_year);
                store.insert_trial(&Trial {
                    variant: entrant.variants[variant].digest(),
                    lineage: entrant.component.admission().manifest.name.clone(),
                    span: contest.data_span(group),
                    at,
                    tournament: Some(tournament),
                    sharpe,
                    observations,
                    periods_per_year: year,
                })?;
            }
            Ok(())
        })
    }

    /// The table that these results make, judged with what was ever tried on each group's data.
    pub(crate) fn new(contest: &Contest, results: &[Ended], tried: &[Tried]) -> Result<Self, HoldError> {
        let mut drafts = drafts(contest, results)?;
        for draft in &mut drafts {
            draft.judge(contest, &tried[draft.group]);
        }
        let trials = tried.iter().map(|tried| tried.variants as u64).max().unwrap_or_default();
        // By score, and of equals the one that was named first.
        drafts.sort_by(|left, right| {
            let key = |draft: &crate::draft::Draft| draft.row.score.unwrap_or(f64::NEG_INFINITY);
            key(right).total_cmp(&key(left))
        });
        for (rank, draft) in (1..).zip(drafts.iter_mut().filter(|draft| draft.row.score.is_some())) {
            draft.row.rank = Some(rank);
        }
        let mut digester = Digester::default();
        digester.text("tiltyard table 1");
        for kept in results {
            digester.bytes(&kept.result.0).u64(kept.fuel);
        }
        for draft in &drafts {
            digester.bytes(&draft.row.variant.0).text(&draft.row.market).bytes(&draft.row.result.0);
            digester.text(&serde_json::to_string(&draft.row.metrics).unwrap_or_default());
        }
        let equity = leaders(contest, &mut drafts, results)?;
        let race = drafts.iter().map(|draft| draft.race.clone()).collect();
        let judged_on = drafts.iter().map(|draft| draft.judged_on.clone()).collect();
        let trades = drafts.iter_mut().flat_map(|draft| std::mem::take(&mut draft.trades)).collect();
        let rows = drafts.into_iter().map(|draft| draft.row).collect();
        let sharpes = tested(contest, results).into_iter().filter_map(|(place, metrics)| {
            let (sharpe, ..) = pooled(&metrics, contest.spec.rules.days_per_year);
            Some((place, sharpe?))
        });
        let (digest, sharpes) = (digester.finish(), sharpes.collect());
        Ok(Self { rows, trials, digest, equity, race, judged_on, trades, sharpes })
    }

    /// The Sharpe ratios of a variant on all markets.
    pub fn sharpes_of(&self, entrant: usize, variant: usize) -> impl Iterator<Item = f64> {
        self.sharpes.iter().filter(move |((of, _, at), _)| (*of, *at) == (entrant, variant)).map(|(_, sharpe)| *sharpe)
    }

    /// Keeps where everybody stood after each window, market by market.
    pub(crate) fn write_standings(
        &self,
        contest: &Contest,
        tournament: Digest,
        store: &mut Store,
    ) -> Result<(), StoreError> {
        store.batch(|store| {
            for group in &contest.groups {
                let rows: Vec<usize> = (0..self.rows.len()).filter(|at| self.rows[*at].market == group.label).collect();
                for (window, split) in contest.splits.iter().enumerate() {
                    let label = format!("{} {}", group.label, tiltyard_market::format_time(split.test.to));
                    store.insert_standings(tournament, &label, &self.standing(&rows, window), split.test.to)?;
                }
            }
            Ok(())
        })
    }

    /// Where these rows stood after a window: by equity in a walk-forward, by score otherwise.
    fn standing(&self, rows: &[usize], window: usize) -> Vec<Standing> {
        let value = |at: usize| match self.race[at].get(window) {
            Some(equity) => Some(*equity),
            None => self.rows[at].score,
        };
        let value = |at: usize| value(at).filter(|value| value.is_finite());
        let mut order: Vec<usize> = rows.to_vec();
        order.sort_by(|left, right| {
            let key = |at: &usize| value(*at).unwrap_or(f64::NEG_INFINITY);
            key(right).total_cmp(&key(left))
        });
        let mut rank = 0;
        let standing = |at: usize| {
            let score = value(at);
            rank += u32::from(score.is_some());
            let row = &self.rows[at];
            let figures = json!({"strategy": row.strategy, "params": row.params});
            Standing { variant: row.variant, rank: score.map(|_| rank), score, figures }
        };
        order.into_iter().map(standing).collect()
    }

    /// What came of it in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let worth = self.rows.iter().filter(|row| matches!(row.verdict, Verdict::WorthValidating { .. })).count();
        let trials = self.trials;
        let least = Verdict::LEAST_TRADES;
        match worth {
            0 => format!(
                "Nothing here deserves promotion: with {trials} variants tried, no result of {least} trades or more is told from luck."
            ),
            1 => format!(
                "One row is worth validating on data that nobody has seen ({trials} variants were tried); a tournament promotes nothing."
            ),
            many => format!(
                "{many} rows are worth validating on data that nobody has seen ({trials} variants were tried); a tournament promotes nothing."
            ),
        }
    }
}

/// How every variant did on every market's windows to judge on: by entrant, group and variant.
fn tested<'a>(contest: &Contest, results: &'a [Ended]) -> BTreeMap<(usize, usize, usize), Vec<&'a Metrics>> {
    let mut tested: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (run, kept) in contest.runs.iter().zip(results).filter(|(run, _)| !run.is_train) {
        let metrics = tested.entry((run.entrant, run.group, run.variant)).or_default();
        metrics.extend(kept.metrics.as_ref().filter(|_| kept.fault.is_none()));
    }
    tested
}

/// A Sharpe ratio of all these runs' returns together (a year), how many returns that are, and how many there are in a year.
///
/// From each run's count n, mean m and deviation s: mean Σnm ÷ Σn, squares Σ((n − 1)s² + nm²) − (Σnm)² ÷ Σn.
fn pooled(metrics: &[&Metrics], days_per_year: f64) -> (Option<f64>, u64, f64) {
    let year = metrics.first().map_or(days_per_year, |metrics| metrics.returns.periods_per_year);
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    // Returns of another period would not add up; only windows of different length can have them.
    for metrics in metrics.iter().filter(|metrics| metrics.returns.periods_per_year == year) {
        // Returns that do not vary have no Sharpe ratio, and a mean that is lost: those of a strategy that did nothing, 0.
        let (sharpe, volatility) = (metrics.sharpe.unwrap_or_default(), metrics.volatility.unwrap_or_default());
        let n = metrics.returns.count as f64;
        let (mean, deviation) = (sharpe * volatility / year, volatility / year.sqrt());
        count += n;
        sum += n * mean;
        squares += (n - 1.0).max(0.0) * deviation * deviation + n * mean * mean;
    }
    let variance = (squares - sum * sum / count) / (count - 1.0);
    let sharpe = sum / count / variance.sqrt() * year.sqrt();
    ((variance > 0.0 && sharpe.is_finite()).then_some(sharpe), count as u64, year)
}
