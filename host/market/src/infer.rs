//! An instrument's rules, guessed from its bars or its tape.

use tiltyard_model::tape::{Level, TapeEvent};
use tiltyard_model::{Columns, Decimal, Instrument, InstrumentKind, decimal};

/// Most decimals that an inferred tick or lot has; more than that is how a binary number was printed, not a rule.
pub const FINEST_DECIMALS: u32 = 12;

/// Fee of every trade, as a fraction of its value, where nobody says any.
pub const ASSUMED_FEE: f64 = 0.0005;

/// Currencies that prices are in, longest first.
const QUOTES: [&str; 12] = ["FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "TRY", "BTC", "ETH", "BNB"];

/// A spot instrument inferred from the data: what the venue's rules were is not known.
///
/// Tick and lot are the finest steps that these prices and volumes show, at most [`FINEST_DECIMALS`] decimals;
/// the venue's may have been coarser at times, or finer. There is no least notional and no leverage. Fees are given,
/// as fractions of notional. Base and quote are taken from the symbol: at its `/` or `-`, else before the longest known
/// quote currency it ends with (so `DOTUSD` is taken for DO in TUSD; write `DOT-USD`), else the whole symbol in USD.
#[must_use]
pub fn infer_instrument(symbol: &str, venue: &str, bars: &Columns, maker_fee: f64, taker_fee: f64) -> Instrument {
    let price = finest([bars.open(), bars.high(), bars.low(), bars.close()]);
    let steps = Steps { price, traded: Some(finest([bars.volume()])), shown: 0 };
    steps.instrument(symbol, venue, maker_fee, taker_fee)
}

/// The finest steps that a market has shown, as far as it was looked at: decimals of prices and of quantities.
///
/// The quantities are those of trades, where there are any: what is shown at a price may hold the rest of an order from a time when
/// the venue's lots were finer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    price: u32,
    traded: Option<u32>,
    shown: u32,
}

impl Steps {
    /// Looks at an event of a tape. Zeros at the end of a number say nothing.
    pub fn see(&mut self, event: &TapeEvent) {
        match event {
            TapeEvent::Quote(quote) => quote.bid.iter().chain(&quote.ask).for_each(|level| self.level(level)),
            TapeEvent::Depth(change) => change.bids.iter().chain(&change.asks).for_each(|level| self.level(level)),
            TapeEvent::Print(print) => {
                self.price = self.price.max(decimals(print.price.0));
                self.traded = self.traded.max(Some(decimals(print.quantity.0)));
            }
        }
    }

    fn level(&mut self, level: &Level) {
        self.price = self.price.max(decimals(level.price.0));
        self.shown = self.shown.max(decimals(level.size.0));
    }

    /// The spot instrument with these steps, as [`infer_instrument`] has it.
    #[must_use]
    pub fn instrument(self, symbol: &str, venue: &str, maker_fee: f64, taker_fee: f64) -> Instrument {
        let (base, quote) = split(symbol);
        Instrument {
            symbol: symbol.to_owned(),
            venue: venue.to_owned(),
            kind: InstrumentKind::Spot,
            base,
            quote,
            tick: step(self.price),
            lot: step(self.traded.unwrap_or(self.shown)),
            min_notional: 0.0,
            maker_fee,
            taker_fee,
            max_leverage: 1.0,
            margin: tiltyard_model::MarginRules::default(),
        }
    }
}

fn split(symbol: &str) -> (String, String) {
    let symbol = symbol.to_ascii_uppercase();
    let parted = symbol.split_once(['/', '-']).or_else(|| {
        QUOTES.iter().find_map(|quote| Some((symbol.strip_suffix(quote)?, *quote)).filter(|(base, _)| !base.is_empty()))
    });
    match parted {
        Some((base, quote)) if !base.is_empty() && !quote.is_empty() => (base.to_owned(), quote.to_owned()),
        _ => (symbol, "USD".to_owned()),
    }
}

/// Most decimals that any of these numbers needs, as a person would write it.
fn finest<const N: usize>(columns: [&[f64]; N]) -> u32 {
    let values = columns.into_iter().flatten();
    values.map(|value| decimal(*value).map_or(0, |exact| exact.scale())).max().unwrap_or_default()
}

