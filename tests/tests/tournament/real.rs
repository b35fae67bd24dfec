use std::path::Path;

use tiltyard_market::{Contradictions, Key, Origin, Series, read_bars};
use tiltyard_store::Store;
use tiltyard_tests::test_data;

use crate::field::{Field, HOUR, held};

const COINS: [&str; 8] = ["ADAUSDT", "BTCUSDT", "DOGEUSDT", "ETHUSDT", "LINKUSDT", "LTCUSDT", "SOLUSDT", "XRPUSDT"];

/// Hours of real coins.
pub(crate) fn coins(data: &Path, coins: &[&str]) -> Field {
    let field = Field::new();
    for coin in coins {
        let path = data.join("binance-spot-1h").join(format!("{coin}.csv.gz"));
        let key = Key::new("binance", coin, HOUR).unwrap();
        let series = Series::new(read_bars(&path).unwrap(), key.length()).unwrap();
        field.catalog.keep(&key, &series, &Origin::default(), Contradictions::Refused).unwrap();
    }
    field
}

/// All examples on all coins: walk-forward over 18 months.
fn specification() -> String {
    let mut text = format!(
        r#"
name = "eight coins"
[market]
venue = "binance"
interval = "1h"
symbols = {COINS:?}
from = "2023-01-01"
to = "2024-07-01"
[windows]
kind = "rolling"
train_days = 180
test_days = 90
"#
    );
    for example in tiltyard_examples::EXAMPLES {
        let markets = if example.instruments > 1 { "together" } else { "each" };
        text += &format!("[[strategy]]\ncomponent = \"{}\"\nmarkets = \"{markets}\"\n", example.name);
        if example.name == "ma-cross" {
            text += "[strategy.params]\nfast = [10, 24]\n";
        }
    }
    text
}

#[test]
fn eight_coins_give_the_same_on_one_thread_on_two_and_in_the_same_store_again() {
    let Some(data) = test_data() else { return };
    let field = coins(&data, &COINS);
    let text = specification();
    let contest = field.contest(&text).unwrap();
    assert!(contest.runs.len() >= 300, "{} runs", contest.runs.len());

    let path = field.folder.path().join("one.db");
    let mut store = Store::open(&path).unwrap();
    let alone = held(&contest, &text, &mut store, 1);
    let together = held(&contest, &text, &mut Store::open_in_memory().unwrap(), 2);
    assert_eq!(alone.digest, together.digest);
    assert_eq!((&alone.rows, &alone.equity), (&together.rows, &together.equity));

    let mut known = None;
    let never = Default::default();
    let again =
        tiltyard_tournament::hold(&contest, &text, &mut store, 2, &|| crate::field::NOON, &never, &mut |progress| {
            known = Some((progress.known, progress.done));
        });
    let (_, again) = again.unwrap();
    assert_eq!(known, Some((contest.runs.len(), 0)), "nothing is run again");
    assert_eq!((again.digest, &again.rows), (alone.digest, &alone.rows));
    store.check().unwrap();

    assert_eq!(alone.rows.len(), (tiltyard_examples::EXAMPLES.len() - 1) * COINS.len() + 1);
    assert!(alone.rows.iter().all(|row| row.fault.is_none()), "{:?}", alone.rows);
    println!("{} runs, digest {}: {}", contest.runs.len(), alone.digest, alone.sentence());
}
