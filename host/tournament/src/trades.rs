//! The trades of a tournament's rows.
//!
//! Kept for all runs they would be most of the database: a run of `ma-cross` over four years of hours takes 3.5 KB of it without
//! them when there are a thousand, and has 543 of some 135 bytes on average (BENCHMARKS.md). So they are kept only of the runs that
//! are played again anyway when the table is made: the judged ones of a walk-forward, and those of the first rows of a single
//! window. Those of another row are played again when somebody asks for them, and kept from then on.

use tiltyard_engine::TradeRow;
use tiltyard_store::{RunKey, Store, StoreError};

use crate::contest::Contest;
use crate::hold::{HoldError, again};
use crate::table::Table;

/// Keeps the trades of these runs, which are counted as in [`Contest::runs`].
pub(crate) fn keep(keys: &[RunKey], trades: &[(usize, Vec<TradeRow>)], store: &mut Store) -> Result<(), StoreError> {
    store.batch(|store| trades.iter().try_for_each(|(at, trades)| store.insert_trades(keys[*at], trades).map(drop)))
}

/// The trades of a row, window by window in the order of closing. `place` is its place in [`Table::rows`], and the table is this
/// contest's.
///
/// # Errors
/// [`HoldError::Differs`] if a run gives something else when it is played again, and whatever keeps it from being played.
pub fn trades_of(
    contest: &Contest,
    table: &Table,
    place: usize,
    store: &mut Store,
) -> Result<Vec<TradeRow>, HoldError> {
    let mut all = Vec::new();
    for run in table.judged_on[place].iter().map(|at| &contest.runs[*at]) {
        let key = contest.key(run);
        if let Some(kept) = store.trades(key)? {
            all.extend(kept);
            continue;
        }
        // What did not even start has metrics no more than trades.
        let Some(ended) = store.run(key)?.filter(|ended| ended.metrics.is_some()) else { continue };
        let outcome = again(contest, run, ended.result)?;
        let trades = TradeRow::all(&outcome.books.records()[0], &contest.symbols(run));
        store.batch(|store| store.insert_trades(key, &trades))?;
        all.extend(trades);
    }
    Ok(all)
}
