use super::LARGEST;
use super::problem::{Problem, quoted};

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it is written; empty at the end.
    pub(super) text: &'a str,
    /// Its first byte.
    pub(super) start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    /// A word, be it a name or an operator.
    Word,
    Symbol,
    End,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.kind != Kind::End && self.text == text
    }
}

/// Two characters before one, so that the longer one is found first.
const SYMBOLS: [&str; 15] = ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ","];

/// What people write who come from another language, and what it is here.
const ELSEWHERE: [(&str, &str); 5] = [("&", "and"), ("|", "or"), ("=", "=="), ("!", "not"), ("^", "x * x")];

/// Takes an expression apart, one token at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, Problem> {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\r', '\n']);
        let start = self.text.len() - rest.len();
        let (kind, len) = match rest.as_bytes().first() {
            None => (Kind::End, 0),
            Some(b'0'..=b'9') => self.number(start, rest)?,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => (Kind::Word, word(rest)),
            Some(_) => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (Kind::Symbol, symbol.len()),
                None => return Err(self.stranger(start, rest)),
            },
        };
        self.at = start + len;
        Ok(Token { kind, text: &rest[..len], start })
    }

    fn number(&self, start: usize, rest: &str) -> Result<(Kind, usize), Problem> {
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut len = digits(0);
        if bytes.get(len) == Some(&b'.') {
            match digits(len + 1) {
                0 => return Err(Problem::at(self.text, start + len, "expected a digit after the point".to_owned())),
                more => len += 1 + more,
            }
        }
        if let Some(b'e' | b'E') = bytes.get(len) {
            let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
            let from = len + 1 + sign;
            if let more @ 1.. = bytes.get(from..).map_or(0, |_| digits(from)) {
                len = from + more;
            }
        }
        let after = &rest[len..];
        if after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_' || next == '.') {
            let number = quoted(&rest[..len]);
            let message = format!("expected an operator or a blank after the number {number}");
            return Err(Problem::at(self.text, start + len, message));
        }
        let value: f64 = rest[..len].parse().unwrap_or(f64::INFINITY);
        if value > LARGEST {
            let message = format!("{} is too large; numbers go up to {LARGEST:e}", quoted(&rest[..len]));
            return Err(Problem::at(self.text, start, message));
        }
        Ok((Kind::Number(value), len))
    }

    fn stranger(&self, start: usize, rest: &str) -> Problem {
        let stranger: String = rest.chars().take(1).collect();
        let message = match ELSEWHERE.iter().find(|(theirs, _)| rest.starts_with(theirs)) {
            Some((_, ours)) => format!("{} is not of this language; write `{ours}`", quoted(&stranger)),
            None if stranger == "." => "expected a digit before the point; write `0.5`, not `.5`".to_owned(),
            None => format!("{} is not of this language; take it out", quoted(&stranger)),
        };
        Problem::at(self.text, start, message)
    }
}

fn word(rest: &str) -> usize {
    rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}
