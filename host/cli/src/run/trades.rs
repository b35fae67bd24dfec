use std::path::Path;

use anyhow::Result;
use tiltyard_engine::TradeRow;

use crate::whole::{self, Existing};

/// Writes trades as CSV. The file appears whole or not at all.
pub(crate) fn write_trades(path: &Path, trades: &[TradeRow]) -> Result<()> {
    whole::write(path, Existing::Replaced, |file| {
        let mut rows = csv::Writer::from_writer(file);
        if trades.is_empty() {
            // Rows bring their heads along; without rows they have to be written.
            rows.write_record(TradeRow::HEADS)?;
        }
        for trade in trades {
            rows.serialize(trade)?;
        }
        rows.flush()
    })
}
