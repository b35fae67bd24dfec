use std::fmt;

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tiltyard_model::{Digest, Nanos};
use tiltyard_risk::{AccountGuard, StrategyGuard};

use crate::json::to_text;
use crate::sql::{all, one, whole};
use crate::{Batch, Store, StoreError};

/// The form in which guards are written. Whoever changes what a guard is raises it.
const FORM: i64 = 1;

/// What a guard watches over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The whole account.
    Account,
    /// The strategy of this name.
    Strategy(String),
}

/// What is kept of a guard.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept<T> {
    /// Nothing: nobody has traded or ordered anything yet.
    Nothing,
    /// Where it stood.
    State(T),
    /// Something that cannot be trusted, and why: damaged, or written by a newer program. It counts as halted.
    Unreadable(String),
}

/// A change of where the account or a strategy stands. A line of a list that is only added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Nanos,
    /// Of what.
    pub scope: Scope,
    /// By whose word: `person` or `host`, in an open vocabulary.
    pub who: String,
    /// To what, such as `halted`, `resumed` or `breaker-opened`, in an open vocabulary.
    pub what: String,
    /// Why.
    pub cause: String,
}

/// An order to close everything, which whoever trades next carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flatten {
    /// When it was given.
    pub at: Nanos,
    /// By whom, as in [`Transition::who`].
    pub who: String,
    /// Why.
    pub cause: String,
}

impl<T> Kept<T> {
    /// The state, the one of a beginning if nothing is kept; `None` if what is kept cannot be read.
    #[must_use]
    pub fn or_default(self) -> Option<T>
    where
        T: Default,
    {
        match self {
            Self::Nothing => Some(T::default()),
            Self::State(state) => Some(state),
            Self::Unreadable(_) => None,
        }
    }

    /// Why what is kept cannot be read, if it cannot.
    #[must_use]
    pub fn unreadable(&self) -> Option<&str> {
        match self {
            Self::Unreadable(why) => Some(why),
            Self::Nothing | Self::State(_) => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("account"),
            Self::Strategy(name) => write!(f, "strategy/{name}"),
        }
    }
}

impl Scope {
    fn read(text: &str) -> Result<Self, StoreError> {
        match text.split_once('/') {
            None if text == "account" => Ok(Self::Account),
            Some(("strategy", name)) => Ok(Self::Strategy(name.to_owned())),
            _ => Err(StoreError::Unreadable { what: "the scope of a guard", why: format!("`{text}` is none") }),
        }
    }
}

impl Store {
    /// Where the account stands. Whatever keeps it from being read makes it [`Kept::Unreadable`].
    #[must_use]
    pub fn account_guard(&self) -> Kept<AccountGuard> {
        guard(&self.connection, &Scope::Account)
    }

    /// Where a strategy stands. Whatever keeps it from being read makes it [`Kept::Unreadable`].
    #[must_use]
    pub fn strategy_guard(&self, name: &str) -> Kept<StrategyGuard> {
        guard(&self.connection, &Scope::Strategy(name.to_owned()))
    }

    /// The names of the strategies of which something is kept, in alphabetical order.
    ///
    /// # Errors
    /// When the file cannot be read; then nothing is known of any strategy, and all count as halted.
    pub fn guarded_strategies(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT scope FROM guards WHERE scope <> 'account' ORDER BY scope";
        let scopes = all(&self.connection, sql, [], |row| Scope::read(&row.get::<_, String>(0)?))?;
        let name = |scope| if let Scope::Strategy(name) = scope { Some(name) } else { None };
        Ok(scopes.into_iter().filter_map(name).collect())
    }

    /// The last transitions, at most so many, the latest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_transitions(&self, most: u64) -> Result<Vec<Transition>, StoreError> {
        let sql = "SELECT at, scope, who, what, cause FROM transitions ORDER BY id DESC LIMIT ?";
        all(&self.connection, sql, [whole("a number of transitions", most)?], transition)
    }

    /// The order to close everything, if one was given and not carried out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn flatten_order(&self) -> Result<Option<Flatten>, StoreError> {
        one(&self.connection, "SELECT at, who, cause FROM flatten", [], |row| {
            Ok(Flatten { at: Nanos(row.get(0)?), who: row.get(1)?, cause: row.get(2)? })
        })
    }
}

