//! Hooks that are real programs: what they may do to the host, and what comes of it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tiltyard_hooks::{
    Answer, Document, Executable, Hook as _, HookConfig, HookFailure, Hooks, HooksConfig, Kill, MOST_OUTPUT, Outcome,
    PreTrade, RefusalReason, Stage,
};
use tiltyard_model::{Decimal, Money, Nanos, OrderKind, Qty, Side};

/// Long enough for a program that has nothing to do, on a machine that has too much.
const LONG: Duration = Duration::from_secs(30);
/// For programs that will not answer.
const SHORT: Duration = Duration::from_millis(300);

const ALLOW: &str = r#"echo '{"allow": true, "reason": ""}'"#;

/// A folder with little programs.
struct Programs(TempDir);

impl Programs {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An executable file with this body. Another process writes it: a file that this one had open for writing could not
    /// be run while another test starts a program, which for a moment has the file open too.
    fn write(&self, name: &str, body: &str) -> String {
        let path = self.path(name);
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 700 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{body}\n").as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        path.to_str().unwrap().to_owned()
    }

    fn hook(&self, name: &str, body: &str, deadline: Duration) -> Executable {
        Executable::new(self.write(name, body), Vec::new(), BTreeMap::new(), deadline)
    }
}

/// What a program of this body says to a document of the stage `kill`, within the time that is long enough.
fn ask(body: &str) -> Result<Answer, HookFailure> {
    Programs::new().hook("hook", body, LONG).ask(&kill("a command"))
}

fn kill(by: &str) -> Document {
    Document::Kill(Kill { time: Nanos(7), by: by.to_owned(), reason: "it is late".to_owned() })
}

fn pre_trade() -> Document {
    Document::PreTrade(PreTrade {
        time: Nanos(7),
        strategy: "ma-cross".to_owned(),
        instrument: "BTCUSDT".to_owned(),
        side: Side::Buy,
        kind: OrderKind::Market,
        quantity: Qty(Decimal::ONE),
        mark: None,
        notional: None,
        stop: None,
        take_profit: None,
        reduce_only: false,
        equity: Money(Decimal::ONE_THOUSAND),
    })
}

/// Runs it and says how long it took.
fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (run(), start.elapsed())
}

/// Whether a file appears that a process would write if it lived on.
fn appears(path: &Path) -> bool {
    thread::sleep(Duration::from_millis(1_500));
    path.exists()
}

#[test]
fn a_program_that_allows_allows() {
    assert_eq!(ask(ALLOW), Ok(Answer::allow()));
}

