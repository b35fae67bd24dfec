//! Orders that take.

use tiltyard_model::{Desk as _, InstrumentKind, Liquidity, Nanos, OrderType, Side, StopLoss, TimeInForce};

use super::common::{A, MS, Reel, ends, executions, fills, limit, market, order, orders, play_with, price, simulation};

/// Bids of 99.00 and 98.00, asks of 101.00 and 102.00, and a quote after which the first orders are sent.
fn opened() -> Reel {
    Reel::new().book(0, &[(9_900, 10), (9_800, 20)], &[(10_100, 3), (10_200, 7)]).quote(1, (9_900, 10), (10_100, 3))
}

fn calm(ms: i64) -> Reel {
    opened().quote(ms, (9_900, 10), (10_100, 3))
}

#[test]
fn a_market_order_walks_the_sizes_shown() {
    let books = orders(calm(5), &[(0, market(Side::Buy, 5)), (0, market(Side::Sell, 12))]);
    assert_eq!(fills(&books), [(1, 10_100, 3, 5), (1, 10_200, 2, 5), (2, 9_900, 10, 5), (2, 9_800, 2, 5)]);
    for (_, execution) in executions(&books) {
        assert_eq!((execution.time, execution.liquidity), (Nanos(MS), Liquidity::Taker), "it arrived at once");
    }
}

#[test]
fn what_was_taken_is_not_there_again_until_the_level_has_changed() {
    let books = orders(
        calm(5).quote(6, (9_900, 10), (10_100, 5)),
        &[(0, limit(Side::Buy, 3, 10_100)), (0, order(Side::Buy, 2, OrderType::Limit(101.5)))],
    );
    // The second one rests until two more are shown, and trades at its own price then.
    assert_eq!(fills(&books), [(1, 10_100, 3, 5), (2, 10_150, 2, 6)]);
    let again = opened()
        .change(2, &[], &[(10_100, 2)])
        .change(3, &[], &[(10_100, 0)])
        .change(4, &[], &[(10_100, 4)])
        .quote(5, (9_900, 10), (10_100, 4))
        .quote(6, (9_900, 10), (10_100, 4));
    let books = orders(again, &[(0, market(Side::Buy, 3)), (1, market(Side::Buy, 5))]);
    assert_eq!(fills(&books), [(1, 10_100, 3, 2), (2, 10_100, 4, 6), (2, 10_200, 1, 6)]);
}

#[test]
fn a_marketable_limit_order_takes_up_to_its_limit_and_rests_with_what_is_left() {
    let books = orders(calm(5).print(9, Side::Sell, (10_100, 4)), &[(0, limit(Side::Buy, 5, 10_100))]);
    let seen: Vec<_> = executions(&books).into_iter().map(|(_, execution)| execution.liquidity).collect();
    assert_eq!(fills(&books), [(1, 10_100, 3, 5), (1, 10_100, 2, 9)]);
    assert_eq!(seen, [Liquidity::Taker, Liquidity::Maker]);
}

#[test]
fn immediate_orders_trade_on_arrival_or_not_at_all() {
    let with = |quantity, time_in_force| {
        let order = order(Side::Buy, quantity, OrderType::Limit(101.0));
        let books = orders(calm(5), &[(0, tiltyard_model::OrderRequest { time_in_force, ..order })]);
        (fills(&books), ends(&books))
    };
    let end = |status: &str, reason: &str| vec![(1, status.to_owned(), reason.to_owned())];
    let (filled, ended) = with(5, TimeInForce::ImmediateOrCancel);
    assert_eq!((filled, ended), (vec![(1, 10_100, 3, 5)], end("Cancelled", "immediate-or-cancel")));
    assert_eq!(with(4, TimeInForce::FillOrKill), (vec![], end("Cancelled", "fill-or-kill")));
    assert_eq!(with(3, TimeInForce::FillOrKill), (vec![(1, 10_100, 3, 5)], end("Filled", "")));
}

#[test]
fn a_post_only_order_that_is_marketable_is_rejected() {
    let post_only = |cents| tiltyard_model::OrderRequest { post_only: true, ..limit(Side::Buy, 1, cents) };
    let books = orders(calm(5), &[(0, post_only(10_100)), (0, post_only(10_099))]);
    assert_eq!(ends(&books), [(1, "Rejected".to_owned(), "post-only".to_owned())]);
    assert!(fills(&books).is_empty());
}

#[test]
fn a_later_quote_takes_away_what_it_passes_and_an_earlier_one_says_nothing() {
    let tape = opened().quote(2, (9_950, 4), (10_050, 1)).old_change(3, &[(9_950, 9)], &[(10_100, 9)]);
    let tape = tape.print(4, Side::Buy, (10_050, 1)).quote(5, (9_950, 4), (10_050, 1));
    let books = orders(tape, &[(2, market(Side::Sell, 5)), (2, market(Side::Buy, 3))]);
    assert_eq!(fills(&books), [(1, 9_950, 4, 5), (1, 9_900, 1, 5), (2, 10_050, 1, 5), (2, 10_100, 2, 5)]);
}

