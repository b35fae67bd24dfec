//! Two series into one.

use std::cmp::Ordering;
use std::fmt;

use tiltyard_model::{Bar, Columns, Nanos};

use crate::format_time;

/// What happens to bars that contradict those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradictions {
    /// They are an error.
    Refused,
    /// They take the place of the others.
    Replace,
}

/// Two bars of one time that say different things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conflict {
    /// What is there.
    pub kept: Bar,
    /// What is new.
    pub given: Bar,
}

/// Bars that contradict those that are there: the first, and how many there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contradiction {
    /// The first, at most [`Contradiction::LISTED`].
    pub first: Vec<Conflict>,
    /// How many there are in all.
    pub count: u64,
}

impl Contradiction {
    /// Most contradictions that are listed; the rest is counted.
    pub const LISTED: usize = 5;
}

/// What came of putting bars together.
pub(crate) struct Merged {
    pub(crate) bars: Vec<Bar>,
    /// Bars that were not there.
    pub(crate) added: u64,
    /// Bars that were there already.
    pub(crate) same: u64,
    /// Bars that others took the place of.
    pub(crate) replaced: u64,
}

/// Puts bars together that are each in order. All contradictions are found before any is an error.
pub(crate) fn merge(kept: &Columns, given: &Columns, contradictions: Contradictions) -> Result<Merged, Contradiction> {
    let mut merged = Merged { bars: Vec::with_capacity(kept.len().max(given.len())), added: 0, same: 0, replaced: 0 };
    let mut found = Contradiction::default();
    let (mut kept, mut given) = (kept.iter().peekable(), given.iter().peekable());
    loop {
        let order = match (kept.peek(), given.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(kept), Some(given)) => kept.open_time.cmp(&given.open_time),
        };
        let old = if order == Ordering::Greater { None } else { kept.next() };
        let new = if order == Ordering::Less { None } else { given.next() };
        match (old, new) {
            (Some(old), Some(new)) if old == new => merged.same += 1,
            (Some(kept), Some(given)) => {
                merged.replaced += 1;
                found.count += 1;
                if found.first.len() < Contradiction::LISTED {
                    found.first.push(Conflict { kept, given });
                }
            }
            (None, Some(_)) => merged.added += 1,
            _ => {}
        }
        merged.bars.extend(new.or(old));
    }
    if found.count > 0 && contradictions == Contradictions::Refused {
        return Err(found);
    }
    Ok(merged)
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = if self.count == 1 { "1 bar contradicts" } else { &format!("{} bars contradict", self.count) };
        write!(f, "{bars} what is there")?;
        for Conflict { kept, given } in &self.first {
            write!(f, "\n  {}: {}, not {}", format_time(given.open_time), values(kept), values(given))?;
        }
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// Open, high, low, close and volume.
fn values(bar: &Bar) -> String {
    let Bar { open, high, low, close, volume, open_time: Nanos(_) } = bar;
    format!("{open}/{high}/{low}/{close} volume {volume}")
}
