//! Cash, equity and positions: the books say to the last digit what follows from the fills.

use tiltyard_engine::{Books, Execution, Holding, Ledger};
use tiltyard_model::{
    Decimal, InstrumentIndex, InstrumentKind, Liquidity, Money, Qty, Rounding, Side, notional, share,
};

use super::{Account, Audit, Findings, Law, Market};

impl Audit<'_> {
    /// Value and fee are rounded once, against the strategy, and nothing is lent on spot.
    pub(super) fn booked(&mut self, execution: &Execution) {
        let at = execution.instrument.0 as usize;
        let Market { rules, kind, .. } = &self.markets[at];
        let rate = if execution.liquidity == Liquidity::Maker { rules.maker_fee } else { rules.taker_fee };
        let rounding = if execution.side == Side::Buy { Rounding::Up } else { Rounding::Down };
        let value = notional(execution.price, execution.quantity, rounding).unwrap();
        let fee = share(value, rate, Rounding::Up).unwrap();
        let account = &mut self.accounts[execution.strategy.0 as usize];
        let before = (account.positions[at], account.bases[at]);
        account.trade(at, execution);
        let liquidation = share(value, rules.margin.liquidation_fee, Rounding::Up).unwrap();
        account.cash -= execution.side.signed(Qty(value.0)).0 + execution.fee.0 + execution.liquidation_fee.0;
        let forced = execution.reason == "liquidation";
        // A liquidation takes no more than there is.
        let fees = (execution.fee, execution.liquidation_fee);
        let paid = if forced { fees.0 <= fee && fees.1 <= liquidation } else { fees == (fee, Money::ZERO) };
        let same = value == execution.value && paid;
        self.findings.holds(Law::Books, same, || format!("worth {value} for {fee}: {execution:?}"));
        let owned = kind.is_margined() || account.positions[at] >= Decimal::ZERO;
        self.findings.holds(Law::Books, owned, || format!("spot sold short: {execution:?}"));
        if forced {
            self.liquidated(execution, before);
        }
    }

    pub(super) fn compare(&mut self, books: &Books) {
        let Self { findings, accounts, markets, .. } = self;
        let records = books.records();
        let count = records.len();
        findings.holds(Law::Books, count == accounts.len(), || format!("{count} sub-ledgers"));
        for (account, record) in accounts.iter().zip(records) {
            account.compare(findings, &record.ledger, markets);
            totals(findings, &record.ledger);
        }
        let sum: Money = records.iter().map(|record| record.ledger.equity()).sum();
        let equity = books.equity();
        findings.holds(Law::Books, sum == equity, || format!("an account of {equity}, but {sum} in sub-ledgers"));
    }
}

impl Account {
    fn compare(&self, findings: &mut Findings, ledger: &Ledger, markets: &[Market]) {
        let cash = self.cash;
        let held = self.positions.iter().zip(markets).filter(|(position, _)| !position.is_zero());
        let value = |(position, market): (&Decimal, &Market)| {
            market.mark.map_or(Decimal::ZERO, |close| notional(close, Qty(*position), Rounding::Down).unwrap().0)
        };
        let equity = cash + held.map(value).sum::<Decimal>();
        findings.holds(Law::Books, ledger.equity().0 == equity, || format!("equity is {equity}: {ledger:?}"));
        if markets.iter().all(|market| market.kind == InstrumentKind::Spot) {
            findings.holds(Law::Books, ledger.cash().0 == cash, || format!("cash is {cash}: {ledger:?}"));
            findings.holds(Law::Books, cash >= Decimal::ZERO, || format!("cash of {cash}: {ledger:?}"));
        }
        for (instrument, position) in (0..).map(InstrumentIndex).zip(&self.positions) {
            let held = ledger.position(instrument).0;
            findings.holds(Law::Books, held == *position, || format!("{position} of {instrument}, not {held}"));
        }
    }
}

/// Every lot and every round trip is part of the sums.
fn totals(findings: &mut Findings, ledger: &Ledger) {
    let totals = ledger.totals();
    findings.holds(Law::Books, totals.equity == ledger.equity(), || format!("{totals:?} against {ledger:?}"));
    let earned = totals.initial + totals.realised + totals.unrealised + totals.funding - totals.interest;
    let parts = earned.0 - totals.fees.0 - totals.liquidation_fees.0;
    findings.holds(Law::Books, totals.equity.0 == parts, || format!("{totals:?} add up to {parts}"));
    for holding in ledger.holdings() {
        let lots: Qty = holding.lots().map(|lot| lot.quantity).sum();
        let held = holding.quantity();
        findings.holds(Law::Books, lots == held.abs(), || format!("{held} in lots of {lots}"));
        let cost: Money = holding.lots().map(|lot| lot.cost).sum();
        findings.holds(Law::Books, cost == holding.cost(), || format!("{:?} for lots of {cost:?}", holding.cost()));
    }
    let trips = ledger.round_trips();
    let gross: Money = trips.iter().map(|trip| trip.gross).sum();
    findings.holds(Law::Books, gross == totals.realised, || format!("{gross} in round trips: {totals:?}"));
    let open: Money = ledger.holdings().iter().flat_map(Holding::lots).map(|lot| lot.fee).sum();
    let fees = open + trips.iter().map(|trip| trip.fees).sum();
    findings.holds(Law::Books, fees == totals.fees, || format!("{fees} of fees in lots and round trips: {totals:?}"));
    let open: Money = ledger.holdings().iter().flat_map(Holding::lots).map(|lot| lot.funding).sum();
    let funding = open + trips.iter().map(|trip| trip.funding).sum();
    let due = totals.funding - totals.interest;
    findings.holds(Law::Books, funding == due, || format!("{funding} of funding and interest: {totals:?}"));
    let liquidations: Money = trips.iter().map(|trip| trip.liquidation_fee).sum();
    let same = liquidations == totals.liquidation_fees;
    findings.holds(Law::Books, same, || format!("{liquidations} for liquidations: {totals:?}"));
    let net = trips.iter().all(|trip| trip.net == trip.gross - trip.fees + trip.funding - trip.liquidation_fee);
    findings.holds(Law::Books, net, || format!("{trips:?}"));
}
