use serde::{Deserialize, Serialize};
use tiltyard_model::{Digest, Interval, Nanos};

use super::Key;
use crate::{Report, Series};

/// What is known about a series that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The form of the file, [`About::FORM`].
    pub form: u32,
    /// Where it trades.
    pub venue: String,
    /// What it is of.
    pub symbol: String,
    /// How long a bar is.
    pub interval: Interval,
    /// Number of bars.
    pub bars: u64,
    /// When the first bar opens.
    pub first: Nanos,
    /// When the last bar opens.
    pub last: Nanos,
    /// [`Series::digest`] of the bars.
    pub digest: Digest,
    /// The files that the bars are from, the newest [`About::SOURCES`] of them, oldest first.
    pub sources: Vec<String>,
    /// How it was made up; `None` for what a market did.
    pub synthetic: Option<Synthetic>,
    /// What was repaired when it was read, and what it lacks.
    pub report: Report,
}

/// Prices that were made up, and from what they can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Synthetic {
    /// The generator and its version; another version makes other prices.
    pub generator: String,
    /// What its random numbers were drawn from.
    pub seed: u64,
    /// When the first bar that was drawn opens.
    pub begin: Nanos,
}

impl About {
    /// The form of file that this version writes, and the newest that it reads.
    pub const FORM: u32 = 1;
    /// Most sources that are remembered.
    pub const SOURCES: usize = 20;

    pub(super) fn new(key: &Key, series: &Series, sources: Vec<String>, synthetic: Option<Synthetic>) -> Self {
        let times = series.bars.open_time();
        Self {
            form: Self::FORM,
            venue: key.venue().to_owned(),
            symbol: key.symbol().to_owned(),
            interval: key.interval(),
            bars: times.len() as u64,
            first: Nanos(times.first().copied().unwrap_or_default()),
            last: Nanos(times.last().copied().unwrap_or_default()),
            digest: series.digest(),
            sources,
            synthetic,
            report: series.report.clone(),
        }
    }

    /// The sources with others after them, none twice.
    pub(super) fn with_sources(&self, more: &[String]) -> Vec<String> {
        let mut sources: Vec<String> = self.sources.iter().filter(|source| !more.contains(source)).cloned().collect();
        sources.extend_from_slice(more);
        sources.split_off(sources.len().saturating_sub(Self::SOURCES))
    }
}
