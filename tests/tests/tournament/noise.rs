//! What a tournament says of chance.

use tiltyard_market::{Key, Origin};
use tiltyard_model::{Bar, Columns, Nanos, Random};
use tiltyard_stats::{chance_variance, trial_variance};
use tiltyard_store::Store;
use tiltyard_tournament::{Row, Verdict};

use crate::field::{Field, HOUR, held, made_up, strategy};

const SEEDS: u64 = 6;

/// Hours of a random walk without drift: ±0.5 % an hour, either equally likely.
fn coin_tosses(seed: u64, hours: i64) -> Columns {
    let mut random = Random(seed);
    let mut price = 100.0_f64;
    let bar = |at: i64| {
        let open = price;
        price *= if random.next_u64() >> 63 == 0 { 1.005 } else { 1.0 / 1.005 };
        let close = (price * 1e4).round() / 1e4;
        let open = (open * 1e4).round() / 1e4;
        Bar { open_time: Nanos::from_hours(at), open, high: open.max(close), low: open.min(close), close, volume: 1e6 }
    };
    (438_000..438_000 + hours).map(bar).collect()
}

/// Rows; those that one would take for skill who forgets how many were tried; those that are told from luck; and those that
/// are worth validating, having enough trades too.
fn judged(field: &Field, text: &str) -> [usize; 4] {
    let table = field.table(text);
    let evidence = |row: &Row| row.metrics.as_ref()?.evidence()?.probabilistic(0.0).ok();
    let count = |is: &dyn Fn(&Row) -> bool| table.rows.iter().filter(|row| is(row)).count();
    [
        table.rows.len(),
        count(&|row| evidence(row).is_some_and(|skill| skill >= Verdict::LEAST_DEFLATED)),
        count(&|row| row.deflated_sharpe.is_some_and(|skill| skill >= Verdict::LEAST_DEFLATED)),
        count(&|row| matches!(row.verdict, Verdict::WorthValidating { .. })),
    ]
}

/// The sums over tournaments, and what they say.
fn over_all(what: &str, tournaments: impl Iterator<Item = [usize; 4]>) -> [usize; 4] {
    let all = tournaments.fold([0; 4], |all, found| [0, 1, 2, 3].map(|at| all[at] + found[at]));
    println!(
        "{what}: of {} rows of {SEEDS} tournaments {} have a probabilistic Sharpe ratio of 0.95, {} a deflated one, {} are worth validating",
        all[0], all[1], all[2], all[3]
    );
    all
}

const GRID: &str = "fast = [3, 5, 8, 13]\nslow = [21, 34, 55]\nshort = [true, false]";

#[test]
fn no_variant_of_a_coin_toss_is_worth_validating() {
    let tournaments = (0..SEEDS).map(|seed| {
        let field = Field::new();
        let key = Key::new("synthetic", "SYN1-USD", HOUR).unwrap();
        field.keep(&key, &coin_tosses(seed, 4_000), &Origin::default());
        // Without fees: with them nobody would get near an edge.
        let free = "[rules]\nfee_bps = 0\nhalf_spread_bps = 0\nslippage_bps = 0\nimpact_bps = 0\n";
        judged(&field, &(made_up(1, free) + &strategy("ma-cross", GRID)))
    });
    let all = over_all("coin tosses without costs", tournaments);
    assert_eq!((all[0], all[3]), (24 * SEEDS as usize, 0));
}

#[test]
fn hardly_any_variant_of_a_made_up_market_is_worth_validating() {
    let tournament = |seed| judged(&Field::made_up(seed, 1, 4_000), &(made_up(1, "") + &strategy("ma-cross", GRID)));
    let all = over_all("made-up markets", (0..SEEDS).map(tournament));
    // They have trends of weeks, which is what a crossing of averages lives on.
    assert!(all[3] * 100 <= all[0], "{all:?}");
}

#[test]
fn luck_is_counted_in_the_periods_of_the_row_whatever_those_of_the_trials() {
    let field = Field::made_up(6, 1, 7_200);
    // Tests of ten days have returns of hours, all of them together of days. High fees drive the variants apart.
    let walk = "[windows]\nkind = \"rolling\"\ntrain_days = 15\ntest_days = 10\n[rules]\nfee_bps = 50";
    let text = made_up(1, walk) + &strategy("ma-cross", GRID) + &strategy("rsi-reversion", "");
    let contest = field.contest(&text).unwrap();
    let mut store = Store::open_in_memory().unwrap();
    let table = held(&contest, &text, &mut store, 2);
    let trials = store.overlapping_trials(&contest.data_span(0)).unwrap();
    assert!(trials.iter().all(|trial| trial.periods_per_year == 8_760.0));
    let sharpes = trials.iter().filter_map(|trial| trial.sharpe.map(|sharpe| sharpe / 365_f64.sqrt()));
    let sharpes: Vec<f64> = sharpes.collect();
    for row in &table.rows {
        let metrics = row.metrics.as_ref().unwrap();
        let evidence = metrics.evidence().unwrap();
        assert_eq!(metrics.returns.periods_per_year, 365.0);
        let variance = trial_variance(&sharpes, evidence.observations).unwrap();
        let (found, expected) = (row.deflated_sharpe.unwrap(), evidence.deflated(variance, 25).unwrap());
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
        let chance = chance_variance(evidence.observations).unwrap();
        assert!(variance > 1.2 * chance, "the trials have a say: {variance} and {chance}");
    }
}
