use serde::{Deserialize, Serialize};
use tiltyard_model::{
    Decimal, Gap, OrderKind, Price, Protection, Qty, Specification, Ticket, TimeInForce, Violation, to_f64,
};

use super::{Asked, Rule, Setting, bounds, violation};
use crate::{Fraction, Limits, Permission, Proposal, Situation};

/// `missing-stop`: an order that opens or adds must carry a stop-loss, its own or the one that the manifest asks the host to
/// keep; and a stop may be taken away only where another one still protects the whole position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingStop {
    /// Whether it must.
    pub required: bool,
}

impl Default for MissingStop {
    fn default() -> Self {
        Self { required: true }
    }
}

impl Rule for MissingStop {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        let missing = self.required && asked.adds() && asked.proposal.ticket.stop_loss.is_none();
        missing.then(|| violation("missing-stop", f64::NAN, f64::NAN, "stop-loss"))
    }
}

impl Setting for MissingStop {
    fn is_looser_than(&self, other: &Self) -> bool {
        other.required && !self.required
    }
}

/// `invalid-stop`: how far the stop-loss of an order may be from its entry, as a fraction of the entry's price. A distance that
/// is far from what the market's range suggests is a warning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvalidStop {
    /// At least.
    pub least: Fraction,
    /// At most.
    pub most: Fraction,
    /// The distance that the market's range suggests, in average true ranges.
    pub atr_multiple: Fraction,
    /// Bars of that average.
    pub atr_bars: u32,
    /// A warning is due when the distance is further than this from what is suggested.
    pub warn_beyond: Fraction,
}

impl Default for InvalidStop {
    fn default() -> Self {
        Self {
            least: Fraction::bps(50),
            most: Fraction::bps(500),
            atr_multiple: Fraction::bps(15_000),
            atr_bars: 14,
            warn_beyond: Fraction::bps(50),
        }
    }
}

impl InvalidStop {
    /// The distance nearest to this one that is allowed, on the tick. `None` where no tick is within the limits.
    #[must_use]
    pub fn within(&self, distance: Price, entry: Price, rules: &Specification) -> Option<Price> {
        let least = rules.whole_ticks(Price(self.least.exact() * entry.0), true);
        let most = rules.whole_ticks(Price(self.most.exact() * entry.0), false);
        (least <= most).then(|| distance.max(least).min(most))
    }

    /// What is worth a warning: a stop that is far from what the market's range suggests.
    pub(crate) fn warning(&self, asked: &Asked<'_>) -> Option<Violation> {
        let (entry, distance) = stop_distance(asked.proposal.ticket, asked.situation.mark)?;
        let range = asked.situation.range?;
        let (actual, entry) = (to_f64(distance) / to_f64(entry.0), to_f64(entry.0));
        let suggested = self.atr_multiple.to_f64() * range / entry;
        let away = (actual - suggested).abs();
        (asked.adds() && away > self.warn_beyond.to_f64())
            .then(|| violation("invalid-stop", actual, suggested, "fraction-of-entry-suggested"))
    }
}

impl Rule for InvalidStop {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        asked.proposal.ticket.stop_loss.filter(|_| asked.adds())?;
        let Some((entry, distance)) = stop_distance(asked.proposal.ticket, asked.situation.mark) else {
            return Some(violation("invalid-stop", f64::NAN, self.most.to_f64(), "fraction-of-entry"));
        };
        let broken = if distance < self.least.exact() * entry.0 {
            self.least
        } else if distance > self.most.exact() * entry.0 {
            self.most
        } else {
            return None;
        };
        Some(violation("invalid-stop", to_f64(distance) / to_f64(entry.0), broken.to_f64(), "fraction-of-entry"))
    }
}

impl Setting for InvalidStop {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let order = (self.least > self.most)
            .then(|| ("least", format!("is {}, which is more than most, {}", self.least, self.most)));
        let bars = (!(1..=10_000).contains(&self.atr_bars))
            .then(|| ("atr_bars", format!("is {}; it takes 1 to 10000", self.atr_bars)));
        [
            bounds("least", self.least, 0.0, 1.0),
            bounds("most", self.most, 0.0001, 1.0),
            bounds("atr_multiple", self.atr_multiple, 0.0, 100.0),
            bounds("warn_beyond", self.warn_beyond, 0.0, 1.0),
            order,
            bars,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.least < other.least || self.most > other.most
    }
}

