//! What a strategy asks of the kernel: read, judged by risk, handed to the venue or refused as a whole.

use tiltyard_model::{
    Acceptance, HostStop, InstrumentIndex, InstrumentKind, Money, Nanos, OrderId, OrderOrigin, OrderRequest, Price,
    Protection, Qty, Replacement, Ticket, Violation,
};
use tiltyard_risk::{Correlations, Limits, Proposal, RiskProfile, Verdict, part_exit_from_entry};

use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::StrategyIndex;
use crate::floor::Seat;
use crate::margin::exit_side;
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

/// The host's exits are not the strategy's to take back.
fn not_of_the_host(order: &Working) -> Result<(), Refusal> {
    if order.ticket.origin == OrderOrigin::Host {
        return Err(vec![violation("host-order", order.id.0 as f64, f64::NAN, "order")]);
    }
    Ok(())
}

fn unknown_order(order: OrderId) -> Refusal {
    vec![violation("unknown-order", order.0 as f64, f64::NAN, "order")]
}

impl<'a, V: Venue> Requests<'a, V> {
    pub(crate) fn submit(&mut self, request: OrderRequest) -> Result<Acceptance, Refusal> {
        let instrument = request.instrument;
        let answer = self.listed(instrument).and_then(|listed| {
            let mut ticket = Ticket::read(request, &listed.rules, self.clearing.now)?;
            right_side(&ticket, listed)?;
            self.part_exit(&mut ticket, listed, &[]);
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
        if let Err(violations) = not_of_the_host(working).and_then(|()| self.unprotect(working, None)) {
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
        if let Err(violations) = not_of_the_host(working) {
            return Err(self.refuse("replace", Some(instrument), violations));
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
                self.unprotect(working, Some(&Proposal { ticket: &changed, filled }))?;
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
        let side = exit_side(held);
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
            // On margin what can only close is reduce-only already.
            let spot = listed.instrument.kind == InstrumentKind::Spot;
            if !(spot && ticket.quantity <= -ticket.side.signed(held)) {
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
        ticket.resize(quantity);
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
    fn unprotect(&self, order: &Working, instead: Option<&Proposal<'_>>) -> Result<(), Refusal> {
        self.unprotect_with(&[order], instead)
    }

    /// Whether orders of one instrument may all be cancelled, with `instead` in their place, as far as they protect a position.
    pub(crate) fn unprotect_with(&self, orders: &[&Working], instead: Option<&Proposal<'_>>) -> Result<(), Refusal> {
        let Some(instrument) = orders.first().map(|order| order.ticket.instrument) else { return Ok(()) };
        let Some(listed) = self.market.get(instrument) else { return Ok(()) };
        let limits = self.limits(instrument);
        if limits.missing_stop.is_none() {
            return Ok(());
        }
        let without: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
        // What is on its way to an order has been judged: it is what the order is going to be.
        let stops = orders.iter().filter(|order| !order.is_leaving()).map(|order| order.expected());
        let violations = self.look(instrument, listed, &without, |situation| {
            let judged = stops.map(|stop| limits.judge_unprotecting(&stop, instead, situation));
            judged.into_iter().find(|violations| !violations.is_empty())
        });
        violations.map_or(Ok(()), Err)
    }

    /// Says what of an order only closes, with `without` out of the way.
    pub(crate) fn part_exit(&self, ticket: &mut Ticket, listed: &Listed, without: &[OrderId]) {
        let held = self.clearing.position(self.strategy, ticket.instrument);
        if held.is_zero() {
            return;
        }
        // One that is leaving may still trade; whatever closes then is released with the position.
        let own =
            |order: &&Working| order.strategy == self.strategy && !without.contains(&order.id) && !order.is_leaving();
        let standing = self.venue.working(ticket.instrument).iter().filter(own);
        let standing = standing.map(|order| (&order.ticket, order.remaining()));
        part_exit_from_entry(ticket, listed.instrument.kind, held, standing);
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
}

/// Whether what protects an entry stands on the right side of it.
pub(crate) fn right_side(ticket: &Ticket, listed: &Listed) -> Result<(), Refusal> {
    tiltyard_risk::right_side(ticket, listed.last())
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
