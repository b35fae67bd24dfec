//! Every trap that wasmtime knows: a guest that causes it is told so by a fault of its own kind, or there is a reason why no
//! guest can.
#![allow(clippy::unwrap_used, reason = "a test may")]

use tiltyard_sandbox::{AdmissionLimits, Fault, FaultKind, Limits, LoadError, Refusal, Scope, StartError, admit};
use tiltyard_tests::{Ground, Played, Wat, bars, core_module, start};
use wasmtime::Trap;

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");

/// What there is to say of a trap.
enum Fate {
    /// A guest causes it; this is one.
    Caused(Vec<u8>),
    /// It belongs to a proposal that admission refuses; this is a component that uses it.
    Refused(&'static str),
    /// It cannot happen, because.
    Impossible(&'static str),
}

const THREADS: &str = "(component (core module (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 1))))))";
const ATOMICS: &str = "(component (core module (memory 1) (func (drop (i32.atomic.load (i32.const 1))))))";
const GARBAGE: &str = "(component (core module (type (array i32))))";
const REFERENCES: &str = "(component (core module (func (drop (ref.as_non_null (ref.null func))))))";
const STACKS: &str = "(component (core module (type $f (func)) (type (cont $f))))";
const EXCEPTIONS: &str = "(component (core module (tag) (func (throw 0))))";
const ASYNC: &str = "(component (core func (canon task.cancel)))";
const BACKPRESSURE: &str = "(component (core func (canon backpressure.inc)))";
const WAITABLES: &str = "(component (core func (canon waitable-set.new)))";
const SUBTASKS: &str = "(component (core func (canon subtask.drop)))";
const STREAMS: &str = "(component (type $s (stream u8)) (core func (canon stream.new $s)))";
/// What passes between components is lifted by code of its own, which has traps of its own.
const COMPOSED: &str = r#"(component (component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
    (func (export "f") (canon lift (core func $i "f")))))"#;

fn on_bar(items: &str, body: &str) -> Fate {
    Fate::Caused(Wat { items, on_bar: body, ..Wat::default() }.component())
}

