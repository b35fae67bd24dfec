//! What happens when, and who may trade in which bar.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, B, HOUR, Script, Stage, bars, dec, entries, executions, lane, order, perpetual, spot, updates};
use tiltyard_engine::venue::Latency;
use tiltyard_engine::{Event, Lane, StrategyIndex};
use tiltyard_model::{
    Desk as _, Nanos, OrderId, OrderOrigin, OrderRequest, OrderStatus, OrderType, Replacement, Side, StopLoss,
    TimeInForce, Trail,
};
use tiltyard_risk::{MaxDrawdown, RiskProfile, StrategyState};

use Side::{Buy, Sell};

/// A price that does not move, in bars that offer plenty.
fn flat(count: usize) -> Vec<[f64; 5]> {
    vec![[100.0, 100.0, 100.0, 100.0, 1e6]; count]
}

const FOUR_HOURS: Nanos = Nanos::from_hours(4);

/// At 05:00 the slow instrument's bar from 04:00 to 08:00 is under way. It opened at 50, and at 05:00 the fast instrument
/// says that everything has doubled. An order sent now must not trade at the 50 that are an hour old.
#[test]
fn no_order_fills_in_a_bar_that_opened_before_it() {
    let slow = bars(
        FOUR_HOURS,
        &[[50.0, 51.0, 49.0, 50.0, 1e6], [50.0, 120.0, 50.0, 110.0, 1e6], [112.0, 113.0, 111.0, 112.0, 1e6]],
    );
    let stage = Stage::new(spot("FAST"), lane(bars(HOUR, &flat(12)), HOUR)).with(spot("SLOW"), lane(slow, FOUR_HOURS));
    let books = stage.play(|desk, step, _| {
        // Steps at 01:00, 02:00, …: the fifth is at 05:00.
        if step == 4 {
            assert_eq!(desk.now(), Nanos::from_hours(5));
            desk.submit(OrderRequest { instrument: B, ..order(Buy, 1.0, OrderType::Market) }).unwrap();
            desk.submit(OrderRequest { instrument: B, ..order(Buy, 1.0, OrderType::Limit(60.0)) }).unwrap();
            desk.submit(OrderRequest { instrument: B, ..order(Buy, 1.0, OrderType::StopMarket(60.0)) }).unwrap();
        }
    });
    let fills: Vec<_> = executions(&books).iter().map(|fill| (fill.time, fill.price.0)).collect();
    // The market order and the stop at 08:00, at 112 plus 0.1 %; the limit not at all.
    assert_eq!(fills, [(Nanos::from_hours(8), dec("112.112")); 2]);
}

/// While a bar is under way that an order may trade in, nobody knows what came first: a change or a cancellation counts from
/// the next bar on, and until then the order is what it was.
#[test]
fn a_change_in_the_middle_of_a_bar_waits_for_its_end() {
    let run = |act: fn(&mut common::Desk, OrderId)| {
        let fall = [100.0, 101.0, 79.0, 100.0, 1e6];
        let slow = bars(FOUR_HOURS, &[[100.0; 5], fall, [100.0, 101.0, 89.0, 100.0, 1e6]]);
        let fast = lane(bars(HOUR, &flat(12)), HOUR);
        let stage = Stage::new(spot("FAST"), fast).with(spot("SLOW"), lane(slow, FOUR_HOURS));
        let mut sent = None;
        let books = stage.play(move |desk, step, _| match step {
            3 => {
                let request = OrderRequest { instrument: B, ..order(Buy, 1.0, OrderType::Limit(80.0)) };
                sent = Some(desk.submit(request).unwrap().order);
            }
            4 => act(desk, sent.unwrap()),
            _ => {}
        });
        let fills = executions(&books);
        fills.iter().map(|fill| (fill.time.0 / HOUR.0, fill.price.to_f64(), fill.quantity.to_f64())).collect::<Vec<_>>()
    };
    let as_it_was = [(8, 80.0, 1.0)];
    assert_eq!(run(|_, _| {}), as_it_was);
    assert_eq!(run(|desk, order| desk.cancel(order).unwrap()), as_it_was);
    // Not at the new price, which the bar reached as well.
    assert_eq!(
        run(|desk, order| _ = desk.replace(order, Replacement { limit: Some(90.0), ..Replacement::default() })),
        as_it_was
    );
    // Not in the new quantity.
    assert_eq!(
        run(|desk, order| _ = desk.replace(order, Replacement { quantity: Some(5.0), ..Replacement::default() })),
        [(8, 80.0, 1.0)]
    );
}

