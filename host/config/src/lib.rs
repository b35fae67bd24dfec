//! Configuration in TOML: every key is asked for, and all that is wrong is said at once.
//!
//! A reader takes the keys it knows out of a [`Section`] and [`ends`](Section::end) it, which makes a problem of every
//! key that is left. Problems are collected in [`Problems`], each with its place such as `instrument[2].tick`, so that a
//! file is corrected in one go. Secrets have no place in these files.

#![forbid(unsafe_code)]

mod problems;
mod section;

use std::cell::RefCell;

pub use problems::{ConfigError, Problem, Problems};
pub use section::Section;
/// Any value of a text, for keys whose values have several forms.
pub use toml::Value;
/// Why a [`Value`] is not of the form that was asked for.
pub use toml::de::Error as FormError;

/// Reads a text with a reader of its sections. `name` is used in messages.
///
/// # Errors
/// [`ConfigError`] with the one mistake that keeps the text from being TOML, or with all problems of its content.
pub fn parse<T>(name: &str, text: &str, read: impl FnOnce(&mut Section<'_>) -> Option<T>) -> Result<T, ConfigError> {
    // Sections of one text report to one place.
    let problems = RefCell::new(Problems::default());
    let value = match text.parse() {
        Ok(table) => {
            let mut section = Section::new(table, String::new(), &problems);
            let value = read(&mut section);
            section.end();
            value
        }
        Err(error) => {
            problems.borrow_mut().add("", one_line(&error, text));
            None
        }
    };
    let problems = problems.into_inner();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(ConfigError { name: name.to_owned(), problems }),
    }
}

/// What the parser says, with its line, without the picture it draws.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let said = error.message().replace('\n', " ");
    line.map_or_else(|| said.clone(), |line| format!("line {line}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn problems(text: &str) -> String {
        let read = |section: &mut super::Section<'_>| {
            let name = section.text("name");
            let size = section.number("size", 1.0, 10.0);
            let note = section.optional_text("note");
            let parts: Vec<_> = section
                .sections("part")
                .into_iter()
                .map(|mut part| {
                    let width = part.number("width", 0.0, 5.0);
                    part.end();
                    width
                })
                .collect();
            Some((name?, size?, note, parts))
        };
        parse("a.toml", text, read).map_or_else(|error| error.to_string(), |value| format!("{value:?}"))
    }

    #[test]
    fn what_is_well_formed_is_read() {
        assert_eq!(
            problems("name = 'a'\nsize = 2\n[[part]]\nwidth = 0.5\n"),
            "(\"a\", 2.0, None, [Some(0.5)])",
            "whole numbers are numbers"
        );
    }

    #[test]
    fn all_problems_come_at_once_with_their_places() {
        assert_eq!(
            problems("size = 11\nnote = 3\ncolour = 'red'\n[[part]]\nwidth = nan\n[[part]]\nwidht = 1\n[other]\n"),
            "a.toml has 7 problems\n  \
             `name` is missing\n  \
             `size` is 11; it takes 1 to 10\n  \
             `note` is 3; it takes a text\n  \
             `part[1].width` is nan; it takes 0 to 5\n  \
             `part[2].width` is missing\n  \
             `part[2].widht` is not known; remove it, or correct its name\n  \
             `colour`, `other` are not known; remove them, or correct their names"
        );
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_line() {
        let said = problems("name = 'a'\nsize = = 2\n");
        assert!(said.starts_with("a.toml has 1 problem\n  line 2: "), "{said}");
        assert!(problems("part = 3\nname='a'\nsize=1").contains("`part` is 3; it takes tables, each under [[part]]"));
    }

    #[test]
    fn hostile_texts_are_shown_harmless() {
        let said = problems("\"\\u001b[2J\" = 1\nname = 'a'\nsize = \"\\u001b[2J\"");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}
