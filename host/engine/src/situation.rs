//! What the rules of risk look at when a strategy asks for something.

use std::borrow::Borrow;

use tiltyard_model::{Decimal, InstrumentIndex, InstrumentKind, Money, OrderId};
use tiltyard_risk::{Account, Fraction, Open, Permission, Recent, Situation, Stake, Standing, paid};

use crate::ledger::Holding;
use crate::market::Listed;
use crate::requests::Requests;
use crate::venue::{Host as _, Venue, Working};

impl<V: Venue> Requests<'_, V> {
    /// The situation that rules judge by, with `without` out of the way.
    pub(crate) fn look<T>(
        &self,
        instrument: InstrumentIndex,
        listed: &Listed,
        without: &[OrderId],
        look: impl FnOnce(&Situation<'_>) -> T,
    ) -> T {
        let cost = self.venue.cost();
        let stands = |order: &&Working| without.binary_search(&order.id).is_err();
        let working = self.venue.working(instrument).iter().filter(stands);
        let standing: Vec<Standing<'_>> = working.map(|order| self.standing(order)).collect();
        let spot = listed.instrument.kind == InstrumentKind::Spot;
        let here = spot.then(|| own_reserved(standing.iter(), listed, cost));
        let reserved: Money = here.into_iter().chain([self.reserved_elsewhere(instrument, cost)]).sum();
        let free = self.clearing.free(self.strategy, (!spot).then_some(instrument));
        let (books, now) = (&self.clearing.books, self.clearing.now);
        let record = books.record_of(self.strategy);
        let limits = self.limits(instrument);
        let share = self.seat.map_or(Fraction::ONE, |seat| seat.share);
        let stakes = if limits.need_stakes() || share < Fraction::ONE { self.stakes(cost) } else { Vec::new() };
        look(&Situation {
            now,
            clock: self.clock,
            strategy: self.strategy.0,
            equity: record.map_or(Money::ZERO, |record| record.ledger.equity()),
            share,
            instrument,
            base: &listed.instrument.base,
            interval: listed.interval,
            age: listed.last_event().map(|last| self.clock - last),
            range: limits.invalid_stop.as_ref().and_then(|rule| listed.average_true_range(rule.atr_bars as usize)),
            recent_orders: Recent {
                strategy: record.map_or(0, |record| record.guard.recent().count(now)),
                account: books.guard().recent().count(now),
            },
            account: Account {
                equity: books.equity(),
                stakes: &stakes,
                correlations: self.correlations,
                guard: books.guard(),
            },
            permission: Permission::of(
                books.guard().state(),
                record.map_or_else(Default::default, |record| record.guard.state()),
            ),
            kind: listed.instrument.kind,
            rules: &listed.rules,
            mark: listed.mark(),
            cost,
            position: self.clearing.position(self.strategy, instrument),
            value: record.and_then(|record| record.ledger.holding(instrument)).map_or(Money::ZERO, Holding::value),
            free: free - reserved,
            standing: &standing,
        })
    }

    /// What every strategy has at stake in every instrument.
    fn stakes(&self, cost: Decimal) -> Vec<Stake> {
        let mut stakes = Vec::new();
        for (strategy, record) in (0..).zip(self.clearing.books.records()) {
            for (instrument, listed) in self.market.iter() {
                let working = self.venue.working(instrument);
                let held = record.ledger.holding(instrument).filter(|holding| !holding.quantity().is_zero());
                if held.is_none() && working.is_empty() {
                    continue;
                }
                let value = held.map_or(Money::ZERO, Holding::value);
                let position = Open::position(listed.instrument.kind, value);
                let entry = |order: &&Working| order.strategy.0 == strategy && !order.ticket.reduce_only;
                let own = working.iter().filter(entry);
                let open =
                    own.fold(position, |open, order| open.and(&order.ticket, order.may_open(), listed.mark(), cost));
                stakes.push(Stake { strategy, instrument, exposure: open.exposure() });
            }
        }
        stakes
    }

    /// A working order as the rules see it.
    fn standing<'o>(&self, order: &'o Working) -> Standing<'o> {
        Standing {
            ticket: &order.ticket,
            remaining: order.remaining(),
            opening: order.may_open(),
            accepted: order.accepted,
            own: order.strategy == self.strategy,
            leaving: order.is_leaving(),
        }
    }

    /// What the strategy's open orders in other instruments may need: cash on spot, margin on others.
    fn reserved_elsewhere(&self, instrument: InstrumentIndex, cost: Decimal) -> Money {
        let others = self.market.iter().filter(|(other, _)| *other != instrument);
        let reserved = others.map(|(other, listed)| {
            let own = self.venue.working(other).iter().filter(|order| order.strategy == self.strategy);
            let standing = own.map(|order| self.standing(order));
            match listed.instrument.kind {
                InstrumentKind::Spot => own_reserved(standing, listed, cost),
                InstrumentKind::Perpetual | InstrumentKind::SpotMargin => opening_margin(standing, listed),
            }
        });
        reserved.sum()
    }
}

/// Cash that a strategy's own buy orders keep back. What cannot be said counts as more than anybody has.
fn own_reserved<'o, S>(standing: impl Iterator<Item = S>, listed: &Listed, cost: Decimal) -> Money
where
    S: Borrow<Standing<'o>>,
{
    let own = standing.filter(|order| order.borrow().own);
    own.map(|order| order.borrow().reserved(&listed.rules, listed.mark(), cost).unwrap_or(Money(UNPAYABLE))).sum()
}

/// Margin that orders which may open a position would need, each by itself.
fn opening_margin<'o>(standing: impl Iterator<Item = Standing<'o>>, listed: &Listed) -> Money {
    let opening = standing.filter(|order| !order.ticket.reduce_only);
    let margin = opening.map(|order| {
        let price = order.ticket.kind.limit().or(order.ticket.kind.trigger()).or_else(|| listed.mark());
        let value = price.and_then(|price| paid(price, order.opening, &listed.rules));
        Money(value.map_or(UNPAYABLE, |value| value.0 / listed.rules.max_leverage))
    });
    margin.sum()
}

/// More than any account holds: ten to the fifteenth.
const UNPAYABLE: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);
