use std::io::Write;

use tiltyard_model::Columns;

const HEADS: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

/// Writes bars as CSV that is read back to the last bit: open times in whole milliseconds since 1970, or in nanoseconds
/// where those are not enough; prices and volumes in the fewest digits that mean the same number.
///
/// # Errors
/// What the sink says.
pub fn write_csv<W: Write>(sink: W, bars: &Columns) -> csv::Result<W> {
    // Below these, a reader would take the number for seconds.
    let readable = |time: &i64| time % 1_000_000 == 0 && time.unsigned_abs() / 1_000_000 >= 100_000_000_000;
    let divisor = if bars.open_time().iter().all(readable) { 1_000_000 } else { 1 };
    let mut csv = csv::Writer::from_writer(sink);
    csv.write_record(HEADS)?;
    for bar in bars.iter() {
        let values = [bar.open, bar.high, bar.low, bar.close, bar.volume].map(|value| value.to_string());
        csv.write_field((bar.open_time.0 / divisor).to_string())?;
        csv.write_record(values)?;
    }
    csv.into_inner().map_err(|error| error.into_error().into())
}
