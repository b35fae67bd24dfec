use crate::{Param, ParamKind, Role};

/// What a strategy declares about itself. It is written into the component as JSON, so that a host can read it without
/// running anything.
///
/// Start from [`Manifest::DEFAULT`] and say at least name, version, description, hypothesis and what would prove it
/// wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manifest {
    /// Lower-case letters, digits and `-`.
    pub name: &'static str,
    /// Three numbers, such as `0.1.0`; `env!("CARGO_PKG_VERSION")` is a good choice.
    pub version: &'static str,
    /// One line: what it does.
    pub description: &'static str,
    /// Symbols it trades; none for any.
    pub instruments: &'static [&'static str],
    /// Length of its bars, such as `1h`, or `any`.
    pub interval: &'static str,
    /// When it wants to be called.
    pub schedule: Schedule,
    /// Bars it needs before its first answer means anything, for the largest parameters it allows.
    pub warm_up_bars: u32,
    /// What it is told of the market beside bars: [`MarketEvents::ALL`] goes with `register!(tape: …)`, nothing with the others.
    pub market_events: &'static [MarketEvents],
    /// Abilities beyond the contract's own imports.
    pub capabilities: &'static [&'static str],
    /// A stop-loss that the host keeps for it.
    pub host_stop: Option<HostStop>,
    /// Why this should make money.
    pub hypothesis: &'static str,
    /// What would prove the hypothesis wrong.
    pub falsified_by: &'static str,
}

/// When a strategy wants to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// On every bar.
    EveryBar,
    /// Every so many minutes.
    EveryMinutes(u32),
    /// On every event of the market.
    Continuous,
}

/// What a strategy can be told of the market beside bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketEvents {
    /// The best bid and ask.
    Quotes,
    /// Trades of others.
    Trades,
}

impl MarketEvents {
    /// Quotes and trades.
    pub const ALL: [Self; 2] = [Self::Quotes, Self::Trades];

    #[doc(hidden)]
    #[must_use]
    pub const fn are_all(declared: &[Self]) -> bool {
        matches!(declared, [Self::Quotes, Self::Trades] | [Self::Trades, Self::Quotes])
    }
}

/// A stop-loss that the host keeps at a multiple of the average true range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostStop {
    /// Distance from the entry ÷ ATR, as a decimal such as `"3.0"`.
    pub atr_multiple: &'static str,
    /// Bars of Wilder's average.
    pub atr_bars: u32,
}

impl Manifest {
    /// Any instrument, any bar, called on every bar, no warm-up, no stop, and nothing said yet.
    pub const DEFAULT: Self = Self {
        name: "",
        version: "",
        description: "",
        instruments: &[],
        interval: "any",
        schedule: Schedule::EveryBar,
        warm_up_bars: 0,
        market_events: &[],
        capabilities: &[],
        host_stop: None,
        hypothesis: "",
        falsified_by: "",
    };

    /// The manifest as JSON, cut to `N` bytes; its full length stands in [`Json::len`].
    #[doc(hidden)]
    #[must_use]
    pub const fn json<const N: usize>(&self, params: &[Param]) -> Json<N> {
        let mut json = Json { bytes: [0; N], len: 0 };
        json.raw("{\"contract\":\"0.1.0\",\"name\":").text(&[self.name]);
        json.raw(",\"version\":").text(&[self.version]);
        json.raw(",\"description\":").text(&[self.description]);
        json.raw(",\"instruments\":");
        if self.instruments.is_empty() {
            json.raw("\"any\"");
        } else {
            json.list(self.instruments);
        }
        json.raw(",\"interval\":").text(&[self.interval]);
        json.raw(",\"schedule\":");
        match self.schedule {
            Schedule::EveryBar => json.raw("\"every_bar\""),
            Schedule::EveryMinutes(minutes) => json.raw("{\"every_minutes\":").number(minutes).raw("}"),
            Schedule::Continuous => json.raw("\"continuous\""),
        };
        json.raw(",\"warm_up_bars\":").number(self.warm_up_bars);
        if !self.market_events.is_empty() {
            json.raw(",\"market_events\":[");
            let mut at = 0;
            while at < self.market_events.len() {
                json.comma(at).raw(match self.market_events[at] {
                    MarketEvents::Quotes => "\"quotes\"",
                    MarketEvents::Trades => "\"trades\"",
                });
                at += 1;
            }
            json.raw("]");
        }
        json.raw(",\"capabilities\":").list(self.capabilities);
        if let Some(stop) = self.host_stop {
            json.raw(",\"host_stop\":{\"atr_multiple\":").raw(stop.atr_multiple);
            json.raw(",\"atr_bars\":").number(stop.atr_bars).raw("}");
        }
        json.raw(",\"parameters\":[");
        let mut at = 0;
        while at < params.len() {
            json.comma(at).param(&params[at]);
            at += 1;
        }
        json.raw("],\"hypothesis\":").text(&[self.hypothesis]);
        json.raw(",\"falsified_by\":").text(&[self.falsified_by]).raw("}");
        json
    }
}

/// JSON written while compiling: the first `N` bytes of it, and how many there are in all.
#[doc(hidden)]
#[derive(Debug)]
pub struct Json<const N: usize> {
    pub bytes: [u8; N],
    pub len: usize,
}

impl<const N: usize> Json<N> {
    const fn byte(&mut self, byte: u8) -> &mut Self {
        if self.len < N {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
        self
    }

    const fn raw(&mut self, text: &str) -> &mut Self {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.byte(bytes[at]);
            at += 1;
        }
        self
    }

