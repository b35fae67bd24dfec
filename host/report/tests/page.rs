//! What the reports say, and what they keep from saying.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::Arc;

use common::{BEGIN, HOUR, equity, nothing, pairs, run, text, tournament, trade};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use tiltyard_engine::{Metrics, OpenRow};
use tiltyard_model::{Bar, Columns, Nanos};
use tiltyard_report::{
    HeatMap, InstrumentBars, LeaderRow, MAX_BYTES, ReportError, RunReport, Standings, TournamentReport,
};

/// What a stranger might call something.
const HOSTILE: &str = "</script><script>document.documentElement.dataset.hostile='ran'</script>\
    <img src=x onerror=alert(1)>\"'&<!--{{7*7}}\u{202e}\u{1b}[31m<a href='https://example.org'>%{x}";

/// The data of all charts of a page, which must be JSON.
fn figures(html: &str) -> Vec<Json> {
    let blocks = html.split("<script type=\"application/json\">").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("</script>").next().unwrap()).unwrap()).collect()
}

fn hostile_run() -> RunReport {
    let hostile = || HOSTILE.to_owned();
    let ordinary = run(200);
    RunReport {
        title: hostile(),
        strategy: hostile(),
        version: hostile(),
        parameters: pairs(&[(HOSTILE, HOSTILE)]),
        hypothesis: Some(hostile()),
        instruments: vec![InstrumentBars { symbol: hostile(), ..ordinary.instruments[0].clone() }],
        window: hostile(),
        profile: hostile(),
        risk: hostile(),
        costs: hostile(),
        manifest: json!({HOSTILE: [HOSTILE]}),
        trades: vec![tiltyard_engine::TradeRow { exit_reason: hostile(), ..trade(HOSTILE, 10) }],
        open: vec![common::open(HOSTILE)],
        metrics: Metrics { undefined: [("calmar".to_owned(), hostile())].into(), ..ordinary.metrics.clone() },
        fault: Some(hostile()),
        halted: Some(hostile()),
        violations: vec![(hostile(), 1)],
        ..ordinary
    }
}

fn hostile_tournament() -> TournamentReport {
    let hostile = || HOSTILE.to_owned();
    let mut report = tournament();
    report.title = hostile();
    report.sentence = hostile();
    report.facts = pairs(&[(HOSTILE, HOSTILE)]);
    for row in &mut report.rows {
        *row = LeaderRow {
            strategy: hostile(),
            parameters: pairs(&[(HOSTILE, HOSTILE)]),
            verdict: hostile(),
            fault: Some(hostile()),
            ..row.clone()
        };
    }
    report.heat_maps[0] = HeatMap {
        strategy: hostile(),
        figure: hostile(),
        x: hostile(),
        y: hostile(),
        xs: vec![hostile(); 3],
        ys: vec![hostile(); 2],
        ..report.heat_maps[0].clone()
    };
    let standings = report.standings.as_mut().unwrap();
    standings.windows = vec![hostile(); 3];
    standings.series.iter_mut().for_each(|series| series.label = hostile());
    report.equity.iter_mut().for_each(|(label, _)| *label = hostile());
    report.faults = vec![(hostile(), 1)];
    report
}

#[test]
fn no_field_of_a_stranger_is_markup() {
    let pages = [
        (hostile_run().to_html().unwrap(), run(200).to_html().unwrap()),
        (hostile_tournament().to_html().unwrap(), tournament().to_html().unwrap()),
    ];
    for (hostile, ordinary) in pages {
        // As many elements of each kind as with harmless names.
        for element in ["<script", "</script", "<img", "<a ", "<!--"] {
            assert_eq!(hostile.matches(element).count(), ordinary.matches(element).count(), "{element}");
        }
        let shown = text(&hostile);
        assert!(!shown.contains(['\u{202e}', '\u{1b}']) && shown.contains("&#60;img src=x"));
        // Charts read a little markup of their own.
        for figure in figures(&hostile) {
            let figure = figure.to_string();
            assert!(!figure.contains("<a ") && !figure.contains("<img"), "{figure}");
        }
    }
}

