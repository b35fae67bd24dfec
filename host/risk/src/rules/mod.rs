//! The rules that an order is held to, each with its limit: one type a rule, named as its violations are.

mod always;
mod collar;
mod concentration;
mod guarded;
mod leverage;
mod notional;
mod rate;
mod stale;
mod stop;
#[cfg(test)]
pub(crate) mod testing;

use serde::{Deserialize, Serialize};
use tiltyard_model::{Money, Price, Qty, Ticket, Violation};

pub(crate) use always::{ALWAYS_ON, changes_under_way, open_orders};
pub use collar::PriceCollar;
pub use concentration::Concentration;
pub(crate) use guarded::{circuit_breaker, clock, daily_loss, lifecycle_share};
pub use leverage::{LeverageGross, LeverageSymbol};
pub use notional::{NotionalGross, NotionalSymbol};
pub use rate::{RateLimit, RecentOrders};
pub use stale::StaleData;
pub use stop::{InvalidStop, MissingStop};

use crate::check::{Proposal, Situation, counting_price};
use crate::exposure::{BEYOND, Exposure, Open};

/// What becomes of an order that is larger than a limit allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBreach {
    /// It is refused.
    #[default]
    Refuse,
    /// It is made as small as the limit allows, which is noted.
    Reduce,
}

impl OnBreach {
    fn is_default(&self) -> bool {
        *self == Self::Refuse
    }
}

/// An order as the rules of exposure look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) proposal: &'a Proposal<'a>,
    pub(crate) situation: &'a Situation<'a>,
    /// What the strategy holds and has under way in the instrument.
    open: Open,
    /// What that could come to without the order.
    before: Exposure,
    /// And with it.
    pub(crate) after: Exposure,
    /// What is at stake elsewhere.
    pub(crate) elsewhere: Elsewhere,
}

/// What is at stake in all but the strategy's own position in the order's instrument. Stakes of several strategies do not net: any of
/// them may leave first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Elsewhere {
    /// Of the account.
    pub(crate) all: Money,
    /// Of the strategy, in other instruments.
    pub(crate) own: Money,
    /// Of other strategies, in the same instrument.
    pub(crate) here: Money,
}

impl Elsewhere {
    fn of(situation: &Situation<'_>) -> Self {
        let mut sums = Self::default();
        for stake in situation.account.stakes_elsewhere(situation) {
            let gross = stake.exposure.gross();
            sums.all += gross;
            if stake.strategy == situation.strategy {
                sums.own += gross;
            } else if stake.instrument == situation.instrument {
                sums.here += gross;
            }
        }
        sums
    }
}

impl<'a> Asked<'a> {
    pub(crate) fn new(proposal: &'a Proposal<'a>, situation: &'a Situation<'a>) -> Self {
        let open = situation.open();
        let before = open.exposure();
        let ticket = proposal.ticket;
        let with = |price| open.with(ticket.side, proposal.opening(), price).exposure();
        let after = match situation.price_of(ticket) {
            _ if ticket.reduce_only => before,
            Some(price) => with(price),
            None => Exposure { long: Money(BEYOND), short: Money(BEYOND) },
        };
        Self { proposal, situation, open, before, after, elsewhere: Elsewhere::of(situation) }
    }

    /// Whether it may open a position or add to one, by itself or with what is under way.
    pub(crate) fn adds(&self) -> bool {
        self.at_stake() > self.before.towards(self.proposal.ticket.side)
    }

    /// The quantity with which at most so much is at stake on the order's side, in whole lots; `None` if that is none at all.
    pub(crate) fn fitting(&self, most: Money) -> Option<Qty> {
        let ticket = self.proposal.ticket;
        let (price, rules) = (self.situation.price_of(ticket)?, self.situation.rules);
        let opening = self.proposal.opening();
        let room = self.open.room(ticket.side, price, most).min(opening);
        let mut lots = rules.whole_lots(room);
        // What it is worth is rounded up.
        if !lots.is_zero() && self.open.with(ticket.side, lots, price).exposure().towards(ticket.side) > most {
            lots -= rules.lot;
        }
        let fits = self.proposal.remaining() - opening + lots;
        (fits > Qty::ZERO).then(|| fits + self.proposal.filled)
    }

    /// What could be at stake on the order's side with it. The other side is as it was.
    pub(crate) fn at_stake(&self) -> Money {
        self.after.towards(self.proposal.ticket.side)
    }
}

/// A rule of the profile.
pub(crate) trait Rule {
    /// What an order breaks of it.
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation>;

    /// For a rule of exposure that makes orders smaller: how much may be at stake on the order's side, in settlement currency.
    fn room(&self, _: &Asked<'_>) -> Option<Money> {
        None
    }
}

/// A limit as it is configured.
pub(crate) trait Setting {
    /// What is wrong with it, each with the field it is about.
    fn problems(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether it lets anything pass that the other would not.
    fn is_looser_than(&self, other: &Self) -> bool;
}

pub(crate) fn violation(rule: &str, actual: f64, limit: f64, unit: &str) -> Violation {
    Violation { rule: rule.to_owned(), actual, limit, unit: unit.to_owned() }
}

/// `part ÷ whole`; infinite where there is nothing to divide by.
pub(crate) fn ratio(part: Money, whole: Money) -> f64 {
    if whole <= Money::ZERO { f64::INFINITY } else { part.to_f64() / whole.to_f64() }
}

/// A problem with a field that takes numbers from one to another.
pub(crate) fn bounds(
    field: &'static str,
    value: crate::Fraction,
    least: f64,
    most: f64,
) -> Option<(&'static str, String)> {
    let value = value.to_f64();
    (!(least..=most).contains(&value)).then(|| (field, format!("is {value}; it takes {least} to {most}")))
}

impl Situation<'_> {
    /// The price at which an order that may open something counts; `None` if it cannot be said.
    pub(crate) fn price_of(&self, ticket: &Ticket) -> Option<Price> {
        counting_price(ticket, self.mark, self.cost)
    }

    /// What the strategy holds and has under way in the instrument.
    fn open(&self) -> Open {
        let own = self.standing.iter().filter(|order| order.own);
        own.fold(Open::position(self.kind, self.value), |open, order| {
            open.and(order.ticket, order.opening, self.mark, self.cost)
        })
    }
}
