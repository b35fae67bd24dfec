use rusqlite::{Connection, Row, params};
use tiltyard_engine::TradeRow;

use crate::sql::{all, count, finite, one, whole};
use crate::{Batch, Kind, RunKey, Store, StoreError};

/// A run's number in this file, and how many trades of it are kept.
fn find(connection: &Connection, run: RunKey) -> Result<Option<(i64, Option<i64>)>, StoreError> {
    one(connection, "SELECT id, trades FROM runs WHERE key = ?", [run.0.0], |row| Ok((row.get(0)?, row.get(1)?)))
}

impl Batch<'_> {
    /// Keeps the trades of a run, also if there are none. Says whether that is new.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] without the run, [`StoreError::Nondeterministic`] if other trades of it are kept,
    /// [`StoreError::Number`] for one that is not finite.
    pub fn insert_trades(&self, run: RunKey, trades: &[TradeRow]) -> Result<bool, StoreError> {
        let (id, kept) = find(self.connection, run)?
            .ok_or_else(|| StoreError::Unknown { what: Kind::Run, name: run.to_string() })?;
        // Before the first row, so that a refusal leaves none.
        trades.iter().try_for_each(check)?;
        if kept.is_some() {
            let kept = read(self.connection, id)?;
            if kept == trades {
                return Ok(false);
            }
            let at = kept.iter().zip(trades).take_while(|(kept, given)| kept == given).count();
            let show = |trades: &[TradeRow]| match trades.get(at) {
                Some(trade) => format!("{trade:?}"),
                None => format!("{} in all", trades.len()),
            };
            let (kept, given) = (show(&kept), show(trades));
            return Err(StoreError::Nondeterministic { run, figure: "list of trades", kept, given });
        }
        for (ordinal, trade) in trades.iter().enumerate() {
            let held = whole("a number of bars", trade.bars_held)?;
            self.write(
                "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    id,
                    ordinal as i64,
                    trade.symbol,
                    trade.entry_time,
                    trade.entry_price,
                    trade.exit_time,
                    trade.exit_price,
                    trade.side,
                    trade.quantity,
                    trade.fees,
                    trade.pnl_gross,
                    trade.funding,
                    trade.pnl_net,
                    held,
                    trade.mae,
                    trade.mfe,
                    trade.exit_reason,
                ],
            )?;
        }
        self.write("UPDATE runs SET trades = ? WHERE id = ?", params![trades.len() as i64, id])?;
        Ok(true)
    }
}

impl Store {
    /// The trades of a run in the order of closing, or none if they were not kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn trades(&self, run: RunKey) -> Result<Option<Vec<TradeRow>>, StoreError> {
        match find(&self.connection, run)? {
            Some((id, Some(_))) => read(&self.connection, id).map(Some),
            _ => Ok(None),
        }
    }
}

fn check(trade: &TradeRow) -> Result<(), StoreError> {
    side(trade.side).ok_or_else(|| StoreError::Invalid {
        what: "a trade".to_owned(),
        why: format!("its side is `{}`; long or short", trade.side),
    })?;
    whole("a number of bars", trade.bars_held)?;
    for (what, number) in [
        ("entry price", trade.entry_price),
        ("exit price", trade.exit_price),
        ("quantity", trade.quantity),
        ("fees", trade.fees),
        ("gross profit", trade.pnl_gross),
        ("funding", trade.funding),
        ("net profit", trade.pnl_net),
        ("adverse excursion", trade.mae),
        ("favourable excursion", trade.mfe),
    ] {
        finite(what, number)?;
    }
    Ok(())
}

fn side(side: &str) -> Option<&'static str> {
    ["long", "short"].into_iter().find(|known| *known == side)
}

fn read(connection: &Connection, run: i64) -> Result<Vec<TradeRow>, StoreError> {
    all(connection, "SELECT * FROM trades WHERE run = ? ORDER BY ordinal", [run], trade)
}

fn trade(row: &Row<'_>) -> Result<TradeRow, StoreError> {
    let text: String = row.get("side")?;
    Ok(TradeRow {
        symbol: row.get("symbol")?,
        entry_time: row.get("entry_time")?,
        entry_price: row.get("entry_price")?,
        exit_time: row.get("exit_time")?,
        exit_price: row.get("exit_price")?,
        side: side(&text).ok_or(StoreError::Unreadable { what: "the side of a trade", why: text })?,
        quantity: row.get("quantity")?,
        fees: row.get("fees")?,
        pnl_gross: row.get("pnl_gross")?,
        funding: row.get("funding")?,
        pnl_net: row.get("pnl_net")?,
        bars_held: count("a number of bars", row.get("bars_held")?)?,
        mae: row.get("mae")?,
        mfe: row.get("mfe")?,
        exit_reason: row.get("exit_reason")?,
    })
}
