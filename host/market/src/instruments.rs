//! The rules of venues for instruments, by date.

use std::collections::BTreeMap;

use tiltyard_config::{ConfigError, Section};
use tiltyard_model::{BorrowRates, Instrument, InstrumentKind, MarginRules, MarginTier, Nanos, Specification};

use crate::{format_time, parse_date};

/// The rules that this program brings.
const BUILT_IN: &str = include_str!("../../../config/instruments.toml");

/// What is known about the rules of instruments, and from when on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Instruments(BTreeMap<(String, String), Vec<DatedRules>>);

/// Rules that hold from an instant on.
#[derive(Debug, Clone, PartialEq)]
pub struct DatedRules {
    /// The instant.
    pub from: Nanos,
    /// The instrument as they have it.
    pub instrument: Instrument,
}

/// Why there are no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownInstrument {
    /// Nothing at any time.
    #[error("nothing is known about the rules of {symbol} at {venue}")]
    Never {
        /// The venue.
        venue: String,
        /// The symbol.
        symbol: String,
    },
    /// Nothing yet at that time.
    #[error(
        "nothing is known about the rules of {symbol} at {venue} on {}; they are known from {} on",
        format_time(*at), format_time(*from)
    )]
    Before {
        /// The venue.
        venue: String,
        /// The symbol.
        symbol: String,
        /// When they were asked for.
        at: Nanos,
        /// Since when they are known.
        from: Nanos,
    },
}

/// What a venue's rules say, each or all of it; what later rules do not say stays as it was.
#[derive(Debug, Clone, Default)]
struct Figures {
    tick: Option<f64>,
    lot: Option<f64>,
    min_notional: Option<f64>,
    maker_fee: Option<f64>,
    taker_fee: Option<f64>,
    max_leverage: Option<f64>,
    liquidation_fee: Option<f64>,
    borrowing: BorrowRates,
    tiers: Vec<MarginTier>,
}

impl Instruments {
    /// The rules that this program brings, from `config/instruments.toml`.
    ///
    /// # Panics
    /// Never: a test reads them.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse("the built-in instruments.toml", BUILT_IN).expect("a test reads the rules that are built in")
    }

    /// Reads rules. `name` is used in messages.
    ///
    /// One `[[instrument]]` has `venue`, `symbol`, `kind` (`spot`, `perpetual` or `spot_margin`), `base`, `quote`, and one or more
    /// `[[instrument.rules]]`, each with the date `from` (UTC) on which it begins to hold, later ones after earlier ones.
    /// The first says `tick`, `lot`, `min_notional` (quote currency), `maker_fee`, `taker_fee` (fractions) and
    /// `max_leverage`; later ones say what changed. Those of what is held on margin may also say `liquidation_fee` (a fraction), for
    /// `spot_margin` `borrow_base` and `borrow_quote` (interest of a day on what is borrowed, fractions), and one or more
    /// `[[instrument.rules.tier]]`, each with `up_to` (notional in quote currency, absent for no end), `maintenance` (a fraction)
    /// and `max_leverage`; later tiers stand for all earlier ones.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        tiltyard_config::parse(name, text, |file| {
            let mut all: BTreeMap<(String, String), Vec<DatedRules>> = BTreeMap::new();
            for mut section in file.sections("instrument") {
                if let Some(rules) = instrument(&mut section) {
                    let Instrument { venue, symbol, .. } = rules[0].instrument.clone();
                    if all.insert((venue, symbol), rules).is_some() {
                        section.problem("symbol", "is here a second time at this venue; remove one of the two");
                    }
                }
                section.end();
            }
            Some(Self(all))
        })
    }

    /// The instrument with the latest rules that hold at this instant.
    ///
    /// # Errors
    /// [`UnknownInstrument`] if nothing is known about it, or not yet.
    pub fn find(&self, venue: &str, symbol: &str, at: Nanos) -> Result<&Instrument, UnknownInstrument> {
        self.holding(venue, symbol, at).map(|rules| &rules.instrument)
    }

    /// The rules by which a window is played that ends at `end`: those that hold just before it. Those of before the first that
    /// are known are taken for these, if they are known before `last`, the end of all that may be read: an instrument is not
    /// to change its kind or its currency between two windows.
    #[must_use]
    pub fn at_end(&self, venue: &str, symbol: &str, end: Nanos, last: Nanos) -> Option<&DatedRules> {
        match self.holding(venue, symbol, Nanos(end.0.saturating_sub(1))) {
            Ok(rules) => Some(rules),
            Err(UnknownInstrument::Before { from, .. }) if from < last => self.holding(venue, symbol, from).ok(),
            Err(_) => None,
        }
    }

    fn holding(&self, venue: &str, symbol: &str, at: Nanos) -> Result<&DatedRules, UnknownInstrument> {
        let never = || UnknownInstrument::Never { venue: venue.to_owned(), symbol: symbol.to_owned() };
        let rules = self.0.get(&(venue.to_owned(), symbol.to_owned())).ok_or_else(never)?;
        let holding = rules.partition_point(|rules| rules.from <= at);
        match holding.checked_sub(1) {
            Some(latest) => Ok(&rules[latest]),
            None => Err(UnknownInstrument::Before {
                venue: venue.to_owned(),
                symbol: symbol.to_owned(),
                at,
                from: rules[0].from,
            }),
        }
    }

    /// Every instrument as its latest rules have it, by venue and symbol.
    pub fn latest(&self) -> impl Iterator<Item = &Instrument> {
        self.0.values().filter_map(|rules| rules.last().map(|rules| &rules.instrument))
    }
}

