use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use tiltyard_model::{Digest, Value};
use tiltyard_tournament::{Row, Verdict};

use super::Held;
use crate::print;
use crate::run::broken;

/// What a tournament prints for programs. Fields are added, never renamed.
#[derive(Serialize)]
pub(crate) struct Board<'a> {
    tournament: Digest,
    name: &'a str,
    /// Whether any of the market is made up.
    synthetic: bool,
    runs: usize,
    /// Windows to judge on.
    windows: usize,
    /// What rows are ranked by.
    score: String,
    /// Distinct variants ever tried on data overlapping this tournament's.
    trials: u64,
    /// Digest of everything that came of it.
    digest: Digest,
    /// What came of it.
    sentence: String,
    /// The rows, best first.
    ranking: &'a [Row],
    report: PathBuf,
}

impl<'a> Board<'a> {
    pub(crate) fn of(held: &'a Held) -> Self {
        let (contest, table) = (&held.contest, &held.table);
        Self {
            tournament: held.id,
            name: &contest.spec.name,
            synthetic: contest.is_synthetic(),
            runs: contest.runs.len(),
            windows: contest.splits.len(),
            score: contest.spec.score.to_string(),
            trials: table.trials,
            digest: table.digest,
            sentence: table.sentence(),
            ranking: &table.rows,
            report: held.report.clone(),
        }
    }
}

/// Rows that people are shown.
const SHOWN: usize = 20;

/// Prints what came of a tournament.
pub(crate) fn tell(held: &Held, json: bool) -> Result<()> {
    let board = Board::of(held);
    if json {
        print::out(&serde_json::to_string_pretty(&board)?);
    } else {
        print::out(&text(held, &board));
    }
    Ok(())
}

fn text(held: &Held, board: &Board<'_>) -> String {
    let heads = [
        "rank",
        "strategy",
        "market",
        "parameters",
        "return",
        "Sharpe",
        "95 % interval",
        "drawdown",
        "trades",
        "score",
        "DSR",
        "verdict",
    ];
    let rows = board.ranking.iter().take(SHOWN).map(|row| {
        let metrics = row.metrics.as_ref();
        let number = |figure: Option<f64>, decimals: usize| {
            figure.map_or("–".to_owned(), |figure| format!("{figure:.decimals$}"))
        };
        let percent = |figure: Option<f64>| number(figure.map(|figure| figure * 100.0), 1);
        vec![
            row.rank.map_or("–".to_owned(), |rank| rank.to_string()),
            row.strategy.clone(),
            row.market.clone(),
            parameters(row, held),
            percent(metrics.and_then(|metrics| metrics.total_return)),
            number(metrics.and_then(|metrics| metrics.sharpe), 2),
            row.sharpe_interval.map_or("–".to_owned(), |(low, high)| format!("{low:.1} to {high:.1}")),
            percent(metrics.and_then(|metrics| metrics.max_drawdown)),
            metrics.map_or("–".to_owned(), |metrics| metrics.trades.to_string()),
            number(row.score, 2),
            number(row.deflated_sharpe, 2),
            short(&row.verdict),
        ]
    });
    let rows: Vec<_> = std::iter::once(heads.map(str::to_owned).to_vec()).chain(rows).collect();
    let more = board.ranking.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n… and {more} more rows in the report") } else { String::new() };
    let refused: Vec<String> = board.ranking.iter().take(SHOWN).filter_map(refusals).collect();
    let refused = if refused.is_empty() { String::new() } else { format!("\n\n{}", refused.join("\n")) };
    let market = if board.synthetic {
        "SYNTHETIC markets: prices are made up, this says nothing about the strategies"
    } else {
        "the workspace's data"
    };
    let stretch = match board.windows {
        1 => "one window".to_owned(),
        windows => format!("{windows} windows of walk-forward, strung together"),
    };
    format!(
        "{}: {} runs on {market}; {stretch}\n\n{}{more}{refused}\n\n\
         Return and drawdown in percent. Score: {}. DSR: the probability that a Sharpe ratio is more\n\
         than the luck of having tried {} variants; {} is asked for, and {} trades.\n\n{}\n\n\
         tournament {}, result {}\nreport: {}",
        board.name,
        board.runs,
        print::table(&rows),
        board.score,
        board.trials,
        Verdict::LEAST_DEFLATED,
        Verdict::LEAST_TRADES,
        board.sentence,
        board.tournament.short(),
        board.digest.short(),
        board.report.display(),
    )
}

/// What a row was refused, if anything was.
fn refusals(row: &Row) -> Option<String> {
    let metrics = row.metrics.as_ref()?;
    let rejected = metrics.reject_rate.filter(|rate| *rate > 0.0)?;
    let rank = row.rank.map_or("–".to_owned(), |rank| rank.to_string());
    let rules = if metrics.broken.is_empty() { String::new() } else { format!(": {}", broken(metrics)) };
    Some(format!(
        "{rank} {} {}: {:.1} % of its orders refused or rejected, {} broke rules of risk{rules}",
        row.strategy,
        row.market,
        rejected * 100.0,
        metrics.violations
    ))
}

/// The parameters that are searched over; texts are cut.
fn parameters(row: &Row, held: &Held) -> String {
    const LONGEST: usize = 24;
    let entrant = held.contest.entrants.iter().find(|entrant| entrant.component.admission().digest == row.component);
    let varies = |name: &str, value: &Value| {
        entrant.is_some_and(|entrant| entrant.variants.iter().any(|other| other.parameters().get(name) != Some(value)))
    };
    let searched = row.params.iter().filter(|(name, value)| varies(name, value));
    let shown = searched.map(|(name, value)| {
        let text: String = value.to_string().chars().take(LONGEST).collect();
        format!("{name}={text}")
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A verdict in a column.
fn short(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Faulted { why, .. } => format!("FAULT: {}", why.chars().take(60).collect::<String>()),
        other => other.word().replace('-', " "),
    }
}
