//! Recordings are read into events, and what is wrong with one is said with its line.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io::{Cursor, Read, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tiltyard_market::{DamagedLines, Tape, TapeError, TapeOptions, TapeReport};
use tiltyard_model::Nanos;
use tiltyard_model::tape::{DepthChange, Print, Stamped, TapeEvent};

/// The receive time of a line, this many microseconds after the first.
const START: i64 = 1_723_161_254_000_000_000;

const QUOTE: &str = r#"{"u":12,"s":"BTCUSDT","b":"61837.63","B":"3.7","a":"61837.64","A":"1.5"}"#;
const TRADE: &str =
    r#"{"e":"trade","E":1,"s":"BTCUSDT","t":5,"p":"61837.63","q":"0.02","T":1723161255342,"m":true,"M":true}"#;
const SNAPSHOT: &str = r#"{"lastUpdateId":10,"bids":[["61837.63","3.7"]],"asks":[["61837.64","1.5"]]}"#;
const DEPTH: &str =
    r#"{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":11,"u":12,"b":[["61837.63","0"]],"a":[]}"#;

fn lines(frames: &[&str]) -> String {
    frames.iter().zip(0..).map(|(frame, at)| format!("{} {frame}\n", START + at * 1_000)).collect()
}

fn tape(source: impl Read + Send + 'static, options: TapeOptions) -> Tape {
    Tape::read_from("tape", source, "BTCUSDT", options).unwrap()
}

/// The events up to the end or the first error, and what was said then.
fn read(text: impl Into<Vec<u8>>, options: TapeOptions) -> (Vec<Stamped>, TapeReport, Option<TapeError>) {
    let mut tape = tape(Cursor::new(text.into()), options);
    let (mut events, mut error) = (Vec::new(), None);
    for event in tape.by_ref() {
        match event {
            Ok(event) => events.push(event),
            Err(found) => error = Some(found),
        }
    }
    assert!(tape.next().is_none(), "an ended tape stays ended");
    assert_eq!(tape.report().events, events.len() as u64);
    (events, tape.report().clone(), error)
}

fn whole(text: impl Into<Vec<u8>>) -> (Vec<Stamped>, TapeReport) {
    let (events, report, error) = read(text, TapeOptions::default());
    assert!(error.is_none(), "{}", error.unwrap());
    (events, report)
}

