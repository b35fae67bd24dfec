use tiltyard_model::{Decimal, InstrumentIndex, InstrumentKind, Money, Price, Qty, Rounding, Side, Ticket, notional};

use crate::check::counting_price;

/// What a position could become, in settlement currency: with all its buy orders filled and no sale, or the other way round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exposure {
    /// With every buy filled; 0 if it would still be short.
    pub long: Money,
    /// With every sale filled; 0 if it would still be long.
    pub short: Money,
}

impl Exposure {
    /// A position without orders, worth so much at the mark: below 0 when short.
    #[must_use]
    pub fn of(value: Money) -> Self {
        Self { long: value.max(Money::ZERO), short: (-value).max(Money::ZERO) }
    }

    /// The larger of the two: what it could come to at worst.
    #[must_use]
    pub fn gross(&self) -> Money {
        self.long.max(self.short)
    }

    pub(crate) fn may_be_long(&self) -> bool {
        !self.long.0.is_zero()
    }

    pub(crate) fn may_be_short(&self) -> bool {
        !self.short.0.is_zero()
    }

    /// The part of it on the side to which an order of this side leads.
    #[must_use]
    pub(crate) fn only(self, side: Side) -> Self {
        match side {
            Side::Buy => Self { short: Money::ZERO, ..self },
            Side::Sell => Self { long: Money::ZERO, ..self },
        }
    }

    /// What it could come to on the side to which an order of this side leads.
    #[must_use]
    pub fn towards(&self, side: Side) -> Money {
        match side {
            Side::Buy => self.long,
            Side::Sell => self.short,
        }
    }
}

/// A position and the open orders that may add to it or turn it round.
///
/// An order counts at the mark or at its own worst price, whichever is more. Reduce-only orders open nothing, but may close the
/// position before an order that was to turn it round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    kind: InstrumentKind,
    position: Qty,
    value: Money,
    buys: Orders,
    sells: Orders,
}

/// Open orders of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Orders {
    quantity: Qty,
    worth: Money,
    highest: Price,
    /// Of reduce-only orders.
    closing: Qty,
}

impl Open {
    /// A position without orders, and what it is worth at the mark: both below 0 when short.
    #[must_use]
    pub fn position(kind: InstrumentKind, position: Qty, value: Money) -> Self {
        Self { kind, position, value, buys: Orders::default(), sells: Orders::default() }
    }

    /// With one more order, of which so much is still to fill. One whose price cannot be said counts as more than anybody has.
    #[must_use]
    pub fn and(mut self, ticket: &Ticket, remaining: Qty, mark: Option<Price>, cost: Decimal) -> Self {
        if ticket.reduce_only {
            self.orders(ticket.side).closing += remaining;
            return self;
        }
        self.with(ticket.side, remaining, counting_price(ticket, mark, cost).unwrap_or(Price(UNKNOWN)))
    }

    /// With one more order that counts at this price.
    #[must_use]
    pub(crate) fn with(mut self, side: Side, quantity: Qty, price: Price) -> Self {
        let orders = self.orders(side);
        orders.quantity += quantity;
        orders.worth += worth(price, quantity);
        orders.highest = orders.highest.max(price);
        self
    }

    fn orders(&mut self, side: Side) -> &mut Orders {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    /// What it could come to.
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        Exposure { long: self.towards(Side::Buy), short: self.towards(Side::Sell) }
    }

    /// What is held on this side, below 0 if it is held on the other, and the open orders that lead there.
    fn on(&self, side: Side) -> (Qty, Money, &Orders) {
        match side {
            Side::Buy => (self.position, self.value, &self.buys),
            Side::Sell => (-self.position, -self.value, &self.sells),
        }
    }

    fn towards(&self, side: Side) -> Money {
        let (held, value, orders) = self.on(side);
        if held.0 >= Decimal::ZERO {
            return value + orders.worth;
        }
        // What closes the position opens nothing, whatever its price; nobody knows which of the orders that will be.
        let opens = orders.quantity - self.kept(held, orders);
        if opens.0 > Decimal::ZERO { worth(orders.highest, opens) } else { Money::ZERO }
    }

    /// What reduce-only orders leave of a position that is held on the other side, for other orders to close. On spot nothing can be
    /// turned round.
    fn kept(&self, held: Qty, orders: &Orders) -> Qty {
        match self.kind {
            InstrumentKind::Spot => -held,
            InstrumentKind::Perpetual => Qty((-held - orders.closing).0.max(Decimal::ZERO)),
        }
    }

    /// The largest quantity of one more order with which at most so much is at stake on its side; 0 if there is none.
    #[must_use]
    pub(crate) fn room(&self, side: Side, price: Price, most: Money) -> Qty {
        let (held, _, orders) = self.on(side);
        let divided =
            |amount: Money, price: Price| amount.0.max(Decimal::ZERO).checked_div(price.0).unwrap_or_default();
        let room = if held.0 >= Decimal::ZERO {
            divided(most - self.towards(side), price)
        } else {
            divided(most, price.max(orders.highest)) + self.kept(held, orders).0 - orders.quantity.0
        };
        Qty(room.max(Decimal::ZERO).trunc_with_scale(12))
    }
}

