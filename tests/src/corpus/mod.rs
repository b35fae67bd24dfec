//! Guests that attack: one table, one entry a guest.

mod admission;
mod border;
mod running;

use tiltyard_model::Value;
use tiltyard_sandbox::{Fault, LoadError, StartError};

use crate::tape::Tape;

/// How a guest's visit ended.
#[derive(Debug)]
pub enum Outcome {
    /// Not loaded.
    NotLoaded(LoadError),
    /// Loaded, not started.
    NotStarted(StartError),
    /// Stopped in the middle.
    Stopped(Fault),
    /// Came to the end of the bars; this is what it left behind.
    Finished(Tape),
}

/// A hostile guest and how its visit must end.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it tries.
    pub name: &'static str,
    /// The file it comes as.
    pub file: fn() -> Vec<u8>,
    /// Its parameters.
    pub parameters: fn() -> Vec<(&'static str, Value)>,
    /// Whether its visit ended as it must.
    pub ends: fn(&Outcome) -> bool,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Bars that the harness plays to a guest.
pub const BARS: usize = 10;

macro_rules! case {
    ($name:literal, $file:expr, $ends:pat $(if $guard:expr)?) => {
        case!($name, $file; {} $ends $(if $guard)?)
    };
    ($name:literal, $file:expr; {$($parameter:literal = $value:expr),*} $ends:pat $(if $guard:expr)?) => {
        Case {
            name: $name,
            file: || $file,
            parameters: || vec![$(($parameter, $value)),*],
            ends: |outcome| matches!(outcome, $ends $(if $guard)?),
        }
    };
}

/// Stopped by this kind of fault in this call.
macro_rules! stopped {
    ($kind:pat) => {
        Outcome::Stopped(Fault { kind: $kind, during: "on-bar", .. })
    };
}

/// Refused at admission.
macro_rules! refused {
    ($refusal:pat) => {
        Outcome::NotLoaded(LoadError::Refused($refusal))
    };
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

use {case, refused, stopped};

/// All of them.
pub fn corpus() -> impl Iterator<Item = &'static Case> {
    [running::CASES, border::CASES, admission::CASES].into_iter().flatten()
}
