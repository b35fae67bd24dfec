use std::time::Duration;

/// Why a hook gave no answer. Texts of the program's own are bounded, and their control characters are escapes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookFailure {
    /// The program could not be started.
    #[error("the program cannot be started: {problem}; check the path, and that it is executable")]
    NotStarted {
        /// What the system says.
        problem: String,
    },
    /// It did not end in time, and was killed with all that it had started.
    #[error("no answer within {deadline:?}{}", said(complaint))]
    Late {
        /// The deadline.
        deadline: Duration,
        /// The beginning of what it wrote to standard error.
        complaint: String,
    },
    /// It ended with an exit code other than 0, or by a signal. What it answered does not count then.
    #[error("the program failed ({status}){}", said(complaint))]
    Died {
        /// How it ended.
        status: String,
        /// The beginning of what it wrote to standard error.
        complaint: String,
    },
    /// It wrote more than may be read, and was killed.
    #[error("the program wrote more than {most} bytes to {stream}; write one short JSON document")]
    TooMuch {
        /// `standard output` or `standard error`.
        stream: &'static str,
        /// The limit in bytes.
        most: usize,
    },
    /// It ended well without an answer.
    #[error("the program wrote no answer; it has to write {{\"allow\": …, \"reason\": …}} to standard output")]
    NoAnswer,
    /// What it wrote is no answer.
    #[error("the answer is not {{\"allow\": …, \"reason\": …}}: {problem}; it begins with `{output}`")]
    Unreadable {
        /// What is wrong with it.
        problem: String,
        /// Its beginning.
        output: String,
    },
    /// The host could not speak with it.
    #[error("the program cannot be spoken with: {problem}")]
    Talk {
        /// What the system says.
        problem: String,
    },
    /// A hook that is built in panicked.
    #[error("the hook panicked")]
    Panicked,
    /// It refused where there is nothing to refuse.
    #[error("it refused where nothing waits for its answer: {reason}")]
    CannotRefuse {
        /// The reason that it gave.
        reason: String,
    },
}

/// What the program complained of, if it did.
fn said(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!("; it said: {complaint}") }
}
