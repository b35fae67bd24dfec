use tiltyard_model::{Columns, Decimal, OrderKind, Price, Qty, Side, Specification, decimal};

use super::fill_rules::{Depth, Entry, FillRules, Ohlc, Outcome, Stage, Trade, UNLIMITED, reaches_limit, reaches_stop};
use super::{Costs, Working};
use crate::market::Listed;

/// Fills as NautilusTrader 1.231.0 makes them of bars with a venue as it comes, found by running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NautilusBar {
    /// What taking costs.
    pub costs: Costs,
}

/// A price that a bar takes the market to, and what there is at it.
#[derive(Debug, Clone, Copy)]
struct Point {
    stage: Stage,
    price: Price,
    size: Qty,
}

impl FillRules for NautilusBar {
    fn name(&self) -> &'static str {
        "nautilus-bar"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "As NautilusTrader 1.231.0 on bars, with a venue as it comes. A bar goes from open to high to low to close; a price that does \
         not move the last one is left out. At open, high and low there is a quarter of the bar's volume, at the close the rest. \
         Market orders, and limit orders that are beyond the market, trade at the close at which they were decided: what there is, \
         the rest a tick worse. A limit order that is reached trades at its limit, never better: what there is, or all of it if the \
         price goes beyond. A stop trades at its trigger, or at the open if that is beyond: what there is, the rest a tick worse. \
         Stop-losses and take-profits are live at the prices after the entry. A stop that the market is beyond is refused."
    }

    fn costs(&self) -> &Costs {
        &self.costs
    }

    fn capacity(&self, _: f64, _: &Listed) -> Qty {
        UNLIMITED
    }

    fn outcome(&self, order: &Working, bar: &Ohlc, listed: &Listed) -> Outcome {
        walk(order, order.best(), &points(bar, listed), &listed.rules)
    }

    fn in_entry_bar(&self, child: &Working, entry: &Entry, bar: &Ohlc, listed: &Listed) -> Outcome {
        let after: Vec<Point> = points(bar, listed).into_iter().filter(|point| point.stage > entry.stage).collect();
        walk(child, Some(entry.price), &after, &listed.rules)
    }

    /// A bar goes to its high first.
    fn adverse(&self, exit: Side) -> Stage {
        match exit {
            Side::Buy => Stage::First,
            Side::Sell => Stage::Second,
        }
    }

    fn knows_the_way(&self) -> bool {
        true
    }

    fn trades_at_close(&self) -> bool {
        true
    }

    fn at_close(&self, order: &Working, listed: &Listed, _: bool) -> Outcome {
        let Some(price) = listed.last() else { return Outcome::default() };
        let side = order.ticket.side;
        let mut point = Point { stage: Stage::Close, price, size: standing(listed.bars(), &listed.rules) };
        if order.ticket.kind.limit() == Some(price) {
            // It trades on arrival, and once more when the venue settles after the commands of the close.
            point.size += point.size;
        }
        let at_market = |limit| take(point, price, side, limit, &listed.rules);
        match order.ticket.kind {
            OrderKind::Market => Outcome::trade(at_market(None)),
            OrderKind::Limit(limit) | OrderKind::TakeProfit(limit) if reaches_limit(side, price, limit) => {
                if order.ticket.post_only {
                    return Outcome::rejected("post-only");
                }
                Outcome::trade(at_market(Some(limit)))
            }
            OrderKind::StopMarket(trigger) | OrderKind::StopLimit { trigger, .. }
                if reaches_stop(side, price, trigger) =>
            {
                Outcome::rejected("stop-in-the-market")
            }
            OrderKind::TrailingStop { activation: None, .. } => Outcome::follows(order.best().unwrap_or(price)),
            _ => Outcome::default(),
        }
    }
}

