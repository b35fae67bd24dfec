use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tiltyard_model::shown;

use crate::talk::{End, Talk};
use crate::{Answer, Document, Hook, HookFailure};

/// Most that a program may write to standard output, and to standard error, in bytes: 64 KiB.
pub const MOST_OUTPUT: usize = 64 << 10;

/// Most of what a program wrote to standard error that a failure repeats, in bytes.
const MOST_COMPLAINT: usize = 500;

/// A hook that is a program.
///
/// It is started anew for every document, in the folder `/`, with the configured environment and nothing else of the
/// host's, and leads a process group of its own. It reads the document on standard input to its end, and has to end with
/// code 0 before the deadline, with an [`Answer`] on standard output. What counts is what was written when the program itself
/// ends. Then, and at the deadline, its whole group is killed; only a child that left the group lives on, and nobody waits
/// for that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    name: String,
    program: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    deadline: Duration,
}

impl Executable {
    /// A program by its absolute path, its arguments, its whole environment, and how long it may take.
    #[must_use]
    pub fn new(
        program: impl Into<String>,
        arguments: Vec<String>,
        environment: BTreeMap<String, String>,
        deadline: Duration,
    ) -> Self {
        let program = program.into();
        Self { name: shown(&program, 200), program, arguments, environment, deadline }
    }

    fn run(&self, input: &[u8]) -> Result<Answer, HookFailure> {
        let start = Instant::now();
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| HookFailure::NotStarted { problem: error.to_string() })?;
        let pid = Pid::from_child(&child);
        let talked = Talk::with(&mut child, MOST_OUTPUT)
            .and_then(|mut talk| talk.hold(pid, input, start, self.deadline).map(|end| (talk, end)));
        // Before it is reaped, so that the number still is its own. A group that has ended need not be killed.
        let _ = kill_process_group(pid, Signal::KILL);
        let status = child.wait();
        let cannot_talk = |error: io::Error| HookFailure::Talk { problem: error.to_string() };
        let (talk, end) = talked.map_err(cannot_talk)?;
        let status = status.map_err(cannot_talk)?;
        let complaint = || complaint(&talk.stderr.heard);
        match end {
            End::TooMuch(stream) => Err(HookFailure::TooMuch { stream, most: MOST_OUTPUT }),
            End::Late => Err(HookFailure::Late { deadline: self.deadline, complaint: complaint() }),
            End::Exited if !status.success() => {
                Err(HookFailure::Died { status: status.to_string(), complaint: complaint() })
            }
            End::Exited => Answer::read(&talk.stdout.heard),
        }
    }
}

impl Hook for Executable {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, document: &Document) -> Result<Answer, HookFailure> {
        let input = serde_json::to_vec(document)
            .map_err(|error| HookFailure::Talk { problem: shown(&error.to_string(), 200) })?;
        self.run(&input)
    }
}

/// The beginning of what was written to standard error, without what a terminal would obey.
fn complaint(heard: &[u8]) -> String {
    let beginning = &heard[..heard.len().min(MOST_COMPLAINT)];
    shown(String::from_utf8_lossy(beginning).trim(), MOST_COMPLAINT)
}
