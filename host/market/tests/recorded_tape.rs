//! Two recordings of Binance are read, and their streams bear each other out. Skipped where the data is not, except in continuous
//! integration.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod data;

use std::sync::LazyLock;

use tiltyard_market::{Tape, TapeReport};
use tiltyard_model::tape::{OrderBook, Print, Quote, Stamped, TapeEvent};
use tiltyard_model::{Decimal, Nanos, Price, Side};

type Recording = Option<(Vec<Stamped>, TapeReport)>;

/// Read once for all tests.
static SPOT: LazyLock<Recording> = LazyLock::new(|| read("spot-btcusdt-20240808.gz"));
static USDM: LazyLock<Recording> = LazyLock::new(|| read("usdm-btcusdt-20240808.gz"));

fn read(name: &str) -> Recording {
    let path = data::folder()?.join("binance-raw-ws").join(name);
    let mut tape = Tape::read(&path, "BTCUSDT").unwrap();
    let events = tape.by_ref().map(Result::unwrap).collect();
    Some((events, tape.report().clone()))
}

/// Quotes, prints, depth.
fn counts(events: &[Stamped]) -> [usize; 3] {
    let count = |is: fn(&TapeEvent) -> bool| events.iter().filter(|stamped| is(&stamped.event)).count();
    [
        count(|event| matches!(event, TapeEvent::Quote(_))),
        count(|event| matches!(event, TapeEvent::Print(_))),
        count(|event| matches!(event, TapeEvent::Depth(_))),
    ]
}

#[test]
fn every_frame_of_spot_is_accounted_for() {
    let Some((events, report)) = &*SPOT else { return };
    assert_eq!(counts(events), [28_040, 9_757, 3_450]);
    assert_eq!(
        report.to_string(),
        "events: 41247; frames: 41249; received from 2024-08-08T23:54:13.937085768Z to 2024-08-08T23:59:59.999231384Z; \
         quotes: 28040; trades: 9757; depth frames: 3451; snapshots: 1; depth frames older than the book: 2"
    );
    assert!(events.is_sorted_by_key(|stamped| stamped.received));
}

#[test]
fn every_frame_of_usdm_is_accounted_for() {
    let Some((events, report)) = &*USDM else { return };
    assert_eq!(counts(events), [66_089, 21_313, 6_548]);
    assert_eq!(
        report.to_string(),
        "events: 93950; frames: 93954; received from 2024-08-08T23:54:15.030314667Z to 2024-08-08T23:59:59.833492584Z; \
         quotes: 66089; trades: 21313; depth frames: 6551; snapshots: 1; depth frames older than the book: 4"
    );
    assert!(events.is_sorted_by_key(|stamped| stamped.received));
}

/// After every depth event, the best of the book is the last quote whose update it contains: every change of the best is a quote. How
/// often the two were compared, and how often their updates were the same.
fn compare(events: &[Stamped]) -> (u32, u32) {
    let quotes: Vec<(u64, Quote)> = events
        .iter()
        .filter_map(|stamped| match stamped.event {
            TapeEvent::Quote(quote) => Some((stamped.update.unwrap(), quote)),
            _ => None,
        })
        .collect();
    assert!(quotes.is_sorted_by(|one, next| one.0 < next.0));
    let mut book = OrderBook::default();
    let (mut compared, mut at_once) = (0, 0);
    for stamped in events {
        let TapeEvent::Depth(change) = &stamped.event else { continue };
        book.apply(change);
        let update = stamped.update.unwrap();
        let quoted = quotes.partition_point(|quote| quote.0 <= update);
        if quoted > 0 {
            let (number, quote) = quotes[quoted - 1];
            assert_eq!(book.best(), quote, "at update {update}");
            assert!(!quote.is_crossed());
            compared += 1;
            at_once += u32::from(number == update);
        }
    }
    (compared, at_once)
}

#[test]
fn the_book_of_spot_agrees_with_every_quote() {
    let Some((events, _)) = &*SPOT else { return };
    assert_eq!(compare(events), (3_450, 564));
}

#[test]
fn the_book_of_usdm_agrees_with_every_quote() {
    let Some((events, _)) = &*USDM else { return };
    assert_eq!(compare(events), (6_548, 629));
}

/// Prints within the last quote that was received before them; within the quotes that held up to 200 ms before and after; beyond those,
/// and by how much at most. The streams are not synchronous, so that the quote before a print often shows what it left behind.
fn prints(events: &[Stamped]) -> (u32, u32, u32, Decimal) {
    let quotes: Vec<(Nanos, Price, Price)> = events
        .iter()
        .filter_map(|stamped| match stamped.event {
            TapeEvent::Quote(quote) => Some((stamped.received, quote.bid.unwrap().price, quote.ask.unwrap().price)),
            _ => None,
        })
        .collect();
    let (mut within, mut about, mut beyond, mut farthest) = (0, 0, 0, Decimal::ZERO);
    for (at, stamped) in events.iter().enumerate() {
        let TapeEvent::Print(Print { price, .. }) = stamped.event else { continue };
        let before = events[..at].iter().rev().find_map(|stamped| match stamped.event {
            TapeEvent::Quote(quote) => Some(quote),
            _ => None,
        });
        if before.is_some_and(|quote| quote.bid.unwrap().price <= price && price <= quote.ask.unwrap().price) {
            within += 1;
            continue;
        }
        let span = Nanos(200_000_000);
        // The quote that held when the span began as well.
        let from = quotes.partition_point(|quote| quote.0 < stamped.received - span).saturating_sub(1);
        let to = quotes.partition_point(|quote| quote.0 <= stamped.received + span);
        let bid = quotes[from..to].iter().map(|quote| quote.1).min().unwrap();
        let ask = quotes[from..to].iter().map(|quote| quote.2).max().unwrap();
        if bid <= price && price <= ask {
            about += 1;
        } else {
            beyond += 1;
            farthest = farthest.max((bid - price).0).max((price - ask).0);
        }
    }
    (within, about, beyond, farthest)
}

#[test]
fn prints_of_spot_are_at_the_book_or_in_it() {
    let Some((events, _)) = &*SPOT else { return };
    assert_eq!(prints(events), (4_938, 4_819, 0, Decimal::ZERO));
}

#[test]
fn prints_of_usdm_are_at_the_book_or_in_it() {
    let Some((events, _)) = &*USDM else { return };
    assert_eq!(prints(events), (11_719, 9_485, 109, Decimal::new(55, 1)));
}

/// An order walks the recorded book: what it takes is there, best price first, and ends at its limit.
#[test]
fn an_order_takes_levels_of_the_recorded_book() {
    let Some((events, _)) = &*SPOT else { return };
    let mut book = OrderBook::default();
    for change in events.iter().filter_map(|stamped| match &stamped.event {
        TapeEvent::Depth(change) => Some(change),
        _ => None,
    }) {
        book.apply(change);
        let walk = book.walk(Side::Buy, tiltyard_model::Qty(Decimal::from(25)), None);
        assert!(walk.left.is_zero());
        assert!(walk.taken.is_sorted_by(|one, next| one.price < next.price));
        let (last, full) = walk.taken.split_last().unwrap();
        assert!(full.iter().all(|level| book.size_at(Side::Sell, level.price) == level.size));
        let limited =
            book.walk(Side::Buy, tiltyard_model::Qty(Decimal::from(25)), full.last().map(|level| level.price));
        if !full.is_empty() {
            assert_eq!((limited.taken.as_slice(), limited.left), (full, last.size));
        }
    }
}
