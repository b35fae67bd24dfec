//! What borrowing costs: spot on margin is bought with borrowed quote currency and sold short with borrowed base currency.

use rust_decimal::RoundingStrategy;
use tiltyard_model::{Decimal, InstrumentIndex, InstrumentKind, MONEY_SCALE, Money, Nanos};

use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::ledger::{Holding, Ledger};
use crate::margin::Margined;

/// What is borrowed for a position, in quote currency, and what a day of it costs.
#[derive(Debug, Clone, Copy)]
struct Loan {
    strategy: StrategyIndex,
    instrument: InstrumentIndex,
    borrowed: Money,
    /// A fraction.
    rate: Decimal,
}

impl Clearing {
    /// Time goes on, which costs what it costs; it does not go back.
    pub(crate) fn advance(&mut self, time: Nanos) {
        let before = self.now;
        self.now = before.max(time);
        self.interest(before);
    }

    /// Charges interest for the full hours (UTC) that have passed since `before`, on what was borrowed until now: loan × rate of a
    /// day ÷ 24 × hours, rounded up (Binance, "Margin interest calculation"). What is borrowed and paid back between two full
    /// hours costs nothing.
    fn interest(&mut self, before: Nanos) {
        let hours = full_hours(self.now) - full_hours(before);
        if hours == 0 || !self.margins.iter().any(|margined| margined.kind == InstrumentKind::SpotMargin) {
            return;
        }
        let loans: Vec<Loan> = self.books.strategies().flat_map(|strategy| self.loans(strategy)).collect();
        for Loan { strategy, instrument, borrowed, rate } in loans {
            // What cannot be said ends the run for the strategy: it is worth more than any account.
            let due = rate.checked_mul(Decimal::from(hours)).and_then(|rate| borrowed.0.checked_mul(rate));
            let up = |due: Decimal| due.round_dp_with_strategy(MONEY_SCALE, RoundingStrategy::ToPositiveInfinity);
            let amount = due.map(|due| Money(up(due / Decimal::from(24)))).unwrap_or_default();
            if amount == Money::ZERO {
                continue;
            }
            self.record(Event::Interest { strategy, instrument, borrowed, rate, hours, amount });
            let margin = self.margined(strategy, instrument).map(|(_, holding, _)| holding.margin());
            if let Some(margin) = margin.filter(|_| self.is_isolated()) {
                self.record(Event::Margin { strategy, instrument, margin: margin - amount });
            }
        }
    }

    /// What a strategy has borrowed for each of its positions.
    fn loans(&self, strategy: StrategyIndex) -> Vec<Loan> {
        let Some(record) = self.books.record_of(strategy) else { return Vec::new() };
        let ledger = &record.ledger;
        let missing = self.missing(ledger);
        let all = (0..).map(InstrumentIndex).zip(ledger.holdings().iter().zip(&self.margins));
        let lent = all.filter(|(_, (_, margined))| margined.kind == InstrumentKind::SpotMargin);
        let loan = |(instrument, (holding, margined)): (InstrumentIndex, (&Holding, &Margined))| {
            let (borrowed, rate) = if holding.quantity().0.is_sign_negative() {
                (-holding.value(), margined.margin.borrow_base)
            } else if self.is_isolated() {
                (holding.basis() - holding.margin(), margined.margin.borrow_quote)
            } else {
                (Money((holding.cost().0 * missing).round_dp(MONEY_SCALE)), margined.margin.borrow_quote)
            };
            Loan { strategy, instrument, borrowed, rate }
        };
        lent.map(loan).filter(|loan| loan.borrowed > Money::ZERO).collect()
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
