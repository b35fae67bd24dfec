//! Bars from JSON: an array of arrays, as ccxt and the exchanges themselves give them.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use super::header::{Columns, KLINES};
use super::parser::Parser;
use super::{Container, Detected, Layout, RawBars, ReadError, ReadLimits, Row};
use crate::{Place, Problems};

/// Longest row that is read on; whatever is longer is no bar.
const WIDEST: usize = 64;

pub(super) fn read(
    name: &str,
    source: impl Read,
    container: Container,
    limits: ReadLimits,
) -> Result<RawBars, ReadError> {
    let mut rows = Rows { rows: Vec::new(), problems: Problems::default(), parser: None, count: 0, limit: limits.rows };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::new(source));
    let outcome = json.deserialize_seq(&mut rows).and_then(|()| json.end());
    if rows.count > limits.rows {
        return Err(ReadError::TooManyRows { name: name.to_owned(), limit: limits.rows });
    }
    if let Err(error) = outcome {
        return Err(match error.classify() {
            Category::Io => ReadError::from_io(name, limits, error.into()),
            _ => ReadError::Columns {
                name: name.to_owned(),
                problem: format!("JSON, but no array of arrays such as [[time,open,high,low,close,volume],…]: {error}"),
            },
        });
    }
    let Rows { rows, problems, parser, count, .. } = rows;
    if count == 0 {
        return Err(ReadError::Empty { name: name.to_owned() });
    }
    let time = parser.and_then(|parser| parser.unit);
    let detected = Detected { container, layout: Layout::JsonArrays, time, columns: Vec::new(), synthetic: None };
    Ok(RawBars { name: name.to_owned(), rows, problems, detected })
}

/// What has been read of the outer array.
struct Rows {
    rows: Vec<Row>,
    problems: Problems,
    /// From the first row on, whose width all have.
    parser: Option<Parser>,
    count: u64,
    limit: u64,
}

impl Rows {
    fn add(&mut self, cells: &[Cell]) -> Result<(), String> {
        let parser = match &mut self.parser {
            Some(parser) => parser,
            None if cells.len() == 6 || cells.len() == KLINES => {
                self.parser.insert(Parser::new(Columns::by_position(cells.len())))
            }
            None => {
                return Err(format!(
                    "the first row has {} values; 6 or the {KLINES} of a kline are known",
                    cells.len()
                ));
            }
        };
        let place = Place::Row(self.count);
        match parser.parse(cells.len(), |at| Cow::Borrowed(cells[at].0.trim())) {
            Ok(bar) => self.rows.push(Row { place, bar }),
            Err(flaw) => self.problems.add(place, flaw),
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Rows {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of arrays")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut outer: A) -> Result<(), A::Error> {
        while let Some(cells) = outer.next_element_seed(Cells)? {
            self.count += 1;
            if self.count > self.limit {
                return Err(A::Error::custom("too many rows"));
            }
            self.add(&cells).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// One row, no longer than [`WIDEST`].
struct Cells;

impl<'de> DeserializeSeed<'de> for Cells {
    type Value = Vec<Cell>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Cell>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Cells {
    type Value = Vec<Cell>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array such as [time,open,high,low,close,volume]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Vec<Cell>, A::Error> {
        let mut cells = Vec::with_capacity(6);
        while let Some(cell) = row.next_element()? {
            if cells.len() == WIDEST {
                return Err(A::Error::custom(format!("a row has more than {WIDEST} values")));
            }
            cells.push(cell);
        }
        Ok(cells)
    }
}

/// A value as text, so that the same rules hold for it as for CSV.
struct Cell(String);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell(text.to_owned()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Cell, E> {
        Ok(Cell(truth.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell("null".to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut inner: A) -> Result<Cell, A::Error> {
        while inner.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell("[…]".to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut inner: A) -> Result<Cell, A::Error> {
        while inner.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell("{…}".to_owned()))
    }
}
