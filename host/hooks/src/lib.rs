//! Named stages at which somebody else is told of what happens, or asked whether it may.
//!
//! A hook is built in ([`Hook`]), or an executable ([`Executable`]): a program with its arguments, never a shell, that gets
//! one JSON document on standard input and answers one on standard output, `{"allow": true, "reason": "..."}`, within a
//! deadline. What the document holds is decided by the stage ([`Document`]).
//!
//! At the stages [`Stage::PreTrade`], [`Stage::Approve`] and [`Stage::VerifyGate`] a hook may refuse, and one that fails
//! refuses. At the others nothing waits for what it says; that it failed is told ([`Outcome`]).
//!
//! Here is the [`KillSwitch`] too: what pulls it, and whoever trades asks for it.
//!
//! The one place where a clock is read is the deadline of an executable.

#![forbid(unsafe_code)]

mod answer;
mod config;
mod document;
mod executable;
mod failure;
mod hooks;
mod kill;
mod oversight;
mod stage;
mod talk;

pub use answer::Answer;
pub use config::{HookConfig, HooksConfig};
pub use document::{Approve, CircuitBreaker, Document, Kill, PostTrade, PreTrade, VerifyGate, WhatHappened};
pub use executable::{Executable, MOST_OUTPUT};
pub use failure::HookFailure;
pub use hooks::{Hook, Hooks, Outcome, Refusal, RefusalReason, Report};
pub use kill::{Cause, FileWatch, KillFile, KillSwitch, Watcher};
pub use oversight::Oversight;
pub use stage::Stage;
