use std::sync::Arc;

use askama::Template;
use serde_json::Value as Json;
use tiltyard_engine::{Metrics, OpenRow, TradeRow};
use tiltyard_model::{Columns, Nanos};

use crate::charts::{self, Chart};
use crate::error::ReportError;
use crate::figures::{self, FigureRow};
use crate::format::{NONE, amount, count, exact, percent, ratio, time, time_of_milliseconds};
use crate::monthly::MonthlyReturns;
use crate::page::Page;
use crate::text::{self, name, prose};
use crate::thin::Ends;

/// Instruments that get a chart.
const CHARTS: usize = 8;
/// Trades from either end of the list that are in the table.
const TRADES: usize = 100;
/// Parameters, rules, open positions from either end that are in theirs.
const ROWS: usize = 100;

/// What a report of one run is made of.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The report's title.
    pub title: String,
    /// The strategy's name.
    pub strategy: String,
    /// The strategy's version.
    pub version: String,
    /// Parameters and their values.
    pub parameters: Vec<(String, String)>,
    /// What the strategy says that it tests.
    pub hypothesis: Option<String>,
    /// The market, as far as the run saw it.
    pub instruments: Vec<InstrumentBars>,
    /// Whether the market was made up. The report says so at its top.
    pub synthetic: bool,
    /// From when to when, in words.
    pub window: String,
    /// The profile of fill rules.
    pub profile: String,
    /// The profile of risk.
    pub risk: String,
    /// What trading cost, in words.
    pub costs: String,
    /// Everything the results follow from.
    pub manifest: Json,
    /// Equity after each instant, oldest first, in settlement currency. It began with [`Metrics::initial_equity`].
    pub equity: Vec<(Nanos, f64)>,
    /// Round trips, in the order of closing.
    pub trades: Vec<TradeRow>,
    /// What was still held at the end.
    pub open: Vec<OpenRow>,
    /// How the strategy did.
    pub metrics: Metrics,
    /// How the strategy stopped, if not well.
    pub fault: Option<String>,
    /// Which limit ended the run early, if one did.
    pub halted: Option<String>,
    /// How often which rule of risk was broken; a request may have broken several.
    pub violations: Vec<(String, u64)>,
}

/// The bars of an instrument that a run saw.
#[derive(Debug, Clone)]
pub struct InstrumentBars {
    /// The symbol, as trades name it.
    pub symbol: String,
    /// The bars within the run's window.
    pub bars: Arc<Columns>,
    /// The length of a bar.
    pub interval: Nanos,
}

impl RunReport {
    /// The report as one file of HTML.
    ///
    /// # Errors
    /// [`ReportError::NotInOrder`] if the equity or an instrument's bars go back in time.
    pub fn to_html(&self) -> Result<String, ReportError> {
        in_order("the equity", self.equity.iter().map(|(time, _)| time.0))?;
        for instrument in &self.instruments {
            let series = format!("the series of {}", name(&instrument.symbol));
            in_order(&series, instrument.bars.open_time().iter().copied())?;
        }
        let page = RunPage::of(self);
        Ok(page.render().expect("writing to a String does not fail, and the templates raise no errors"))
    }
}

