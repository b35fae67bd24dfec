use askama::Template;
use tiltyard_model::Nanos;

use crate::charts::{self, Chart};
use crate::error::ReportError;
use crate::format::count;
use crate::leaderboard::Candidate;
use crate::page::Page;
use crate::run::in_order;
use crate::text::{name, prose};
use crate::thin::Ends;

/// Rows of the leaderboard.
const LEADERS: usize = 500;
/// Lines of a chart.
const LINES: usize = 8;
/// Heat maps.
const MAPS: usize = 8;
/// Values of a parameter in a heat map.
const CELLS: usize = 100;
/// Facts and kinds of faults from either end.
const ROWS: usize = 100;

/// What a report of a tournament is made of.
#[derive(Debug, Clone, Default)]
pub struct TournamentReport {
    /// The report's title.
    pub title: String,
    /// Whether the market was made up. The report says so at its top.
    pub synthetic: bool,
    /// What came of it, in a sentence: who deserves promotion, or that nobody does.
    pub sentence: String,
    /// What was run on what: names and values.
    pub facts: Vec<(String, String)>,
    /// The leaderboard, best first.
    pub rows: Vec<LeaderRow>,
    /// Trials that the deflated Sharpe ratio was corrected for.
    pub trials: u64,
    /// One figure over two parameters, for each strategy that has two.
    pub heat_maps: Vec<HeatMap>,
    /// The race, if more than one window was run.
    pub standings: Option<Standings>,
    /// Equity of the top few, oldest first, in settlement currency.
    pub equity: Vec<(String, Vec<(Nanos, f64)>)>,
    /// How many candidates stopped, by kind of fault.
    pub faults: Vec<(String, u64)>,
}

/// A candidate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeaderRow {
    /// Its place, from 1; none if its score is undefined.
    pub rank: Option<u64>,
    /// The strategy's name.
    pub strategy: String,
    /// What makes it a variant.
    pub parameters: Vec<(String, String)>,
    /// How it did.
    pub figures: LeaderFigures,
    /// What is to become of it.
    pub verdict: String,
    /// How it stopped, if not well.
    pub fault: Option<String>,
}

/// How a candidate did; what is undefined is absent. Returns, drawdowns and rates are fractions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeaderFigures {
    /// What the leaderboard is sorted by.
    pub score: Option<f64>,
    /// Growth of the equity.
    pub total_return: Option<f64>,
    /// Sharpe ratio of a year.
    pub sharpe: Option<f64>,
    /// Lower and upper end of the Sharpe ratio's interval.
    pub sharpe_interval: Option<(f64, f64)>,
    /// Probability that the Sharpe ratio is above what the best of as many trials without skill would show.
    pub deflated_sharpe: Option<f64>,
    /// Sortino ratio of a year.
    pub sortino: Option<f64>,
    /// Annual return ÷ |max drawdown|.
    pub calmar: Option<f64>,
    /// Deepest fall, negative or 0.
    pub max_drawdown: Option<f64>,
    /// Round trips with a profit ÷ those with a profit or a loss.
    pub hit_rate: Option<f64>,
    /// Mean time from entry to exit, in hours.
    pub average_holding_hours: Option<f64>,
    /// Round trips a week.
    pub trades_per_week: Option<f64>,
    /// Requests that broke a rule of risk.
    pub violations: u64,
    /// How often which rule was broken.
    pub broken: Vec<(String, u64)>,
    /// Refused requests and rejected orders ÷ all.
    pub reject_rate: Option<f64>,
    /// Fuel ÷ bars.
    pub fuel_per_bar: Option<f64>,
}

/// One figure over two parameters of a strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeatMap {
    /// The strategy's name.
    pub strategy: String,
    /// The figure's name.
    pub figure: String,
    /// The parameter from left to right.
    pub x: String,
    /// The parameter from bottom to top.
    pub y: String,
    /// Values of `x`, in order.
    pub xs: Vec<String>,
    /// Values of `y`, in order.
    pub ys: Vec<String>,
    /// A row for each of `ys`, in it a value for each of `xs`; absent where there is none.
    pub values: Vec<Vec<Option<f64>>>,
}

/// How candidates stood after each window or day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standings {
    /// What the values are.
    pub standing: Standing,
    /// Names of the windows or days, in order.
    pub windows: Vec<String>,
    /// The candidates.
    pub series: Vec<StandingSeries>,
}

/// What a value of [`Standings`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// A place, from 1.
    #[default]
    Rank,
    /// A score.
    Score,
}

/// How one candidate stood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StandingSeries {
    /// Its name.
    pub label: String,
    /// A value for each window; absent where it was not ranked.
    pub values: Vec<Option<f64>>,
}

