//! Every figure agrees with quantstats and empyrical to 1e-9, on the series of `reference/series.json`.
//! `reference/series.py` wrote them; its notes say where the libraries differ.
#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::Value;
use tiltyard_stats::{
    Figure, SharpeEvidence, annual_return, calmar, hit_rate, luck, max_drawdown, max_drawdown_length, mean,
    profit_factor, sharpe, sortino, standard_deviation, total_return, volatility,
};

const FIGURES: [&str; 12] = [
    "mean",
    "standard_deviation",
    "total_return",
    "annual_return",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "max_drawdown_length",
    "calmar",
    "profit_factor",
    "hit_rate",
];

struct Series {
    name: String,
    periods_per_year: f64,
    returns: Vec<f64>,
    expected: Value,
}

impl Series {
    fn figure(&self, name: &str) -> Figure {
        let (returns, periods) = (self.returns.as_slice(), self.periods_per_year);
        match name {
            "mean" => mean(returns),
            "standard_deviation" => standard_deviation(returns),
            "total_return" => total_return(returns),
            "annual_return" => annual_return(returns, periods),
            "volatility" => volatility(returns, periods),
            "sharpe" => sharpe(returns, periods),
            "sortino" => sortino(returns, periods),
            "max_drawdown" => max_drawdown(returns),
            "max_drawdown_length" => max_drawdown_length(returns).map(|length| length as f64),
            "calmar" => calmar(returns, periods),
            "profit_factor" => profit_factor(returns),
            "hit_rate" => hit_rate(returns),
            _ => panic!("no figure is called {name}"),
        }
    }
}

fn reference() -> Vec<Series> {
    let file: Value = serde_json::from_str(include_str!("reference/series.json")).unwrap();
    let series = file["series"].as_array().unwrap().iter();
    series
        .map(|series| Series {
            name: series["name"].as_str().unwrap().to_owned(),
            periods_per_year: series["periods_per_year"].as_f64().unwrap(),
            returns: series["returns"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect(),
            expected: series["expected"].clone(),
        })
        .collect()
}

/// Within 1e-9, relative to what exceeds 1.
fn close(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)
}

#[test]
fn every_figure_agrees_with_every_library_that_has_it() {
    let series = reference();
    assert!(series.len() >= 7);
    for series in series {
        assert_eq!(series.expected.as_object().unwrap().len(), FIGURES.len());
        for name in FIGURES {
            let ours = series.figure(name).unwrap();
            let libraries = series.expected[name].as_object().unwrap();
            assert!(!libraries.is_empty());
            for (library, theirs) in libraries {
                let theirs = theirs.as_f64().unwrap();
                assert!(close(ours, theirs), "{name} of {}: {ours}, but {library} says {theirs}", series.name);
            }
        }
    }
}

#[test]
fn series_a_has_the_figures_it_is_known_for() {
    let a = reference().into_iter().find(|series| series.name == "A").unwrap();
    assert_eq!(a.returns[0], 0.000_512_301_533_574_825_8);
    for (name, known) in [
        ("sharpe", -0.375_537_152_815),
        ("sortino", -0.523_123_438_63),
        ("max_drawdown", -0.455_854_426_50),
        ("calmar", -0.142_819_435_57),
        ("hit_rate", 0.484),
        ("profit_factor", 0.941_564_834_43),
    ] {
        let ours = a.figure(name).unwrap();
        assert!(close(ours, known), "{name}: {ours} is not {known}");
    }
}

/// The convention that skfolio 1.12.2 shares: deviation with ddof 1, biased moments.
#[test]
fn probabilistic_and_deflated_sharpe_agree_with_skfolio() {
    let all = reference();
    let a = all.iter().find(|series| series.name == "A").unwrap();
    let evidence = SharpeEvidence::of(&a.returns).unwrap();
    assert!((evidence.probabilistic(0.0).unwrap() - 0.227_383_648_49).abs() < 1e-9);
    // Trials at `linspace(-0.02, 0.04, 20)`, whose plain variance that library takes.
    let trials: Vec<f64> = (0..20).map(|at| -0.02 + 0.06 * f64::from(at) / 19.0).collect();
    let variance = standard_deviation(&trials).unwrap().powi(2);
    assert!((luck(variance, 20).unwrap() - 0.035_509_704_9).abs() < 1e-9);
    assert!((evidence.deflated(variance, 20).unwrap() - 0.030_775_932_6).abs() < 1e-9);
}
