//! Every value of every indicator agrees to 1e-9 with TA-Lib, or with pandas or NumPy where TA-Lib lacks it, from the
//! same first bar on. `reference/indicators.py` wrote the values; its notes say with which settings.
#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::Value;
use tiltyard_sdk::Bar;
use tiltyard_sdk::indicators::{
    Adx, Atr, Bollinger, DirectionalMovement, Donchian, Ema, Indicator, Macd, Obv, RollingMax, RollingMin, RollingStd,
    RollingVwap, Rsi, Sma, Stochastic, Vwap, Wma, ZScore,
};

/// Values by the names of the columns, one for every bar.
type Columns = Vec<(&'static str, Vec<Option<f64>>)>;

fn bars(table: &Value) -> Vec<Bar> {
    let column = |name: &str| -> Vec<f64> { serde_json::from_value(table[name].clone()).unwrap() };
    let [open, high, low, close, volume] = ["open", "high", "low", "close", "volume"].map(column);
    (0..close.len())
        .map(|i| Bar { open_time: 0, open: open[i], high: high[i], low: low[i], close: close[i], volume: volume[i] })
        .collect()
}

fn of_closes<V, const N: usize>(
    mut indicator: impl Indicator<f64, Value = V>,
    bars: &[Bar],
    columns: [&'static str; N],
    split: impl Fn(V) -> [f64; N],
) -> Columns {
    let values: Vec<_> = bars.iter().map(|bar| indicator.update(bar.close).map(&split)).collect();
    checked(indicator.warm_up(), &values, columns)
}

fn of_bars<V, const N: usize>(
    mut indicator: impl for<'a> Indicator<&'a Bar, Value = V>,
    bars: &[Bar],
    columns: [&'static str; N],
    split: impl Fn(V) -> [f64; N],
) -> Columns {
    let values: Vec<_> = bars.iter().map(|bar| indicator.update(bar).map(&split)).collect();
    checked(indicator.warm_up(), &values, columns)
}

fn checked<const N: usize>(warm_up: u32, values: &[Option<[f64; N]>], columns: [&'static str; N]) -> Columns {
    let first = values.iter().position(Option::is_some).unwrap();
    assert!(first + 1 >= warm_up as usize, "{columns:?} came at {first}, before the warm-up of {warm_up}");
    let column = |i: usize| values.iter().map(|value| value.map(|value| value[i])).collect();
    columns.into_iter().enumerate().map(|(i, name)| (name, column(i))).collect()
}

fn ours(indicator: &str, params: &[f64], bars: &[Bar]) -> Columns {
    let n = |i: usize| params[i] as u32;
    let one = |value: f64| [value];
    match indicator {
        "sma" => of_closes(Sma::new(n(0)), bars, ["value"], one),
        "ema" => of_closes(Ema::new(n(0)), bars, ["value"], one),
        "wma" => of_closes(Wma::new(n(0)), bars, ["value"], one),
        "macd" => of_closes(Macd::new(n(0), n(1), n(2)), bars, ["line", "signal", "histogram"], |value| {
            [value.line, value.signal, value.histogram]
        }),
        "rsi" => of_closes(Rsi::new(n(0)), bars, ["value"], one),
        "bollinger" => of_closes(Bollinger::new(n(0), params[1]), bars, ["upper", "middle", "lower"], |bands| {
            [bands.upper, bands.middle, bands.lower]
        }),
        "rolling_min" => of_closes(RollingMin::new(n(0)), bars, ["value"], one),
        "rolling_max" => of_closes(RollingMax::new(n(0)), bars, ["value"], one),
        "rolling_std" => of_closes(RollingStd::new(n(0)), bars, ["value"], one),
        "z_score" => of_closes(ZScore::new(n(0)), bars, ["value"], one),
        "atr" => of_bars(Atr::new(n(0)), bars, ["value"], one),
        "directional" => of_bars(DirectionalMovement::new(n(0)), bars, ["plus", "minus"], |di| [di.plus, di.minus]),
        "adx" => of_bars(Adx::new(n(0)), bars, ["value"], |value| [value.adx]),
        "stochastic_slow" => of_bars(Stochastic::slow(n(0), n(1), n(2)), bars, ["k", "d"], |value| [value.k, value.d]),
        "stochastic_fast" => of_bars(Stochastic::fast(n(0), n(1)), bars, ["k", "d"], |value| [value.k, value.d]),
        "donchian" => of_bars(Donchian::new(n(0)), bars, ["upper", "lower"], |channel| [channel.upper, channel.lower]),
        "vwap" => vec![("value", vwap_in_sessions(n(0) as usize, bars))],
        "rolling_vwap" => of_bars(RollingVwap::new(n(0)), bars, ["value"], one),
        "obv" => of_bars(Obv::new(), bars, ["value"], one),
        _ => panic!("no indicator is called {indicator}"),
    }
}

fn vwap_in_sessions(length: usize, bars: &[Bar]) -> Vec<Option<f64>> {
    let mut vwap = Vwap::new();
    let sessions = bars.chunks(length).flat_map(|session| {
        vwap.reset();
        session.iter().map(|bar| vwap.update(bar)).collect::<Vec<_>>()
    });
    sessions.collect()
}

/// Within 1e-9, relative to what exceeds 1; both there, or neither.
fn close(ours: Option<f64>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn every_value_agrees_with_the_reference() {
    let file: Value = serde_json::from_str(include_str!("reference/indicators.json")).unwrap();
    let mut compared = 0;
    for series in file["series"].as_array().unwrap() {
        let bars = bars(&series["bars"]);
        for expected in series["expected"].as_array().unwrap() {
            let name = expected["indicator"].as_str().unwrap();
            let params: Vec<f64> = serde_json::from_value(expected["params"].clone()).unwrap();
            let columns = ours(name, &params, &bars);
            assert_eq!(columns.len(), expected["values"].as_object().unwrap().len(), "columns of {name}");
            for (column, ours) in columns {
                let theirs: Vec<Option<f64>> = serde_json::from_value(expected["values"][column].clone()).unwrap();
                assert_eq!(ours.len(), theirs.len());
                for (i, (&ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                    assert!(
                        close(ours, theirs),
                        "{name}{params:?} {column} of series {} at bar {i}: {ours:?}, not {theirs:?} as {}",
                        series["name"],
                        expected["source"]
                    );
                    compared += usize::from(ours.is_some());
                }
            }
        }
    }
    assert!(compared > 14_000, "{compared} values compared");
}

#[test]
fn adx_tells_the_directional_indicators_that_it_stands_on() {
    let file: Value = serde_json::from_str(include_str!("reference/indicators.json")).unwrap();
    let (mut adx, mut movement) = (Adx::new(14), DirectionalMovement::new(14));
    for bar in bars(&file["series"][0]["bars"]) {
        let (adx, movement) = (adx.update(&bar), movement.update(&bar));
        if let Some(adx) = adx {
            let movement = movement.unwrap();
            assert_eq!((adx.plus_di, adx.minus_di), (movement.plus, movement.minus));
        }
    }
}