/// What a part of a bar does to an order.
fn walk(order: &Working, best: Option<Price>, points: &[Point], rules: &Specification) -> Outcome {
    let side = order.ticket.side;
    let (mut best, mut triggered) = (best, order.is_triggered());
    for point in points {
        // At the open the market is where it is; later it passes every price on its way.
        let met = |level: Price| if point.stage == Stage::Open { point.price } else { level };
        let trade = match order.ticket.kind {
            OrderKind::Market => Some(take(*point, point.price, side, None, rules)),
            OrderKind::Limit(limit) | OrderKind::TakeProfit(limit) => rest(*point, side, limit),
            OrderKind::StopMarket(trigger) => {
                reaches_stop(side, point.price, trigger).then(|| take(*point, met(trigger), side, None, rules))
            }
            OrderKind::StopLimit { limit, .. } if triggered => rest(*point, side, limit),
            OrderKind::StopLimit { trigger, limit } => {
                triggered = reaches_stop(side, point.price, trigger);
                let market = met(trigger);
                (triggered && reaches_limit(side, market, limit))
                    .then(|| take(*point, market, side, Some(limit), rules))
            }
            OrderKind::TrailingStop { gap, activation } => {
                best = best.or_else(|| {
                    activation
                        .is_none_or(|activation| reaches_limit(side, point.price, activation))
                        .then_some(point.price)
                });
                let level = best.map(|best| rules.whole_ticks(gap.behind(best, side), side == Side::Buy));
                let stopped = level.filter(|level| reaches_stop(side, point.price, *level));
                best = best.map(|best| if side == Side::Buy { best.min(point.price) } else { best.max(point.price) });
                stopped.map(|level| take(*point, met(level), side, None, rules))
            }
        };
        if trade.is_some() {
            let is_stop =
                order.ticket.kind.trigger().is_some() || matches!(order.ticket.kind, OrderKind::TrailingStop { .. });
            return Outcome { triggered: is_stop, trade, ..Outcome::default() };
        }
    }
    let best = best.filter(|_| matches!(order.ticket.kind, OrderKind::TrailingStop { .. }));
    Outcome { triggered, best, ..Outcome::default() }
}

/// A taker gets what there is at a price and the rest a tick worse, but never beyond its limit.
fn take(point: Point, price: Price, side: Side, limit: Option<Price>, rules: &Specification) -> Trade {
    let worse = match side {
        Side::Buy => Price(price.0 + rules.tick.0),
        Side::Sell => Price((price.0 - rules.tick.0).max(Decimal::ZERO)),
    };
    let beyond = Some(worse).filter(|worse| limit.is_none_or(|limit| reaches_limit(side, *worse, limit)));
    Trade { limit, depth: Some(Depth { size: point.size, beyond }), ..Trade::take(point.stage, price) }
}

/// An order that rests trades at its limit: what there is, and all of it if the price goes beyond.
fn rest(point: Point, side: Side, limit: Price) -> Option<Trade> {
    let beyond = (point.price != limit).then_some(limit);
    let depth = Some(Depth { size: point.size, beyond });
    reaches_limit(side, point.price, limit).then(|| Trade { depth, ..Trade::make(point.stage, limit) })
}

/// The prices that a bar takes the market to. `listed` has seen the bars before it.
fn points(bar: &Ohlc, listed: &Listed) -> Vec<Point> {
    moves(bar, listed.last(), &listed.rules).collect()
}

/// The prices of a bar that move the last one.
fn moves(bar: &Ohlc, last: Option<Price>, rules: &Specification) -> impl Iterator<Item = Point> + use<> {
    let quarter = rules.whole_lots(Qty(bar.volume.0 / Decimal::from(4))).max(rules.lot);
    let rest = rules.whole_lots(bar.volume - quarter - quarter - quarter).max(rules.lot);
    let opens = (last != Some(bar.open)).then_some((Stage::Open, bar.open, quarter));
    let rises = (bar.high > bar.open).then_some((Stage::First, bar.high, quarter));
    let falls = (bar.low < bar.high.max(bar.open)).then_some((Stage::Second, bar.low, quarter));
    let closes = (bar.close != bar.low).then_some((Stage::Close, bar.close, rest));
    [opens, rises, falls, closes].into_iter().flatten().map(|(stage, price, size)| Point { stage, price, size })
}

/// What there is at the last price: what came with the last move, however many bars ago.
fn standing(bars: &Columns, rules: &Specification) -> Qty {
    let price = |value: f64| decimal(value).map(Price);
    (0..bars.len())
        .rev()
        .find_map(|at| {
            let bar = Ohlc::exact(&bars.get(at)?)?;
            let last = at.checked_sub(1).and_then(|before| price(bars.close()[before]));
            moves(&bar, last, rules).last().map(|point| point.size)
        })
        .unwrap_or(rules.lot)
}
