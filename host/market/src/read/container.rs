//! What a file is, by its first bytes, and the bytes inside.

use std::error::Error;
use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use tiltyard_model::shown;
use zip::ZipArchive;

use super::{Container, RawBars, ReadError, ReadLimits};

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The first bytes of a zip with something in it, and of an empty one (APPNOTE 4.3.7, 4.3.16).
const ZIP: [[u8; 4]; 2] = [*b"PK\x03\x04", *b"PK\x05\x06"];
const PARQUET: [u8; 4] = *b"PAR1";
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What is in a file.
pub(super) enum Content<'a> {
    /// Text, decompressed, no more than may be read.
    Text {
        source: Box<dyn Read + 'a>,
        container: Container,
    },
    Zip(Vec<u8>),
    Parquet(Vec<u8>),
}

pub(super) fn open<'a>(source: impl Read + 'a, limit: u64) -> io::Result<Content<'a>> {
    let (start, rest) = split_start(source, PARQUET.len())?;
    let is_gzip = start.starts_with(&GZIP);
    let is_parquet = start == PARQUET;
    let is_zip = ZIP.iter().any(|magic| start == magic);
    let whole = Cursor::new(start).chain(rest);
    if is_parquet || is_zip {
        let mut bytes = Vec::new();
        Bounded { source: whole, left: limit }.read_to_end(&mut bytes)?;
        return Ok(if is_zip { Content::Zip(bytes) } else { Content::Parquet(bytes) });
    }
    if is_gzip {
        let source = text_of(MultiGzDecoder::new(io::BufReader::new(whole)), limit)?;
        return Ok(Content::Text { source, container: Container::Gzip });
    }
    Ok(Content::Text { source: text_of(whole, limit)?, container: Container::Plain })
}

/// Reads every CSV file in a zip; together they may be as long as one file.
pub(super) fn zipped_tables(
    name: &str,
    bytes: Vec<u8>,
    limits: ReadLimits,
    mut read: impl FnMut(&str, Box<dyn Read + '_>) -> Result<RawBars, ReadError>,
) -> Result<Vec<RawBars>, ReadError> {
    let broken = |error: zip::result::ZipError| ReadError::Io { name: name.to_owned(), error: io::Error::other(error) };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut tables = Vec::new();
    let mut left = limits.bytes;
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(broken)?;
        let path = String::from_utf8_lossy(member.name_raw()).into_owned();
        if member.is_dir() || !path.to_ascii_lowercase().ends_with(".csv") {
            continue;
        }
        let member_name = format!("{name}: {}", shown(&path, 200));
        let mut counted = Counted { source: member, read: 0 };
        let failed = |error| ReadError::from_io(&member_name, limits, error);
        let source = text_of(&mut counted, left).map_err(failed)?;
        tables.push(read(&member_name, source)?);
        left = left.saturating_sub(counted.read);
    }
    if tables.is_empty() {
        let remedy = "give a zip with at least one file whose name ends in .csv";
        return Err(ReadError::Tables { name: name.to_owned(), found: 0, remedy });
    }
    Ok(tables)
}

/// The text itself, without the mark that some programs put before UTF-8.
fn text_of<'a>(source: impl Read + 'a, limit: u64) -> io::Result<Box<dyn Read + 'a>> {
    let (start, rest) = split_start(source, BYTE_ORDER_MARK.len())?;
    let kept = if start == BYTE_ORDER_MARK { Vec::new() } else { start };
    Ok(Box::new(Bounded { source: Cursor::new(kept).chain(rest), left: limit }))
}

/// The first bytes, fewer only if there are no more, and the rest.
pub(crate) fn split_start<R: Read>(mut source: R, bytes: usize) -> io::Result<(Vec<u8>, R)> {
    let mut start = Vec::with_capacity(bytes);
    source.by_ref().take(bytes as u64).read_to_end(&mut start)?;
    Ok((start, source))
}

/// What is left of the bytes that may be read.
struct Bounded<R> {
    source: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("more bytes than may be read")]
struct OverLimit;

pub(super) fn is_over_limit(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<OverLimit>)
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(OverLimit))?;
        Ok(count)
    }
}

struct Counted<R> {
    source: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}