fn decimals(number: Decimal) -> u32 {
    number.normalize().scale()
}

/// The number nearest to 10⁻ⁿ, which powers of 10 computed by multiplication are not always.
fn step(decimals: u32) -> f64 {
    format!("1e-{}", decimals.min(FINEST_DECIMALS)).parse().expect("1e-n is a number")
}

#[cfg(test)]
mod tests {
    use super::{Steps, infer_instrument, split, step};
    use tiltyard_model::tape::{DepthChange, Level, Print, Quote, TapeEvent};
    use tiltyard_model::{Bar, Columns, InstrumentKind, Nanos, Price, Qty, Side};

    #[test]
    fn symbols_split_before_the_longest_quote_they_end_with() {
        for (symbol, base, quote) in [
            ("BTCUSDT", "BTC", "USDT"),
            ("btcusdt", "BTC", "USDT"),
            ("BTCFDUSD", "BTC", "FDUSD"),
            ("BTCUSD", "BTC", "USD"),
            ("ETHBTC", "ETH", "BTC"),
            ("USDTTRY", "USDT", "TRY"),
            ("BTC/USDT", "BTC", "USDT"),
            ("BTC-USD", "BTC", "USD"),
            ("DOT-USD", "DOT", "USD"),
            ("XAU/CHF", "XAU", "CHF"),
            ("AAPL", "AAPL", "USD"),
            ("USDT", "USDT", "USD"),
            ("/USDT", "/USDT", "USD"),
            ("", "", "USD"),
        ] {
            assert_eq!(split(symbol), (base.to_owned(), quote.to_owned()), "{symbol}");
        }
    }

    #[test]
    fn a_step_is_the_number_nearest_to_the_power() {
        assert_eq!([0, 1, 2, 5, 8].map(step), [1.0, 0.1, 0.01, 0.000_01, 0.000_000_01]);
        assert_eq!(step(17), 1e-12);
        assert_eq!(step(u32::MAX), 1e-12);
    }

    #[test]
    fn an_inferred_instrument_is_spot_without_leverage() {
        let bar =
            |price: f64, volume: f64| Bar { open_time: Nanos(0), open: price, high: 3.0, low: 1.0, close: 2.0, volume };
        let bars: Columns = [bar(2.25, 1.0), bar(2.5, 0.123_45)].into_iter().collect();
        let instrument = infer_instrument("BTCUSDT", "binance", &bars, 0.001, 0.002);
        assert_eq!((instrument.tick, instrument.lot, instrument.min_notional), (0.01, 0.000_01, 0.0));
        assert_eq!((instrument.maker_fee, instrument.taker_fee, instrument.max_leverage), (0.001, 0.002, 1.0));
        assert_eq!((instrument.kind, instrument.symbol.as_str()), (InstrumentKind::Spot, "BTCUSDT"));
    }

    #[test]
    fn a_tape_shows_steps_whatever_zeros_it_is_written_with() {
        let level =
            |price: &str, size: &str| Level { price: Price(price.parse().unwrap()), size: Qty(size.parse().unwrap()) };
        let steps = |events: &[TapeEvent]| {
            let mut steps = Steps::default();
            events.iter().for_each(|event| steps.see(event));
            let instrument = steps.instrument("BTCUSDT", "binance", 0.001, 0.002);
            (instrument.tick, instrument.lot)
        };
        let (coarse, fine) = (level("61837.00000000", "3.00"), level("61837.10000000", "0.02500"));
        let quote = |bid| TapeEvent::Quote(Quote { bid: Some(bid), ask: None });
        let depth = TapeEvent::Depth(DepthChange { bids: vec![coarse], asks: vec![fine], whole: false });
        let print = |Level { price, size }| TapeEvent::Print(Print { price, quantity: size, aggressor: Side::Buy });
        assert_eq!(steps(&[quote(coarse)]), (1.0, 1.0));
        assert_eq!(steps(&[quote(coarse), quote(fine)]), (0.1, 0.001));
        assert_eq!(steps(std::slice::from_ref(&depth)), (0.1, 0.001));
        assert_eq!(steps(&[print(coarse), print(fine)]), (0.1, 0.001));
        assert_eq!(steps(&[depth, print(level("1", "0.5"))]), (0.1, 0.1), "trades say how much can be traded");
    }
}