#[test]
fn the_policy_names_two_scripts_and_lets_nothing_be_loaded() {
    for html in [run(100).to_html().unwrap(), tournament().to_html().unwrap()] {
        let policy = html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        let policy = policy.replace("&#39;", "'");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
        assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
        let shown = text(&html);
        assert!(!shown.contains("src=") && !shown.contains("href="), "a page that refers to another");
    }
}

#[test]
fn the_same_values_give_the_same_bytes() {
    assert!(run(5_000).to_html().unwrap() == run(5_000).to_html().unwrap());
    assert!(tournament().to_html().unwrap() == tournament().to_html().unwrap());
}

#[test]
fn a_made_up_market_is_said_to_be_one() {
    let labels = |html: String| text(&html).matches("SYNTHETIC").count();
    assert_eq!(labels(run(10).to_html().unwrap()), 2);
    assert_eq!(labels(RunReport { synthetic: false, ..run(10) }.to_html().unwrap()), 0);
    assert_eq!(labels(tournament().to_html().unwrap()), 2);
    assert_eq!(labels(TournamentReport { synthetic: false, ..tournament() }.to_html().unwrap()), 0);
}

#[test]
fn nothing_makes_a_report_that_says_so() {
    let html = text(&nothing().to_html().unwrap());
    for sentence in [
        "the run has no instant",
        "no position was opened and closed",
        "No rule of risk was broken",
        "Parameters: none",
        "undefined: there is no drawdown to compare with",
    ] {
        assert!(html.contains(sentence), "{sentence}");
    }
    let html = text(&TournamentReport::default().to_html().unwrap());
    for sentence in ["nobody took part", "No candidate stopped"] {
        assert!(html.contains(sentence), "{sentence}");
    }
}

#[test]
fn numbers_that_are_none_are_gaps_and_dashes() {
    let mut report = run(300);
    for (at, value) in [(10, f64::NAN), (20, f64::INFINITY), (30, f64::NEG_INFINITY)] {
        report.equity[at].1 = value;
    }
    let broken = Bar {
        open_time: Nanos(BEGIN + 300 * HOUR),
        open: f64::NAN,
        high: f64::INFINITY,
        low: f64::NEG_INFINITY,
        close: f64::NAN,
        volume: f64::NAN,
    };
    let bars: Columns = report.instruments[0].bars.iter().chain([broken]).collect();
    report.instruments[0].bars = Arc::new(bars);
    report.trades[0].entry_price = f64::NAN;
    report.trades[0].pnl_net = f64::INFINITY;
    report.open[0] = OpenRow { entry_price: f64::NAN, mark_price: Some(f64::INFINITY), ..report.open[0].clone() };
    report.metrics.sharpe = Some(f64::NAN);
    report.metrics.initial_equity = f64::INFINITY;
    let html = report.to_html().unwrap();
    let shown = text(&html);
    // Figures are JSON, which has no such numbers; what is read has none either.
    assert_eq!(figures(&html).len(), 2);
    assert!(!shown.contains("NaN") && !shown.contains(">inf") && !shown.contains(">-inf"));
    assert!(shown.contains("3 values of the equity are no numbers") && shown.contains("not a finite number"));

    let mut report = tournament();
    report.rows[0].figures.sharpe = Some(f64::NAN);
    report.rows[0].figures.score = Some(f64::INFINITY);
    report.rows[1].figures.sharpe_interval = Some((f64::NEG_INFINITY, f64::NAN));
    report.heat_maps[0].values[0][0] = Some(f64::NAN);
    report.standings.as_mut().unwrap().series[0].values[0] = Some(f64::INFINITY);
    report.equity[0].1[0].1 = f64::NAN;
    let html = report.to_html().unwrap();
    assert_eq!(figures(&html).len(), 3);
    assert!(!text(&html).contains("NaN") && !text(&html).contains("inf)"));
}

#[test]
fn four_years_of_hours_are_thinned_and_say_so() {
    let html = run(35_040).to_html().unwrap();
    assert!(html.len() < 6_000_000, "{}", html.len());
    let shown = text(&html);
    assert!(shown.contains("Thinned from 35,040 points"));
    assert!(shown.contains("Thinned from 35,040 bars of 1 h: each candle is 24 consecutive bars."));
    assert!(shown.contains("Of 687 trades, the 500 with the largest profit or loss are marked."));
    assert!(shown.contains("487 more are not shown"));
}

