use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tiltyard_model::Nanos;
use tiltyard_stats::{self as stats, Figure, SharpeEvidence};

use crate::books::Record;
use crate::course::{Course, DAY, changes};
use crate::report::is_none;

/// How a strategy did. Formulas follow quantstats and empyrical, as documented in [`tiltyard_stats`]; a figure that is
/// not defined is absent, and [`Metrics::undefined`] says why.
///
/// Amounts are in settlement currency, returns and drawdowns fractions of equity: 0.01 is one percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// What the strategy began with.
    pub initial_equity: f64,
    /// Cash plus holdings at the last marks.
    pub final_equity: f64,
    /// Growth of the equity over the run.
    pub total_return: Option<f64>,
    /// Growth a year: (1 + total)^(periods a year ÷ periods) − 1.
    pub annual_return: Option<f64>,
    /// Standard deviation of returns (ddof 1), a year.
    pub volatility: Option<f64>,
    /// Mean return ÷ standard deviation (ddof 1), a year, without a risk-free rate.
    pub sharpe: Option<f64>,
    /// Third standardised moment of the returns, biased: negative where large losses are more frequent than large gains.
    pub skewness: Option<f64>,
    /// Fourth standardised moment of the returns, biased and raw: 3 for a normal distribution.
    pub kurtosis: Option<f64>,
    /// Mean return ÷ √(Σ min(r, 0)² ÷ n), a year.
    pub sortino: Option<f64>,
    /// Annual return ÷ |max drawdown|.
    pub calmar: Option<f64>,
    /// Deepest fall below the highest equity before, of the return series; negative or 0.
    pub max_drawdown: Option<f64>,
    /// Longest time below an earlier peak, in periods of the return series.
    pub max_drawdown_length: Option<f64>,
    /// Deepest fall below the highest equity before, at every instant; negative or 0. Never shallower than `max_drawdown`.
    pub max_drawdown_marked: Option<f64>,
    /// Share of round trips with a profit among those with a profit or a loss.
    pub hit_rate: Option<f64>,
    /// Profit of the round trips that won ÷ loss of those that lost, net.
    pub profit_factor: Option<f64>,
    /// Mean net profit of a round trip.
    pub expectancy: Option<f64>,
    /// Mean net profit of those that won.
    pub average_win: Option<f64>,
    /// Mean net loss of those that lost; negative.
    pub average_loss: Option<f64>,
    /// Round trips.
    pub trades: u64,
    /// Round trips a week of the run.
    pub trades_per_week: Option<f64>,
    /// Mean time from entry to exit, in hours.
    pub average_holding_hours: Option<f64>,
    /// Share of instants after which something was held.
    pub exposure: Option<f64>,
    /// Everything bought and sold ÷ mean equity.
    pub turnover: Option<f64>,
    /// Fees paid, those of liquidations included.
    pub fees: f64,
    /// Funding received less paid; 0 where no series of rates was given.
    pub funding: f64,
    /// Interest paid on what was borrowed; absent in JSON if nothing was.
    #[serde(default, skip_serializing_if = "is_none")]
    pub interest: f64,
    /// Requests that broke a rule of risk.
    pub violations: u64,
    /// How often each rule of risk was broken, by its name; a request may have broken several. Absent in
    /// JSON if none was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub broken: BTreeMap<String, u64>,
    /// Refused requests and rejected orders ÷ all orders and refusals.
    pub reject_rate: Option<f64>,
    /// Fuel ÷ bars: what the strategy costs to run, the same on every machine.
    pub fuel_per_bar: Option<f64>,
    /// Time from an event to the strategy's answer, in milliseconds. Only a live run has one.
    pub decision_latency_ms: Option<f64>,
    /// What the returns are.
    pub returns: Convention,
    /// Why a figure is absent, by its name.
    pub undefined: BTreeMap<String, String>,
}

/// Which returns the figures are taken from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Convention {
    /// `daily` (UTC) for runs of 28 days or more; for shorter ones `per_bar`, and `per_sample` on a tape.
    pub period: Period,
    /// Number of returns.
    pub count: usize,
    /// Periods a year.
    pub periods_per_year: f64,
}

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight, UTC. A day without bars has a return of 0.
    Daily,
    /// From one instant of the run to the next.
    PerBar,
    /// From one sample of a tape to the next; the last one may be shorter. Nothing is stated for a year.
    PerSample,
}

