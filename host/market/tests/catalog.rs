//! What is kept comes back, and nothing else does.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{prop_assert_eq, proptest};
use tiltyard_market::{Catalog, CatalogError, Contradictions, Kept, Key, Origin, RawBars, Series, SyntheticMarket};
use tiltyard_model::{Bar, Columns, Interval, Nanos};

const HOUR: Interval = Interval::Only(Nanos::from_hours(1));

fn key() -> Key {
    Key::new("binance", "BTC/USDT", HOUR).unwrap()
}

fn bar(hour: i64, close: f64) -> Bar {
    Bar { open_time: Nanos::from_hours(hour), open: 1.0, high: 9.0, low: 0.5, close, volume: 0.1 }
}

fn series(bars: impl IntoIterator<Item = Bar>) -> Series {
    Series::new(RawBars::of("given", bars), Nanos::from_hours(1)).unwrap()
}

fn from(source: &str) -> Origin {
    Origin { sources: vec![source.to_owned()], synthetic: None }
}

fn keep(catalog: &Catalog, bars: impl IntoIterator<Item = Bar>) -> Result<Kept, CatalogError> {
    catalog.keep(&key(), &series(bars), &from("a.csv"), Contradictions::Refused)
}

fn counts(kept: &Kept) -> (u64, u64, u64, u64) {
    (kept.added, kept.same, kept.replaced, kept.about.bars)
}

#[test]
fn what_is_kept_comes_back_bit_by_bit_and_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let given = series(SyntheticMarket::new(1, HOUR).bars(0, 3_000).iter());
    let kept =
        Catalog::open(folder.path()).unwrap().keep(&key(), &given, &from("a.csv"), Contradictions::Refused).unwrap();
    assert!(kept.is_new && kept.about.sources == ["a.csv"] && kept.about.digest == given.digest());
    assert!(folder.path().join("binance/BTC%2FUSDT/1h.parquet").is_file());
    let catalog = Catalog::open(folder.path()).unwrap();
    let (first, second) = (catalog.series(&key()).unwrap(), catalog.series(&key()).unwrap());
    assert_eq!(*first.bars, given.bars);
    assert!(Arc::ptr_eq(&first.bars, &second.bars), "loaded once");
    assert_eq!(*first.about, kept.about);
    let listed = catalog.list().unwrap();
    assert_eq!(listed[0].about.as_ref().unwrap(), &kept.about);
    assert!(catalog.check().unwrap()[0].about.is_ok());
}

#[test]
fn news_extends_and_repetition_is_no_news() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path().join("not there yet")).unwrap();
    assert!(catalog.list().unwrap().is_empty());
    assert_eq!(counts(&keep(&catalog, [bar(0, 1.0), bar(1, 1.0)]).unwrap()), (2, 0, 0, 2));
    let again = keep(&catalog, [bar(1, 1.0), bar(3, 1.0)]).unwrap();
    assert_eq!(counts(&again), (1, 1, 0, 3));
    assert_eq!(again.about.report.missing_bars, 1);
    let path = folder.path().join("not there yet/binance/BTC%2FUSDT/1h.parquet");
    let before = fs::read(&path).unwrap();
    let nothing = catalog.keep(&key(), &series([bar(0, 1.0)]), &from("b.csv"), Contradictions::Refused).unwrap();
    assert_eq!((counts(&nothing), fs::read(&path).unwrap()), ((0, 1, 0, 3), before), "the file stays as it was");
    let filled = keep(&catalog, [bar(2, 1.0), bar(-1, 1.0)]).unwrap();
    assert_eq!((counts(&filled), filled.about.report.missing_bars), ((2, 0, 0, 5), 0));
}

#[test]
fn contradictions_are_refused_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    keep(&catalog, (0..9).map(|hour| bar(hour, 1.0))).unwrap();
    let news = || (1..10).map(|hour| bar(hour, if hour == 5 { 1.0 } else { 2.0 }));
    let error = keep(&catalog, news()).unwrap_err().to_string();
    assert!(
        error.starts_with("binance BTC/USDT 1h: 7 bars contradict what is there\n  1970-01-01T01:00:00Z: "),
        "{error}"
    );
    assert!(error.contains("and 2 more") && error.ends_with("to take the new ones, replace them"), "{error}");
    assert_eq!(catalog.series(&key()).unwrap().bars.len(), 9);
    let would = catalog.would_keep(&key(), &series(news()), &from("b.csv"), Contradictions::Replace).unwrap();
    assert_eq!((counts(&would), catalog.series(&key()).unwrap().bars.len()), ((1, 1, 7, 10), 9));
    let kept = catalog.keep(&key(), &series(news()), &from("b.csv"), Contradictions::Replace).unwrap();
    assert_eq!(kept, would);
    assert_eq!(kept.about.sources, ["a.csv", "b.csv"]);
    let bars = catalog.series(&key()).unwrap().bars;
    assert_eq!(bars.close(), [1.0, 2.0, 2.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
}

#[test]
fn real_and_made_up_bars_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    keep(&catalog, [bar(0, 1.0)]).unwrap();
    let market = SyntheticMarket::new(5, HOUR);
    let origin = Origin { sources: Vec::new(), synthetic: Some(market.label()) };
    let error = catalog.keep(&key(), &series([bar(1, 1.0)]), &origin, Contradictions::Replace).unwrap_err();
    assert_eq!(
        error.to_string(),
        "binance BTC/USDT 1h is kept as what a market did, and what is given is made up by tiltyard-market 1 from seed 5 beginning \
         2020-01-01T00:00:00Z; \
         give it another symbol or venue"
    );
}

