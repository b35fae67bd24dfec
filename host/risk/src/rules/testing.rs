//! Situations for tests of rules.

use tiltyard_model::{
    Decimal, InstrumentIndex, InstrumentKind, Money, Nanos, OrderKind, OrderOrigin, Price, Qty, Rounding, Side,
    Specification, Ticket, Violation, notional,
};

use super::{Asked, Rule};
use crate::{
    Account, AccountGuard, Correlations, DrawdownLadder, Exposure, Fraction, InvalidStop, Limits, Permission, Proposal,
    Recent, Situation, Stake, Standing, Venture, part_exit_from_entry,
};

pub(crate) fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(crate) fn market(side: Side, quantity: &str) -> Ticket {
    Ticket::market(InstrumentIndex(0), side, Qty(dec(quantity)), OrderOrigin::Submitted)
}

pub(crate) fn limit(side: Side, quantity: &str, price: &str) -> Ticket {
    Ticket { kind: OrderKind::Limit(Price(dec(price))), ..market(side, quantity) }
}

pub(crate) fn reduce(ticket: Ticket) -> Ticket {
    Ticket { reduce_only: true, ..ticket }
}

pub(crate) fn buy(quantity: &str) -> Ticket {
    market(Side::Buy, quantity)
}

pub(crate) fn sell(quantity: &str) -> Ticket {
    market(Side::Sell, quantity)
}

pub(crate) fn limit_buy(quantity: &str, price: &str) -> Ticket {
    limit(Side::Buy, quantity, price)
}

pub(crate) fn limit_sell(quantity: &str, price: &str) -> Ticket {
    limit(Side::Sell, quantity, price)
}

/// A mark of 100, costs of 1 %, nothing held, 1,000 of cash.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) rules: Specification,
    pub(crate) kind: InstrumentKind,
    pub(crate) permission: Permission,
    pub(crate) mark: Option<&'static str>,
    pub(crate) position: &'static str,
    pub(crate) cash: &'static str,
    /// Orders, when they were accepted, and whether they are the strategy's own.
    pub(crate) standing: Vec<(Ticket, i64, bool)>,
    pub(crate) cost: &'static str,
    pub(crate) base: &'static str,
    pub(crate) strategy_equity: &'static str,
    pub(crate) share: Fraction,
    pub(crate) age: Option<Nanos>,
    pub(crate) range: Option<f64>,
    pub(crate) recent: Recent,
    pub(crate) stakes: Vec<Stake>,
    pub(crate) correlations: Correlations,
    pub(crate) guard: AccountGuard,
}

impl Default for Case {
    fn default() -> Self {
        let rules = Specification {
            tick: Price(dec("0.01")),
            lot: Qty(dec("0.001")),
            min_notional: Money(dec("10")),
            maker_fee: dec("0.001"),
            taker_fee: dec("0.001"),
            max_leverage: dec("2"),
            margin: tiltyard_model::Margin::default(),
        };
        Self {
            rules,
            kind: InstrumentKind::Spot,
            permission: Permission::All,
            mark: Some("100"),
            position: "0",
            cash: "1000",
            standing: Vec::new(),
            cost: "0.01",
            base: "SOL",
            strategy_equity: "10000",
            share: Fraction::ONE,
            age: Some(Nanos(0)),
            range: None,
            recent: Recent::default(),
            stakes: Vec::new(),
            correlations: Correlations::default(),
            guard: AccountGuard::default(),
        }
    }
}

impl Case {
    /// Strategy 0 in instrument 0 of an account worth 10,000: a perpetual at 100 without costs of trading.
    pub(crate) fn perpetual() -> Self {
        Self { kind: InstrumentKind::Perpetual, cost: "0", cash: "5000", ..Self::default() }
    }

    pub(crate) fn base(self, base: &'static str) -> Self {
        Self { base, ..self }
    }

    pub(crate) fn strategy_equity(self, strategy_equity: &'static str) -> Self {
        Self { strategy_equity, ..self }
    }

    pub(crate) fn position(self, position: &'static str) -> Self {
        Self { position, ..self }
    }

    pub(crate) fn age(self, age: Option<Nanos>) -> Self {
        Self { age, ..self }
    }

    pub(crate) fn range(self, range: f64) -> Self {
        Self { range: Some(range), ..self }
    }

    pub(crate) fn recent(self, strategy: u32, account: u32) -> Self {
        Self { recent: Recent { strategy, account }, ..self }
    }

