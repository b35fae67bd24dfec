use serde::Serialize;
use tiltyard_model::{Nanos, OrderId, Price, Side};

use crate::books::Record;
use crate::ledger::RoundTrip;

/// A round trip as reports show it: numbers as people compute with them, times in milliseconds since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TradeRow {
    /// The instrument's symbol.
    pub symbol: String,
    /// When it was opened: the first fill.
    pub entry_time: i64,
    /// Average price of the entry.
    pub entry_price: f64,
    /// When it was closed: the last fill.
    pub exit_time: i64,
    /// Average price of the exit.
    pub exit_price: f64,
    /// `long` or `short`.
    pub side: &'static str,
    /// Base currency.
    pub quantity: f64,
    /// Fees of entry and exit, that of a liquidation included, in settlement currency.
    pub fees: f64,
    /// Profit before fees.
    pub pnl_gross: f64,
    /// Funding received less paid, less the interest on what was borrowed.
    pub funding: f64,
    /// Profit after everything.
    pub pnl_net: f64,
    /// Bars that closed between entry and exit.
    pub bars_held: u64,
    /// Maximum adverse excursion, as a fraction of the entry price.
    pub mae: f64,
    /// Maximum favourable excursion, likewise.
    pub mfe: f64,
    /// Why it was closed: `signal`, `target`, `close`, `stop_loss`, `trailing_stop`, `take_profit`, `halt`, `fault`,
    /// `liquidation`, `delisted`, `window_end`.
    pub exit_reason: String,
}

/// What is still held at the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenRow {
    /// The instrument's symbol.
    pub symbol: String,
    /// When it was opened.
    pub entry_time: i64,
    /// Average price of the entry.
    pub entry_price: f64,
    /// `long` or `short`.
    pub side: &'static str,
    /// Base currency.
    pub quantity: f64,
    /// What of the entry's fee is on it.
    pub fees: f64,
    /// Funding received less paid, less the interest on what was borrowed; absent in JSON if there was none.
    #[serde(skip_serializing_if = "is_none")]
    pub funding: f64,
    /// The mark, at which it counts in the equity.
    pub mark_price: Option<f64>,
}

pub(crate) fn is_none(amount: &f64) -> bool {
    *amount == 0.0
}

const MILLISECOND: i64 = 1_000_000;

fn milliseconds(time: Nanos) -> i64 {
    time.0.div_euclid(MILLISECOND)
}

fn direction(side: Side) -> &'static str {
    match side {
        Side::Buy => "long",
        Side::Sell => "short",
    }
}

impl TradeRow {
    /// The heads of a table of trades.
    pub const HEADS: [&'static str; 15] = [
        "symbol",
        "entry_time",
        "entry_price",
        "exit_time",
        "exit_price",
        "side",
        "quantity",
        "fees",
        "pnl_gross",
        "funding",
        "pnl_net",
        "bars_held",
        "mae",
        "mfe",
        "exit_reason",
    ];

    /// All round trips of a record, in the order of closing. `symbols` are the run's.
    #[must_use]
    pub fn all(record: &Record, symbols: &[String]) -> Vec<Self> {
        record.ledger.round_trips().iter().map(|trip| Self::of(trip, symbols)).collect()
    }

    fn of(trip: &RoundTrip, symbols: &[String]) -> Self {
        Self {
            symbol: symbols.get(trip.instrument.0 as usize).cloned().unwrap_or_default(),
            entry_time: milliseconds(trip.entry_time),
            entry_price: trip.entry_price.to_f64(),
            exit_time: milliseconds(trip.exit_time),
            exit_price: trip.exit_price.to_f64(),
            side: direction(trip.side),
            quantity: trip.quantity.to_f64(),
            fees: (trip.fees + trip.liquidation_fee).to_f64(),
            pnl_gross: trip.gross.to_f64(),
            funding: trip.funding.to_f64(),
            pnl_net: trip.net.to_f64(),
            bars_held: trip.bars,
            mae: trip.mae,
            mfe: trip.mfe,
            exit_reason: trip.exit_reason.to_string(),
        }
    }
}

impl OpenRow {
    /// What a record still holds, one row for each order that opened some of it.
    #[must_use]
    pub fn all(record: &Record, symbols: &[String]) -> Vec<Self> {
        let mut rows: Vec<(OrderId, Self)> = Vec::new();
        for (symbol, holding) in symbols.iter().zip(record.ledger.holdings()) {
            let side = if holding.quantity().0.is_sign_negative() { Side::Sell } else { Side::Buy };
            for lot in holding.lots() {
                let (price, quantity, fee) = (lot.price.to_f64(), lot.quantity.to_f64(), lot.fee.to_f64());
                // Fills of one order follow each other.
                if let Some((_, row)) = rows.last_mut().filter(|(order, _)| *order == lot.order) {
                    row.entry_price += (price - row.entry_price) * quantity / (row.quantity + quantity);
                    row.quantity += quantity;
                    row.fees += fee;
                    row.funding += lot.funding.to_f64();
                    continue;
                }
                let row = Self {
                    symbol: symbol.clone(),
                    entry_time: milliseconds(lot.opened.time),
                    entry_price: price,
                    side: direction(side),
                    quantity,
                    fees: fee,
                    funding: lot.funding.to_f64(),
                    mark_price: holding.last_mark().map(Price::to_f64),
                };
                rows.push((lot.order, row));
            }
        }
        rows.into_iter().map(|(_, row)| row).collect()
    }
}