#[test]
fn no_level_better_than_a_print_is_there_until_something_later_is_shown() {
    // The bid of 99.00 is still shown when the print at 98.00 has gone through it.
    let tape = || opened().print(2, Side::Sell, (9_800, 1));
    let books = orders(tape().print(3, Side::Sell, (9_800, 1)), &[(1, market(Side::Sell, 1))]);
    assert_eq!(fills(&books), [(1, 9_800, 1, 3)]);
    let books = orders(
        tape().quote(3, (9_900, 1), (10_100, 3)).quote(4, (9_900, 1), (10_100, 3)),
        &[(2, market(Side::Sell, 1))],
    );
    assert_eq!(fills(&books), [(1, 9_900, 1, 4)]);
}

#[test]
fn nobody_matches_against_a_book_that_is_not_known() {
    let books = orders(
        opened().unknown(2).print(3, Side::Buy, (10_100, 1)).quote(4, (9_900, 1), (10_200, 9)).quote(
            5,
            (9_900, 1),
            (10_200, 9),
        ),
        &[
            (1, market(Side::Buy, 1)),
            (1, tiltyard_model::OrderRequest { time_in_force: TimeInForce::ImmediateOrCancel, ..market(Side::Buy, 2) }),
        ],
    );
    assert_eq!(fills(&books), [(1, 10_200, 1, 4)], "the first waits until there is a quote");
    assert_eq!(ends(&books)[0], (2, "Cancelled".to_owned(), "immediate-or-cancel".to_owned()));
}

#[test]
fn an_order_arrives_when_its_latency_is_over() {
    let tape = opened().quote(3, (9_900, 10), (10_150, 1)).quote(9, (9_900, 10), (10_300, 1));
    let books = play_with(&simulation(InstrumentKind::Perpetual, 3), tape.events, |desk, at| {
        if at == 0 {
            desk.submit(market(Side::Buy, 1)).unwrap();
        }
    });
    assert_eq!(fills(&books), [(1, 10_150, 1, 9)], "sent at 1, there at 4, when 101.50 was asked");
    assert_eq!(executions(&books)[0].1.time, Nanos(4 * MS));
}

#[test]
fn stops_are_triggered_by_trades_and_take_what_is_there() {
    let tape = opened()
        .quote(2, (9_700, 5), (9_900, 5))
        .print(3, Side::Sell, (9_800, 1))
        .print(4, Side::Sell, (9_750, 1))
        .quote(5, (9_700, 5), (9_900, 5));
    let books = orders(tape, &[(0, market(Side::Buy, 1)), (0, order(Side::Sell, 1, OrderType::StopMarket(97.5)))]);
    assert_eq!(
        fills(&books),
        [(1, 10_100, 1, 2), (2, 9_700, 1, 4)],
        "no quote triggers it, and the first print does not"
    );
}

#[test]
fn a_trailing_stop_follows_the_best_trade() {
    let tape = opened()
        .print(2, Side::Buy, (10_000, 1))
        .print(3, Side::Buy, (10_300, 1))
        .print(4, Side::Buy, (10_200, 1))
        .quote(5, (10_000, 9), (10_200, 9))
        .print(6, Side::Sell, (10_100, 1));
    let trail = OrderType::TrailingStop { trail: tiltyard_model::Trail::Distance(2.0), activation: None };
    let books = orders(tape, &[(0, market(Side::Buy, 1)), (0, order(Side::Sell, 1, trail))]);
    assert_eq!(fills(&books), [(1, 10_100, 1, 2), (2, 10_000, 1, 6)]);
}

#[test]
fn a_bracket_comes_to_life_with_its_entry_and_one_cancels_the_other() {
    let entry = tiltyard_model::OrderRequest {
        stop_loss: Some(StopLoss::Fixed(97.0)),
        take_profit: Some(103.0),
        ..market(Side::Buy, 4)
    };
    let tape = calm(2).print(3, Side::Buy, (10_300, 6)).quote(4, (10_250, 1), (10_350, 1));
    let books = orders(tape.print(5, Side::Buy, (10_301, 9)), &[(0, entry)]);
    // Entered in two fills; of the target 103.00 nobody is known to be ahead, as the snapshot does not reach there.
    assert_eq!(fills(&books), [(1, 10_100, 3, 2), (1, 10_200, 1, 2), (3, 10_300, 4, 5)]);
    assert_eq!(ends(&books).last().unwrap(), &(2, "Cancelled".to_owned(), "one-cancels-other".to_owned()));
}

#[test]
fn the_desk_shows_the_last_quote_and_equity_follows_trades() {
    let tape = opened().print(500, Side::Buy, (10_100, 1)).print(1_500, Side::Buy, (10_200, 1));
    let mut quotes = Vec::new();
    let books = play_with(&simulation(InstrumentKind::Spot, 0), tape.events, |desk, at| {
        quotes.push(desk.latest_quote(A).unwrap().map(|quote| (quote.time.0 / MS, quote.bid, quote.ask_quantity)));
        if at == 0 {
            desk.submit(market(Side::Buy, 1)).unwrap();
        }
    });
    assert_eq!(quotes, [Some((1, 99.0, 0.003)); 3]);
    let record = &books.records()[0];
    assert_eq!(record.ledger.holdings()[0].last_mark(), Some(price(10_200)));
    let curve: Vec<_> = record.curve.iter().map(|sample| (sample.time.0 / MS, sample.exposed)).collect();
    assert_eq!(curve, [(1_000, true), (1_500, true)], "every second, and at the end");
    let fee = 0.000101;
    assert!((record.curve[0].equity - (100_000.0 - fee)).abs() < 1e-9, "{}", record.curve[0].equity);
    assert!((record.curve[1].equity - (100_000.0 - fee + 0.001)).abs() < 1e-9);
}
