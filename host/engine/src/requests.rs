//! What a strategy asks of the kernel: read, judged by risk, handed to the venue or refused as a whole.

use std::borrow::Borrow;

use tiltyard_model::{
    Acceptance, Decimal, HostStop, InstrumentIndex, InstrumentKind, Money, Nanos, OrderId, OrderOrigin, OrderRequest,
    Price, Protection, Qty, Replacement, Side, Ticket, Violation,
};
use tiltyard_risk::{
    Account, Correlations, Fraction, Limits, Open, Permission, Proposal, Recent, RiskProfile, Situation, Stake,
    Standing, Verdict, paid,
};

use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::floor::Seat;
use crate::market::{Listed, Market};
use crate::oversight::{Overseer, Planned};
use crate::venue::{Host as _, Venue, Working};

pub(crate) type Refusal = Vec<Violation>;

/// What passed every rule.
pub(crate) struct Admitted {
    /// What is worth a word.
    pub(crate) warnings: Vec<Violation>,
    /// Whether it opens or adds.
    pub(crate) adds: bool,
}

/// A strategy's counter at the kernel, for the length of one request.
pub(crate) struct Requests<'a, V> {
    pub(crate) strategy: StrategyIndex,
    pub(crate) seat: Option<&'a Seat>,
    pub(crate) market: &'a Market,
    pub(crate) risk: &'a RiskProfile,
    pub(crate) correlations: &'a Correlations,
    /// What the clock says: `clearing.now` never goes back.
    pub(crate) clock: Nanos,
    pub(crate) overseer: Option<&'a mut (dyn Overseer + 'static)>,
    pub(crate) venue: &'a mut V,
    pub(crate) clearing: &'a mut Clearing,
}

pub(crate) fn violation(rule: &str, actual: f64, limit: f64, unit: &str) -> Violation {
    Violation { rule: rule.to_owned(), actual, limit, unit: unit.to_owned() }
}

fn unknown_order(order: OrderId) -> Refusal {
    vec![violation("unknown-order", order.0 as f64, f64::NAN, "order")]
}

impl<'a, V: Venue> Requests<'a, V> {
    pub(crate) fn submit(&mut self, request: OrderRequest) -> Result<Acceptance, Refusal> {
        let instrument = request.instrument;
        let answer = self.listed(instrument).and_then(|listed| {
            let mut ticket = Ticket::read(request, &listed.rules, self.clearing.now)?;
            self.protect(&mut ticket, listed)?;
            right_side(&ticket, listed)?;
            let admitted = self.admit(&mut ticket, Qty::ZERO, listed, &[])?;
            self.ask_overseer(&ticket, listed, admitted.adds)?;
            self.warn("submit", instrument, admitted.warnings);
            Ok(self.place(ticket))
        });
        answer.map_err(|violations| self.refuse("submit", Some(instrument), violations))
    }

    pub(crate) fn cancel(&mut self, order: OrderId) -> Result<(), Refusal> {
        let Some(working) = self.own(order) else { return Err(self.refuse("cancel", None, unknown_order(order))) };
        let instrument = working.ticket.instrument;
        if let Err(violations) = self.unprotect(working, None) {
            return Err(self.refuse("cancel", Some(instrument), violations));
        }
        self.venue.cancel(order, "strategy".into(), self.clearing.now, self.clearing);
        Ok(())
    }

    pub(crate) fn replace(&mut self, order: OrderId, change: Replacement) -> Result<Acceptance, Refusal> {
        // An order that is on its way out cannot be changed any more.
        let known = self.own(order).filter(|working| !working.is_leaving());
        let Some(working) = known else { return Err(self.refuse("replace", None, unknown_order(order))) };
        let instrument = working.ticket.instrument;
        if let Err(violation) = self.risk.room_for_change(working.changes_under_way()) {
            return Err(self.refuse("replace", Some(instrument), vec![violation]));
        }
        let (ticket, filled) = (working.expected(), working.filled);
        let answer = self.listed(instrument).and_then(|listed| {
            let mut change = ticket.change(change, &listed.rules)?;
            let mut changed = ticket.changed(&change);
            if changed.quantity <= filled {
                let (wanted, filled) = (changed.quantity.to_f64(), filled.to_f64());
                return Err(vec![violation("malformed", wanted, filled, "base-currency-filled")]);
            }
            right_side(&changed, listed)?;
            if let Some(working) = self.own(order) {
                self.unprotect(working, Some(&changed))?;
            }
            let wanted = changed.quantity;
            let admitted = self.admit(&mut changed, filled, listed, &[order])?;
            self.ask_overseer(&changed, listed, admitted.adds)?;
            if changed.quantity != wanted {
                change.quantity = Some(changed.quantity);
            }
            Ok((change, changed, admitted.warnings))
        });
        match answer {
            Ok((change, changed, warnings)) => {
                self.warn("replace", instrument, warnings);
                self.venue.replace(order, change, self.clearing.now, self.clearing);
                Ok(acceptance(order, &changed))
            }
            Err(violations) => Err(self.refuse("replace", Some(instrument), violations)),
        }
    }

