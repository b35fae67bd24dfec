use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    InstrumentIndex, Nanos, OpenOrder, OrderId, OrderOrigin, OrderRequest, OrderType, Price, Qty, Replacement,
    Rounding, Side, Specification, StopLoss, TimeInForce, Trail, Violation, decimal,
};

/// An order in exact numbers, on tick and lot: what risk checks and a venue works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The instrument.
    pub instrument: InstrumentIndex,
    /// Buy or sell.
    pub side: Side,
    /// When and at what price.
    pub kind: OrderKind,
    /// More than 0.
    pub quantity: Qty,
    /// How long.
    pub time_in_force: TimeInForce,
    /// Only take from a position.
    pub reduce_only: bool,
    /// Of an order that turns a position round, how much may open the other one, whatever has closed the first; all of it, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Qty>,
    /// Only rest.
    pub post_only: bool,
    /// Comes to life when the order fills.
    pub stop_loss: Option<Protection>,
    /// Comes to life when the order fills; it and the stop-loss cancel each other.
    pub take_profit: Option<Price>,
    /// Who made it.
    pub origin: OrderOrigin,
    /// The order that it protects.
    pub parent: Option<OrderId>,
    /// The best price that a trailing stop knows already, if it takes another's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Price>,
    /// The strategy's own label.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
}

/// [`OrderType`] in exact numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// At once, at what the market gives.
    Market,
    /// At this price or better.
    Limit(Price),
    /// A market order once the market reaches this price.
    StopMarket(Price),
    /// A limit order once the market reaches the trigger.
    StopLimit {
        /// The price at which the order wakes.
        trigger: Price,
        /// The worst price it may then trade at.
        limit: Price,
    },
    /// A stop whose trigger follows the best price since activation.
    TrailingStop {
        /// How far behind.
        gap: Gap,
        /// The price at which it starts to follow.
        activation: Option<Price>,
    },
    /// A limit order at this price once the market reaches it in the position's favour.
    TakeProfit(Price),
}

/// How far a stop stands behind the best price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// In quote currency.
    Distance(Price),
    /// A fraction of the best price, more than 0 and less than 1.
    Fraction(Decimal),
}

/// A stop-loss that goes with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// At this price.
    Fixed(Price),
    /// Behind the best price since the entry filled.
    Trailing(Gap),
    /// This far behind the price at which the entry first filled: the stop that the host keeps.
    Behind(Price),
}

/// [`Replacement`] in exact numbers. What is absent stays what it is when the change arrives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// New total quantity, filled part included.
    pub quantity: Option<Qty>,
    /// New limit price.
    pub limit: Option<Price>,
    /// New trigger price.
    pub trigger: Option<Price>,
    /// New distance of a trailing stop.
    pub gap: Option<Gap>,
}

/// A refusal of what is not a number to trade with.
fn malformed(actual: f64, limit: f64, unit: &str) -> Violation {
    Violation { rule: "malformed".to_owned(), actual, limit, unit: unit.to_owned() }
}

impl Gap {
    /// The trigger of a stop on `side` that stands this far behind the best price: below it for a sale, never under 0.
    #[must_use]
    pub fn behind(&self, best: Price, side: Side) -> Price {
        let gap = match *self {
            Self::Distance(distance) => distance,
            Self::Fraction(fraction) => best.times(fraction, Rounding::Up),
        };
        match side {
            Side::Buy => Price(best.0 + gap.0),
            Side::Sell => Price((best.0 - gap.0).max(Decimal::ZERO)),
        }
    }
}

impl OrderKind {
    /// The limit price, if there is one.
    #[must_use]
    pub fn limit(&self) -> Option<Price> {
        match *self {
            Self::Limit(limit) | Self::StopLimit { limit, .. } | Self::TakeProfit(limit) => Some(limit),
            Self::Market | Self::StopMarket(_) | Self::TrailingStop { .. } => None,
        }
    }

    /// The price at which the order wakes, where it is fixed.
    #[must_use]
    pub fn trigger(&self) -> Option<Price> {
        match *self {
            Self::StopMarket(trigger) | Self::StopLimit { trigger, .. } | Self::TakeProfit(trigger) => Some(trigger),
            Self::Market | Self::Limit(_) | Self::TrailingStop { .. } => None,
        }
    }
}

/// Reads the numbers of a request and collects what is wrong with them.
struct Reader<'a> {
    rules: &'a Specification,
    side: Side,
    violations: Vec<Violation>,
}