    const fn comma(&mut self, at: usize) -> &mut Self {
        if at > 0 { self.byte(b',') } else { self }
    }

    const fn number(&mut self, number: u32) -> &mut Self {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8)
    }

    /// A JSON string of these pieces, each without the blank it starts with, joined by blanks: what a doc comment
    /// leaves behind.
    const fn text(&mut self, pieces: &[&str]) -> &mut Self {
        self.byte(b'"');
        let mut piece = 0;
        while piece < pieces.len() {
            let bytes = pieces[piece].as_bytes();
            if piece > 0 {
                self.byte(b' ');
            }
            let mut at = if !bytes.is_empty() && bytes[0] == b' ' { 1 } else { 0 };
            while at < bytes.len() {
                self.escaped(bytes[at]);
                at += 1;
            }
            piece += 1;
        }
        self.byte(b'"')
    }

    const fn escaped(&mut self, byte: u8) -> &mut Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        match byte {
            b'"' | b'\\' => self.byte(b'\\').byte(byte),
            0..0x20 => self.raw("\\u00").byte(HEX[(byte >> 4) as usize]).byte(HEX[(byte & 15) as usize]),
            _ => self.byte(byte),
        }
    }

    const fn list(&mut self, texts: &[&str]) -> &mut Self {
        self.byte(b'[');
        let mut at = 0;
        while at < texts.len() {
            self.comma(at).text(&[texts[at]]);
            at += 1;
        }
        self.byte(b']')
    }

    const fn param(&mut self, param: &Param) -> &mut Self {
        self.raw("{\"name\":").text(&[param.name]);
        self.raw(",\"kind\":").raw(match param.kind {
            ParamKind::Integer => "\"integer\"",
            ParamKind::Real => "\"real\"",
            ParamKind::Flag => "\"flag\"",
            ParamKind::Text => "\"text\"",
        });
        self.raw(",\"default\":");
        match param.kind {
            ParamKind::Text => self.text(&[param.default]),
            _ => self.raw(param.default),
        };
        if let Some(bounds) = param.bounds {
            self.raw(",\"min\":").raw(bounds.min).raw(",\"max\":").raw(bounds.max);
            self.raw(",\"step\":").raw(bounds.step);
        }
        self.raw(",\"role\":").raw(match param.role {
            Role::Window => "\"window\"",
            Role::Threshold => "\"threshold\"",
            Role::Risk => "\"risk\"",
            Role::Other => "\"other\"",
        });
        self.raw(",\"help\":").text(param.help).raw("}")
    }
}

#[cfg(test)]
mod tests {
    use super::{HostStop, Manifest, Schedule};
    use crate::Params as _;

    crate::params! {
        struct Params {
            /// Bars in
            /// the "average".
            window: u32 = 20 in 2..=1_000 step 1, window;
            /// Half-width.
            band: f64 = 0.5 in -1.5..=1.5 step 0.25, threshold;
            short: bool = false, other;
            rule: String = "close > \\ open\n", other;
        }
    }

    #[test]
    fn is_written_as_json() {
        let manifest = Manifest {
            name: "x",
            version: "0.1.0",
            instruments: &["BTCUSDT", "ETHUSDT"],
            interval: "4h",
            schedule: Schedule::EveryMinutes(15),
            warm_up_bars: 1_000,
            host_stop: Some(HostStop { atr_multiple: "3.0", atr_bars: 14 }),
            hypothesis: "Größe \"matters\".",
            ..Manifest::DEFAULT
        };
        const CUT: usize = 10;
        let len = manifest.json::<CUT>(Params::SCHEMA).len;
        let json = manifest.json::<4096>(Params::SCHEMA);
        assert_eq!(json.len, len);
        assert_eq!(
            std::str::from_utf8(&json.bytes[..len]).unwrap(),
            concat!(
                r#"{"contract":"0.1.0","name":"x","version":"0.1.0","description":"","#,
                r#""instruments":["BTCUSDT","ETHUSDT"],"interval":"4h","schedule":{"every_minutes":15},"#,
                r#""warm_up_bars":1000,"capabilities":[],"host_stop":{"atr_multiple":3.0,"atr_bars":14},"parameters":["#,
                r#"{"name":"window","kind":"integer","default":20,"min":2,"max":1000,"step":1,"role":"window","help":"Bars in the \"average\"."},"#,
                r#"{"name":"band","kind":"real","default":0.5,"min":-1.5,"max":1.5,"step":0.25,"role":"threshold","help":"Half-width."},"#,
                r#"{"name":"short","kind":"flag","default":false,"role":"other","help":""},"#,
                r#"{"name":"rule","kind":"text","default":"close > \\ open\u000a","role":"other","help":""}],"#,
                r#""hypothesis":"Größe \"matters\".","falsified_by":""}"#,
            )
        );
    }

    #[test]
    fn values_replace_defaults() {
        use crate::Value;
        let values = [("band".to_owned(), Value::Real(1.0)), ("rule".to_owned(), Value::Text("x".to_owned()))];
        let params = Params::from_values(&values).unwrap();
        assert_eq!(params, Params { window: 20, band: 1.0, short: false, rule: "x".to_owned() });
        assert_eq!(Params::from_values(&[("band".to_owned(), Value::Integer(1))]), Err("band".to_owned()));
        assert_eq!(Params::from_values(&[("none".to_owned(), Value::Integer(1))]), Err("none".to_owned()));
    }
}
