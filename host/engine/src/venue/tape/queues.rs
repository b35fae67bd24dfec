//! Where resting orders stand in the queues at their prices.

use std::collections::{BTreeSet, VecDeque};

use tiltyard_model::tape::Print;
use tiltyard_model::{Nanos, OrderId, OrderKind, Price, Qty, Side};

use super::sight::{Sight, is_better, is_since};
use crate::venue::Working;
use crate::venue::book::Book;

/// How long after a level has been shown smaller a print may still be received that is the reason: a second, five times what was seen.
const PRINT_LAG: Nanos = Nanos(1_000_000_000);

/// The queues of one instrument: the limit orders that rest, in the order of their arrival.
///
/// The model is the cautious one of those in use. What is shown at an order's price when it arrives is ahead of it. Prints there
/// against its side take from what is ahead, then from the order. When less is shown than is ahead, that much is ahead: what is
/// cancelled is taken to have stood behind it as long as that is possible (R. Rigtorp, "Estimating order queue position", 2013, with
/// all cancellations behind; the same is hftbacktest's `RiskAdverseQueueModel`). A print beyond an order's price has passed all that
/// was ahead.
///
/// The venue shows a queue later than it is. What is shown as of the arrival counts as soon as it is received, and before anything is
/// shown that is later than the arrival, nothing trades at the order's price.
///
/// A trade is seen twice, as a print and as a level that became smaller, and in either order. So what a level has lost in the last
/// second is not taken off again when a print tells why.
#[derive(Debug, Clone, Default)]
pub(super) struct Queues {
    places: Vec<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    order: OrderId,
    side: Side,
    price: Price,
    /// Of the order when it joined: one that grows goes to the end.
    quantity: Qty,
    /// A print counts if its trade was later.
    since: Nanos,
    /// What others have ahead of it; `None` as long as the venue has not shown what there was when it arrived, or later.
    ahead: Option<Qty>,
    /// Whether the venue has shown anything here that is later than the arrival. Until then somebody may be ahead who has not been
    /// shown yet, so that prints take from what is ahead and fill nothing.
    is_firm: bool,
    /// What prints have taken since the arrival, until then.
    eaten: Qty,
    /// Only what is shown as of this update of the book, or a later one, says something of what is ahead.
    as_of: Option<u64>,
    /// What was taken off because less was shown, and when.
    lowered: VecDeque<(Nanos, Qty)>,
}

