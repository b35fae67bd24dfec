//! Recorded frames of Binance's streams, read into exact events.

mod depth;
mod error;
mod frame;
mod head;
mod line;
mod number;
mod report;

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tiltyard_model::tape::{Stamped, TapeEvent};
use tiltyard_model::{Nanos, shown};

use depth::{Change, Depth, Market};
use frame::{Frame, Trade};
use head::{Head, Kind};
use line::{LineError, Lines};

pub use error::{FrameFlaw, TapeError};
pub use report::{FrameCounts, TapeReport};

/// How a recording is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeOptions {
    /// Most bytes of a line.
    pub line_bytes: usize,
    /// What becomes of lines that cannot be read.
    pub damaged: DamagedLines,
}

/// What becomes of lines that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamagedLines {
    /// The first one ends the tape with an error.
    Refused,
    /// They are counted. If depth was on one, the book is not known until the next snapshot; missing trades are counted too.
    LeftOut,
}

impl Default for TapeOptions {
    /// 16 MiB a line, where the deepest snapshot takes less than 1; damaged lines are refused.
    fn default() -> Self {
        Self { line_bytes: 16 << 20, damaged: DamagedLines::Refused }
    }
}

/// The events of a recording, one after the other.
///
/// A recording has one frame a line: the time at which it was received, in nanoseconds since 1970, a space, and the JSON as it came;
/// plain or gzipped. Spot and USD-M futures are told apart by `pu`, frames may be inside `{"stream","data"}` or bare.
///
/// | frame | event |
/// |---|---|
/// | `bookTicker` | `Quote` |
/// | `trade`; `aggTrade` | `Print`, of whichever of the two comes first: together they would tell every trade twice |
/// | `depthUpdate` | `Depth`, if it continues a book that is known |
/// | the REST snapshot, as it is or with its stream | `Depth` that is whole, then the frames that waited for it, at its own time |
/// | others | none; counted |
///
/// Depth follows the venue's rules. A snapshot holds as of `lastUpdateId`; what it contains is dropped; the first frame after it has to
/// go on from there; then on spot `U` is at most the last `u` + 1, on USD-M `pu` is the last `u`. Where depth is missing, the tape has
/// [`DepthChange::unknown`](tiltyard_model::tape::DepthChange::unknown), and no depth before the next snapshot that can be followed.
/// Streams of the best levels only (`depth20@100ms`) are not used; bare frames do not name their stream, so that such a stream must not
/// be recorded bare.
///
/// Memory does not grow with the recording: a line, and depth that waits for a snapshot. After an error there are no more events.
pub struct Tape {
    name: String,
    symbol: String,
    lines: Lines,
    damaged: DamagedLines,
    depth: Depth,
    market: Option<Market>,
    prints: Option<Prints>,
    /// Another symbol that the recording has.
    other: Option<String>,
    has_nameless_snapshot: bool,
    ready: VecDeque<Stamped>,
    has_ended: bool,
    report: TapeReport,
}

/// Where prints are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prints {
    are_aggregate: bool,
    /// The number that the next one has if none is missing.
    next: u64,
}

impl Tape {
    /// Begins to read a recording of a symbol, such as `BTCUSDT`, with the default [`TapeOptions`].
    ///
    /// # Errors
    /// [`TapeError::Io`] if the file cannot be opened.
    pub fn read(path: &Path, symbol: &str) -> Result<Self, TapeError> {
        let name = shown(&path.to_string_lossy(), 300);
        match File::open(path) {
            Ok(file) => Self::read_from(&name, file, symbol, TapeOptions::default()),
            Err(error) => Err(TapeError::Io { name, line: 0, error }),
        }
    }

    /// Begins to read a recording of a symbol. `name` is used in messages.
    ///
    /// # Errors
    /// [`TapeError::Io`] if not even the first bytes can be read.
    pub fn read_from(
        name: &str,
        source: impl Read + Send + 'static,
        symbol: &str,
        options: TapeOptions,
    ) -> Result<Self, TapeError> {
        let name = name.to_owned();
        let lines = match Lines::new(source, options.line_bytes) {
            Ok(lines) => lines,
            Err(error) => return Err(TapeError::Io { name, line: 0, error }),
        };
        Ok(Self {
            name,
            symbol: symbol.to_ascii_uppercase(),
            lines,
            damaged: options.damaged,
            depth: Depth::new(),
            market: None,
            prints: None,
            other: None,
            has_nameless_snapshot: false,
            ready: VecDeque::new(),
            has_ended: false,
            report: TapeReport::default(),
        })
    }

    /// What has been found so far; everything, once there are no more events.
    #[must_use]
    pub fn report(&self) -> &TapeReport {
        &self.report
    }