    pub(crate) fn close(&mut self, instrument: InstrumentIndex) -> Result<Option<Acceptance>, Refusal> {
        let answer = self.listed(instrument).and_then(|listed| {
            let Some(ticket) = self.closing(instrument, OrderOrigin::Close) else {
                self.cancel_all(instrument, "close");
                return Ok(None);
            };
            // What is working in the instrument makes way, so that nothing of it stands against the exit.
            let own = |order: &&Working| order.strategy == self.strategy;
            let working: Vec<OrderId> =
                self.venue.working(instrument).iter().filter(own).map(|order| order.id).collect();
            self.room_for_change(instrument, |order| order.ticket.origin == OrderOrigin::Close)?;
            let violations = self.judge(&ticket, Qty::ZERO, listed, &working)?.violations;
            if !violations.is_empty() {
                return Err(violations);
            }
            self.cancel_all(instrument, "close");
            Ok(Some(self.place(ticket)))
        });
        answer.map_err(|violations| self.refuse("close", Some(instrument), violations))
    }

    /// Whether another order may take the place of one of this kind, while those before it are still on their way out.
    pub(crate) fn room_for_change(
        &self,
        instrument: InstrumentIndex,
        kind: impl Fn(&Working) -> bool,
    ) -> Result<(), Refusal> {
        let own = self.venue.working(instrument).iter().filter(|order| order.strategy == self.strategy);
        let leaving = own.filter(|order| order.is_leaving() && kind(order)).count();
        self.risk.room_for_change(leaving).map_err(|violation| vec![violation])
    }

    /// Takes back everything of the strategy's that is working in an instrument, but the host's own exits.
    pub(crate) fn cancel_all(&mut self, instrument: InstrumentIndex, reason: &'static str) {
        let own = |order: &&Working| {
            order.strategy == self.strategy && order.ticket.origin != OrderOrigin::Host && !order.is_leaving()
        };
        let orders: Vec<OrderId> = self.venue.working(instrument).iter().filter(own).map(|order| order.id).collect();
        for order in orders {
            self.venue.cancel(order, reason.into(), self.clearing.now, self.clearing);
        }
    }

    /// The market order that closes what is held; `None` when nothing is.
    pub(crate) fn closing(&self, instrument: InstrumentIndex, origin: OrderOrigin) -> Option<Ticket> {
        let held = self.clearing.position(self.strategy, instrument);
        let side = if held.0.is_sign_negative() { Side::Buy } else { Side::Sell };
        let ticket = Ticket { reduce_only: true, ..Ticket::market(instrument, side, held.abs(), origin) };
        (!held.is_zero()).then_some(ticket)
    }

    /// Hands an order to the venue.
    pub(crate) fn place(&mut self, ticket: Ticket) -> Acceptance {
        let order = self.clearing.next_order();
        let answer = acceptance(order, &ticket);
        let now = self.clearing.now;
        let active_from = self.venue.place(order, self.strategy, ticket.clone(), now);
        self.clearing.accepted(&Working::new(order, self.strategy, ticket, now, active_from));
        answer
    }

    pub(crate) fn refuse(
        &mut self,
        request: &'static str,
        instrument: Option<InstrumentIndex>,
        violations: Refusal,
    ) -> Refusal {
        self.clearing.refuse(self.strategy, request, instrument, violations)
    }

