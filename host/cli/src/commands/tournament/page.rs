use std::collections::BTreeMap;

use tiltyard_market::format_time;
use tiltyard_model::{Digest, Value};
use tiltyard_report::{HeatMap, LeaderFigures, LeaderRow, Standing, StandingSeries, Standings, TournamentReport};
use tiltyard_sandbox::engine_version;
use tiltyard_tournament::{Contest, Row, Splitting, Table};

/// Rows whose race is drawn.
const RACING: usize = 8;

/// What the report of a tournament is made of.
pub(super) fn report(contest: &Contest, table: &Table, id: Digest) -> TournamentReport {
    TournamentReport {
        title: contest.spec.name.clone(),
        synthetic: contest.is_synthetic(),
        sentence: table.sentence(),
        facts: facts(contest, table, id),
        rows: table.rows.iter().map(leader).collect(),
        trials: table.trials,
        heat_maps: heat_maps(contest, table),
        standings: standings(contest, table),
        equity: table.equity.iter().map(|leader| (label(&table.rows[leader.place]), leader.equity.clone())).collect(),
        faults: faults(table),
    }
}

fn label(row: &Row) -> String {
    let place = row.rank.map(|rank| format!("{rank} ")).unwrap_or_default();
    format!("{place}{} {}", row.strategy, row.market)
}

fn facts(contest: &Contest, table: &Table, id: Digest) -> Vec<(String, String)> {
    let spec = &contest.spec;
    let windows = match spec.windows {
        Splitting::Single => "one window: every variant is judged by what it was chosen from".to_owned(),
        Splitting::Walk(walk) => format!(
            "{} windows of walk-forward{}: chosen on one, judged on the next, strung together",
            contest.splits.len(),
            if walk.anchored { ", anchored" } else { "" }
        ),
    };
    let first = contest.splits.first().map(|split| split.train.unwrap_or(split.test).from);
    let last = contest.splits.last().map(|split| split.test.to);
    let time = |time: Option<tiltyard_model::Nanos>| time.map(format_time).unwrap_or_default();
    let rules = spec.rules.profile.rules(spec.rules.costs);
    let mut facts = vec![
        (
            "market".to_owned(),
            format!("{} {}: {}", spec.market.venue, String::from(spec.market.interval), spec.market.symbols.join(", ")),
        ),
        ("time".to_owned(), format!("{} to {}", time(first), time(last))),
        ("windows".to_owned(), windows),
        ("runs".to_owned(), contest.runs.len().to_string()),
        ("score".to_owned(), spec.score.to_string()),
        (
            "fills".to_owned(),
            format!(
                "profile {}, slippage {}, half spread {}, impact {}",
                rules.name(),
                spec.rules.costs.slippage,
                spec.rules.costs.half_spread,
                spec.rules.costs.impact
            ),
        ),
        ("fee".to_owned(), spec.rules.fee.map_or("each instrument's own".to_owned(), |fee| fee.to_string())),
        ("cash".to_owned(), spec.rules.cash.to_string()),
        ("risk".to_owned(), spec.rules.risk.name.clone()),
        ("engine".to_owned(), engine_version().to_owned()),
        ("tournament".to_owned(), id.to_string()),
        ("result".to_owned(), table.digest.to_string()),
    ];
    if let Some(sealed) = contest.sealed_from {
        facts.insert(2, ("holdout".to_owned(), format!("what closes after {} was not read", format_time(sealed))));
    }
    facts
}

