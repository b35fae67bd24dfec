//! Ways to spoil a component.

use std::ops::Range;

/// One way, with numbers that say where.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mutation {
    /// Turns a bit over.
    Flip { at: usize, bit: u8 },
    /// Puts a byte in place of another.
    Set { at: usize, byte: u8 },
    /// Ends the file early.
    Truncate { at: usize },
    /// Takes bytes out.
    Remove { at: usize, count: usize },
    /// Repeats bytes.
    Repeat { at: usize, count: usize },
    /// Puts a piece of another file in.
    Splice { at: usize, from: usize, count: usize },
    /// Lets two sections change places.
    Swap { one: usize, other: usize },
    /// Puts a section of another file in before one of this.
    Transplant { before: usize, section: usize },
    /// Says another length of a section.
    Length { section: usize, length: u32 },
    /// Says another number of what a section begins with: how many of something there are.
    Count { section: usize, count: u32 },
}

/// A section: where it begins, where its length stands, and where its content is.
struct Section {
    begins: usize,
    length: Range<usize>,
    content: Range<usize>,
}

impl Section {
    fn whole(&self) -> Range<usize> {
        self.begins..self.content.end
    }
}

impl Mutation {
    /// Applies it; numbers count from the beginning again where they are too large.
    pub(crate) fn apply(self, bytes: &mut Vec<u8>, other: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        match self {
            Self::Flip { at, bit } => bytes[at % len] ^= 1 << (bit % 8),
            Self::Set { at, byte } => bytes[at % len] = byte,
            Self::Truncate { at } => bytes.truncate(at % len),
            Self::Remove { at, count } => drop(bytes.drain(piece(bytes, at, count))),
            Self::Repeat { at, count } => {
                let piece = piece(bytes, at, count);
                let again = bytes[piece.clone()].to_vec();
                bytes.splice(piece.end..piece.end, again);
            }
            Self::Splice { at, from, count } => {
                let from = piece(other, from, count);
                bytes.splice(at % len..at % len, other[from].iter().copied());
            }
            Self::Swap { one, other } => {
                let sections = sections(bytes);
                let (Some(one), Some(other)) = (pick(&sections, one), pick(&sections, other)) else { return };
                let (first, second) = if one.begins < other.begins { (one, other) } else { (other, one) };
                // A section within the other one has no place to go.
                if first.content.end <= second.begins {
                    let mut swapped = bytes[..first.begins].to_vec();
                    swapped.extend_from_slice(&bytes[second.whole()]);
                    swapped.extend_from_slice(&bytes[first.content.end..second.begins]);
                    swapped.extend_from_slice(&bytes[first.whole()]);
                    swapped.extend_from_slice(&bytes[second.content.end..]);
                    *bytes = swapped;
                }
            }
            Self::Transplant { before, section } => {
                let (here, there) = (sections(bytes), sections(other));
                if let (Some(before), Some(section)) = (pick(&here, before), pick(&there, section)) {
                    bytes.splice(before.begins..before.begins, other[section.whole()].iter().copied());
                }
            }
            Self::Length { section, length } => {
                if let Some(section) = pick(&sections(bytes), section) {
                    bytes.splice(section.length.clone(), leb128(length));
                }
            }
            Self::Count { section, count } => {
                if let Some(section) = pick(&sections(bytes), section) {
                    let (_, end) = read(bytes, section.content.start).unwrap_or((0, section.content.start));
                    bytes.splice(section.content.start..end.min(section.content.end), leb128(count));
                }
            }
        }
    }
}

/// At most a few thousand bytes of a file.
fn piece(bytes: &[u8], at: usize, count: usize) -> Range<usize> {
    let from = at % bytes.len().max(1);
    from..(from + count % 4_096).min(bytes.len())
}

fn pick(sections: &[Section], at: usize) -> Option<&Section> {
    sections.get(at % sections.len().max(1))
}

/// All sections of a component, those of the modules and components within it included.
fn sections(bytes: &[u8]) -> Vec<Section> {
    let mut found = Vec::new();
    let whole = 0..bytes.len();
    let mut inside = Vec::from([whole]);
    while let Some(range) = inside.pop() {
        let is_component = bytes.get(range.start + 4) == Some(&0x0d);
        let mut at = range.start + 8;
        while at < range.end {
            let Some((length, start)) = read(bytes, at + 1) else { break };
            let Some(end) = start.checked_add(length as usize).filter(|end| *end <= range.end) else { break };
            if is_component && matches!(bytes[at], 1 | 4) {
                inside.push(start..end);
            }
            found.push(Section { begins: at, length: at + 1..start, content: start..end });
            at = end;
        }
    }
    found
}

/// A number as WebAssembly writes it, and where it ends.
fn read(bytes: &[u8], from: usize) -> Option<(u32, usize)> {
    let mut number = 0_u64;
    for (shift, at) in (0..5).zip(from..) {
        let byte = *bytes.get(at)?;
        number |= u64::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(number).ok()?, at + 1));
        }
    }
    None
}

fn leb128(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
