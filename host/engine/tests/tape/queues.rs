//! Orders that rest.

use tiltyard_model::{Desk as _, InstrumentKind, OrderId, Replacement, Side};

use super::common::{Reel, fills, limit, orders, play, play_with, simulation};

/// Ten are bid at 99.00 when the first orders are sent, and still when they have arrived.
fn opened() -> Reel {
    let book = Reel::new().book(0, &[(9_900, 10), (9_800, 20)], &[(10_100, 3)]);
    book.quote(0, (9_900, 10), (10_100, 3)).quote(1, (9_900, 10), (10_100, 3))
}

fn buy(thousandths: i64) -> tiltyard_model::OrderRequest {
    limit(Side::Buy, thousandths, 9_900)
}

#[test]
fn an_order_trades_once_all_that_was_ahead_of_it_has() {
    let tape =
        opened().print(2, Side::Sell, (9_900, 6)).print(3, Side::Sell, (9_900, 5)).print(4, Side::Sell, (9_900, 9));
    assert_eq!(fills(&orders(tape, &[(0, buy(4))])), [(1, 9_900, 1, 3), (1, 9_900, 3, 4)]);
}

#[test]
fn prints_on_the_other_side_are_none_of_its() {
    let tape =
        opened().print(2, Side::Buy, (9_900, 50)).print(3, Side::Buy, (9_800, 50)).print(4, Side::Sell, (9_901, 50));
    assert_eq!(fills(&orders(tape, &[(0, buy(4))])), []);
}

#[test]
fn those_who_cancel_stood_behind_as_long_as_that_is_possible() {
    // Five more come and go; then four go who must have been ahead.
    let tape = opened()
        .quote(2, (9_900, 15), (10_100, 3))
        .quote(3, (9_900, 10), (10_100, 3))
        .print(1_100, Side::Sell, (9_900, 2))
        .quote(1_101, (9_900, 4), (10_100, 3))
        .print(2_200, Side::Sell, (9_900, 5));
    assert_eq!(fills(&orders(tape, &[(0, buy(4))])), [(1, 9_900, 1, 2_200)]);
}

#[test]
fn a_trade_that_is_seen_twice_counts_once() {
    let quote_first = opened()
        .quote(2, (9_900, 4), (10_100, 3))
        .print(3, Side::Sell, (9_900, 6))
        .print(4, Side::Sell, (9_900, 4))
        .print(5, Side::Sell, (9_900, 1));
    assert_eq!(fills(&orders(quote_first, &[(0, buy(4))])), [(1, 9_900, 1, 5)]);
    let print_first = opened()
        .print(2, Side::Sell, (9_900, 6))
        .quote(3, (9_900, 4), (10_100, 3))
        .print(4, Side::Sell, (9_900, 4))
        .print(5, Side::Sell, (9_900, 1));
    assert_eq!(fills(&orders(print_first, &[(0, buy(4))])), [(1, 9_900, 1, 5)]);
}

#[test]
fn a_print_beyond_its_price_fills_as_much_as_was_printed() {
    let tape = opened().print(2, Side::Sell, (9_899, 3)).print(3, Side::Sell, (9_900, 2));
    assert_eq!(fills(&orders(tape, &[(0, buy(6))])), [(1, 9_900, 3, 2), (1, 9_900, 2, 3)]);
}

#[test]
fn a_trade_of_before_its_arrival_is_none_of_its() {
    let tape = opened().late_print(2, 0, Side::Sell, (9_800, 9)).late_print(3, 0, Side::Sell, (9_900, 50));
    assert_eq!(fills(&orders(tape, &[(0, buy(4))])), []);
}

#[test]
fn what_is_asked_at_its_price_would_have_met_it() {
    let tape =
        opened().quote(2, (9_700, 1), (9_890, 3)).quote(3, (9_700, 1), (9_890, 3)).quote(4, (9_700, 1), (9_890, 4));
    assert_eq!(fills(&orders(tape, &[(0, buy(9))])), [(1, 9_900, 3, 2), (1, 9_900, 1, 4)]);
}