/// The rules of one `[[instrument]]`, at least one; `None` if something is wrong with it, which has been said.
fn instrument(section: &mut Section<'_>) -> Option<Vec<DatedRules>> {
    let (venue, symbol) = (section.text("venue"), section.text("symbol"));
    let (base, quote) = (section.text("base"), section.text("quote"));
    let kind = section.text("kind").and_then(|kind| match kind.as_str() {
        "spot" => Some(InstrumentKind::Spot),
        "perpetual" => Some(InstrumentKind::Perpetual),
        "spot_margin" => Some(InstrumentKind::SpotMargin),
        other => {
            section.problem("kind", format!("is `{other}`; it takes spot, perpetual or spot_margin"));
            None
        }
    });
    let dated = section.sections("rules");
    if dated.is_empty() {
        section.problem("rules", "are missing; give at least one [[instrument.rules]]");
    }
    let mut figures = Figures::default();
    let mut known: Vec<(Nanos, Figures)> = Vec::new();
    let count = dated.len();
    for (at, mut section) in dated.into_iter().enumerate() {
        let from = date(&mut section);
        if let (Some(from), Some((before, _))) = (from, known.last())
            && from <= *before
        {
            section
                .problem("from", format!("is not after {}, the rules before; put them in order", format_time(*before)));
        }
        figures = figures.then(&mut section, at == 0);
        known.extend(from.map(|from| (from, figures.clone())));
        section.end();
    }
    let named = Instrument {
        symbol: symbol?,
        venue: venue?,
        kind: kind?,
        base: base?,
        quote: quote?,
        tick: 0.0,
        lot: 0.0,
        min_notional: 0.0,
        maker_fee: 0.0,
        taker_fee: 0.0,
        max_leverage: 0.0,
        margin: MarginRules::default(),
    };
    let mut rules = Vec::new();
    for (from, figures) in known {
        let instrument = figures.of(&named)?;
        if let Err(error) = Specification::new(&instrument) {
            section.problem("rules", error.to_string());
            return None;
        }
        rules.push(DatedRules { from, instrument });
    }
    (count > 0 && rules.len() == count).then_some(rules)
}

/// The margin tiers of one `[[instrument.rules]]`.
fn tiers(section: &mut Section<'_>) -> Vec<MarginTier> {
    let mut tiers = Vec::new();
    for mut tier in section.sections("tier") {
        let up_to = tier.optional_number("up_to", 0.0, 1e12);
        let maintenance = tier.number("maintenance", 0.0, 1.0);
        let max_leverage = tier.number("max_leverage", 1.0, 1e3);
        let read = maintenance.zip(max_leverage);
        tiers.extend(read.map(|(maintenance, max_leverage)| MarginTier { up_to, maintenance, max_leverage }));
        tier.end();
    }
    tiers
}

fn date(section: &mut Section<'_>) -> Option<Nanos> {
    let text = section.text("from")?;
    parse_date(&text).map_err(|error| section.problem("from", format!("is no date: {error}"))).ok()
}

