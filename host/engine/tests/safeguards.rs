//! The account's rules and its guard in a kernel: what is refused, what is made smaller, what the host does by itself.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, B, Desk, HOUR, News, Script, Stage, bars, dec, entries, executions, lane, order, perpetual, spot};
use tiltyard_engine::venue::{Costs, SimulatedVenue};
use tiltyard_engine::{Books, Event, Feed as _, Kernel, Player, Setup, Step, StrategyIndex, Terms};
use tiltyard_model::OrderType::{Limit, Market, StopMarket};
use tiltyard_model::Side::{Buy, Sell};
use tiltyard_model::{Desk as _, HostStop, Money, Nanos, OrderRequest, StopLoss};
use tiltyard_risk::{
    AccountState, ExtremeMarket, Fraction, Limits, MaxDrawdown, Measure, NotionalSymbol, OnBreach, RiskProfile, Rung,
    Sizing, StrategyState, Venture,
};

/// Bars that stand still at these prices.
fn at(prices: &[f64]) -> Vec<[f64; 5]> {
    prices.iter().map(|price| [*price, *price, *price, *price, 1e6]).collect()
}

/// A perpetual without costs at these prices, one an hour, under a profile.
fn stage(prices: &[f64], risk: RiskProfile) -> Stage {
    let stage = Stage::new(perpetual("P", 5.0), lane(bars(HOUR, &at(prices)), HOUR));
    Stage { costs: Costs::none(), risk, ..stage }
}

fn only(change: impl FnOnce(&mut Limits)) -> RiskProfile {
    let mut profile = RiskProfile::research();
    profile.name = "test".to_owned();
    change(&mut profile.limits);
    profile
}

fn with_stop(request: OrderRequest, stop: f64) -> OrderRequest {
    OrderRequest { stop_loss: Some(StopLoss::Fixed(stop)), ..request }
}

fn measures(books: &Books) -> Vec<(Nanos, &Measure)> {
    let measured = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Measure(measure) => Some((entry.time, measure)),
        _ => None,
    });
    measured.collect()
}

fn warnings(books: &Books) -> Vec<(&str, &str)> {
    let warned = entries(books).iter().filter_map(|entry| match &entry.event {
        Event::Warned { request, violations, .. } => Some((request.as_ref(), violations[0].rule.as_str())),
        _ => None,
    });
    warned.collect()
}

fn setup(stage: &Stage, venture: Venture, guard: Option<tiltyard_risk::AccountGuard>) -> Setup<SimulatedVenue> {
    let rules = tiltyard_engine::Profile::Conservative.rules(stage.costs);
    Setup {
        instruments: stage.instruments.clone(),
        venue: SimulatedVenue::new(rules, stage.latency, 7, stage.instruments.len()),
        risk: stage.risk.clone(),
        venture,
        margin: tiltyard_engine::MarginTerms::default(),
        guard,
        overseer: None,
        log: tiltyard_engine::Log::keeping(),
        begin: Nanos(0),
    }
}

/// A kernel whose instants a test plays one by one, so that it may act between them.
fn kernel<S: tiltyard_engine::Strategy<Desk>>(stage: &Stage, players: Vec<Player<S>>) -> Kernel<SimulatedVenue, S> {
    Kernel::new(setup(stage, Venture::Simulated, None), players).unwrap()
}

fn player<S>(strategy: S) -> Player<S> {
    Player { strategy, terms: Terms::new("test", Money(dec("100000")), None) }
}

#[test]
fn the_account_profile_refuses_what_breaks_it_and_counts_each_rule() {
    let books = stage(&[100.0; 4], RiskProfile::account()).play(|desk, step, _| {
        if step > 0 {
            return;
        }
        let rules = |answer: Result<_, Vec<tiltyard_model::Violation>>| -> Vec<String> {
            answer.err().unwrap_or_default().into_iter().map(|violation| violation.rule).collect()
        };
        assert_eq!(rules(desk.submit(order(Buy, 251.0, Market))), ["notional-symbol", "missing-stop"]);
        assert_eq!(rules(desk.submit(with_stop(order(Buy, 10.0, Market), 99.9))), ["invalid-stop"]);
        assert_eq!(rules(desk.submit(with_stop(order(Buy, 10.0, Limit(90.0)), 88.0))), ["price-collar"]);
        assert!(rules(desk.submit(with_stop(order(Buy, 249.0, Market), 98.0))).is_empty());
    });
    let record = &books.records()[0];
    let broken: Vec<_> = record.broken.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    assert_eq!(broken, [("invalid-stop", 1), ("missing-stop", 1), ("notional-symbol", 1), ("price-collar", 1)]);
    assert_eq!((record.refused, record.violations, record.accepted), (3, 3, 1));
}

