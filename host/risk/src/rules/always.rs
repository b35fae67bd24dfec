//! The rules that are always on, in every profile.

use tiltyard_model::{Decimal, InstrumentKind, Money, OrderKind, Qty, Rounding, Side, Violation, notional, to_f64};

use super::violation;
use crate::Permission;
use crate::check::{Proposal, Situation, Standing, paid};

/// A rule: what an order breaks, if it does.
type Rule = fn(&Proposal<'_>, &Situation<'_>) -> Option<Violation>;

/// In the order in which violations are listed. Numbers that are none (`malformed`) and instruments that are none
/// (`unknown-instrument`) never get this far: they are refused where a request is read.
pub(crate) const ALWAYS_ON: [Rule; 9] = [
    trading_state,
    stale_data,
    below_minimum,
    insufficient_funds,
    insufficient_margin,
    position_limit,
    duplicate_order,
    reduce_only,
    self_cross,
];

/// Most open orders of a strategy in one instrument, as large venues have it.
const OPEN_ORDERS: usize = 200;
/// Changes that one order, or the stop or exit of one position, may have on their way to the venue.
const CHANGES_UNDER_WAY: usize = 20;

/// The account or the strategy is not active: while reducing, only what takes from a position may pass.
fn trading_state(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    let allowed = match situation.permission {
        Permission::All => true,
        Permission::Reduce => reduces(proposal, situation),
        Permission::Nothing => false,
    };
    (!allowed).then(|| violation("trading-state", f64::NAN, f64::NAN, ""))
}

/// Whether an order can only take from the position, whatever else fills first.
fn reduces(proposal: &Proposal<'_>, situation: &Situation<'_>) -> bool {
    let side = proposal.ticket.side;
    let against = side.signed(situation.position).0 < Decimal::ZERO;
    // On spot nothing can be turned round; on margin what only closes is reduce-only.
    let spot = situation.kind == InstrumentKind::Spot;
    let room = situation.position.abs() - situation.opening(side);
    against && (proposal.ticket.reduce_only || spot && proposal.remaining() <= room)
}

/// There is no price to judge the order by.
fn stale_data(_: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    situation.mark.is_none().then(|| violation("stale-data", f64::NAN, f64::NAN, ""))
}

/// More orders than a venue takes, when the strategy has this many open in the instrument.
pub(crate) fn open_orders(own: usize) -> Option<Violation> {
    (own >= OPEN_ORDERS).then(|| violation("open-orders", own as f64 + 1.0, OPEN_ORDERS as f64, "orders"))
}

/// More changes than may be on their way at one time.
pub(crate) fn changes_under_way(sent: usize) -> Option<Violation> {
    (sent >= CHANGES_UNDER_WAY)
        .then(|| violation("changes-under-way", sent as f64 + 1.0, CHANGES_UNDER_WAY as f64, "changes"))
}

/// Worth less than the venue takes. What only takes from a position may be of any size, so that it can be closed.
fn below_minimum(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    let least = situation.rules.min_notional;
    if proposal.ticket.reduce_only || least == Money::ZERO {
        return None;
    }
    // At the price the order names; at the mark where it names none.
    let price = proposal.ticket.kind.limit().or(proposal.ticket.kind.trigger()).or(situation.mark)?;
    let worth = notional(price, proposal.ticket.quantity, Rounding::Down)?;
    (worth < least).then(|| violation("below-minimum", worth.to_f64(), least.to_f64(), "quote-currency"))
}

/// A spot order that the strategy's cash does not pay for, or a sale of more than it holds: nothing is lent.
fn insufficient_funds(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    if situation.kind != InstrumentKind::Spot || proposal.ticket.reduce_only {
        return None;
    }
    match proposal.ticket.side {
        Side::Buy => {
            let price = situation.worst_price(proposal.ticket)?;
            let free = situation.free;
            let Some(needed) = paid(price, proposal.remaining(), situation.rules) else {
                let about = price.to_f64() * proposal.remaining().to_f64();
                return Some(violation("insufficient-funds", about, free.to_f64(), "quote-currency"));
            };
            (needed > free).then(|| violation("insufficient-funds", needed.to_f64(), free.to_f64(), "quote-currency"))
        }
        Side::Sell => {
            let held = Qty((situation.position - situation.opening(Side::Sell)).0.max(Decimal::ZERO));
            let wanted = proposal.remaining();
            (wanted > held).then(|| violation("insufficient-funds", wanted.to_f64(), held.to_f64(), "base-currency"))
        }
    }
}

