use tiltyard_model::{Desk, Level, Random, shown};
use wasmtime::ResourceLimiter;

use crate::fault::{FaultKind, Raised, Scope};
use crate::limits::Limits;

/// Longest line that is logged, in bytes. What is printed goes on in the next line, what is logged is cut.
const LINE: usize = 2 << 10;
/// Longest name of a metric or annotation, in bytes.
const NAME: usize = 200;
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
    requests_in_call: u32,
    requests_in_run: u64,
    timers: u32,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    stderr_of_call: Vec<u8>,
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
            requests_in_call: 0,
            requests_in_run: 0,
            timers: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stderr_of_call: Vec::new(),
        }
    }

    /// The desk, if one is lent.
    pub(crate) fn desk(&mut self, import: &'static str) -> Result<&mut D, Raised> {
        self.desk.as_mut().ok_or(Raised(FaultKind::ImportRefused { import }))
    }

    /// Prepares for a call, in which orders may be sent or not.
    pub(crate) fn begin(&mut self, may_order: bool) {
        self.may_order = may_order;
        self.requests_in_call = 0;
        self.stderr_of_call.clear();
    }

    /// Ends a call: what was printed without a line's end becomes a line.
    pub(crate) fn end(&mut self) -> Result<(), Raised> {
        for stream in [Stream::Out, Stream::Err] {
            if !self.printed(stream).is_empty() {
                self.log_printed(stream, usize::MAX)?;
            }
        }
        Ok(())
    }

    pub(crate) fn stderr_of_call(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr_of_call)
    }

    /// Counts a request to `orders` or `timers`.
    pub(crate) fn count_request(&mut self) -> Result<(), Raised> {
        self.requests_in_call += 1;
        self.requests_in_run += 1;
        let call = Some(u64::from(self.limits.requests_per_call));
        for (used, limit, scope) in [
            (u64::from(self.requests_in_call), call, Scope::Call),
            (self.requests_in_run, self.limits.requests_per_run, Scope::Run),
        ] {
            if let Some(limit) = limit.filter(|limit| used > *limit) {
                return Err(Raised(FaultKind::Requests { scope, limit }));
            }
        }
        Ok(())
    }

    /// Whether this call may send orders.
    pub(crate) fn check_may_order(&self, import: &'static str) -> Result<(), Raised> {
        if self.may_order { Ok(()) } else { Err(Raised(FaultKind::ImportRefused { import })) }
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
    fn count_line(&mut self, bytes: usize) -> Result<(), Raised> {
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
        let line = shown(message, LINE);
        self.count_line(line.len())?;
        self.desk("journal.log")?.log(level, &line);
        Ok(())
    }

    /// Records a number under a name.
    pub(crate) fn metric(&mut self, name: &str, value: f64) -> Result<(), Raised> {
        let name = shown(name, NAME);
        self.count_line(name.len())?;
        self.desk("journal.metric")?.metric(&name, value);
        Ok(())
    }

    /// Adds a key and a value to the decision being recorded.
    pub(crate) fn annotate(&mut self, key: &str, value: &str) -> Result<(), Raised> {
        let (key, value) = (shown(key, NAME), shown(value, LINE));
        self.count_line(key.len() + value.len())?;
        self.desk("journal.annotate")?.annotate(&key, &value);
        Ok(())
    }

    /// Takes what the guest prints; each full line is logged.
    pub(crate) fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Raised> {
        if matches!(stream, Stream::Err) {
            let room = STDERR.saturating_sub(self.stderr_of_call.len());
            self.stderr_of_call.extend_from_slice(&bytes[..room.min(bytes.len())]);
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = match piece.split_last() {
                Some((b'\n', piece)) => (piece, true),
                _ => (piece, false),
            };
            // Escapes make a line longer, so that it is cut well before the limit of a logged one.
            for part in piece.chunks(LINE / 2) {
                self.printed(stream).extend_from_slice(part);
                if self.printed(stream).len() > LINE / 2 {
                    self.log_printed(stream, LINE / 2)?;
                }
            }
            if ends {
                self.log_printed(stream, usize::MAX)?;
            }
        }
        Ok(())
    }

    /// Logs the first bytes of what was printed, up to a character's border.
    fn log_printed(&mut self, stream: Stream, most: usize) -> Result<(), Raised> {
        let printed = self.printed(stream);
        let mut end = most.min(printed.len());
        if end < printed.len() {
            // At most three bytes back stands the beginning of a character.
            end = (end - 3..=end).rev().find(|at| printed[*at] & 0xc0 != 0x80).unwrap_or(end);
        }
        let line: Vec<u8> = printed.drain(..end).collect();
        let level = if matches!(stream, Stream::Err) { Level::Warn } else { Level::Info };
        self.log(level, &String::from_utf8_lossy(&line))
    }

    fn printed(&mut self, stream: Stream) -> &mut Vec<u8> {
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
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A memory's own maximum is between the guest and itself: growth answers -1.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        let limit = self.limits.memory_bytes;
        if wanted > limit {
            return Err(Raised(FaultKind::Memory { wanted, limit }).into());
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // Also told when growth is beyond what the type of a memory can hold; that is answered with -1 as well.
        if error.to_string().contains("type's limits") {
            return Ok(());
        }
        Err(Raised(FaultKind::Host { detail: shown(&error.to_string(), 300) }).into())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.table_elements.saturating_add(desired.saturating_sub(current));
        let limit = self.limits.table_elements;
        // The other way round than above: the maximum of a table without one of its own is the pool's.
        if wanted > limit {
            return Err(Raised(FaultKind::Table { wanted, limit }).into());
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.table_elements = wanted;
        Ok(true)
    }
}
