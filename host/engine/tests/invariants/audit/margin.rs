//! Margin: funding and interest are what position and mark say, nothing outlives its margin, and a liquidation takes no more than there is.

use tiltyard_engine::{Books, Event, Execution, MarginMode, StrategyIndex};
use tiltyard_model::{
    Bar, Decimal, InstrumentIndex, InstrumentKind, Money, Nanos, Price, Qty, Rounding, notional, share,
};

use super::{Account, Audit, Law, exact};

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

    /// What is borrowed is what own means do not pay for, and each full hour of it costs its part of a day's rate.
    pub(super) fn charged(&mut self, event: &Event) {
        let Event::Interest { strategy, instrument, borrowed, rate, hours, amount } = event else { return };
        let at = instrument.0 as usize;
        let full = |time: Nanos| time.0.div_euclid(3_600_000_000_000);
        let passed = full(self.now) - full(self.before);
        let account = &mut self.accounts[strategy.0 as usize];
        let (position, market) = (account.positions[at], &self.markets[at]);
        let rules = &market.rules.margin;
        let isolated = self.scenario.margin.mode == MarginMode::Isolated;
        let (loan, of_a_day) = if position.is_sign_negative() {
            (-notional(market.mark.unwrap(), Qty(position), Rounding::Down).unwrap().0, rules.borrow_base)
        } else if isolated {
            (account.bases[at] - account.margins[at].0, rules.borrow_quote)
        } else {
            // Only where one position may have taken it is it clear for which it was borrowed.
            let alone = account.positions.iter().filter(|position| !position.is_zero()).count() == 1;
            let owed = -account.cash;
            self.findings.count(if alone { "all that is borrowed" } else { "a part of what is borrowed" });
            (if alone && owed < account.bases[at] { owed } else { borrowed.0 }, rules.borrow_quote)
        };
        let near = (borrowed.0 - loan).abs() < NEARLY;
        let exact = borrowed.0 * of_a_day * Decimal::from(passed) / Decimal::from(24);
        let dues = amount.0 >= exact && amount.0 - exact < NEARLY && amount.0 > Decimal::ZERO;
        let lent = market.kind == InstrumentKind::SpotMargin && !position.is_zero();
        account.cash -= amount.0;
        let what = || format!("{event:?} for {position}, {loan} of it borrowed: {exact} for {passed} hours");
        self.findings.holds(Law::Margin, lent && near && dues && *rate == of_a_day && *hours == passed, what);
        let currency = if position.is_sign_negative() { "base" } else { "quote" };
        self.findings.count(format!("interest on {currency} currency"));
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
                let margined = market.kind.is_margined() && !holding.quantity().is_zero();
                margined.then(|| (instrument, holding, market.rules.margin.maintenance(holding.value())))
            });
            let held: Vec<_> = held.collect();
            let findings = &mut self.findings;
            for (instrument, holding, needed) in held.iter().filter(|_| isolated) {
                let margin = account.margins[instrument.0 as usize];
                findings.holds(Law::Margin, margin == holding.margin(), || format!("{margin} aside: {holding:?}"));
                let earned = holding.value().0 - account.bases[instrument.0 as usize];
                let balance = margin.0 + earned;
                let enough = balance > needed.0 - NEARLY;
                findings.holds(Law::Margin, enough, || format!("{balance} is left of {margin}, {needed} is needed"));
            }
            if !isolated && !held.is_empty() {
                let balance = record.ledger.cash() + held.iter().map(|(_, holding, _)| holding.unrealised()).sum();
                let needed: Money = held.iter().map(|(_, _, needed)| *needed).sum();
                let enough = balance.0 > needed.0 - NEARLY;
                findings.holds(Law::Margin, enough, || format!("{balance} is left, {needed} is needed"));
            }
        }
    }

    /// What is held after a bar had the margin that it needs at the worst mark of the bar, other instruments standing where they are.
    pub(super) fn outlived(&mut self, instrument: InstrumentIndex, bar: &Bar) {
        let at = instrument.0 as usize;
        if !self.markets[at].kind.is_margined() {
            return;
        }
        let bar = self.mark_bars.get(&instrument).unwrap_or(bar);
        let isolated = self.scenario.margin.mode == MarginMode::Isolated;
        for account in self.accounts.iter().filter(|account| !account.positions[at].is_zero()) {
            let mut spare = if isolated { account.margins[at].0 - account.bases[at] } else { account.cash };
            for (other, market) in self.markets.iter().enumerate() {
                let held = Qty(account.positions[other]);
                let counts = other == at || !isolated && market.kind.is_margined();
                let worst = Price(exact(if held.0.is_sign_negative() { bar.high } else { bar.low }));
                let Some(price) = (if other == at { Some(worst) } else { market.mark }).filter(|_| counts) else {
                    continue;
                };
                let value = notional(price, held, Rounding::Down).unwrap();
                spare += value.0 - market.rules.margin.maintenance(value).0;
            }
            let what = || format!("{spare} is spare at the worst of {bar:?}: {:?}", account.positions);
            self.findings.holds(Law::Margin, spare > -NEARLY, what);
        }
    }

    /// A position was closed by force: all of it, and with its fees it has lost no more than was put aside for it.
    pub(super) fn liquidated(&mut self, execution: &Execution, (position, basis): (Decimal, Decimal)) {
        let at = execution.instrument.0 as usize;
        let account = &self.accounts[execution.strategy.0 as usize];
        let all = execution.quantity.0 == position.abs() && account.positions[at].is_zero();
        self.findings.holds(Law::Margin, all, || format!("{position} was held: {execution:?}"));
        if self.scenario.margin.mode == MarginMode::Isolated {
            let margin = account.margins[at].0;
            let brought = -execution.side.signed(Qty(execution.value.0)).0;
            let lost = basis - brought + (execution.fee + execution.liquidation_fee).0;
            let bounded = lost <= margin + NEARLY;
            self.findings.holds(Law::Margin, bounded, || format!("{lost} lost of {margin}: {execution:?}"));
            self.findings.count("liquidation of an isolated position");
            let with = if lost >= margin - NEARLY { "with" } else { "without" };
            self.findings.count(format!("liquidation {with} insurance"));
        }
    }
}

impl Account {
    /// What is held and what it cost at the average price of its entries.
    pub(super) fn trade(&mut self, at: usize, execution: &Execution) {
        let before = self.positions[at];
        let after = before + execution.signed().0;
        let value = execution.side.signed(Qty(execution.value.0)).0;
        let basis = &mut self.bases[at];
        if before.is_zero() || before * value > Decimal::ZERO {
            *basis += value;
        } else if after * before >= Decimal::ZERO {
            *basis = *basis * after / before;
        } else {
            *basis = value * (after / execution.signed().0);
        }
        self.positions[at] = after;
    }
}
