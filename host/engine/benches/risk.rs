//! What the check of one order takes, with twenty instruments open, under the profile `account`.
//!
//! `cargo bench -p tiltyard-engine --bench risk`; figures in BENCHMARKS.md.
#![allow(clippy::unwrap_used, reason = "a benchmark may")]

use std::convert::Infallible;
use std::sync::Arc;

use divan::{Bencher, black_box};
use tiltyard_engine::venue::{Costs, Latency, SimulatedVenue};
use tiltyard_engine::{Feed as _, Log, Profile, Simulation, Step, Strategy, Terms, Traded, TradingDesk, Window};
use tiltyard_model::{
    Bar, Columns, Decimal, Desk as _, Fill, Instrument, InstrumentIndex, InstrumentKind, Money, Nanos, OrderRequest,
    OrderType, OrderUpdate, Side, StopLoss, TimeInForce, TimerId,
};
use tiltyard_risk::{
    Account, AccountGuard, Correlations, Exposure, Fraction, Limits, Permission, Proposal, Recent, RiskProfile,
    Situation, Stake,
};

type Desk = TradingDesk<SimulatedVenue>;

const INSTRUMENTS: u32 = 20;
/// Bars before the orders: more than the 30 days that correlations are taken from.
const BARS: usize = 24 * 40;
/// Orders that are asked for in one call.
const ASKED: u32 = 1_000;

fn main() {
    divan::main();
}

fn instrument(number: u32) -> Instrument {
    Instrument {
        symbol: format!("A{number}USD"),
        venue: "bench".to_owned(),
        kind: InstrumentKind::Perpetual,
        base: format!("A{number}"),
        quote: "USD".to_owned(),
        tick: 0.01,
        lot: 0.001,
        min_notional: 10.0,
        maker_fee: 0.0002,
        taker_fee: 0.0005,
        max_leverage: 5.0,
        margin: tiltyard_model::MarginRules::default(),
    }
}

/// Prices that go their own way for each instrument, the same in every run.
fn bars(number: u32) -> Columns {
    let mut price = 100.0;
    let mut seed = u64::from(number) + 1;
    let bar = |at: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let change = ((seed >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) * 0.01;
        let open = price;
        price = ((price * (1.0 + change)) * 100.0_f64).round() / 100.0;
        Bar {
            open_time: Nanos::from_hours(at as i64),
            open,
            high: open.max(price),
            low: open.min(price),
            close: price,
            volume: 1e9,
        }
    };
    (0..BARS).map(bar).collect()
}

/// Buys 2 % of everything with a stop, then asks again and again for what the price collar refuses.
#[derive(Default)]
struct Asker {
    step: usize,
}

fn request(instrument: u32, mark: f64, order_type: OrderType, quantity: f64) -> OrderRequest {
    OrderRequest {
        instrument: InstrumentIndex(instrument),
        side: Side::Buy,
        order_type,
        quantity,
        time_in_force: TimeInForce::GoodTillCancelled,
        reduce_only: false,
        post_only: false,
        stop_loss: Some(StopLoss::Fixed(mark * 0.97)),
        take_profit: None,
        tag: String::new(),
    }
}

impl Strategy<Desk> for Asker {
    type Fault = Infallible;

    fn warm_up(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Columns) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut Desk, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, Infallible> {
        Ok(None)
    }

    fn on_step(&mut self, desk: &mut Desk, _: Nanos) -> Result<(), Infallible> {
        self.step += 1;
        let mark = |desk: &Desk, at| desk.history(InstrumentIndex(at), 1).unwrap().close()[0];
        // Thirty orders a minute, ten an hour.
        if (BARS - 4..BARS - 2).contains(&self.step) {
            let first = if self.step == BARS - 4 { 0 } else { INSTRUMENTS / 2 };
            for at in first..first + INSTRUMENTS / 2 {
                let mark = mark(desk, at);
                desk.submit(request(at, mark, OrderType::Market, 1_000_000.0 * 0.01 / mark)).unwrap();
            }
        }
        if self.step == BARS - 1 {
            let mark = mark(desk, 7);
            for _ in 0..ASKED {
                let far = request(7, mark * 0.9, OrderType::Limit(mark * 0.9), 1_000.0 / mark);
                let refused = black_box(desk.submit(far)).unwrap_err();
                assert_eq!((refused.len(), refused[0].rule.as_str()), (1, "price-collar"));
            }
        }
        Ok(())
    }

