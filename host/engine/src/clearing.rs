use tiltyard_model::{
    Decimal, Fill, InstrumentIndex, InstrumentKind, MONEY_SCALE, Money, Nanos, OrderId, OrderOrigin, OrderStatus,
    OrderUpdate, Price, Qty, Side, Violation,
};
use tiltyard_risk::paid;

use crate::books::Books;
use crate::event::{Entry, Event};
use crate::execution::{Execution, StrategyIndex, Update};
use crate::margin::{MarginMode, MarginTerms, Margined, Opening};
use crate::market::{Listed, Market};
use crate::targets::Targets;
use crate::venue::{Forced, Host, Room, Working};

/// What a strategy is told about its orders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Fill(Fill),
    Order(OrderUpdate),
}

/// The host's side of a venue: books what it reports and answers what accounts can bear.
#[derive(Debug)]
pub(crate) struct Clearing {
    pub(crate) now: Nanos,
    pub(crate) books: Books,
    pub(crate) targets: Targets,
    /// For each strategy, what it has not been told yet.
    pub(crate) inboxes: Vec<Vec<Message>>,
    /// Whether somebody outside is told of what happens, and what that one was not told yet.
    pub(crate) is_overseen: bool,
    pub(crate) untold: Vec<Entry>,
    next_order: u64,
    /// On what margin perpetuals are held, and what margin has to know of each instrument.
    pub(crate) terms: MarginTerms,
    pub(crate) margins: Vec<Margined>,
}

impl Clearing {
    pub(crate) fn new(books: Books, market: &Market, terms: MarginTerms, now: Nanos) -> Self {
        let margins = market.iter().map(|(_, listed)| Margined {
            kind: listed.instrument.kind,
            leverage: listed.rules.max_leverage,
            margin: listed.rules.margin.clone(),
        });
        Self {
            now,
            books,
            targets: Targets::default(),
            inboxes: Vec::new(),
            is_overseen: false,
            untold: Vec::new(),
            next_order: 1,
            terms,
            margins: margins.collect(),
        }
    }

    /// Makes room for one more strategy.
    pub(crate) fn seat(&mut self, seated: Event) {
        self.targets.seat(self.margins.len());
        self.inboxes.push(Vec::new());
        self.record(seated);
    }

    pub(crate) fn record(&mut self, event: Event) {
        self.keep_untold(&event);
        self.books.record(self.now, event);
    }

    /// Notes a refusal and gives it back.
    pub(crate) fn refuse(
        &mut self,
        strategy: StrategyIndex,
        request: &'static str,
        instrument: Option<InstrumentIndex>,
        violations: Vec<Violation>,
    ) -> Vec<Violation> {
        let event = Event::Refused { strategy, request: request.into(), instrument, violations: violations.clone() };
        self.record(event);
        violations
    }

    /// What a strategy may spend or use as margin: its equity without spot holdings and without the margin of its perpetuals
    /// but `except`. A spot purchase, which has none to except, is not paid out of profits that were not taken yet.
    pub(crate) fn free(&self, strategy: StrategyIndex, except: Option<InstrumentIndex>) -> Money {
        let Some(record) = self.books.record_of(strategy) else { return Money::ZERO };
        if self.terms.mode == MarginMode::Isolated {
            return self.free_isolated(&record.ledger, except);
        }
        // Divided once for all that have the same leverage.
        let (mut bound, mut carried, mut leverage) = (Decimal::ZERO, Decimal::ZERO, Decimal::ONE);
        for (index, (holding, margined)) in record.ledger.holdings().iter().zip(&self.margins).enumerate() {
            let (value, most) = (holding.value().0, margined.leverage);
            match margined.kind {
                InstrumentKind::Spot => bound += value,
                _ if except == Some(InstrumentIndex(index as u32)) || value.is_zero() => {}
                _ if most == leverage => carried += value.abs(),
                InstrumentKind::Perpetual | InstrumentKind::SpotMargin => {
                    bound += carried / leverage;
                    (carried, leverage) = (value.abs(), most);
                }
            }
        }
        bound += carried / leverage;
        let free = record.ledger.equity().0 - bound;
        Money(if except.is_none() { free.min(record.ledger.cash().0) } else { free })
    }

    /// The most that can be bought at this price for this much money.
    fn affordable(&self, listed: &Listed, price: Price, money: Money) -> Qty {
        let fee = listed.rules.taker_fee.max(listed.rules.maker_fee).max(Decimal::ZERO);
        let each = price.0.checked_mul(Decimal::ONE + fee).filter(|each| *each > Decimal::ZERO);
        // Value and fee are each rounded up by less than 10⁻⁸.
        let money = (money.0 - Decimal::new(2, MONEY_SCALE)).max(Decimal::ZERO);
        let quantity = each.and_then(|each| money.checked_div(each));
        listed.rules.whole_lots(Qty(quantity.unwrap_or_default()))
    }
}