#[test]
fn a_rule_that_reduces_makes_the_order_as_large_as_it_may_be_and_says_so() {
    let profile = only(|limits| {
        limits.notional_symbol = Some(NotionalSymbol { on_breach: OnBreach::Reduce, ..NotionalSymbol::default() });
    });
    let mut accepted = Vec::new();
    let books = stage(&[100.0; 4], profile).play(|desk, step, _| match step {
        0 => accepted.push(desk.submit(order(Buy, 400.0, Market)).unwrap().quantity),
        1 => accepted.push(desk.target(A, -1.0, None).unwrap().unwrap().quantity),
        2 => assert_eq!(desk.submit(order(Sell, 1.0, Market)).unwrap_err()[0].rule, "notional-symbol"),
        _ => {}
    });
    // A quarter of 100,000 at 100; from 250 long to a quarter of what the fees left, short.
    assert_eq!(accepted[0], 250.0);
    assert!((accepted[1] - 499.9).abs() < 0.1, "{accepted:?}");
    assert_eq!(warnings(&books), [("submit", "notional-symbol"), ("target", "notional-symbol")]);
}

/// 400 long at 100 of 100,000: a fall to 87 costs 5.2 % of the equity.
#[test]
fn a_days_loss_closes_everything_and_new_risk_waits() {
    let profile = only(|limits| limits.daily_loss = Some(tiltyard_risk::DailyLoss::default()));
    let mut answers = Vec::new();
    let prices = [&[100.0, 100.0, 87.0][..], &[87.0; 24]].concat();
    let books = stage(&prices, profile).play(|desk, step, _| match step {
        0 => {
            desk.submit(order(Buy, 400.0, Market)).unwrap();
        }
        1 => {
            desk.submit(order(Buy, 1.0, Limit(80.0))).unwrap();
        }
        _ => answers.push(desk.submit(order(Buy, 1.0, Market)).map_err(|violations| violations[0].rule.clone()).err()),
    });
    let taken = measures(&books);
    assert!(matches!(taken[0], (Nanos(time), Measure::DailyStop(_)) if time == Nanos::from_hours(3).0), "{taken:?}");
    let trip = &books.records()[0].ledger.round_trips()[0];
    assert_eq!((trip.exit_reason.as_ref(), trip.exit_time), ("daily-loss", Nanos::from_hours(3)), "the next open");
    // Still below after the hour: until the next day begins at hour 24, which is the 24th instant.
    assert!(answers[..21].iter().all(|rule| rule.as_deref() == Some("daily-loss")), "{answers:?}");
    assert_eq!(answers[21..], [None, None, None, None]);
    assert_eq!(books.records()[0].guard.state(), StrategyState::Active, "the strategy goes on");
}

