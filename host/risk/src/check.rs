use tiltyard_model::{
    Decimal, InstrumentKind, Money, Nanos, OrderKind, Price, Qty, Rounding, Side, Specification, Ticket, notional,
    share,
};

use crate::Permission;

/// An order that somebody wants to send, or what a replacement would make of one.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// The order.
    pub ticket: &'a Ticket,
    /// What of it has filled already, for a replacement.
    pub filled: Qty,
}

/// An order of the account that has not ended. One that is being replaced is not among them.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The order.
    pub ticket: &'a Ticket,
    /// What is still to fill.
    pub remaining: Qty,
    /// When it was accepted.
    pub accepted: Nanos,
    /// Whether the strategy that proposes sent it.
    pub own: bool,
}

/// What the rules look at: the market, what the strategy owns and what is under way.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The market time.
    pub now: Nanos,
    /// What the states allow.
    pub permission: Permission,
    /// The instrument's kind.
    pub kind: InstrumentKind,
    /// The instrument's rules.
    pub rules: &'a Specification,
    /// Its last price; `None` while there is none, or after its end.
    pub mark: Option<Price>,
    /// What a taker may have to pay on top of the mark, as a fraction: half the spread and slippage.
    pub cost: Decimal,
    /// What the strategy holds of the instrument.
    pub position: Qty,
    /// What the strategy may still spend or use as margin: its equity without spot holdings, without the margin of its
    /// positions in other instruments, and without what its other open orders may need. A spot order's own instrument
    /// counts among them; the margin of a perpetual's own position and orders does not.
    pub free: Money,
    /// The account's open orders in this instrument.
    pub standing: &'a [Standing<'a>],
}

impl Situation<'_> {
    /// The worst price at which an order could trade as things stand, costs included; `None` if it cannot be said.
    #[must_use]
    pub fn worst_price(&self, ticket: &Ticket) -> Option<Price> {
        worst_price(ticket, self.mark, self.cost)
    }

    /// Quantities still to fill of the strategy's own orders that may open a position, on this side.
    pub(crate) fn opening(&self, side: Side) -> Qty {
        let opens = |order: &&Standing<'_>| order.own && order.ticket.side == side && !order.ticket.reduce_only;
        self.standing.iter().filter(opens).map(|order| order.remaining).sum()
    }
}

impl Proposal<'_> {
    /// What is still to fill.
    #[must_use]
    pub fn remaining(&self) -> Qty {
        Qty((self.ticket.quantity - self.filled).0.max(Decimal::ZERO))
    }
}

/// The worst price at which an order could trade as things stand, costs included; `None` without a mark where one is
/// needed.
fn worst_price(ticket: &Ticket, mark: Option<Price>, cost: Decimal) -> Option<Price> {
    let taken = |price: Price| match ticket.side {
        Side::Buy => price.times(Decimal::ONE + cost, Rounding::Up),
        Side::Sell => price.times(Decimal::ONE - cost, Rounding::Down),
    };
    let beyond = |trigger: Price, mark: Price| match ticket.side {
        Side::Buy => taken(trigger.max(mark)),
        Side::Sell => taken(trigger.min(mark)),
    };
    match ticket.kind {
        OrderKind::Limit(limit) | OrderKind::StopLimit { limit, .. } | OrderKind::TakeProfit(limit) => Some(limit),
        OrderKind::Market => mark.map(taken),
        OrderKind::StopMarket(trigger) => mark.map(|mark| beyond(trigger, mark)),
        OrderKind::TrailingStop { gap, activation } => mark.map(|mark| {
            let best = activation.unwrap_or(mark);
            beyond(gap.behind(best, ticket.side), mark)
        }),
    }
}

/// What a buyer pays at this price, the higher of the two fees included. `None` if it is too large to say.
#[must_use]
pub fn paid(price: Price, quantity: Qty, rules: &Specification) -> Option<Money> {
    let value = notional(price, quantity, Rounding::Up)?;
    let fee = rules.taker_fee.max(rules.maker_fee).max(Decimal::ZERO);
    Some(value + share(value, fee, Rounding::Up)?)
}

impl Standing<'_> {
    /// The cash that a buy order keeps back on a spot market, fees included; nothing for one that only reduces.
    /// `None` if it cannot be said.
    #[must_use]
    pub fn reserved(&self, rules: &Specification, mark: Option<Price>, cost: Decimal) -> Option<Money> {
        if self.ticket.side == Side::Sell || self.ticket.reduce_only {
            return Some(Money::ZERO);
        }
        paid(worst_price(self.ticket, mark, cost)?, self.remaining, rules)
    }
}
