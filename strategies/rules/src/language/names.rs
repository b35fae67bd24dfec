use super::function::FUNCTIONS;
use super::node::{Cross, Series};

/// The longest name that is looked at.
const LONGEST: usize = 32;
/// How many names are proposed.
const PROPOSED: usize = 3;

/// The known names nearest to a word, nearest first.
pub(super) fn nearest(word: &str) -> String {
    let word: Vec<u8> = word.bytes().take(LONGEST).map(|byte| byte.to_ascii_lowercase()).collect();
    let series = Series::ALL.iter().map(|series| series.name());
    let crosses = Cross::ALL.iter().map(|cross| cross.name());
    let functions = FUNCTIONS.iter().map(|function| function.name);
    let mut names: Vec<_> = series.chain(crosses).chain(functions).collect();
    names.sort_by_cached_key(|name| distance(&word, name.as_bytes()));
    let proposed: Vec<_> = names[..PROPOSED].iter().map(|name| format!("`{name}`")).collect();
    proposed.join(", ")
}

/// How many letters have to be put in, taken out or changed (Levenshtein 1966); what merely continues is nearer.
fn distance(word: &[u8], name: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, letter) in word.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, other) in name.iter().enumerate() {
            let changed = corner + usize::from(letter != other);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    let edits = row[name.len()];
    let continues = word.len() >= 3 && (name.starts_with(word) || word.starts_with(name));
    if continues { edits.min(1) } else { edits }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_and_beginnings_are_near() {
        assert!(nearest("clsoe").starts_with("`close`"));
        assert!(nearest("stddev").starts_with("`stdev`"));
        assert_eq!(nearest("bollinger"), "`bollinger_upper`, `bollinger_middle`, `bollinger_lower`");
        assert!(nearest("SMA").starts_with("`sma`"));
    }
}
