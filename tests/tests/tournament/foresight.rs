//! Nothing of a run follows from what came after it, least of all from the holdout.

use std::collections::{BTreeMap, BTreeSet};

use tiltyard_market::{Instruments, Origin, SyntheticMarket, parse_date};
use tiltyard_model::{Bar, Columns, Digest, Nanos};
use tiltyard_store::{RunKey, Store};
use tiltyard_tournament::Contest;

use crate::field::{Field, HOUR, held, made_up, strategy};

const WALK: &str = "[windows]\nkind = \"rolling\"\ntrain_days = 20\ntest_days = 10";

fn specification(symbols: usize) -> String {
    made_up(symbols, WALK) + &strategy("ma-cross", "fast = [3, 8]\nslow = [20, 40]") + &strategy("donchian", "")
}

/// The same market twice until an instant; from then on the prices of one are higher, and have more decimals.
fn until(time: Nanos, hours: usize) -> [Field; 2] {
    let market = SyntheticMarket::new(9, HOUR);
    let bars = market.bars(0, hours);
    let other: Columns = bars
        .iter()
        .map(|bar| {
            let change = |price: f64| if bar.open_time >= time { price * 1.000_123_4 } else { price };
            let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(change);
            Bar { open, high, low, close, volume: change(bar.volume), ..bar }
        })
        .collect();
    [bars, other].map(|bars| {
        let field = Field::new();
        field.keep(&market.key(0).unwrap(), &bars, &Origin::default());
        field
    })
}

/// The runs by their names, and what came of them.
fn results(contest: &Contest, text: &str) -> BTreeMap<RunKey, Digest> {
    let mut store = Store::open_in_memory().unwrap();
    held(contest, text, &mut store, 2);
    let keys: BTreeSet<RunKey> = contest.runs.iter().map(|run| contest.key(run)).collect();
    keys.into_iter().map(|key| (key, store.run(key).unwrap().unwrap().result)).collect()
}

#[test]
fn the_holdout_shows_in_nothing() {
    let hours = 2_400;
    let end = SyntheticMarket::new(9, HOUR).begin + Nanos::from_hours(hours);
    let seal = tiltyard_market::months_before(end, 1);
    let [one, other] = until(seal, hours as usize);
    let text = specification(1);
    let [one, other] = [one, other].map(|field| field.contest(&text).unwrap());
    assert_eq!(one.sealed_from, Some(seal));
    assert_eq!(one.identity(&text), other.identity(&text));
    for contest in [&one, &other] {
        let played = contest.groups.iter().flat_map(|group| &group.simulation.market);
        for traded in played {
            let last = Nanos(*traded.bars.open_time().last().unwrap()) + traded.interval;
            assert_eq!(last, seal, "what is sealed is not even at hand");
        }
    }
    assert_eq!(results(&one, &text), results(&other, &text));
    // One hour earlier it would show.
    let [one, other] = until(seal - Nanos::from_hours(1), hours as usize).map(|field| field.contest(&text).unwrap());
    assert_ne!(one.identity(&text), other.identity(&text));
}

#[test]
fn a_window_shows_nothing_of_what_came_after_it() {
    let begin = SyntheticMarket::new(9, HOUR).begin;
    // After two walks the markets differ: the first two train windows and the first test are the same.
    let [one, other] = until(begin + Nanos::from_hours(30 * 24), 2_400);
    let text = specification(1);
    let [one, other] = [one, other].map(|field| {
        let contest = field.contest(&text).unwrap();
        let results = results(&contest, &text);
        (contest, results)
    });
    let mut same = 0;
    for (run, twin) in one.0.runs.iter().zip(&other.0.runs) {
        let span = one.0.span(run);
        let (key, twin) = (one.0.key(run), other.0.key(twin));
        if span.to <= begin + Nanos::from_hours(30 * 24) {
            assert_eq!((key, one.1[&key]), (twin, other.1[&twin]), "{}", one.0.window_name(run));
            same += 1;
        } else {
            assert_ne!(key, twin, "{}", one.0.window_name(run));
        }
    }
    assert_eq!(same, 5 * 3, "of five variants two train windows and a test");
}

#[test]
fn rules_are_those_that_hold_in_the_window() {
    let mut field = Field::made_up(9, 1, 2_400);
    let rules = |from: &str, tick: &str| format!("[[instrument.rules]]\nfrom = {from}\ntick = {tick}\n");
    let first = rules("2020-01-15", "0.01")
        + "lot = 0.001\nmin_notional = 10\nmaker_fee = 0.001\ntaker_fee = 0.001\nmax_leverage = 1\n";
    let named = "[[instrument]]\nvenue = \"synthetic\"\nsymbol = \"SYN1-USD\"\nkind = \"spot\"\nbase = \"SYN1\"\nquote = \"USD\"\n";
    let text = named.to_owned() + &first + &rules("2020-02-05", "0.02") + &rules("2020-03-20", "0.05");
    field.instruments = Instruments::parse("rules", &text).unwrap();
    let text = specification(1);
    let contest = field.contest(&text).unwrap();
    let change = parse_date("2020-02-05").unwrap();
    for run in &contest.runs {
        let (simulation, _) = contest.scene(run);
        // Before anything is known, the first rules; those of the holdout never.
        let tick = if contest.span(run).to <= change { 0.01 } else { 0.02 };
        assert_eq!(simulation.market[0].instrument.tick, tick, "{}", contest.window_name(run));
    }
}

#[test]
fn the_seal_is_before_the_end_of_the_series_that_ends_first() {
    let field = Field::new();
    let market = SyntheticMarket::new(9, HOUR);
    for (at, hours) in [(0, 3_000), (1, 2_400)] {
        field.keep(&market.key(at).unwrap(), &market.bars(at, hours), &Origin::default());
    }
    let end = market.begin + Nanos::from_hours(2_400);
    let contest = field.contest(&specification(2)).unwrap();
    assert_eq!(contest.sealed_from, Some(tiltyard_market::months_before(end, 1)));
    assert!(contest.runs.iter().all(|run| contest.span(run).to <= contest.sealed_from.unwrap()));
}

#[test]
fn tests_follow_their_train_windows_and_each_other() {
    let field = Field::made_up(9, 1, 2_400);
    let embargo = "[windows]\nkind = \"anchored\"\ntrain_days = 15\ntest_days = 7\nstep_days = 9\nembargo_days = 1";
    let contest = field.contest(&(made_up(1, embargo) + &strategy("ma-cross", ""))).unwrap();
    assert!(contest.splits.len() > 3);
    for split in &contest.splits {
        let train = split.train.unwrap();
        assert!(train.to + Nanos::from_hours(24) == split.test.from && train.from < train.to);
    }
    assert!(contest.splits.windows(2).all(|pair| pair[0].test.to <= pair[1].test.from));
    for run in &contest.runs {
        let (simulation, _) = contest.scene(run);
        let lane = simulation.market[0].lane(&simulation.window);
        let closes = |at: usize| Nanos(lane.bars.open_time()[at]) + lane.interval;
        let span = contest.span(run);
        assert!(span.from < closes(lane.from) && closes(lane.to - 1) <= span.to);
    }
}