/// A position on margin, with all that is under way, that needs more margin than there is equity for.
fn insufficient_margin(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    if !situation.kind.is_margined() || proposal.ticket.reduce_only {
        return None;
    }
    let price = situation.worst_price(proposal.ticket)?.max(situation.mark?);
    let after = largest_with(proposal, situation);
    let free = situation.free;
    let margin = |value: Money| value.0 / situation.rules.max_leverage;
    let needed = paid(price, after, situation.rules).map(margin);
    let about = || price.to_f64() * after.to_f64() / to_f64(situation.rules.max_leverage);
    needed
        .is_none_or(|needed| needed > free.0)
        .then(|| violation("insufficient-margin", needed.map_or_else(about, to_f64), free.to_f64(), "quote-currency"))
}

/// A position on margin that is larger than the venue's tiers allow at the leverage that is used.
fn position_limit(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    let most = situation.rules.margin.most_notional?;
    if !situation.kind.is_margined() || proposal.ticket.reduce_only {
        return None;
    }
    let price = situation.worst_price(proposal.ticket)?.max(situation.mark?);
    let after = largest_with(proposal, situation);
    let worth = notional(price, after, Rounding::Up);
    let about = || price.to_f64() * after.to_f64();
    worth
        .is_none_or(|worth| worth > most)
        .then(|| violation("position-limit", worth.map_or_else(about, Money::to_f64), most.to_f64(), "quote-currency"))
}

