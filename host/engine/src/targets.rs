use tiltyard_model::{
    Acceptance, Decimal, InstrumentIndex, Money, OrderId, OrderOrigin, Price, Protection, Qty, Rounding, Side,
    Specification, StopLoss, Ticket, decimal,
};
use tiltyard_risk::Proposal;

use crate::execution::StrategyIndex;
use crate::ledger::Holding;
use crate::margin::exit_side;
use crate::market::Listed;
use crate::requests::{Refusal, Requests, right_side, violation};
use crate::venue::{Host as _, Venue, Working, protecting};

/// What each strategy last asked to hold of each instrument.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    accepted: Vec<Vec<Option<Target>>>,
}

/// A call of `target` that was accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub(crate) fraction: f64,
    pub(crate) stop: Option<StopLoss>,
    /// What the fraction was multiplied by when it was asked for.
    pub(crate) scale: f64,
}

impl Targets {
    /// Makes room for one more strategy.
    pub(crate) fn seat(&mut self, instruments: usize) {
        self.accepted.push(vec![None; instruments]);
    }

    pub(crate) fn get(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Option<Target> {
        *self.accepted.get(strategy.0 as usize)?.get(instrument.0 as usize)?
    }

    pub(crate) fn set(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex, target: Option<Target>) {
        let slot = self.accepted.get_mut(strategy.0 as usize).and_then(|all| all.get_mut(instrument.0 as usize));
        if let Some(slot) = slot {
            *slot = target;
        }
    }

    /// The position is no longer what was asked for: the next call acts.
    pub(crate) fn forget(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex) {
        self.set(strategy, instrument, None);
    }
}

/// The position that is this fraction of the equity: what could be bought for it at the mark with the taker's costs and
/// fee on top, in whole lots. A fraction too small for a decimal is none of it. `None` if it is larger than any order may be.
pub(crate) fn desired(fraction: f64, equity: Money, mark: Price, cost: Decimal, listed: &Listed) -> Option<Qty> {
    if fraction.abs() < 1e-12 {
        return Some(Qty::ZERO);
    }
    let fraction = decimal(fraction)?;
    // Value and fee of the purchase are each rounded up by less than this.
    let rounding = Decimal::new(2, 8);
    let budget = (equity.0.max(Decimal::ZERO).checked_mul(fraction.abs())? - rounding).max(Decimal::ZERO);
    let fee = listed.rules.taker_fee.max(listed.rules.maker_fee).max(Decimal::ZERO);
    let each = mark.times(Decimal::ONE + cost, Rounding::Up).0.checked_mul(Decimal::ONE + fee)?;
    let quantity = listed.rules.whole_lots(Qty(budget.checked_div(each)?));
    if quantity.to_f64() > Specification::LARGEST {
        return None;
    }
    Some(if fraction.is_sign_negative() { -quantity } else { quantity })
}

impl<V: Venue> Requests<'_, V> {
    pub(crate) fn target(
        &mut self,
        instrument: InstrumentIndex,
        fraction: f64,
        stop: Option<StopLoss>,
    ) -> Result<Option<Acceptance>, Refusal> {
        let scale = self.market.get(instrument).map_or(1.0, |listed| self.scale(listed));
        let wanted = Target { fraction, stop, scale };
        if self.clearing.targets.get(self.strategy, instrument) == Some(wanted) {
            return Ok(None);
        }
        let answer = self.listed(instrument).and_then(|listed| self.aim(instrument, listed, wanted));
        answer.map_err(|violations| self.refuse("target", Some(instrument), violations))
    }

