use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value as Json;
use tiltyard_engine::{Log, Metrics, Period};
use tiltyard_market::{Report, TapeReport};

use crate::print;
use crate::run::{MADE_UP, Ready, RunArgs, RunDocument, SavedRun, broken, plain, points, write_trades};
use crate::whole::{self, Existing};

/// Run a strategy over bars of the workspace or from files, or over recorded tapes, and say how it did.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard backtest ma-cross --symbol BTCUSDT --interval 1h\n  \
                  tiltyard backtest ma-cross --symbol SYN1-USD --venue synthetic --interval 1h --report run.html\n  tiltyard backtest my.wasm --symbol BTCUSDT --interval 1h --data btc.csv.gz\n  \
                  tiltyard backtest my.wasm --symbol BTCUSDT --interval 1h --data btc.csv --from 2024-01-01 --param fast=5 --json\n  \
                  tiltyard backtest my.wasm --symbol BTCUSDT --interval 1h --data btc.csv --save run.jsonl --trades trades.csv\n  \
                  tiltyard backtest market-maker --symbol BTCUSDT --tape btcusdt.gz --kind perpetual --leverage 5 --latency-ms 5")]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Play what Binance's streams published of each symbol, in the order of the symbols, instead of bars: recorded frames, one a line
    /// after the time of its receipt in nanoseconds, plain or gzipped. For strategies that are told of quotes or trades, such as the
    /// example market-maker. Orders fill by what was shown, so that no option of bars goes with it, --interval included.
    #[arg(
        long = "tape",
        value_name = "FILE",
        conflicts_with_all = [
            "data", "workspace", "interval", "from", "profile", "slippage_bps", "half_spread_bps", "impact_bps", "funding", "marks",
            "delist_at_end",
        ]
    )]
    tapes: Vec<PathBuf>,
    /// Write the trades to this CSV file.
    #[arg(long, value_name = "FILE.csv")]
    trades: Option<PathBuf>,
    /// Keep the run with every event in this file, for `tiltyard replay`.
    #[arg(long, value_name = "FILE.jsonl")]
    save: Option<PathBuf>,
    /// Write an HTML report of the run to this file: charts, figures, trades, and nothing that it would need a network for.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let request = args.run.request_on(&args.tapes)?;
    let ready = Ready::new(&request, args.run.cache.as_deref())?;
    let log = if args.save.is_some() { Log::keeping() } else { Log::digest_only() };
    let outcome = ready.run(log)?;
    let document = ready.document(&outcome)?;
    if let Some(path) = &args.trades {
        write_trades(path, &document.trades)?;
    }
    if let Some(path) = &args.save {
        SavedRun::write(path, &ready.request(), outcome.books.log().entries(), &document)?;
    }
    if let Some(path) = &args.report {
        let html = ready.report(&outcome, &document).to_html()?;
        whole::write(path, Existing::Replaced, |file| file.write_all(html.as_bytes()))?;
    }
    if args.json {
        print::out(&serde_json::to_string_pretty(&document)?);
    } else {
        print::out(&summary(&document));
    }
    Ok(if document.fault.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How a run went, for people.
fn summary(document: &RunDocument) -> String {
    let manifest = &document.manifest;
    let text = |at: &str| manifest.pointer(at).map(plain).unwrap_or_default();
    let mut lines: Vec<String> = document.is_synthetic().then(|| MADE_UP.to_owned()).into_iter().collect();
    let played = match &manifest["interval"] {
        Json::Null => format!("tapes of {}", symbols(manifest)),
        interval => format!("{} bars of {}", plain(interval), symbols(manifest)),
    };
    lines.push(format!(
        "{} {} on {played}, profile {}, risk {}, cash {:.2} {}",
        text("/strategy/name"),
        text("/strategy/version"),
        text("/profile/name"),
        text("/risk/name"),
        document.metrics.initial_equity,
        text("/settlement"),
    ));
    for instrument in manifest["instruments"].as_array().into_iter().flatten() {
        lines.push(format!(
            "  {}: {}, fee {}, tick {} and lot {} {}",
            plain(&instrument["instrument"]["symbol"]),
            data(instrument),
            plain(&instrument["instrument"]["taker_fee"]),
            plain(&instrument["instrument"]["tick"]),
            plain(&instrument["instrument"]["lot"]),
            plain(&instrument["rules"]),
        ));
        lines.extend(margined(instrument, &manifest["margin"]));
        lines.extend(report(&instrument["data"]));
    }
    lines.push(String::new());
    lines.push(figures(&document.metrics));
    if !manifest["margin"].is_null() {
        let liquidations = document.trades.iter().filter(|trade| trade.exit_reason == "liquidation").count();
        let Metrics { funding, interest, .. } = document.metrics;
        lines.push(format!(
            "Funding {funding:.2}. Interest {interest:.2}. Trades that ended in liquidation: {liquidations}."
        ));
    }
    if !document.metrics.broken.is_empty() {
        lines.push(format!("Rules broken: {}.", broken(&document.metrics)));
    }
    lines.push(String::new());
    if let Some(fault) = &document.fault {
        lines.push(format!("FAULT: {fault}"));
    }
    if let Some(cause) = &document.halted {
        lines.push(format!("HALTED: {cause}; the run ended there"));
    }
    lines.push(format!("result {}", text("/result")));
    lines.join("\n")
}

/// On what margin an instrument was held, and what there was of marks, funding and interest.
fn margined(instrument: &Json, margin: &Json) -> Option<String> {
    let rules = &instrument["instrument"];
    let leverage = if margin["leverage"].is_null() { &rules["max_leverage"] } else { &margin["leverage"] };
    let held = format!("{} margin, leverage {}", plain(&margin["mode"]), plain(leverage));
    if rules["kind"] == "spot_margin" {
        let rate = |currency: &str| points(rules["margin"]["borrowing"][currency].as_f64().unwrap_or_default());
        let (base, quote) = (rate("base"), rate("quote"));
        return Some(format!(
            "  spot on {held}; borrowed {} cost {base}, {} {quote} a day",
            plain(&rules["base"]),
            plain(&rules["quote"])
        ));
    }
    let given = instrument.get("perpetual")?;
    let series = |name: &str, count: &str, none: &str| {
        given.get(name).map_or(none.to_owned(), |series| format!("{} {name}", plain(&series[count])))
    };
    Some(format!(
        "  perpetual: {held}, {}, {}",
        series("marks", "bars", "marked to the last price"),
        series("funding", "payments", "no funding"),
    ))
}

fn symbols(manifest: &Json) -> String {
    let instruments = manifest["instruments"].as_array().into_iter().flatten();
    instruments.map(|instrument| plain(&instrument["instrument"]["symbol"])).collect::<Vec<_>>().join(", ")
}

/// What was played of an instrument's bars or tape.
fn data(instrument: &Json) -> String {
    let at = |path: &str| instrument.pointer(path).map(plain).unwrap_or_default();
    if instrument["data"]["from"] == "tape" {
        return format!(
            "{} to {}, {} quotes, {} trades and {} changes of depth played",
            at("/first_event"),
            at("/last_event"),
            at("/data/played/quotes"),
            at("/data/played/trades"),
            at("/data/played/depth"),
        );
    }
    format!("{} to {}, {} bars in the {}", at("/first_bar"), at("/last_bar"), at("/data/bars"), at("/data/from"))
}

/// What there is to say of an instrument's data.
fn report(data: &Json) -> Option<String> {
    let report = data["report"].clone();
    if data["from"] == "tape" {
        let report: TapeReport = serde_json::from_value(report).ok()?;
        return Some(format!("  tape: {report}"));
    }
    let report: Report = serde_json::from_value(report).ok()?;
    Some(report.to_string()).filter(|report| !report.is_empty()).map(|report| format!("  note: {report}"))
}

/// The figures as a table of two columns.
fn figures(metrics: &Metrics) -> String {
    let percent = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{:.2} %", value * 100.0));
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let convention = &metrics.returns;
    let rows = [
        ("final equity", number(Some(metrics.final_equity)), "trades", metrics.trades.to_string()),
        ("total return", percent(metrics.total_return), "hit rate", percent(metrics.hit_rate)),
        ("annual return", percent(metrics.annual_return), "profit factor", number(metrics.profit_factor)),
        ("volatility", percent(metrics.volatility), "expectancy", number(metrics.expectancy)),
        ("Sharpe", number(metrics.sharpe), "average win", number(metrics.average_win)),
        ("Sortino", number(metrics.sortino), "average loss", number(metrics.average_loss)),
        ("Calmar", number(metrics.calmar), "average holding", hours(metrics.average_holding_hours)),
        ("max drawdown", percent(metrics.max_drawdown), "exposure", percent(metrics.exposure)),
        (
            if convention.period == Period::PerSample { "at every sample" } else { "at every bar" },
            percent(metrics.max_drawdown_marked),
            "turnover",
            number(metrics.turnover),
        ),
        ("fees", number(Some(metrics.fees)), "fuel per bar", number(metrics.fuel_per_bar)),
        ("violations", metrics.violations.to_string(), "reject rate", percent(metrics.reject_rate)),
    ];
    let lines = rows.map(|(left, value, right, other)| format!("{left:<15} {value:>15}   {right:<16} {other:>14}"));
    let period = serde_json::to_value(convention.period).map(|period| plain(&period)).unwrap_or_default();
    let year = match convention.period {
        Period::PerSample => "too short a time to be stated for a year".to_owned(),
        Period::Daily | Period::PerBar => format!("{} a year", convention.periods_per_year),
    };
    format!("{}\n\nReturns are {}: {} of them, {year}.", lines.join("\n"), period.replace('_', " "), convention.count,)
}

fn hours(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.1} h"))
}
