use tiltyard_model::{Decimal, Gap, OrderKind, Price, Qty, Side, decimal};

use super::fill_rules::{Entry, FillRules, Ohlc, Outcome, Stage, Trade, reaches_limit, reaches_stop};
use super::levels::at_stop;
use super::{Costs, Working};
use crate::market::Listed;

/// The default profile: where bars leave open what happened, it errs against the strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conservative {
    /// What taking costs.
    pub costs: Costs,
}

/// On the way against an order: stops. It is taken to come first.
const AGAINST: Stage = Stage::First;
/// On the way in its favour: limits and targets.
const FAVOUR: Stage = Stage::Second;

impl Conservative {
    /// At most this share of a bar's volume is ours: a tenth.
    const VOLUME_SHARE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);
}

impl FillRules for Conservative {
    fn name(&self) -> &'static str {
        "conservative"
    }

    fn version(&self) -> u32 {
        1
    }

    fn description(&self) -> &'static str {
        "Market orders trade at the next eligible bar's open plus half-spread, slippage and impact. A stop trades at its \
         trigger, or at the open if the bar opens beyond it, plus costs. A limit order rests until a bar trades through \
         its limit by a tick and then trades at the limit; one that is marketable on arrival is a taker at the open plus \
         costs, never beyond its limit, or is refused if post-only. In the bar of an entry the stop-loss is live at once, \
         the take-profit only if the entry filled at the open; when a bar touches both, the stop-loss trades. At most a \
         tenth of a bar's volume is ours, shared by all orders in the order of their acceptance."
    }

    fn costs(&self) -> &Costs {
        &self.costs
    }

    fn capacity(&self, volume: f64, listed: &Listed) -> Qty {
        let volume = decimal(volume).filter(|volume| *volume > Decimal::ZERO).unwrap_or(Decimal::ZERO);
        listed.rules.whole_lots(Qty(volume * Self::VOLUME_SHARE))
    }

    fn outcome(&self, order: &Working, bar: &Ohlc, listed: &Listed) -> Outcome {
        let side = order.ticket.side;
        match order.ticket.kind {
            OrderKind::Market => Outcome::trade(at_open(bar)),
            OrderKind::Limit(limit) => self.limit(order, limit, bar, listed),
            OrderKind::TakeProfit(limit) => {
                let touched = reaches_limit(side, bar.favour(side), limit);
                Outcome { triggered: touched, ..self.limit(order, limit, bar, listed) }
            }
            OrderKind::StopMarket(_) | OrderKind::TrailingStop { .. } if order.is_triggered() => {
                Outcome::trade(at_open(bar))
            }
            OrderKind::StopMarket(trigger) => at_stop(side, trigger, bar),
            OrderKind::StopLimit { limit, .. } if order.is_triggered() => self.limit(order, limit, bar, listed),
            OrderKind::StopLimit { trigger, limit } => stop_limit(side, trigger, limit, bar, listed),
            OrderKind::TrailingStop { gap, activation } => {
                let trail = Trail { side, gap, listed };
                match (order.best(), activation) {
                    (Some(best), _) => trail.follow(best, bar),
                    (None, None) => trail.follow(bar.open, bar),
                    (None, Some(activation)) => trail.activate(activation, bar),
                }
            }
        }
    }

    fn in_entry_bar(&self, child: &Working, entry: &Entry, bar: &Ohlc, listed: &Listed) -> Outcome {
        let side = child.ticket.side;
        let price = entry.price;
        match (child.ticket.kind, entry.stage) {
            (OrderKind::TrailingStop { gap, .. }, Stage::Open) => Trail { side, gap, listed }.follow(price, bar),
            (OrderKind::TrailingStop { gap, .. }, _) => {
                // The extreme in favour may lie before the entry; the last price does not.
                let trail = Trail { side, gap, listed };
                let trigger = trail.trigger(price);
                if reaches_stop(side, bar.against(side), trigger) {
                    return Outcome::stopped(Trade::take(AGAINST, trigger));
                }
                Outcome::follows(trail.better(price, bar.close))
            }
            (_, Stage::Open) => self.outcome(child, bar, listed),
            (OrderKind::StopMarket(trigger), _) if reaches_stop(side, bar.against(side), trigger) => {
                // The entry may itself have traded beyond the stop: then that is where the market was.
                let at = if reaches_stop(side, price, trigger) { price } else { trigger };
                Outcome::stopped(Trade::take(AGAINST, at))
            }
            _ => Outcome::default(),
        }
    }
}