#[test]
fn latency_rounds_up_to_the_next_bar() {
    let rows: Vec<[f64; 5]> =
        (0..8).map(|at| [100.0 + f64::from(at); 4]).map(|[o, h, l, c]| [o, h, l, c, 1e6]).collect();
    let fill_bar = |latency: Latency| {
        let stage = Stage { latency, ..Stage::new(spot("A"), lane(bars(HOUR, &rows), HOUR)) };
        let books = stage.play(|desk, step, _| {
            if step == 0 {
                desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap();
            }
        });
        executions(&books)[0].time.0 / HOUR.0
    };
    let fixed = |fixed| Latency { fixed, ..Latency::default() };
    assert_eq!(fill_bar(Latency::default()), 1);
    assert_eq!(fill_bar(fixed(Nanos(1))), 2);
    assert_eq!(fill_bar(fixed(HOUR)), 2);
    assert_eq!(fill_bar(fixed(HOUR + Nanos(1))), 3);
    let drawn = fill_bar(Latency { fixed: Nanos(1), jitter: Nanos::from_hours(3) });
    assert!((2..=5).contains(&drawn), "{drawn}");
    assert_eq!(drawn, fill_bar(Latency { fixed: Nanos(1), jitter: Nanos::from_hours(3) }), "from the seed");
}

/// Until the request arrives the order is what it was.
#[test]
fn a_cancellation_under_way_does_not_stop_a_fill() {
    let rows = [[100.0, 100.0, 100.0, 100.0, 1e6], [100.0, 101.0, 89.0, 100.0, 1e6], [100.0, 100.0, 100.0, 100.0, 1e6]];
    let run = |latency| {
        let stage =
            Stage { latency, ..Stage::new(spot("A"), lane(bars(HOUR, &[rows[0], rows[0], rows[1], rows[2]]), HOUR)) };
        let mut sent = None;
        let books = stage.play(move |desk, step, _| match step {
            0 => sent = Some(desk.submit(order(Buy, 1.0, OrderType::Limit(90.0))).unwrap().order),
            1 => desk.cancel(sent.unwrap()).unwrap(),
            _ => {}
        });
        executions(&books).len()
    };
    assert_eq!(run(Latency::default()), 0);
    // Sent at 01:00 and there by 01:30, the order is active from 02:00 on; the cancellation of 02:00 arrives at 02:30.
    assert_eq!(run(Latency { fixed: Nanos::from_secs(1_800), ..Latency::default() }), 1);
}

#[test]
fn history_holds_every_bar_of_the_instant_before_the_first_is_delivered() {
    let two = |offset: f64| bars(HOUR, &[[100.0 + offset; 5], [200.0 + offset; 5]]);
    let stage = Stage::new(spot("A"), lane(two(0.0), HOUR)).with(spot("B"), lane(two(1.0), HOUR));
    let mut seen = Vec::new();
    stage.play(|desk, _, _| {
        let closes = |instrument| desk.history(instrument, 10).unwrap().close().to_vec();
        seen.push((closes(A), closes(B)));
    });
    assert_eq!(seen, [(vec![100.0], vec![101.0]), (vec![100.0, 200.0], vec![101.0, 201.0])]);
}

#[test]
fn a_strategy_hears_of_fills_before_the_bar_and_of_orders_that_came_to_life() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &flat(4)), HOUR));
    let mut heard = Vec::new();
    stage.play(|desk, step, news| {
        let updates = news.updates.iter().map(|update| (update.status, update.origin, update.parent.is_some()));
        heard.push((news.fills.len(), updates.collect::<Vec<_>>()));
        if step == 0 {
            let stop_loss = Some(StopLoss::Trailing(Trail::Percent(5.0)));
            desk.submit(OrderRequest { stop_loss, ..order(Buy, 1.0, OrderType::Market) }).unwrap();
        }
    });
    use OrderStatus::{Accepted, Filled};
    let own = |status| (status, OrderOrigin::Submitted, false);
    assert_eq!(heard[0], (0, vec![]));
    assert_eq!(heard[1], (1, vec![own(Accepted), own(Filled), (Accepted, OrderOrigin::StopLoss, true)]));
    assert_eq!(heard[2], (0, vec![]));
}

#[test]
fn timers_come_once_in_order_at_the_first_instant_after_their_time() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &flat(5)), HOUR));
    let mut set = Vec::new();
    let mut heard = Vec::new();
    stage.play(|desk, step, news| {
        heard.extend(news.timers.iter().map(|timer| (step, *timer)));
        if step == 0 {
            for minutes in [150, 90, 200, 91] {
                set.push(desk.set_timer(Nanos::from_secs(minutes * 60)).unwrap());
            }
            assert!(desk.cancel_timer(set[2]) && !desk.cancel_timer(set[2]));
            assert!(desk.set_timer(HOUR).is_err(), "not in the future");
        }
    });
    // At 02:00 the ones of 01:30 and 01:31, heard of in the step after; at 03:00 the one of 02:30.
    assert_eq!(heard, [(2, set[1]), (2, set[3]), (3, set[0])]);
}

