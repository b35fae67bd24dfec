use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{Nanos, Parameter, ParameterError, Value, is_shown, shown};

/// The custom section of a component that holds its manifest.
pub const MANIFEST_SECTION: &str = "tiltyard:manifest";

/// The JSON Schema (draft 2020-12) of a manifest, a part of the contract. It says what [`Manifest::parse`] checks as far
/// as a schema can.
pub const MANIFEST_SCHEMA: &str = include_str!("../../../wit/manifest.schema.json");

/// What a strategy declares about itself: a JSON document in the custom section [`MANIFEST_SECTION`], so that it can
/// be read without running anything.
///
/// Fields that this version does not know are kept in `other` and written back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The contract it was written against, such as `0.1.0`.
    pub contract: String,
    /// Its name: lower-case letters, digits and `-`.
    pub name: String,
    /// Its own version, such as `1.2.0`.
    pub version: String,
    /// One line: what it does.
    pub description: String,
    /// What it trades.
    #[serde(default)]
    pub instruments: Instruments,
    /// The length of its bars.
    #[serde(default)]
    pub interval: Interval,
    /// When it wants to be called.
    #[serde(default)]
    pub schedule: Schedule,
    /// Bars it needs before its first answer means anything, for the largest parameters it allows.
    #[serde(default)]
    pub warm_up_bars: u32,
    /// What it is told of the market beside bars.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub market_events: Vec<MarketEvents>,
    /// Abilities beyond the contract's own imports, each granted by the host.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// A stop-loss that the host keeps for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_stop: Option<HostStop>,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Why this should make money.
    pub hypothesis: String,
    /// What would prove the hypothesis wrong.
    pub falsified_by: String,
    /// What this version does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Json>,
}

/// What a strategy trades.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnyOr<Vec<String>>", into = "AnyOr<Vec<String>>")]
pub enum Instruments {
    /// Whatever it is given. Written `"any"`.
    #[default]
    Any,
    /// Only these symbols. Written as a list.
    Only(Vec<String>),
}

/// The length of a strategy's bars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Interval {
    /// Whatever it is given. Written `any`.
    #[default]
    Any,
    /// Only this. Written as a number and a unit: `1m`, `4h`, `1d`.
    Only(Nanos),
}

/// When a strategy wants to be called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// On every bar.
    #[default]
    EveryBar,
    /// Every so many minutes.
    EveryMinutes(u32),
    /// On every event of the market.
    Continuous,
}

/// What a strategy can be told of the market beside bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketEvents {
    /// The best bid and ask.
    Quotes,
    /// Trades of others.
    Trades,
}

/// A stop-loss that the host keeps at a multiple of the average true range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostStop {
    /// Distance from the entry ÷ ATR.
    pub atr_multiple: f64,
    /// Bars of Wilder's average.
    pub atr_bars: u32,
}

/// What is wrong with a manifest, all of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON of a manifest.
    #[error("the manifest is not valid: {0}")]
    Json(String),
    /// Readable, but it contradicts itself or leaves something out.
    #[error("the manifest is not valid: {}", .0.join("; "))]
    Content(Vec<String>),
}

impl Manifest {
    /// Longest manifest that is read, in bytes.
    pub const MAX_BYTES: usize = 64 << 10;
    /// Most parameters a strategy may declare.
    pub const MAX_PARAMETERS: usize = 64;
    /// Most warm-up bars a strategy may ask for: 100,000, more than two months of minutes.
    pub const MAX_WARM_UP: u32 = 100_000;

