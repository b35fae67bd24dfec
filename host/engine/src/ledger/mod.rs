//! What a strategy owns, owes and has earned.

mod holding;
mod round_trip;

use serde::{Deserialize, Serialize};
use tiltyard_model::{InstrumentIndex, InstrumentKind, Money, Nanos, Price, Qty, Side, decimal};

use crate::execution::Execution;
pub use holding::{Holding, Lot};
pub use round_trip::RoundTrip;

/// The sub-ledger of one strategy: two books that have to agree.
///
/// Cash is the sum of all cash flows. The holdings keep what each lot cost and what closing it brought, first in, first
/// out. At any time, to the last digit,
/// initial + realised + unrealised − fees + funding − interest − liquidation fees = cash + value of the holdings = equity.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    initial: Money,
    flows: Money,
    realised: Money,
    fees: Money,
    funding: Money,
    interest: Money,
    liquidation_fees: Money,
    turnover: Money,
    holdings: Vec<Holding>,
    trips: Vec<RoundTrip>,
}

/// The sums of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// What the strategy began with.
    pub initial: Money,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Profit of what is held at the last marks, before the cost of closing.
    pub unrealised: Money,
    /// Fees paid, without those of liquidations.
    pub fees: Money,
    /// Funding received less paid.
    pub funding: Money,
    /// Interest paid on what was borrowed.
    #[serde(default)]
    pub interest: Money,
    /// Fees of liquidations.
    pub liquidation_fees: Money,
    /// Cash plus holdings at the last marks.
    pub equity: Money,
}

impl Ledger {
    /// An account with this much cash and room for these kinds of instruments.
    #[must_use]
    pub fn new(initial: Money, kinds: impl IntoIterator<Item = InstrumentKind>) -> Self {
        Self {
            initial,
            flows: Money::ZERO,
            realised: Money::ZERO,
            fees: Money::ZERO,
            funding: Money::ZERO,
            interest: Money::ZERO,
            liquidation_fees: Money::ZERO,
            turnover: Money::ZERO,
            holdings: kinds.into_iter().map(Holding::new).collect(),
            trips: Vec::new(),
        }
    }

    /// Books a trade.
    pub fn book(&mut self, execution: &Execution) {
        let Some(holding) = self.holdings.get_mut(execution.instrument.0 as usize) else { return };
        self.flows += match execution.side {
            Side::Buy => -execution.value,
            Side::Sell => execution.value,
        };
        self.fees += execution.fee;
        self.liquidation_fees += execution.liquidation_fee;
        self.turnover += execution.value;
        self.realised += holding.book(execution, &mut self.trips);
    }

    /// Marks a holding to the close of a bar and notes how far the bar went against and for it.
    pub fn mark(&mut self, instrument: InstrumentIndex, high: f64, low: f64, close: f64) {
        if let Some(holding) = self.holdings.get_mut(instrument.0 as usize) {
            holding.mark(high, low, close, &mut self.trips);
        }
    }

    /// Marks a holding to a price that is not the last one.
    pub fn mark_apart(&mut self, instrument: InstrumentIndex, price: f64) {
        if let Some(holding) = self.holdings.get_mut(instrument.0 as usize) {
            holding.mark_apart(price);
        }
    }

    /// Books funding for what is held of an instrument: what was received, below 0 for what was paid.
    pub fn fund(&mut self, instrument: InstrumentIndex, amount: Money) {
        let Some(holding) = self.holdings.get_mut(instrument.0 as usize) else { return };
        holding.fund(amount);
        self.funding += amount;
    }

    /// Books interest that is paid for what is held of an instrument.
    pub fn charge(&mut self, instrument: InstrumentIndex, interest: Money) {
        let Some(holding) = self.holdings.get_mut(instrument.0 as usize) else { return };
        holding.fund(-interest);
        self.interest += interest;
    }

    /// Puts so much aside for an isolated position. It remains cash.
    pub fn put_aside(&mut self, instrument: InstrumentIndex, margin: Money) {
        if let Some(holding) = self.holdings.get_mut(instrument.0 as usize) {
            holding.put_aside(margin);
        }
    }

    /// Marks an instrument to the price of a trade of others, which is no bar.
    pub fn print(&mut self, instrument: InstrumentIndex, price: Price) {
        if let Some(holding) = self.holdings.get_mut(instrument.0 as usize) {
            let price = price.to_f64();
            holding.see(price, price, price, &mut self.trips);
        }
    }

    /// What is held of an instrument.
    #[must_use]
    pub fn holding(&self, instrument: InstrumentIndex) -> Option<&Holding> {
        self.holdings.get(instrument.0 as usize)
    }

    /// Holdings of all instruments.
    #[must_use]
    pub fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    /// The quantity held of an instrument, negative when short.
    #[must_use]
    pub fn position(&self, instrument: InstrumentIndex) -> Qty {
        self.holding(instrument).map_or(Qty::ZERO, Holding::quantity)
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.holdings.iter().all(|holding| holding.quantity().is_zero())
    }

    /// Cash: what spot purchases have left of it. The profit of what is held on margin is cash once it is realised.
    #[must_use]
    pub fn cash(&self) -> Money {
        let margined = self.holdings.iter().filter(|holding| holding.kind().is_margined());
        self.flown() + margined.map(Holding::cost).sum()
    }

    /// Cash plus holdings at the last marks.
    #[must_use]
    pub fn equity(&self) -> Money {
        self.flown() + self.holdings.iter().map(Holding::value).sum()
    }

    /// The sum of all cash flows.
    fn flown(&self) -> Money {
        self.initial + self.flows - self.fees + self.funding - self.interest - self.liquidation_fees
    }

    /// The sums, from the books of lots, not of cash.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let unrealised = self.holdings.iter().map(Holding::unrealised).sum();
        Totals {
            initial: self.initial,
            realised: self.realised,
            unrealised,
            fees: self.fees,
            funding: self.funding,
            interest: self.interest,
            liquidation_fees: self.liquidation_fees,
            equity: self.initial + self.realised + unrealised - self.fees + self.funding
                - self.interest
                - self.liquidation_fees,
        }
    }

    /// The value of everything bought and sold.
    #[must_use]
    pub fn turnover(&self) -> Money {
        self.turnover
    }

    /// What was opened and closed again, in the order of closing.
    #[must_use]
    pub fn round_trips(&self) -> &[RoundTrip] {
        &self.trips
    }
}

/// The exact price of a market number; a number that is none leaves the mark as it was.
fn exact(price: f64) -> Option<Price> {
    decimal(price).map(Price)
}

/// When something was bought or sold, and in which of the instrument's bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub time: Nanos,
    /// Bars of the instrument that were marked before.
    pub bar: u64,
}