#[test]
fn own_orders_stand_in_one_queue_in_the_order_of_their_arrival() {
    let tape = Reel::new()
        .book(0, &[(9_900, 10)], &[(10_100, 3)])
        .quote(0, (9_900, 10), (10_100, 3))
        .quote(1, (9_900, 12), (10_100, 3))
        .quote(2, (9_900, 12), (10_100, 3))
        .print(3, Side::Sell, (9_900, 11))
        .print(4, Side::Sell, (9_900, 4))
        .print(5, Side::Sell, (9_900, 9));
    // Ten, then the first order's two, then two more of others, then the second order.
    let books = orders(tape, &[(0, buy(2)), (1, buy(3))]);
    assert_eq!(fills(&books), [(1, 9_900, 1, 3), (1, 9_900, 1, 4), (2, 9_900, 1, 4), (2, 9_900, 2, 5)]);
    let tape = opened().print(2, Side::Sell, (9_800, 6));
    let books = orders(tape, &[(0, limit(Side::Buy, 2, 9_850)), (0, buy(2)), (0, buy(3))]);
    assert_eq!(fills(&books), [(2, 9_900, 2, 2), (3, 9_900, 3, 2), (1, 9_850, 1, 2)], "the best price is met first");
}

#[test]
fn depth_that_is_behind_says_nothing_of_a_queue() {
    // The quote of 30 is later than the depth of 1: who is ahead is not known before depth has caught up.
    let tape = opened()
        .change(2, &[(9_800, 1)], &[])
        .quote(3, (9_800, 30), (10_100, 3))
        .quote(4, (9_900, 1), (10_100, 3))
        .print(5, Side::Sell, (9_800, 1))
        .change(6, &[(9_800, 30), (9_900, 0)], &[])
        .print(7, Side::Sell, (9_800, 29))
        .print(8, Side::Sell, (9_800, 2));
    let books = orders(tape, &[(3, limit(Side::Buy, 4, 9_800))]);
    assert_eq!(fills(&books), [(1, 9_800, 1, 8)]);
}

#[test]
fn a_queue_that_was_never_shown_has_to_be_traded_through() {
    let tape = opened().print(2, Side::Sell, (9_700, 99)).print(3, Side::Sell, (9_699, 1));
    assert_eq!(fills(&orders(tape, &[(0, limit(Side::Buy, 4, 9_700))])), [(1, 9_700, 1, 3)]);
}

#[test]
fn one_that_shrinks_keeps_its_place_and_one_that_grows_or_moves_goes_to_the_end() {
    let changed = |change: Replacement| {
        let tape = opened()
            .print(2, Side::Sell, (9_900, 10))
            .quote(3, (9_900, 10), (10_100, 3))
            .print(3, Side::Sell, (9_900, 2))
            .print(4, Side::Sell, (9_900, 9));
        let books = play(tape, |desk, at| match at {
            0 => _ = desk.submit(buy(4)).unwrap(),
            2 => _ = desk.replace(OrderId(1), change).unwrap(),
            _ => {}
        });
        fills(&books)
    };
    let none = Replacement::default();
    assert_eq!(changed(Replacement { quantity: Some(0.003), ..none }), [(1, 9_900, 2, 3), (1, 9_900, 1, 4)]);
    assert_eq!(changed(Replacement { quantity: Some(0.005), ..none }), [(1, 9_900, 1, 4)]);
    assert_eq!(changed(Replacement { limit: Some(99.0), ..none }), [(1, 9_900, 2, 3), (1, 9_900, 2, 4)]);
    assert_eq!(changed(Replacement { limit: Some(98.5), ..none }), []);
}

#[test]
fn a_cancellation_takes_as_long_as_an_order() {
    let tape = |at| opened().quote(9, (9_900, 10), (10_100, 3)).print(at, Side::Sell, (9_800, 9));
    let cancelled = |at| {
        let books = play_with(&simulation(InstrumentKind::Perpetual, 3), tape(at).events, |desk, call| match call {
            0 => _ = desk.submit(buy(4)).unwrap(),
            2 => desk.cancel(OrderId(1)).unwrap(),
            _ => {}
        });
        fills(&books)
    };
    assert_eq!(cancelled(12), [(1, 9_900, 4, 12)]);
    assert_eq!(cancelled(13), []);
}
