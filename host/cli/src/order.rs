//! A person's word that changes where the account or a strategy stands: what is kept is read, changed and kept again in one
//! transaction that waits for the disk.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use tiltyard_hooks::KillFile;
use tiltyard_market::format_time;
use tiltyard_model::{Money, Nanos};
use tiltyard_risk::{AccountGuard, AccountState, Measure, OrderError, StrategyGuard, StrategyState};
use tiltyard_store::{Batch, Flatten, Kept, Scope, StoreError, Transition};

use crate::standing::{killed, of_account, of_strategy, unreadable};
use crate::workspace::Workspace;
use crate::{clock, print};

/// Who orders what this program is called for.
const WHO: &str = "person";
/// Longest reason or name, in characters.
const LONGEST: usize = 500;

/// What every such verb takes.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// The workspace; by default the nearest folder upward with a tiltyard.toml.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// An order of a person: what it is for whom, and why.
pub(crate) struct Order {
    scope: Scope,
    reason: String,
    at: Nanos,
    dry_run: bool,
    json: bool,
    workspace: Workspace,
}

/// What an order leads to. Fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    /// `account` or `strategy/NAME`.
    scope: String,
    /// Where it stands then.
    state: String,
    /// Why, if it is not active.
    cause: Option<String>,
    /// Whether the order changes anything.
    changed: bool,
    /// What else there is to know.
    notes: Vec<String>,
    /// Whether the file KILL exists then.
    kill_file: bool,
    /// Whether everything is to be closed by whoever trades next.
    flatten: bool,
    at: String,
    dry_run: bool,
}

/// What became of one guard.
struct Change {
    state: String,
    cause: Option<String>,
    changed: bool,
    notes: Vec<String>,
}

/// What a guard is ordered to do. The inner error is that it does not follow, and nothing was written.
type Answer = Result<Result<Change>, StoreError>;

impl Order {
    pub(crate) fn new(how: &How, strategy: Option<&str>, reason: &str) -> Result<Self> {
        let scope = strategy.map_or(Scope::Account, |name| Scope::Strategy(name.to_owned()));
        let (workspace, at) = (Workspace::find(how.workspace.as_deref())?, clock::now());
        Ok(Self { scope, reason: reason.to_owned(), at, dry_run: how.dry_run, json: how.json, workspace })
    }

    /// Nothing more may be traded, but for what the host closes.
    pub(crate) fn halt(&self) -> Result<Told> {
        self.carry_out(|batch| match &self.scope {
            Scope::Account => self.halt_account(batch, "halted", &self.reason),
            Scope::Strategy(name) => self.restrict(batch, name, StrategyState::Halted),
        })
    }

    /// No new risk of a strategy.
    pub(crate) fn pause(&self) -> Result<Told> {
        self.carry_out(|batch| match &self.scope {
            Scope::Account => Ok(Err(anyhow!("only a strategy is paused; halt the account instead"))),
            Scope::Strategy(name) => self.restrict(batch, name, StrategyState::Paused),
        })
    }

    /// The account or the strategy may trade again. The file KILL is taken away last, with the account.
    pub(crate) fn resume(&self) -> Result<Told> {
        let kill = self.workspace.kill_file();
        let was_killed = kill.exists();
        let mut told = self.carry_out(|batch| match &self.scope {
            Scope::Account => self.resume_account(batch, was_killed),
            Scope::Strategy(name) => self.resume_strategy(batch, name),
        })?;
        if self.scope == Scope::Account && was_killed {
            if !self.dry_run {
                kill.remove().map_err(|error| {
                    anyhow!(
                        "{} cannot be taken away ({error}) and still stops all trading; remove it",
                        kill.path().display()
                    )
                })?;
            }
            (told.state, told.cause) = (AccountState::Active.to_string(), None);
            told.kill_file = !self.dry_run && kill.exists();
        }
        Ok(told)
    }

