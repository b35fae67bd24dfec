use std::borrow::Cow;

use tiltyard_model::{Bar, Nanos, shown};

use super::TimeUnit;
use super::header::Columns;
use super::stamp::parse_stamp;
use crate::Flaw;

/// The columns after the time, in the order of [`Columns::values`].
pub(super) const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// Makes bars of rows, and remembers what all rows have in common.
pub(super) struct Parser {
    columns: Columns,
    pub(super) unit: Option<TimeUnit>,
}

impl Parser {
    pub(super) fn new(columns: Columns) -> Self {
        Self { columns, unit: None }
    }

    /// The bar of a row of so many fields, whose time says itself how it is written.
    pub(super) fn parse<'f>(&mut self, width: usize, field: impl Fn(usize) -> Cow<'f, str>) -> Result<Bar, Flaw> {
        if width != self.columns.width {
            return Err(Flaw::Fields { found: width, expected: self.columns.width });
        }
        let text = field(self.columns.time);
        let time = parse_stamp(&text)?;
        self.bar(time, field)
    }

    /// The bar of a row that begins at this time, written in this way.
    pub(super) fn bar<'f>(
        &mut self,
        (open_time, unit): (Nanos, TimeUnit),
        field: impl Fn(usize) -> Cow<'f, str>,
    ) -> Result<Bar, Flaw> {
        let before = *self.unit.get_or_insert(unit);
        if unit != before {
            return Err(Flaw::MixedTimes { text: shown(&field(self.columns.time), 40), unit, before });
        }
        let mut values = [0.0; VALUES.len()];
        for (at, value) in values.iter_mut().enumerate() {
            let text = field(self.columns.values[at]);
            *value = text.parse().map_err(|_| Flaw::Number { column: VALUES[at], text: shown(&text, 40) })?;
        }
        let [open, high, low, close, volume] = values;
        Ok(Bar { open_time, open, high, low, close, volume })
    }
}
