//! What can be wrong with a recording.

use std::io;

/// What is wrong with one line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameFlaw {
    /// Nothing separates time and frame.
    #[error("no space in `{start}`; a line is the receive time in nanoseconds, a space, and the frame")]
    NoSpace {
        /// How the line begins.
        start: String,
    },
    /// A receive time in another unit, or none.
    #[error(
        "receive time `{text}` is not in whole nanoseconds since 1970, after 2010; write it like 1723161253937085768"
    )]
    ReceiveTime {
        /// What was written.
        text: String,
    },
    /// Not JSON, or not with the members that such a frame has.
    #[error("the frame at its byte {byte}: {message}; remove the line if it is damaged")]
    Json {
        /// What the parser says.
        message: String,
        /// Bytes of the frame that were read.
        byte: usize,
    },
    /// A frame that ends before it begins.
    #[error("{field} {first} is not before u {last}; a frame goes from its first update to its last: remove the line")]
    UpdateIds {
        /// `U` or `pu`.
        field: &'static str,
        /// Its value.
        first: u64,
        /// `u`.
        last: u64,
    },
    /// A price of 0 where somebody is, or a trade of nothing.
    #[error("`{field}` has a price or a quantity of 0, which nobody trades at; remove the line")]
    Zero {
        /// The member.
        field: &'static str,
    },
    /// A time that nanoseconds in 64 bits cannot hold.
    #[error("time {value} is out of range; times go to 2262-04-11: remove the line")]
    EventTime {
        /// What was written.
        value: u64,
    },
}

impl FrameFlaw {
    pub(super) fn json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // Frames have one line, so that the parser's place is the column alone.
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        Self::Json { message: tiltyard_model::shown(message, 300), byte: error.column() }
    }
}

/// Why a recording is not read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The system or the decompressor says no.
    #[error("{name} cannot be read after line {line}: {error}")]
    Io {
        /// The file.
        name: String,
        /// Lines read before.
        line: u64,
        /// What was said.
        error: io::Error,
    },
    /// Compressed data without an end: the recorder was stopped, or the file was not copied whole.
    #[error(
        "{name} ends in the middle of its gzip data, after line {line}; copy it again, or keep the whole lines that `gzip -dc` finds"
    )]
    CutShort {
        /// The file.
        name: String,
        /// Lines read before.
        line: u64,
    },
    /// A line without end.
    #[error("{name}, line {line} has more than {limit} bytes; is it a recording with one frame a line?")]
    LongLine {
        /// The file.
        name: String,
        /// The line, from 1.
        line: u64,
        /// [`TapeOptions::line_bytes`](crate::TapeOptions::line_bytes).
        limit: usize,
    },
    /// A line that cannot be read.
    #[error("{name}, line {line}: {flaw}")]
    Line {
        /// The file.
        name: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        flaw: FrameFlaw,
    },
    /// Depth of two markets, whose rules differ.
    #[error("{name}, line {line}: depth of {found} after depth of {before}; give a file for each")]
    Markets {
        /// The file.
        name: String,
        /// The line, from 1.
        line: u64,
        /// The market of this line.
        found: &'static str,
        /// The market of the lines before.
        before: &'static str,
    },
    /// A snapshot that may be any symbol's.
    #[error(
        "{name}, line {line}: frames of {other} and a snapshot that names no symbol; give a file with {symbol} alone"
    )]
    WhoseSnapshot {
        /// The file.
        name: String,
        /// The line that made it unclear, from 1.
        line: u64,
        /// The symbol that was asked for.
        symbol: String,
        /// Another one that the file has.
        other: String,
    },
    /// Nothing of the symbol.
    #[error("{name} has no frame of {symbol}{}; give its symbol, and a recording of Binance's streams",
        .other.as_ref().map(|other| format!(", but of {other}")).unwrap_or_default())]
    Nothing {
        /// The file.
        name: String,
        /// The symbol that was asked for.
        symbol: String,
        /// Another symbol that it has.
        other: Option<String>,
    },
}
