//! What a strategy asks of the kernel: read, judged by risk, handed to the venue or refused as a whole.

use tiltyard_model::{
    Acceptance, Decimal, HostStop, InstrumentIndex, InstrumentKind, Money, OrderId, OrderOrigin, OrderRequest, Price,
    Protection, Qty, Replacement, Side, Ticket, Violation,
};
use tiltyard_risk::{Permission, Proposal, RiskProfile, Situation, Standing, paid};

use crate::clearing::Clearing;
use crate::execution::StrategyIndex;
use crate::market::{Listed, Market};
use crate::venue::{Host as _, Venue, Working};

pub(crate) type Refusal = Vec<Violation>;

/// A strategy's counter at the kernel, for the length of one request.
pub(crate) struct Requests<'a, V> {
    pub(crate) strategy: StrategyIndex,
    pub(crate) host_stop: Option<HostStop>,
    pub(crate) market: &'a Market,
    pub(crate) risk: &'a RiskProfile,
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
            self.check(&ticket, Qty::ZERO, listed, &[])?;
            Ok(self.place(ticket))
        });
        answer.map_err(|violations| self.refuse("submit", Some(instrument), violations))
    }

    pub(crate) fn cancel(&mut self, order: OrderId) -> Result<(), Refusal> {
        if self.own(order).is_none() {
            return Err(self.refuse("cancel", None, unknown_order(order)));
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
            let change = ticket.change(change, &listed.rules)?;
            let changed = ticket.changed(&change);
            if changed.quantity <= filled {
                let (wanted, filled) = (changed.quantity.to_f64(), filled.to_f64());
                return Err(vec![violation("malformed", wanted, filled, "base-currency-filled")]);
            }
            right_side(&changed, listed)?;
            self.check(&changed, filled, listed, &[order])?;
            Ok((change, changed))
        });
        match answer {
            Ok((change, changed)) => {
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
            self.check(&ticket, Qty::ZERO, listed, &working)?;
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
    fn closing(&self, instrument: InstrumentIndex, origin: OrderOrigin) -> Option<Ticket> {
        let held = self.clearing.position(self.strategy, instrument);
        let side = if held.0.is_sign_negative() { Side::Buy } else { Side::Sell };
        let ticket = Ticket { reduce_only: true, ..Ticket::market(instrument, side, held.abs(), origin) };
        (!held.is_zero()).then_some(ticket)
    }

    /// Takes back what the strategy has working and closes what it holds and no exit of the host's is working off yet.
    /// Called again at every instant, because orders may fill while their cancellation is on its way.
    pub(crate) fn wind_down(&mut self, instrument: InstrumentIndex, exit: &str) {
        self.cancel_all(instrument, "halt");
        let Some(mut ticket) = self.closing(instrument, OrderOrigin::Host) else { return };
        let host = |order: &&Working| order.strategy == self.strategy && order.ticket.origin == OrderOrigin::Host;
        let leaving: Qty = self.venue.working(instrument).iter().filter(host).map(Working::remaining).sum();
        ticket.quantity -= leaving;
        if ticket.quantity.0 > Decimal::ZERO {
            ticket.tag = exit.to_owned();
            self.place(ticket);
        }
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
                ticket.stop_loss = self.kept_stop(listed)?;
            }
        }
        Ok(())
    }

    /// The stop that the manifest asks the host to keep; refused while it cannot be worked out.
    pub(crate) fn kept_stop(&self, listed: &Listed) -> Result<Option<Protection>, Refusal> {
        let Some(HostStop { atr_multiple, atr_bars }) = self.host_stop else { return Ok(None) };
        let Some(range) = listed.average_true_range(atr_bars as usize) else {
            let bars = listed.history(atr_bars as usize + 1).len();
            return Err(vec![violation(
                "missing-stop",
                bars as f64,
                f64::from(atr_bars) + 1.0,
                "bars-for-the-host-stop",
            )]);
        };
        let distance = range * atr_multiple;
        match listed.rules.price(distance, true) {
            Some(distance) => Ok(Some(Protection::Behind(distance))),
            None => {
                Err(vec![violation("missing-stop", distance, listed.rules.tick.to_f64(), "distance-of-the-host-stop")])
            }
        }
    }

    /// Every rule of risk that an order breaks, with `without`, in the order of acceptance, out of the way.
    pub(crate) fn check(
        &self,
        ticket: &Ticket,
        filled: Qty,
        listed: &Listed,
        without: &[OrderId],
    ) -> Result<(), Refusal> {
        let working = self.venue.working(ticket.instrument);
        let stands = |order: &Working| without.binary_search(&order.id).is_err();
        let open = working.iter().filter(|order| order.strategy == self.strategy && stands(order));
        self.risk.room_for_another(open.count()).map_err(|violation| vec![violation])?;
        let cost = self.venue.cost();
        let standing: Vec<Standing<'_>> = self
            .venue
            .working(ticket.instrument)
            .iter()
            .filter(|order| stands(order))
            .map(|order| self.standing(order))
            .collect();
        let spot = listed.instrument.kind == InstrumentKind::Spot;
        let here = spot.then(|| own_reserved(&standing, listed, cost));
        let reserved: Money = here.into_iter().chain([self.reserved_elsewhere(ticket.instrument, cost)]).sum();
        let free = self.clearing.free(self.strategy, (!spot).then_some(ticket.instrument));
        let state = self.clearing.books.record_of(self.strategy).map_or_else(Default::default, |record| record.state);
        let situation = Situation {
            now: self.clearing.now,
            permission: Permission::of(self.clearing.books.account(), state),
            kind: listed.instrument.kind,
            rules: &listed.rules,
            mark: listed.mark(),
            cost,
            position: self.clearing.position(self.strategy, ticket.instrument),
            free: free - reserved,
            standing: &standing,
        };
        let violations = self.risk.check(&Proposal { ticket, filled }, &situation);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
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
            let standing: Vec<Standing<'_>> = own.map(|order| self.standing(order)).collect();
            match listed.instrument.kind {
                InstrumentKind::Spot => own_reserved(&standing, listed, cost),
                InstrumentKind::Perpetual => opening_margin(&standing, listed),
            }
        });
        reserved.sum()
    }
}