impl Limits {
    /// What speaks against taking back `stop`, an order that protects a position, or changing it to `instead`; nothing where no stop
    /// is required. Taking it back, making it smaller and moving it away are new risk: other stops must protect what it leaves, new
    /// risk must be allowed, and the stop must stay within its limits. Moving it nearer is none. What protects is a reduce-only stop
    /// without an end or a condition, and a market order that closes. The stop itself is not among the situation's standing orders.
    #[must_use]
    pub fn judge_unprotecting(
        &self,
        stop: &Ticket,
        instead: Option<&Proposal<'_>>,
        situation: &Situation<'_>,
    ) -> Vec<Violation> {
        let required = self.missing_stop.as_ref().is_some_and(|rule| rule.required);
        let held = (-stop.side.signed(situation.position)).0.max(Decimal::ZERO);
        if !required || !protects(stop) || held.is_zero() {
            return Vec::new();
        }
        let Some((mark, old)) = situation.mark.and_then(|mark| Some((mark, distance_from(mark, stop.kind)?))) else {
            return vec![violation("stale-data", f64::NAN, f64::NAN, "")];
        };
        let takes_risk = situation.permission == Permission::All && situation.account.guard.takes_risk();
        let most = self.invalid_stop.as_ref().map(|rule| (rule.most, rule.most.exact() * mark.0));
        let near = |ticket: &Ticket| {
            distance_from(mark, ticket.kind)
                .is_some_and(|distance| distance <= old || takes_risk && most.is_none_or(|(_, most)| distance <= most))
        };
        let others = situation.standing.iter().filter(|order| {
            let protects = order.ticket.side == stop.side && protects(order.ticket) && near(order.ticket);
            order.own && !order.leaving && protects
        });
        let left: Qty = others.map(|order| order.remaining).sum();
        let left = left + instead.filter(|new| protects(new.ticket)).map_or(Qty::ZERO, Proposal::remaining);
        let mut violations = Vec::new();
        if left.0 < held {
            violations.push(violation("missing-stop", left.to_f64(), to_f64(held), "base-currency-protected"));
        }
        let Some(new) = instead.and_then(|new| distance_from(mark, new.ticket.kind)).filter(|new| *new > old) else {
            return violations;
        };
        if !takes_risk {
            violations.push(violation("trading-state", f64::NAN, f64::NAN, "stop-moved-away"));
        }
        if let Some((limit, _)) = most.filter(|(_, most)| new > *most) {
            violations.push(violation("invalid-stop", to_f64(new) / mark.to_f64(), limit.to_f64(), "fraction-of-mark"));
        }
        violations
    }
}

/// Whether an order is sure to close a position before it has lost much more. A stop-limit is not: it may be left behind.
fn protects(ticket: &Ticket) -> bool {
    let sure = match ticket.kind {
        OrderKind::Market | OrderKind::StopMarket(_) | OrderKind::TrailingStop { activation: None, .. } => true,
        OrderKind::TrailingStop { .. }
        | OrderKind::StopLimit { .. }
        | OrderKind::Limit(_)
        | OrderKind::TakeProfit(_) => false,
    };
    sure && ticket.reduce_only && ticket.time_in_force == TimeInForce::GoodTillCancelled
}

/// How far from the mark an order closes at the latest.
fn distance_from(mark: Price, kind: OrderKind) -> Option<Decimal> {
    match kind {
        OrderKind::Market => Some(Decimal::ZERO),
        OrderKind::StopMarket(trigger) | OrderKind::StopLimit { trigger, .. } => Some((mark.0 - trigger.0).abs()),
        OrderKind::TrailingStop { gap: Gap::Distance(distance), .. } => Some(distance.0),
        OrderKind::TrailingStop { gap: Gap::Fraction(fraction), .. } => Some(fraction * mark.0),
        OrderKind::Limit(_) | OrderKind::TakeProfit(_) => None,
    }
}