    /// Reads a manifest and checks all of it.
    ///
    /// # Errors
    /// [`ManifestError::Json`] if it cannot be read, [`ManifestError::Content`] with everything that is wrong.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        if json.len() > Self::MAX_BYTES {
            return Err(ManifestError::Content(vec![format!(
                "it has {} bytes; at most {} are read",
                json.len(),
                Self::MAX_BYTES
            )]));
        }
        let unreadable = |error: serde_json::Error| ManifestError::Json(shown(&error.to_string(), 300));
        let document: Json = serde_json::from_slice(json).map_err(unreadable)?;
        let harmless = is_harmless(&document);
        let manifest: Self = serde_json::from_value(document).map_err(unreadable)?;
        let mut problems = manifest.problems();
        if !harmless {
            problems.push("it contains control characters, or characters that reorder text; remove them".to_owned());
        }
        if problems.is_empty() { Ok(manifest) } else { Err(ManifestError::Content(problems)) }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: &dyn Fn() -> String| {
            if !holds {
                problems.push(problem());
            }
        };
        require(is_name(&self.name), &|| {
            format!("name `{}` must be 1 to 64 of a-z, 0-9 and -, starting with a letter", cut(&self.name))
        });
        require(is_version(&self.version), &|| {
            format!("version `{}` must be three numbers, such as 1.2.0", cut(&self.version))
        });
        for (field, text) in
            [("description", &self.description), ("hypothesis", &self.hypothesis), ("falsified_by", &self.falsified_by)]
        {
            require(!text.trim().is_empty(), &|| format!("{field} is empty; say it in a sentence"));
        }
        require(self.warm_up_bars <= Self::MAX_WARM_UP, &|| {
            format!("warm_up_bars {} is above {}", self.warm_up_bars, Self::MAX_WARM_UP)
        });
        require(self.parameters.len() <= Self::MAX_PARAMETERS, &|| {
            format!("{} parameters; at most {}", self.parameters.len(), Self::MAX_PARAMETERS)
        });
        if let Schedule::EveryMinutes(minutes) = self.schedule {
            require((1..=1_440).contains(&minutes), &|| format!("schedule: {minutes} minutes; 1 to 1440"));
        }
        if let Instruments::Only(symbols) = &self.instruments {
            require(!symbols.is_empty(), &|| "instruments is an empty list; write \"any\" or name some".to_owned());
        }
        for (at, events) in self.market_events.iter().enumerate() {
            require(!self.market_events[..at].contains(events), &|| "market_events names one twice".to_owned());
        }
        if let Some(stop) = self.host_stop {
            require(stop.atr_multiple.is_finite() && stop.atr_multiple > 0.0, &|| {
                format!("host_stop.atr_multiple {} must be more than 0", stop.atr_multiple)
            });
            require((1..=10_000).contains(&stop.atr_bars), &|| {
                format!("host_stop.atr_bars {} must be 1 to 10000", stop.atr_bars)
            });
        }
        for (at, parameter) in self.parameters.iter().enumerate() {
            if let Some(problem) = parameter.problem() {
                require(false, &|| format!("parameter `{}`: {problem}", cut(&parameter.name)));
            }
            let again = self.parameters[..at].iter().any(|earlier| earlier.name == parameter.name);
            require(!again, &|| format!("parameter `{}` is declared twice", cut(&parameter.name)));
        }
        problems
    }

    /// Bars of history that a run begins with: what the strategy asks for, and what the host needs to work out its stop (ten
    /// times the bars of its average, and one for the first range).
    #[must_use]
    pub fn warm_up_of_run(&self) -> usize {
        let host = self.host_stop.map_or(0, |stop| stop.atr_bars as usize * 10 + 1);
        host.max(self.warm_up_bars as usize)
    }

    /// The parameter with this name.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`], which lists what there is.
    pub fn parameter(&self, name: &str) -> Result<&Parameter, ParameterError> {
        self.parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| ParameterError::Unknown {
            name: cut(name),
            known: self.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
        })
    }

    /// Every parameter with the value it is given here or else its default, in the manifest's order.
    ///
    /// # Errors
    /// Everything that is wrong with `given`, one entry each.
    pub fn resolve(&self, given: &[(String, Value)]) -> Result<Vec<(String, Value)>, Vec<ParameterError>> {
        let mut chosen = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, value) in given {
            match self.parameter(name).and_then(|parameter| parameter.check(value.clone())) {
                Ok(_) if chosen.contains_key(name) => errors.push(ParameterError::Twice(name.clone())),
                Ok(value) => _ = chosen.insert(name, value),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(self
            .parameters
            .iter()
            .map(|parameter| {
                let value = chosen.remove(&parameter.name).unwrap_or_else(|| parameter.default_value());
                (parameter.name.clone(), value)
            })
            .collect())
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_version(version: &str) -> bool {
    let mut parts = version.split('.');
    // Not `parse`, which takes a plus sign too.
    let is_number = |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut number = || parts.next().is_some_and(is_number);
    number() && number() && number() && parts.next().is_none()
}

/// A text from the manifest, for a message.
fn cut(text: &str) -> String {
    shown(text, 80)
}

/// Whether no text anywhere in the document would do anything to a terminal.
fn is_harmless(document: &Json) -> bool {
    match document {
        Json::String(text) => is_shown(text),
        Json::Array(items) => items.iter().all(is_harmless),
        Json::Object(fields) => fields.iter().all(|(key, value)| is_shown(key) && is_harmless(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
    }
}

/// `"any"` or something in particular.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AnyOr<T> {
    Particular(T),
    Word(String),
}

impl TryFrom<AnyOr<Vec<String>>> for Instruments {
    type Error = String;

    fn try_from(written: AnyOr<Vec<String>>) -> Result<Self, Self::Error> {
        match written {
            AnyOr::Particular(symbols) => Ok(Self::Only(symbols)),
            AnyOr::Word(word) if word == "any" => Ok(Self::Any),
            AnyOr::Word(word) => Err(format!("instruments is \"any\" or a list of symbols, not \"{}\"", cut(&word))),
        }
    }
}

impl From<Instruments> for AnyOr<Vec<String>> {
    fn from(instruments: Instruments) -> Self {
        match instruments {
            Instruments::Any => Self::Word("any".to_owned()),
            Instruments::Only(symbols) => Self::Particular(symbols),
        }
    }
}

impl fmt::Display for Instruments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Only(symbols) => f.write_str(&symbols.join(", ")),
        }
    }
}

