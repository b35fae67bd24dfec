//! Frames as Binance documents them, read into exact events.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use tiltyard_model::tape::{DepthChange, Level, Print, Quote};
use tiltyard_model::{Nanos, Price, Qty, Side};

use super::FrameFlaw;
use super::depth::{DepthFrame, Market, Snapshot};
use super::head::{Head, Kind};
use super::number::Number;
use crate::read::time_of_number;

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    Quote { update: u64, happened: Option<Nanos>, quote: Quote },
    Trade(Trade),
    AggregateTrade(Trade),
    Depth(DepthFrame),
    Snapshot(Snapshot),
    MarkPrice,
}

/// A trade, of one order or of several at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trade {
    /// One more than the trade's before.
    pub(super) id: u64,
    pub(super) happened: Option<Nanos>,
    /// `None` if it was not made on the book: USD-M lists trades of the insurance fund and of deleveraging among others.
    pub(super) print: Option<Print>,
}

/// Reads a frame of a known kind; `None` for the others.
pub(super) fn read(json: &[u8], head: &Head<'_>) -> Result<Option<Frame>, FrameFlaw> {
    let frame = match head.kind() {
        Kind::Quote => body::<RawQuote>(json, head)?.quote()?,
        Kind::Trade => Frame::Trade(body::<RawTrade<'_>>(json, head)?.trade()?),
        Kind::AggregateTrade => Frame::AggregateTrade(body::<RawAggregate>(json, head)?.trade()?),
        Kind::Depth => Frame::Depth(body::<RawDepth>(json, head)?.depth()?),
        Kind::Snapshot => Frame::Snapshot(body::<RawSnapshot>(json, head)?.snapshot()?),
        Kind::MarkPrice => Frame::MarkPrice,
        Kind::Other(_) => return Ok(None),
    };
    Ok(Some(frame))
}

fn body<'a, T: Deserialize<'a>>(json: &'a [u8], head: &Head<'_>) -> Result<T, FrameFlaw> {
    #[derive(Deserialize)]
    struct Wrapped<T> {
        data: T,
    }
    let read = if head.is_wrapped() {
        serde_json::from_slice(json).map(|Wrapped { data }| data)
    } else {
        serde_json::from_slice(json)
    };
    read.map_err(|error| FrameFlaw::json(&error))
}

#[derive(Deserialize)]
struct RawQuote {
    u: u64,
    b: Number,
    #[serde(rename = "B")]
    bid_size: Number,
    a: Number,
    #[serde(rename = "A")]
    ask_size: Number,
    #[serde(rename = "T")]
    transacted: Option<u64>,
    #[serde(rename = "E")]
    sent: Option<u64>,
}

impl RawQuote {
    fn quote(self) -> Result<Frame, FrameFlaw> {
        let side = |field, price, size| {
            let level = level(field, price, size)?;
            Ok(Some(level).filter(|level| !level.size.is_zero()))
        };
        let quote = Quote { bid: side("b", self.b, self.bid_size)?, ask: side("a", self.a, self.ask_size)? };
        Ok(Frame::Quote { update: self.u, happened: happened(self.transacted, self.sent)?, quote })
    }
}

#[derive(Deserialize)]
struct RawTrade<'a> {
    t: u64,
    p: Number,
    q: Number,
    #[serde(rename = "T")]
    transacted: Option<u64>,
    #[serde(rename = "E")]
    sent: Option<u64>,
    m: bool,
    #[serde(rename = "X", borrow)]
    origin: Option<Cow<'a, str>>,
}

impl RawTrade<'_> {
    fn trade(self) -> Result<Trade, FrameFlaw> {
        let on_book = self.origin.as_deref().is_none_or(|origin| origin == "MARKET");
        let print = if on_book { Some(print(self.p, self.q, self.m)?) } else { None };
        Ok(Trade { id: self.t, happened: happened(self.transacted, self.sent)?, print })
    }
}

#[derive(Deserialize)]
struct RawAggregate {
    a: u64,
    p: Number,
    q: Number,
    #[serde(rename = "T")]
    transacted: Option<u64>,
    #[serde(rename = "E")]
    sent: Option<u64>,
    m: bool,
}

impl RawAggregate {
    fn trade(self) -> Result<Trade, FrameFlaw> {
        let print = Some(print(self.p, self.q, self.m)?);
        Ok(Trade { id: self.a, happened: happened(self.transacted, self.sent)?, print })
    }
}

#[derive(Deserialize)]
struct RawDepth {
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    pu: Option<u64>,
    #[serde(rename = "T")]
    transacted: Option<u64>,
    #[serde(rename = "E")]
    sent: Option<u64>,
    b: Vec<RawLevel>,
    a: Vec<RawLevel>,
}

