//! A strategy of every kind, tried natively.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may")]

use tiltyard_sdk::prelude::*;
use tiltyard_sdk::{OrderStatus, Value};
use tiltyard_sdk_testing::{Market, Trial, TrialError};

params! {
    pub struct Params {
        /// Percent below the last close to buy at.
        below: f64 = 1.0 in 0.1..=10.0 step 0.1, threshold;
    }
}

/// Buys at a limit below the last close with a bracket around it, and says what it hears.
pub struct Dips {
    below: f64,
    order: Option<OrderId>,
}

impl Strategy for Dips {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "dips",
        version: "0.1.0",
        description: "Buys dips.",
        hypothesis: "What falls comes back.",
        falsified_by: "It does not.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        if start.instruments.len() != 1 {
            return Err(InitError::Instruments("one is needed".to_owned()));
        }
        Ok(Self { below: start.params.below, order: None })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        if self.order.is_some() {
            return;
        }
        let price = bar.close * (1.0 - self.below / 100.0);
        let request = OrderRequest {
            instrument,
            side: Side::Buy,
            order_type: OrderType::Limit(price),
            quantity: 10.0,
            time_in_force: TimeInForce::GoodTillCancelled,
            reduce_only: false,
            post_only: true,
            stop_loss: Some(StopLoss::Fixed(price * 0.9)),
            take_profit: Some(price * 1.05),
            tag: "dip".to_owned(),
        };
        self.order = desk.submit(&request).ok().map(|acceptance| acceptance.order);
    }

    fn on_order(&mut self, desk: &mut impl Desk, update: &OrderUpdate) {
        if update.status == OrderStatus::Accepted && update.parent.is_some() {
            desk.log(Level::Info, &format!("{:?} protects {:?}", update.origin, update.parent));
        }
    }
}

/// 100, a dip that trades through 99, and up to beyond 103.95.
fn dip() -> Market {
    Market::bars(&[
        [100.0, 100.0, 100.0, 100.0, 1e6],
        [100.0, 100.0, 98.0, 99.0, 1e6],
        [99.0, 105.0, 99.0, 104.0, 1e6],
        [104.0, 104.0, 104.0, 104.0, 1e6],
    ])
}

#[test]
fn orders_fill_as_the_kernel_fills_them() {
    let played = Trial::new(dip()).strategy::<Dips>().unwrap();
    let fills: Vec<_> = played.fills.iter().map(|fill| (fill.side, fill.price, fill.quantity, &*fill.tag)).collect();
    assert_eq!(fills, [(Side::Buy, 99.0, 10.0, "dip"), (Side::Sell, 103.95, 10.0, "dip")]);
    let [trade] = &played.trades[..] else { panic!("{:?}", played.trades) };
    // 49.50 less 5 basis points of 990 and of 1,039.50.
    assert!((trade.net - (49.5 - 0.495 - 0.51975)).abs() < 1e-9, "{trade:?}");
    assert_eq!((&*trade.exit_reason, played.equity), ("take_profit", 1_000_000.0 + trade.net));
    assert_eq!(played.lines.len(), 2, "a stop-loss and a take-profit came to life: {:?}", played.lines);
    assert!(played.refusals.is_empty());
    assert_eq!(played.positions, [0.0]);
}

#[test]
fn parameters_are_given_by_name_and_refused_as_the_host_refuses_them() {
    let deeper = Trial::new(dip()).param("below", Value::Real(5.0)).strategy::<Dips>().unwrap();
    assert!(deeper.fills.is_empty(), "95 is never reached");
    for (name, value) in [("below", Value::Real(50.0)), ("below", Value::Integer(1)), ("above", Value::Real(1.0))] {
        let refused = Trial::new(dip()).param(name, value).strategy::<Dips>();
        assert!(matches!(refused, Err(TrialError::Parameter(_))), "{name}");
    }
}

#[test]
fn what_does_not_start_says_why() {
    let two = Trial::new(dip()).and(dip().symbol("OTHER")).strategy::<Dips>();
    assert_eq!(two.unwrap_err(), TrialError::Init(InitError::Instruments("one is needed".to_owned())));
    let odd = Trial::new(dip().tick(0.0)).strategy::<Dips>();
    assert!(matches!(odd, Err(TrialError::Market(_))));
}

#[test]
fn refusals_are_written_down() {
    let played = Trial::new(dip()).cash(10).strategy::<Dips>().unwrap();
    assert_eq!(played.refusals.len(), 4, "one at every bar");
    assert_eq!(played.refusals[0][0].rule, "insufficient-funds");
    let free = Trial::new(dip().fee(0.0)).without_slippage().strategy::<Dips>().unwrap();
    assert_eq!(free.equity, 1_000_049.5);
}
