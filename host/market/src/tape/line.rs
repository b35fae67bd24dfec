//! Lines of a recording, plain or gzipped, none of them longer than it may be.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use tiltyard_model::{Nanos, shown};

use super::FrameFlaw;
use crate::read::{GZIP, split_start};

/// Bytes that are asked of a file or a decompressor at once.
const BUFFER: usize = 1 << 16;

/// The receive time of a recording that is in nanoseconds is after this, 2010-01-01; in microseconds it would be in 1970.
const EARLIEST: i64 = 1_262_304_000_000_000_000;

/// Reads line by line.
pub(super) struct Lines {
    source: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    longest: usize,
    /// Lines read so far, blank ones too.
    pub(super) count: u64,
}

/// Why there is no next line.
#[derive(Debug)]
pub(super) enum LineError {
    Io(io::Error),
    TooLong,
}

impl Lines {
    pub(super) fn new(source: impl Read + Send + 'static, longest: usize) -> io::Result<Self> {
        let (start, rest) = split_start(source, GZIP.len())?;
        let is_gzip = start == GZIP;
        let whole = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(rest));
        let source: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        Ok(Self { source, line: Vec::new(), longest, count: 0 })
    }

    /// Most bytes of a line.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The next line without its end; blank ones are skipped. `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, LineError> {
        loop {
            self.line.clear();
            // The line, its end, and one byte that says that there is more.
            let most = (self.longest as u64).saturating_add(2);
            let read = self.source.by_ref().take(most).read_until(b'\n', &mut self.line).map_err(LineError::Io)?;
            if read == 0 {
                return Ok(None);
            }
            self.count += 1;
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            }
            if self.line.len() > self.longest {
                return Err(LineError::TooLong);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(self.line.trim_ascii_end()));
            }
        }
    }
}

/// The receive time of a line, and its frame.
pub(super) fn split(line: &[u8]) -> Result<(Nanos, &[u8]), FrameFlaw> {
    let start = |bytes: &[u8]| shown(&String::from_utf8_lossy(&bytes[..bytes.len().min(60)]), 60);
    let Some(at) = line.iter().position(|byte| *byte == b' ') else {
        return Err(FrameFlaw::NoSpace { start: start(line) });
    };
    let (time, frame) = (&line[..at], &line[at + 1..]);
    let digits = std::str::from_utf8(time).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|text| text.parse().ok()) {
        Some(time) if time >= EARLIEST => Ok((Nanos(time), frame)),
        _ => Err(FrameFlaw::ReceiveTime { text: start(time) }),
    }
}

#[cfg(test)]
mod tests {
    use super::{LineError, Lines, split};
    use crate::FrameFlaw;
    use tiltyard_model::Nanos;

    #[test]
    fn lines_come_without_their_ends_and_blank_ones_not_at_all() {
        let mut lines = Lines::new(&b"one\r\n\n \ntwo\nthree"[..], 5).unwrap();
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap().map(<[u8]>::to_vec) {
            read.push((line, lines.count));
        }
        assert_eq!(read, [(b"one".to_vec(), 1), (b"two".to_vec(), 4), (b"three".to_vec(), 5)]);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let mut lines = Lines::new(&b"12345\n12345"[..], 5).unwrap();
        assert_eq!(lines.next().unwrap(), Some(&b"12345"[..]));
        assert_eq!(lines.next().unwrap(), Some(&b"12345"[..]));
        for long in ["123456\n", "123456", "1234567"] {
            let mut lines = Lines::new(long.as_bytes(), 5).unwrap();
            assert!(matches!(lines.next(), Err(LineError::TooLong)), "{long:?}");
        }
    }

    #[test]
    fn a_line_is_a_time_in_nanoseconds_a_space_and_a_frame() {
        assert_eq!(split(b"1723161253937085768 {} "), Ok((Nanos(1_723_161_253_937_085_768), &b"{} "[..])));
        assert_eq!(
            split(b"1723161253937085768{}"),
            Err(FrameFlaw::NoSpace { start: "1723161253937085768{}".to_owned() })
        );
        for time in [
            "",
            "1723161253937",
            "1723161253937085",
            "-1723161253937085768",
            "99999999999999999999",
            "1.7e18",
            "\u{ff11}",
        ] {
            let found = split(format!("{time} {{}}").as_bytes()).unwrap_err();
            assert_eq!(found, FrameFlaw::ReceiveTime { text: time.to_owned() }, "{time}");
        }
    }
}
