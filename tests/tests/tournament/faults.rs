use std::collections::BTreeMap;

use tiltyard_model::Value;
use tiltyard_tests::{CURIOUS, Wat};
use tiltyard_tournament::{Row, Verdict};

use crate::field::{Field, made_up, name, strategy};

/// What must not depend on who else takes part.
fn own(row: &Row) -> (String, String, Option<String>) {
    let metrics = serde_json::to_string(&(&row.metrics, &row.score, &row.sharpe_interval, &row.choices)).unwrap();
    (row.result.to_string(), metrics, row.fault.clone())
}

fn field() -> Field {
    let log = r#"(import "tiltyard:strategy/journal@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
    let flood = "(loop $more (call $log (i32.const 0) (i32.const 16) (i32.const 8)) (br $more))";
    Field::made_up(3, 4, 2_400)
        .with("falls", &Wat { on_bar: "(unreachable)", ..Wat::default() }.component())
        .with("floods", &Wat { imports: log, on_bar: flood, ..Wat::default() }.component())
        .with("loops", &Wat { on_bar: "(loop $more (br $more))", ..Wat::default() }.component())
        .with("refuses", &Wat { init: "(unreachable)", ..Wat::default() }.component())
        .with("curious", CURIOUS)
}

fn honest() -> String {
    strategy("ma-cross", "fast = { from = 4, to = 40, step = 4 }\nslow = [48, 96, 192]")
        + &strategy("donchian", "entry = [12, 24, 48]")
        + &strategy("rsi-reversion", "window = [7, 14]")
}

#[test]
fn who_faults_floods_or_loops_loses_its_own_rows_and_nobody_elses() {
    let field = field();
    let without = field.table(&(made_up(4, "") + &honest()));
    let with =
        strategy("falls", "") + &strategy("floods", "") + &honest() + &strategy("loops", "") + &strategy("refuses", "");
    // In the middle of a run, each act a variant of one component; the last does no harm.
    let acts = r#"act = ["panic", "exit", "hoard", "submits without end", "talks too much", "print"]"#;
    let with = field.table(&(made_up(4, "") + &with + &strategy("curious", &format!("{acts}\nbar = [700]"))));

    let table = |rows: &[Row]| rows.iter().map(|row| (name(row), own(row))).collect::<BTreeMap<_, _>>();
    let (before, after) = (table(&without.rows), table(&with.rows));
    assert!(before.len() >= 140, "{}", before.len());
    for (name, row) in &before {
        assert_eq!(after.get(name), Some(row), "{name}");
    }
    // Among themselves they stand as they stood.
    let order = |rows: &[Row]| rows.iter().map(name).filter(|name| before.contains_key(name)).collect::<Vec<_>>();
    assert_eq!(order(&without.rows), order(&with.rows));

    let mut reasons: Vec<String> = Vec::new();
    for row in with.rows.iter().filter(|row| !before.contains_key(&name(row))) {
        if row.params.get("act") == Some(&Value::Text("print".to_owned())) {
            assert_eq!(row.fault, None, "it may talk");
            continue;
        }
        let Verdict::Faulted { why, runs: 1 } = &row.verdict else { panic!("{row:?}") };
        assert_eq!((row.fault.as_ref(), row.rank, row.score, &row.metrics), (Some(why), None, None, &None));
        let act = row.params.get("act").map(|act| format!(" {act}")).unwrap_or_default();
        reasons.push(format!("{}{act} on {}: {}", row.strategy, row.market, why.lines().next().unwrap_or_default()));
    }
    assert_eq!(reasons.len(), (4 + 5) * 4);
    reasons.sort();
    insta::assert_snapshot!(
        "reasons",
        reasons.iter().filter(|why| why.contains("SYN1")).cloned().collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn who_falls_on_the_way_of_a_walk_is_disqualified_as_a_whole() {
    let field = field();
    let walk = "[windows]\nkind = \"rolling\"\ntrain_days = 20\ntest_days = 10";
    // Warm-up included, the first 500 bars of a window: no test is as long, every train window would be longer.
    let late = strategy("curious", "act = [\"panic\"]\nbar = [300]") + &strategy("ma-cross", "fast = [5, 10]");
    let table = field.table(&(made_up(2, walk) + &late));
    for row in &table.rows {
        if row.strategy == "curious" {
            assert!(matches!(row.verdict, Verdict::Faulted { .. }), "all it could choose from had fallen: {row:?}");
            assert_eq!((row.rank, &row.metrics), (None, &None));
        } else {
            assert!(row.metrics.is_some() && row.fault.is_none());
        }
    }
    let places = |strategy: &str| {
        table
            .rows
            .iter()
            .zip(&table.race)
            .filter(|(row, _)| row.strategy == strategy)
            .map(|(_, race)| race.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(places("curious"), [0, 0], "who is disqualified is not in the race");
    assert!(places("ma-cross").iter().all(|windows| *windows == table.rows[0].choices.len()));
}