impl Reader<'_> {
    /// A limit price: a buyer's goes down, a seller's up.
    fn limit(&mut self, requested: f64) -> Price {
        self.price(requested, self.side == Side::Sell)
    }

    /// The trigger of a stop: away from the market, so a seller's goes down, a buyer's up.
    fn stop(&mut self, requested: f64, side: Side) -> Price {
        self.price(requested, side == Side::Buy)
    }

    fn price(&mut self, requested: f64, up: bool) -> Price {
        self.rules.price(requested, up).unwrap_or_else(|| {
            self.violations.push(malformed(requested, self.rules.tick.to_f64(), "price"));
            self.rules.tick
        })
    }

    fn gap(&mut self, trail: Trail) -> Gap {
        match trail {
            Trail::Distance(distance) => Gap::Distance(self.price(distance, true)),
            Trail::Percent(percent) => match decimal(percent).filter(|_| percent > 0.0 && percent < 100.0) {
                // Finer than 10⁻¹² of the price is no difference.
                Some(exact) if percent >= 1e-10 => Gap::Fraction((exact / Decimal::ONE_HUNDRED).round_dp(12)),
                _ => {
                    self.violations.push(malformed(percent, 100.0, "percent"));
                    Gap::Fraction(Decimal::ONE)
                }
            },
        }
    }

    fn quantity(&mut self, requested: f64) -> Qty {
        let quantity = self.rules.quantity(requested).filter(|quantity| !quantity.is_zero());
        quantity.unwrap_or_else(|| {
            self.violations.push(malformed(requested, self.rules.lot.to_f64(), "base-currency"));
            self.rules.lot
        })
    }

    fn kind(&mut self, order_type: OrderType) -> OrderKind {
        match order_type {
            OrderType::Market => OrderKind::Market,
            OrderType::Limit(limit) => OrderKind::Limit(self.limit(limit)),
            OrderType::StopMarket(trigger) => OrderKind::StopMarket(self.stop(trigger, self.side)),
            OrderType::StopLimit { trigger, limit } => {
                OrderKind::StopLimit { trigger: self.stop(trigger, self.side), limit: self.limit(limit) }
            }
            OrderType::TrailingStop { trail, activation } => OrderKind::TrailingStop {
                gap: self.gap(trail),
                // Passively: later rather than sooner.
                activation: activation.map(|price| self.limit(price)),
            },
            OrderType::TakeProfit(price) => OrderKind::TakeProfit(self.limit(price)),
        }
    }

    fn protection(&mut self, stop: StopLoss) -> Protection {
        match stop {
            StopLoss::Fixed(price) => Protection::Fixed(self.stop(price, self.side.opposite())),
            StopLoss::Trailing(trail) => Protection::Trailing(self.gap(trail)),
        }
    }

    fn finish<T>(self, read: T) -> Result<T, Vec<Violation>> {
        if self.violations.is_empty() { Ok(read) } else { Err(self.violations) }
    }
}

impl Protection {
    /// The stop-loss of a position that was entered on `side`, in exact numbers.
    ///
    /// # Errors
    /// What is not a number to trade with.
    pub fn read(stop: StopLoss, side: Side, rules: &Specification) -> Result<Self, Vec<Violation>> {
        let mut reader = Reader { rules, side, violations: Vec::new() };
        let protection = reader.protection(stop);
        reader.finish(protection)
    }
}

impl Ticket {
    /// What a request means: numbers on tick and lot as the contract says. `now` is the market time.
    ///
    /// # Errors
    /// Every number that is none to trade with, a time that has passed, and options that contradict each other, each
    /// as a violation of `malformed`.
    pub fn read(request: OrderRequest, rules: &Specification, now: Nanos) -> Result<Self, Vec<Violation>> {
        let OrderRequest { instrument, side, order_type, quantity, time_in_force, .. } = request;
        let mut reader = Reader { rules, side, violations: Vec::new() };
        let kind = reader.kind(order_type);
        let quantity = reader.quantity(quantity);
        let stop_loss = request.stop_loss.map(|stop| reader.protection(stop));
        let take_profit = request.take_profit.map(|price| reader.price(price, side == Side::Buy));
        if let TimeInForce::GoodTillDate(until) = time_in_force
            && until <= now
        {
            reader.violations.push(malformed(until.0 as f64, now.0 as f64, "nanoseconds-until"));
        }
        let at_once = matches!(time_in_force, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill);
        let contradicts = |what: &str| malformed(f64::NAN, f64::NAN, what);
        if request.post_only && !matches!(kind, OrderKind::Limit(_)) {
            reader.violations.push(contradicts("post-only-is-for-limit-orders"));
        }
        if request.post_only && at_once {
            reader.violations.push(contradicts("post-only-rests"));
        }
        if at_once && !matches!(kind, OrderKind::Market | OrderKind::Limit(_)) {
            reader.violations.push(contradicts("immediate-orders-have-no-trigger"));
        }
        if request.reduce_only && (stop_loss.is_some() || take_profit.is_some()) {
            reader.violations.push(contradicts("reduce-only-needs-no-protection"));
        }
        reader.finish(Self {
            instrument,
            side,
            kind,
            quantity,
            time_in_force,
            reduce_only: request.reduce_only,
            post_only: request.post_only,
            stop_loss,
            take_profit,
            origin: OrderOrigin::Submitted,
            parent: None,
            best: None,
            opens: None,
            tag: request.tag,
        })
    }