#[test]
fn a_program_that_refuses_says_why() {
    assert_eq!(
        ask(r#"echo '{"allow": false, "reason": "no trades on a Friday"}'"#),
        Ok(Answer::refuse("no trades on a Friday"))
    );
}

#[test]
fn a_program_reads_the_document_on_standard_input_to_its_end() {
    let programs = Programs::new();
    let copy = programs.path("copy");
    let hook = programs.hook("hook", &format!("cat > '{}'\n{ALLOW}", copy.display()), LONG);
    assert_eq!(hook.ask(&pre_trade()), Ok(Answer::allow()));
    let copied: Document = serde_json::from_slice(&fs::read(copy).unwrap()).unwrap();
    assert_eq!(copied, pre_trade());
}

#[test]
fn a_document_larger_than_a_pipe_arrives_whole() {
    let programs = Programs::new();
    let hook = programs.hook("hook", r#"printf '{"allow": true, "reason": "%d"}' "$(wc -c)""#, LONG);
    let large = kill(&"x".repeat(1 << 20));
    let bytes = serde_json::to_vec(&large).unwrap().len();
    assert_eq!(hook.ask(&large).unwrap().reason, bytes.to_string());
}

#[test]
fn a_program_may_answer_without_reading() {
    let large = kill(&"x".repeat(1 << 20));
    let programs = Programs::new();
    assert_eq!(programs.hook("leaves", ALLOW, LONG).ask(&large), Ok(Answer::allow()));
    assert_eq!(programs.hook("closes", &format!("exec <&-\n{ALLOW}"), LONG).ask(&large), Ok(Answer::allow()));
}

#[test]
fn a_program_that_neither_reads_nor_answers_is_late() {
    let (answer, took) = timed(|| Programs::new().hook("hook", "sleep 60", SHORT).ask(&kill(&"x".repeat(1 << 20))));
    assert_eq!(answer, Err(HookFailure::Late { deadline: SHORT, complaint: String::new() }));
    assert!(took >= SHORT && took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn an_answer_counts_only_when_the_program_has_ended() {
    let body = format!("{ALLOW}\nexec >&- 2>&-\nsleep 60");
    let answer = Programs::new().hook("hook", &body, SHORT).ask(&kill("a command"));
    assert!(matches!(answer, Err(HookFailure::Late { .. })), "{answer:?}");
}

#[test]
fn at_the_deadline_the_whole_group_is_killed() {
    let programs = Programs::new();
    let trace = programs.path("trace");
    let body = format!("trap '' TERM INT HUP\n(sleep 1; touch '{}') &\nwait", trace.display());
    let answer = programs.hook("hook", &body, SHORT).ask(&kill("a command"));
    assert!(matches!(answer, Err(HookFailure::Late { .. })), "{answer:?}");
    assert!(!appears(&trace));
}

#[test]
fn a_grandchild_that_holds_the_pipes_delays_nothing_and_does_not_live_on() {
    let programs = Programs::new();
    let trace = programs.path("trace");
    let body = format!("(sleep 1; touch '{}'; sleep 60) &\n{ALLOW}", trace.display());
    let (answer, took) = timed(|| programs.hook("hook", &body, LONG).ask(&kill("a command")));
    assert_eq!(answer, Ok(Answer::allow()));
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(!appears(&trace));
}

#[test]
fn a_child_that_left_the_group_with_the_pipes_is_not_waited_for() {
    let (answer, took) = timed(|| ask(&format!("setsid sleep 25 &\n{ALLOW}")));
    assert_eq!(answer, Ok(Answer::allow()));
    assert!(took < Duration::from_secs(20), "{took:?}");
    let late = "setsid sleep 25 &\nsleep 60";
    let (answer, took) = timed(|| Programs::new().hook("hook", late, SHORT).ask(&kill("a command")));
    assert!(matches!(answer, Err(HookFailure::Late { .. })), "{answer:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_program_that_fails_refuses_whatever_it_answered() {
    let complaint = "no database".to_owned();
    let died = HookFailure::Died { status: "exit status: 3".to_owned(), complaint };
    assert_eq!(ask(&format!("{ALLOW}\necho 'no database' >&2\nexit 3")), Err(died));
}

#[test]
fn a_program_killed_by_a_signal_failed() {
    let answer = ask(&format!("{ALLOW}\nkill -KILL $$"));
    let Err(HookFailure::Died { status, .. }) = answer else { panic!("{answer:?}") };
    assert!(status.starts_with("signal: 9"), "{status}");
}

#[test]
fn a_program_without_output_gave_no_answer() {
    assert_eq!(ask("exit 0"), Err(HookFailure::NoAnswer));
}

#[test]
fn output_without_end_is_cut_short() {
    for (to, stream) in [("", "standard output"), (" >&2", "standard error")] {
        let (answer, took) = timed(|| ask(&format!("while :; do echo '{{\"allow\": true}}'{to}; done")));
        assert_eq!(answer, Err(HookFailure::TooMuch { stream, most: MOST_OUTPUT }));
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

#[test]
fn one_byte_above_the_limit_of_output_is_too_much() {
    let padded = |bytes: usize| ask(&format!("printf '%-{bytes}s' '{{\"allow\": true}}'"));
    assert_eq!(padded(MOST_OUTPUT), Ok(Answer::allow()));
    assert!(matches!(padded(MOST_OUTPUT + 1), Err(HookFailure::TooMuch { .. })));
}

#[test]
fn garbage_is_no_answer_and_is_shown_harmless() {
    let answer = ask(r"printf '\033[2J\377\000{'");
    let Err(HookFailure::Unreadable { output, .. }) = answer else { panic!("{answer:?}") };
    assert!(output.starts_with("\\u{1b}[2J"), "{output}");
}

#[test]
fn standard_error_is_bounded_and_does_nothing_to_a_terminal() {
    let answer = ask(r"printf '\033[2J\r\n'; printf '\033[2J%60000s' x >&2; exit 1");
    let Err(HookFailure::Died { complaint, .. }) = answer else { panic!("{answer:?}") };
    assert!(complaint.starts_with("\\u{1b}[2J") && complaint.len() <= 500, "{complaint}");
}

#[test]
fn a_program_that_is_missing_or_is_none_cannot_be_started() {
    let programs = Programs::new();
    fs::write(programs.path("text"), "not a program").unwrap();
    for name in ["missing", "text", "."] {
        let program = programs.path(name).to_str().unwrap().to_owned();
        let answer = Executable::new(program, Vec::new(), BTreeMap::new(), LONG).ask(&kill("a command"));
        assert!(matches!(answer, Err(HookFailure::NotStarted { .. })), "{name}: {answer:?}");
    }
}

#[test]
fn a_program_sees_the_environment_that_is_configured_and_no_other() {
    let programs = Programs::new();
    // The shell adds a few of its own.
    let body = "names=$(env | cut -d= -f1 | grep -v -x -e PWD -e OLDPWD -e SHLVL -e _ | sort | tr '\\n' ' ')\n\
                printf '{\"allow\": true, \"reason\": \"%s%s in %s\"}' \"$names\" \"$DESK\" \"$PWD\"";
    let environment = BTreeMap::from([("DESK".to_owned(), "seven $HOME".to_owned())]);
    let hook = Executable::new(programs.write("hook", body), Vec::new(), environment, LONG);
    assert_eq!(hook.ask(&kill("a command")).unwrap().reason, "DESK seven $HOME in /");
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let programs = Programs::new();
    let program = programs.write("hook", r#"printf '{"allow": true, "reason": "%s|%s|%s"}' $# "$1" "$2""#);
    let arguments = vec!["$(id); echo *".to_owned(), String::new()];
    let hook = Executable::new(program, arguments, BTreeMap::new(), LONG);
    assert_eq!(hook.ask(&kill("a command")).unwrap().reason, "2|$(id); echo *|");
}

/// All hooks of a stage, each a program of this body.
fn ask_all(stage: Stage, document: &Document, bodies: &[&str], deadline: Duration) -> (Outcome, Duration) {
    let programs = Programs::new();
    let hooks = (0..).zip(bodies).map(|(at, body)| HookConfig {
        stage,
        program: vec![programs.write(&format!("hook-{at}"), body)],
        deadline_ms: deadline.as_millis() as u64,
        env: BTreeMap::new(),
    });
    let hooks = Hooks::of(&HooksConfig { hooks: hooks.collect() }).unwrap();
    timed(|| hooks.ask(document))
}

#[test]
fn all_refusals_are_listed_and_failures_before_an_order_refuse() {
    let refuses = r#"echo '{"allow": false, "reason": "enough"}'"#;
    let (outcome, _) = ask_all(Stage::PreTrade, &pre_trade(), &[ALLOW, refuses, "exit 1", ALLOW, "echo no"], LONG);
    assert_eq!((outcome.asked, outcome.is_allowed()), (5, false));
    let [first, second, third] = &outcome.refusals[..] else { panic!("{outcome:?}") };
    assert!(first.hook.ends_with("hook-1") && first.reason == RefusalReason::Said("enough".to_owned()));
    assert!(matches!(second.reason, RefusalReason::Failed(HookFailure::Died { .. })), "{second}");
    assert!(matches!(third.reason, RefusalReason::Failed(HookFailure::Unreadable { .. })), "{third}");
}

#[test]
fn hooks_are_asked_side_by_side_so_that_one_deadline_is_all_that_is_waited_for() {
    let deadline = Duration::from_secs(2);
    let (outcome, took) = ask_all(Stage::PreTrade, &pre_trade(), &["sleep 60"; 8], deadline);
    assert_eq!(outcome.refusals.len(), 8);
    assert!(took < deadline * 4, "{took:?}");
}

#[test]
fn after_a_kill_a_failing_hook_is_told_of_and_stops_nothing() {
    let (outcome, _) = ask_all(Stage::Kill, &kill("a command"), &["sleep 60", ALLOW, "exit 1"], SHORT);
    assert!(outcome.is_allowed(), "{outcome:?}");
    assert!(outcome.failures.len() >= 2, "{outcome:?}");
    assert!(matches!(outcome.failures[0].failure, HookFailure::Late { .. }), "{outcome:?}");
}
