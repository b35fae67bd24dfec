//! Text from strangers, on its way into a page, a chart or a script.

use std::collections::BTreeSet;

use serde::Serialize;
use tiltyard_model::shown;

/// Bytes of a name, a parameter, a rule.
const NAME: usize = 200;
/// Bytes of a hypothesis, a fault, a sentence.
const PROSE: usize = 4_000;
/// Bytes of a manifest.
const DOCUMENT: usize = 200_000;

/// One line: control characters and those that reorder text shown as escapes, cut to 200 bytes.
pub(crate) fn name(text: &str) -> String {
    bounded(text, NAME)
}

/// Several lines, each like a name, cut to 4,000 bytes.
pub(crate) fn prose(text: &str) -> String {
    lines(text, PROSE)
}

/// `name=value, …` on one line.
pub(crate) fn pairs(pairs: &[(String, String)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        let comma = if text.is_empty() { "" } else { ", " };
        text += &format!("{comma}{}={}", name(key), name(value));
        if text.len() > NAME {
            break;
        }
    }
    name(&text)
}

/// JSON as people read it, cut to 200,000 bytes.
pub(crate) fn document(value: &serde_json::Value) -> String {
    lines(&format!("{value:#}"), DOCUMENT)
}

fn lines(text: &str, limit: usize) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        if !whole.is_empty() {
            whole.push('\n');
        }
        let room = limit.saturating_sub(whole.len());
        whole += &bounded(line, room);
        if line.len() > room {
            break;
        }
    }
    whole
}

fn bounded(text: &str, limit: usize) -> String {
    let whole = shown(text, limit);
    // Escapes are longer than what they stand for, so a text that was not cut never got shorter.
    if whole.len() < text.len() { whole + "…" } else { whole }
}

/// A name for a chart, which reads a little markup of its own in every label: links, too.
pub(crate) fn label(text: &str) -> String {
    name(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Names for the places on an axis, which takes equal ones for the same place: those that repeat are numbered.
pub(crate) fn places(texts: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut place = |text: &String| {
        let first = label(text);
        let mut place = first.clone();
        let mut count = 1;
        while !taken.insert(place.clone()) {
            count += 1;
            place = format!("{first} ({count})");
        }
        place
    };
    texts.iter().map(&mut place).collect()
}

/// JSON that may stand inside a script element: nothing in it ends the element or begins a comment. Numbers that are none
/// are `null`.
pub(crate) fn script_json(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .expect("charts are made of numbers, texts and lists of them")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::{label, name, pairs, places, prose, script_json};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_is_markup_to_a_script_or_a_chart(text in any::<String>()) {
            prop_assert!(!label(&text).contains(['<', '>']));
            let json = script_json(&text);
            let harmful = json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
            prop_assert!(!harmful);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn what_was_cut_says_so() {
        assert_eq!(name("short"), "short");
        assert_eq!(name(&"a".repeat(201)), "a".repeat(200) + "…");
        assert_eq!(prose("a\nb\u{202e}"), "a\nb\\u{202e}");
        let long = prose(&"line\n".repeat(2_000));
        assert!(long.len() < 4_010 && long.ends_with('…'), "{}", long.len());
        assert!(pairs(&vec![("a".repeat(300), "b".repeat(300)); 1_000]).len() < 210);
    }

    #[test]
    fn no_text_ends_a_script() {
        let json = script_json(&["</script><!--", "&amp;\u{2028}"]);
        assert!(!json.contains(['<', '>', '&', '\u{2028}']), "{json}");
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, ["</script><!--", "&amp;\u{2028}"]);
    }

    #[test]
    fn numbers_that_are_none_are_null() {
        assert_eq!(script_json(&[f64::NAN, f64::INFINITY, 1.5]), "[null,null,1.5]");
    }

    #[test]
    fn a_chart_reads_no_markup_in_a_name() {
        assert_eq!(label("<a href='https://example.org'>&lt;"), "&lt;a href='https://example.org'&gt;&amp;lt;");
    }

    #[test]
    fn equal_places_stay_apart() {
        let texts = ["1", "1", "1 (2)", "2"].map(str::to_owned);
        assert_eq!(places(&texts), ["1", "1 (2)", "1 (2) (2)", "2"]);
    }
}
