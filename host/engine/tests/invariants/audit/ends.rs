//! Halts and the ends of instruments: nothing begins any more, and what there is gets closed.

use tiltyard_engine::StrategyIndex;
use tiltyard_model::{Bar, Decimal, InstrumentIndex, OrderId, OrderOrigin, Qty, Ticket};
use tiltyard_risk::StrategyState;

use super::{Audit, Law};

impl Audit<'_> {
    pub(super) fn state(&mut self, strategy: StrategyIndex, state: StrategyState) {
        let halted = (state == StrategyState::Halted).then_some(self.now);
        self.accounts[strategy.0 as usize].halted = halted;
    }

    /// No order for a halted strategy but the host's and a bracket's, and none in an instrument that has ended.
    pub(super) fn may_begin(&mut self, strategy: StrategyIndex, id: OrderId, ticket: &Ticket) {
        let asked = matches!(ticket.origin, OrderOrigin::Submitted | OrderOrigin::Target | OrderOrigin::Close);
        let halted = self.accounts[strategy.0 as usize].halted.is_some();
        let ended = self.markets[ticket.instrument.0 as usize].ended;
        self.findings.holds(Law::Ends, !(asked && halted), || format!("{id:?} was accepted for a halted strategy"));
        self.findings.holds(Law::Ends, !ended, || format!("{id:?} was accepted after the instrument's end"));
    }

    /// Once the halt has reached the venue, only orders of the host work.
    pub(super) fn still_working(&mut self, instrument: InstrumentIndex, bar: &Bar) {
        let latency = self.most_latency();
        for (id, order) in self.orders.iter().filter(|(_, order)| order.ticket.instrument == instrument) {
            let halted = self.accounts[order.strategy.0 as usize].halted;
            let since = halted.map(|halted| halted.max(order.accepted) + latency);
            let works = order.ended.is_none() && order.ticket.origin != OrderOrigin::Host;
            let late = works && since.is_some_and(|since| since <= bar.open_time);
            self.findings.holds(Law::Ends, !late, || format!("{id:?} of a halted strategy still works: {order:?}"));
        }
    }

    pub(super) fn ended(&mut self, instrument: InstrumentIndex) {
        let at = instrument.0 as usize;
        self.markets[at].ended = true;
        let listed = self.orders.iter().filter(|(_, order)| order.ticket.instrument == instrument);
        let working: Vec<_> = listed.filter(|(_, order)| order.ended.is_none()).map(|(id, _)| *id).collect();
        let none = working.is_empty();
        self.findings.holds(Law::Ends, none, || format!("{working:?} work in an instrument that has ended"));
        let held: Vec<_> = self.accounts.iter().map(|account| account.positions[at]).collect();
        let flat = held.iter().all(Decimal::is_zero);
        self.findings.holds(Law::Ends, flat, || format!("{held:?} of an instrument that has ended"));
    }

    /// What a halted strategy holds is on its way out.
    pub(super) fn leaving(&mut self) {
        let accounts = (0..).map(StrategyIndex).zip(&self.accounts);
        for (strategy, account) in accounts.filter(|(_, account)| account.halted.is_some()) {
            let positions = (0..).map(InstrumentIndex).zip(&account.positions);
            for (instrument, position) in positions.filter(|(_, position)| !position.is_zero()) {
                let exits = self.orders.values().any(|order| {
                    (order.strategy, order.ticket.instrument) == (strategy, instrument)
                        && order.ended.is_none()
                        && order.ticket.origin == OrderOrigin::Host
                        && order.ticket.side.signed(Qty(Decimal::ONE)).0 * position < Decimal::ZERO
                });
                let what = || format!("{strategy} was halted, but keeps {position} of {instrument}");
                self.findings.holds(Law::Ends, exits, what);
            }
        }
    }
}