fn fate(trap: Trap) -> Option<Fate> {
    use Fate::{Impossible, Refused};
    Some(match trap {
        Trap::StackOverflow => on_bar("(func $deep (call $deep) (call $deep))", "(call $deep)"),
        Trap::MemoryOutOfBounds => on_bar("", "(drop (i32.load (i32.const 0xfffffff0)))"),
        Trap::TableOutOfBounds => on_bar("(table 1 funcref)", "(call_indirect (i32.const 5))"),
        Trap::IndirectCallToNull => on_bar("(table 1 funcref)", "(call_indirect (i32.const 0))"),
        Trap::BadSignature => on_bar(
            "(table 1 funcref) (func $other (param f64)) (elem (i32.const 0) $other)",
            "(call_indirect (i32.const 0))",
        ),
        Trap::IntegerOverflow => on_bar("", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"),
        Trap::IntegerDivisionByZero => on_bar("", "(drop (i64.rem_u (i64.const 1) (i64.const 0)))"),
        Trap::BadConversionToInteger => on_bar("", "(drop (i32.trunc_f64_s (f64.const nan)))"),
        Trap::UnreachableCodeReached => on_bar("", "(unreachable)"),
        Trap::Interrupt | Trap::OutOfFuel => on_bar("", "(loop (br 0))"),
        // The host writes into a guest's memory through the guest's own allocator, which may not call the host meanwhile.
        Trap::CannotLeaveComponent => Fate::Caused(
            Wat {
                imports: r#"(import "tiltyard:strategy/account@0.1.0" "equity" (func $equity (result f64)))"#,
                realloc: "(drop (call $equity)) (unreachable)",
                ..Wat::default()
            }
            .component(),
        ),
        Trap::CannotEnterComponent => {
            Impossible("no import calls back, and after a trap the store that would refuse to be entered is gone")
        }
        Trap::DisabledOpcode => Impossible("guests are compiled to the processor's code, not to Pulley's"),
        Trap::HeapMisaligned => Refused(THREADS),
        Trap::AtomicWaitNonSharedMemory => Refused(ATOMICS),
        Trap::ArrayOutOfBounds | Trap::AllocationTooLarge | Trap::CastFailure => Refused(GARBAGE),
        Trap::NullReference => Refused(REFERENCES),
        Trap::UnhandledTag | Trap::ContinuationAlreadyConsumed => Refused(STACKS),
        Trap::UncaughtException => Refused(EXCEPTIONS),
        Trap::InvalidChar
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer
        | Trap::DebugAssertStringEncodingFinished
        | Trap::DebugAssertEqualCodeUnits
        | Trap::DebugAssertPointerAligned
        | Trap::DebugAssertUpperBitsUnset => Refused(COMPOSED),
        Trap::NoAsyncResult
        | Trap::AsyncDeadlock
        | Trap::CannotBlockSyncTask
        | Trap::TaskCancelNotCancelled
        | Trap::TaskCancelOrReturnTwice
        | Trap::TaskReturnInvalid
        | Trap::UnsupportedCallbackCode
        | Trap::ReferenceCountOverflow
        | Trap::ThreadNewIndirectInvalidType
        | Trap::ThreadNewIndirectUninitialized
        | Trap::CannotResumeThread => Refused(ASYNC),
        Trap::BackpressureOverflow => Refused(BACKPRESSURE),
        Trap::WaitableSetDropHasWaiters | Trap::WaitableSyncAndAsync => Refused(WAITABLES),
        Trap::SubtaskCancelAfterTerminal | Trap::SubtaskDropNotResolved => Refused(SUBTASKS),
        Trap::ConcurrentFutureStreamOp | Trap::StreamOpTooBig => Refused(STREAMS),
        _ => return None,
    })
}

/// The kind of fault that a trap is reported as.
fn kind(trap: Trap, limits: &Limits) -> FaultKind {
    match trap {
        Trap::StackOverflow => FaultKind::StackOverflow,
        Trap::Interrupt => FaultKind::Deadline { ticks: limits.deadline_ticks.unwrap() },
        Trap::OutOfFuel => FaultKind::OutOfFuel { scope: Scope::Call, limit: limits.fuel_per_call },
        _ => FaultKind::Trap { trap: trap.to_string().replacen("wasm trap: ", "", 1) },
    }
}

/// Every trap that this wasmtime knows, a new one included.
fn traps() -> impl Iterator<Item = Trap> {
    (0..=u8::MAX).filter_map(Trap::from_u8)
}

fn fault(ground: &Ground, guest: &[u8], limits: &Limits) -> Fault {
    let component = match ground.load(guest) {
        Ok(component) => component,
        Err(LoadError::Describe(StartError::Fault(fault))) => return fault,
        Err(error) => panic!("{error}"),
    };
    match Played::run(&component, &start(&[]), &bars(1), limits) {
        Err(StartError::Fault(fault)) => fault,
        Err(error) => panic!("{error}"),
        Ok(played) => played.fault.expect("a fault"),
    }
}

#[test]
fn there_is_something_to_say_of_every_trap_that_wasmtime_knows() {
    let unknown: Vec<Trap> = traps().filter(|trap| fate(*trap).is_none()).collect();
    assert!(unknown.is_empty(), "new in this wasmtime: {unknown:?}; write a guest that causes them, or why none can");
}

#[test]
fn a_trap_that_a_guest_can_cause_is_a_fault_of_its_own_kind() {
    let ground = Ground::new(WORKER);
    let mut caused = Vec::new();
    for trap in traps() {
        let Some(Fate::Caused(guest)) = fate(trap) else { continue };
        // No tick may pass in a call: the first check finds that the deadline has come.
        let deadline_ticks = (trap == Trap::Interrupt).then_some(0);
        let limits = Limits { deadline_ticks, ..Limits::default() };
        assert_eq!(fault(&ground, &guest, &limits).kind, kind(trap, &limits), "{trap:?}");
        caused.push(trap);
    }
    assert_eq!(caused.len(), 12, "{caused:?}");
}

#[test]
fn a_trap_of_a_proposal_that_is_off_is_refused_before_it_can_happen() {
    for trap in traps() {
        let Some(Fate::Refused(text)) = fate(trap) else { continue };
        let refusal = admit(&core_module(text), &AdmissionLimits::default()).unwrap_err();
        assert!(matches!(refusal, Refusal::Invalid { .. } | Refusal::Composed), "{trap:?}: {refusal}");
    }
}

#[test]
fn what_cannot_happen_has_a_reason() {
    for trap in traps() {
        let Some(Fate::Impossible(why)) = fate(trap) else { continue };
        assert!(why.len() > 20, "{trap:?}: {why}");
    }
}