/// A tenth of a volume of 100 is shared in the order of acceptance, across strategies.
#[test]
fn strategies_share_the_volume_in_the_order_of_acceptance() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &[[100.0; 5], [100.0; 5], [100.0; 5]]), HOUR));
    let buyer = |quantity: f64| {
        Script::new(move |desk: &mut common::Desk, step, _: &common::News| {
            if step == 0 {
                desk.submit(order(Buy, quantity, OrderType::Market)).unwrap();
            }
        })
    };
    let books = stage.run(vec![buyer(6.0), buyer(9.0)]);
    let fills: Vec<_> = executions(&books)
        .iter()
        .map(|fill| (fill.time.0 / HOUR.0, fill.strategy.0, fill.quantity.0.normalize().to_string()))
        .collect();
    let expected = [(1, 0, "6"), (1, 1, "4"), (2, 1, "5")];
    assert_eq!(fills, expected.map(|(bar, strategy, quantity)| (bar, strategy, quantity.to_owned())));
    let account = books.equity();
    assert_eq!(account, books.records().iter().map(|record| record.ledger.equity()).sum());
    assert_eq!(books.position(A).0, dec("15"));
}

#[test]
fn an_instrument_that_ends_takes_its_orders_and_positions_along() {
    let ending = Lane { ends: true, ..lane(bars(HOUR, &flat(3)), HOUR) };
    let stage = Stage::new(spot("A"), ending).with(spot("B"), lane(bars(HOUR, &flat(5)), HOUR));
    let mut refused = Vec::new();
    let books = stage.play(|desk, step, _| match step {
        0 => {
            desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap();
            desk.submit(order(Sell, 0.5, OrderType::Limit(150.0))).unwrap_err();
            desk.submit(order(Buy, 1.0, OrderType::Limit(50.0))).unwrap();
        }
        3 => {
            refused = desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap_err();
            assert_eq!(desk.target(A, 0.5, None).unwrap_err()[0].rule, "instrument-ended");
            assert_eq!(desk.position(A).unwrap().quantity, 0.0);
            assert!(desk.open_orders().is_empty());
        }
        _ => {}
    });
    assert_eq!(refused[0].rule, "instrument-ended");
    let trip = &books.records()[0].ledger.round_trips()[0];
    // At the last price of 100 less 0.1 %.
    assert_eq!(
        (trip.exit_price.0, trip.exit_time, &*trip.exit_reason),
        (dec("99.9"), Nanos::from_hours(3), "delisted")
    );
    let last = updates(&books).into_iter().find(|(_, update)| update.reason == "delisted").unwrap();
    assert_eq!((last.0, last.1.status), (Nanos::from_hours(3), OrderStatus::Cancelled));
}

/// What is held at the end is sold at the last price of 100 less 0.1 %, after the strategy has had its say.
#[test]
fn a_run_to_flat_closes_everything_at_its_last_instant() {
    let stage =
        Stage::new(spot("A"), lane(bars(HOUR, &flat(3)), HOUR)).with(spot("B"), lane(bars(HOUR, &flat(2)), HOUR));
    let mut heard = 0;
    let script = common::Script::new(|desk: &mut common::Desk, step, _: &common::News| {
        heard = step;
        match step {
            0 => _ = desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap(),
            2 => {
                assert_eq!(desk.position(A).unwrap().quantity, 1.0);
                desk.submit(order(Buy, 1.0, OrderType::Limit(50.0))).unwrap();
            }
            _ => {}
        }
    });
    let books = stage.kernel(vec![script]).run_to_flat(&mut stage.feed()).books;
    assert_eq!(heard, 2);
    let record = &books.records()[0];
    let trip = &record.ledger.round_trips()[0];
    assert_eq!(
        (trip.exit_price.0, trip.exit_time, &*trip.exit_reason),
        (dec("99.9"), Nanos::from_hours(3), "window_end")
    );
    assert!(record.ledger.is_flat() && record.refused == 0);
    let last = record.curve.last().unwrap();
    assert_eq!((record.curve.len(), last.time, last.exposed), (3, Nanos::from_hours(3), false));
    assert_eq!(last.equity, record.ledger.equity().to_f64());
}

