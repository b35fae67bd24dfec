//! Buys at the first bar and holds: the benchmark that every other strategy has to beat.

use tiltyard_sdk::prelude::*;

params! {
    /// How much to buy.
    pub struct Params {
        /// Fraction of equity to invest, spread evenly over the instruments.
        invested: f64 = 1.0 in 0.01..=1.0 step 0.01, risk;
    }
}

/// The strategy.
#[derive(Debug)]
pub struct BuyAndHold {
    share: f64,
    bought: Vec<bool>,
}

impl Strategy for BuyAndHold {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "buy-and-hold",
        version: env!("CARGO_PKG_VERSION"),
        description: "Buys every instrument at the first bar and holds.",
        hypothesis: "The market rises over the window; whoever trades has to earn more than doing nothing would.",
        falsified_by: "The instruments end the window lower than they began it.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        let instruments = start.instruments.len();
        Ok(Self { share: start.params.invested / instruments as f64, bought: vec![false; instruments] })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, _: &Bar) {
        let bought = &mut self.bought[instrument as usize];
        if *bought {
            return;
        }
        match desk.target(instrument, self.share, None) {
            Ok(_) => *bought = true,
            // Whatever stands in the way may be gone on the next bar.
            Err(violations) => desk.log(Level::Warn, &format!("not bought: {violations:?}")),
        }
    }
}

register!(strategy: BuyAndHold);