#[test]
fn the_ladder_halves_tightens_closes_half_and_kills() {
    // 400 long at 100 of 100,000 for ever: 10 % are lost at 75, 15 % at 62.5, 20 % at 50.
    let profile = only(|limits| limits.drawdown_ladder = Some(tiltyard_risk::DrawdownLadder::default()));
    let mut seen = Vec::new();
    let books = stage(&[100.0, 100.0, 74.0, 61.0, 49.0, 49.0, 20.0, 20.0, 20.0], profile).play(|desk, step, _| {
        match step {
            0 => _ = desk.submit(order(Buy, 400.0, Market)).unwrap(),
            1 => {
                desk.submit(OrderRequest { reduce_only: true, ..order(Sell, 400.0, StopMarket(10.0)) }).unwrap();
                desk.submit(order(Buy, 2.0, Limit(5.0))).unwrap();
            }
            3 | 4 => assert_eq!(desk.submit(order(Buy, 1.0, Market)).unwrap_err()[0].rule, "trading-state"),
            _ => {}
        }
        let orders = desk.open_orders();
        seen.push((
            desk.position(A).unwrap().quantity,
            orders.iter().map(|order| order.order_type).collect::<Vec<_>>(),
        ));
    });
    let rungs: Vec<_> = measures(&books)
        .into_iter()
        .filter_map(|(time, measure)| match measure {
            Measure::Rung { rung, .. } => Some((time.0 / HOUR.0, *rung)),
            _ => None,
        })
        .collect();
    assert_eq!(rungs, [(3, Rung::Alert), (4, Rung::Tighten), (5, Rung::Halve), (7, Rung::Kill)]);
    assert_eq!(seen[2].1, [StopMarket(10.0), Limit(5.0)], "an alert leaves orders alone");
    // Half way from 10 to 61; the entry is taken back.
    assert_eq!(seen[3].1, [StopMarket(35.5)]);
    assert_eq!(seen[5].0, 200.0, "half of it was closed");
    let record = &books.records()[0];
    assert!(record.ledger.is_flat());
    assert_eq!(record.guard.state(), StrategyState::Halted);
    assert!(record.halted_by().unwrap().starts_with("account: drawdown of "), "{:?}", record.halted_by());
    assert_eq!(books.guard().state(), AccountState::Halted);
}

#[test]
fn the_kill_switch_takes_everything_back_in_the_same_instant_and_lasts_until_a_person_resumes() {
    let stage = stage(&[100.0; 8], RiskProfile::research());
    let script = Script::new(|desk: &mut Desk, step, _: &News| {
        if step == 0 {
            desk.submit(order(Buy, 10.0, Market)).unwrap();
            for price in 50..90 {
                desk.submit(order(Buy, 1.0, Limit(f64::from(price)))).unwrap();
            }
        }
    });
    let mut kernel = kernel(&stage, vec![player(script)]);
    let (mut feed, mut step) = (stage.feed(), Step::default());
    for _ in 0..2 {
        assert!(feed.next(&mut step));
        kernel.step(&step);
    }
    let before = kernel.books().unwrap().log().entries().len();
    kernel.order(AccountState::Halted, "a person");
    let books = kernel.books().unwrap();
    let asked = books.log().entries()[before..].iter();
    let cancelled =
        asked.filter(|entry| matches!(&entry.event, Event::Updated(update) if update.reason == "halt")).count();
    assert_eq!(cancelled, 40, "every order is taken back before anything else happens");
    assert_eq!(books.records()[0].halted_by(), Some("account: a person"));
    assert!(kernel.resume("  ").is_err() && kernel.resume_strategy(StrategyIndex(0), "").is_err());
    assert!(feed.next(&mut step));
    kernel.step(&step);
    assert!(kernel.books().unwrap().records()[0].ledger.is_flat() && kernel.is_over());
    kernel.resume("looked into it").unwrap();
    assert!(kernel.books().unwrap().records()[0].halted_by().is_some(), "each strategy is resumed by itself");
    kernel.resume_strategy(StrategyIndex(0), "it was not at fault").unwrap();
    let books = kernel.books().unwrap();
    assert_eq!(
        (books.guard().state(), books.records()[0].guard.state()),
        (AccountState::Active, StrategyState::Active)
    );
    assert!(!kernel.is_over());
}