/// Where an order enters, and how far from there its stop-loss is. `None` without a stop-loss or a price.
fn stop_distance(ticket: &Ticket, mark: Option<Price>) -> Option<(Price, Decimal)> {
    let entry = ticket.kind.limit().or(ticket.kind.trigger()).or(mark).filter(|entry| entry.0 > Decimal::ZERO)?;
    let distance = match ticket.stop_loss? {
        Protection::Fixed(stop) => (entry.0 - stop.0).abs(),
        Protection::Behind(distance) | Protection::Trailing(Gap::Distance(distance)) => distance.0,
        Protection::Trailing(Gap::Fraction(fraction)) => fraction * entry.0,
    };
    Some((entry, distance))
}

#[cfg(test)]
mod tests {
    use super::{InvalidStop, MissingStop};
    use crate::rules::testing::{Case, buy, dec, judged, limit_buy, reduce, sell, warned};
    use crate::{Limits, Permission, Proposal};
    use tiltyard_model::{Gap, Nanos, OrderKind, Price, Protection, Qty, Ticket, TimeInForce};

    fn stopped(ticket: Ticket, stop: Protection) -> Ticket {
        Ticket { stop_loss: Some(stop), ..ticket }
    }

    fn fixed(price: &str) -> Protection {
        Protection::Fixed(Price(dec(price)))
    }

    #[test]
    fn an_order_that_opens_or_adds_carries_a_stop() {
        let case = Case::perpetual();
        assert_eq!(judged(&MissingStop::default(), &case, &buy("1")).unwrap().rule, "missing-stop");
        assert_eq!(judged(&MissingStop::default(), &case, &stopped(buy("1"), fixed("98"))), None);
        let held = Case::perpetual().position("2");
        assert!(judged(&MissingStop::default(), &held, &buy("0.001")).is_some(), "adds");
        assert_eq!(judged(&MissingStop::default(), &held, &sell("2")), None, "reduces");
        assert!(judged(&MissingStop::default(), &held, &sell("2.001")).is_some(), "turns round");
    }

    #[test]
    fn a_stop_is_between_half_a_percent_and_5_percent_away() {
        let case = Case::perpetual();
        for (stop, limit) in [
            ("99.51", Some(0.005)),
            ("99.5", None),
            ("99.49", None),
            ("95.01", None),
            ("95", None),
            ("94.99", Some(0.05)),
        ] {
            let broken = judged(&InvalidStop::default(), &case, &stopped(buy("1"), fixed(stop)));
            assert_eq!(broken.as_ref().map(|broken| broken.limit), limit, "{stop}");
        }
        for (stop, limit) in [("100.49", Some(0.005)), ("100.5", None), ("105", None), ("105.01", Some(0.05))] {
            let broken = judged(&InvalidStop::default(), &case, &stopped(sell("1"), fixed(stop)));
            assert_eq!(broken.as_ref().map(|broken| broken.limit), limit, "{stop}");
        }
    }

    #[test]
    fn the_distance_is_measured_from_where_the_order_enters() {
        let case = Case::perpetual();
        let entry = |stop| stopped(limit_buy("1", "96"), fixed(stop));
        assert_eq!(judged(&InvalidStop::default(), &case, &entry("91.2")), None);
        assert!(judged(&InvalidStop::default(), &case, &entry("91.19")).is_some());
        for (stop, passes) in [
            (Protection::Trailing(Gap::Fraction(dec("0.05"))), true),
            (Protection::Trailing(Gap::Fraction(dec("0.0501"))), false),
            (Protection::Trailing(Gap::Distance(Price(dec("0.5")))), true),
            (Protection::Behind(Price(dec("0.49"))), false),
        ] {
            let broken = judged(&InvalidStop::default(), &case, &stopped(buy("1"), stop));
            assert_eq!(broken.is_none(), passes, "{stop:?}");
        }
    }

    #[test]
    fn a_stop_more_than_half_a_point_from_one_and_a_half_ranges_is_a_warning() {
        // A range of 1 suggests 1.5 %.
        let case = Case::perpetual().range(1.0);
        for (stop, warns) in [("97.99", true), ("98.01", false), ("98.5", false), ("98.99", false), ("99.01", true)] {
            let ticket = stopped(buy("1"), fixed(stop));
            assert_eq!(warned(&case, &ticket).iter().any(|warning| warning.rule == "invalid-stop"), warns, "{stop}");
        }
        assert!(warned(&Case::perpetual(), &stopped(buy("1"), fixed("98"))).is_empty(), "no range is known yet");
    }

