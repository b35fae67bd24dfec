//! Bars from CSV, and which of the texts is JSON.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};

use csv::{ByteRecord, Position, ReaderBuilder, Terminator};

use super::container::split_start;
use super::header::{self, Columns, list};
use super::parser::Parser;
use super::{Container, Detected, Layout, RawBars, ReadError, ReadLimits, Row, arrays};
use crate::{Flaw, Place, Problems};

/// Bytes by which JSON is told from CSV: white space before its bracket may be as long.
const TELLING: usize = 64;

pub(super) fn read(
    name: &str,
    source: impl Read,
    container: Container,
    limits: ReadLimits,
) -> Result<RawBars, ReadError> {
    let failed = |error| ReadError::from_io(name, limits, error);
    let (start, rest) = split_start(source, TELLING).map_err(failed)?;
    let is_json = matches!(start.trim_ascii_start().first(), Some(b'[' | b'{'));
    let whole = Cursor::new(start).chain(rest);
    if is_json { arrays::read(name, whole, container, limits) } else { read_csv(name, whole, container, limits) }
}

fn read_csv(name: &str, source: impl Read, container: Container, limits: ReadLimits) -> Result<RawBars, ReadError> {
    let failed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => ReadError::from_io(name, limits, error),
        other => ReadError::from_io(name, limits, io::Error::other(format!("{other:?}"))),
    };
    // Every row ends with a line feed, so that the reader's position tells a row's line; `\r` is white space.
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(source.chain(&b"\n"[..]));
    let mut record = ByteRecord::new();
    let mut more = reader.read_byte_record(&mut record).map_err(failed)?;
    if record.iter().all(|field| field.trim_ascii().is_empty()) {
        return Err(ReadError::Empty { name: name.to_owned() });
    }
    let (columns, layout) =
        Columns::of_first(&record).map_err(|problem| ReadError::Columns { name: name.to_owned(), problem })?;
    let mut names = Vec::new();
    if layout == Layout::CsvWithHeader {
        names = columns.in_order().iter().map(|at| header::name(&record[*at])).collect();
        more = reader.read_byte_record(&mut record).map_err(failed)?;
    }

    let mut parser = Parser::new(columns);
    let mut rows = Vec::new();
    let mut problems = Problems::default();
    let mut count = 0;
    while more {
        let is_blank = record.len() == 1 && record[0].trim_ascii().is_empty();
        count += u64::from(!is_blank);
        if count > limits.rows {
            return Err(ReadError::TooManyRows { name: name.to_owned(), limit: limits.rows });
        }
        let place = Place::Line(reader.position().line() - 1);
        if record.as_slice().contains(&b'\n') {
            problems.add(Place::Line(record.position().map_or(0, Position::line)), Flaw::OpenQuote);
        } else if !is_blank {
            let field = |at: usize| -> Cow<'_, str> { String::from_utf8_lossy(record[at].trim_ascii()) };
            match parser.parse(record.len(), field) {
                Ok(bar) => rows.push(Row { place, bar }),
                Err(flaw) => problems.add(place, flaw),
            }
        }
        more = reader.read_byte_record(&mut record).map_err(failed)?;
    }
    let detected = Detected { container, layout, time: parser.unit, columns: list(&names), synthetic: None };
    Ok(RawBars { name: name.to_owned(), rows, problems, detected })
}
