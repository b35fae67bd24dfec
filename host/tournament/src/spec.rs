//! What a tournament is asked to be.

use std::collections::BTreeMap;

use tiltyard_config::{ConfigError, Section, Value as Toml};
use tiltyard_engine::Profile;
use tiltyard_engine::venue::{Costs, Latency};
use tiltyard_market::parse_date;
use tiltyard_model::{Decimal, Interval, Nanos, Value, decimal};
use tiltyard_risk::{Fraction, MaxDrawdown, RiskProfile};

use crate::score::Score;
use crate::space::{Axis, Space};
use crate::window::{Splitting, Walk};

/// What a tournament is asked to be: everything but the data and the components that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// What people call it.
    pub name: String,
    /// What samples are drawn from, latencies, and the numbers that strategies draw.
    pub seed: u64,
    /// What is traded.
    pub market: MarketSpec,
    /// How time is divided.
    pub windows: Splitting,
    /// By which rules.
    pub rules: Rules,
    /// What rows are ranked by.
    pub score: Score,
    /// Who takes part.
    pub strategies: Vec<StrategySpec>,
}

/// What is traded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketSpec {
    /// Where.
    pub venue: String,
    /// The length of a bar.
    pub interval: Interval,
    /// What, at least one.
    pub symbols: Vec<String>,
    /// Bars that open earlier only warm strategies up.
    pub from: Option<Nanos>,
    /// Bars that close later are not played.
    pub to: Option<Nanos>,
    /// The last months of the data, which no tournament reads. Default [`MarketSpec::HOLDOUT_MONTHS`].
    pub holdout_months: u32,
}

impl MarketSpec {
    /// Months that are sealed if nothing else is said.
    pub const HOLDOUT_MONTHS: u32 = 3;
}

/// The rules of every run.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How fills are made.
    pub profile: Profile,
    /// Fee of every trade as a fraction of its value; the instrument's own if absent.
    pub fee: Option<Decimal>,
    /// What taking costs beside the fee.
    pub costs: Costs,
    /// How long orders take.
    pub latency: Latency,
    /// What each run begins with.
    pub cash: Decimal,
    /// The limits that orders pass.
    pub risk: RiskProfile,
    /// Trading days a year.
    pub days_per_year: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            fee: None,
            costs: Costs::default(),
            latency: Latency::default(),
            cash: Decimal::from(1_000_000),
            risk: RiskProfile::research(),
            days_per_year: 365.0,
        }
    }
}

/// A strategy that takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategySpec {
    /// A name in the workspace's `strategies`, an example's, or a file.
    pub component: String,
    /// What one run of it trades; by default each symbol by itself.
    pub markets: Markets,
    /// The variants.
    pub space: Space,
}

/// What one run trades.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Markets {
    /// One symbol; there is a run for each.
    #[default]
    Each,
    /// All symbols at once.
    Together,
}

/// Longest name of a tournament, in characters.
const NAME: usize = 100;
/// Most symbols and strategies.
const MANY: usize = 1_000;

impl Spec {
    /// Reads a specification in TOML. `name` is used in messages.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        tiltyard_config::parse(name, text, |file| {
            let title = file.text("name");
            if title.as_ref().is_some_and(|title| title.trim().is_empty() || title.chars().count() > NAME) {
                file.problem("name", format!("must have 1 to {NAME} characters"));
            }
            let seed = file.optional_whole("seed", 0, i64::MAX).unwrap_or_default().unsigned_abs();
            let market = required(file, "market", market);
            let windows = file.section("windows").map_or(Some(Splitting::Single), |mut section| {
                let windows = windows(&mut section);
                section.end();
                windows
            });
            let rules = optional(file, "rules", rules);
            let score = optional(file, "score", score);
            let mut strategies = Vec::new();
            let sections = file.sections("strategy");
            if sections.is_empty() || sections.len() > MANY {
                file.problem("strategy", format!("is there {} times; give 1 to {MANY} [[strategy]]", sections.len()));
            }
            for mut section in sections {
                strategies.extend(strategy(&mut section));
                section.end();
            }
            Some(Self { name: title?, seed, market: market?, windows: windows?, rules, score, strategies })
        })
    }
}

