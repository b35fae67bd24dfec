use tiltyard_model::{Desk, Level};
use wasmtime::ResourceLimiter;

use crate::fault::{FaultKind, Raised};
use crate::limits::Limits;
use crate::text::shown;

/// Longest line that is logged, in bytes; a longer one goes on in the next.
const LINE: usize = 2 << 10;
/// What is kept of a call's standard error to find a panic's message in, in bytes.
const STDERR: usize = 4 << 10;

/// What belongs to one instance: the desk while it is lent, and what has been used so far.
pub(crate) struct Cell<D> {
    pub(crate) desk: Option<D>,
    pub(crate) limits: Limits,
    pub(crate) random: Random,
    memory_bytes: usize,
    table_elements: usize,
    log_lines: u64,
    log_bytes: u64,
    may_order: bool,
    orders: u32,
    timers: u32,
    stdout: String,
    stderr: String,
    stderr_of_call: String,
}

impl<D: Desk> Cell<D> {
    pub(crate) fn new(limits: Limits, seed: u64) -> Self {
        Self {
            desk: None,
            limits,
            random: Random(seed),
            memory_bytes: 0,
            table_elements: 0,
            log_lines: 0,
            log_bytes: 0,
            may_order: false,
            orders: 0,
            timers: 0,
            stdout: String::new(),
            stderr: String::new(),
            stderr_of_call: String::new(),
        }
    }

    /// The desk, if one is lent.
    pub(crate) fn desk(&mut self, import: &'static str) -> Result<&mut D, Raised> {
        self.desk.as_mut().ok_or(Raised(FaultKind::ImportRefused { import }))
    }

    /// Prepares for a call, in which orders may be sent or not.
    pub(crate) fn begin(&mut self, may_order: bool) {
        self.may_order = may_order;
        self.orders = 0;
        self.stderr_of_call.clear();
    }

    /// Ends a call: what was printed without a line's end becomes a line.
    pub(crate) fn end(&mut self) -> Result<(), Raised> {
        for (stream, level) in [(Stream::Out, Level::Info), (Stream::Err, Level::Warn)] {
            let rest = std::mem::take(self.buffer(stream));
            if !rest.is_empty() {
                self.log(level, &rest)?;
            }
        }
        Ok(())
    }

    pub(crate) fn stderr_of_call(&self) -> &str {
        &self.stderr_of_call
    }

    /// Counts a request to the `orders` interface.
    pub(crate) fn count_order(&mut self, import: &'static str) -> Result<(), Raised> {
        if !self.may_order {
            return Err(Raised(FaultKind::ImportRefused { import }));
        }
        let limit = self.limits.orders_per_call;
        if self.orders >= limit {
            return Err(Raised(FaultKind::Orders { limit }));
        }
        self.orders += 1;
        Ok(())
    }

    /// Whether one more timer may wait.
    pub(crate) fn may_set_timer(&self) -> bool {
        self.timers < self.limits.timers
    }

    pub(crate) fn timer_set(&mut self) {
        self.timers += 1;
    }

    pub(crate) fn timer_gone(&mut self) {
        self.timers = self.timers.saturating_sub(1);
    }

    /// Counts a line of this many bytes.
    pub(crate) fn count_line(&mut self, bytes: usize) -> Result<(), Raised> {
        self.log_lines += 1;
        self.log_bytes += bytes as u64;
        for (used, limit, unit) in
            [(self.log_lines, self.limits.log_lines, "lines"), (self.log_bytes, self.limits.log_bytes, "bytes")]
        {
            if let Some(limit) = limit.filter(|limit| used > *limit) {
                return Err(Raised(FaultKind::Log { limit, unit }));
            }
        }
        Ok(())
    }

    /// Logs a line, bounded and harmless.
    pub(crate) fn log(&mut self, level: Level, message: &str) -> Result<(), Raised> {
        self.count_line(message.len())?;
        let line = shown(message, LINE);
        self.desk("journal.log")?.log(level, &line);
        Ok(())
    }

    /// Takes what the guest prints; each full line is logged.
    pub(crate) fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Raised> {
        let text = String::from_utf8_lossy(bytes);
        if matches!(stream, Stream::Err) {
            let room = STDERR.saturating_sub(self.stderr_of_call.len());
            let fits = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            self.stderr_of_call.push_str(&text[..fits]);
        }
        let level = if matches!(stream, Stream::Err) { Level::Warn } else { Level::Info };
        for piece in text.split_inclusive('\n') {
            self.buffer(stream).push_str(piece.trim_end_matches('\n'));
            if piece.ends_with('\n') || self.buffer(stream).len() >= LINE {
                let line = std::mem::take(self.buffer(stream));
                self.log(level, &line)?;
            }
        }
        Ok(())
    }

    fn buffer(&mut self, stream: Stream) -> &mut String {
        match stream {
            Stream::Out => &mut self.stdout,
            Stream::Err => &mut self.stderr,
        }
    }
}

/// Where a guest prints.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl<D: Send> ResourceLimiter for Cell<D> {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        let limit = self.limits.memory_bytes;
        if wanted > limit {
            return Err(Raised(FaultKind::Memory { wanted, limit }).into());
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // A component's own maximum, below our limit, is between it and itself: growth answers -1. Failing to get
        // memory that was granted is not.
        if error.to_string().contains("type's limits") { Ok(()) } else { Err(error) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.table_elements.saturating_add(desired.saturating_sub(current));
        let limit = self.limits.table_elements;
        if wanted > limit {
            return Err(Raised(FaultKind::Table { wanted, limit }).into());
        }
        self.table_elements = wanted;
        Ok(true)
    }
}

/// Numbers that look random and follow from the run's seed alone.
///
/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(count);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn is_splitmix64() {
        // The first outputs for seed 1234567, as published with the reference implementation.
        let mut random = Random(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        assert_eq!(random.bytes(3).len(), 3);
    }
}