impl Conservative {
    fn limit(&self, order: &Working, limit: Price, bar: &Ohlc, listed: &Listed) -> Outcome {
        let side = order.ticket.side;
        let marketable = reaches_limit(side, bar.open, limit);
        if marketable && !order.has_arrived() {
            if order.ticket.post_only {
                return Outcome::rejected("post-only");
            }
            return Outcome::trade(Trade { limit: Some(limit), ..at_open(bar) });
        }
        if order.is_immediate() {
            return Outcome::default();
        }
        let through = through(side, limit, listed);
        if !reaches_limit(side, bar.favour(side), through) {
            return Outcome::default();
        }
        let stage = if reaches_limit(side, bar.open, through) { Stage::Open } else { FAVOUR };
        Outcome::trade(Trade::make(stage, limit))
    }
}

/// A taker at the first price.
fn at_open(bar: &Ohlc) -> Trade {
    Trade::take(Stage::Open, bar.open)
}

/// A tick beyond a limit: only there a resting order is sure to have traded.
fn through(side: Side, limit: Price, listed: &Listed) -> Price {
    match side {
        Side::Buy => Price(limit.0 - listed.rules.tick.0),
        Side::Sell => Price(limit.0 + listed.rules.tick.0),
    }
}

fn stop_limit(side: Side, trigger: Price, limit: Price, bar: &Ohlc, listed: &Listed) -> Outcome {
    let rests = |reached: bool| {
        let trade = reached.then_some(Trade::make(FAVOUR, limit));
        Outcome { triggered: true, trade, ..Outcome::default() }
    };
    let takes =
        |stage: Stage, price: Price| Outcome::stopped(Trade { limit: Some(limit), ..Trade::take(stage, price) });
    let through = through(side, limit, listed);
    if reaches_stop(side, bar.open, trigger) {
        if reaches_limit(side, bar.open, limit) {
            return takes(Stage::Open, bar.open);
        }
        // The open came first, so that whatever the bar reached, it reached afterwards.
        return rests(reaches_limit(side, bar.favour(side), through));
    }
    if reaches_stop(side, bar.against(side), trigger) {
        if reaches_limit(side, trigger, limit) {
            return takes(AGAINST, trigger);
        }
        // Of what came after the trigger, only the last price is known.
        return rests(reaches_limit(side, bar.close, through));
    }
    Outcome::default()
}

/// A trailing stop's way through a bar.
struct Trail<'a> {
    side: Side,
    gap: Gap,
    listed: &'a Listed,
}

impl Trail<'_> {
    /// Where the trigger stands behind this best price: on the tick, away from the market.
    fn trigger(&self, best: Price) -> Price {
        self.listed.rules.whole_ticks(self.gap.behind(best, self.side), self.side == Side::Buy)
    }

    /// The better of two prices for the position that the stop protects.
    fn better(&self, left: Price, right: Price) -> Price {
        match self.side {
            Side::Buy => left.min(right),
            Side::Sell => left.max(right),
        }
    }

    /// The open comes first: beyond the trigger it is a gap, otherwise it may move the trigger. Then the bar goes against the
    /// stop; if that does not reach it, the bar's best price moves the trigger, and a last price beyond that has crossed it.
    fn follow(&self, best: Price, bar: &Ohlc) -> Outcome {
        if reaches_stop(self.side, bar.open, self.trigger(best)) {
            return Outcome::stopped(at_open(bar));
        }
        let best = self.better(best, bar.open);
        if reaches_stop(self.side, bar.against(self.side), self.trigger(best)) {
            return self.inside(self.trigger(best));
        }
        self.after(self.better(best, bar.favour(self.side)), bar)
    }

    /// It begins to follow once the market has reached the activation price.
    fn activate(&self, activation: Price, bar: &Ohlc) -> Outcome {
        if reaches_limit(self.side, bar.open, activation) {
            return self.follow(bar.open, bar);
        }
        if !reaches_limit(self.side, bar.favour(self.side), activation) {
            return Outcome::default();
        }
        self.after(bar.favour(self.side), bar)
    }

    /// The best price is known to come before the last one.
    fn after(&self, best: Price, bar: &Ohlc) -> Outcome {
        if reaches_stop(self.side, bar.close, self.trigger(best)) {
            return self.inside(self.trigger(best));
        }
        Outcome::follows(best)
    }

    fn inside(&self, trigger: Price) -> Outcome {
        Outcome::stopped(Trade::take(AGAINST, trigger))
    }
}