impl Queues {
    /// Brings the queues in line with the orders: those that are no longer there leave, those that have another price or more
    /// quantity go to the end, those that are new join.
    pub(super) fn sync(&mut self, book: &Book, sight: &Sight, now: Nanos) {
        self.places.retain(|place| {
            let order = book.get(place.order).filter(|order| order.arrived);
            order.is_some_and(|order| {
                resting_price(order) == Some(place.price) && order.ticket.quantity <= place.quantity
            })
        });
        let resting = || book.orders().iter().filter(|order| order.arrived && resting_price(order).is_some());
        // Every place that is left has its order, and hardly any event brings another one.
        if resting().count() == self.places.len() {
            return;
        }
        let known: BTreeSet<OrderId> = self.places.iter().map(|place| place.order).collect();
        for order in resting().filter(|order| !known.contains(&order.id)) {
            let Some(price) = resting_price(order) else { continue };
            let (side, as_of) = (order.ticket.side, sight.update());
            let shown = sight.shown(side, price).filter(|shown| is_since(shown.update, as_of));
            self.places.push(Place {
                order: order.id,
                side,
                price,
                quantity: order.ticket.quantity,
                since: now,
                is_firm: false,
                eaten: Qty::ZERO,
                ahead: shown.map(|shown| shown.size),
                as_of,
                lowered: VecDeque::new(),
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The orders and their prices, in the order of their arrival.
    pub(super) fn orders(&self) -> impl Iterator<Item = (OrderId, Side, Price)> + '_ {
        self.places.iter().map(|place| (place.order, place.side, place.price))
    }

    /// The venue shows something new.
    pub(super) fn look(&mut self, sight: &Sight, now: Nanos) {
        for place in &mut self.places {
            let Some(shown) = sight.shown(place.side, place.price) else { continue };
            if !is_since(shown.update, place.as_of) {
                continue;
            }
            place.as_of = shown.update;
            if shown.happened <= place.since {
                // As it was when the order arrived, though received later.
                place.ahead = Some(shown.size - place.eaten.min(shown.size));
                continue;
            }
            place.is_firm = true;
            match &mut place.ahead {
                Some(ahead) if shown.size < *ahead => {
                    place.lowered.push_back((now, *ahead - shown.size));
                    *ahead = shown.size;
                }
                Some(_) => {}
                unknown => *unknown = Some(shown.size),
            }
        }
    }

    /// Others traded, at `happened` by the receiver's clock: which orders would have traded instead, and how much of each.
    pub(super) fn print(&mut self, print: &Print, happened: Nanos, now: Nanos, book: &Book) -> Vec<(OrderId, Qty)> {
        let side = print.aggressor.opposite();
        let remaining = |order: OrderId| book.get(order).map_or(Qty::ZERO, Working::remaining);
        let (mut fills, mut left) = (Vec::new(), print.quantity);
        let mut passed: Vec<&mut Place> = self
            .places
            .iter_mut()
            .filter(|place| place.side == side && place.since < happened && is_better(side, place.price, print.price))
            .collect();
        // The best price first; the sort keeps the order of arrival at each.
        passed.sort_by(|one, other| match side {
            Side::Buy => other.price.cmp(&one.price),
            Side::Sell => one.price.cmp(&other.price),
        });
        for place in passed {
            place.ahead = Some(Qty::ZERO);
            let fill = remaining(place.order).min(left);
            left -= fill;
            fills.push((place.order, fill));
        }
        // What own orders ahead in the same queue have of the print, and whether one of them waits for more.
        let (mut own, mut waits) = (Qty::ZERO, false);
        for place in &mut self.places {
            if place.side != side || place.price != print.price || place.since >= happened {
                continue;
            }
            let reached = left - own.min(left);
            let reached = reached - place.known(reached, now);
            place.eaten += reached;
            let Some(ahead) = &mut place.ahead else {
                waits = true;
                continue;
            };
            let others = reached.min(*ahead);
            *ahead -= others;
            let fill = if waits || !place.is_firm { Qty::ZERO } else { (reached - others).min(remaining(place.order)) };
            own += fill;
            waits |= fill < remaining(place.order);
            fills.push((place.order, fill));
        }
        fills.retain(|(_, fill)| !fill.is_zero());
        fills
    }
}

impl Place {
    /// How much of a print the venue has shown before: of that the order knows.
    fn known(&mut self, printed: Qty, now: Nanos) -> Qty {
        while self.lowered.front().is_some_and(|(when, _)| *when + PRINT_LAG < now) {
            self.lowered.pop_front();
        }
        let mut unknown = printed;
        while let Some((_, lowered)) = self.lowered.front_mut() {
            let part = unknown.min(*lowered);
            *lowered -= part;
            unknown -= part;
            if !lowered.is_zero() {
                break;
            }
            self.lowered.pop_front();
        }
        printed - unknown
    }
}

/// The price at which an order rests, if it is one that rests.
pub(super) fn resting_price(order: &Working) -> Option<Price> {
    match order.ticket.kind {
        OrderKind::Limit(limit) | OrderKind::TakeProfit(limit) => Some(limit),
        OrderKind::StopLimit { limit, .. } => Some(limit).filter(|_| order.is_triggered()),
        OrderKind::Market | OrderKind::StopMarket(_) | OrderKind::TrailingStop { .. } => None,
    }
}
