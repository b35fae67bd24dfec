//! Text from strangers: bounded, and free of anything that a terminal would obey.

use std::fmt::Write as _;

/// The text with every control character shown as an escape, cut to at most `limit` bytes at a character's border.
#[must_use]
pub fn shown(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        let before = shown.len();
        if is_harmless(character) {
            shown.push(character);
        } else {
            // Writing to a String does not fail.
            let _ = write!(shown, "\\u{{{:x}}}", character as u32);
        }
        if shown.len() > limit {
            shown.truncate(before);
            break;
        }
    }
    shown
}

/// Whether [`shown`] would leave the text as it is, however long it may be.
#[must_use]
pub fn is_shown(text: &str) -> bool {
    text.chars().all(is_harmless)
}

fn is_harmless(character: char) -> bool {
    character == '\t' || !(character.is_control() || is_bidi(character))
}

/// Characters that reorder the text around them, or hide.
fn is_bidi(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn terminal_escapes_are_shown_not_obeyed() {
        assert_eq!(shown("a\x1b[31mb\tc\r\n", 100), "a\\u{1b}[31mb\tc\\u{d}\\u{a}");
        assert_eq!(shown("\u{202e}x", 100), "\\u{202e}x");
        assert_eq!(shown("Größe", 100), "Größe");
    }

    #[test]
    fn is_cut_between_characters() {
        assert_eq!(shown("aß", 2), "a");
        assert_eq!(shown("a\x1b", 3), "a");
    }
}