#[test]
fn a_paused_strategy_keeps_its_exits_and_takes_no_new_risk() {
    let stage = stage(&[100.0; 6], RiskProfile::research());
    let script = Script::new(|desk: &mut Desk, step, _: &News| match step {
        0 => _ = desk.submit(with_stop(order(Buy, 10.0, Market), 80.0)).unwrap(),
        1 => _ = desk.submit(order(Buy, 1.0, Limit(50.0))).unwrap(),
        2 => {
            assert_eq!(desk.open_orders().len(), 1, "the stop stays");
            assert_eq!(desk.submit(order(Buy, 1.0, Market)).unwrap_err()[0].rule, "trading-state");
            assert_eq!(desk.submit(order(Sell, 11.0, Market)).unwrap_err()[0].rule, "trading-state");
            desk.submit(order(Sell, 4.0, Market)).unwrap();
        }
        _ => {}
    });
    let mut kernel = kernel(&stage, vec![player(script)]);
    let (mut feed, mut step, mut count) = (stage.feed(), Step::default(), 0);
    while feed.next(&mut step) {
        if count == 2 {
            kernel.pause(StrategyIndex(0), "RED");
        }
        kernel.step(&step);
        count += 1;
    }
    let books = kernel.finish().books;
    assert_eq!(books.records()[0].ledger.position(A).0, dec("6"));
}

#[test]
fn what_was_kept_over_a_restart_stands() {
    let stage = stage(
        &[100.0, 100.0, 70.0, 70.0],
        only(|limits| {
            limits.max_drawdown = Some(MaxDrawdown::default());
            limits.drawdown_ladder = Some(tiltyard_risk::DrawdownLadder::default());
        }),
    );
    let holder = || {
        Script::new(|desk: &mut Desk, step, _: &News| {
            if step == 0 {
                let _ = desk.submit(order(Buy, 600.0, Market));
            }
        })
    };
    let before = stage.run(vec![holder()]);
    let kept = serde_json::to_string(&(before.guard(), &before.records()[0].guard)).unwrap();
    let (guard, own): (tiltyard_risk::AccountGuard, tiltyard_risk::StrategyGuard) =
        serde_json::from_str(&kept).unwrap();
    let setup = setup(&stage, Venture::Simulated, Some(guard));
    let cash = Money(dec("100000"));
    let terms = Terms { guard: Some(own), ..Terms::new("test", cash, None) };
    let mut kernel = Kernel::new(setup, vec![Player { strategy: holder(), terms }]).unwrap();
    let (mut feed, mut step) = (stage.feed(), Step::default());
    feed.next(&mut step);
    kernel.step(&step);
    let after = kernel.books().unwrap();
    assert_eq!(after.guard().state(), before.guard().state());
    assert_eq!(after.guard().peak(), before.guard().peak());
    assert_eq!(after.records()[0].halted_by(), Some("max-drawdown"));
    assert_eq!(Books::replay(after.log().entries()).guard(), after.guard(), "the log alone says the same");
}

#[test]
fn an_order_before_the_first_instant_stands_after_it() {
    let stage = stage(&[100.0; 3], RiskProfile::research());
    let setup = setup(&stage, Venture::Simulated, Some(tiltyard_risk::AccountGuard::default()));
    let mut kernel = Kernel::new(setup, vec![player(Script::new(|_: &mut Desk, _, _: &News| {}))]).unwrap();
    kernel.order(AccountState::Reducing, "a person");
    let (mut feed, mut step) = (stage.feed(), Step::default());
    feed.next(&mut step);
    kernel.step(&step);
    let guard = kernel.books().unwrap().guard();
    assert_eq!((guard.state(), guard.cause()), (AccountState::Reducing, Some("a person")));
}

#[test]
fn a_stop_of_the_hosts_stays_within_the_limits_for_stops() {
    // Every bar has a range of 20: five of them are 100 away.
    let wide: Vec<[f64; 5]> = vec![[100.0, 110.0, 90.0, 100.0, 1e6]; 8];
    let profile = only(|limits| limits.invalid_stop = Some(tiltyard_risk::InvalidStop::default()));
    let stage = Stage { costs: Costs::none(), risk: profile, ..Stage::new(spot("A"), lane(bars(HOUR, &wide), HOUR)) };
    let script = Script::new(|desk: &mut Desk, step, _: &News| {
        if step == 4 {
            desk.target(A, 0.1, None).unwrap();
        }
    });
    let host_stop = Some(HostStop { atr_multiple: 5.0, atr_bars: 3 });
    let terms = Terms::new("test", Money(dec("100000")), host_stop);
    let kernel = kernel(&stage, vec![Player { strategy: script, terms }]);
    let books = kernel.run(&mut stage.feed()).books;
    let fills = executions(&books);
    assert_eq!((fills[1].reason.as_ref(), fills[1].price.0), ("stop_loss", dec("95")), "5 % below the entry at 100");
}

