use std::fmt;

use serde::{Deserialize, Serialize};

use crate::shown;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number; never NaN or infinite once it passed [`Parameter::check`].
    Real(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Integer(number) => number.fmt(f),
            // Debug keeps the point of a whole number, so that 2.0 stays a real.
            Self::Real(number) => fmt::Debug::fmt(number, f),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// What a parameter does, for whoever searches over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A number of bars.
    Window,
    /// A level that a decision hangs on.
    Threshold,
    /// How much is at stake.
    Risk,
    /// Anything else.
    Other,
}

/// The kind of a parameter with its default and its bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ParameterKind {
    /// A whole number in `min..=max`; searches step by `step`.
    Integer {
        /// Used where nothing else is said.
        default: i64,
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Step of a search, at least 1.
        step: i64,
    },
    /// A finite number in `min..=max`; searches step by `step`.
    Real {
        /// Used where nothing else is said.
        default: f64,
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
        /// Step of a search, more than 0.
        step: f64,
    },
    /// Yes or no.
    Flag {
        /// Used where nothing else is said.
        default: bool,
    },
    /// A text of at most [`Parameter::MAX_TEXT`] bytes.
    Text {
        /// Used where nothing else is said.
        default: String,
    },
}

impl ParameterKind {
    fn name(&self) -> &'static str {
        match self {
            Self::Integer { .. } => "a whole number",
            Self::Real { .. } => "a number",
            Self::Flag { .. } => "true or false",
            Self::Text { .. } => "a text",
        }
    }
}

/// A parameter that a strategy declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name: lower-case letters, digits, `_` and `-`, starting with a letter.
    pub name: String,
    /// Kind, default and bounds.
    #[serde(flatten)]
    pub kind: ParameterKind,
    /// What it does.
    pub role: Role,
    /// A line of help.
    #[serde(default)]
    pub help: String,
}

/// Why a value is not one that a parameter takes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// The strategy declares no such parameter.
    #[error("unknown parameter `{name}`; {}", known_names(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The same parameter twice.
    #[error("parameter `{0}` is given twice; give it once")]
    Twice(String),
    /// Not of the kind that the parameter is of.
    #[error("parameter `{name}` takes {expected}, not `{given}`")]
    Kind {
        /// The parameter.
        name: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        given: String,
    },
    /// Outside its bounds.
    #[error("parameter `{name}` = {given} is out of bounds; it takes {min} to {max}")]
    OutOfBounds {
        /// The parameter.
        name: String,
        /// What was given.
        given: Value,
        /// Least value.
        min: Value,
        /// Greatest value.
        max: Value,
    },
    /// A text that is too long.
    #[error("parameter `{name}` is a text of {length} bytes; at most {} are taken", Parameter::MAX_TEXT)]
    TooLong {
        /// The parameter.
        name: String,
        /// Its length in bytes.
        length: usize,
    },
}

fn known_names(known: &[String]) -> String {
    match known {
        [] => "the strategy declares none".to_owned(),
        names => format!("the strategy declares {}", names.join(", ")),
    }
}

impl Parameter {
    /// The longest text a parameter takes, in bytes.
    pub const MAX_TEXT: usize = 16 << 10;

    /// The value used where nothing else is said.
    #[must_use]
    pub fn default_value(&self) -> Value {
        match &self.kind {
            ParameterKind::Integer { default, .. } => Value::Integer(*default),
            ParameterKind::Real { default, .. } => Value::Real(*default),
            ParameterKind::Flag { default } => Value::Flag(*default),
            ParameterKind::Text { default } => Value::Text(default.clone()),
        }
    }

    /// Takes a value if it is of the right kind and within bounds; a whole number becomes a real where one is due.
    ///
    /// # Errors
    /// [`ParameterError::Kind`], [`ParameterError::OutOfBounds`], [`ParameterError::TooLong`].
    pub fn check(&self, value: Value) -> Result<Value, ParameterError> {
        match (&self.kind, value) {
            (ParameterKind::Integer { min, max, .. }, Value::Integer(number)) => self.within(
                Value::Integer(number),
                (min..=max).contains(&&number),
                Value::Integer(*min),
                Value::Integer(*max),
            ),
            (ParameterKind::Real { .. }, Value::Integer(number)) => self.check(Value::Real(number as f64)),
            // A NaN is in no range, so it is refused here too.
            (ParameterKind::Real { min, max, .. }, Value::Real(number)) => {
                self.within(Value::Real(number), (min..=max).contains(&&number), Value::Real(*min), Value::Real(*max))
            }
            (ParameterKind::Flag { .. }, value @ Value::Flag(_)) => Ok(value),
            (ParameterKind::Text { .. }, Value::Text(text)) if text.len() > Self::MAX_TEXT => {
                Err(ParameterError::TooLong { name: self.name.clone(), length: text.len() })
            }
            (ParameterKind::Text { .. }, value @ Value::Text(_)) => Ok(value),
            (_, value) => Err(self.kind_error(&value.to_string())),
        }
    }