    /// Pulls the kill switch: first the file, which stops whoever trades at once; then the halt is kept. Each is done whatever
    /// becomes of the other.
    pub(crate) fn kill(&self) -> Result<Told> {
        let kill = self.workspace.kill_file();
        let words = format!("{} {}", format_time(self.at), self.reason);
        let made = if self.dry_run { Ok(!kill.exists()) } else { kill.make(&words) };
        let cause = format!("kill switch: {}", self.reason);
        let kept = self.carry_out(|batch| self.halt_account(batch, "killed", &cause));
        let path = kill.path().display();
        let mut told = match kept {
            Err(error) if kill.exists() => {
                bail!(
                    "{path} is in place and stops all trading, but what the workspace keeps was not changed: {error:#}"
                )
            }
            kept => kept?,
        };
        match made {
            Ok(true) => told.changed = true,
            Ok(false) => told.notes.push(format!("the file {} was there already and stays as it was", KillFile::NAME)),
            Err(error) if kill.exists() => {
                told.changed = true;
                told.notes.push(format!("the file {} is there, but without words: {error}", KillFile::NAME));
            }
            Err(error) => {
                bail!("the account is halted in what the workspace keeps, but {path} cannot be made: {error}")
            }
        }
        Ok(told)
    }

    /// Everything is closed by whoever trades next.
    pub(crate) fn flatten(&self) -> Result<Told> {
        let waiting = self.workspace.store()?.flatten_order()?;
        let order = Flatten { at: self.at, who: WHO.to_owned(), cause: self.reason.clone() };
        let mut told = self.carry_out(|batch| {
            let (state, cause) = account_state(&batch.account_guard());
            let notes = waiting.as_ref().map(|before| {
                format!("an order of {} waits already, and is the one that is carried out", format_time(before.at))
            });
            let change = Change { state, cause, changed: waiting.is_none(), notes: notes.into_iter().collect() };
            if change.changed && !self.dry_run {
                batch.order_flatten(&order)?;
                self.note(batch, "flatten-ordered", &self.reason)?;
            }
            Ok(Ok(change))
        })?;
        told.flatten = true;
        Ok(told)
    }

    /// Prints what an order leads to.
    pub(crate) fn tell(&self, told: &Told) -> Result<()> {
        if self.json {
            print::out(&serde_json::to_string_pretty(told)?);
            return Ok(());
        }
        let would = if self.dry_run { "would be " } else { "" };
        let mut lines = vec![format!("{}: {would}{}", told.scope, told.state)];
        lines.extend(told.cause.iter().map(|cause| format!("  because of: {cause}")));
        if !told.changed {
            lines.push("  nothing changes".to_owned());
        }
        if told.flatten {
            lines.push("  everything is to be closed by whoever trades next".to_owned());
        }
        lines.extend(told.notes.iter().map(|note| format!("  note: {note}")));
        print::out(&lines.join("\n"));
        Ok(())
    }