fn refusal(text: impl Into<Vec<u8>>) -> String {
    read(text, TapeOptions::default()).2.unwrap().to_string()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn kinds(events: &[Stamped]) -> String {
    let kind = |stamped: &Stamped| match &stamped.event {
        TapeEvent::Quote(_) => 'q',
        TapeEvent::Print(_) => 'p',
        TapeEvent::Depth(change) if *change == DepthChange::unknown() => '?',
        TapeEvent::Depth(change) if change.whole => 'w',
        TapeEvent::Depth(_) => 'd',
    };
    events.iter().map(kind).collect()
}

#[test]
fn frames_become_events_with_their_times() {
    let (events, report) = whole(lines(&[SNAPSHOT, QUOTE, TRADE, DEPTH]));
    assert_eq!(kinds(&events), "wqpd");
    assert!(events.iter().map(|event| event.received.0).eq((0..4).map(|at| START + at * 1_000)));
    let happened: Vec<Option<i64>> = events.iter().map(|event| event.happened.map(|time| time.0 / 1_000_000)).collect();
    assert_eq!(happened, [None, None, Some(1_723_161_255_342), Some(1_723_161_255_208)]);
    let updates: Vec<Option<u64>> = events.iter().map(|event| event.update).collect();
    assert_eq!(updates, [Some(10), Some(12), None, Some(12)]);
    assert_eq!((report.first, report.last), (Some(Nanos(START)), Some(Nanos(START + 3_000))));
}

#[test]
fn plain_gzipped_in_several_parts_wrapped_or_bare_it_is_the_same_tape() {
    let frames = [SNAPSHOT, QUOTE, TRADE, DEPTH];
    let (events, report) = whole(lines(&frames));
    let parts = [gzipped(&lines(&frames)[..300]), gzipped(&lines(&frames)[300..])].concat();
    assert_eq!(whole(parts), (events.clone(), report.clone()));
    let wrapped: Vec<String> =
        frames.iter().map(|data| format!(r#"{{"data":{data},"stream":"btcusdt@any"}}"#)).collect();
    let wrapped: Vec<&str> = wrapped.iter().map(String::as_str).collect();
    assert_eq!(whole(lines(&wrapped)), (events, report));
}

#[test]
fn time_never_goes_back_and_the_order_is_that_of_the_file() {
    let at = |micros: i64, frame: &str| format!("{} {frame}\n", START + micros * 1_000);
    let (events, report) = whole([at(5, QUOTE), at(2, TRADE), at(4, QUOTE), at(6, QUOTE)].concat());
    assert_eq!(kinds(&events), "qpqq");
    let received: Vec<i64> = events.iter().map(|event| (event.received.0 - START) / 1_000).collect();
    assert_eq!(received, [5, 5, 5, 6]);
    assert_eq!((report.clock_steps_back, report.largest_step_back), (2, Nanos(3_000)));
}

#[test]
fn missing_depth_makes_the_book_unknown_until_the_next_snapshot() {
    let later = DEPTH.replace(r#""U":11,"u":12"#, r#""U":14,"u":15"#);
    let again = SNAPSHOT.replace("10", "15");
    let last = DEPTH.replace(r#""U":11,"u":12"#, r#""U":16,"u":16"#);
    let (events, report) = whole(lines(&[SNAPSHOT, DEPTH, &later, QUOTE, &again, &last]));
    assert_eq!(kinds(&events), "wd?qwd");
    assert_eq!((report.gaps, report.resynchronisations, report.stale_depth), (1, 1, 1));
}

#[test]
fn prints_come_from_one_stream_and_once() {
    let trade = |id: u64| TRADE.replace(r#""t":5"#, &format!(r#""t":{id}"#));
    let aggregate = TRADE.replace(r#""e":"trade""#, r#""e":"aggTrade","a":7"#);
    let (events, report) = whole(lines(&[&trade(5), &aggregate, &trade(6), &trade(6), &trade(4), &trade(10)]));
    assert_eq!(kinds(&events), "ppp");
    assert_eq!((report.twice_told_trades, report.repeated_trades, report.missing_trades), (1, 2, 3));
    let (events, report) = whole(lines(&[&aggregate, &trade(5)]));
    assert_eq!((kinds(&events).as_str(), report.twice_told_trades), ("p", 1));
}

#[test]
fn what_is_not_understood_is_counted_by_its_name() {
    let mark = r#"{"e":"markPriceUpdate","E":1,"s":"BTCUSDT","p":"1","i":"1","P":"1","r":"0","T":1}"#;
    let (events, report) = whole(lines(&[
        QUOTE,
        mark,
        r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","s":"BTCUSDT","k":{}}}"#,
        r#"{"result":null,"id":1}"#,
        r#"{"e":"kline"}"#,
        "[]",
    ]));
    assert_eq!(kinds(&events), "q");
    let others: Vec<(&str, u64)> =
        report.frames.other_kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!((report.frames.mark_prices, others), (1, vec![("kline", 2), ("without a kind", 2)]));
    assert_eq!(report.frames.all(), report.lines);
}

#[test]
fn other_symbols_are_left_out_but_not_where_a_snapshot_names_none() {
    let other = QUOTE.replace("BTCUSDT", "ETHUSDT");
    let (events, report) = whole(lines(&[QUOTE, &other, DEPTH]));
    assert_eq!((kinds(&events).as_str(), report.frames.other_symbols), ("q", 1));
    let unclear = "tape, line 2: frames of ETHUSDT and a snapshot that names no symbol; give a file with BTCUSDT alone";
    assert_eq!(refusal(lines(&[&other, SNAPSHOT])), unclear);
    assert_eq!(refusal(lines(&[SNAPSHOT, &other])), unclear);
    let named = format!(r#"{{"stream":"btcusdt@depthSnapshot","data":{SNAPSHOT}}}"#);
    assert_eq!(kinds(&whole(lines(&[&named, &other, DEPTH])).0), "wd");
}

#[test]
fn nothing_of_the_symbol_is_an_error_that_says_what_there_is() {
    let other = QUOTE.replace("BTCUSDT", "ETHUSDT");
    assert_eq!(
        refusal(lines(&[&other])),
        "tape has no frame of BTCUSDT, but of ETHUSDT; give its symbol, and a recording of Binance's streams"
    );
    for empty in ["", "\n\n"] {
        assert!(refusal(empty).starts_with("tape has no frame of BTCUSDT; "));
    }
}

#[test]
fn two_markets_in_one_file_are_refused() {
    let usdm = DEPTH.replace(r#""u":12"#, r#""u":12,"pu":10"#);
    assert_eq!(
        refusal(lines(&[DEPTH, &usdm])),
        "tape, line 2: depth of USD-M futures after depth of spot; give a file for each"
    );
}

#[test]
fn a_damaged_line_is_refused_with_its_number() {
    let after_quote = |line: &str| refusal(format!("{}{line}\n", lines(&[QUOTE])));
    let frame = |frame: &str| after_quote(&format!("{START} {frame}"));
    let price = |price: &str| frame(&TRADE.replace("61837.63", price));
    let digits = "1234567890123456789012345678901234567890";
    for (found, words) in [
        (after_quote("1723161254000000000"), "no space in `1723161254000000000`; a line is the receive time"),
        (after_quote("{\"e\":1}"), "no space in `{\"e\":1}`"),
        (after_quote("\u{1b}[31m {}"), "receive time `\\u{1b}[31m` is not in whole nanoseconds"),
        (after_quote("1723161254000 {}"), "receive time `1723161254000` is not in whole nanoseconds"),
        (frame(""), "no space in `1723161254000000000`"),
        (frame("{"), "the frame at its byte 1: EOF while parsing an object; remove the line"),
        (frame("hello"), "the frame at its byte 1: expected value"),
        (frame("{}{}"), "the frame at its byte 3: trailing characters"),
        (frame(&TRADE[..50]), "the frame at its byte 50: EOF while parsing"),
        (frame(&"[".repeat(100_000)), "the frame at its byte 100000: EOF while parsing a list"),
        (frame(&"{\"e\":".repeat(100_000)), "recursion limit exceeded"),
        (price("NaN"), "`NaN` is not a number such as 61837.63"),
        (price("1e400"), "`1e400` is not a number"),
        (price(digits), &format!("`{digits}` is not a number")),
        (price("-1"), "`-1` is not a number"),
        (frame(&DEPTH.replace(r#""U":11"#, r#""U":13"#)), "U 13 is not before u 12"),
        (frame(&DEPTH.replace(r#""0""#, r#""-0.5""#)), "`-0.5` is not a number"),
        (frame(&DEPTH.replace(r#""u":12"#, r#""u":1e400"#)), "number out of range"),
    ] {
        assert!(found.starts_with("tape, line 2: ") && found.contains(words), "{words}: {found}");
    }
    let mut bytes = lines(&[QUOTE]).into_bytes();
    bytes.extend(format!("{START} {{\"e\":\"").bytes().chain([0xff, 0xfe]).chain(*b"\"}\n"));
    let found = refusal(bytes);
    assert!(found.contains("line 2: the frame at its byte") && found.contains("invalid unicode code point"), "{found}");
}

#[test]
fn damaged_lines_may_be_left_out_and_missing_depth_is_noticed() {
    let options = TapeOptions { damaged: DamagedLines::LeftOut, ..TapeOptions::default() };
    let next = DEPTH.replace(r#""U":11,"u":12"#, r#""U":13,"u":14"#);
    let text = lines(&[SNAPSHOT, &DEPTH[..60], &next, QUOTE, "hello"]);
    let (events, report, error) = read(text, options);
    assert_eq!((kinds(&events).as_str(), report.damaged_lines, report.gaps), ("w?q", 2, 1));
    assert!(error.is_none());
}

#[test]
fn compressed_data_that_is_cut_short_gives_what_is_there_and_then_an_error() {
    let text = lines(&[QUOTE; 2_000]);
    let packed = gzipped(&text);
    for end in [packed.len() - 1, packed.len() - 9, packed.len() / 2, 20] {
        let (events, _, error) = read(packed[..end].to_vec(), TapeOptions::default());
        let error = error.unwrap();
        assert!(matches!(error, TapeError::CutShort { .. }), "{end}: {error}");
        assert!(events.len() <= 2_000);
    }
    let mut flipped = packed;
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    let error = refusal(flipped);
    assert!(error.starts_with("tape cannot be read after line 2000: "), "{error}");
}

#[test]
fn a_line_without_end_is_given_up_at_the_limit() {
    let options = TapeOptions { line_bytes: 1 << 20, ..TapeOptions::default() };
    let mut endless = tape(std::io::repeat(b'1'), options);
    assert_eq!(
        endless.next().unwrap().unwrap_err().to_string(),
        "tape, line 1 has more than 1048576 bytes; is it a recording with one frame a line?"
    );
    assert!(endless.next().is_none());
    let bomb = gzipped(&format!("{}{}", lines(&[QUOTE]), "1".repeat(2 << 20)));
    let (events, _, error) = read(bomb, options);
    assert_eq!(events.len(), 1);
    assert!(matches!(error, Some(TapeError::LongLine { line: 2, .. })));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Tape::read("no/such/tape.gz".as_ref(), "BTCUSDT").unwrap_err().to_string();
    assert!(error.starts_with("no/such/tape.gz cannot be read after line 0: "), "{error}");
}

proptest! {
    /// Bytes may be anything: there is an end, and no panic.
    #[test]
    fn a_damaged_recording_is_read_or_refused(
        at in 0..600_usize,
        bytes in proptest::collection::vec(any::<u8>(), 0..8),
        packed in any::<bool>(),
        lenient in any::<bool>(),
    ) {
        let text = lines(&[SNAPSHOT, QUOTE, TRADE, DEPTH]);
        let mut data = if packed { gzipped(&text) } else { text.into_bytes() };
        let at = at % data.len();
        let end = (at + bytes.len()).min(data.len());
        data.splice(at..end, bytes);
        let damaged = if lenient { DamagedLines::LeftOut } else { DamagedLines::Refused };
        let Ok(mut tape) =
            Tape::read_from("tape", Cursor::new(data), "btcusdt", TapeOptions { damaged, ..TapeOptions::default() })
        else {
            return Ok(());
        };
        prop_assert!(tape.by_ref().take(100).count() <= 10);
        prop_assert!(tape.next().is_none());
    }

    /// Every event is exact: what is written out is what the frame said.
    #[test]
    fn numbers_are_what_the_frame_said(price in 1..10_000_000_000_u64, size in 1..10_000_000_000_u64) {
        let written = |number: u64| format!("{}.{:08}", number / 100_000_000, number % 100_000_000);
        let quoted = |number: u64| format!("\"{}\"", written(number));
        let trade = TRADE.replace("\"61837.63\"", &quoted(price)).replace("\"0.02\"", &quoted(size));
        let (events, _) = whole(lines(&[&trade]));
        let TapeEvent::Print(Print { price: read, quantity, .. }) = events[0].event else { panic!("no print") };
        prop_assert_eq!(format!("{read:.8}"), written(price));
        prop_assert_eq!(format!("{quantity:.8}"), written(size));
    }
}

/// A reader may be given to another thread.
#[test]
fn a_tape_can_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&tape(Cursor::new(lines(&[QUOTE])), TapeOptions::default()));
}
