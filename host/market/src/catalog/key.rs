use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use tiltyard_model::{Interval, Nanos, is_shown, shown};

/// Which series: of what, where, and how long a bar is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    venue: String,
    symbol: String,
    /// As an [`Interval`], so that it is written like `1h`.
    #[serde(serialize_with = "as_interval")]
    interval: Nanos,
}

/// A name or a length that no series can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, too long, or with characters that a terminal would obey.
    #[error(
        "the {what} `{name}` is no name for a series; it takes 1 to {} bytes without control characters",
        Key::LONGEST
    )]
    Name {
        /// Venue or symbol.
        what: &'static str,
        /// What was given, cut.
        name: String,
    },
    /// No length that has a name.
    #[error("bars of {0} have no name; an interval is 1 to 366 seconds, minutes, hours or days, such as 1m, 4h or 1d")]
    Interval(Interval),
}

impl Key {
    /// Most bytes of a venue or a symbol, so that a file name holds them however they are encoded.
    pub const LONGEST: usize = 64;

    /// The key of bars of a symbol at a venue.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(venue: &str, symbol: &str, interval: Interval) -> Result<Self, KeyError> {
        for (what, name) in [("venue", venue), ("symbol", symbol)] {
            if name.is_empty() || name.len() > Self::LONGEST || !is_shown(name) || name.trim() != name {
                return Err(KeyError::Name { what, name: shown(name, Self::LONGEST) });
            }
        }
        let Interval::Only(length) = interval else { return Err(KeyError::Interval(interval)) };
        if named_interval(length).is_none() {
            return Err(KeyError::Interval(interval));
        }
        Ok(Self { venue: venue.to_owned(), symbol: symbol.to_owned(), interval: length })
    }

    /// The venue, such as `binance`.
    #[must_use]
    pub fn venue(&self) -> &str {
        &self.venue
    }

    /// The venue's symbol, such as `BTCUSDT`.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The interval.
    #[must_use]
    pub fn interval(&self) -> Interval {
        Interval::Only(self.interval)
    }

    /// The length of a bar.
    #[must_use]
    pub fn length(&self) -> Nanos {
        self.interval
    }

    /// Where the series lies below the catalog's folder. No two keys have the same place.
    pub(super) fn path(&self) -> PathBuf {
        let file = format!("{}.parquet", self.interval());
        [encode(&self.venue), encode(&self.symbol), file].iter().collect()
    }

    /// The key whose [`path`](Self::path) has these parts.
    pub(super) fn of_path(venue: &str, symbol: &str, file: &str) -> Option<Self> {
        let interval = Interval::try_from(file.strip_suffix(".parquet")?.to_owned()).ok()?;
        let key = Self::new(&decode(venue)?, &decode(symbol)?, interval).ok()?;
        // What has several spellings has one that counts.
        (key.path() == [venue, symbol, file].iter().collect::<PathBuf>()).then_some(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.venue, self.symbol, self.interval())
    }
}

fn as_interval<S: serde::Serializer>(length: &Nanos, serializer: S) -> Result<S::Ok, S::Error> {
    Interval::Only(*length).serialize(serializer)
}

/// The interval of this length, if it is one that people can write.
pub(crate) fn named_interval(length: Nanos) -> Option<Interval> {
    let interval = Interval::Only(length);
    Interval::try_from(interval.to_string()).ok().filter(|named| *named == interval)
}

/// A name as part of a path: letters, digits, `-` and `_` as they are, every other byte as `%` and two digits.
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || (rest.next()? as char).to_digit(16);
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Key, named_interval};
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use std::path::Component;
    use tiltyard_model::{Interval, Nanos};

    const HOUR: Interval = Interval::Only(Nanos::from_hours(1));

    fn parts(key: &Key) -> Vec<String> {
        key.path()
            .components()
            .map(|part| match part {
                Component::Normal(name) => name.to_str().unwrap().to_owned(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_path_says_what_is_in_it_and_leads_nowhere_else() {
        let key = |symbol: &str| parts(&Key::new("binance", symbol, HOUR).unwrap()).join(" ");
        assert_eq!(key("BTCUSDT"), "binance BTCUSDT 1h.parquet");
        assert_eq!(key("BTC/USDT"), "binance BTC%2FUSDT 1h.parquet");
        assert_eq!(key(".."), "binance %2E%2E 1h.parquet");
        assert_eq!(key("C:\\x"), "binance C%3A%5Cx 1h.parquet");
        assert_eq!(key("EUR%2FUSD"), "binance EUR%252FUSD 1h.parquet");
    }

    #[test]
    fn names_and_lengths_that_cannot_be_told_apart_are_refused() {
        for name in ["", " A", "A\n", "\u{1b}[2J", "\u{202e}A", &"A".repeat(65)] {
            assert!(Key::new("binance", name, HOUR).is_err(), "{name:?}");
            assert!(Key::new(name, "BTCUSDT", HOUR).is_err(), "{name:?}");
        }
        for length in [0, -1, 1, 1_500_000_000, i64::MAX] {
            assert!(Key::new("binance", "A", Interval::Only(Nanos(length))).is_err(), "{length}");
        }
        assert!(Key::new("binance", "A", Interval::Any).is_err());
        assert_eq!(named_interval(Nanos::from_secs(90)), Some(Interval::Only(Nanos::from_secs(90))));
        assert_eq!(named_interval(Nanos::from_secs(367 * 60 + 1)), None);
    }

    #[test]
    fn only_the_one_spelling_of_a_path_is_a_key() {
        for (venue, symbol, file) in [
            ("binance", "BTC%2fUSDT", "1h.parquet"),
            ("binance", "%41", "1h.parquet"),
            ("binance", "BTC%2", "1h.parquet"),
            ("binance", "A.B", "1h.parquet"),
            ("binance", "A", "60m.parquet"),
            ("binance", "A", "any.parquet"),
            ("binance", "A", "1h.csv"),
            ("binance", "%FF", "1h.parquet"),
            ("..", "A", "1h.parquet"),
        ] {
            assert_eq!(Key::of_path(venue, symbol, file), None, "{venue} {symbol} {file}");
        }
    }

    proptest! {
        #[test]
        fn every_key_is_found_again_by_its_path(venue in any::<String>(), symbol in ".{1,20}", count in 1..366_i64) {
            let interval = Interval::Only(Nanos::from_secs(60 * count));
            if let Ok(key) = Key::new(&venue, &symbol, interval) {
                let parts = parts(&key);
                prop_assert_eq!(parts.len(), 3);
                prop_assert_eq!(Key::of_path(&parts[0], &parts[1], &parts[2]), Some(key));
            }
        }
    }
}