    /// A market order of the host's making, or that it makes for a strategy.
    #[must_use]
    pub fn market(instrument: InstrumentIndex, side: Side, quantity: Qty, origin: OrderOrigin) -> Self {
        Self {
            instrument,
            side,
            kind: OrderKind::Market,
            quantity,
            time_in_force: TimeInForce::GoodTillCancelled,
            reduce_only: false,
            post_only: false,
            stop_loss: None,
            take_profit: None,
            origin,
            parent: None,
            best: None,
            opens: None,
            tag: String::new(),
        }
    }

    /// A replacement for this order, in exact numbers.
    ///
    /// # Errors
    /// Every number that is none to trade with, and prices that the order does not have.
    pub fn change(&self, replacement: Replacement, rules: &Specification) -> Result<Change, Vec<Violation>> {
        let mut reader = Reader { rules, side: self.side, violations: Vec::new() };
        let quantity = replacement.quantity.map(|quantity| reader.quantity(quantity));
        let limit = replacement.limit.map(|price| {
            if self.kind.limit().is_none() {
                reader.violations.push(malformed(price, f64::NAN, "order-has-no-limit"));
            }
            reader.limit(price)
        });
        let trigger = replacement.trigger.map(|price| match self.kind {
            // The trigger of a take-profit is its limit.
            OrderKind::TakeProfit(_) => reader.limit(price),
            OrderKind::StopMarket(_) | OrderKind::StopLimit { .. } => reader.stop(price, self.side),
            _ => {
                reader.violations.push(malformed(price, f64::NAN, "order-has-no-trigger"));
                reader.stop(price, self.side)
            }
        });
        let gap = replacement.trail.map(|trail| {
            if !matches!(self.kind, OrderKind::TrailingStop { .. }) {
                reader.violations.push(malformed(f64::NAN, f64::NAN, "order-does-not-trail"));
            }
            reader.gap(trail)
        });
        reader.finish(Change { quantity, limit, trigger, gap })
    }

    /// Gives the order another quantity. What is added may open a position; what is taken away would have opened one first.
    pub fn resize(&mut self, quantity: Qty) {
        let more = quantity - self.quantity;
        self.quantity = quantity;
        self.opens = self.opens.map(|opens| opens + more);
        if self.opens.is_some_and(|opens| opens <= Qty::ZERO) {
            self.close_only();
        }
    }

    /// Makes it an order that can only take from a position, without the protection of an entry.
    pub fn close_only(&mut self) {
        self.reduce_only = true;
        (self.opens, self.stop_loss, self.take_profit) = (None, None, None);
    }

    /// The order with a change. Prices that it does not have are left out.
    #[must_use]
    pub fn changed(&self, change: &Change) -> Self {
        let mut changed = self.clone();
        changed.resize(change.quantity.unwrap_or(self.quantity));
        match &mut changed.kind {
            OrderKind::Limit(limit) => *limit = change.limit.unwrap_or(*limit),
            OrderKind::TakeProfit(price) => *price = change.limit.or(change.trigger).unwrap_or(*price),
            OrderKind::StopMarket(trigger) => *trigger = change.trigger.unwrap_or(*trigger),
            OrderKind::StopLimit { trigger, limit } => {
                *trigger = change.trigger.unwrap_or(*trigger);
                *limit = change.limit.unwrap_or(*limit);
            }
            OrderKind::TrailingStop { gap, .. } => *gap = change.gap.unwrap_or(*gap),
            OrderKind::Market => {}
        }
        changed
    }
}

impl OrderType {
    /// The exact kind in the numbers that a strategy sees.
    #[must_use]
    pub fn of(kind: &OrderKind) -> Self {
        match *kind {
            OrderKind::Market => Self::Market,
            OrderKind::Limit(limit) => Self::Limit(limit.to_f64()),
            OrderKind::StopMarket(trigger) => Self::StopMarket(trigger.to_f64()),
            OrderKind::StopLimit { trigger, limit } => {
                Self::StopLimit { trigger: trigger.to_f64(), limit: limit.to_f64() }
            }
            OrderKind::TrailingStop { gap, activation } => Self::TrailingStop {
                trail: match gap {
                    Gap::Distance(distance) => Trail::Distance(distance.to_f64()),
                    Gap::Fraction(fraction) => Trail::Percent(crate::money::to_f64(fraction * Decimal::ONE_HUNDRED)),
                },
                activation: activation.map(Price::to_f64),
            },
            OrderKind::TakeProfit(price) => Self::TakeProfit(price.to_f64()),
        }
    }
}

impl OpenOrder {
    /// What a strategy is told of an order of which this much has filled.
    #[must_use]
    pub fn of(order: OrderId, ticket: &Ticket, filled: Qty) -> Self {
        Self {
            order,
            instrument: ticket.instrument,
            side: ticket.side,
            order_type: OrderType::of(&ticket.kind),
            quantity: ticket.quantity.to_f64(),
            filled: filled.to_f64(),
            origin: ticket.origin,
            parent: ticket.parent,
            tag: ticket.tag.clone(),
        }
    }
}
