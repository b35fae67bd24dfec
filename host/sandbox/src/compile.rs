//! Compilation, in a child process: a compiler may be driven to use any amount of memory and time, and only a process
//! can be stopped from outside.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use tiltyard_model::{Digest, shown};

use crate::engine::{Mode, compatibility, compiling_engine};

/// What the compiling child may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space in bytes. Default 4 GiB.
    pub memory_bytes: u64,
    /// Processor time in seconds. Default 60.
    pub cpu_seconds: u64,
    /// Time by the wall clock. Default 120 s.
    pub wall: Duration,
    /// Compiled code in bytes. Default 512 MiB.
    pub output_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { memory_bytes: 4 << 30, cpu_seconds: 60, wall: Duration::from_secs(120), output_bytes: 512 << 20 }
    }
}

/// Why an admitted component was not compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The child could not be started or spoken to.
    #[error("the compiling process `{}` cannot be run or spoken to", .program.display())]
    Process {
        /// The program that was to compile.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It took too long.
    #[error("compiling took longer than the limit of {limit:?}; build with `tiltyard build`, or raise the limit")]
    Wall {
        /// The limit.
        limit: Duration,
    },
    /// It used too much processor time.
    #[error(
        "compiling used more than {limit_seconds} s of processor time; build with `tiltyard build`, or raise the limit"
    )]
    Cpu {
        /// The limit in seconds.
        limit_seconds: u64,
    },
    /// It died, most likely for want of memory.
    #[error(
        "the compiling process died ({status}), most likely at its limit of {limit_bytes} bytes of memory; build with \
         `tiltyard build`, or raise the limit"
    )]
    Died {
        /// How.
        status: String,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The compiler refused.
    #[error("the compiler refused the component: {message}")]
    Refused {
        /// Why, in its words.
        message: String,
    },
    /// More compiled code than there may be.
    #[error("the compiled code is larger than the limit of {limit_bytes} bytes")]
    Output {
        /// The limit.
        limit_bytes: u64,
    },
}

/// Compiles by running a program of ours as a child: `PROGRAM ARGS… MODE MEMORY CPU ENGINE`, component on standard input, code
/// on standard output. The program must call [`compile_worker`] with what follows `ARGS`.
#[derive(Debug, Clone)]
pub struct Compiler {
    program: PathBuf,
    args: Vec<OsString>,
    limits: CompileLimits,
}

/// Exit code of a child that could not compile, and says why on standard error.
const REFUSED: u8 = 3;

impl Compiler {
    /// Compiles with this program, called with these arguments first.
    #[must_use]
    pub fn new(program: PathBuf, args: Vec<OsString>, limits: CompileLimits) -> Self {
        Self { program, args, limits }
    }

    /// Compiles a component that was admitted, for the engine that has this digest.
    ///
    /// # Errors
    /// When the child cannot be run, exceeds a limit or refuses.
    pub(crate) fn compile(&self, component: &[u8], mode: Mode, engine: Digest) -> Result<Vec<u8>, CompileError> {
        let process = |source| CompileError::Process { program: self.program.clone(), source };
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .arg(mode_name(mode))
            .args([self.limits.memory_bytes, self.limits.cpu_seconds].map(|limit| limit.to_string()))
            .arg(engine.to_string())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(process)?;
        let talked = self.talk(&mut child, component);
        // Whatever happened, no child is left behind. One that has ended already cannot be killed, and need not be.
        let _ = child.kill();
        let status = child.wait().map_err(process)?;
        let (code, complaint) = talked?;
        if code.len() as u64 > self.limits.output_bytes {
            return Err(CompileError::Output { limit_bytes: self.limits.output_bytes });
        }
        if complaint.ended && status.success() {
            return Ok(code);
        }
        if status.code() == Some(i32::from(REFUSED)) {
            return Err(CompileError::Refused { message: shown(complaint.text.trim(), 500) });
        }
        if is_signal(status, Signal::XCPU) {
            return Err(CompileError::Cpu { limit_seconds: self.limits.cpu_seconds });
        }
        Err(CompileError::Died { status: status.to_string(), limit_bytes: self.limits.memory_bytes })
    }