/// What else the figures depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Basis {
    /// When the run began: the open of its first bar.
    pub begin: Nanos,
    /// The shortest of the run's bar intervals, or the time between two samples of a tape.
    pub interval: Nanos,
    /// Whether equity was taken down in steps of time, as on a tape, rather than where bars closed.
    pub sampled: bool,
    /// Days of trading a year: 365, or 252 for equities.
    pub days_per_year: f64,
}

impl Metrics {
    /// How a strategy did, from its record.
    #[must_use]
    pub fn of(record: &Record, basis: &Basis) -> Self {
        Self::of_course(&Course::of(record, basis))
    }

    /// How a strategy did over one run, or several that were strung together.
    #[must_use]
    pub fn of_course(course: &Course<'_>) -> Self {
        let initial = course.initial;
        let (returns, convention) = course.returns();
        let year = convention.periods_per_year;
        let stated = convention.period != Period::PerSample;
        let annual =
            |figure: Figure| figure.and_then(|figure| stated.then_some(figure).ok_or(stats::Undefined::TooShort));
        let net: Vec<f64> = course.trips.iter().map(|trip| trip.net).collect();
        let wins: Vec<f64> = net.iter().copied().filter(|net| *net > 0.0).collect();
        let losses: Vec<f64> = net.iter().copied().filter(|net| *net < 0.0).collect();
        let weeks = course.span() / (7.0 * DAY as f64);
        let asked = course.accepted + course.refused;
        let evidence = SharpeEvidence::of(&returns);
        let mut undefined = Undefined::default();
        let mut figure = |name: &str, figure: Figure| undefined.note(name, figure);
        let metrics = Self {
            initial_equity: initial,
            final_equity: course.last,
            // The exact quotient; compounding the returns again would only add rounding.
            total_return: figure("total_return", stats::total_return(&returns).map(|_| course.last / initial - 1.0)),
            annual_return: figure("annual_return", annual(stats::annual_return(&returns, year))),
            volatility: figure("volatility", annual(stats::volatility(&returns, year))),
            sharpe: figure("sharpe", annual(stats::sharpe(&returns, year))),
            skewness: figure("skewness", evidence.map(|evidence| evidence.skewness)),
            kurtosis: figure("kurtosis", evidence.map(|evidence| evidence.kurtosis)),
            sortino: figure("sortino", annual(stats::sortino(&returns, year))),
            calmar: figure("calmar", annual(stats::calmar(&returns, year))),
            max_drawdown: figure("max_drawdown", stats::max_drawdown(&returns)),
            max_drawdown_length: figure(
                "max_drawdown_length",
                stats::max_drawdown_length(&returns).map(|periods| periods as f64),
            ),
            max_drawdown_marked: figure(
                "max_drawdown_marked",
                stats::max_drawdown(&changes(initial, course.curve.iter().map(|sample| sample.equity))),
            ),
            hit_rate: figure("hit_rate", stats::hit_rate(&net)),
            profit_factor: figure("profit_factor", stats::profit_factor(&net)),
            expectancy: figure("expectancy", stats::mean(&net)),
            average_win: figure("average_win", stats::mean(&wins)),
            average_loss: figure("average_loss", stats::mean(&losses)),
            trades: net.len() as u64,
            trades_per_week: ratio(net.len() as f64, weeks),
            average_holding_hours: figure("average_holding_hours", stats::mean(&course.holding_hours())),
            exposure: ratio(
                course.curve.iter().filter(|sample| sample.exposed).count() as f64,
                course.curve.len() as f64,
            ),
            turnover: course.mean_equity().and_then(|mean| ratio(course.turnover, mean)),
            fees: course.fees,
            funding: course.funding,
            interest: course.interest,
            violations: course.violations,
            broken: course.broken.clone(),
            reject_rate: ratio((course.refused + course.rejected) as f64, asked as f64),
            fuel_per_bar: ratio(course.fuel as f64, course.bars as f64).filter(|_| course.fuel > 0),
            decision_latency_ms: None,
            returns: convention,
            undefined: BTreeMap::new(),
        };
        let without =
            |name: &str, value: Option<f64>, why: &str| value.is_none().then(|| (name.to_owned(), why.to_owned()));
        let ratios = [
            without("trades_per_week", metrics.trades_per_week, "no bar was seen"),
            without("exposure", metrics.exposure, "no bar was seen"),
            without("turnover", metrics.turnover, "no bar was seen, or the mean equity is not above 0"),
            without("reject_rate", metrics.reject_rate, "nothing was asked for"),
            without("fuel_per_bar", metrics.fuel_per_bar, "no bar was seen, or the strategy is not metered"),
            without("decision_latency_ms", None, "a simulated run has no clock"),
        ];
        let undefined = undefined.0.into_iter().chain(ratios.into_iter().flatten()).collect();
        Self { undefined, ..metrics }
    }
}