/// What may open brings the host's stop, though it is no larger than what is held: another order closes that.
#[test]
fn a_stop_of_the_hosts_comes_with_every_order_that_may_open() {
    let wide: Vec<[f64; 5]> = vec![[100.0, 101.0, 99.0, 100.0, 1e6]; 8];
    let profile = only(|limits| limits.missing_stop = Some(tiltyard_risk::MissingStop::default()));
    let bars = lane(bars(HOUR, &wide), HOUR);
    let stage = Stage { costs: Costs::none(), risk: profile, ..Stage::new(perpetual("P", 5.0), bars) };
    let script = Script::new(|desk: &mut Desk, step, _: &News| match step {
        4 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        5 => {
            desk.submit(order(Sell, 15.0, Limit(120.0))).unwrap();
            desk.submit(order(Sell, 10.0, Limit(115.0))).unwrap();
        }
        _ => {}
    });
    let host_stop = Some(HostStop { atr_multiple: 1.0, atr_bars: 3 });
    let terms = Terms::new("test", Money(dec("100000")), host_stop);
    let books = kernel(&stage, vec![Player { strategy: script, terms }]).run(&mut stage.feed()).books;
    let asked = entries(&books).iter().filter_map(|entry| match &entry.event {
        Event::Accepted { ticket, .. } => Some(ticket),
        _ => None,
    });
    let sales: Vec<_> = asked.filter(|ticket| ticket.side == Sell && !ticket.reduce_only).collect();
    assert_eq!((sales.len(), sales.iter().all(|ticket| ticket.stop_loss.is_some())), (2, true), "{sales:?}");
}

#[test]
fn targets_are_sized_by_the_profile() {
    let mut profile = RiskProfile::research();
    profile.sizing = Sizing::FixedFraction { fraction: 0.2 };
    let held = |risk: RiskProfile, share| {
        let stage = stage(&[100.0; 200], risk);
        let script = Script::new(|desk: &mut Desk, step, _: &News| {
            if step == 150 {
                desk.target(A, 1.0, Some(StopLoss::Fixed(98.0))).unwrap();
            }
        });
        let terms = Terms { share, ..Terms::new("test", Money(dec("100000")), None) };
        let books = kernel(&stage, vec![Player { strategy: script, terms }]).run(&mut stage.feed()).books;
        books.records()[0].ledger.position(A).to_f64()
    };
    let near =
        |quantity: f64, expected: f64| assert!((quantity / expected - 1.0).abs() < 0.002, "{quantity} {expected}");
    near(held(profile.clone(), Fraction::ONE), 200.0);
    near(held(profile.clone(), Fraction::bps(1_000)), 20.0);
    // A market that stands still has no volatility: nobody can say, so that it counts as extreme.
    profile.extreme_market = Some(ExtremeMarket::default());
    near(held(profile.clone(), Fraction::ONE), 60.0);
    profile.extreme_market = None;
    // A hundredth of the equity at risk, 2 % to the stop: half of it.
    profile.sizing = Sizing::AtrRisk { budget: 0.01, atr_multiple: 2.0, atr_bars: 14, most: 1.0 };
    near(held(profile, Fraction::ONE), 500.0);
}

#[test]
fn a_strategys_orders_stay_within_its_stage_of_life() {
    let stage = stage(&[100.0; 4], RiskProfile::research());
    let script = Script::new(|desk: &mut Desk, step, _: &News| {
        if step == 0 {
            assert_eq!(desk.submit(order(Buy, 10.001, Market)).unwrap_err()[0].rule, "lifecycle-share");
            desk.submit(order(Buy, 10.0, Market)).unwrap();
        }
    });
    let terms = Terms { share: Fraction::bps(100), ..Terms::new("test", Money(dec("100000")), None) };
    let books = kernel(&stage, vec![Player { strategy: script, terms }]).run(&mut stage.feed()).books;
    assert_eq!(books.records()[0].ledger.position(A).0, dec("10"));
}