impl Figures {
    /// These figures with what later rules say; the first have to say all.
    fn then(self, section: &mut Section<'_>, is_first: bool) -> Self {
        let tiers = tiers(section);
        let liquidation_fee = section.optional_number("liquidation_fee", 0.0, 0.1).or(self.liquidation_fee);
        let mut borrowed = |key, before| section.optional_number(key, 0.0, 0.1).unwrap_or(before);
        let borrowing = BorrowRates {
            base: borrowed("borrow_base", self.borrowing.base),
            quote: borrowed("borrow_quote", self.borrowing.quote),
        };
        let mut figure = |key: &str, before: Option<f64>, least: f64, most: f64| {
            if is_first {
                return section.number(key, least, most);
            }
            section.optional_number(key, least, most).or(before)
        };
        Self {
            tick: figure("tick", self.tick, 1e-12, 1e6),
            lot: figure("lot", self.lot, 1e-12, 1e6),
            min_notional: figure("min_notional", self.min_notional, 0.0, 1e9),
            maker_fee: figure("maker_fee", self.maker_fee, -0.01, 0.1),
            taker_fee: figure("taker_fee", self.taker_fee, -0.01, 0.1),
            max_leverage: figure("max_leverage", self.max_leverage, 1.0, 1e3),
            liquidation_fee,
            borrowing,
            tiers: if tiers.is_empty() { self.tiers } else { tiers },
        }
    }

