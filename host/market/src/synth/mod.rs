//! Markets that are made up, with the traits that real ones have.

mod draw;
mod process;

use tiltyard_model::{Bar, Columns, Instrument, InstrumentKind, Interval, Nanos};

use crate::{Key, KeyError, Synthetic, parse_date};
use draw::Draw;
use process::{Common, Own, Path};

/// Several correlated markets that are made up.
///
/// The same seed gives the same bars on every machine, and a bar depends on nothing that comes after it: neither on how many
/// bars or markets are made, nor on each other's. Prices say nothing about any real market.
///
/// | trait | from |
/// |---|---|
/// | calm and wild spells | the logarithm of volatility reverts to its mean, one part within hours, one within weeks |
/// | fat tails | Student's t with 5 degrees of freedom (one scale for all of a bar), and jumps |
/// | bull, bear and sideways markets | a Markov chain of regimes with mean lengths of 60, 40 and 30 days |
/// | markets move together | each moves with one common market by its own beta, and by itself |
/// | busy hours | volatility and volume follow the hour of the day, with their peak at 15:00 UTC |
/// | volume comes with moves | volume grows with volatility and with what the bar itself moved |
/// | highs and lows | every bar is a path of [`SyntheticMarket::STEPS`] steps |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntheticMarket {
    /// What all random numbers are drawn from.
    pub seed: u64,
    /// Length of a bar.
    pub interval: Interval,
    /// When the first bar opens.
    pub begin: Nanos,
}

impl SyntheticMarket {
    /// The venue of everything made up.
    pub const VENUE: &str = "synthetic";
    /// The generator's name and version. A change that makes other bars is a new version.
    pub const GENERATOR: &str = "tiltyard-market 1";
    /// Steps of the path within a bar.
    pub const STEPS: usize = 12;

    /// Markets that begin with the year 2020.
    #[must_use]
    pub fn new(seed: u64, interval: Interval) -> Self {
        let begin = parse_date("2020-01-01").expect("2020 began");
        Self { seed, interval, begin }
    }

    /// Where the bars of a market are kept; markets are counted from 0, their names from 1.
    ///
    /// # Errors
    /// [`KeyError::Interval`] if the interval has no name.
    pub fn key(&self, market: usize) -> Result<Key, KeyError> {
        Key::new(Self::VENUE, &Self::symbol(market), self.interval)
    }

    /// The name of a market: `SYN1-USD` is the first.
    #[must_use]
    pub fn symbol(market: usize) -> String {
        format!("SYN{}-USD", market + 1)
    }

    /// How bars of this market can be made again.
    #[must_use]
    pub fn label(&self) -> Synthetic {
        Synthetic { generator: Self::GENERATOR.to_owned(), seed: self.seed, begin: self.begin }
    }

    /// The rules of a market, which follow from the price it begins at. Fees are those of no venue in particular.
    #[must_use]
    pub fn instrument(&self, market: usize) -> Instrument {
        let own = Own::new(self.seed, market);
        Instrument {
            symbol: Self::symbol(market),
            venue: Self::VENUE.to_owned(),
            kind: InstrumentKind::Spot,
            base: format!("SYN{}", market + 1),
            quote: "USD".to_owned(),
            tick: own.tick(),
            lot: own.lot(),
            min_notional: 10.0,
            maker_fee: 0.0005,
            taker_fee: 0.0005,
            max_leverage: 1.0,
            margin: tiltyard_model::MarginRules::default(),
        }
    }

    /// The first bars of a market. Fewer only where time ends, in 2262; none if the interval has no length.
    #[must_use]
    pub fn bars(&self, market: usize, count: usize) -> Columns {
        let Interval::Only(length) = self.interval else { return Columns::default() };
        if length.0 <= 0 {
            return Columns::default();
        }
        let own = Own::new(self.seed, market);
        let mut common = Common::new(self.seed, length);
        let mut path = Path::new(&own, Draw::new(self.seed, draw::OWN, market as u64), length);
        let mut bars = Columns::with_capacity(count.min(1 << 24));
        for at in 0..count {
            let since = i64::try_from(at).ok().and_then(|at| length.0.checked_mul(at));
            let Some(open_time) = since.and_then(|since| self.begin.0.checked_add(since)).map(Nanos) else { break };
            let bar: Bar = path.bar(open_time, &common.step(open_time));
            bars.push(&bar);
        }
        bars
    }
}