fn required<T>(file: &mut Section<'_>, key: &str, read: impl FnOnce(&mut Section<'_>) -> Option<T>) -> Option<T> {
    let Some(mut section) = file.section(key) else {
        file.problem(key, "is missing");
        return None;
    };
    let value = read(&mut section);
    section.end();
    value
}

fn optional<T: Default>(file: &mut Section<'_>, key: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
    file.section(key).map_or_else(T::default, |mut section| {
        let value = read(&mut section);
        section.end();
        value
    })
}

fn market(section: &mut Section<'_>) -> Option<MarketSpec> {
    let venue = section.text("venue");
    let interval = section.text("interval").and_then(|text| match Interval::try_from(text.clone()) {
        Ok(interval @ Interval::Only(_)) => Some(interval),
        _ => {
            section.problem("interval", format!("is `{text}`; it takes a length such as 1m, 1h or 1d"));
            None
        }
    });
    let symbols = section.texts("symbols");
    if symbols.is_empty() || symbols.len() > MANY {
        section.problem("symbols", format!("are {}; give 1 to {MANY}", symbols.len()));
    }
    let twice = symbols.iter().enumerate().find(|(at, symbol)| symbols[..*at].contains(symbol));
    if let Some((_, symbol)) = twice {
        section.problem("symbols", format!("name {symbol} twice; name it once"));
    }
    let from = date(section, "from");
    let to = date(section, "to");
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        section.problem("to", "is not after `from`");
    }
    let holdout = section.optional_whole("holdout_months", 0, 120);
    let holdout_months = holdout.map_or(MarketSpec::HOLDOUT_MONTHS, |months| u32::try_from(months).unwrap_or_default());
    Some(MarketSpec { venue: venue?, interval: interval?, symbols, from, to, holdout_months })
}

fn date(section: &mut Section<'_>, key: &str) -> Option<Nanos> {
    let text = section.optional_text(key)?;
    parse_date(&text).map_err(|error| section.problem(key, error.to_string())).ok()
}

fn windows(section: &mut Section<'_>) -> Option<Splitting> {
    let kind = section.text("kind")?;
    if kind == "single" {
        return Some(Splitting::Single);
    }
    let anchored = match kind.as_str() {
        "rolling" => Some(false),
        "anchored" => Some(true),
        other => {
            // The rest is read all the same: it is not to blame.
            section.problem("kind", format!("is `{other}`; it takes single, rolling or anchored"));
            None
        }
    };
    let days = |section: &mut Section<'_>, key: &str| section.number(key, 0.01, 36_500.0).map(in_days);
    let train = days(section, "train_days");
    let test = days(section, "test_days");
    let step = section.optional_number("step_days", 0.01, 36_500.0).map(in_days);
    let embargo = section.optional_number("embargo_days", 0.0, 36_500.0).map(in_days).unwrap_or_default();
    let test = test?;
    let step = step.unwrap_or(test);
    if step < test {
        section.problem("step_days", "is less than test_days; then tests overlap and cannot be strung together");
    }
    Some(Splitting::Walk(Walk { train: train?, test, step, embargo, anchored: anchored? }))
}

/// Days as they are written, exact to the second.
fn in_days(days: f64) -> Nanos {
    Nanos::from_secs((days * 86_400.0).round() as i64)
}