    /// Reads, decides and writes in one transaction.
    fn carry_out(&self, act: impl FnOnce(&Batch<'_>) -> Answer) -> Result<Told> {
        let mut store = self.workspace.store()?;
        let mut change = store.durable_batch(act)??;
        let kill = self.workspace.kill_file();
        let kill_file = kill.exists();
        if kill_file {
            match self.scope {
                Scope::Account => {
                    change.state = AccountState::Halted.to_string();
                    change.cause = Some(killed(&kill));
                }
                Scope::Strategy(_) => change.notes.push(format!("the account is halted: {}", killed(&kill))),
            }
        }
        Ok(Told {
            scope: self.scope.to_string(),
            state: change.state,
            cause: change.cause,
            changed: change.changed,
            notes: change.notes,
            kill_file,
            flatten: store.flatten_order()?.is_some(),
            at: format_time(self.at),
            dry_run: self.dry_run,
        })
    }

    fn note(&self, batch: &Batch<'_>, what: &str, cause: &str) -> Result<(), StoreError> {
        batch.insert_transition(&Transition {
            at: self.at,
            scope: self.scope.clone(),
            who: WHO.to_owned(),
            what: what.to_owned(),
            cause: cause.to_owned(),
        })
    }

    fn halt_account(&self, batch: &Batch<'_>, what: &str, cause: &str) -> Answer {
        let kept = batch.account_guard();
        let mut guard = match kept.clone().or_default() {
            Some(guard) if guard.state() < AccountState::Halted => guard,
            _ => return Ok(Ok(Change::none(account_state(&kept)))),
        };
        guard.apply(self.at, &Measure::Ordered { state: AccountState::Halted, cause: cause.to_owned() });
        self.keep_account(batch, &guard, what, cause, Vec::new())
    }

    fn resume_account(&self, batch: &Batch<'_>, was_killed: bool) -> Answer {
        let mut guard = match batch.account_guard() {
            Kept::Nothing => AccountGuard::default(),
            Kept::State(guard) => guard,
            Kept::Unreadable(why) => {
                let note = format!("{}; it begins anew, and what was lost before is forgotten", unreadable(&why));
                let cause = format!("{} ({})", self.reason, unreadable(&why));
                return self.keep_account(batch, &AccountGuard::default(), "resumed", &cause, vec![note]);
            }
        };
        match guard.resume(self.at, &self.reason) {
            Ok(measure) => guard.apply(self.at, &measure),
            Err(OrderError::NothingToResume) if was_killed => {}
            Err(error) => return Ok(Err(error.into())),
        }
        self.keep_account(batch, &guard, "resumed", &self.reason, Vec::new())
    }

    fn keep_account(
        &self,
        batch: &Batch<'_>,
        guard: &AccountGuard,
        what: &str,
        cause: &str,
        notes: Vec<String>,
    ) -> Answer {
        if !self.dry_run {
            batch.keep_account_guard(self.at, guard)?;
            self.note(batch, what, cause)?;
        }
        let (state, cause) = (guard.state().to_string(), guard.cause().map(str::to_owned));
        Ok(Ok(Change { state, cause, changed: true, notes }))
    }

    /// Puts a strategy into a stricter state.
    fn restrict(&self, batch: &Batch<'_>, name: &str, state: StrategyState) -> Answer {
        let kept = batch.strategy_guard(name);
        let mut guard = match kept.clone().or_default() {
            Some(guard) if guard.state() < state => guard,
            _ => return Ok(Ok(Change::none(strategy_state(&kept)))),
        };
        guard.change(state, &self.reason, Money::ZERO);
        self.keep_strategy(batch, name, &guard, &state.to_string(), &self.reason, Vec::new())
    }

    /// Lets a strategy trade again. What it may lose is measured anew, from what it is worth when it trades next.
    fn resume_strategy(&self, batch: &Batch<'_>, name: &str) -> Answer {
        match batch.strategy_guard(name) {
            Kept::State(mut guard) if guard.state() != StrategyState::Active => {
                guard.change(StrategyState::Active, &self.reason, Money::ZERO);
                self.keep_strategy(batch, name, &guard, "resumed", &self.reason, Vec::new())
            }
            Kept::Unreadable(why) => {
                let note = format!("{}; it begins anew, and what was lost before is forgotten", unreadable(&why));
                let cause = format!("{} ({})", self.reason, unreadable(&why));
                self.keep_strategy(batch, name, &StrategyGuard::default(), "resumed", &cause, vec![note])
            }
            Kept::Nothing | Kept::State(_) => {
                Ok(Err(anyhow!("there is nothing to resume: the strategy {name} is active; see `tiltyard risk show`")))
            }
        }
    }

    fn keep_strategy(
        &self,
        batch: &Batch<'_>,
        name: &str,
        guard: &StrategyGuard,
        what: &str,
        cause: &str,
        notes: Vec<String>,
    ) -> Answer {
        if !self.dry_run {
            batch.keep_strategy_guard(self.at, name, guard)?;
            self.note(batch, what, cause)?;
        }
        let (state, cause) = (guard.state().to_string(), guard.cause().map(str::to_owned));
        Ok(Ok(Change { state, cause, changed: true, notes }))
    }
}

impl Change {
    fn none((state, cause): (String, Option<String>)) -> Self {
        Self { state, cause, changed: false, notes: Vec::new() }
    }
}

fn account_state(kept: &Kept<AccountGuard>) -> (String, Option<String>) {
    let (state, cause) = of_account(kept);
    (state.to_string(), cause)
}

fn strategy_state(kept: &Kept<StrategyGuard>) -> (String, Option<String>) {
    let (state, cause) = of_strategy(kept);
    (state.to_string(), cause)
}

/// A reason or a name as it stands on a command line: one line that says something.
pub(crate) fn said(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        bail!("it is empty; say something");
    }
    if text.chars().count() > LONGEST {
        bail!("it has more than {LONGEST} characters; say it shorter");
    }
    if text.contains(char::is_control) {
        bail!("it has line breaks or control characters; put it into one line");
    }
    Ok(text.to_owned())
}