    /// Reads a value as it is written on a command line or in a file.
    ///
    /// # Errors
    /// As [`Parameter::check`].
    pub fn parse(&self, text: &str) -> Result<Value, ParameterError> {
        let value = match self.kind {
            ParameterKind::Integer { .. } => text.parse().ok().map(Value::Integer),
            ParameterKind::Real { .. } => text.parse().ok().map(Value::Real),
            ParameterKind::Flag { .. } => text.parse().ok().map(Value::Flag),
            ParameterKind::Text { .. } => Some(Value::Text(text.to_owned())),
        };
        self.check(value.ok_or_else(|| self.kind_error(text))?)
    }

    fn within(&self, given: Value, inside: bool, min: Value, max: Value) -> Result<Value, ParameterError> {
        if inside { Ok(given) } else { Err(ParameterError::OutOfBounds { name: self.name.clone(), given, min, max }) }
    }

    fn kind_error(&self, given: &str) -> ParameterError {
        ParameterError::Kind { name: self.name.clone(), expected: self.kind.name(), given: shown(given, 80) }
    }

    /// What is wrong with the declaration itself, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        if !is_parameter_name(&self.name) {
            return Some("its name must be 1 to 64 of a-z, 0-9, _ and -, starting with a letter".to_owned());
        }
        match self.kind {
            ParameterKind::Integer { min, max, step, .. } => {
                if min > max {
                    return Some(format!("min {min} is above max {max}"));
                }
                if step < 1 {
                    return Some(format!("step {step} must be at least 1"));
                }
            }
            ParameterKind::Real { min, max, step, .. } => {
                if !(min.is_finite() && max.is_finite() && min <= max) {
                    return Some(format!("bounds {min} to {max} must be finite and in order"));
                }
                if !(step.is_finite() && step > 0.0) {
                    return Some(format!("step {step} must be finite and more than 0"));
                }
            }
            ParameterKind::Flag { .. } | ParameterKind::Text { .. } => {}
        }
        self.check(self.default_value()).err().map(|error| format!("its default is refused: {error}"))
    }
}

fn is_parameter_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::{Parameter, ParameterError, ParameterKind, Role, Value};

    fn parameter(kind: ParameterKind) -> Parameter {
        Parameter { name: "p".to_owned(), kind, role: Role::Other, help: String::new() }
    }

    fn integer() -> Parameter {
        parameter(ParameterKind::Integer { default: 20, min: 2, max: 200, step: 1 })
    }

    fn real() -> Parameter {
        parameter(ParameterKind::Real { default: 1.5, min: 0.5, max: 5.0, step: 0.5 })
    }

    #[test]
    fn bounds_are_inclusive() {
        assert_eq!(integer().parse("2"), Ok(Value::Integer(2)));
        assert_eq!(integer().parse("200"), Ok(Value::Integer(200)));
        assert!(matches!(integer().parse("201"), Err(ParameterError::OutOfBounds { .. })));
        assert!(matches!(real().parse("5.0000001"), Err(ParameterError::OutOfBounds { .. })));
    }

    #[test]
    fn nan_and_infinity_are_out_of_bounds() {
        for text in ["NaN", "inf", "-inf"] {
            assert!(matches!(real().parse(text), Err(ParameterError::OutOfBounds { .. })), "{text}");
        }
    }

    #[test]
    fn a_whole_number_serves_as_a_real_but_not_the_other_way_round() {
        assert_eq!(real().check(Value::Integer(2)), Ok(Value::Real(2.0)));
        assert!(matches!(integer().parse("2.5"), Err(ParameterError::Kind { .. })));
    }

    #[test]
    fn errors_name_parameter_value_and_limit() {
        let error = integer().parse("9999").unwrap_err().to_string();
        assert_eq!(error, "parameter `p` = 9999 is out of bounds; it takes 2 to 200");
    }

    #[test]
    fn a_default_out_of_bounds_is_a_problem_of_the_declaration() {
        let bad = parameter(ParameterKind::Integer { default: 1, min: 2, max: 3, step: 1 });
        assert!(bad.problem().is_some_and(|problem| problem.contains("default")));
        assert_eq!(integer().problem(), None);
    }

    #[test]
    fn survives_json() {
        for parameter in [integer(), real(), parameter(ParameterKind::Flag { default: true })] {
            let text = serde_json::to_string(&parameter).unwrap();
            assert_eq!(serde_json::from_str::<Parameter>(&text).unwrap(), parameter, "{text}");
        }
    }
}
