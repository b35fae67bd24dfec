//! Rates of funding from files.
#![allow(clippy::unwrap_used, reason = "a test may")]

use tiltyard_market::{parse_date, read_funding};
use tiltyard_model::Decimal;

fn read(text: &str) -> Result<Vec<(i64, String)>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("funding.csv");
    std::fs::write(&path, text).unwrap();
    let read = read_funding(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"));
    read.map(|payments| payments.into_iter().map(|(time, rate)| (time.0 / 1_000_000_000, rate.to_string())).collect())
}

#[test]
fn times_go_down_to_the_second_and_rates_are_exact() {
    let payments = read("time,rate\n1704067200003,0.00010000\n2024-01-01T08:00:00Z,-1.5e-4\n\n1704124800,0\n").unwrap();
    let begin = parse_date("2024-01-01").unwrap().0 / 1_000_000_000;
    let expected = [(begin, "0.0001"), (begin + 28_800, "-0.00015"), (begin + 57_600, "0")];
    assert_eq!(payments, expected.map(|(time, rate)| (time, rate.to_owned())));
    assert_eq!(Decimal::from_str_exact(&payments[0].1).unwrap(), Decimal::new(1, 4));
}

#[test]
fn what_is_no_payment_is_named_with_its_line() {
    for (text, problem) in [
        ("rate,time\n", "FILE begins with `rate,time`; it takes CSV with the heads time,rate"),
        ("", "FILE begins with ``; it takes CSV with the heads time,rate"),
        (
            "time,rate\n1704067200,lots\n",
            "FILE, line 2: the rate is `lots`; it takes a fraction from -0.1 to 0.1 with at most 12 decimals",
        ),
        (
            "time,rate\n1704067200,0.2\n",
            "FILE, line 2: the rate is `0.2`; it takes a fraction from -0.1 to 0.1 with at most 12 decimals",
        ),
        (
            "time,rate\n1704067200\n",
            "FILE, line 2: the rate is ``; it takes a fraction from -0.1 to 0.1 with at most 12 decimals",
        ),
        (
            "time,rate\n1704067200000,0\n1704067200007,0\n",
            "FILE, line 3: the time is not after that of the line before; put the payments in order, each once",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), problem);
    }
    assert!(read("time,rate\nsoon,0.1\n").unwrap_err().starts_with("FILE, line 2: "));
}
