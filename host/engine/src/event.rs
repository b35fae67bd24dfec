use serde::{Deserialize, Serialize};
use tiltyard_model::{
    Decimal, Digest, Digester, InstrumentIndex, InstrumentKind, Level, Money, Nanos, OrderId, Price, Qty, Ticket,
    Violation,
};
use tiltyard_risk::{Measure, StrategyGuard, StrategyState};

use crate::execution::{Execution, Reason, StrategyIndex, Update};

/// Something that happened in a run. The events of a run are all that its ledgers and metrics follow from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A strategy took its seat.
    Seated {
        /// Which.
        strategy: StrategyIndex,
        /// Its cash, in settlement currency.
        cash: Money,
        /// The kinds of the run's instruments.
        kinds: Vec<InstrumentKind>,
    },
    /// A bar was booked, after the fills that it brought.
    Bar {
        /// Its instrument.
        instrument: InstrumentIndex,
        /// When it began.
        open_time: Nanos,
        /// First, highest, lowest and last price, and volume.
        ohlcv: [f64; 5],
    },
    /// What an instrument is marked to, where that is not its last price.
    Mark {
        /// Which.
        instrument: InstrumentIndex,
        /// The mark.
        price: f64,
    },
    /// A strategy received or paid funding.
    Funding {
        /// Which.
        strategy: StrategyIndex,
        /// For what it holds of this.
        instrument: InstrumentIndex,
        /// The part of the notional that longs pay.
        rate: Decimal,
        /// The mark at which the notional was taken.
        mark: Price,
        /// What was received, below 0 for what was paid; rounded against the strategy.
        amount: Money,
    },
    /// A strategy paid interest on what it has borrowed.
    Interest {
        /// Which.
        strategy: StrategyIndex,
        /// For what it holds of this.
        instrument: InstrumentIndex,
        /// What it has borrowed for it, in quote currency: base currency at the mark.
        borrowed: Money,
        /// The part of it that a day costs.
        rate: Decimal,
        /// For how many hours.
        hours: i64,
        /// What was paid, rounded up.
        amount: Money,
    },
    /// What is put aside for an isolated position is now so much.
    Margin {
        /// Whose.
        strategy: StrategyIndex,
        /// Of which instrument.
        instrument: InstrumentIndex,
        /// The margin, funding and interest included.
        margin: Money,
    },
    /// An instrument trades no more.
    Ended(InstrumentIndex),
    /// Others traded, after the fills that it brought: what is held is marked to the price. Quotes and depth move no book and are
    /// not among the events; [`Event::Tape`] says which there were.
    Print {
        /// The instrument.
        instrument: InstrumentIndex,
        /// The price.
        price: Price,
        /// How much traded, in base currency.
        quantity: Qty,
    },
    /// All that a tape had shown of an instrument when the run ended.
    Tape {
        /// The instrument.
        instrument: InstrumentIndex,
        /// How many quotes, trades and changes of depth.
        events: u64,
        /// The digest of all of them, in order, with their times.
        digest: Digest,
    },
    /// An order passed every rule.
    Accepted {
        /// Whose.
        strategy: StrategyIndex,
        /// Its number.
        order: OrderId,
        /// What it is.
        ticket: Ticket,
        /// When it becomes active.
        active_from: Nanos,
    },
    /// A request was refused; nothing else happened.
    Refused {
        /// Whose.
        strategy: StrategyIndex,
        /// Which: `submit`, `cancel`, `replace`, `target` or `close`.
        request: Reason,
        /// Of which instrument, if it named one.
        instrument: Option<InstrumentIndex>,
        /// The rules that it broke.
        violations: Vec<Violation>,
    },
    /// An order traded.
    Executed(Execution),
    /// An order changed.
    Updated(Update),
    /// What a changed order is from now on.
    Replaced {
        /// Which.
        order: OrderId,
        /// What it is.
        ticket: Ticket,
        /// What of it has filled.
        filled: Qty,
    },
    /// A request passed, though it was made smaller or is worth a word: what it would have broken, or comes close to.
    Warned {
        /// Whose.
        strategy: StrategyIndex,
        /// Which: `submit`, `replace` or `target`.
        request: Reason,
        /// Of which instrument.
        instrument: InstrumentIndex,
        /// The rules.
        violations: Vec<Violation>,
    },
    /// The guard of the account took a measure.
    Measure(Measure),
    /// A strategy's guard was kept over a restart: it stands where it stood.
    Kept {
        /// Whose.
        strategy: StrategyIndex,
        /// Where it stands.
        guard: StrategyGuard,
    },
    /// A strategy changed its state.
    State {
        /// Which.
        strategy: StrategyIndex,
        /// From now on.
        state: StrategyState,
        /// Why.
        cause: String,
    },
    /// A strategy stopped.
    Fault {
        /// Which.
        strategy: StrategyIndex,
        /// Why.
        message: String,
    },
    /// A strategy wrote a line.
    Line {
        /// Which.
        strategy: StrategyIndex,
        /// How much it matters.
        level: Level,
        /// The line.
        message: String,
    },
    /// A strategy recorded a number; a NaN or an infinity is kept as none.
    Metric {
        /// Which.
        strategy: StrategyIndex,
        /// Its name.
        name: String,
        /// The number.
        value: Option<f64>,
    },
    /// A strategy added to the decision being recorded.
    Note {
        /// Which.
        strategy: StrategyIndex,
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// All that happened at this instant is above; equity was taken down.
    Instant,
    /// The run is over.
    Finished {
        /// Fuel that each strategy used.
        fuel: Vec<u64>,
    },
}

