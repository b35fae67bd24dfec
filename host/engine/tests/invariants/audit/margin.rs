//! Margin: funding is what position and mark say, nothing outlives its margin, and a liquidation takes no more than there is.

use tiltyard_engine::{Books, Event, MarginMode, StrategyIndex};
use tiltyard_model::{Decimal, InstrumentIndex, InstrumentKind, Money, Qty, Rounding, notional, share};

use super::{Audit, Law};

/// Prices of liquidations have twelve decimals, amounts eight.
const NEARLY: Decimal = Decimal::from_parts(1, 0, 0, false, 5);

impl Audit<'_> {
    /// Longs pay shorts when the rate is above 0; who pays pays the odd digit.
    pub(super) fn funded(&mut self, event: &Event) {
        let Event::Funding { strategy, instrument, rate, mark, amount } = event else { return };
        let at = instrument.0 as usize;
        let account = &mut self.accounts[strategy.0 as usize];
        let position = account.positions[at];
        account.cash += amount.0;
        let exact = -position * mark.0 * rate;
        let near = amount.0 <= exact && exact - amount.0 < NEARLY;
        let value =
            notional(*mark, Qty(position.abs()), if exact.is_sign_negative() { Rounding::Up } else { Rounding::Down });
        let rounding = if exact.is_sign_negative() { Rounding::Up } else { Rounding::Down };
        let expected = share(value.unwrap(), rate.abs(), rounding).unwrap();
        let same = near && amount.0.abs() == expected.0 && Some(*mark) == self.markets[at].mark;
        let perpetual = self.markets[at].kind == InstrumentKind::Perpetual && !position.is_zero();
        self.findings.holds(Law::Margin, same && perpetual, || format!("{event:?} for {position}: {exact}"));
        self.findings.count(if amount.0.is_sign_negative() { "funding paid" } else { "funding received" });
    }

    pub(super) fn put_aside(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex, margin: Money) {
        let account = &mut self.accounts[strategy.0 as usize];
        let at = instrument.0 as usize;
        account.margins[at] = margin;
        let none = !account.positions[at].is_zero() || margin == Money::ZERO;
        let isolated = self.scenario.margin.mode == MarginMode::Isolated;
        self.findings.holds(Law::Margin, none && isolated, || format!("{margin} aside for nothing of {instrument}"));
    }

    /// After an instant every position has the maintenance margin that it needs at the mark; what was liquidated has taken no more
    /// than was put aside for it.
    pub(super) fn enough_margin(&mut self, books: &Books) {
        let isolated = self.scenario.margin.mode == MarginMode::Isolated;
        for (account, record) in self.accounts.iter().zip(books.records()) {
            let held = (0..).map(InstrumentIndex).zip(&self.markets).filter_map(|(instrument, market)| {
                let holding = record.ledger.holding(instrument)?;
                let perpetual = market.kind == InstrumentKind::Perpetual && !holding.quantity().is_zero();
                perpetual.then(|| (instrument, holding, market.rules.margin.maintenance(holding.value())))
            });
            let held: Vec<_> = held.collect();
            let findings = &mut self.findings;
            for (instrument, holding, needed) in held.iter().filter(|_| isolated) {
                let margin = account.margins[instrument.0 as usize];
                findings.holds(Law::Margin, margin == holding.margin(), || format!("{margin} aside: {holding:?}"));
                let balance = margin + holding.unrealised();
                let enough = balance.0 > needed.0 - NEARLY;
                findings.holds(Law::Margin, enough, || format!("{balance} is left of {margin}, {needed} is needed"));
            }
            if !isolated && !held.is_empty() {
                let balance = record.ledger.cash() + held.iter().map(|(_, holding, _)| holding.unrealised()).sum();
                let needed: Money = held.iter().map(|(_, _, needed)| *needed).sum();
                let enough = balance.0 > needed.0 - NEARLY;
                findings.holds(Law::Margin, enough, || format!("{balance} is left, {needed} is needed"));
            }
        }
        self.liquidated(books);
    }

    /// What each liquidation of this step has come to.
    fn liquidated(&mut self, books: &Books) {
        for liquidation in std::mem::take(&mut self.liquidations) {
            let trips = books.records()[liquidation.strategy.0 as usize].ledger.round_trips();
            let closed = trips.iter().rev().take_while(|trip| trip.exit_time >= liquidation.since);
            let closed = closed.filter(|trip| trip.exit_order == liquidation.order);
            let gross: Money = closed.map(|trip| trip.gross).sum();
            let lost = liquidation.fees - gross;
            let insured = lost.0 >= liquidation.margin.0 - NEARLY;
            if self.scenario.margin.mode == MarginMode::Isolated {
                let bounded = lost <= liquidation.margin.max(Money::ZERO) || liquidation.margin < Money::ZERO;
                let what = || format!("{lost} lost of {}: {liquidation:?}", liquidation.margin);
                self.findings.holds(Law::Margin, bounded, what);
                self.findings.count("liquidation of an isolated position");
                let with = if insured { "with" } else { "without" };
                self.findings.count(format!("liquidation {with} insurance"));
            }
        }
    }
}

/// A position that was closed by force in this step.
#[derive(Debug)]
pub(super) struct Liquidated {
    pub(super) strategy: StrategyIndex,
    pub(super) order: tiltyard_model::OrderId,
    pub(super) since: tiltyard_model::Nanos,
    /// What was aside for it.
    pub(super) margin: Money,
    /// Both fees.
    pub(super) fees: Money,
}
