use serde::{Deserialize, Serialize};
use tiltyard_model::shown;

use crate::HookFailure;

/// What a hook says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Whether what the document describes may happen.
    pub allow: bool,
    /// Why; may be empty or absent.
    #[serde(default)]
    pub reason: String,
}

impl Answer {
    /// Longest reason that is kept, in bytes.
    pub const MOST_REASON: usize = 500;

    /// It may happen.
    #[must_use]
    pub fn allow() -> Self {
        Self { allow: true, reason: String::new() }
    }

    /// It may not, for this reason.
    #[must_use]
    pub fn refuse(reason: impl Into<String>) -> Self {
        Self { allow: false, reason: reason.into() }
    }

    /// Reads what a program wrote: one document, with white space around it at most. Control characters in the reason
    /// become escapes, and what is longer than [`MOST_REASON`](Self::MOST_REASON) is cut.
    pub(crate) fn read(output: &[u8]) -> Result<Self, HookFailure> {
        if output.trim_ascii().is_empty() {
            return Err(HookFailure::NoAnswer);
        }
        let unreadable = |problem: &str| HookFailure::Unreadable {
            problem: shown(problem, 200),
            output: shown(&String::from_utf8_lossy(&output[..output.len().min(200)]), 200),
        };
        // A list of the fields' values would be read as well.
        if !output.trim_ascii_start().starts_with(b"{") {
            return Err(unreadable("it is not an object"));
        }
        serde_json::from_slice(output).map(Self::harmless).map_err(|error| unreadable(&error.to_string()))
    }

    /// Without what a terminal would obey.
    pub(crate) fn harmless(self) -> Self {
        Self { allow: self.allow, reason: shown(&self.reason, Self::MOST_REASON) }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use crate::HookFailure;

    #[test]
    fn one_document_is_an_answer() {
        assert_eq!(Answer::read(b" {\"allow\": true, \"reason\": \"\"}\n").unwrap(), Answer::allow());
        assert_eq!(Answer::read(b"{\"allow\":true}").unwrap(), Answer::allow());
        assert_eq!(Answer::read(b"{\"reason\":\"too late\",\"allow\":false}").unwrap(), Answer::refuse("too late"));
    }

    #[test]
    fn anything_else_is_none() {
        assert!(matches!(Answer::read(b""), Err(HookFailure::NoAnswer)));
        assert!(matches!(Answer::read(b" \n"), Err(HookFailure::NoAnswer)));
        for output in [
            "true",
            "allow",
            "{}",
            "[]",
            "[true]",
            "[true,\"\"]",
            "{\"allow\":1}",
            "{\"allow\":\"true\"}",
            "{\"allow\":null}",
            "{\"allow\":true",
            "{\"allow\":true}{\"allow\":false}",
            "{\"allow\":true,\"allow\":false}",
            "{\"allow\":true,\"unless\":\"it rains\"}",
            "{\"Allow\":true}",
        ] {
            assert!(matches!(Answer::read(output.as_bytes()), Err(HookFailure::Unreadable { .. })), "{output}");
        }
        assert!(matches!(Answer::read(b"{\"allow\":true,\"reason\":\"\xff\"}"), Err(HookFailure::Unreadable { .. })));
    }

    #[test]
    fn a_reason_is_bounded_and_does_nothing_to_a_terminal() {
        let long = format!("{{\"allow\":false,\"reason\":\"\\u001b[2J{}\"}}", "x".repeat(10_000));
        let reason = Answer::read(long.as_bytes()).unwrap().reason;
        assert!(reason.len() <= Answer::MOST_REASON && reason.starts_with("\\u{1b}[2J"), "{reason}");
    }
}