    #[test]
    fn a_stop_of_the_hosts_is_brought_within_the_limits() {
        let rules = Case::perpetual().rules;
        let within = |distance| InvalidStop::default().within(Price(dec(distance)), Price(dec("100.01")), &rules);
        assert_eq!(within("0.1"), Some(Price(dec("0.51"))), "on the tick above half a percent");
        assert_eq!(within("3"), Some(Price(dec("3"))));
        assert_eq!(within("9"), Some(Price(dec("5"))), "on the tick below 5 percent");
        assert_eq!(InvalidStop::default().within(Price(dec("1")), Price(dec("0.05")), &rules), None);
    }

    fn stop(quantity: &str, trigger: &str) -> Ticket {
        Ticket { kind: OrderKind::StopMarket(Price(dec(trigger))), ..reduce(sell(quantity)) }
    }

    fn unprotecting(case: &Case, old: &Ticket, new: Option<&Ticket>) -> Vec<String> {
        let new = new.map(|ticket| Proposal { ticket, filled: Qty::ZERO });
        let limits = Limits {
            missing_stop: Some(MissingStop::default()),
            invalid_stop: Some(InvalidStop::default()),
            ..Limits::default()
        };
        let violations = case.situation(|situation| limits.judge_unprotecting(old, new.as_ref(), situation));
        violations.into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn a_stop_is_cancelled_only_where_another_protects_the_whole_position() {
        let held = Case::perpetual().position("2");
        assert_eq!(unprotecting(&held, &stop("2", "98"), None), ["missing-stop"]);
        assert!(unprotecting(&held.clone().open(stop("2", "97")), &stop("2", "98"), None).is_empty());
        assert_eq!(unprotecting(&held.clone().open(stop("1.999", "97")), &stop("2", "98"), None), ["missing-stop"]);
        assert!(unprotecting(&Case::perpetual(), &stop("2", "98"), None).is_empty(), "nothing is held");
        for decoy in [
            stop("2", "50"),
            Ticket { time_in_force: TimeInForce::GoodTillDate(Nanos(9)), ..stop("2", "98") },
            Ticket {
                kind: OrderKind::StopLimit { trigger: Price(dec("98")), limit: Price(dec("98")) },
                ..stop("2", "98")
            },
            Ticket {
                kind: OrderKind::TrailingStop {
                    gap: Gap::Distance(Price(dec("1"))),
                    activation: Some(Price(dec("500"))),
                },
                ..stop("2", "98")
            },
        ] {
            let case = held.clone().open(decoy.clone());
            assert_eq!(unprotecting(&case, &stop("2", "98"), None), ["missing-stop"], "{decoy:?}");
        }
        assert_eq!(unprotecting(&held, &reduce(sell("2")), None), ["missing-stop"], "an exit that is under way");
        let entry = Ticket { kind: OrderKind::StopMarket(Price(dec("102"))), ..buy("1") };
        assert!(unprotecting(&Case::perpetual().position("2"), &entry, None).is_empty(), "an entry");
    }

    #[test]
    fn a_stop_moves_nearer_at_any_time_and_away_only_as_new_risk() {
        let held = Case::perpetual().position("2");
        let to = |case: &Case, trigger| unprotecting(case, &stop("2", "97"), Some(&stop("2", trigger)));
        assert!(to(&held, "99").is_empty() && to(&held, "96").is_empty() && to(&held, "95").is_empty());
        assert_eq!(to(&held, "94.99"), ["invalid-stop"]);
        let reducing = Case { permission: Permission::Reduce, ..held.clone() };
        assert!(to(&reducing, "98").is_empty());
        assert_eq!(to(&reducing, "96.99"), ["trading-state"]);
        assert_eq!(unprotecting(&held, &stop("2", "97"), Some(&stop("1", "98"))), ["missing-stop"], "half is bare");
        assert_eq!(to(&Case { mark: None, ..held }, "98"), ["stale-data"]);
    }
}
