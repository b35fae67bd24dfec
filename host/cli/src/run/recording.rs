use std::cell::RefCell;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use serde::Serialize;
use tiltyard_market::{Steps, Tape, TapeReport, format_time};
use tiltyard_model::tape::{Stamped, TapeEvent};
use tiltyard_model::{Digest, Digester, Nanos};

/// A recorded tape that was read once to its end: what it has, and what of it is played. It is read again when it is played, so
/// that no event of it is kept.
pub(super) struct Recording {
    path: PathBuf,
    symbol: String,
    /// The name of all its events.
    pub(super) digest: Digest,
    /// What was found in all of it.
    pub(super) report: TapeReport,
    pub(super) played: Played,
    /// The finest steps of what is played.
    pub(super) steps: Steps,
}

/// What of a tape is played.
#[derive(Debug, Clone, Default)]
pub(super) struct Played {
    /// When the first and the last event were received.
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) counts: Counts,
}

/// Events by kind.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) quotes: u64,
    pub(super) trades: u64,
    pub(super) depth: u64,
}

impl Played {
    fn add(&mut self, event: &Stamped) {
        if self.counts.events == 0 {
            self.first = event.received;
        }
        self.last = event.received;
        self.counts.events += 1;
        *match event.event {
            TapeEvent::Quote(_) => &mut self.counts.quotes,
            TapeEvent::Print(_) => &mut self.counts.trades,
            TapeEvent::Depth(_) => &mut self.counts.depth,
        } += 1;
    }
}

impl Recording {
    /// Reads a tape of a symbol, of which everything up to a time is played.
    pub(super) fn read(path: &Path, symbol: &str, to: Option<Nanos>) -> Result<Self> {
        let about = fs::metadata(path).with_context(|| format!("the tape {} cannot be read", path.display()))?;
        ensure!(about.is_file(), "{} is not a file; a tape is one, since it is read twice", path.display());
        let mut tape = Tape::read(path, symbol)?;
        let (mut digester, mut played, mut steps) = (Digester::default(), Played::default(), Steps::default());
        for event in tape.by_ref() {
            let event = event?;
            event.feed(&mut digester);
            if to.is_none_or(|to| event.received <= to) {
                steps.see(&event.event);
                played.add(&event);
            }
        }
        let report = tape.report().clone();
        let recording =
            Self { path: path.to_owned(), symbol: symbol.to_owned(), digest: digester.finish(), report, played, steps };
        recording.check(to)?;
        Ok(recording)
    }

    /// Whether there is anything to play.
    fn check(&self, to: Option<Nanos>) -> Result<()> {
        let (name, symbol, report) = (self.path.display(), &self.symbol, &self.report);
        let shows_a_book = self.played.counts.quotes > 0 || self.played.counts.depth > 0;
        match (to, report.first, report.last) {
            _ if shows_a_book => Ok(()),
            (Some(to), Some(first), Some(last)) if to < last => bail!(
                "{name} shows no bid or ask of {symbol} up to --to {}; it goes from {} to {}",
                format_time(to),
                format_time(first),
                format_time(last)
            ),
            _ => bail!(
                "{name} shows no bid or ask of {symbol}, so that no order could trade: it has no bookTicker, and {}; record \
                 bookTicker, or a snapshot after the depth stream has begun",
                match (report.frames.depth, report.frames.snapshots) {
                    (0, 0) => "no depth".to_owned(),
                    (depth, 0) => format!("no snapshot for its {depth} frames of depth"),
                    (depth, snapshots) => format!("no use of {snapshots} snapshots and {depth} frames of depth"),
                }
            ),
        }
    }

    /// The events that are played, once more. What keeps the file from being read to there again ends them, and is left in `broken`.
    pub(super) fn events(&self, broken: &Rc<RefCell<Option<Error>>>) -> Result<impl Iterator<Item = Stamped> + use<>> {
        let mut tape = Tape::read(&self.path, &self.symbol)?;
        let mut left = self.played.counts.events;
        let (name, broken) = (self.path.display().to_string(), Rc::clone(broken));
        Ok(iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let error = match tape.next() {
                Some(Ok(event)) => return Some(event),
                Some(Err(error)) => error.into(),
                None => anyhow!("{name} has become shorter while it was played; play a file that nobody changes"),
            };
            broken.replace(Some(error));
            None
        }))
    }
}