impl RawDepth {
    fn depth(self) -> Result<DepthFrame, FrameFlaw> {
        if self.first > self.u {
            return Err(FrameFlaw::UpdateIds { field: "U", first: self.first, last: self.u });
        }
        if let Some(previous) = self.pu.filter(|previous| *previous >= self.u) {
            return Err(FrameFlaw::UpdateIds { field: "pu", first: previous, last: self.u });
        }
        Ok(DepthFrame {
            market: if self.pu.is_some() { Market::UsdM } else { Market::Spot },
            after: self.pu.unwrap_or(self.first.saturating_sub(1)),
            last: self.u,
            happened: happened(self.transacted, self.sent)?,
            change: DepthChange { bids: levels("b", &self.b)?, asks: levels("a", &self.a)?, whole: false },
        })
    }
}

#[derive(Deserialize)]
struct RawSnapshot {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    bids: Vec<RawLevel>,
    asks: Vec<RawLevel>,
    #[serde(rename = "T")]
    transacted: Option<u64>,
    #[serde(rename = "E")]
    sent: Option<u64>,
}

impl RawSnapshot {
    fn snapshot(self) -> Result<Snapshot, FrameFlaw> {
        let change = DepthChange { bids: levels("bids", &self.bids)?, asks: levels("asks", &self.asks)?, whole: true };
        Ok(Snapshot { last: self.last, happened: happened(self.transacted, self.sent)?, change })
    }
}

/// `["61837.63","0.5"]`; what may follow in it has no meaning.
struct RawLevel(Number, Number);

impl<'de> Deserialize<'de> for RawLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = RawLevel;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level, such as [\"61837.63\",\"0.5\"]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawLevel, A::Error> {
                let price = items.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let size = items.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(RawLevel(price, size))
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}

fn levels(field: &'static str, raw: &[RawLevel]) -> Result<Vec<Level>, FrameFlaw> {
    raw.iter().map(|RawLevel(price, size)| level(field, *price, *size)).collect()
}

/// A level at a price of 0 is none; Binance writes a side without orders as 0 at 0.
fn level(field: &'static str, price: Number, size: Number) -> Result<Level, FrameFlaw> {
    if price.0.is_zero() && !size.0.is_zero() {
        return Err(FrameFlaw::Zero { field });
    }
    Ok(Level { price: Price(price.0), size: Qty(size.0) })
}

/// `m`: whether the buyer is the maker, so that the seller took.
fn print(price: Number, quantity: Number, buyer_is_maker: bool) -> Result<Print, FrameFlaw> {
    for (field, number) in [("p", price), ("q", quantity)] {
        if number.0.is_zero() {
            return Err(FrameFlaw::Zero { field });
        }
    }
    let aggressor = if buyer_is_maker { Side::Sell } else { Side::Buy };
    Ok(Print { price: Price(price.0), quantity: Qty(quantity.0), aggressor })
}

/// When the matching engine did it (`T`), or else when the event was sent (`E`): spot's depth has only that.
fn happened(transacted: Option<u64>, sent: Option<u64>) -> Result<Option<Nanos>, FrameFlaw> {
    let time = |value: u64| {
        let time = i64::try_from(value).ok().and_then(time_of_number);
        time.ok_or(FrameFlaw::EventTime { value })
    };
    transacted.or(sent).map(time).transpose()
}

#[cfg(test)]
mod tests {
    use super::{Frame, Trade, read};
    use crate::FrameFlaw;
    use crate::tape::depth::{DepthFrame, Market};
    use tiltyard_model::tape::{DepthChange, Level, Print, Quote};
    use tiltyard_model::{Decimal, Nanos, Price, Qty, Side};

    fn frame(json: &str) -> Result<Frame, FrameFlaw> {
        let head = serde_json::from_str(json).unwrap();
        read(json.as_bytes(), &head).map(|frame| frame.unwrap())
    }

    fn level(price: &str, size: &str) -> Level {
        let exact = |text| Decimal::from_str_exact(text).unwrap();
        Level { price: Price(exact(price)), size: Qty(exact(size)) }
    }

    fn print(price: &str, quantity: &str, aggressor: Side) -> Option<Print> {
        let Level { price, size: quantity } = level(price, quantity);
        Some(Print { price, quantity, aggressor })
    }

    const MILLISECOND: i64 = 1_000_000;

    #[test]
    fn a_quote_of_spot_has_no_time_and_one_of_usdm_has_that_of_its_transaction() {
        let quote = Quote { bid: Some(level("61837.63", "3.78826")), ask: Some(level("61837.64", "1.5")) };
        let members = r#""u":7,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64","A":"1.500""#;
        let spot = format!("{{{members}}}");
        assert_eq!(frame(&spot), Ok(Frame::Quote { update: 7, happened: None, quote }));
        let usdm = format!(
            r#"{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker",{members},"T":1723161256313,"E":1723161256999}}}}"#
        );
        let happened = Some(Nanos(1_723_161_256_313 * MILLISECOND));
        assert_eq!(frame(&usdm), Ok(Frame::Quote { update: 7, happened, quote }));
    }