#[test]
fn bars_on_another_grid_do_not_mix_either() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    keep(&catalog, [bar(0, 1.0), bar(1, 1.0)]).unwrap();
    let half = Bar { open_time: Nanos::from_secs(9_000), ..bar(0, 1.0) };
    assert!(matches!(keep(&catalog, [half]), Err(CatalogError::Series(_))));
    assert_eq!(catalog.series(&key()).unwrap().bars.len(), 2);
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    keep(&catalog, [bar(0, 1.0)]).unwrap();
    let minute = Key::new("binance", "BTC/USDT", Interval::Only(Nanos::from_secs(60))).unwrap();
    let error = catalog.series(&minute).unwrap_err().to_string();
    assert!(error.contains("binance BTC/USDT 1m is not in the catalog"), "{error}");
    assert!(error.ends_with("import it, or use one of binance BTC/USDT 1h"), "{error}");
}

/// No bit of a file can change without being noticed, and none makes a reader panic.
#[test]
fn damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let given = series((0..40).map(|hour| bar(hour, 1.0 + hour as f64 / 7.0)));
    let catalog = Catalog::open(folder.path()).unwrap();
    catalog.keep(&key(), &given, &from("a.csv"), Contradictions::Refused).unwrap();
    let path = folder.path().join("binance/BTC%2FUSDT/1h.parquet");
    let whole = fs::read(&path).unwrap();
    let mut noticed = 0;
    for at in 0..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            fs::write(&path, bytes).unwrap();
            match Catalog::open(folder.path()).unwrap().series(&key()) {
                Ok(stored) => assert_eq!(*stored.bars, given.bars, "byte {at}"),
                Err(CatalogError::Damaged { .. }) => noticed += 1,
                Err(error) => panic!("{error}"),
            }
        }
        if at % 7 == 0 {
            fs::write(&path, &whole[..at]).unwrap();
            let cut = Catalog::open(folder.path()).unwrap().series(&key()).unwrap_err();
            assert!(matches!(cut, CatalogError::Damaged { .. }), "{cut}");
        }
    }
    assert!(noticed > whole.len() * 2, "{noticed} of {}", whole.len() * 3);
    let entries = catalog.check().unwrap();
    assert!(entries[0].about.is_err(), "what is on disk counts, not what was loaded");
}

#[test]
fn a_file_in_another_s_place_is_damage_and_a_stranger_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    keep(&catalog, [bar(0, 1.0)]).unwrap();
    let binance = folder.path().join("binance");
    fs::create_dir(binance.join("ETHUSDT")).unwrap();
    fs::copy(binance.join("BTC%2FUSDT/1h.parquet"), binance.join("ETHUSDT/1h.parquet")).unwrap();
    fs::write(binance.join("ETHUSDT/notes.txt"), "").unwrap();
    let said: Vec<String> = catalog
        .list()
        .unwrap()
        .into_iter()
        .map(|entry| entry.about.map_or_else(|error| error.to_string(), |about| about.symbol))
        .collect();
    assert_eq!(said[0], "BTC/USDT");
    assert!(said[1].contains("it holds binance BTC/USDT 1h"), "{said:?}");
    assert!(said[2].contains("notes.txt is not a file of the catalog"), "{said:?}");
}

#[test]
fn what_a_dead_writer_left_is_not_read_and_goes_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(folder.path()).unwrap();
    keep(&catalog, [bar(0, 1.0)]).unwrap();
    let left = folder.path().join("binance/BTC%2FUSDT/.unfinished-x");
    fs::write(&left, "half").unwrap();
    assert_eq!(catalog.list().unwrap().len(), 1);
    keep(&catalog, [bar(1, 1.0)]).unwrap();
    assert!(!left.exists());
}

#[test]
fn a_catalog_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Catalog::open(&file), Err(CatalogError::Io { .. })));
    assert!(matches!(Catalog::open(Path::new("/dev/null/x")), Err(CatalogError::Io { .. })));
}

#[test]
fn writers_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                let catalog = Catalog::open(folder).unwrap();
                for at in 0..10 {
                    keep(&catalog, [bar(part * 10 + at, 1.0)]).unwrap();
                }
            });
        }
    });
    assert_eq!(Catalog::open(folder.path()).unwrap().series(&key()).unwrap().bars.len(), 40);
}

proptest! {
    /// However bars are cut into imports, and in whatever order these come, the series is the same.
    #[test]
    fn the_order_of_imports_does_not_matter(parts in vec(vec(0..60_i64, 1..20), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap();
        let mut all = Vec::new();
        for hours in &parts {
            let mut hours = hours.clone();
            hours.extend([0, 1]);
            all.extend(&hours);
            keep(&catalog, hours.iter().map(|hour| bar(*hour, 1.0 + *hour as f64 / 9.0))).unwrap();
        }
        all.sort_unstable();
        all.dedup();
        let expected: Columns = all.iter().map(|hour| bar(*hour, 1.0 + *hour as f64 / 9.0)).collect();
        let catalog = Catalog::open(folder.path()).unwrap();
        prop_assert_eq!(&*catalog.series(&key()).unwrap().bars, &expected);
    }
}
