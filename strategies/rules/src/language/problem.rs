use std::fmt;

/// What is shown of the expression before and after the place, in bytes.
const AROUND: usize = 40;
/// What is shown of a piece of the expression within a message, in bytes.
const QUOTED: usize = 32;

/// What is wrong with an expression, and where.
///
/// Shown on one line of at most [`Problem::MAX_LENGTH`] bytes, since a host shows the reason of a refusal as one line:
/// the place, the message, and the expression's line with a caret before the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Lines are counted only where there are several.
    line: Option<usize>,
    column: usize,
    message: String,
    excerpt: String,
}

impl Problem {
    /// The longest a problem is when shown, in bytes: what the host keeps of a reason.
    pub const MAX_LENGTH: usize = 500;

    /// At this byte of an expression. The message names what is expected and the remedy.
    pub(super) fn at(text: &str, byte: usize, message: String) -> Self {
        let start = text[..byte].rfind('\n').map_or(0, |end| end + 1);
        let end = text[byte..].find('\n').map_or(text.len(), |end| byte + end);
        let before = printable(&text[start..byte]);
        let mut after = printable(&text[byte..end]);
        let mut excerpt = String::new();
        let mut from = before.len().saturating_sub(AROUND);
        if from > 0 {
            excerpt.push('…');
            from = before.ceil_char_boundary(from);
        }
        excerpt += &before[from..];
        excerpt.push('^');
        cut(&mut after, AROUND);
        excerpt += &after;
        Self {
            line: text.contains('\n').then(|| text[..start].matches('\n').count() + 1),
            column: text[start..byte].chars().count() + 1,
            message,
            excerpt: excerpt.trim_end().to_owned(),
        }
    }

    /// The column, counted in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, message, excerpt } = self;
        if let Some(line) = line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "column {column}: {message}; at ^ in: {excerpt}")
    }
}

impl std::error::Error for Problem {}

/// A piece of an expression within a message, on one line and not too long.
pub(super) fn quoted(piece: &str) -> String {
    let mut piece = printable(piece);
    cut(&mut piece, QUOTED);
    format!("`{piece}`")
}

fn printable(text: &str) -> String {
    // Text of the language is ASCII; of what is not, the host shows what is harmless.
    let shown = |character: char| if character.is_ascii_control() { ' ' } else { character };
    text.chars().map(shown).collect()
}

fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
}
