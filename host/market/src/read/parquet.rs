//! Bars from Parquet files of other programs; the catalog's own are read by the catalog.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{LogicalType, TimeUnit as Unit};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use tiltyard_model::{Nanos, shown};

use super::header::{self, Columns};
use super::parser::Parser;
use super::stamp::parse_stamp;
use super::{Container, Detected, Layout, RawBars, ReadError, ReadLimits, Row, TimeUnit};
use crate::catalog::synthetic_of;
use crate::{Flaw, Place, Problems};

pub(super) fn read(name: &str, bytes: Vec<u8>, limits: ReadLimits) -> Result<RawBars, ReadError> {
    let broken = |error: ParquetError| ReadError::Io { name: name.to_owned(), error: io::Error::other(said(&error)) };
    let file = SerializedFileReader::new(Bytes::from(bytes)).map_err(broken)?;
    let about = file.metadata().file_metadata();
    let count = u64::try_from(about.num_rows()).unwrap_or(u64::MAX);
    if count > limits.rows {
        return Err(ReadError::TooManyRows { name: name.to_owned(), limit: limits.rows });
    }
    let synthetic = about.key_value_metadata().and_then(|pairs| synthetic_of(pairs));
    let schema = about.schema();
    let names: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let all = Columns::find(&names).map_err(|problem| ReadError::Columns { name: name.to_owned(), problem })?;
    // Only what makes a bar is decoded; it comes in the order of the file.
    let mut wanted = all.in_order();
    wanted.sort_unstable();
    let place_of = |at: usize| wanted.binary_search(&at).expect("every column of a bar is wanted");
    let columns = Columns { time: place_of(all.time), values: all.values.map(place_of), width: wanted.len() };
    let fields = wanted.iter().map(|at| Arc::clone(&schema.get_fields()[*at])).collect();
    let projection = Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(broken)?;

    let counts_nanos = matches!(
        schema.get_fields()[all.time].get_basic_info().logical_type_ref(),
        Some(LogicalType::Timestamp(of)) if of.unit == Unit::NANOS
    );

    let mut parser = Parser::new(columns);
    let mut rows = Vec::new();
    let mut problems = Problems::default();
    for (at, row) in (1..).zip(file.get_row_iter(Some(projection)).map_err(broken)?) {
        if at > limits.rows {
            return Err(ReadError::TooManyRows { name: name.to_owned(), limit: limits.rows });
        }
        let row = row.map_err(broken)?;
        let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
        let place = Place::Row(at);
        let time =
            typed(fields[columns.time], counts_nanos).unwrap_or_else(|| parse_stamp(&text(fields[columns.time])));
        match time.and_then(|time| parser.bar(time, |at| text(fields[at]))) {
            Ok(bar) => rows.push(Row { place, bar }),
            Err(flaw) => problems.add(place, flaw),
        }
    }
    if rows.is_empty() && problems.is_empty() {
        return Err(ReadError::Empty { name: name.to_owned() });
    }
    let names: Vec<String> = all.in_order().iter().map(|at| names[*at].clone()).collect();
    let detected = Detected {
        container: Container::Own,
        layout: Layout::Parquet,
        time: parser.unit,
        columns: header::list(&names),
        synthetic,
    };
    Ok(RawBars { name: name.to_owned(), rows, problems, detected })
}

/// What the decoder says, with the remedy where it lacks a compression.
fn said(error: &ParquetError) -> String {
    let text = error.to_string();
    match text.split_once("Disabled feature at compile time: ") {
        Some((_, compression)) => {
            format!(
                "its compression ({compression}) is none of those read here; write it with snappy or without compression"
            )
        }
        None => text,
    }
}

/// A value as text, so that the same rules hold for it as for CSV.
fn text(field: &Field) -> Cow<'_, str> {
    Cow::Owned(match field {
        Field::Long(number) => number.to_string(),
        Field::Int(number) => number.to_string(),
        Field::ULong(number) => number.to_string(),
        Field::UInt(number) => number.to_string(),
        // The shortest text of a number in 32 bits is what was meant by it.
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Str(text) => return Cow::Borrowed(text),
        Field::Null => "null".to_owned(),
        other => shown(&other.to_string(), 40),
    })
}

/// The time of a column whose type says what it counts.
fn typed(field: &Field, counts_nanos: bool) -> Option<Result<(Nanos, TimeUnit), Flaw>> {
    let (count, length, unit) = match field {
        Field::TimestampMillis(count) => (*count, 1_000_000, TimeUnit::Milliseconds),
        Field::TimestampMicros(count) => (*count, 1_000, TimeUnit::Microseconds),
        Field::Long(count) if counts_nanos => (*count, 1, TimeUnit::Nanoseconds),
        Field::Date(days) => (i64::from(*days), 86_400_000_000_000, TimeUnit::Dates),
        _ => return None,
    };
    let time = count.checked_mul(length).map(|time| (Nanos(time), unit));
    Some(time.ok_or_else(|| Flaw::TimeRange { text: count.to_string() }))
}
