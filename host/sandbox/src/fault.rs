use std::fmt;

use serde::Serialize;
use tiltyard_model::shown;
use wasmtime::{Trap, WasmBacktrace};

/// Why a sandbox stopped: which limit or trap, in which call, with the guest's function names.
///
/// After a fault the instance's memory is gone and it answers no more calls; nothing else is affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// The call that was running, such as `on-bar`, or `instantiate`.
    pub during: &'static str,
    /// The guest's functions from the innermost outwards, at most [`Fault::MAX_FRAMES`].
    pub frames: Vec<String>,
}

/// What a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One call.
    Call,
    /// The whole run.
    Run,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "a call like this",
            Self::Run => "the run",
        })
    }
}

/// What stopped a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FaultKind {
    /// Computed too long.
    #[error("out of fuel: the limit is {limit} for {}; compute less, or raise the limit", .scope)]
    OutOfFuel {
        /// Of a call or of the run.
        scope: Scope,
        /// The limit.
        limit: u64,
    },
    /// Wanted more memory than it may have.
    #[error("out of memory: {wanted} bytes wanted, the limit is {limit}; keep less, or raise the limit")]
    Memory {
        /// Bytes it would have had.
        wanted: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Wanted a larger table than it may have.
    #[error("table too large: {wanted} elements wanted, the limit is {limit}; keep less, or raise the limit")]
    Table {
        /// Elements it would have had.
        wanted: usize,
        /// The limit.
        limit: usize,
    },
    /// Recursed too deeply.
    #[error("stack overflow: calls are nested too deeply; recurse less")]
    StackOverflow,
    /// Took longer than the deadline by the wall clock.
    #[error("deadline passed: a call may last {ticks} ticks of the host; compute less, or raise the limit")]
    Deadline {
        /// The limit.
        ticks: u64,
    },
    /// Handed too much to the host in one call.
    #[error("too much data for the host in one call: the limit is {limit} bytes; hand over less at a time")]
    HostCallBytes {
        /// The limit.
        limit: usize,
    },
    /// Held too many handles.
    #[error("too many handles: the limit is {limit}; drop what is no longer used")]
    Handles {
        /// The limit.
        limit: usize,
    },
    /// Wrote too much.
    #[error("log flood: the limit is {limit} {unit} in a run; say less, or raise the limit")]
    Log {
        /// The limit.
        limit: u64,
        /// Lines or bytes.
        unit: &'static str,
    },
    /// Asked for too much.
    #[error("request flood: the limit is {limit} orders and timers in {scope}; ask for less, or raise the limit")]
    Requests {
        /// In a call or in the run.
        scope: Scope,
        /// The limit.
        limit: u64,
    },
    /// Panicked, and said why.
    #[error("panic: {message}")]
    Panic {
        /// What the guest wrote.
        message: String,
    },
    /// Executed something that has no result.
    #[error("trap: {trap}")]
    Trap {
        /// What, in wasmtime's words.
        trap: String,
    },
    /// Ended itself.
    #[error("called exit({code}); a strategy runs as long as its host wants it to")]
    Exit {
        /// 0 or 1: that is all WASI tells.
        code: u8,
    },
    /// Tried to wait for time to pass.
    #[error("tried to sleep; market time passes only between calls, use a timer")]
    Sleep,
    /// Called an import where none may be called.
    #[error("called `{import}` where nothing may be called")]
    ImportRefused {
        /// The import.
        import: &'static str,
    },
    /// The host could not do its part; the guest is not to blame, and may be run again.
    #[error("the host failed: {detail}")]
    Host {
        /// How.
        detail: String,
    },
    /// Answered with something that the contract does not allow.
    #[error("broke the contract: {detail}")]
    Contract {
        /// How.
        detail: String,
    },
}