    /// Reads a line; false at the end of the recording.
    fn read_line(&mut self) -> Result<bool, TapeError> {
        let line = match self.lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return self.end(),
            Err(error) => return Err(self.unreadable(error)),
        };
        self.report.lines += 1;
        let read = line::split(line).and_then(|(received, json)| {
            let head: Head<'_> = serde_json::from_slice(json).map_err(|error| FrameFlaw::json(&error))?;
            if let Kind::Other(kind) = head.kind() {
                self.report.frames.add_other(kind);
                return Ok((received, None));
            }
            if let Some(symbol) = head.symbol().filter(|symbol| !symbol.eq_ignore_ascii_case(&self.symbol)) {
                self.other.get_or_insert_with(|| shown(symbol, 40));
                self.report.frames.other_symbols += 1;
                return Ok((received, None));
            }
            self.has_nameless_snapshot |= head.kind() == Kind::Snapshot && head.symbol().is_none();
            Ok((received, frame::read(json, &head)?))
        });
        match read {
            Ok((received, frame)) => {
                if let (true, Some(other)) = (self.has_nameless_snapshot, &self.other) {
                    return Err(TapeError::WhoseSnapshot {
                        name: self.name.clone(),
                        line: self.lines.count,
                        symbol: self.symbol.clone(),
                        other: other.clone(),
                    });
                }
                let received = self.tick(received);
                frame.map_or(Ok(()), |frame| self.take(received, frame))?;
            }
            Err(flaw) if self.damaged == DamagedLines::Refused => {
                return Err(TapeError::Line { name: self.name.clone(), line: self.lines.count, flaw });
            }
            Err(_) => self.report.damaged_lines += 1,
        }
        Ok(true)
    }

    /// The time at which a frame counts as received: never before that of the frame before.
    fn tick(&mut self, received: Nanos) -> Nanos {
        self.report.first.get_or_insert(received);
        let last = *self.report.last.get_or_insert(received);
        if received < last {
            self.report.clock_steps_back += 1;
            self.report.largest_step_back = self.report.largest_step_back.max(last - received);
        }
        *self.report.last.insert(last.max(received))
    }

    fn take(&mut self, received: Nanos, frame: Frame) -> Result<(), TapeError> {
        let frames = &mut self.report.frames;
        match frame {
            Frame::Quote { update, happened, quote } => {
                frames.quotes += 1;
                let event = TapeEvent::Quote(quote);
                self.ready.push_back(Stamped { received, happened, update: Some(update), event });
            }
            Frame::Trade(trade) => {
                frames.trades += 1;
                self.take_trade(received, &trade, false);
            }
            Frame::AggregateTrade(trade) => {
                frames.aggregate_trades += 1;
                self.take_trade(received, &trade, true);
            }
            Frame::Depth(depth) => {
                frames.depth += 1;
                let before = *self.market.get_or_insert(depth.market);
                if before != depth.market {
                    return Err(TapeError::Markets {
                        name: self.name.clone(),
                        line: self.lines.count,
                        found: depth.market.name(),
                        before: before.name(),
                    });
                }
                let change = self.depth.frame(depth, &mut self.report);
                self.ready.extend(change.map(|change| stamped(received, change)));
            }
            Frame::Snapshot(snapshot) => {
                frames.snapshots += 1;
                let changes = self.depth.snapshot(snapshot, &mut self.report);
                self.ready.extend(changes.into_iter().map(|change| stamped(received, change)));
            }
            Frame::MarkPrice => frames.mark_prices += 1,
        }
        Ok(())
    }

    fn take_trade(&mut self, received: Nanos, trade: &Trade, is_aggregate: bool) {
        let prints = self.prints.get_or_insert(Prints { are_aggregate: is_aggregate, next: trade.id });
        if prints.are_aggregate != is_aggregate {
            self.report.twice_told_trades += 1;
            return;
        }
        let Some(missing) = trade.id.checked_sub(prints.next) else {
            self.report.repeated_trades += 1;
            return;
        };
        self.report.missing_trades = self.report.missing_trades.saturating_add(missing);
        prints.next = trade.id.saturating_add(1);
        match trade.print {
            Some(print) => {
                let event = TapeEvent::Print(print);
                self.ready.push_back(Stamped { received, happened: trade.happened, update: None, event });
            }
            None => self.report.off_book_trades += 1,
        }
    }

    fn end(&self) -> Result<bool, TapeError> {
        if self.report.frames.of_symbol() > 0 {
            return Ok(false);
        }
        Err(TapeError::Nothing { name: self.name.clone(), symbol: shown(&self.symbol, 40), other: self.other.clone() })
    }

    fn unreadable(&self, error: LineError) -> TapeError {
        let (name, line) = (self.name.clone(), self.lines.count);
        match error {
            LineError::TooLong => TapeError::LongLine { name, line, limit: self.lines.longest() },
            LineError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => TapeError::CutShort { name, line },
            LineError::Io(error) => TapeError::Io { name, line, error },
        }
    }
}

fn stamped(received: Nanos, change: Change) -> Stamped {
    let Change { update, happened, change } = change;
    Stamped { received, happened, update, event: TapeEvent::Depth(change) }
}

impl Iterator for Tape {
    type Item = Result<Stamped, TapeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.report.events += 1;
                return Some(Ok(event));
            }
            if self.has_ended {
                return None;
            }
            match self.read_line() {
                Ok(true) => {}
                Ok(false) => self.has_ended = true,
                Err(error) => {
                    self.has_ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("name", &self.name)
            .field("symbol", &self.symbol)
            .field("report", &self.report)
            .finish()
    }
}
