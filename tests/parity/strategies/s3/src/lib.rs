//! S3: exponential averages over 12 and 48 closes, long or short, always in the market.

use tiltyard_sdk::prelude::*;

params! {
    /// It has none.
    pub struct Params {}
}

/// The strategy.
#[derive(Debug)]
pub struct S3 {
    bars: u32,
    averages: Option<[f64; 2]>,
}

/// Over how many closes each average goes.
const SPANS: [f64; 2] = [12.0, 48.0];

impl S3 {
    /// Takes a close in; 1 if the fast average is above the slow one, -1 if below, 0 if equal or before there are 48 closes.
    fn direction(&mut self, close: f64) -> f64 {
        let mut averages = self.averages.unwrap_or([close; 2]);
        if self.averages.is_some() {
            for (average, span) in averages.iter_mut().zip(SPANS) {
                let weight = 2.0 / (span + 1.0);
                *average = weight * close + (1.0 - weight) * *average;
            }
        }
        self.averages = Some(averages);
        self.bars += 1;
        let [fast, slow] = averages;
        if self.bars < 48 || fast == slow { 0.0 } else { (fast - slow).signum() }
    }
}

impl Strategy for S3 {
    type Params = Params;
    const MANIFEST: Manifest = Manifest {
        name: "parity-s3",
        version: env!("CARGO_PKG_VERSION"),
        description: "Holds a unit long or short, as exponential averages over 12 and 48 closes stand.",
        hypothesis: "It trades as other engines do.",
        falsified_by: "A trade differs.",
        ..Manifest::DEFAULT
    };

    fn new(start: &Start<Params>) -> Result<Self, InitError> {
        start.only_instrument()?;
        Ok(Self { bars: 0, averages: None })
    }

    fn on_bar(&mut self, desk: &mut impl Desk, instrument: InstrumentIndex, bar: &Bar) {
        let direction = self.direction(bar.close);
        let held = desk.position(instrument).map_or(0.0, |position| position.quantity);
        if direction == 0.0 || direction * held > 0.0 {
            return;
        }
        if held != 0.0 {
            let _ = desk.close(instrument);
        }
        let side = if direction > 0.0 { Side::Buy } else { Side::Sell };
        let _ = desk.submit(&OrderRequest::market(instrument, side, 1.0));
    }
}

register!(strategy: S3);
