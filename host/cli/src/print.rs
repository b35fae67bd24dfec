//! The one place that writes to the terminal.

use std::io::{self, Write as _};

/// Writes to standard output. Who closes the pipe early (`| head`) has seen enough.
pub(crate) fn out(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Writes an error to standard error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// Writes a word beside the results to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// Lays rows out in columns, the first row as their heads; numbers to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let is_number = |cell: &str| cell.parse::<f64>().is_ok();
    let lines = rows.iter().enumerate().map(|(at, row)| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let like = if at == 0 { rows.get(1).and_then(|row| row.get(column)).unwrap_or(cell) } else { cell };
            if is_number(like) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn numbers_stand_to_the_right() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            table(&[row(["name", "fuel"]), row(["a", "5"]), row(["long", "1234"])]),
            "name  fuel\na        5\nlong  1234"
        );
    }
}