    fn aim(
        &mut self,
        instrument: InstrumentIndex,
        listed: &Listed,
        wanted: Target,
    ) -> Result<Option<Acceptance>, Refusal> {
        let malformed = || vec![violation("malformed", wanted.fraction, f64::NAN, "fraction-of-equity")];
        if !wanted.fraction.is_finite() {
            return Err(malformed());
        }
        let mark = listed.mark().ok_or_else(|| vec![violation("stale-data", f64::NAN, f64::NAN, "")])?;
        let equity = self.clearing.books.record_of(self.strategy).map_or(Money::ZERO, |record| record.ledger.equity());
        let fraction = self.sized(&wanted, instrument, listed, mark)?;
        let desired = desired(fraction, equity, mark, self.venue.cost(), listed).ok_or_else(malformed)?;
        let held = self.clearing.position(self.strategy, instrument);
        let entry = if desired.0.is_sign_negative() { Side::Sell } else { Side::Buy };
        let mut protected = Ticket::market(instrument, entry, desired.abs(), OrderOrigin::Target);
        protected.stop_loss = wanted.stop.map(|stop| Protection::read(stop, entry, &listed.rules)).transpose()?;
        right_side(&protected, listed)?;
        let protection = protected.stop_loss;
        // What an earlier target left unfilled makes way. Where it cannot, because a cancellation would come too late, it
        // counts as held.
        let of_target = |order: &&Working| {
            order.strategy == self.strategy && order.ticket.origin == OrderOrigin::Target && !order.is_leaving()
        };
        let unfilled = self.venue.working(instrument).iter().filter(of_target);
        let mut earlier: Vec<OrderId> = Vec::new();
        let mut coming = held;
        for order in unfilled {
            if self.venue.recalls(instrument, self.clearing.now) {
                earlier.push(order.id);
            } else {
                coming += order.ticket.side.signed(order.remaining());
            }
        }
        // A stop that moves is no reason to trade what profit and fees have changed meanwhile.
        let before = self.clearing.targets.get(self.strategy, instrument);
        let same_fraction =
            before.is_some_and(|before| (before.fraction, before.scale) == (wanted.fraction, wanted.scale));
        let only_the_stop = same_fraction && earlier.is_empty() && !coming.is_zero();
        let change = if only_the_stop { Qty::ZERO } else { desired - coming };
        let moves_stop = before.and_then(|before| before.stop) != wanted.stop && held.same_side(desired);
        let instead = if moves_stop { self.other_stop(instrument, protection, listed, held, mark)? } else { None };
        let mut placed = None;
        if !change.is_zero() {
            let side = if change.0.is_sign_negative() { Side::Sell } else { Side::Buy };
            let mut ticket = Ticket::market(instrument, side, change.abs(), OrderOrigin::Target);
            let shrinks = desired.is_zero() || held.same_side(desired) && desired.abs() < held.abs();
            ticket.reduce_only = shrinks && coming == held;
            if !ticket.reduce_only {
                ticket.stop_loss = protection;
                self.part_exit(&mut ticket, listed, &earlier);
            }
            if !ticket.reduce_only {
                self.protect(&mut ticket, listed)?;
            }
            let admitted = self.admit(&mut ticket, Qty::ZERO, listed, &earlier)?;
            self.ask_overseer(&ticket, listed, admitted.adds)?;
            self.warn("target", instrument, admitted.warnings);
            placed = Some(ticket);
        }
        for order in earlier {
            self.venue.cancel(order, "new-target".into(), self.clearing.now, self.clearing);
        }
        if moves_stop {
            self.move_stop(instrument, instead);
        }
        self.clearing.targets.set(self.strategy, instrument, Some(wanted));
        Ok(placed.map(|ticket| self.place(ticket)))
    }

    /// The stop-loss that is to protect what is held in the place of those that do, if any is to.
    fn other_stop(
        &self,
        instrument: InstrumentIndex,
        protection: Option<Protection>,
        listed: &Listed,
        held: Qty,
        mark: Price,
    ) -> Result<Option<Ticket>, Refusal> {
        self.room_for_change(instrument, Working::guards_target)?;
        let side = exit_side(held);
        let stop = match protection {
            Some(stop) => Some(stop),
            None => self.kept_stop(listed, instrument)?,
        };
        let ticket = stop.map(|stop| {
            let mut ticket = Ticket::market(instrument, side, held.abs(), OrderOrigin::StopLoss);
            ticket.kind = protecting(stop, mark, side, &listed.rules);
            // A trailing stop stands behind the best price since the entry, whatever stood there before.
            let holding =
                self.clearing.books.record_of(self.strategy).and_then(|record| record.ledger.holding(instrument));
            ticket.best = holding.and_then(Holding::best_price).filter(|_| matches!(stop, Protection::Trailing(_)));
            ticket.reduce_only = true;
            ticket
        });
        let stops: Vec<&Working> = self.target_stops(instrument).collect();
        let instead = ticket.as_ref().map(|ticket| Proposal { ticket, filled: Qty::ZERO });
        self.unprotect_with(&stops, instead.as_ref())?;
        Ok(ticket)
    }

    /// Gives what is held another stop-loss, or none.
    fn move_stop(&mut self, instrument: InstrumentIndex, instead: Option<Ticket>) {
        let stops: Vec<OrderId> = self.target_stops(instrument).map(|order| order.id).collect();
        for order in stops {
            self.venue.cancel(order, "new-stop".into(), self.clearing.now, self.clearing);
        }
        if let Some(ticket) = instead {
            self.place(ticket);
        }
    }

    /// The stop-losses of what targets have opened.
    fn target_stops(&self, instrument: InstrumentIndex) -> impl Iterator<Item = &Working> {
        let own = |order: &&Working| order.strategy == self.strategy && order.guards_target();
        self.venue.working(instrument).iter().filter(own)
    }
}
