use std::fs;
use std::path::Path;

use tiltyard_market::{Instruments, Key, Origin, SyntheticMarket};

use crate::field::{Field, HOUR, made_up, strategy};

/// What lies in a folder and below.
fn files(folder: &Path) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.push((entry.path().display().to_string(), entry.metadata().unwrap().len()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn what_cannot_be_held_says_why_and_leaves_nothing() {
    let field = Field::made_up(1, 2, 3_000);
    let market = SyntheticMarket::new(2, HOUR);
    let later = SyntheticMarket { begin: market.begin + tiltyard_model::Nanos::from_hours(24 * 365), ..market.clone() };
    for (symbol, market) in [("AB/EUR", &market), ("LATE-USD", &later)] {
        let key = Key::new(SyntheticMarket::VENUE, symbol, HOUR).unwrap();
        field.keep(&key, &market.bars(0, 3_000), &Origin { synthetic: Some(market.label()), ..Origin::default() });
    }
    let before = files(field.folder.path());

    let plain = strategy("ma-cross", "");
    let of = |symbols: &str| made_up(1, "").replace(r#"["SYN1-USD"]"#, symbols);
    let dates = |dates: &str| made_up(1, "").replace("holdout_months = 1", dates);
    let walk = |days: &str| made_up(1, &format!("[windows]\nkind = \"rolling\"\n{days}")) + &plain;
    let together = |name: &str| format!("[[strategy]]\ncomponent = \"{name}\"\nmarkets = \"together\"\n");
    let fine = "volume = { from = 0, to = 10, step = 0.1 }\nrange = { from = 0, to = 20, step = 0.1 }\nentry = { from = 5, to = 500, step = 1 }\nexit = { from = 2, to = 102, step = 1 }";
    let some = "entry = { from = 5, to = 500, step = 1 }\nexit = { from = 2, to = 102, step = 1 }";
    let cases = [
        ("an unknown symbol", of(r#"["NONE-USD"]"#) + &plain),
        ("a symbol that cannot be", of(r#"[" "]"#) + &plain),
        ("another interval", made_up(1, "").replace("1h", "5m") + &plain),
        ("a window before the data", dates("to = \"2019-01-01\"") + &plain),
        ("a window after the data", dates("from = \"2030-01-01\"") + &plain),
        ("a window in the holdout", dates("from = \"2020-04-20\"") + &plain),
        ("a holdout larger than the data", dates("holdout_months = 12") + &plain),
        ("a walk longer than the data", walk("train_days = 300\ntest_days = 100")),
        ("a walk of too many windows", walk("train_days = 0.02\ntest_days = 0.01")),
        ("data of different times", of(r#"["SYN1-USD", "LATE-USD"]"#) + &plain),
        ("an unknown parameter", made_up(1, "") + &strategy("ma-cross", "window = 3")),
        ("a value out of bounds", made_up(1, "") + &strategy("ma-cross", "fast = [1, 2, 900]")),
        ("a value of another kind", made_up(1, "") + &strategy("ma-cross", "short = [1, \"yes\"]")),
        ("no values", made_up(1, "") + &strategy("ma-cross", "fast = []")),
        ("no sample", made_up(1, "") + "[[strategy]]\ncomponent = \"ma-cross\"\nsample = 0\n"),
        ("a grid of a billion", made_up(1, "") + &strategy("donchian", fine)),
        (
            "a grid of a range too fine",
            made_up(1, "") + &strategy("donchian", "volume = { from = 0, to = 10, step = 0.000000001 }"),
        ),
        (
            "too many runs",
            made_up(2, "[windows]\nkind = \"rolling\"\ntrain_days = 10\ntest_days = 5") + &strategy("donchian", some),
        ),
        ("two currencies in one account", of(r#"["SYN1-USD", "AB/EUR"]"#) + &together("momentum")),
        ("a signal of several markets", made_up(2, "") + &together("ma-cross")),
        ("the same component twice", made_up(1, "") + &plain + &strategy("ma-cross", "fast = 5")),
    ];
    let said = cases.iter().map(|(what, text)| match field.contest(text) {
        Ok(contest) => format!("{what}: {} runs", contest.runs.len()),
        Err(error) => format!("{what}: {error}"),
    });
    let said = said.collect::<Vec<_>>().join("\n").replace(&field.catalog.folder().display().to_string(), "DATA");
    insta::assert_snapshot!("refused", said);
    assert_eq!(files(field.folder.path()), before);
}

#[test]
fn a_gap_as_long_as_a_window_leaves_the_window_empty_and_ends_nothing() {
    let field = Field::new();
    let market = SyntheticMarket::new(4, HOUR);
    // Thirty days without a bar, in the middle of a walk.
    let bars = market.bars(0, 2_400);
    let bars = bars.iter().enumerate().filter(|(at, _)| !(600..1_320).contains(at)).map(|(_, bar)| bar).collect();
    field.keep(&market.key(0).unwrap(), &bars, &Origin { synthetic: Some(market.label()), ..Origin::default() });
    let text = made_up(1, "[windows]\nkind = \"rolling\"\ntrain_days = 15\ntest_days = 10")
        + &strategy("ma-cross", "fast = [3, 5]");
    let table = field.table(&text);
    let [row] = &table.rows[..] else { panic!("one row") };
    assert!(row.metrics.is_some() && row.fault.is_none(), "{row:?}");
    assert!(row.choices.iter().any(|choice| choice.train_score.is_none()));
}

/// Whoever holds a perpetual pays funding, which a tournament does not know; spot on margin brings its interest with its rules.
#[test]
fn perpetuals_are_refused_until_their_funding_is_known() {
    let mut field = Field::made_up(1, 2, 3_000);
    let of_kind = |kind: &str| {
        let rules = format!(
            "[[instrument]]\nvenue = \"synthetic\"\nsymbol = \"SYN1-USD\"\nkind = \"{kind}\"\nbase = \"SYN1\"\nquote = \"USD\"\n\
             [[instrument.rules]]\nfrom = 2000-01-01\ntick = 0.01\nlot = 0.001\nmin_notional = 1\nmaker_fee = 0\n\
             taker_fee = 0.001\nmax_leverage = 3\n"
        );
        Instruments::parse("instruments.toml", &rules).unwrap()
    };
    let text = made_up(1, "") + &strategy("ma-cross", "");
    field.instruments = of_kind("perpetual");
    let refused = field.contest(&text).map(|_| ()).unwrap_err().to_string();
    assert!(refused.starts_with("SYN1-USD is a perpetual, and tournaments have no series of funding"), "{refused}");
    field.instruments = of_kind("spot_margin");
    assert!(field.contest(&text).is_ok());
}
