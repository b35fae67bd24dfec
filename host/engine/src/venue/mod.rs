//! Where orders go.

mod backtesting_py;
mod book;
mod conservative;
mod costs;
mod fill_rules;
mod levels;
mod liquidation;
mod nautilus_bar;
mod passage;
mod simulated;
mod tape;
mod vectorbt;
mod working;

use std::fmt;

use tiltyard_model::tape::Stamped;
use tiltyard_model::{Bar, Change, Decimal, InstrumentIndex, Money, Nanos, OrderId, Price, Qty, Ticket};

use crate::execution::{Execution, Reason, StrategyIndex, Update};
use crate::market::{Listed, Market};

pub use backtesting_py::BacktestingPy;
pub use conservative::Conservative;
pub use costs::{Costs, Latency};
pub use fill_rules::{Depth, Entry, FillRules, Ohlc, Outcome, Stage, Trade};
pub use nautilus_bar::NautilusBar;
pub use simulated::SimulatedVenue;
pub use tape::TapeVenue;
pub use vectorbt::Vectorbt;
pub use working::Working;
pub(crate) use working::protecting;

/// A place where orders are worked: simulated, or an exchange.
///
/// An order that reaches a venue has passed every rule of risk. The venue says what becomes of it through [`Host`].
pub trait Venue: fmt::Debug + Send + 'static {
    /// Takes an order. It is active from `now` plus the venue's latency, which is the answer.
    fn place(&mut self, order: OrderId, strategy: StrategyIndex, ticket: Ticket, now: Nanos) -> Nanos;

    /// Takes an order back, as soon as latency allows: until then it may trade. Once asked, it is asked.
    fn cancel(&mut self, order: OrderId, reason: Reason, now: Nanos, host: &mut dyn Host);

    /// Changes an order, as soon as latency allows: until then it may trade as what it was.
    fn replace(&mut self, order: OrderId, change: Change, now: Nanos, host: &mut dyn Host);

    /// A bar closed at `now`: orders may fill.
    fn on_bar(&mut self, instrument: InstrumentIndex, listed: &Listed, bar: &Bar, now: Nanos, host: &mut dyn Host);

    /// The strategies have spoken: where a venue lets orders trade at the close at which they were decided, they do so now.
    fn settle(&mut self, _market: &Market, _now: Nanos, _host: &mut dyn Host) {}

    /// A venue published something, received at `now`: orders may fill. A venue made of bars looks at none of it.
    fn on_tape(
        &mut self,
        _instrument: InstrumentIndex,
        _listed: &Listed,
        _event: &Stamped,
        _now: Nanos,
        _host: &mut dyn Host,
    ) {
    }

    /// The instrument trades no more, or the run is to end flat: every order in it ends, and what is held is closed at its last
    /// price. `reason` is what the orders ended and the positions were closed for.
    fn on_end(
        &mut self,
        instrument: InstrumentIndex,
        listed: &Listed,
        now: Nanos,
        reason: &'static str,
        host: &mut dyn Host,
    );

    /// The mark has used up what stands for a strategy's position: its orders in the instrument end, and what it holds is closed
    /// at this price. An exchange does so by itself.
    fn liquidate(
        &mut self,
        strategy: StrategyIndex,
        instrument: InstrumentIndex,
        listed: &Listed,
        price: Price,
        now: Nanos,
        host: &mut dyn Host,
    );

    /// Orders in an instrument that have not ended, in the order in which they were accepted.
    fn working(&self, instrument: InstrumentIndex) -> &[Working];

    /// Whether a cancellation that is sent now takes effect before anything else can happen to an order.
    fn recalls(&self, instrument: InstrumentIndex, now: Nanos) -> bool;

    /// What a taker may have to pay on top of a price, as a fraction of it, when trading this much.
    fn cost(&self) -> Decimal;
}

/// What a venue asks of the host and tells it. A simulated venue keeps no accounts of its own; it asks for them here,
/// where an exchange would look into its own.
pub trait Host {
    /// How much of this order could trade at this price: as far as cash, holdings and margin go.
    fn room(&self, order: &Working, listed: &Listed, price: Price) -> Room;

    /// What a strategy holds of an instrument.
    fn position(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Qty;

    /// The mark at which what a strategy holds on margin is closed by force, other instruments standing where they are;
    /// `None` if at none.
    fn liquidation_price(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Option<Price>;

    /// What closing all that a strategy holds on margin by force at this price comes to.
    fn force(
        &self,
        strategy: StrategyIndex,
        instrument: InstrumentIndex,
        listed: &Listed,
        price: Price,
    ) -> Option<Forced>;

    /// The strategies that there are.
    fn strategies(&self) -> Vec<StrategyIndex>;

    /// A number for an order that the venue or the host makes.
    fn next_order(&mut self) -> OrderId;

    /// An order that came to life at the venue: the stop-loss or take-profit of another.
    fn accepted(&mut self, order: &Working);

    /// A position is about to change at this time: takes the interest on what was borrowed for it until then.
    fn charge(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex, time: Nanos);

    /// An order traded, which takes the interest of before as well.
    fn executed(&mut self, execution: Execution);

    /// An order changed its state.
    fn updated(&mut self, update: Update);

    /// An order is from now on what `order` says.
    fn replaced(&mut self, order: &Working);
}

/// A position that is closed by force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forced {
    /// At what price: no worse than the one that leaves nothing of what stands for the position.
    pub price: Price,
    /// All of it.
    pub quantity: Qty,
    /// Price × quantity, rounded against the strategy.
    pub value: Money,
    /// The taker's fee, as far as something is left for it.
    pub fee: Money,
    /// The fee of the liquidation, as far as something is left for it after the other.
    pub liquidation_fee: Money,
}

/// How much may trade, and what stands in the way of more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// At most this much.
    pub quantity: Qty,
    /// Why not more, such as `reduce-only` or `insufficient-funds`.
    pub because: &'static str,
}