impl Host for Clearing {
    fn room(&self, order: &Working, listed: &Listed, price: Price) -> Room {
        let (strategy, instrument, side) = (order.strategy, order.ticket.instrument, order.ticket.side);
        let position = self.position(strategy, instrument);
        let closing = Qty((-side.signed(position)).0.max(Decimal::ZERO));
        if order.ticket.reduce_only {
            return Room { quantity: closing, because: "reduce-only" };
        }
        match (listed.instrument.kind, side) {
            (InstrumentKind::Spot, Side::Sell) => Room { quantity: closing, because: "insufficient-funds" },
            (InstrumentKind::Spot, Side::Buy) => {
                let free = self.free(strategy, None);
                let fits = paid(price, order.remaining(), &listed.rules).is_some_and(|cost| cost <= free);
                let quantity = if fits { order.remaining() } else { self.affordable(listed, price, free) };
                Room { quantity, because: "insufficient-funds" }
            }
            (InstrumentKind::Perpetual | InstrumentKind::SpotMargin, _) => {
                let standing = if closing.is_zero() { position.abs() } else { Qty::ZERO };
                let free = self.free(strategy, Some(instrument)).0.max(Decimal::ZERO);
                let carried = Money(free * listed.rules.max_leverage);
                let opening = order.remaining() - order.remaining().min(closing);
                let fits = paid(price, standing + opening, &listed.rules).is_some_and(|cost| cost <= carried);
                let most = if fits { standing + opening } else { self.affordable(listed, price, carried) };
                let mut opening = Qty((most - standing).0.max(Decimal::ZERO));
                if self.terms.mode == MarginMode::Isolated {
                    let remaining = order.remaining();
                    opening = self.room_isolated(&Opening { strategy, instrument, listed, price, closing, remaining });
                }
                if let Some(largest) = self.largest(listed, price) {
                    opening = opening.min(Qty((largest - standing).0.max(Decimal::ZERO)));
                }
                // Of an order that was to turn a position round, no more opens because something else has closed it before.
                if opening > order.may_open() {
                    return Room { quantity: closing + order.may_open(), because: "reduce-only" };
                }
                Room { quantity: closing + opening, because: "insufficient-margin" }
            }
        }
    }

    fn position(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Qty {
        self.books.record_of(strategy).map_or(Qty::ZERO, |record| record.ledger.position(instrument))
    }

    fn liquidation_price(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Option<Price> {
        self.liquidation_mark(strategy, instrument)
    }

    fn force(
        &self,
        strategy: StrategyIndex,
        instrument: InstrumentIndex,
        listed: &Listed,
        price: Price,
    ) -> Option<Forced> {
        Clearing::force(self, strategy, instrument, listed, price)
    }

    fn strategies(&self) -> Vec<StrategyIndex> {
        self.books.strategies().collect()
    }

    fn next_order(&mut self) -> OrderId {
        let order = OrderId(self.next_order);
        self.next_order += 1;
        order
    }

    fn accepted(&mut self, order: &Working) {
        let Working { id, strategy, ticket, active_from, .. } = order;
        self.record(Event::Accepted {
            strategy: *strategy,
            order: *id,
            ticket: ticket.clone(),
            active_from: *active_from,
        });
        let update = order.update(OrderStatus::Accepted, "");
        self.tell(*strategy, Message::Order(update.to_order_update(self.now)));
    }

    fn executed(&mut self, execution: Execution) {
        let (strategy, instrument, origin) = (execution.strategy, execution.instrument, execution.origin);
        let before = self.position(strategy, instrument);
        self.tell(strategy, Message::Fill(execution.to_fill()));
        self.record(Event::Executed(execution.clone()));
        self.put_aside(&execution, before);
        if origin != OrderOrigin::Target && self.position(strategy, instrument).is_zero() {
            self.targets.forget(strategy, instrument);
        }
    }

    fn updated(&mut self, update: Update) {
        if update.origin == OrderOrigin::Target && update.is_final() && update.filled.is_zero() {
            self.targets.forget(update.strategy, update.instrument);
        }
        self.tell(update.strategy, Message::Order(update.to_order_update(self.now)));
        self.record(Event::Updated(update));
    }

    fn replaced(&mut self, order: &Working) {
        self.record(Event::Replaced { order: order.id, ticket: order.ticket.clone(), filled: order.filled });
    }
}

impl Clearing {
    fn tell(&mut self, strategy: StrategyIndex, message: Message) {
        if let Some(inbox) = self.inboxes.get_mut(strategy.0 as usize) {
            inbox.push(message);
        }
    }
}
