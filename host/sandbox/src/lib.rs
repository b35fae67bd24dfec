//! Runs strategies that nobody has to trust.
//!
//! A strategy is a WebAssembly component. Its way into a run has four steps, each with its own error:
//!
//! 1. [`admit`] looks at the bytes and runs nothing: [`Refusal`].
//! 2. A [`Compiler`] compiles them in a child process under limits, once; the result is cached: [`CompileError`].
//! 3. [`Sandbox::load`] links them and checks that what `describe` says is what the manifest says: [`LoadError`].
//! 4. [`Component::start`] makes an [`Instance`] under [`Limits`]: [`StartError`]; each call of it may end in a
//!    [`Fault`], after which the instance is gone and nothing else is.
//!
//! What a strategy sees and does goes through the [`Desk`](tiltyard_model::Desk) that is lent to each call. Nothing
//! here reads a clock, the environment or randomness; the same component, parameters, seed and calls give the same
//! answers and the same fuel, bit by bit.

mod admission;
mod cache;
mod call;
mod cell;
mod compile;
mod component;
mod contract;
mod convert;
mod engine;
mod fault;
mod imports;
mod instance;
mod limits;
mod sandbox;
mod strategy;
mod wasi;

pub use admission::{Admission, AdmissionLimits, Refusal, admit};
pub use cache::{Cache, CacheError, CacheOutcome};
pub use compile::{CompileError, CompileLimits, Compiler, compile_worker};
pub use component::{Component, StartError};
pub use engine::{Mode, PoolLimits, engine_version};
pub use fault::{Fault, FaultKind, Scope};
pub use instance::Instance;
pub use limits::Limits;
pub use sandbox::{LoadError, Sandbox, SandboxConfig, SandboxError};

/// The contract version that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";
