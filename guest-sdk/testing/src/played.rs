use tiltyard_engine::{Books, Event};
use tiltyard_sdk::{Fill, Side, Violation};

use crate::convert;

/// What came of a trial.
#[derive(Debug, Clone)]
pub struct Played {
    /// What a signal strategy answered, one for each bar.
    pub targets: Vec<f64>,
    /// What traded, in order.
    pub fills: Vec<Fill>,
    /// What was opened and closed again, in the order of closing.
    pub trades: Vec<Trade>,
    /// Rules that refused requests broke, in order, each refusal by itself.
    pub refusals: Vec<Vec<Violation>>,
    /// Lines of the journal, in order.
    pub lines: Vec<String>,
    /// Cash plus what is held at the last close.
    pub equity: f64,
    /// What is held at the end, instrument by instrument; negative when short.
    pub positions: Vec<f64>,
}

/// A round trip: what one order opened and another closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trade {
    /// `Buy` for a long position.
    pub side: Side,
    /// Base currency.
    pub quantity: f64,
    /// Average price of the entry.
    pub entry_price: f64,
    /// Average price of the exit.
    pub exit_price: f64,
    /// Profit after fees.
    pub net: f64,
    /// Why it was closed, such as `target`, `stop_loss` or `take_profit`.
    pub exit_reason: String,
}

impl Played {
    pub(crate) fn new(books: &Books, targets: Vec<f64>) -> Self {
        let mut played = Self {
            targets,
            fills: Vec::new(),
            trades: Vec::new(),
            refusals: Vec::new(),
            lines: Vec::new(),
            equity: books.equity().to_f64(),
            positions: Vec::new(),
        };
        for entry in books.log().entries() {
            match &entry.event {
                Event::Executed(execution) => played.fills.push(convert::fill(&execution.to_fill())),
                Event::Refused { violations, .. } => {
                    played.refusals.push(violations.iter().map(convert::violation).collect());
                }
                Event::Line { message, .. } => played.lines.push(message.clone()),
                _ => {}
            }
        }
        if let Some(record) = books.records().first() {
            played.positions = record.ledger.holdings().iter().map(|held| held.quantity().to_f64()).collect();
            played.trades = record
                .ledger
                .round_trips()
                .iter()
                .map(|trip| Trade {
                    side: convert::side(trip.side),
                    quantity: trip.quantity.to_f64(),
                    entry_price: trip.entry_price.to_f64(),
                    exit_price: trip.exit_price.to_f64(),
                    net: trip.net.to_f64(),
                    exit_reason: trip.exit_reason.to_string(),
                })
                .collect();
        }
        played
    }
}