    /// With an open order of the strategy's own.
    pub(crate) fn open(mut self, ticket: Ticket) -> Self {
        self.standing.push((ticket, 0, true));
        self
    }

    /// With a position elsewhere, worth so much; below 0 when short.
    pub(crate) fn stake(mut self, strategy: u32, instrument: u32, value: &str) -> Self {
        let exposure = Exposure::of(Money(dec(value)));
        self.stakes.push(Stake { strategy, instrument: InstrumentIndex(instrument), exposure });
        self
    }

    /// With so many instruments that have nothing to do with each other.
    pub(crate) fn uncorrelated(self, size: usize) -> Self {
        self.correlated(size, &[])
    }

    /// With so many instruments of which pairs have these correlations, the others none.
    pub(crate) fn correlated(mut self, size: usize, pairs: &[(usize, usize, f64)]) -> Self {
        self.correlations = Correlations::known(size, pairs);
        self
    }

    /// After a drawdown of 12 %.
    pub(crate) fn alerted(mut self) -> Self {
        let limits = Limits { drawdown_ladder: Some(DrawdownLadder::default()), ..Limits::default() };
        self.guard.fund(Money(dec("10000")));
        for measure in self.guard.watch(&limits, Venture::Simulated, Nanos(1), Money(dec("8800"))) {
            self.guard.apply(Nanos(1), &measure);
        }
        self
    }

    /// What rules look at, at time 5.
    pub(crate) fn situation<T>(&self, look: impl FnOnce(&Situation<'_>) -> T) -> T {
        let standing: Vec<_> = self
            .standing
            .iter()
            .map(|(ticket, accepted, own)| Standing {
                ticket,
                remaining: ticket.quantity,
                opening: ticket.opens.unwrap_or(ticket.quantity),
                accepted: Nanos(*accepted),
                own: *own,
                leaving: false,
            })
            .collect();
        let mark = self.mark.map(|mark| Price(dec(mark)));
        let position = Qty(dec(self.position));
        look(&Situation {
            now: Nanos(5),
            clock: Nanos(5),
            strategy: 0,
            equity: Money(dec(self.strategy_equity)),
            share: self.share,
            instrument: InstrumentIndex(0),
            base: self.base,
            interval: Nanos::from_hours(1),
            age: self.age,
            range: self.range,
            recent_orders: self.recent,
            account: Account {
                equity: Money(dec("10000")),
                stakes: &self.stakes,
                correlations: &self.correlations,
                guard: &self.guard,
            },
            permission: self.permission,
            kind: self.kind,
            rules: &self.rules,
            mark,
            cost: dec(self.cost),
            position,
            value: mark.and_then(|mark| notional(mark, position, Rounding::Down)).unwrap_or_default(),
            free: Money(dec(self.cash)),
            standing: &standing,
        })
    }

    /// An order as it is judged: what of it only closes is said.
    pub(crate) fn parted(&self, ticket: &Ticket) -> Ticket {
        let mut ticket = ticket.clone();
        let own = self.standing.iter().filter(|(_, _, own)| *own).map(|(ticket, ..)| (ticket, ticket.quantity));
        part_exit_from_entry(&mut ticket, self.kind, Qty(dec(self.position)), own);
        ticket
    }

    /// The always-on rules that an order breaks.
    pub(crate) fn broken(&self, ticket: &Ticket) -> Vec<String> {
        let proposal = Proposal { ticket: &self.parted(ticket), filled: Qty::ZERO };
        let verdict = self.situation(|situation| Limits::default().judge(&proposal, situation));
        verdict.violations.into_iter().map(|violation| violation.rule).collect()
    }
}

/// What one rule says of an order.
pub(crate) fn judged(rule: &impl Rule, case: &Case, ticket: &Ticket) -> Option<Violation> {
    let proposal = Proposal { ticket: &case.parted(ticket), filled: Qty::ZERO };
    case.situation(|situation| rule.judge(&Asked::new(&proposal, situation)))
}

/// What is worth a warning about an order's stop-loss.
pub(crate) fn warned(case: &Case, ticket: &Ticket) -> Vec<Violation> {
    let limits = Limits { invalid_stop: Some(InvalidStop::default()), ..Limits::default() };
    let proposal = Proposal { ticket, filled: Qty::ZERO };
    case.situation(|situation| limits.judge(&proposal, situation).warnings)
}
