//! What kind of frame a line holds, told without reading the rest of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The members of a frame that say what it is.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    stream: Option<Cow<'a, str>>,
    data: Option<Box<Self>>,
    event: Option<Cow<'a, str>>,
    symbol: Option<Cow<'a, str>>,
    has_last_update_id: bool,
    has_bid_size: bool,
}

/// Kinds of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Quote,
    Trade,
    AggregateTrade,
    Depth,
    Snapshot,
    MarkPrice,
    /// Any other: what it calls itself.
    Other(&'a str),
}

impl<'a> Head<'a> {
    /// Whether the frame is inside another one that names its stream.
    pub(super) fn is_wrapped(&self) -> bool {
        self.stream.is_some() && self.data.is_some()
    }

    /// The symbol, as the frame or its stream writes it.
    pub(super) fn symbol(&self) -> Option<&str> {
        let of_stream = || self.stream.as_deref().and_then(|stream| stream.split_once('@')).map(|(symbol, _)| symbol);
        self.body().symbol.as_deref().or_else(of_stream)
    }

    pub(super) fn kind(&self) -> Kind<'_> {
        let body = self.body();
        let stream = self.stream.as_deref().map(|stream| stream.split_once('@').map_or(stream, |(_, name)| name));
        // `depth20@100ms` is the best levels, again and again: neither a change nor all there is, whatever its frames look like.
        let partial =
            |name: &&str| name.strip_prefix("depth").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(name) = stream.filter(partial) {
            return Kind::Other(name);
        }
        match body.event.as_deref() {
            Some("bookTicker") => Kind::Quote,
            Some("trade") => Kind::Trade,
            Some("aggTrade") => Kind::AggregateTrade,
            Some("depthUpdate") => Kind::Depth,
            Some("markPriceUpdate") => Kind::MarkPrice,
            Some(other) => Kind::Other(other),
            None if body.has_last_update_id => Kind::Snapshot,
            // Spot's do not name their kind.
            None if body.has_bid_size => Kind::Quote,
            None => Kind::Other(stream.unwrap_or("without a kind")),
        }
    }

    fn body(&self) -> &Self {
        self.data.as_deref().filter(|_| self.is_wrapped()).unwrap_or(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Member {
    #[serde(rename = "stream")]
    Stream,
    #[serde(rename = "data")]
    Data,
    #[serde(rename = "e")]
    Event,
    #[serde(rename = "s")]
    Symbol,
    #[serde(rename = "lastUpdateId")]
    LastUpdateId,
    #[serde(rename = "B")]
    BidSize,
    #[serde(other)]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Head<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Any::deserialize(deserializer)? {
            Any::Object(head) => *head,
            Any::Text(_) | Any::Nothing => Self::default(),
        })
    }
}

/// Any JSON, of which texts and heads of objects are kept: frames of unknown kinds have what they want where others have a text.
enum Any<'a> {
    Text(Cow<'a, str>),
    Object(Box<Head<'a>>),
    Nothing,
}

impl<'a> Any<'a> {
    fn text(self) -> Option<Cow<'a, str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn object(self) -> Option<Box<Head<'a>>> {
        if let Self::Object(head) = self { Some(head) } else { None }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Any<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Peek)
    }
}

struct Peek;

impl<'de> Visitor<'de> for Peek {
    type Value = Any<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Any::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Any::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Any::Nothing)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Any::Nothing)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Any::Nothing)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Any::Nothing)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Any::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Any::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut head = Head::default();
        while let Some(member) = members.next_key()? {
            match member {
                Member::Stream => head.stream = members.next_value::<Any<'de>>()?.text(),
                Member::Data => head.data = members.next_value::<Any<'de>>()?.object(),
                Member::Event => head.event = members.next_value::<Any<'de>>()?.text(),
                Member::Symbol => head.symbol = members.next_value::<Any<'de>>()?.text(),
                Member::LastUpdateId | Member::BidSize | Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                    head.has_last_update_id |= matches!(member, Member::LastUpdateId);
                    head.has_bid_size |= matches!(member, Member::BidSize);
                }
            }
        }
        Ok(Any::Object(Box::new(head)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Head, Kind};

    fn head(text: &str) -> Head<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_frame_is_told_by_its_kind_wrapped_or_bare() {
        for (text, kind) in [
            (r#"{"e":"trade","s":"BTCUSDT"}"#, Kind::Trade),
            (r#"{"data":{"e":"aggTrade","a":1,"s":"BTCUSDT"},"stream":"btcusdt@aggTrade"}"#, Kind::AggregateTrade),
            (r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","b":[["1","2"]]}}"#, Kind::Depth),
            (r#"{"e":"bookTicker","u":1}"#, Kind::Quote),
            (r#"{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#, Kind::Quote),
            (r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#, Kind::Snapshot),
            (r#"{"e":"markPriceUpdate","p":"1"}"#, Kind::MarkPrice),
            (r#"{"e":"24hrTicker","B":"1"}"#, Kind::Other("24hrTicker")),
            (r#"{"stream":"btcusdt@kline_1m","data":{"k":{"e":"trade"}}}"#, Kind::Other("kline_1m")),
        ] {
            assert_eq!(head(text).kind(), kind, "{text}");
        }
    }

    /// They look like snapshots on spot, and like changes on USD-M.
    #[test]
    fn the_best_levels_alone_are_neither_a_snapshot_nor_a_change() {
        for data in [r#"{"lastUpdateId":1,"bids":[],"asks":[]}"#, r#"{"e":"depthUpdate","U":1,"u":2,"b":[],"a":[]}"#] {
            let text = format!(r#"{{"stream":"btcusdt@depth20@100ms","data":{data}}}"#);
            assert_eq!(head(&text).kind(), Kind::Other("depth20@100ms"));
        }
    }

    #[test]
    fn the_symbol_is_the_frames_or_its_streams() {
        assert_eq!(head(r#"{"e":"trade","s":"BTCUSDT"}"#).symbol(), Some("BTCUSDT"));
        let wrapped = r#"{"stream":"ethusdt@depthSnapshot","data":{"lastUpdateId":1}}"#;
        assert_eq!(head(wrapped).symbol(), Some("ethusdt"));
        assert_eq!(head(r#"{"lastUpdateId":1}"#).symbol(), None);
    }

    #[test]
    fn whatever_json_it_is_it_has_a_kind() {
        for text in [
            "[]",
            "1",
            "-1",
            "1.5",
            "null",
            "true",
            "\"text\"",
            "{}",
            r#"{"e":1,"s":[{}],"data":[1]}"#,
            r#"{"result":null,"id":1}"#,
        ] {
            assert_eq!(head(text).kind(), Kind::Other("without a kind"), "{text}");
        }
    }
}