#[test]
fn a_clock_that_goes_back_stops_new_risk_and_no_exits() {
    let stage = stage(&[100.0; 4], RiskProfile::research());
    let script = Script::new(|desk: &mut Desk, step, _: &News| match step {
        0 => _ = desk.submit(order(Buy, 10.0, Market)).unwrap(),
        2 => {
            assert_eq!(desk.submit(order(Buy, 1.0, Market)).unwrap_err()[0].rule, "clock");
            desk.submit(order(Sell, 10.0, Market)).unwrap();
        }
        _ => {}
    });
    let mut kernel = kernel(&stage, vec![player(script)]);
    let (mut feed, mut step) = (stage.feed(), Step::default());
    for count in 0..3 {
        feed.next(&mut step);
        if count == 2 {
            step.time = Nanos(5);
        }
        kernel.step(&step);
    }
}

#[test]
fn data_of_an_instrument_that_stopped_is_stale() {
    let profile = only(|limits| limits.stale_data = Some(tiltyard_risk::StaleData::default()));
    let stage = stage(&[100.0; 8], profile).with(spot("B"), lane(bars(HOUR, &at(&[100.0; 2])), HOUR));
    let mut answers = Vec::new();
    stage.play(|desk, _, _| {
        let request = OrderRequest { instrument: B, ..order(Buy, 1.0, Market) };
        answers.push(desk.submit(request).map_err(|violations| violations[0].rule.clone()).err());
    });
    // The last bar of B closes at hour 2; two hours later is still in time.
    let stale = Some("stale-data".to_owned());
    assert_eq!(answers, [None, None, None, None, stale.clone(), stale.clone(), stale.clone(), stale]);
}

#[test]
fn limits_of_a_strategy_hold_for_it_alone() {
    let mut profile = RiskProfile::research();
    let strict = NotionalSymbol { most: Fraction::bps(100), ..NotionalSymbol::default() };
    let limits = Limits { notional_symbol: Some(strict), ..Limits::default() };
    profile.overrides.push(tiltyard_risk::Override { strategy: Some("careful".to_owned()), instrument: None, limits });
    let stage = stage(&[100.0; 4], profile);
    let script = || {
        Script::new(|desk: &mut Desk, step, _: &News| {
            if step == 0 {
                let _ = desk.submit(order(Buy, 30.0, Market));
            }
        })
    };
    let players = ["careful", "bold"]
        .map(|name| Player { strategy: script(), terms: Terms::new(name, Money(dec("100000")), None) });
    let books = kernel(&stage, players.into()).run(&mut stage.feed()).books;
    assert!(books.records()[0].ledger.is_flat() && !books.records()[1].ledger.is_flat());
}

#[test]
fn paper_and_live_trading_need_every_rule_of_the_account() {
    let answer = |risk, venture| {
        let stage = Stage { risk, ..stage(&[100.0], RiskProfile::research()) };
        let players = vec![player(Script::new(|_: &mut Desk, _, _: &News| {}))];
        Kernel::new(setup(&stage, venture, None), players).err().map(|error| error.to_string())
    };
    let mut own = RiskProfile { name: "own".to_owned(), ..RiskProfile::account() };
    own.limits.max_drawdown = Some(MaxDrawdown { most: Fraction::bps(2_000) });
    for venture in [Venture::Paper, Venture::Live] {
        assert_eq!(answer(RiskProfile::account(), venture), None);
        assert_eq!(answer(own.clone(), venture), None, "the numbers are the operator's");
        let lacking =
            RiskProfile { limits: Limits { price_collar: None, daily_loss: None, ..Limits::account() }, ..own.clone() };
        assert_eq!(
            answer(lacking.clone(), venture).as_deref(),
            Some(
                "the risk profile is not valid: limits lack daily_loss, price_collar; paper and live trading need every rule of \
                 the profile account"
            )
        );
        assert_eq!(answer(lacking, Venture::Simulated), None);
        assert!(answer(RiskProfile::research(), venture).is_some());
    }
}