    fn on_fill(&mut self, _: &mut Desk, _: &Fill) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut Desk, _: &OrderUpdate) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_timer(&mut self, _: &mut Desk, _: TimerId, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A thousand orders in one instant, each read, judged by every rule with twenty positions and their stops open, refused and
/// recorded. Divide by a thousand.
#[divan::bench]
fn a_thousand_requests_in_the_kernel(bencher: Bencher<'_, '_>) {
    let traded = |number| Traded {
        instrument: instrument(number),
        interval: Nanos::from_hours(1),
        bars: Arc::new(bars(number)),
        ends: false,
        perpetual: tiltyard_engine::PerpetualSeries::default(),
    };
    let simulation = Simulation {
        market: (0..INSTRUMENTS).map(traded).collect(),
        window: Window::default(),
        profile: Profile::Conservative,
        costs: Costs::default(),
        latency: Latency::default(),
        risk: RiskProfile::account(),
        seed: 0,
        days_per_year: 365.0,
        margin: tiltyard_engine::MarginTerms::default(),
    };
    bencher
        .with_inputs(|| {
            let mut kernel = simulation.kernel(Log::digest_only()).unwrap();
            let terms = Terms::new("asker", Money(Decimal::from(1_000_000)), None);
            kernel.seat(terms, |_| Ok::<_, Infallible>(Asker::default())).unwrap();
            let (mut feed, mut step) = (simulation.feed(), Step::default());
            for _ in 0..BARS - 2 {
                feed.next(&mut step);
                kernel.step(&step);
            }
            let held = (0..INSTRUMENTS).filter(|at| !kernel.books().unwrap().position(InstrumentIndex(*at)).is_zero());
            assert_eq!(held.count(), INSTRUMENTS as usize, "everything is held");
            feed.next(&mut step);
            (kernel, step)
        })
        .bench_local_values(|(mut kernel, step)| {
            kernel.step(&step);
            kernel
        });
}

/// The rules alone, of an order that breaks none, with twenty stakes and all correlations known.
#[divan::bench]
fn the_rules_alone(bencher: Bencher<'_, '_>) {
    let limits = Limits::account();
    let closes: Vec<Vec<f64>> =
        (0..INSTRUMENTS).map(|at| bars(at).close().iter().step_by(24).copied().collect()).collect();
    let correlations = Correlations::of_closes(&closes, 30);
    let money = |amount: i64| Money(Decimal::from(amount));
    let stake = |at| Stake { strategy: 0, instrument: InstrumentIndex(at), exposure: Exposure::of(money(15_000)) };
    let stakes: Vec<Stake> = (0..INSTRUMENTS).map(stake).collect();
    let guard = AccountGuard::default();
    let rules = tiltyard_model::Specification::new(&instrument(7)).unwrap();
    let request = request(7, 100.0, OrderType::Market, 10.0);
    let ticket = tiltyard_model::Ticket::read(request, &rules, Nanos(0)).unwrap();
    let situation = Situation {
        now: Nanos(0),
        clock: Nanos(0),
        strategy: 0,
        equity: money(1_000_000),
        share: Fraction::ONE,
        instrument: InstrumentIndex(7),
        base: "A7",
        interval: Nanos::from_hours(1),
        age: Some(Nanos(0)),
        range: Some(2.0),
        recent_orders: Recent::default(),
        account: Account { equity: money(1_000_000), stakes: &stakes, correlations: &correlations, guard: &guard },
        permission: Permission::All,
        kind: InstrumentKind::Perpetual,
        rules: &rules,
        mark: Some(tiltyard_model::Price(Decimal::from(100))),
        cost: Decimal::new(5, 4),
        position: tiltyard_model::Qty(Decimal::from(100)),
        value: money(10_000),
        free: money(500_000),
        standing: &[],
    };
    let proposal = Proposal { ticket: &ticket, filled: tiltyard_model::Qty::ZERO };
    let verdict = limits.judge(&proposal, &situation);
    assert!(verdict.violations.is_empty(), "{verdict:?}");
    bencher.bench(|| limits.judge(black_box(&proposal), black_box(&situation)));
}