/// What one strategy has at stake in one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stake {
    /// Whose, by its number in the account.
    pub strategy: u32,
    /// In what.
    pub instrument: InstrumentIndex,
    /// How much, with open orders at their worst.
    pub exposure: Exposure,
}

/// What a quantity is worth at a price, rounded up. What cannot be said counts as more than anybody has: 10²⁴.
pub(crate) fn worth(price: Price, quantity: Qty) -> Money {
    notional(price, quantity, Rounding::Up).unwrap_or(Money(BEYOND))
}

/// What an order counts at whose price cannot be said: 10¹², the largest of all prices.
const UNKNOWN: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// Ten to the twenty-fourth.
pub(crate) const BEYOND: Decimal = Decimal::from_parts(2_701_131_776, 466_537_709, 54_210, false, 0);

#[cfg(test)]
mod tests {
    use super::{BEYOND, Open, UNKNOWN, worth};
    use tiltyard_model::{Decimal, InstrumentIndex, InstrumentKind, Money, OrderOrigin, Price, Qty, Side, Ticket};

    fn money(amount: i64) -> Money {
        Money(Decimal::from(amount))
    }

    fn held(quantity: i64) -> Open {
        Open::position(InstrumentKind::Perpetual, Qty(Decimal::from(quantity)), money(quantity * 10))
    }

    fn with(open: Open, side: Side, quantity: i64, price: i64) -> Open {
        open.with(side, Qty(Decimal::from(quantity)), Price(Decimal::from(price)))
    }

    fn gross(open: Open) -> Money {
        open.exposure().gross()
    }

    #[test]
    fn open_orders_count_at_their_worst() {
        let long = held(10);
        assert_eq!(gross(long), money(100));
        assert_eq!(gross(with(long, Side::Buy, 5, 10)), money(150));
        assert_eq!(gross(with(long, Side::Sell, 10, 10)), money(100), "a sale may not fill");
        assert_eq!(gross(with(long, Side::Sell, 25, 10)), money(150), "it may turn the position round");
        assert_eq!(gross(with(with(long, Side::Sell, 12, 10), Side::Buy, 3, 10)), money(130));
        assert_eq!(with(long, Side::Sell, 10, 30).exposure().short, Money::ZERO, "what closes opens nothing");
        assert_eq!(with(held(-10), Side::Buy, 11, 30).exposure().long, money(30));
    }

    #[test]
    fn an_order_that_turns_a_position_round_may_come_after_what_closes_it() {
        let mut stop = Ticket::market(InstrumentIndex(0), Side::Sell, Qty(Decimal::from(10)), OrderOrigin::StopLoss);
        stop.reduce_only = true;
        let price = Some(Price(Decimal::from(10)));
        let stopped = |open: Open| open.and(&stop, Qty(Decimal::from(10)), price, Decimal::ZERO);
        assert_eq!(with(stopped(held(10)), Side::Sell, 15, 10).exposure().short, money(150));
        assert_eq!(with(stopped(held(30)), Side::Sell, 25, 10).exposure().short, money(50));
        assert_eq!(stopped(held(10)).exposure().short, Money::ZERO, "by itself it opens nothing");
        let spot = Open { kind: InstrumentKind::Spot, ..held(10) };
        assert_eq!(with(stopped(spot), Side::Sell, 10, 10).exposure().short, Money::ZERO);
        let room = stopped(held(10)).room(Side::Sell, Price(Decimal::from(10)), money(50));
        assert_eq!(room, Qty(Decimal::from(5)));
    }

    #[test]
    fn the_room_for_an_order_is_what_keeps_it_within_a_limit() {
        for (open, side, most, room) in [
            (held(10), Side::Buy, 150, 5),
            (held(10), Side::Buy, 90, 0),
            (held(10), Side::Sell, 150, 25),
            (held(-10), Side::Buy, 0, 10),
            (with(held(10), Side::Buy, 2, 10), Side::Buy, 150, 3),
            (with(held(-10), Side::Buy, 12, 20), Side::Buy, 100, 3),
        ] {
            let quantity = open.room(side, Price(Decimal::from(10)), money(most));
            assert_eq!(quantity, Qty(Decimal::from(room)), "{open:?}");
            let filled = open.with(side, quantity, Price(Decimal::from(10))).exposure();
            assert!(quantity.is_zero() || filled.towards(side) <= money(most), "{open:?}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_more_than_anybody_has() {
        assert_eq!(BEYOND.to_string(), "1000000000000000000000000");
        assert_eq!(UNKNOWN.to_string(), "1000000000000");
        let most = Decimal::from(1_000_000_000_000_u64);
        assert_eq!(worth(Price(most), Qty(most)), Money(BEYOND));
    }
}