impl Fault {
    /// Frames kept of a backtrace.
    pub const MAX_FRAMES: usize = 16;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (in {}", self.kind, self.during)?;
        if let Some(innermost) = self.frames.first() {
            write!(f, ", at {innermost}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Fault {}

/// A fault that a host function or a limiter raises; it travels through wasmtime as an error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Raised(pub(crate) FaultKind);

/// What is known of a call besides the error that ended it.
pub(crate) struct Circumstances<'a> {
    pub(crate) during: &'static str,
    pub(crate) fuel: (Scope, u64),
    pub(crate) deadline_ticks: Option<u64>,
    pub(crate) host_call_bytes: usize,
    pub(crate) handles: usize,
    /// What the guest wrote to standard error in this call.
    pub(crate) stderr: &'a str,
}

impl Fault {
    pub(crate) fn new(error: &wasmtime::Error, circumstances: &Circumstances<'_>) -> Self {
        let frames = error
            .downcast_ref::<WasmBacktrace>()
            .map(|backtrace| {
                let names = backtrace.frames().iter().map(frame_name);
                names.skip_while(|name| is_panic_machinery(name)).take(Self::MAX_FRAMES).collect()
            })
            .unwrap_or_default();
        Self { kind: classify(error, circumstances), during: circumstances.during, frames }
    }
}

fn frame_name(frame: &wasmtime::FrameInfo) -> String {
    match frame.func_name() {
        // A name may be as long as the component; 200 characters of it tell enough.
        Some(name) => shown(&format!("{:#}", rustc_demangle::demangle(&shown(name, 1_000))), 200),
        None => format!("function {}", frame.func_index()),
    }
}

/// Functions of a guest's standard library that only carry a panic from where it happened to where it ends.
fn is_panic_machinery(name: &str) -> bool {
    name == "abort"
        || ["std::panicking", "core::panicking", "core::option::", "core::result::", "std::sys", "std::process"]
            .iter()
            .chain(&["__rustc::", "rust_panic", "rust_begin_unwind"])
            .any(|prefix| name.starts_with(prefix))
}

fn classify(error: &wasmtime::Error, circumstances: &Circumstances<'_>) -> FaultKind {
    if let Some(Raised(kind)) = error.downcast_ref() {
        return kind.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            let (scope, limit) = circumstances.fuel;
            return FaultKind::OutOfFuel { scope, limit };
        }
        Some(Trap::StackOverflow) => return FaultKind::StackOverflow,
        Some(Trap::Interrupt) => {
            return FaultKind::Deadline { ticks: circumstances.deadline_ticks.unwrap_or_default() };
        }
        Some(Trap::UnreachableCodeReached) => {
            if let Some(message) = panic_message(circumstances.stderr) {
                return FaultKind::Panic { message };
            }
        }
        _ => {}
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return FaultKind::Trap { trap: trap.to_string().trim_start_matches("wasm trap: ").to_owned() };
    }
    // What remains are the canonical ABI's own checks (text that is not UTF-8, lists beyond memory and the like), for
    // which wasmtime has texts but no types. Two of them are limits of ours.
    let detail = shown(&error.root_cause().to_string(), 500);
    if detail.contains("fuel allocated for hostcalls") {
        return FaultKind::HostCallBytes { limit: circumstances.host_call_bytes };
    }
    if detail.contains("handle") && detail.contains("limit") {
        return FaultKind::Handles { limit: circumstances.handles };
    }
    FaultKind::Contract { detail }
}

/// What a Rust guest writes when it panics, without the advice around it.
fn panic_message(stderr: &str) -> Option<String> {
    let (_, message) = stderr.split_once("panicked at ")?;
    let message = message.split("\nnote: ").next().unwrap_or(message);
    Some(shown(&message.trim().replacen(":\n", ": ", 1).replace('\n', " "), 1_000))
}

#[cfg(test)]
mod tests {
    use super::panic_message;

    #[test]
    fn a_panic_is_told_in_one_line() {
        let stderr = "\nthread '<unnamed>' (1) panicked at src/lib.rs:51:24:\nthe sky\nis falling\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(panic_message(stderr).as_deref(), Some("src/lib.rs:51:24: the sky is falling"));
        assert_eq!(panic_message("nothing of the sort"), None);
    }
}