impl TournamentReport {
    /// The report as one file of HTML.
    ///
    /// # Errors
    /// [`ReportError::NotInOrder`] if an equity goes back in time; [`ReportError::Shape`] if the values of a heat map or of the
    /// standings are not as many as their places.
    pub fn to_html(&self) -> Result<String, ReportError> {
        for (label, equity) in &self.equity {
            in_order(&format!("the equity of {}", name(label)), equity.iter().map(|(time, _)| time.0))?;
        }
        self.heat_maps.iter().try_for_each(HeatMap::check)?;
        self.standings.iter().try_for_each(Standings::check)?;
        let page = TournamentPage::of(self);
        Ok(page.render().expect("writing to a String does not fail, and the templates raise no errors"))
    }
}

impl HeatMap {
    fn check(&self) -> Result<(), ReportError> {
        let what = |what: &str| format!("{what} of the heat map of {}", name(&self.strategy));
        fits(|| what("the rows"), self.values.len(), self.ys.len(), "value of y")?;
        self.values.iter().try_for_each(|row| fits(|| what("a row"), row.len(), self.xs.len(), "value of x"))
    }

    /// The corner of it that a chart has room for, if that is not all.
    fn cut(&self) -> Option<Self> {
        (self.xs.len() > CELLS || self.ys.len() > CELLS).then(|| Self {
            xs: self.xs.iter().take(CELLS).cloned().collect(),
            ys: self.ys.iter().take(CELLS).cloned().collect(),
            values: self.values.iter().take(CELLS).map(|row| row.iter().take(CELLS).copied().collect()).collect(),
            ..self.clone()
        })
    }
}

impl Standings {
    fn check(&self) -> Result<(), ReportError> {
        let what = |series: &StandingSeries| format!("the standing of {}", name(&series.label));
        self.series
            .iter()
            .try_for_each(|series| fits(|| what(series), series.values.len(), self.windows.len(), "window"))
    }
}

fn fits(what: impl Fn() -> String, have: usize, need: usize, each: &'static str) -> Result<(), ReportError> {
    if have == need { Ok(()) } else { Err(ReportError::Shape { what: what(), have, need, each }) }
}

#[derive(Template)]
#[template(path = "tournament.html")]
struct TournamentPage {
    page: Page,
    sentence: String,
    facts: Ends<(String, String)>,
    trials: String,
    candidates: String,
    hidden: Option<String>,
    rows: Vec<Candidate>,
    charts: Vec<Chart>,
    /// What is missing from the charts.
    notes: Vec<String>,
    faults: Ends<(String, String)>,
}

impl TournamentPage {
    fn of(report: &TournamentReport) -> Self {
        let mut charts = Vec::new();
        let mut notes = Vec::new();
        let mut bounded = |what: &str, have: usize, limit: usize| {
            if have > limit {
                notes.push(format!("Of {} {what}, the first {limit} are drawn.", count(have as u64)));
            }
        };
        let leaders = &report.equity[..report.equity.len().min(LINES)];
        if !leaders.is_empty() {
            charts.push(charts::equity_of_leaders(leaders));
        }
        bounded("leaders", report.equity.len(), LINES);
        if let Some(standings) = report.standings.as_ref().filter(|standings| !standings.windows.is_empty()) {
            let series = standings.series.iter().take(LINES).cloned().collect();
            charts.push(charts::standings(&Standings { series, ..standings.clone() }));
            bounded("candidates in the standings", standings.series.len(), LINES);
        }
        for map in report.heat_maps.iter().take(MAPS) {
            charts.push(charts::heat_map(map.cut().as_ref().unwrap_or(map)));
            bounded(&format!("values of {}", name(&map.x)), map.xs.len(), CELLS);
            bounded(&format!("values of {}", name(&map.y)), map.ys.len(), CELLS);
        }
        bounded("heat maps", report.heat_maps.len(), MAPS);
        Self {
            page: Page::new(&report.title, report.synthetic),
            sentence: prose(&report.sentence),
            facts: Ends::of(&report.facts, ROWS, |(key, value)| (name(key), name(value))),
            trials: count(report.trials),
            candidates: count(report.rows.len() as u64),
            hidden: (report.rows.len() > LEADERS).then(|| count((report.rows.len() - LEADERS) as u64)),
            rows: report.rows.iter().take(LEADERS).map(Candidate::of).collect(),
            charts,
            notes,
            faults: Ends::of(&report.faults, ROWS, |(kind, times)| (name(kind), count(*times))),
        }
    }
}
