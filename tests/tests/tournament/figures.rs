//! Figures that are told, not asserted: run with `--ignored --nocapture`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use tiltyard_store::Store;
use tiltyard_tests::test_data;
use tiltyard_tournament::trades_of;

use crate::field::{Field, held, strategy};
use crate::real::coins;

/// The most memory that this process ever held, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// A tournament of so many variants on all hours of one coin.
fn tell(field: &Field, path: &Path, variants: usize, threads: usize) {
    let market = "[market]\nvenue = \"binance\"\ninterval = \"1h\"\nsymbols = [\"BTCUSDT\"]\nholdout_months = 0\n";
    // Fast averages of 2 to 51 bars, slow ones from 60 on.
    let slow = variants / 50 - 1;
    let grid =
        format!("fast = {{ from = 2, to = 51, step = 1 }}\nslow = {{ from = 60, to = {}, step = 5 }}", 60 + 5 * slow);
    let text = format!("name = \"figures\"\n{market}") + &strategy("ma-cross", &grid);
    let contest = field.contest(&text).unwrap();
    let mut store = Store::open(path).unwrap();
    let begun = Instant::now();
    let table = held(&contest, &text, &mut store, threads);
    let seconds = begun.elapsed().as_secs_f64();
    drop(store);
    let (runs, bytes) = (contest.runs.len(), fs::metadata(path).unwrap().len());
    let bars = contest.groups[0].simulation.market[0].bars.len();
    println!(
        "{runs} runs over {bars} bars with {threads} threads: {:.1} runs a second, {} bytes of database a run, at most {} MiB held, digest {}",
        runs as f64 / seconds,
        bytes / runs as u64,
        peak(),
        table.digest.short()
    );
    if variants <= 100 {
        // What it would be if every row kept its trades.
        let mut store = Store::open(path).unwrap();
        let trades: usize =
            (0..table.rows.len()).map(|row| trades_of(&contest, &table, row, &mut store).unwrap().len()).sum();
        drop(store);
        let all = fs::metadata(path).unwrap().len();
        println!("with the {trades} trades of all rows: {} bytes a run", all / runs as u64);
    }
}

#[test]
#[ignore = "it measures, and takes minutes"]
fn a_thousand_variants_of_four_years_of_hours() {
    let Some(data) = test_data() else { return };
    let field = coins(&data, &["BTCUSDT"]);
    println!("before: at most {} MiB held", peak());
    for (variants, threads) in [(100, 1), (100, 2), (1_000, 2), (1_000, 1)] {
        tell(&field, &field.folder.path().join(format!("{variants}-{threads}.db")), variants, threads);
    }
}
