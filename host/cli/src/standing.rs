//! Where the account and its strategies stand, by all that counts: the file KILL, and what the workspace keeps.

use anyhow::Result;
use tiltyard_hooks::KillFile;
use tiltyard_risk::{AccountGuard, AccountState, Permission, StrategyGuard, StrategyState};
use tiltyard_store::{Flatten, Kept, Store, Transition};

use crate::workspace::Workspace;

/// Transitions that are shown.
const SHOWN: u64 = 20;

/// What holds now. Whatever cannot be read counts as halted.
pub(crate) struct Standing {
    pub(crate) kill: KillFile,
    /// Whether the file KILL exists.
    pub(crate) killed: bool,
    pub(crate) account: Kept<AccountGuard>,
    /// By name, in alphabetical order.
    pub(crate) strategies: Vec<(String, Kept<StrategyGuard>)>,
    pub(crate) flatten: Option<Flatten>,
    /// The latest first.
    pub(crate) transitions: Vec<Transition>,
}

impl Standing {
    /// Reads it.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        let kill = workspace.kill_file();
        let killed = kill.exists();
        let unknown = |kill, why: &anyhow::Error| Self {
            kill,
            killed,
            account: Kept::Unreadable(format!("{why:#}")),
            strategies: Vec::new(),
            flatten: None,
            transitions: Vec::new(),
        };
        match workspace.store().and_then(|store| Self::from_store(&store, kill.clone(), killed)) {
            Ok(standing) => standing,
            Err(why) => unknown(kill, &why),
        }
    }

    fn from_store(store: &Store, kill: KillFile, killed: bool) -> Result<Self> {
        let strategy = |name: String| {
            let guard = store.strategy_guard(&name);
            (name, guard)
        };
        Ok(Self {
            kill,
            killed,
            account: store.account_guard(),
            strategies: store.guarded_strategies()?.into_iter().map(strategy).collect(),
            flatten: store.flatten_order()?,
            transitions: store.last_transitions(SHOWN)?,
        })
    }

    /// Where the account stands, and why, if it is not active.
    pub(crate) fn state(&self) -> (AccountState, Option<String>) {
        if self.killed {
            return (AccountState::Halted, Some(killed(&self.kill)));
        }
        of_account(&self.account)
    }

    /// Where a strategy stands by itself, and why, if it is not active.
    pub(crate) fn state_of(&self, name: &str) -> (StrategyState, Option<String>) {
        let kept = self.strategies.iter().find(|(other, _)| other == name);
        kept.map_or((StrategyState::Active, None), |(_, kept)| of_strategy(kept))
    }

    /// What a strategy may do.
    pub(crate) fn permission(&self, strategy: &str) -> Permission {
        Permission::of(self.state().0, self.state_of(strategy).0)
    }
}

/// Where an account stands by what is kept of it, and why, if it is not active.
pub(crate) fn of_account(kept: &Kept<AccountGuard>) -> (AccountState, Option<String>) {
    match kept {
        Kept::Nothing => (AccountState::Active, None),
        Kept::State(guard) => (guard.state(), guard.cause().map(str::to_owned)),
        Kept::Unreadable(why) => (AccountState::Halted, Some(unreadable(why))),
    }
}

/// Where a strategy stands by what is kept of it, and why, if it is not active.
pub(crate) fn of_strategy(kept: &Kept<StrategyGuard>) -> (StrategyState, Option<String>) {
    match kept {
        Kept::Nothing => (StrategyState::Active, None),
        Kept::State(guard) => (guard.state(), guard.cause().map(str::to_owned)),
        Kept::Unreadable(why) => (StrategyState::Halted, Some(unreadable(why))),
    }
}

/// Why an account is halted by its file.
pub(crate) fn killed(kill: &KillFile) -> String {
    let words = kill.words();
    let colon = if words.is_empty() { "" } else { ": " };
    format!("the file {} exists{colon}{words}", KillFile::NAME)
}

/// Why what cannot be read is halted.
pub(crate) fn unreadable(why: &str) -> String {
    format!("what is kept of it cannot be read: {why}")
}

/// A permission in one word.
pub(crate) fn word(permission: Permission) -> &'static str {
    match permission {
        Permission::All => "all",
        Permission::Reduce => "reduce",
        Permission::Nothing => "nothing",
    }
}