    fn of(self, named: &Instrument) -> Option<Instrument> {
        Some(Instrument {
            tick: self.tick?,
            lot: self.lot?,
            min_notional: self.min_notional?,
            maker_fee: self.maker_fee?,
            taker_fee: self.taker_fee?,
            max_leverage: self.max_leverage?,
            margin: MarginRules {
                tiers: self.tiers,
                liquidation_fee: self.liquidation_fee.unwrap_or_default(),
                borrowing: self.borrowing,
            },
            ..named.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Instruments;
    use crate::parse_date;

    const RULES: &str = r#"
[[instrument]]
venue = "here"
symbol = "AB"
kind = "spot"
base = "A"
quote = "B"
[[instrument.rules]]
from = 2020-01-01
tick = 0.01
lot = 1
min_notional = 10
maker_fee = 0.001
taker_fee = 0.002
max_leverage = 1
[[instrument.rules]]
from = "2021-01-01T12:00:00Z"
tick = 0.001
"#;

    #[test]
    fn the_latest_rules_that_hold_are_found() {
        let instruments = Instruments::parse("rules", RULES).unwrap();
        let tick = |at: &str| {
            let found = instruments.find("here", "AB", parse_date(at).unwrap());
            found.map(|instrument| (instrument.tick, instrument.lot)).map_err(|error| error.to_string())
        };
        assert_eq!(tick("2020-01-01"), Ok((0.01, 1.0)));
        assert_eq!(tick("2021-01-01T11:59:59Z"), Ok((0.01, 1.0)));
        assert_eq!(tick("2021-01-01T12:00:00Z"), Ok((0.001, 1.0)), "what is not said again stays");
        assert_eq!(
            tick("2019-12-31").unwrap_err(),
            "nothing is known about the rules of AB at here on 2019-12-31T00:00:00Z; they are known from 2020-01-01T00:00:00Z on"
        );
        let unknown = instruments.find("there", "AB", parse_date("2020-01-01").unwrap()).unwrap_err();
        assert_eq!(unknown.to_string(), "nothing is known about the rules of AB at there");
        assert_eq!(instruments.latest().map(|instrument| instrument.tick).collect::<Vec<_>>(), [0.001]);
    }

    #[test]
    fn a_window_is_played_by_the_rules_of_its_end() {
        let instruments = Instruments::parse("rules", RULES).unwrap();
        let tick = |end: &str, last: &str| {
            let [end, last] = [end, last].map(|at| parse_date(at).unwrap());
            instruments.at_end("here", "AB", end, last).map(|rules| rules.instrument.tick)
        };
        assert_eq!(tick("2021-01-01T12:00:00Z", "2022-01-01"), Some(0.01), "new ones hold from there on, not before");
        assert_eq!(tick("2021-01-01T12:00:01Z", "2022-01-01"), Some(0.001));
        assert_eq!(tick("2019-01-01", "2022-01-01"), Some(0.01), "the first that are known before the data end");
        assert_eq!(tick("2019-01-01", "2019-06-01"), None);
    }

    #[test]
    fn spot_on_margin_says_what_borrowing_costs() {
        let text = RULES
            .replace("\"spot\"", "\"spot_margin\"")
            .replace("max_leverage = 1", "max_leverage = 3\nborrow_base = 0.0002")
            + "borrow_quote = 0.0004\n";
        let instruments = Instruments::parse("rules", &text).unwrap();
        let rates = |at: &str| {
            let borrowing = instruments.find("here", "AB", parse_date(at).unwrap()).unwrap().margin.borrowing;
            (borrowing.base, borrowing.quote)
        };
        assert_eq!((rates("2020-01-01"), rates("2021-01-02")), ((0.0002, 0.0), (0.0002, 0.0004)));
        let owned = text.replace("spot_margin", "spot");
        let refused = Instruments::parse("rules", &owned).unwrap_err().to_string();
        assert!(refused.contains("borrow_base is 0.0002; it must be 0 of all but spot on margin"), "{refused}");
    }

    #[test]
    fn a_perpetual_has_margin_tiers_by_date() {
        let text = RULES.replace("\"spot\"", "\"perpetual\"").replace("max_leverage = 1", "max_leverage = 20")
            + "liquidation_fee = 0.0125\n\
               [[instrument.rules.tier]]\nup_to = 50000\nmaintenance = 0.004\nmax_leverage = 20\n\
               [[instrument.rules.tier]]\nmaintenance = 0.05\nmax_leverage = 10\n";
        let instruments = Instruments::parse("rules", &text).unwrap();
        let margin = |at: &str| instruments.find("here", "AB", parse_date(at).unwrap()).unwrap().margin.clone();
        assert!(margin("2020-01-01").is_default());
        let tiers: Vec<_> = margin("2021-01-02").tiers.iter().map(|tier| (tier.up_to, tier.maintenance)).collect();
        assert_eq!(
            (tiers, margin("2021-01-02").liquidation_fee),
            (vec![(Some(50_000.0), 0.004), (None, 0.05)], 0.0125)
        );
        let steep = text.replace("maintenance = 0.05", "maintenance = 0.5");
        assert!(Instruments::parse("rules", &steep).unwrap_err().to_string().contains("maintenance is 0.5"), "{steep}");
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text = RULES
            .replace("symbol =", "symbl =")
            .replace("kind = \"spot\"", "kind = \"option\"")
            .replace("tick = 0.01\n", "tick = -1\n")
            .replace("lot = 1\n", "")
            .replace("2021-01-01T12", "2019-01-01T12")
            + "[[instrument]]\n[other]\n";
        insta::assert_snapshot!(Instruments::parse("rules", &text).unwrap_err(), @r"
        rules has 13 problems
          `instrument[1].symbol` is missing
          `instrument[1].kind` is `option`; it takes spot, perpetual or spot_margin
          `instrument[1].rules[1].tick` is -1; it takes 0.000000000001 to 1000000
          `instrument[1].rules[1].lot` is missing
          `instrument[1].rules[2].from` is not after 2020-01-01T00:00:00Z, the rules before; put them in order
          `instrument[1].symbl` is not known; remove it, or correct its name
          `instrument[2].venue` is missing
          `instrument[2].symbol` is missing
          `instrument[2].base` is missing
          `instrument[2].quote` is missing
          `instrument[2].kind` is missing
          `instrument[2].rules` are missing; give at least one [[instrument.rules]]
          `other` is not known; remove it, or correct its name
        ");
    }

    #[test]
    fn figures_that_make_no_sense_together_or_twice_are_problems() {
        let twice = format!("{RULES}{RULES}");
        assert!(Instruments::parse("rules", &twice).unwrap_err().to_string().contains("a second time"), "{twice}");
        let fine = RULES.replace("tick = 0.01\n", "tick = 0.1234567890123\n");
        assert!(Instruments::parse("rules", &fine).unwrap_err().to_string().contains("at most 12 decimals"));
        assert!(Instruments::parse("rules", &RULES.replace("2020-01-01", "\"soon\"")).is_err());
        assert_eq!(Instruments::parse("rules", "").unwrap(), Instruments::default());
    }

    #[test]
    fn the_built_in_rules_are_dated() {
        let built_in = Instruments::built_in();
        let at = |symbol, date| {
            let found = built_in.find("binance", symbol, parse_date(date).unwrap()).unwrap();
            (found.tick, found.lot)
        };
        assert_eq!(built_in.latest().count(), 8);
        assert_eq!(at("BTCUSDT", "2024-01-01"), (0.01, 0.000_01));
        assert_eq!(at("LINKUSDT", "2022-07-13T05:00:00Z"), (0.01, 0.01));
        assert_eq!(at("LINKUSDT", "2022-07-13T06:00:00Z"), (0.001, 0.01));
        assert_eq!(at("LINKUSDT", "2024-07-22T07:00:00Z"), (0.01, 0.01));
        assert_eq!(at("XRPUSDT", "2025-04-17T07:00:00Z"), (0.000_1, 0.1));
        assert_eq!(at("SOLUSDT", "2024-04-29T05:00:00Z"), (0.01, 0.01));
    }
}