fn rules(section: &mut Section<'_>) -> Rules {
    let default = Rules::default();
    let basis_points = |section: &mut Section<'_>, key: &str, least: f64| {
        let points = section.optional_number(key, least, 10_000.0)?;
        decimal(points).map(|points| points / Decimal::from(10_000))
    };
    let milliseconds = |section: &mut Section<'_>, key: &str| {
        Nanos(section.optional_whole(key, 0, 86_400_000).unwrap_or_default() * 1_000_000)
    };
    let profile = section.optional_text("profile").map_or(Some(default.profile), |name| {
        let found = Profile::ALL.into_iter().find(|profile| profile.rules(default.costs).name() == name);
        if found.is_none() {
            section.problem("profile", format!("is `{name}`; `tiltyard profiles` lists what there is"));
        }
        found
    });
    let max_drawdown = section.optional_number("max_drawdown", 0.0001, 1.0).and_then(Fraction::new);
    let mut risk = match section.optional_text("risk").as_deref() {
        None | Some("research") => RiskProfile::research(),
        Some("account") => RiskProfile::account(),
        Some(other) => {
            section.problem("risk", format!("is `{other}`; it takes research or account"));
            RiskProfile::research()
        }
    };
    if let Some(most) = max_drawdown {
        risk = risk.with_max_drawdown(Some(MaxDrawdown { most }));
    }
    let profile = profile.unwrap_or_default();
    let costs = profile.default_costs();
    Rules {
        profile,
        fee: basis_points(section, "fee_bps", -100.0),
        costs: Costs {
            half_spread: basis_points(section, "half_spread_bps", 0.0).unwrap_or(costs.half_spread),
            slippage: basis_points(section, "slippage_bps", 0.0).unwrap_or(costs.slippage),
            impact: basis_points(section, "impact_bps", 0.0).unwrap_or(costs.impact),
        },
        latency: Latency {
            fixed: milliseconds(section, "latency_ms"),
            jitter: milliseconds(section, "latency_jitter_ms"),
        },
        cash: section.optional_number("cash", 1.0, 1e12).and_then(decimal).unwrap_or(default.cash),
        risk,
        days_per_year: section.optional_number("periods_per_year", 1.0, 366.0).unwrap_or(default.days_per_year),
    }
}

fn score(section: &mut Section<'_>) -> Score {
    let mut score = Score::none();
    for name in section.keys() {
        let Some(weight) = section.optional_number(&name, -1e6, 1e6) else { continue };
        if !score.weigh(&name, weight) {
            section
                .problem(&name, format!("is no figure that can be scored; those are {}", Score::figures().join(", ")));
        }
    }
    if score.is_empty() {
        section.problem("", "has no weights; give some, or leave [score] out");
    }
    score
}

fn strategy(section: &mut Section<'_>) -> Option<StrategySpec> {
    let component = section.text("component");
    let markets = section.optional_text("markets").map_or(Some(Markets::Each), |markets| match markets.as_str() {
        "each" => Some(Markets::Each),
        "together" => Some(Markets::Together),
        other => {
            section.problem("markets", format!("is `{other}`; it takes each or together"));
            None
        }
    });
    let sample = section.optional_whole("sample", 0, i64::MAX).map(i64::unsigned_abs);
    let mut axes = BTreeMap::new();
    if let Some(mut params) = section.section("params") {
        for name in params.keys() {
            let value = params.value(&name);
            let axis = value.and_then(|value| axis(&params, &name, value));
            axes.extend(axis.map(|axis| (name, axis)));
        }
        params.end();
    }
    let mut variants = Vec::new();
    for mut listed in section.sections("variants") {
        let mut variant = BTreeMap::new();
        for name in listed.keys() {
            match listed.value(&name).and_then(setting) {
                Some(value) => drop(variant.insert(name, value)),
                None => listed.problem(&name, TAKES),
            }
        }
        variants.push(variant);
    }
    let space = Space { axes, variants, sample };
    Some(StrategySpec { component: component?, markets: markets?, space })
}

const TAKES: &str = "takes a number, a text, true or false";

fn setting(value: Toml) -> Option<Value> {
    Some(match value {
        Toml::Integer(number) => Value::Integer(number),
        Toml::Float(number) => Value::Real(number),
        Toml::Boolean(flag) => Value::Flag(flag),
        Toml::String(text) => Value::Text(text),
        _ => return None,
    })
}