/// Cash that a strategy's own buy orders keep back. What cannot be said counts as more than anybody has.
fn own_reserved(standing: &[Standing<'_>], listed: &Listed, cost: Decimal) -> Money {
    let own = standing.iter().filter(|order| order.own);
    own.map(|order| order.reserved(&listed.rules, listed.mark(), cost).unwrap_or(Money(UNPAYABLE))).sum()
}

/// Margin that orders which may open a position would need, each by itself.
fn opening_margin(standing: &[Standing<'_>], listed: &Listed) -> Money {
    let opening = standing.iter().filter(|order| !order.ticket.reduce_only);
    let margin = opening.map(|order| {
        let price = order.ticket.kind.limit().or(order.ticket.kind.trigger()).or(listed.mark());
        let value = price.and_then(|price| paid(price, order.remaining, &listed.rules));
        Money(value.map_or(UNPAYABLE, |value| value.0 / listed.rules.max_leverage))
    });
    margin.sum()
}

/// More than any account holds: ten to the fifteenth.
const UNPAYABLE: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// A stop-loss or take-profit on the wrong side of its own entry would trade at once.
pub(crate) fn right_side(ticket: &Ticket, listed: &Listed) -> Result<(), Refusal> {
    let Some(entry) = ticket.kind.limit().or(ticket.kind.trigger()).or(listed.mark()) else { return Ok(()) };
    let below = |price: Price| price < entry;
    let above = |price: Price| price > entry;
    let (loss, profit): (&dyn Fn(Price) -> bool, &dyn Fn(Price) -> bool) = match ticket.side {
        Side::Buy => (&below, &above),
        Side::Sell => (&above, &below),
    };
    let mut wrong = Vec::new();
    if let Some(Protection::Fixed(price)) = ticket.stop_loss
        && !loss(price)
    {
        wrong.push(violation("malformed", price.to_f64(), entry.to_f64(), "stop-loss-on-the-wrong-side"));
    }
    if let Some(price) = ticket.take_profit
        && !profit(price)
    {
        wrong.push(violation("malformed", price.to_f64(), entry.to_f64(), "take-profit-on-the-wrong-side"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
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
