use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `instrument[2].tick`; empty if it is the text as a whole.
    pub place: String,
    /// What is wrong with it, and what it takes.
    pub what: String,
}

/// All that is wrong with a text, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

/// A text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} has {problems}")]
pub struct ConfigError {
    /// The file.
    pub name: String,
    /// All that is wrong with it.
    pub problems: Problems,
}

impl Problems {
    /// Most problems that are shown; the rest is counted.
    pub const SHOWN: usize = 50;

    pub(crate) fn add(&mut self, place: &str, what: impl Into<String>) {
        let what = harmless(&what.into());
        self.0.push(Problem { place: harmless(place), what });
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.what),
            place => write!(f, "`{place}` {}", self.what),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems = &self.0;
        write!(f, "{} {}", problems.len(), if problems.len() == 1 { "problem" } else { "problems" })?;
        problems.iter().take(Self::SHOWN).try_for_each(|problem| write!(f, "\n  {problem}"))?;
        match problems.len().saturating_sub(Self::SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// Without what a terminal would obey.
fn harmless(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