fn axis(params: &Section<'_>, name: &str, value: Toml) -> Option<Axis> {
    let axis = match value {
        Toml::Array(values) => values.into_iter().map(setting).collect::<Option<Vec<_>>>().map(Axis::Values),
        Toml::Table(mut table) => {
            let number = |value: Option<Toml>| match value {
                Some(Toml::Integer(number)) => Some(number as f64),
                Some(Toml::Float(number)) => Some(number),
                _ => None,
            };
            let [from, to, step] = ["from", "to", "step"].map(|key| number(table.remove(key)));
            match (from, to, step, table.is_empty()) {
                (Some(from), Some(to), Some(step), true) => Some(Axis::Range { from, to, step }),
                _ => None,
            }
        }
        one => setting(one).map(|value| Axis::Values(vec![value])),
    };
    if axis.is_none() {
        params.problem(name, "takes a value, a list of values, or { from = 1, to = 9, step = 2 }");
    }
    axis
}

#[cfg(test)]
mod tests {
    use tiltyard_risk::{Fraction, MaxDrawdown};

    use super::{Markets, Spec};
    use crate::space::Axis;
    use crate::window::Splitting;
    use tiltyard_model::{Decimal, Nanos, Value};

    const WHOLE: &str = r#"
        name = "first"
        seed = 7
        [market]
        venue = "binance"
        interval = "1h"
        symbols = ["BTCUSDT", "ETHUSDT"]
        from = 2023-01-01
        holdout_months = 6
        [windows]
        kind = "rolling"
        train_days = 365
        test_days = 90
        [rules]
        fee_bps = 7.5
        cash = 10000
        risk = "account"
        max_drawdown = 0.2
        [score]
        sharpe = 1
        [[strategy]]
        component = "ma-cross"
        sample = 5
        params.fast = [5, 10]
        params.slow = { from = 50, to = 100, step = 25 }
        params.short = true
        [[strategy.variants]]
        fast = 3
        [[strategy]]
        component = "momentum"
        markets = "together"
    "#;

    #[test]
    fn a_specification_is_read() {
        let spec = Spec::parse("first.toml", WHOLE).unwrap();
        assert_eq!((spec.name.as_str(), spec.seed, spec.market.symbols.len()), ("first", 7, 2));
        assert_eq!(spec.market.from, Some(Nanos::from_secs(1_672_531_200)));
        let Splitting::Walk(walk) = spec.windows else { panic!("no walk") };
        assert_eq!((walk.step, walk.embargo, walk.anchored), (walk.test, Nanos(0), false));
        assert_eq!(spec.rules.fee, Some(Decimal::new(75, 5)));
        assert_eq!(spec.rules.risk.name, "account");
        assert_eq!(spec.rules.risk.limits.max_drawdown, Some(MaxDrawdown { most: Fraction::bps(2_000) }));
        let [first, second] = &spec.strategies[..] else { panic!("two") };
        assert_eq!(first.space.axes["slow"], Axis::Range { from: 50.0, to: 100.0, step: 25.0 });
        assert_eq!(first.space.axes["short"], Axis::Values(vec![Value::Flag(true)]));
        assert_eq!((first.space.variants.len(), first.space.sample), (1, Some(5)));
        assert_eq!(second.markets, Markets::Together);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text = WHOLE
            .replace("name = \"first\"", "")
            .replace("\"1h\"", "\"often\"")
            .replace("\"ETHUSDT\"", "\"BTCUSDT\"")
            .replace("test_days = 90", "test_days = 90\nstep_days = 30")
            .replace("fee_bps", "fees_bps")
            .replace("risk = \"account\"", "risk = \"none\"")
            .replace("sharpe = 1", "luck = 1")
            .replace("[5, 10]", "[[5]]")
            .replace("\"together\"", "\"none\"");
        let error = Spec::parse("first.toml", &text).unwrap_err().to_string();
        for part in [
            "`name` is missing",
            "`market.interval` is `often`",
            "name BTCUSDT twice",
            "`windows.step_days` is less than test_days",
            "`rules.fees_bps` is not known",
            "`rules.risk` is `none`; it takes research or account",
            "`score.luck` is no figure",
            "`strategy[1].params.fast` takes a value",
            "`strategy[2].markets` is `none`",
        ] {
            assert!(error.contains(part), "{part} is not in:\n{error}");
        }
    }
}