/// Refuses a series that goes back in time.
pub(crate) fn in_order(series: &str, times: impl Iterator<Item = i64>) -> Result<(), ReportError> {
    let mut before = i64::MIN;
    for (at, time) in times.enumerate() {
        if time < before {
            return Err(ReportError::NotInOrder { series: series.to_owned(), at });
        }
        before = time;
    }
    Ok(())
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    page: Page,
    strategy: String,
    version: String,
    hypothesis: Option<String>,
    fault: Option<String>,
    halted: Option<String>,
    facts: Vec<(&'static str, String)>,
    highlights: Vec<(&'static str, String)>,
    parameters: Ends<(String, String)>,
    charts: Vec<Chart>,
    /// What is missing from the charts.
    notes: Vec<String>,
    monthly: MonthlyReturns,
    convention: String,
    figures: Vec<FigureRow>,
    trade_count: String,
    trades: Ends<[Field; 15]>,
    open: Ends<[Field; 7]>,
    violations: Ends<(String, String)>,
    manifest: String,
}

/// A cell of a table.
struct Field {
    text: String,
    /// Whether it is a number, which stands at the right.
    number: bool,
}

impl RunPage {
    fn of(report: &RunReport) -> Self {
        let metrics = &report.metrics;
        let mut charts = Vec::new();
        let mut notes = Vec::new();
        if report.equity.is_empty() {
            notes.push("There is no equity to draw: the run has no instant.".to_owned());
        } else {
            charts.push(charts::equity_and_drawdown(metrics.initial_equity, &report.equity));
        }
        let gaps = report.equity.iter().filter(|(_, value)| !value.is_finite()).count();
        if gaps > 0 {
            notes.push(format!("{} values of the equity are no numbers; they are gaps here.", count(gaps as u64)));
        }
        let traded = report.instruments.iter().filter(|instrument| !instrument.bars.is_empty());
        charts.extend(traded.take(CHARTS).map(|bars| charts::price(bars, &report.trades, &report.open)));
        if report.instruments.len() > CHARTS {
            let all = count(report.instruments.len() as u64);
            notes.push(format!("Of {all} instruments, the first {CHARTS} have a chart."));
        }
        Self {
            page: Page::new(&report.title, report.synthetic),
            strategy: name(&report.strategy),
            version: name(&report.version),
            hypothesis: report.hypothesis.as_deref().map(prose),
            fault: report.fault.as_deref().map(prose),
            halted: report.halted.as_deref().map(prose),
            facts: facts(report),
            highlights: highlights(metrics),
            parameters: Ends::of(&report.parameters, ROWS, |(key, value)| (name(key), name(value))),
            charts,
            notes,
            monthly: MonthlyReturns::of(metrics.initial_equity, &report.equity),
            convention: figures::convention(metrics),
            figures: figures::rows(metrics),
            trade_count: count(report.trades.len() as u64),
            trades: Ends::of(&report.trades, TRADES, trade),
            open: Ends::of(&report.open, ROWS, open_position),
            violations: Ends::of(&report.violations, ROWS, |(rule, times)| (name(rule), count(*times))),
            manifest: text::document(&report.manifest),
        }
    }
}

/// What was run on what.
fn facts(report: &RunReport) -> Vec<(&'static str, String)> {
    let symbols: Vec<String> = report.instruments.iter().take(CHARTS).map(|bars| name(&bars.symbol)).collect();
    let more = report.instruments.len() - symbols.len();
    let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
    let ends = report.equity.first().zip(report.equity.last());
    vec![
        ("Instruments", symbols.join(", ") + &more),
        ("Window", name(&report.window)),
        (
            "Instants",
            ends.map_or_else(
                || "none".to_owned(),
                |(first, last)| {
                    format!("{}, {} to {} UTC", count(report.equity.len() as u64), time(first.0), time(last.0))
                },
            ),
        ),
        ("Fills", name(&report.profile)),
        ("Costs", name(&report.costs)),
        ("Risk", name(&report.risk)),
    ]
}

/// What people ask first.
fn highlights(metrics: &Metrics) -> Vec<(&'static str, String)> {
    vec![
        ("Total return", percent(metrics.total_return)),
        ("Sharpe", ratio(metrics.sharpe)),
        ("Max drawdown", percent(metrics.max_drawdown)),
        ("Trades", count(metrics.trades)),
        ("Violations", count(metrics.violations)),
    ]
}

fn word(text: &str) -> Field {
    Field { text: name(text), number: false }
}

fn number(text: String) -> Field {
    Field { text, number: true }
}

fn trade(trade: &TradeRow) -> [Field; 15] {
    let price = |value: f64| number(exact(Some(value)));
    let money = |value: f64| number(amount(Some(value)));
    [
        word(&trade.symbol),
        word(trade.side),
        price(trade.quantity),
        word(&time_of_milliseconds(trade.entry_time)),
        price(trade.entry_price),
        word(&time_of_milliseconds(trade.exit_time)),
        price(trade.exit_price),
        money(trade.pnl_net),
        money(trade.pnl_gross),
        money(trade.fees),
        money(trade.funding),
        number(count(trade.bars_held)),
        number(percent(Some(trade.mae))),
        number(percent(Some(trade.mfe))),
        word(&trade.exit_reason),
    ]
}

fn open_position(row: &OpenRow) -> [Field; 7] {
    [
        word(&row.symbol),
        word(row.side),
        number(exact(Some(row.quantity))),
        word(&time_of_milliseconds(row.entry_time)),
        number(exact(Some(row.entry_price))),
        number(row.mark_price.map_or_else(|| NONE.to_owned(), |price| exact(Some(price)))),
        number(amount(Some(row.fees))),
    ]
}
