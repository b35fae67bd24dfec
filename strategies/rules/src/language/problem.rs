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
        let from = text.ceil_char_boundary(start.max(byte.saturating_sub(AROUND)));
        let cut = if from > start { "…" } else { "" };
        let excerpt = format!("{cut}{}^{}", printable(&text[from..byte]), shortened(&text[byte..end], AROUND));
        Self {
            line: text.contains('\n').then(|| text[..start].matches('\n').count() + 1),
            column: text[start..byte].chars().count() + 1,
            message,
            excerpt: excerpt.trim_end().to_owned(),
        }
    }

    /// The same with more at the end of the message.
    pub(super) fn with(mut self, more: &str) -> Self {
        self.message += more;
        self
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
    format!("`{}`", shortened(piece, QUOTED))
}

fn shortened(text: &str, limit: usize) -> String {
    let end = text.floor_char_boundary(limit);
    printable(&text[..end]) + if end < text.len() { "…" } else { "" }
}

/// On one line.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
