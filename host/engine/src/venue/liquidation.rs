//! Closing by force: what a simulated venue does to a position whose margin is used up.

use tiltyard_model::{InstrumentIndex, Liquidity, Nanos, OrderOrigin, OrderStatus, Price, Ticket};

use super::Host;
use super::book::Book;
use super::working::Working;
use crate::execution::{Execution, StrategyIndex};
use crate::margin::exit_side;
use crate::market::Listed;

/// Why orders end and positions are closed.
pub(super) const LIQUIDATION: &str = "liquidation";

/// A liquidation at a price.
pub(super) struct Liquidation<'a> {
    pub(super) strategy: StrategyIndex,
    pub(super) instrument: InstrumentIndex,
    pub(super) listed: &'a Listed,
    pub(super) price: Price,
    /// Whether the market opened at it.
    pub(super) at_open: bool,
    pub(super) time: Nanos,
    pub(super) now: Nanos,
}

impl Liquidation<'_> {
    /// Ends the strategy's orders in the instrument, then closes all that it holds of it, whatever the volume of the bar.
    pub(super) fn execute(&self, book: &mut Book, host: &mut dyn Host) {
        let Self { strategy, instrument, .. } = *self;
        for order in book.which(|order| order.strategy == strategy) {
            book.end(order, OrderStatus::Cancelled, LIQUIDATION, host);
        }
        host.charge(strategy, instrument, self.time);
        let side = exit_side(host.position(strategy, instrument));
        let Some(forced) = host.force(strategy, instrument, self.listed, self.price) else { return };
        let mut ticket = Ticket::market(instrument, side, forced.quantity, OrderOrigin::Host);
        ticket.reduce_only = true;
        ticket.tag = LIQUIDATION.to_owned();
        let mut order = Working::new(host.next_order(), strategy, ticket, self.now, self.now);
        host.accepted(&order);
        host.executed(Execution {
            strategy,
            order: order.id,
            instrument,
            time: self.time,
            at_open: self.at_open,
            side,
            price: forced.price,
            quantity: forced.quantity,
            value: forced.value,
            fee: forced.fee,
            liquidation_fee: forced.liquidation_fee,
            liquidity: Liquidity::Taker,
            origin: OrderOrigin::Host,
            parent: None,
            reason: LIQUIDATION.into(),
            tag: LIQUIDATION.to_owned(),
        });
        order.filled = forced.quantity;
        host.updated(order.update(OrderStatus::Liquidated, LIQUIDATION));
    }
}