#[test]
fn the_worst_that_can_be_handed_in_stays_within_the_bound() {
    let long = "<&\u{202e}".repeat(5_000);
    let many = |count: usize| vec![(long.clone(), long.clone()); count];
    let mut report = run(20_000);
    let instrument = report.instruments[0].clone();
    report = RunReport {
        title: long.clone(),
        hypothesis: Some(long.clone()),
        fault: Some(long.clone()),
        halted: Some(long.clone()),
        window: long.clone(),
        parameters: many(300),
        violations: vec![(long.clone(), u64::MAX); 300],
        instruments: vec![InstrumentBars { symbol: long.clone(), ..instrument }; 50],
        trades: (0..1_000)
            .map(|at| tiltyard_engine::TradeRow { exit_reason: long.clone(), ..trade(&long, at) })
            .collect(),
        open: vec![common::open(&long); 500],
        manifest: json!(vec![long.clone(); 20]),
        equity: equity(20_000),
        ..report
    };
    let html = report.to_html().unwrap();
    assert!(html.len() < MAX_BYTES, "a run of {} bytes", html.len());

    let mut report = tournament();
    let row = LeaderRow {
        strategy: long.clone(),
        parameters: many(2),
        verdict: long.clone(),
        fault: Some(long.clone()),
        ..report.rows[0].clone()
    };
    let map = HeatMap {
        xs: vec![long.clone(); 120],
        ys: vec![long.clone(); 120],
        values: vec![vec![Some(1.0 / 3.0); 120]; 120],
        ..report.heat_maps[0].clone()
    };
    report.rows = vec![row; 700];
    report.heat_maps = vec![map; 20];
    report.faults = vec![(long.clone(), 1); 500];
    report.facts = many(500);
    report.equity = vec![(long.clone(), equity(20_000)); 20];
    let standings = report.standings.as_mut().unwrap();
    standings.windows = vec!["w".to_owned(); 1_000];
    let series = tiltyard_report::StandingSeries { label: long.clone(), values: vec![Some(1.0); 1_000] };
    standings.series = vec![series; 100];
    let html = report.to_html().unwrap();
    assert!(html.len() < MAX_BYTES, "a tournament of {} bytes", html.len());
    let shown = text(&html);
    for note in ["200 candidates after these", "Of 20 heat maps, the first 8", "Thinned from 1,000 windows"] {
        assert!(shown.contains(note), "{note}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let mut report = run(10);
    report.equity.swap(3, 4);
    let refusal = report.to_html().unwrap_err();
    assert_eq!(refusal, ReportError::NotInOrder { series: "the equity".to_owned(), at: 4 });
    assert_eq!(refusal.to_string(), "the equity goes back in time at position 4; sort it by time, oldest first");

    let mut report = tournament();
    report.heat_maps[0].values[1].pop();
    assert_eq!(
        report.to_html().unwrap_err().to_string(),
        "a row of the heat map of ma-cross has 2 values where 3 are needed, one for each value of x"
    );
    let mut report = tournament();
    report.standings = Some(Standings { windows: vec![], ..report.standings.unwrap() });
    assert!(matches!(report.to_html(), Err(ReportError::Shape { have: 3, need: 0, .. })));
}

#[test]
fn what_a_run_says() {
    insta::assert_snapshot!(text(&run(60).to_html().unwrap()));
}

#[test]
fn what_a_tournament_says() {
    let mut report = tournament();
    report.equity.iter_mut().for_each(|(_, equity)| equity.truncate(3));
    insta::assert_snapshot!(text(&report.to_html().unwrap()));
}

#[test]
fn any_text_makes_a_page_of_the_same_elements() {
    let ordinary = tournament().to_html().unwrap().matches('<').count();
    // A page has megabytes: few cases, however many are asked for.
    let config = ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() };
    let law = |(word, axis): (String, String)| {
        let mut report = tournament();
        report.title.clone_from(&word);
        report.rows[0].strategy.clone_from(&word);
        report.equity[0].0 = word;
        report.heat_maps[0].x = axis;
        let html = report.to_html().unwrap();
        prop_assert_eq!(html.matches('<').count(), ordinary);
        prop_assert_eq!(figures(&html).len(), 3);
        Ok(())
    };
    TestRunner::new(config).run(&any::<(String, String)>(), law).unwrap();
}
