use tiltyard_model::{Price, Protection, Side, Ticket, Violation};

use crate::rules::violation;

/// A stop-loss or take-profit on the wrong side of its own entry would trade at once. The entry is the price that the order
/// names, or the mark where it names none.
///
/// # Errors
/// Each that is on the wrong side, as a violation of `malformed`.
pub fn right_side(ticket: &Ticket, mark: Option<Price>) -> Result<(), Vec<Violation>> {
    let Some(entry) = ticket.kind.limit().or(ticket.kind.trigger()).or(mark) else { return Ok(()) };
    let below = |price: Price| price < entry;
    let above = |price: Price| price > entry;
    let (loss, profit): (&dyn Fn(Price) -> bool, &dyn Fn(Price) -> bool) = match ticket.side {
        Side::Buy => (&below, &above),
        Side::Sell => (&above, &below),
    };
    let mut wrong = Vec::new();
    if let Some(Protection::Fixed(price)) = ticket.stop_loss
        && !loss(price)
    {
        wrong.push(violation("malformed", price.to_f64(), entry.to_f64(), "stop-loss-on-the-wrong-side"));
    }
    if let Some(price) = ticket.take_profit
        && !profit(price)
    {
        wrong.push(violation("malformed", price.to_f64(), entry.to_f64(), "take-profit-on-the-wrong-side"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::right_side;
    use crate::rules::testing::{buy, dec, limit_sell};
    use tiltyard_model::{Price, Protection, Ticket};

    fn wrong(ticket: Ticket, stop: &str, profit: &str, mark: Option<&str>) -> usize {
        let price = |text| Price(dec(text));
        let (stop_loss, take_profit) = (Some(Protection::Fixed(price(stop))), Some(price(profit)));
        let ticket = Ticket { stop_loss, take_profit, ..ticket };
        right_side(&ticket, mark.map(price)).map_or_else(|wrong| wrong.len(), |()| 0)
    }

    #[test]
    fn what_protects_an_entry_stands_on_its_own_side() {
        assert_eq!(wrong(buy("1"), "99", "101", Some("100")), 0);
        assert_eq!(wrong(buy("1"), "100", "100", Some("100")), 2, "at the entry is on neither");
        assert_eq!(wrong(buy("1"), "101", "101", Some("100")), 1);
        assert_eq!(wrong(limit_sell("1", "100"), "101", "99", Some("50")), 0, "its own price, not the mark");
        assert_eq!(wrong(limit_sell("1", "100"), "99", "101", None), 2);
        assert_eq!(wrong(buy("1"), "500", "1", None), 0, "without a price other rules refuse it");
    }
}
