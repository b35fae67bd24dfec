//! One call of an instance: which it is, what it may use, and what its end means.

use tiltyard_model::Desk;
use wasmtime::Store;

use crate::cell::Cell;
use crate::fault::{Circumstances, Fault, Scope};
use crate::limits::Limits;

/// The calls of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Instantiate,
    Describe,
    Init,
    WarmUp,
    OnBar,
    OnColumns,
    OnStep,
    OnQuote,
    OnTrade,
    OnFill,
    OnOrder,
    OnTimer,
    Save,
    Restore,
}

impl Call {
    /// The name of the export.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Instantiate => "instantiate",
            Self::Describe => "describe",
            Self::Init => "init",
            Self::WarmUp => "warm-up",
            Self::OnBar => "on-bar",
            Self::OnColumns => "on-columns",
            Self::OnStep => "on-step",
            Self::OnQuote => "on-quote",
            Self::OnTrade => "on-trade",
            Self::OnFill => "on-fill",
            Self::OnOrder => "on-order",
            Self::OnTimer => "on-timer",
            Self::Save => "save",
            Self::Restore => "restore",
        }
    }

    /// Whether the run has begun, so that orders may be sent.
    pub(crate) fn may_order(self) -> bool {
        matches!(
            self,
            Self::OnBar | Self::OnStep | Self::OnQuote | Self::OnTrade | Self::OnFill | Self::OnOrder | Self::OnTimer
        )
    }
}

/// The fuel of one call, and which limit it comes from.
pub(crate) struct Budget {
    fuel: u64,
    scope: Scope,
    limit: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits, call: u64, used: u64) -> Self {
        match limits.fuel_per_run {
            Some(run) if run.saturating_sub(used) < call => {
                Self { fuel: run.saturating_sub(used), scope: Scope::Run, limit: run }
            }
            _ => Self { fuel: call, scope: Scope::Call, limit: call },
        }
    }

    pub(crate) fn set<D>(&self, store: &mut Store<Cell<D>>) -> wasmtime::Result<()> {
        if let Some(ticks) = store.data().limits.deadline_ticks {
            store.set_epoch_deadline(ticks);
        }
        store.set_fuel(self.fuel)
    }

    pub(crate) fn used<D>(&self, store: &Store<Cell<D>>) -> u64 {
        // Fuel is always on, so asking for it does not fail.
        self.fuel.saturating_sub(store.get_fuel().unwrap_or_default())
    }

    pub(crate) fn fault<D: Desk>(&self, error: &wasmtime::Error, during: Call, cell: &Cell<D>) -> Fault {
        let limits = &cell.limits;
        Fault::new(
            error,
            &Circumstances {
                during: during.name(),
                fuel: (self.scope, self.limit),
                deadline_ticks: limits.deadline_ticks,
                host_call_bytes: limits.host_call_bytes,
                handles: limits.handles,
                stderr: &cell.stderr_of_call(),
            },
        )
    }
}