/// The largest position on the order's side that could come of it and of what is under way.
fn largest_with(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Qty {
    let side = proposal.ticket.side;
    let held = Qty(side.signed(situation.position).0.max(Decimal::ZERO));
    held + situation.opening(side) + proposal.opening()
}

/// The same order again, at the same instant.
fn duplicate_order(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    let same = |order: &Standing<'_>| order.own && order.accepted == situation.now && order.ticket == proposal.ticket;
    situation.standing.iter().any(same).then(|| violation("duplicate-order", f64::NAN, f64::NAN, ""))
}

/// A reduce-only order with nothing to reduce.
fn reduce_only(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    let held = proposal.ticket.side.opposite().signed(situation.position);
    (proposal.ticket.reduce_only && held.0 <= Decimal::ZERO)
        .then(|| violation("reduce-only", proposal.ticket.quantity.to_f64(), 0.0, "base-currency"))
}

/// An order that would trade against a resting one of the same account.
fn self_cross(proposal: &Proposal<'_>, situation: &Situation<'_>) -> Option<Violation> {
    let side = proposal.ticket.side;
    // Where it would trade if it arrived now: at the market, or at its limit if that is further away.
    let price = match (proposal.ticket.kind, side) {
        (OrderKind::Market, _) => situation.mark?,
        (OrderKind::Limit(limit), Side::Buy) => limit.min(situation.mark?),
        (OrderKind::Limit(limit), Side::Sell) => limit.max(situation.mark?),
        _ => return None,
    };
    let crossed = situation.standing.iter().find_map(|order| match order.ticket.kind {
        OrderKind::Limit(resting) if order.ticket.side != side => {
            let crosses = if side == Side::Buy { resting <= price } else { resting >= price };
            crosses.then_some(resting)
        }
        _ => None,
    });
    crossed.map(|resting| violation("self-cross", price.to_f64(), resting.to_f64(), "quote-currency"))
}

#[cfg(test)]
mod tests {
    use tiltyard_model::Side::{Buy, Sell};
    use tiltyard_model::{InstrumentKind, Ticket};

    use crate::rules::testing::{Case, limit, market, reduce};
    use crate::{Permission, RiskProfile};

    #[test]
    fn funds_cover_the_worst_price_and_the_fee_to_the_last_digit() {
        // 9.891 × 101 × 1.001 = 999.989…; 9.892 × 101 × 1.001 = 1000.091…
        assert!(Case::default().broken(&market(Buy, "9.891")).is_empty());
        assert_eq!(Case::default().broken(&market(Buy, "9.892")), ["insufficient-funds"]);
        // 9.99 × 100 × 1.001 = 999.999; a limit order pays its limit.
        assert!(Case::default().broken(&limit(Buy, "9.990", "100")).is_empty());
        assert_eq!(Case::default().broken(&limit(Buy, "9.991", "100")), ["insufficient-funds"]);
        let exactly = Case { cash: "100.1", ..Case::default() };
        assert!(exactly.broken(&limit(Buy, "1", "100")).is_empty());
        let short = Case { cash: "100.09999999", ..Case::default() };
        assert_eq!(short.broken(&limit(Buy, "1", "100")), ["insufficient-funds"]);
    }

    #[test]
    fn a_spot_sale_needs_what_it_sells_and_counts_what_is_on_sale_already() {
        let held = Case { position: "1", ..Case::default() };
        assert!(held.broken(&market(Sell, "1")).is_empty());
        assert_eq!(held.broken(&market(Sell, "1.001")), ["insufficient-funds"]);
        let standing = vec![(limit(Sell, "0.6", "120"), 0, true)];
        let offered = Case { position: "1", standing, ..Case::default() };
        assert!(offered.broken(&market(Sell, "0.4")).is_empty());
        assert_eq!(offered.broken(&market(Sell, "0.401")), ["insufficient-funds"]);
        assert!(offered.broken(&reduce(market(Sell, "1"))).is_empty());
    }

    #[test]
    fn margin_is_judged_by_the_largest_position_that_could_come_of_it() {
        // 1,000 of equity at leverage 2 carry 2,000 less the fee: 19.782 × 101 × 1.001 ÷ 2 = 999.999…
        let case = Case { kind: InstrumentKind::Perpetual, ..Case::default() };
        assert!(case.broken(&market(Buy, "19.782")).is_empty());
        assert_eq!(case.broken(&market(Buy, "19.783")), ["insufficient-margin"]);
        // A sale is judged at the mark, which is more than it would fetch: 19.98 × 100 × 1.001 ÷ 2 = 999.999
        assert!(case.broken(&market(Sell, "19.98")).is_empty());
        assert_eq!(case.broken(&market(Sell, "19.981")), ["insufficient-margin"]);
        let standing = vec![(limit(Buy, "10", "99"), 0, true)];
        let under_way = Case { standing, kind: InstrumentKind::Perpetual, ..Case::default() };
        assert_eq!(under_way.broken(&limit(Buy, "10", "100")), ["insufficient-margin"]);
        // What reduces always passes, however little is left.
        let poor = Case { position: "15", cash: "0", kind: InstrumentKind::Perpetual, ..Case::default() };
        assert!(poor.broken(&market(Sell, "15")).is_empty());
        assert_eq!(poor.broken(&market(Sell, "15.001")), ["insufficient-margin"], "the other way round is an entry");
        let standing = vec![(reduce(market(Sell, "15")), 0, true)];
        let leaving =
            Case { position: "15", cash: "100", standing, kind: InstrumentKind::Perpetual, ..Case::default() };
        assert_eq!(leaving.broken(&market(Sell, "15")), ["insufficient-margin"], "what closes may come first");
    }

    #[test]
    fn a_position_is_no_larger_than_the_tiers_allow_at_the_leverage() {
        let mut case = Case { kind: InstrumentKind::Perpetual, cash: "100000", ..Case::default() };
        case.rules.margin.most_notional = Some(tiltyard_model::Money(crate::rules::testing::dec("1010")));
        assert!(case.broken(&market(Buy, "10")).is_empty(), "10 × 101");
        assert_eq!(case.broken(&market(Buy, "10.001")), ["position-limit"]);
        let long = Case { position: "10", ..case.clone() };
        assert!(long.broken(&market(Sell, "20")).is_empty(), "what closes opens nothing");
        assert_eq!(long.broken(&market(Sell, "20.101")), ["position-limit"]);
        assert!(long.broken(&reduce(market(Sell, "20"))).is_empty());
    }

    #[test]
    fn the_least_notional_binds_entries_but_not_exits() {
        assert!(Case::default().broken(&limit(Buy, "0.1", "100")).is_empty());
        assert_eq!(Case::default().broken(&limit(Buy, "0.099", "100")), ["below-minimum"]);
        let held = Case { position: "0.05", ..Case::default() };
        assert_eq!(held.broken(&market(Sell, "0.05")), ["below-minimum"]);
        assert!(held.broken(&reduce(market(Sell, "0.05"))).is_empty());
    }

    #[test]
    fn reduce_only_needs_something_to_reduce() {
        let sell = reduce(market(Sell, "1"));
        assert_eq!(Case::default().broken(&sell), ["reduce-only"]);
        assert!(Case { position: "0.5", ..Case::default() }.broken(&sell).is_empty());
        let short = Case { position: "-0.5", kind: InstrumentKind::Perpetual, ..Case::default() };
        assert_eq!(short.broken(&sell), ["reduce-only"]);
    }

    #[test]
    fn nothing_trades_with_its_own_account() {
        let offer = |own| vec![(limit(Sell, "1", "100"), 0, own)];
        for own in [true, false] {
            let case = Case { standing: offer(own), ..Case::default() };
            assert_eq!(case.broken(&market(Buy, "1")), ["self-cross"]);
            assert_eq!(case.broken(&limit(Buy, "1", "101")), ["self-cross"]);
            assert!(case.broken(&limit(Buy, "1", "99.99")).is_empty());
        }
        let bid = vec![(limit(Buy, "1", "99"), 0, true)];
        let case = Case { standing: bid, position: "5", ..Case::default() };
        assert!(case.broken(&market(Sell, "1")).is_empty(), "the market is above the bid");
        let case = Case { mark: Some("99"), ..case };
        assert_eq!(case.broken(&market(Sell, "1")), ["self-cross"]);
    }

    #[test]
    fn the_same_order_twice_at_one_instant_is_a_mistake() {
        let order = limit(Buy, "1", "90");
        let again = |accepted, own| Case { standing: vec![(order.clone(), accepted, own)], ..Case::default() };
        assert_eq!(again(5, true).broken(&order), ["duplicate-order"]);
        assert!(again(4, true).broken(&order).is_empty(), "at another instant");
        assert!(again(5, false).broken(&order).is_empty(), "of another strategy");
        assert!(again(5, true).broken(&Ticket { tag: "2".to_owned(), ..order.clone() }).is_empty(), "told apart");
    }

    #[test]
    fn a_venue_takes_two_hundred_orders_and_no_more() {
        assert!(RiskProfile::research().room_for_another(199).is_ok());
        assert_eq!(RiskProfile::research().room_for_another(200).unwrap_err().rule, "open-orders");
    }

    #[test]
    fn an_order_has_twenty_changes_under_way_and_no_more() {
        assert!(RiskProfile::research().room_for_change(19).is_ok());
        assert_eq!(RiskProfile::research().room_for_change(20).unwrap_err().rule, "changes-under-way");
    }

    #[test]
    fn states_allow_exits_while_reducing_and_nothing_while_halted() {
        let case = |permission| Case { permission, position: "1", ..Case::default() };
        let (buy, sell) = (market(Buy, "1"), market(Sell, "1"));
        assert_eq!(case(Permission::Reduce).broken(&buy), ["trading-state"]);
        assert!(case(Permission::Reduce).broken(&sell).is_empty());
        assert!(case(Permission::Reduce).broken(&reduce(sell.clone())).is_empty());
        assert_eq!(case(Permission::Nothing).broken(&sell), ["trading-state"]);
    }

    #[test]
    fn without_a_price_nothing_is_decided_so_nothing_passes() {
        let case = Case { mark: None, ..Case::default() };
        assert_eq!(case.broken(&market(Buy, "1")), ["stale-data"]);
        assert_eq!(case.broken(&limit(Buy, "1", "100")), ["stale-data"]);
    }

    #[test]
    fn every_broken_rule_is_listed() {
        let case = Case { permission: Permission::Nothing, cash: "1", ..Case::default() };
        assert_eq!(case.broken(&limit(Buy, "0.09", "100")), ["trading-state", "below-minimum", "insufficient-funds"]);
    }
}