impl Metrics {
    /// What the Sharpe ratio's certainty depends on, per period; absent where the Sharpe ratio is.
    #[must_use]
    pub fn evidence(&self) -> Option<SharpeEvidence> {
        Some(SharpeEvidence {
            sharpe: self.sharpe? / self.returns.periods_per_year.sqrt(),
            observations: self.returns.count,
            skewness: self.skewness?,
            kurtosis: self.kurtosis?,
        })
    }
}

/// Figures that are not defined, and why.
#[derive(Default)]
struct Undefined(BTreeMap<String, String>);

impl Undefined {
    fn note(&mut self, name: &str, figure: Figure) -> Option<f64> {
        figure.map_err(|why| self.0.insert(name.to_owned(), why.to_string())).ok()
    }
}

/// A quotient, if there is something to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::{Basis, DAY, Metrics, Period};
    use crate::books::{Books, Record};
    use crate::event::{Entry, Event};
    use crate::execution::StrategyIndex;
    use tiltyard_model::{Decimal, InstrumentKind, Money, Nanos};

    const HOUR: i64 = DAY / 24;

    /// Nothing held for this many hours.
    fn idle(hours: i64) -> Record {
        let cash = Money(Decimal::from(1_000));
        let seated = Event::Seated { strategy: StrategyIndex(0), cash, kinds: vec![InstrumentKind::Spot] };
        let instants = (1..=hours).map(|hour| Entry { time: Nanos(hour * HOUR), event: Event::Instant });
        let entries: Vec<_> = std::iter::once(Entry { time: Nanos(0), event: seated }).chain(instants).collect();
        Books::replay(&entries).records()[0].clone()
    }

    fn metrics(record: &Record) -> Metrics {
        Metrics::of(record, &Basis { begin: Nanos(0), interval: Nanos(HOUR), sampled: false, days_per_year: 365.0 })
    }

    #[test]
    fn returns_are_daily_from_28_days_on() {
        let short = metrics(&idle(28 * 24 - 1)).returns;
        assert_eq!((short.period, short.count, short.periods_per_year), (Period::PerBar, 671, 8_760.0));
        let long = metrics(&idle(28 * 24)).returns;
        assert_eq!((long.period, long.count, long.periods_per_year), (Period::Daily, 28, 365.0));
    }

    #[test]
    fn samples_of_less_than_28_days_are_not_stated_for_a_year() {
        let basis = Basis { begin: Nanos(0), interval: Nanos(HOUR), sampled: true, days_per_year: 365.0 };
        let (short, long) = (Metrics::of(&idle(28 * 24 - 1), &basis), Metrics::of(&idle(28 * 24), &basis));
        assert_eq!((short.returns.period, short.returns.count), (Period::PerSample, 671));
        assert_eq!((short.total_return, short.annual_return, short.volatility), (Some(0.0), None, None));
        assert_eq!(short.undefined["annual_return"], "the run is too short for anything to be stated for a year");
        assert_eq!((long.returns.period, long.annual_return), (Period::Daily, Some(0.0)));
    }

    #[test]
    fn what_is_undefined_is_absent_and_says_why() {
        let metrics = metrics(&idle(48));
        assert_eq!((metrics.total_return, metrics.max_drawdown), (Some(0.0), Some(0.0)));
        for name in ["sharpe", "sortino", "calmar", "hit_rate", "profit_factor", "expectancy", "reject_rate"] {
            assert!(metrics.undefined.contains_key(name), "{name}");
        }
        let json = serde_json::to_value(&metrics).unwrap();
        assert!(json["sharpe"].is_null() && json["undefined"]["sharpe"].is_string());
        let absent = json.as_object().unwrap().iter().filter(|(_, value)| value.is_null());
        let named = absent.map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(named, json["undefined"].as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    }

    #[test]
    fn no_bars_at_all_leave_nothing_defined_but_the_amounts() {
        let metrics = metrics(&idle(0));
        assert_eq!((metrics.final_equity, metrics.trades), (1_000.0, 0));
        assert_eq!((metrics.total_return, metrics.exposure, metrics.turnover), (None, None, None));
    }
}