/// An event and when it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The instant. What traded inside a bar is recorded when the bar closes.
    pub time: Nanos,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// Whether its amounts are ones that a run could have had: sums of them are exact then.
    ///
    /// # Errors
    /// Says which is not.
    pub fn check(&self) -> Result<(), String> {
        // 10¹⁸, which is more than any account may be worth.
        let most = Decimal::from(1_000_000_000_000_000_000_u64);
        let amounts = match &self.event {
            Event::Seated { cash, .. } => vec![("cash", cash.0)],
            Event::Executed(execution) => vec![
                ("price", execution.price.0),
                ("quantity", execution.quantity.0),
                ("value", execution.value.0),
                ("fee", execution.fee.0),
                ("liquidation_fee", execution.liquidation_fee.0),
            ],
            Event::Funding { mark, amount, .. } => vec![("mark", mark.0), ("amount", amount.0)],
            Event::Interest { borrowed, amount, .. } => vec![("borrowed", borrowed.0), ("amount", amount.0)],
            Event::Margin { margin, .. } => vec![("margin", margin.0)],
            _ => Vec::new(),
        };
        match amounts.into_iter().find(|(_, amount)| amount.abs() > most) {
            Some((name, amount)) => Err(format!("{name} is {amount}; no run has more than {most}")),
            None => Ok(()),
        }
    }
}

/// The events of a run: their digest always, all of them if they are wanted.
#[derive(Debug, Clone, Default)]
pub struct Log {
    digester: Digester,
    kept: Option<Vec<Entry>>,
    scratch: Vec<u8>,
}

impl Log {
    /// A log of which only the digest remains.
    #[must_use]
    pub fn digest_only() -> Self {
        Self::default()
    }

    /// A log that keeps every event.
    #[must_use]
    pub fn keeping() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    pub(crate) fn push(&mut self, time: Nanos, event: Event) {
        // The market is an input with a digest of its own, and an instant follows from it.
        if !matches!(event, Event::Bar { .. } | Event::Mark { .. } | Event::Print { .. } | Event::Instant) {
            self.scratch.clear();
            // Serialising to memory does not fail: every key is a text and every number finite.
            if serde_json::to_writer(&mut self.scratch, &event).is_ok() {
                self.digester.nanos(time).bytes(&self.scratch);
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.push(Entry { time, event });
        }
    }

    /// The digest of all that happened, in order.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digester.clone().finish()
    }

    /// The events, if they were kept.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        self.kept.as_deref().unwrap_or_default()
    }
}
