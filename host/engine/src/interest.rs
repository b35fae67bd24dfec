//! What borrowing costs: spot on margin is bought with borrowed quote currency and sold short with borrowed base currency.

use std::collections::BTreeMap;

use rust_decimal::RoundingStrategy;
use tiltyard_model::{Decimal, InstrumentIndex, InstrumentKind, MONEY_SCALE, Money, Nanos};

use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::ledger::{Holding, Ledger};
use crate::margin::Margined;

/// What is borrowed for a position, in quote currency, and what a day of it costs, as a fraction.
#[derive(Debug, Clone, Copy)]
struct Loan {
    strategy: StrategyIndex,
    instrument: InstrumentIndex,
    borrowed: Money,
    rate: Decimal,
}

/// Until when interest has been charged.
#[derive(Debug, Default)]
pub(crate) struct Charged {
    /// For each position since it was opened or changed.
    until: BTreeMap<(StrategyIndex, InstrumentIndex), Nanos>,
    /// The last full hour at which everybody was charged.
    hour: i64,
}

impl Clearing {
    /// A position is about to change at this time: what was borrowed until then is charged.
    pub(crate) fn charge(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex, time: Nanos) {
        if self.lends(instrument) {
            let loan = self.loans(strategy).find(|loan| loan.instrument == instrument);
            self.charge_until(time, strategy, instrument, loan);
        }
    }

    /// Charges everybody for what is borrowed now and was borrowed until now.
    pub(crate) fn charge_all(&mut self) {
        let now = self.now;
        if full_hours(now) == self.charged.hour {
            return;
        }
        self.charged.hour = full_hours(now);
        if !self.margins.iter().any(|margined| margined.kind == InstrumentKind::SpotMargin) {
            return;
        }
        let loans: Vec<Loan> = self.books.strategies().flat_map(|strategy| self.loans(strategy)).collect();
        for loan in loans {
            self.charge_until(now, loan.strategy, loan.instrument, Some(loan));
        }
    }

    /// Interest for the full hours (UTC) that have passed since it was charged last: loan × rate of a day ÷ 24 × hours, rounded up
    /// (Binance, "Margin interest calculation").
    fn charge_until(&mut self, time: Nanos, strategy: StrategyIndex, instrument: InstrumentIndex, loan: Option<Loan>) {
        let until = self.charged.until.entry((strategy, instrument)).or_insert(time);
        let hours = full_hours(time) - full_hours(*until);
        *until = time.max(*until);
        let Some(Loan { borrowed, rate, .. }) = loan.filter(|_| hours > 0) else { return };
        // What cannot be said ends the run for the strategy: it is worth more than any account.
        let due = rate.checked_mul(Decimal::from(hours)).and_then(|rate| borrowed.0.checked_mul(rate));
        let up = |due: Decimal| due.round_dp_with_strategy(MONEY_SCALE, RoundingStrategy::ToPositiveInfinity);
        let amount = due.map(|due| Money(up(due / Decimal::from(24)))).unwrap_or_default();
        if amount <= Money::ZERO {
            return;
        }
        self.record(Event::Interest { strategy, instrument, borrowed, rate, hours, amount });
        let margin = self.margined(strategy, instrument).map(|(_, holding, _)| holding.margin());
        if let Some(margin) = margin.filter(|_| self.is_isolated()) {
            self.record(Event::Margin { strategy, instrument, margin: margin - amount });
        }
    }

    fn lends(&self, instrument: InstrumentIndex) -> bool {
        self.margins.get(instrument.0 as usize).is_some_and(|margined| margined.kind == InstrumentKind::SpotMargin)
    }

    /// What a strategy has borrowed for each of its positions, nothing included.
    fn loans(&self, strategy: StrategyIndex) -> impl Iterator<Item = Loan> {
        let ledger = self.books.record_of(strategy).map(|record| &record.ledger);
        let missing = ledger.map_or(Decimal::ZERO, |ledger| self.missing(ledger));
        let holdings = ledger.map_or(&[][..], Ledger::holdings);
        let all = (0..).map(InstrumentIndex).zip(holdings.iter().zip(&self.margins));
        let held = all.filter(|(_, (holding, margined))| {
            margined.kind == InstrumentKind::SpotMargin && !holding.quantity().is_zero()
        });
        let loan = move |(instrument, (holding, margined)): (InstrumentIndex, (&Holding, &Margined))| {
            let (borrowed, rate) = if holding.quantity().0.is_sign_negative() {
                (-holding.value(), margined.margin.borrow_base)
            } else if self.is_isolated() {
                (holding.basis() - holding.margin(), margined.margin.borrow_quote)
            } else {
                (Money((holding.cost().0 * missing).round_dp(MONEY_SCALE)), margined.margin.borrow_quote)
            };
            Loan { strategy, instrument, borrowed, rate }
        };
        held.map(loan)
    }

    /// The part of what the long positions have cost that a strategy's own cash and the proceeds of its short ones do not pay for.
    fn missing(&self, ledger: &Ledger) -> Decimal {
        let costs = || {
            ledger.holdings().iter().filter(|holding| holding.kind() == InstrumentKind::SpotMargin).map(Holding::cost)
        };
        let bought: Money = costs().filter(|cost| *cost > Money::ZERO).sum();
        let owed = (costs().sum::<Money>() - ledger.cash()).max(Money::ZERO).min(bought);
        owed.0.checked_div(bought.0).unwrap_or_default()
    }
}

/// Full hours since 1970 (UTC).
fn full_hours(time: Nanos) -> i64 {
    time.0.div_euclid(Nanos::from_hours(1).0)
}
