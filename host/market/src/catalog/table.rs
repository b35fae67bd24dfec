//! A series as a Parquet file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, Type};
use tiltyard_model::{Bar, Columns, Digest, Nanos};

use super::{About, CatalogError, Key, Synthetic};
use crate::ReadLimits;

/// The columns. Times are in nanoseconds since 1970, UTC.
const SCHEMA: &str = "message bars {
    required int64 open_time (TIMESTAMP(NANOS, true));
    required double open;
    required double high;
    required double low;
    required double close;
    required double volume;
}";
/// Metadata: what is known about the series as JSON, and the digest of that text.
const ABOUT: &str = "tiltyard";
const CHECK: &str = "tiltyard-check";

fn schema() -> ParquetResult<Arc<Type>> {
    parse_message_type(SCHEMA).map(Arc::new)
}

/// Writes bars with what is known about them, as the catalog keeps them.
///
/// # Errors
/// What the sink or the encoder says.
pub fn write_table<W: Write + Send>(sink: W, bars: &Columns, about: &About) -> io::Result<W> {
    let text = serde_json::to_string(about)?;
    let check = Digest::of(text.as_bytes()).to_string();
    // Bytes of a price are more alike across rows than within one; times are all one step apart.
    let properties = WriterProperties::builder()
        .set_created_by("tiltyard".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::BYTE_STREAM_SPLIT)
        .set_column_encoding(ColumnPath::from("open_time"), Encoding::DELTA_BINARY_PACKED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(ABOUT.to_owned(), text),
            KeyValue::new(CHECK.to_owned(), check),
        ]))
        .build();
    encode(sink, bars, properties).map_err(as_io)
}

fn encode<W: Write + Send>(sink: W, bars: &Columns, properties: WriterProperties) -> ParquetResult<W> {
    let mut file = SerializedFileWriter::new(sink, schema()?, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    write_column::<Int64Type, W>(&mut group, bars.open_time())?;
    for values in [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()] {
        write_column::<DoubleType, W>(&mut group, values)?;
    }
    group.close()?;
    file.into_inner()
}

/// What the system said, without the encoder's words around it.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> ParquetResult<()> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

/// A file of the catalog, of which nothing but the end was read.
pub(super) struct Table<'a> {
    path: &'a Path,
    file: SerializedFileReader<File>,
    pub(super) about: About,
}

impl<'a> Table<'a> {
    /// What the file says about itself.
    ///
    /// # Errors
    /// [`CatalogError::Damaged`], [`CatalogError::Newer`].
    pub(super) fn open(path: &'a Path, file: File, key: &Key) -> Result<Self, CatalogError> {
        let damaged = |what: &dyn ToString| CatalogError::damaged(path, what.to_string());
        let file = SerializedFileReader::new(file).map_err(|error| damaged(&error))?;
        let metadata = file.metadata().file_metadata();
        let value = |name: &str| {
            let pairs = metadata.key_value_metadata().map(Vec::as_slice).unwrap_or_default();
            let pair = pairs.iter().find(|pair| pair.key == name);
            pair.and_then(|pair| pair.value.clone()).ok_or_else(|| damaged(&format!("`{name}` is not in it")))
        };
        let (text, check) = (value(ABOUT)?, value(CHECK)?);
        if Digest::of(text.as_bytes()).to_string() != check {
            return Err(damaged(&"what it says about itself has changed"));
        }
        let form = serde_json::from_str::<Form>(&text).map_err(|error| damaged(&error))?.form;
        if form > About::FORM {
            return Err(CatalogError::Newer { path: path.to_owned(), found: form, known: About::FORM });
        }
        let about: About = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        if Key::new(&about.venue, &about.symbol, about.interval).as_ref() != Ok(key) {
            return Err(damaged(&format!("it holds {} {} {}", about.venue, about.symbol, about.interval)));
        }
        if metadata.schema() != schema().map_err(|error| damaged(&error))?.as_ref() {
            return Err(damaged(&"its columns are others"));
        }
        if u64::try_from(metadata.num_rows()) != Ok(about.bars) || about.bars > ReadLimits::default().rows {
            return Err(damaged(&format!("it has {} rows and says {}", metadata.num_rows(), about.bars)));
        }
        Ok(Self { path, file, about })
    }

    /// All bars.
    pub(super) fn bars(&self) -> Result<Columns, CatalogError> {
        self.read().map_err(|error| CatalogError::damaged(self.path, error))
    }

    fn read(&self) -> ParquetResult<Columns> {
        let mut times = Vec::new();
        let mut values: [Vec<f64>; 5] = Default::default();
        for at in 0..self.file.num_row_groups() {
            let group = self.file.get_row_group(at)?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
            if rows as u64 > self.about.bars {
                return Err(ParquetError::General("a part has more rows than the whole".to_owned()));
            }
            match group.get_column_reader(0)? {
                ColumnReader::Int64ColumnReader(column) => read_column(column, rows, &mut times)?,
                _ => return Err(ParquetError::General("times are no whole numbers".to_owned())),
            }
            for (at, values) in (1..).zip(&mut values) {
                read_doubles(group.as_ref(), at, rows, values)?;
            }
        }
        let [open, high, low, close, volume] = &values;
        let bar = |(at, time): (usize, &i64)| Bar {
            open_time: Nanos(*time),
            open: open[at],
            high: high[at],
            low: low[at],
            close: close[at],
            volume: volume[at],
        };
        Ok(times.iter().enumerate().map(bar).collect())
    }
}

/// How the bars of a file were made up, if it says so, whoever keeps it.
pub(crate) fn synthetic_of(metadata: &[KeyValue]) -> Option<Synthetic> {
    let text = metadata.iter().find(|pair| pair.key == ABOUT)?.value.as_deref()?;
    serde_json::from_str::<About>(text).ok()?.synthetic
}

/// The part of [`About`] that every form has.
#[derive(serde::Deserialize)]
struct Form {
    form: u32,
}

fn read_doubles(group: &dyn RowGroupReader, at: usize, rows: usize, values: &mut Vec<f64>) -> ParquetResult<()> {
    match group.get_column_reader(at)? {
        ColumnReader::DoubleColumnReader(column) => read_column(column, rows, values),
        _ => Err(ParquetError::General("values are no numbers of 64 bits".to_owned())),
    }
}

fn read_column<T: DataType>(mut column: ColumnReaderImpl<T>, rows: usize, values: &mut Vec<T::T>) -> ParquetResult<()> {
    let mut left = rows;
    while left > 0 {
        let (read, ..) = column.read_records(left, None, None, values)?;
        if read == 0 {
            return Err(ParquetError::General("a column ends early".to_owned()));
        }
        left -= read;
    }
    Ok(())
}