    #[test]
    fn a_side_without_orders_has_no_level() {
        let found = frame(r#"{"u":7,"s":"X","b":"0.00000000","B":"0.00000000","a":"2","A":"1"}"#);
        let quote = Quote { bid: None, ask: Some(level("2", "1")) };
        assert_eq!(found, Ok(Frame::Quote { update: 7, happened: None, quote }));
        let found = frame(r#"{"u":7,"s":"X","b":"0.00","B":"1","a":"2","A":"1"}"#);
        assert_eq!(found, Err(FrameFlaw::Zero { field: "b" }));
    }

    #[test]
    fn who_was_not_the_maker_was_the_aggressor() {
        for (buyer_is_maker, aggressor) in [(true, Side::Sell), (false, Side::Buy)] {
            let json = format!(
                r#"{{"e":"trade","E":2000000000001,"s":"X","t":5,"p":"2","q":"0.5","T":2000000000000,"m":{buyer_is_maker},"M":true}}"#
            );
            let happened = Some(Nanos(2_000_000_000_000 * MILLISECOND));
            assert_eq!(frame(&json), Ok(Frame::Trade(Trade { id: 5, happened, print: print("2", "0.5", aggressor) })));
            let json =
                format!(r#"{{"e":"aggTrade","a":9,"s":"X","p":"2","q":"0.5","f":1,"l":3,"m":{buyer_is_maker}}}"#);
            let trade = Trade { id: 9, happened: None, print: print("2", "0.5", aggressor) };
            assert_eq!(frame(&json), Ok(Frame::AggregateTrade(trade)));
        }
    }

    #[test]
    fn what_was_not_traded_on_the_book_is_no_print() {
        for (origin, on_book) in [("MARKET", true), ("INSURANCE_FUND", false), ("ADL", false), ("NA", false)] {
            let json = format!(r#"{{"e":"trade","t":5,"s":"X","p":"2","q":"1","X":"{origin}","m":true}}"#);
            let Ok(Frame::Trade(trade)) = frame(&json) else { panic!("{origin}") };
            assert_eq!(trade.print.is_some(), on_book, "{origin}");
        }
        assert!(frame(r#"{"e":"trade","t":5,"s":"X","p":"0","q":"0","X":"NA","m":true}"#).is_ok());
    }

    #[test]
    fn depth_is_told_apart_by_the_update_it_names_before_itself() {
        let change = DepthChange { bids: vec![level("1", "0")], asks: vec![level("2", "3")], whole: false };
        for (previous, market, after) in [("", Market::Spot, 9), (r#","pu":4"#, Market::UsdM, 4)] {
            let json = format!(
                r#"{{"e":"depthUpdate","E":1723161255208,"s":"X","U":10,"u":12{previous},"b":[["1.00","0.00"]],"a":[["2","3",[]]]}}"#
            );
            let happened = Some(Nanos(1_723_161_255_208 * MILLISECOND));
            let depth = DepthFrame { market, after, last: 12, happened, change: change.clone() };
            assert_eq!(frame(&json), Ok(Frame::Depth(depth)));
        }
    }

    #[test]
    fn what_a_frame_cannot_say_is_refused() {
        for (json, words) in [
            (r#"{"e":"depthUpdate","s":"X","U":13,"u":12,"b":[],"a":[]}"#, "U 13 is not before u 12"),
            (r#"{"e":"depthUpdate","s":"X","U":1,"u":12,"pu":12,"b":[],"a":[]}"#, "pu 12 is not before u 12"),
            (
                r#"{"e":"depthUpdate","s":"X","U":1,"u":2,"b":[["1"]],"a":[]}"#,
                "invalid length 1, expected a level, such as",
            ),
            (r#"{"e":"depthUpdate","s":"X","U":1,"u":2,"b":[["1","-0.5"]],"a":[]}"#, "`-0.5` is not a number such as"),
            (r#"{"e":"depthUpdate","s":"X","U":1,"u":2,"b":{},"a":[]}"#, "invalid type: map"),
            (r#"{"e":"trade","s":"X","t":1,"p":"1e400","q":"1","m":true}"#, "`1e400` is not a number such as"),
            (r#"{"e":"trade","s":"X","t":1,"p":"0","q":"1","m":true}"#, "`p` has a price or a quantity of 0"),
            (r#"{"e":"trade","s":"X","t":1,"p":"1","q":"0.0","m":true}"#, "`q` has a price or a quantity of 0"),
            (r#"{"e":"trade","s":"X","t":1,"p":1.5,"q":"1","m":true}"#, "expected a number in quotation marks"),
            (r#"{"e":"trade","s":"X","t":1,"q":"1","m":true}"#, "missing field `p`"),
            (r#"{"e":"trade","s":"X","t":-1,"p":"1","q":"1","m":true}"#, "invalid value: integer `-1`"),
            (
                r#"{"e":"trade","s":"X","t":1,"p":"1","q":"1","m":true,"T":18446744073709551615}"#,
                "time 18446744073709551615 is out of range",
            ),
            (r#"{"lastUpdateId":1,"bids":[["0","1"]],"asks":[]}"#, "`bids` has a price or a quantity of 0"),
        ] {
            let flaw = frame(json).unwrap_err().to_string();
            assert!(flaw.contains(words), "{json}: {flaw}");
        }
    }
}