    /// The instrument, if it can be traded.
    pub(crate) fn listed(&self, instrument: InstrumentIndex) -> Result<&'a Listed, Refusal> {
        let market: &'a Market = self.market;
        let listed = market.get(instrument).ok_or_else(|| {
            vec![violation("unknown-instrument", f64::from(instrument.0), market.len() as f64 - 1.0, "index")]
        })?;
        if listed.has_ended() {
            return Err(vec![violation("instrument-ended", f64::NAN, f64::NAN, "")]);
        }
        Ok(listed)
    }

    /// A working order of this strategy.
    fn own(&self, order: OrderId) -> Option<&Working> {
        let books = self.market.iter().map(|(instrument, _)| self.venue.working(instrument));
        books.flatten().find(|working| working.id == order && working.strategy == self.strategy)
    }

    /// Adds the stop-loss that the host keeps for the strategy, where the order may open something and brings none.
    pub(crate) fn protect(&self, ticket: &mut Ticket, listed: &Listed) -> Result<(), Refusal> {
        if ticket.stop_loss.is_none() && !ticket.reduce_only {
            let held = self.clearing.position(self.strategy, ticket.instrument);
            let closes = ticket.quantity <= Qty((-ticket.side.signed(held)).0);
            if !closes {
                ticket.stop_loss = self.kept_stop(listed, ticket.instrument)?;
            }
        }
        Ok(())
    }

    /// The stop that the manifest asks the host to keep, within the limits that there are for stops; refused while it cannot be
    /// worked out.
    pub(crate) fn kept_stop(
        &self,
        listed: &Listed,
        instrument: InstrumentIndex,
    ) -> Result<Option<Protection>, Refusal> {
        let Some(HostStop { atr_multiple, atr_bars }) = self.seat.and_then(|seat| seat.host_stop) else {
            return Ok(None);
        };
        let Some(range) = listed.average_true_range(atr_bars as usize) else {
            let bars = listed.history(atr_bars as usize + 1).len();
            return Err(vec![violation(
                "missing-stop",
                bars as f64,
                f64::from(atr_bars) + 1.0,
                "bars-for-the-host-stop",
            )]);
        };
        let wanted = range * atr_multiple;
        let distance = listed.rules.price(wanted, true).and_then(|distance| {
            match (&self.limits(instrument).invalid_stop, listed.mark()) {
                (Some(rule), Some(mark)) => rule.within(distance, mark, &listed.rules),
                _ => Some(distance),
            }
        });
        let none = || vec![violation("missing-stop", wanted, listed.rules.tick.to_f64(), "distance-of-the-host-stop")];
        distance.map(|distance| Some(Protection::Behind(distance))).ok_or_else(none)
    }

    /// The limits that hold for the strategy in an instrument.
    pub(crate) fn limits(&self, instrument: InstrumentIndex) -> &'a Limits {
        let own = self.seat.and_then(|seat| seat.limits.get(instrument.0 as usize));
        own.unwrap_or(&self.risk.limits)
    }

    /// Judges an order by every rule, and makes it smaller where rules are set to do so.
    pub(crate) fn admit(
        &self,
        ticket: &mut Ticket,
        filled: Qty,
        listed: &Listed,
        without: &[OrderId],
    ) -> Result<Admitted, Refusal> {
        let Verdict { violations, warnings, fits, adds } = self.judge(ticket, filled, listed, without)?;
        if violations.is_empty() {
            return Ok(Admitted { warnings, adds });
        }
        let Some(quantity) = fits else { return Err(violations) };
        ticket.quantity = quantity;
        let again = self.judge(ticket, filled, listed, without)?;
        if again.violations.is_empty() { Ok(Admitted { warnings: violations, adds }) } else { Err(again.violations) }
    }

    /// Asks whoever oversees the kernel about an order that opens or adds.
    pub(crate) fn ask_overseer(&mut self, ticket: &Ticket, listed: &Listed, adds: bool) -> Result<(), Refusal> {
        let Some(overseer) = self.overseer.as_deref_mut().filter(|_| adds) else { return Ok(()) };
        let record = self.clearing.books.record_of(self.strategy);
        let mark = listed.mark();
        let refusals = overseer.before(&Planned {
            time: self.clearing.now,
            strategy: self.seat.map_or("", |seat| &seat.name),
            instrument: &listed.instrument,
            ticket,
            mark,
            notional: tiltyard_risk::worth_at_worst(ticket, mark, self.venue.cost()),
            equity: record.map_or(Money::ZERO, |record| record.ledger.equity()),
        });
        if refusals.is_empty() {
            return Ok(());
        }
        Err(refusals.iter().map(|reason| violation("pre-trade", f64::NAN, f64::NAN, reason)).collect())
    }

    /// Notes that a request passed with a word.
    pub(crate) fn warn(&mut self, request: &'static str, instrument: InstrumentIndex, violations: Vec<Violation>) {
        if !violations.is_empty() {
            let strategy = self.strategy;
            self.clearing.record(Event::Warned { strategy, request: request.into(), instrument, violations });
        }
    }

    /// Whether an order may be cancelled, or changed to `instead`, as far as it protects a position.
    fn unprotect(&self, order: &Working, instead: Option<&Ticket>) -> Result<(), Refusal> {
        let instrument = order.ticket.instrument;
        let Some(listed) = self.market.get(instrument) else { return Ok(()) };
        let limits = self.limits(instrument);
        if limits.missing_stop.is_none() {
            return Ok(());
        }
        let violations = self.look(instrument, listed, &[order.id], |situation| {
            limits.judge_unprotecting(&order.ticket, instead, situation)
        });
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Everything that the rules say of an order, with `without`, in the order of acceptance, out of the way.
    fn judge(&self, ticket: &Ticket, filled: Qty, listed: &Listed, without: &[OrderId]) -> Result<Verdict, Refusal> {
        let working = self.venue.working(ticket.instrument);
        let stands = |order: &Working| without.binary_search(&order.id).is_err();
        let open = working.iter().filter(|order| order.strategy == self.strategy && stands(order));
        self.risk.room_for_another(open.count()).map_err(|violation| vec![violation])?;
        let limits = self.limits(ticket.instrument);
        Ok(self.look(ticket.instrument, listed, without, |situation| {
            limits.judge(&Proposal { ticket, filled }, situation)
        }))
    }

    /// The situation that rules judge by, with `without` out of the way.
    fn look<T>(
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
            value: record
                .and_then(|record| record.ledger.holding(instrument))
                .map_or(Money::ZERO, crate::ledger::Holding::value),
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
                let position =
                    held.map_or(Open::default(), |holding| Open::position(holding.quantity(), holding.value()));
                let own = working.iter().filter(|order| order.strategy.0 == strategy);
                let open =
                    own.fold(position, |open, order| open.and(&order.ticket, order.remaining(), listed.mark(), cost));
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
            accepted: order.accepted,
            own: order.strategy == self.strategy,
        }
    }

    /// What the strategy's open orders in other instruments may need: cash on spot, margin on perpetuals.
    fn reserved_elsewhere(&self, instrument: InstrumentIndex, cost: Decimal) -> Money {
        let others = self.market.iter().filter(|(other, _)| *other != instrument);
        let reserved = others.map(|(other, listed)| {
            let own = self.venue.working(other).iter().filter(|order| order.strategy == self.strategy);
            let standing = own.map(|order| self.standing(order));
            match listed.instrument.kind {
                InstrumentKind::Spot => own_reserved(standing, listed, cost),
                InstrumentKind::Perpetual => opening_margin(standing, listed),
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
        let price = order.ticket.kind.limit().or(order.ticket.kind.trigger()).or(listed.mark());
        let value = price.and_then(|price| paid(price, order.remaining, &listed.rules));
        Money(value.map_or(UNPAYABLE, |value| value.0 / listed.rules.max_leverage))
    });
    margin.sum()
}

/// More than any account holds: ten to the fifteenth.
const UNPAYABLE: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// Whether what protects an entry stands on the right side of it.
pub(crate) fn right_side(ticket: &Ticket, listed: &Listed) -> Result<(), Refusal> {
    tiltyard_risk::right_side(ticket, listed.mark())
}

/// What a strategy is told of an order that was accepted.
fn acceptance(order: OrderId, ticket: &Ticket) -> Acceptance {
    Acceptance {
        order,
        quantity: ticket.quantity.to_f64(),
        limit: ticket.kind.limit().map(Price::to_f64),
        trigger: ticket.kind.trigger().map(Price::to_f64),
    }
}