fn leader(row: &Row) -> LeaderRow {
    let metrics = row.metrics.as_ref();
    let figures = LeaderFigures {
        score: row.score,
        sharpe_interval: row.sharpe_interval,
        deflated_sharpe: row.deflated_sharpe,
        ..metrics
            .map(|metrics| LeaderFigures {
                total_return: metrics.total_return,
                sharpe: metrics.sharpe,
                sortino: metrics.sortino,
                calmar: metrics.calmar,
                max_drawdown: metrics.max_drawdown,
                hit_rate: metrics.hit_rate,
                average_holding_hours: metrics.average_holding_hours,
                trades_per_week: metrics.trades_per_week,
                violations: metrics.violations,
                broken: metrics.broken.clone().into_iter().collect(),
                reject_rate: metrics.reject_rate,
                fuel_per_bar: metrics.fuel_per_bar,
                ..LeaderFigures::default()
            })
            .unwrap_or_default()
    };
    let market = ("market".to_owned(), row.market.clone());
    let parameters = row.params.iter().map(|(name, value)| (name.clone(), plain(value)));
    LeaderRow {
        rank: row.rank.map(u64::from),
        strategy: row.strategy.clone(),
        parameters: std::iter::once(market).chain(parameters).collect(),
        figures,
        verdict: row.verdict.to_string(),
        fault: row.fault.clone(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The first two parameters by name that vary, for each strategy that has two: the mean over markets and other parameters.
fn heat_maps(contest: &Contest, table: &Table) -> Vec<HeatMap> {
    let map = |(at, entrant): (usize, &tiltyard_tournament::Entrant)| {
        let mut values: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, value) in entrant.variants.iter().flat_map(tiltyard_model::Variant::parameters) {
            let known = values.entry(name).or_default();
            if !known.contains(&value) {
                known.push(value);
            }
        }
        let mut axes = values.into_iter().filter(|(_, values)| values.len() > 1).map(|(name, mut values)| {
            values.sort_by(|left, right| number(left).total_cmp(&number(right)));
            (name, values)
        });
        let ((x, xs), (y, ys)) = (axes.next()?, axes.next()?);
        let cell = |x_value: &Value, y_value: &Value| {
            let here = entrant.variants.iter().enumerate().filter(|(_, variant)| {
                variant.parameters().get(x) == Some(x_value) && variant.parameters().get(y) == Some(y_value)
            });
            let sharpes: Vec<f64> = here.flat_map(|(variant, _)| table.sharpes_of(at, variant)).collect();
            (!sharpes.is_empty()).then(|| sharpes.iter().sum::<f64>() / sharpes.len() as f64)
        };
        let cells = ys.iter().map(|y_value| xs.iter().map(|x_value| cell(x_value, y_value)).collect()).collect();
        Some(HeatMap {
            strategy: entrant.component.admission().manifest.name.clone(),
            figure: "Sharpe ratio, mean over markets".to_owned(),
            x: x.to_owned(),
            y: y.to_owned(),
            xs: xs.iter().map(|value| plain(value)).collect(),
            ys: ys.iter().map(|value| plain(value)).collect(),
            values: cells,
        })
    };
    contest.entrants.iter().enumerate().filter_map(map).collect()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        Value::Flag(flag) => f64::from(u8::from(*flag)),
        Value::Text(_) => 0.0,
    }
}

/// Where the first rows stood after each window, among all.
fn standings(contest: &Contest, table: &Table) -> Option<Standings> {
    let windows = contest.splits.len();
    if windows < 2 {
        return None;
    }
    let rank = |at: usize, window: usize| {
        let own = *table.race[at].get(window)?;
        let better = table.race.iter().filter(|race| race.get(window).is_some_and(|equity| *equity > own)).count();
        Some(better as f64 + 1.0)
    };
    let series = (0..table.rows.len().min(RACING)).map(|at| StandingSeries {
        label: label(&table.rows[at]),
        values: (0..windows).map(|window| rank(at, window)).collect(),
    });
    Some(Standings {
        standing: Standing::Rank,
        windows: contest.splits.iter().map(|split| format_time(split.test.to)).collect(),
        series: series.collect(),
    })
}

fn faults(table: &Table) -> Vec<(String, u64)> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for fault in table.rows.iter().filter_map(|row| row.fault.as_ref()) {
        // What comes before the colon is the kind, what follows is the case.
        let kind = fault.split(':').next().unwrap_or(fault).to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds.into_iter().collect()
}
