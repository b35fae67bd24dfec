use tiltyard_model::{
    Decimal, InstrumentIndex, InstrumentKind, Money, Nanos, OrderKind, Price, Qty, Rounding, Side, Specification,
    Ticket, notional, share,
};

use crate::{AccountGuard, Correlations, Fraction, Permission, Stake};

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
    /// What of that may open a position.
    pub opening: Qty,
    /// When it was accepted.
    pub accepted: Nanos,
    /// Whether the strategy that proposes sent it.
    pub own: bool,
    /// Whether it is on its way out.
    pub leaving: bool,
}

/// What the rules look at: the market, what the strategy owns and what is under way.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The time at which orders are accepted, which never goes back.
    pub now: Nanos,
    /// What the clock says.
    pub clock: Nanos,
    /// Whose order it is, by its number in the account.
    pub strategy: u32,
    /// The strategy's equity.
    pub equity: Money,
    /// What part of that its stage of life lets it put at stake; all of it is 1.
    pub share: Fraction,
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// Its base currency.
    pub base: &'a str,
    /// The length of its bars.
    pub interval: Nanos,
    /// How old its last event is; `None` if there was none.
    pub age: Option<Nanos>,
    /// Its average true range over the bars that the rule `invalid-stop` asks for, in quote currency; `None` if it is not known.
    pub range: Option<f64>,
    /// Orders that were sent in the last minute.
    pub recent_orders: Recent,
    /// The account as a whole.
    pub account: Account<'a>,
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
    /// What that is worth at the mark; below 0 when short.
    pub value: Money,
    /// What the strategy may still spend or use as margin: its equity without spot holdings, without the margin of its
    /// positions in other instruments, and without what its other open orders may need. A spot order's own instrument
    /// counts among them; the margin of a perpetual's own position and orders does not.
    pub free: Money,
    /// The account's open orders in this instrument.
    pub standing: &'a [Standing<'a>],
}

/// Orders of the last minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recent {
    /// The strategy's.
    pub strategy: u32,
    /// The account's.
    pub account: u32,
}

/// What the rules look at beyond a strategy and an instrument.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Its equity.
    pub equity: Money,
    /// What each strategy has at stake in each instrument; nothing where the rules do not ask ([`Limits::need_stakes`]).
    ///
    /// [`Limits::need_stakes`]: crate::Limits::need_stakes
    pub stakes: &'a [Stake],
    /// How instruments hang together.
    pub correlations: &'a Correlations,
    /// Where it stands.
    pub guard: &'a AccountGuard,
}

impl<'a> Account<'a> {
    /// All stakes but the strategy's own in the instrument of the order.
    pub(crate) fn stakes_elsewhere(&self, situation: &Situation<'_>) -> impl Iterator<Item = &'a Stake> + use<'a> {
        let own = (situation.strategy, situation.instrument);
        self.stakes.iter().filter(move |stake| (stake.strategy, stake.instrument) != own)
    }

    pub(crate) fn halves_positions(&self) -> bool {
        self.guard.halves_positions()
    }
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
        self.standing.iter().filter(opens).map(|order| order.opening).sum()
    }
}

/// Says of an order on margin that leads against the position what of it only closes. All of it: then it is made reduce-only,
/// without the protection of an entry. A part: then the rest is what it may open, should something else close the position before.
/// `standing` are the strategy's own orders in the instrument, with what they have left to fill; what a market order is going to
/// close is closed already.
pub fn part_exit_from_entry<'a>(
    ticket: &mut Ticket,
    kind: InstrumentKind,
    position: Qty,
    standing: impl Iterator<Item = (&'a Ticket, Qty)>,
) {
    let held = -ticket.side.signed(position);
    if kind == InstrumentKind::Spot || ticket.reduce_only || held <= Qty::ZERO {
        return;
    }
    let before = |order: &Ticket| order.side == ticket.side && (!order.reduce_only || order.kind == OrderKind::Market);
    let taken: Qty = standing.filter(|(order, _)| before(order)).map(|(_, remaining)| remaining).sum();
    let closes = held - taken;
    if ticket.quantity <= closes {
        ticket.close_only();
    } else if closes > Qty::ZERO {
        ticket.opens = Some(ticket.quantity - closes);
    }
}

impl Proposal<'_> {
    /// What is still to fill.
    #[must_use]
    pub fn remaining(&self) -> Qty {
        Qty((self.ticket.quantity - self.filled).0.max(Decimal::ZERO))
    }

    /// What of that may open a position.
    pub(crate) fn opening(&self) -> Qty {
        let remaining = self.remaining();
        self.ticket.opens.map_or(remaining, |opens| opens.min(remaining))
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

/// What an order is worth at the worst price at which it could trade as things stand, costs included; `None` if it cannot be said.
#[must_use]
pub fn worth_at_worst(ticket: &Ticket, mark: Option<Price>, cost: Decimal) -> Option<Money> {
    notional(worst_price(ticket, mark, cost)?, ticket.quantity, Rounding::Up)
}

/// The price at which an order that may open something counts: the mark or its worst price, whichever is more. `None` if it
/// cannot be said.
pub(crate) fn counting_price(ticket: &Ticket, mark: Option<Price>, cost: Decimal) -> Option<Price> {
    worst_price(ticket, mark, cost).zip(mark).map(|(worst, mark)| worst.max(mark))
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