/// 900 of 1,000 at 100; at 80 equity is down by 18 %.
#[test]
fn a_halt_closes_by_the_rules_of_the_profile_and_ends_the_run() {
    let fall = [80.0, 80.0, 80.0, 80.0, 1e6];
    let rows = [flat(2), vec![fall; 4]].concat();
    let stage = Stage {
        risk: RiskProfile::research().with_max_drawdown(Some(MaxDrawdown::default())),
        ..Stage::new(spot("A"), lane(bars(HOUR, &rows), HOUR))
    };
    let mut steps = 0;
    let books = stage.play(|desk, step, _| {
        steps = step + 1;
        if step == 0 {
            desk.submit(order(Buy, 900.0, OrderType::Market)).unwrap();
            desk.submit(order(Buy, 1.0, OrderType::Limit(70.0))).unwrap();
        }
    });
    let record = &books.records()[0];
    assert_eq!((record.guard.state(), record.halted_by()), (StrategyState::Halted, Some("max-drawdown")));
    let trip = &record.ledger.round_trips()[0];
    assert_eq!((trip.exit_price.0, trip.exit_time, &*trip.exit_reason), (dec("79.92"), Nanos::from_hours(3), "halt"));
    assert_eq!(steps, 2, "the halted strategy is not called any more");
    assert_eq!(record.curve.len(), 4, "the run ends when it is flat");
    assert!(record.ledger.is_flat());
}

#[test]
fn a_halted_strategy_leaves_the_others_alone() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &flat(6)), HOUR));
    let holder = || {
        Script::new(|desk: &mut common::Desk, step, _: &common::News| {
            if step == 0 {
                desk.target(A, 0.5, None).unwrap();
            }
        })
    };
    let mut kernel = stage.kernel(vec![holder(), holder()]);
    let mut feed = stage.feed();
    let mut step = tiltyard_engine::Step::default();
    for count in 0.. {
        if count == 3 {
            kernel.halt(StrategyIndex(0), "a person");
        }
        if !tiltyard_engine::Feed::next(&mut feed, &mut step) {
            break;
        }
        kernel.step(&step);
    }
    let books = kernel.finish().books;
    assert!(books.records()[0].ledger.is_flat() && !books.records()[1].ledger.is_flat());
    assert_eq!(books.records()[0].halted_by(), Some("a person"));
    assert_eq!(books.records()[1].halted_by(), None);
}

#[test]
fn a_short_position_that_eats_up_the_equity_is_liquidated_and_leaves_no_debt() {
    let rows = [flat(2), vec![[260.0, 260.0, 260.0, 260.0, 1e6]; 3]].concat();
    let stage = Stage::new(perpetual("P", 2.0), lane(bars(HOUR, &rows), HOUR));
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Sell, 700.0, OrderType::Market)).unwrap();
        }
    });
    let record = &books.records()[0];
    assert_eq!(record.halted_by(), None);
    assert!(record.ledger.is_flat() && record.ledger.equity().0 == dec("0"));
    let trip = &record.ledger.round_trips()[0];
    assert_eq!((trip.side, trip.quantity.0, &*trip.exit_reason), (Sell, dec("700"), "liquidation"));
}

/// 25 hours of nothing, then orders by the day: what is cut off by the bar's end is cut off for good.
#[test]
fn an_order_expires_inside_the_bar_in_which_its_time_ends() {
    let rows = [[100.0, 100.0, 100.0, 100.0, 1e6], [100.0, 101.0, 89.0, 100.0, 1e6]];
    let fills = |until: Nanos| {
        let stage = Stage::new(spot("A"), lane(bars(HOUR, &rows), HOUR));
        let books = stage.play(|desk, step, _| {
            if step == 0 {
                let time_in_force = TimeInForce::GoodTillDate(until);
                desk.submit(OrderRequest { time_in_force, ..order(Buy, 1.0, OrderType::Limit(90.0)) }).unwrap();
            }
        });
        executions(&books).len()
    };
    assert_eq!(fills(Nanos::from_hours(2)), 1, "good until the bar's close");
    assert_eq!(fills(Nanos(2 * HOUR.0 - 1)), 0, "who knows whether the price came in time");
}

#[test]
fn every_instant_is_on_the_record_in_order() {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &flat(3)), HOUR));
    let books = stage.play(|desk, step, _| {
        if step == 0 {
            desk.submit(order(Buy, 1.0, OrderType::Market)).unwrap();
        }
    });
    let kinds: Vec<_> = entries(&books)
        .iter()
        .map(|entry| match &entry.event {
            Event::Seated { .. } => "seated",
            Event::Bar { .. } => "bar",
            Event::Accepted { .. } => "accepted",
            Event::Executed(_) => "executed",
            Event::Updated(_) => "updated",
            Event::Instant => "instant",
            Event::Finished { .. } => "finished",
            _ => "other",
        })
        .collect();
    let expected = "seated bar accepted instant executed updated bar instant bar instant finished";
    assert_eq!(kinds.join(" "), expected);
    assert!(entries(&books).windows(2).all(|pair| pair[0].time <= pair[1].time));
}