/// Guards and transitions belong in a [durable](Store::durable_batch) batch, and a guard in the same one as the transition that
/// it has made.
impl Batch<'_> {
    /// Where the account stands, as this batch would leave it.
    #[must_use]
    pub fn account_guard(&self) -> Kept<AccountGuard> {
        guard(self.connection, &Scope::Account)
    }

    /// Where a strategy stands, as this batch would leave it.
    #[must_use]
    pub fn strategy_guard(&self, name: &str) -> Kept<StrategyGuard> {
        guard(self.connection, &Scope::Strategy(name.to_owned()))
    }

    /// Keeps where the account stands, in the place of what was kept before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_account_guard(&self, at: Nanos, state: &AccountGuard) -> Result<(), StoreError> {
        self.keep_guard(&Scope::Account, at, &to_text("the guard of the account", state)?)
    }

    /// Keeps where a strategy stands, in the place of what was kept before.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] without a name, or when it cannot be written.
    pub fn keep_strategy_guard(&self, at: Nanos, name: &str, state: &StrategyGuard) -> Result<(), StoreError> {
        let text = to_text("the guard of a strategy", state)?;
        self.keep_guard(&Scope::Strategy(named(name)?.to_owned()), at, &text)
    }

    fn keep_guard(&self, scope: &Scope, at: Nanos, state: &str) -> Result<(), StoreError> {
        let scope = scope.to_string();
        let digest = digest(&scope, FORM, at, state);
        self.write(
            "INSERT INTO guards (scope, form, state, digest, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (scope)
             DO UPDATE SET form = excluded.form, state = excluded.state, digest = excluded.digest, at = excluded.at",
            params![scope, FORM, state, digest.0, at.0],
        )?;
        Ok(())
    }

    /// Adds a transition to the list.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if it does not say whose, who or what, or when it cannot be written.
    pub fn insert_transition(&self, transition: &Transition) -> Result<(), StoreError> {
        let Transition { at, scope, who, what, cause } = transition;
        if let Scope::Strategy(name) = scope {
            named(name)?;
        }
        if who.is_empty() || what.is_empty() {
            let why = "it says too little; name who changed what".to_owned();
            return Err(StoreError::Invalid { what: "a transition".to_owned(), why });
        }
        self.write(
            "INSERT INTO transitions (at, scope, who, what, cause) VALUES (?, ?, ?, ?, ?)",
            params![at.0, scope.to_string(), who, what, cause],
        )?;
        Ok(())
    }

    /// Gives the order to close everything. One that waits already stays, and is the one that is carried out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn order_flatten(&self, order: &Flatten) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO flatten (id, at, who, cause) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            params![order.at.0, order.who, order.cause],
        )?;
        Ok(())
    }

    /// The order to close everything was carried out, or taken back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn clear_flatten(&self) -> Result<(), StoreError> {
        self.write("DELETE FROM flatten", [])?;
        Ok(())
    }
}

fn named(name: &str) -> Result<&str, StoreError> {
    if name.trim().is_empty() {
        let why = "its strategy has no name; give one".to_owned();
        return Err(StoreError::Invalid { what: "a guard".to_owned(), why });
    }
    Ok(name)
}

fn digest(scope: &str, form: i64, at: Nanos, state: &str) -> Digest {
    Digest::of(format!("{scope}\n{form}\n{}\n{state}", at.0).as_bytes())
}

fn guard<T: DeserializeOwned + Serialize>(connection: &Connection, scope: &Scope) -> Kept<T> {
    let name = scope.to_string();
    let sql = "SELECT form, state, digest, at FROM guards WHERE scope = ?";
    let row = one(connection, sql, [&name], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, Digest(row.get(2)?), Nanos(row.get(3)?)))
    });
    match row {
        Ok(None) => Kept::Nothing,
        Ok(Some((form, ..))) if form > FORM => {
            Kept::Unreadable(format!("a newer program wrote it (form {form}, this one knows up to {FORM})"))
        }
        Ok(Some((form, state, kept, at))) if digest(&name, form, at, &state) != kept => {
            Kept::Unreadable("it is not what was written: its digest is another".to_owned())
        }
        Ok(Some((_, state, ..))) => match serde_json::from_str(&state) {
            Ok(state) => Kept::State(state),
            Err(error) => Kept::Unreadable(error.to_string()),
        },
        Err(error) => Kept::Unreadable(error.to_string()),
    }
}

fn transition(row: &Row<'_>) -> Result<Transition, StoreError> {
    Ok(Transition {
        at: Nanos(row.get(0)?),
        scope: Scope::read(&row.get::<_, String>(1)?)?,
        who: row.get(2)?,
        what: row.get(3)?,
        cause: row.get(4)?,
    })
}
