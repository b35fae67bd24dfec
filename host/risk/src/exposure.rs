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
/// An order counts with what it may open, as if something else had closed the position before: at the mark or at its own worst
/// price, whichever is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    kind: InstrumentKind,
    /// Of the position, below 0 when short.
    value: Money,
    /// What buy orders may open.
    buys: Money,
    /// What sales may open.
    sells: Money,
}

impl Open {
    /// A position without orders, by what it is worth at the mark: below 0 when short.
    #[must_use]
    pub fn position(kind: InstrumentKind, value: Money) -> Self {
        Self { kind, value, buys: Money::ZERO, sells: Money::ZERO }
    }

    /// With one more order, which may open so much. One whose price cannot be said counts as more than anybody has.
    #[must_use]
    pub fn and(self, ticket: &Ticket, opening: Qty, mark: Option<Price>, cost: Decimal) -> Self {
        if ticket.reduce_only {
            return self;
        }
        self.with(ticket.side, opening, counting_price(ticket, mark, cost).unwrap_or(Price(UNKNOWN)))
    }

    /// With one more order that counts at this price. A sale on spot opens nothing.
    #[must_use]
    pub(crate) fn with(mut self, side: Side, opening: Qty, price: Price) -> Self {
        match (side, self.kind) {
            (Side::Buy, _) => self.buys += worth(price, opening),
            (Side::Sell, InstrumentKind::Perpetual | InstrumentKind::SpotMargin) => self.sells += worth(price, opening),
            (Side::Sell, InstrumentKind::Spot) => {}
        }
        self
    }

    /// What it could come to.
    #[must_use]
    pub fn exposure(&self) -> Exposure {
        let held = Exposure::of(self.value);
        Exposure { long: held.long + self.buys, short: held.short + self.sells }
    }

    /// The largest quantity that one more order may open with at most so much at stake on its side; 0 if there is none.
    #[must_use]
    pub(crate) fn room(&self, side: Side, price: Price, most: Money) -> Qty {
        let left = (most - self.exposure().towards(side)).0.max(Decimal::ZERO);
        Qty(left.checked_div(price.0).unwrap_or_default().trunc_with_scale(12))
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
    use super::{BEYOND, Exposure, Open, UNKNOWN, worth};
    use tiltyard_model::{Decimal, InstrumentKind, Money, Price, Qty, Side};

    fn money(amount: i64) -> Money {
        Money(Decimal::from(amount))
    }

    fn held(quantity: i64) -> Open {
        Open::position(InstrumentKind::Perpetual, money(quantity * 10))
    }

    fn with(open: Open, side: Side, opening: i64, price: i64) -> Open {
        open.with(side, Qty(Decimal::from(opening)), Price(Decimal::from(price)))
    }

    #[test]
    fn open_orders_count_at_their_worst() {
        let long = held(10);
        assert_eq!(long.exposure().gross(), money(100));
        assert_eq!(with(long, Side::Buy, 5, 10).exposure().long, money(150));
        // Something else may have closed the position before.
        assert_eq!(with(long, Side::Sell, 15, 10).exposure(), Exposure { long: money(100), short: money(150) });
        assert_eq!(with(with(held(-10), Side::Buy, 3, 30), Side::Sell, 2, 10).exposure().gross(), money(120));
        let spot = Open { kind: InstrumentKind::Spot, ..long };
        assert_eq!(with(spot, Side::Sell, 10, 10).exposure().short, Money::ZERO, "nothing is sold short on spot");
    }

    #[test]
    fn the_room_for_an_order_is_what_keeps_it_within_a_limit() {
        for (open, side, most, room) in [
            (held(10), Side::Buy, 150, 5),
            (held(10), Side::Buy, 90, 0),
            (held(10), Side::Sell, 150, 15),
            (held(-10), Side::Buy, 0, 0),
            (with(held(10), Side::Buy, 2, 10), Side::Buy, 150, 3),
            (with(held(-10), Side::Buy, 2, 20), Side::Buy, 100, 6),
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