    /// Feeds the child and takes what it answers, until it closes its output or the time is up.
    fn talk(&self, child: &mut Child, component: &[u8]) -> Result<(Vec<u8>, Complaint), CompileError> {
        let process = |source| CompileError::Process { program: self.program.clone(), source };
        let missing = || process(io::Error::other("a pipe is missing"));
        let mut stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let most = self.limits.output_bytes + 1;
        thread::scope(|scope| {
            // A child that dies early does not read to the end; why it died is told by how it ended.
            scope.spawn(move || _ = stdin.write_all(component));
            let complaints = scope.spawn(move || {
                let mut text = Vec::new();
                let ended = stderr.take(64 << 10).read_to_end(&mut text).is_ok();
                Complaint { text: String::from_utf8_lossy(&text).into_owned(), ended }
            });
            let (sender, receiver) = mpsc::channel();
            scope.spawn(move || {
                let mut code = Vec::new();
                let read = stdout.take(most).read_to_end(&mut code).map(|_| code);
                // Nobody listens any more once the time is up.
                let _ = sender.send(read);
            });
            let code = match receiver.recv_timeout(self.limits.wall) {
                Ok(read) => read.map_err(process),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    Err(CompileError::Wall { limit: self.limits.wall })
                }
            };
            if code.is_err() || code.as_ref().is_ok_and(|code| code.len() as u64 == most) {
                // Closes the pipes, so that the threads end.
                let _ = child.kill();
            }
            let complaint = complaints.join().unwrap_or_default();
            Ok((code?, complaint))
        })
    }
}

#[derive(Default)]
struct Complaint {
    text: String,
    ended: bool,
}

fn is_signal(status: std::process::ExitStatus, signal: Signal) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(signal.as_raw())
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Event => "event",
        Mode::Screen => "screen",
    }
}

/// The child's side: reads a component on standard input, compiles it under the limits in `args`, writes the code to
/// standard output. Call it from a program that does nothing else, with what [`Compiler`] appended to its arguments.
///
/// Returns 0, or another code after saying why on standard error.
#[must_use]
pub fn compile_worker(args: &[String]) -> ExitCode {
    match work(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Standard error may be closed; the exit code tells enough then.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(REFUSED)
        }
    }
}

fn work(args: &[String]) -> Result<(), String> {
    let [mode, memory, cpu, wanted] = args else {
        return Err("this verb is called by tiltyard itself: MODE MEMORY CPU ENGINE".to_owned());
    };
    let mode = [Mode::Event, Mode::Screen]
        .into_iter()
        .find(|known| mode_name(*known) == mode)
        .ok_or_else(|| format!("`{mode}` is no mode"))?;
    let number = |text: &String| text.parse::<u64>().map_err(|error| format!("`{text}`: {error}"));
    let (memory, cpu) = (number(memory)?, number(cpu)?);
    limit(Resource::As, memory, memory)?;
    // At the first a signal comes that tells what happened, at the second one that does not.
    limit(Resource::Cpu, cpu, cpu.saturating_add(1))?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(|error| error.to_string())?;
    let engine = compiling_engine(mode).map_err(|error| format!("{error:#}"))?;
    if compatibility(&engine).to_string() != *wanted {
        return Err(
            "the program was replaced while it ran, and compiles for another engine now; start it again".to_owned()
        );
    }
    let code = engine.precompile_component(&component).map_err(|error| format!("{error:#}"))?;
    io::stdout().write_all(&code).map_err(|error| error.to_string())
}

fn limit(resource: Resource, soft: u64, hard: u64) -> Result<(), String> {
    setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
        .map_err(|error| format!("limiting {resource:?} to {soft}: {error}"))
}