const UNITS: [(&str, i64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "any" {
            return Ok(Self::Any);
        }
        UNITS
            .iter()
            .find_map(|(unit, secs)| {
                // A number may begin with a plus sign, an interval may not.
                let digits = text.strip_suffix(unit).filter(|digits| !digits.starts_with('+'))?;
                let count: i64 = digits.parse().ok()?;
                (1..=366).contains(&count).then(|| Self::Only(Nanos::from_secs(count * secs)))
            })
            .ok_or_else(|| format!("interval `{}` must be `any` or like 1m, 4h or 1d", cut(&text)))
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(length) = self else { return f.write_str("any") };
        let secs = length.split().0;
        let (unit, of) = UNITS.iter().rev().find(|(_, of)| secs % of == 0).unwrap_or(&UNITS[0]);
        write!(f, "{}{unit}", secs / of)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryBar => f.write_str("every bar"),
            Self::EveryMinutes(minutes) => write!(f, "every {minutes} min"),
            Self::Continuous => f.write_str("continuous"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Instruments, Interval, Manifest, ManifestError};
    use crate::{Nanos, ParameterError, Value};

    fn document() -> Json {
        json!({
            "contract": "0.1.0",
            "name": "ma-cross",
            "version": "0.1.0",
            "description": "Two moving averages.",
            "interval": "4h",
            "warm_up_bars": 200,
            "host_stop": {"atr_multiple": 3.0, "atr_bars": 14},
            "parameters": [
                {"name": "fast", "kind": "integer", "default": 20, "min": 2, "max": 200, "step": 1, "role": "window", "help": "Bars."},
                {"name": "band", "kind": "real", "default": 0.1, "min": 0.0, "max": 1.0, "step": 0.1, "role": "threshold"},
            ],
            "hypothesis": "Trends persist.",
            "falsified_by": "No edge after costs.",
            "colour": {"later": ["versions", "add", "fields"]},
        })
    }

    fn parse(document: &Json) -> Result<Manifest, ManifestError> {
        Manifest::parse(document.to_string().as_bytes())
    }

    #[test]
    fn reads_what_it_writes_and_keeps_what_it_does_not_know() {
        let manifest = parse(&document()).unwrap();
        assert_eq!(manifest.interval, Interval::Only(Nanos::from_hours(4)));
        assert_eq!(manifest.instruments, Instruments::Any);
        let written = serde_json::to_value(&manifest).unwrap();
        assert_eq!(written["colour"], document()["colour"]);
        assert_eq!(parse(&written).unwrap(), manifest);
    }

    #[test]
    fn all_problems_come_at_once() {
        let mut document = document();
        document["name"] = json!("Not A Name");
        document["hypothesis"] = json!(" ");
        document["parameters"][1]["name"] = json!("fast");
        document["parameters"][0]["default"] = json!(1);
        let Err(ManifestError::Content(problems)) = parse(&document) else { panic!("accepted") };
        assert_eq!(problems.len(), 4, "{problems:?}");
    }

    #[test]
    fn a_text_that_a_terminal_would_obey_is_a_problem_wherever_it_stands() {
        for place in ["description", "colour"] {
            let mut document = document();
            document[place] = json!("\u{1b}[2J");
            assert!(
                matches!(parse(&document), Err(ManifestError::Content(problems)) if problems.len() == 1),
                "{place}"
            );
        }
    }

    #[test]
    fn resolve_fills_defaults_in_the_order_of_the_manifest() {
        let manifest = parse(&document()).unwrap();
        let resolved = manifest.resolve(&[("band".to_owned(), Value::Integer(1))]).unwrap();
        assert_eq!(resolved, [("fast".to_owned(), Value::Integer(20)), ("band".to_owned(), Value::Real(1.0))]);
    }

    #[test]
    fn resolve_reports_every_error() {
        let manifest = parse(&document()).unwrap();
        let given = [
            ("slow".to_owned(), Value::Integer(1)),
            ("fast".to_owned(), Value::Integer(1)),
            ("band".to_owned(), Value::Real(0.5)),
            ("band".to_owned(), Value::Real(0.5)),
        ];
        let errors = manifest.resolve(&given).unwrap_err();
        assert!(matches!(
            errors[..],
            [ParameterError::Unknown { .. }, ParameterError::OutOfBounds { .. }, ParameterError::Twice(_)]
        ));
        assert_eq!(errors[0].to_string(), "unknown parameter `slow`; the strategy declares fast, band");
    }

    #[test]
    fn intervals_read_and_write() {
        for text in ["any", "1s", "1m", "15m", "1h", "4h", "1d", "7d"] {
            assert_eq!(Interval::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for text in ["", "1", "h", "0m", "-1h", "+1h", "1y", "999999999999h"] {
            assert!(Interval::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
