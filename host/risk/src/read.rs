//! Risk profiles as they stand in files.

use serde::de::DeserializeOwned;
use tiltyard_config::{ConfigError, Section, Value};

use crate::{Limits, RiskProfile};

/// Entries of a table.
type Entries = Vec<(String, Value)>;

impl RiskProfile {
    /// The file that says what [`RiskProfile::account`] says: `config/risk.toml`, with comments.
    pub const ACCOUNT_FILE: &'static str = include_str!("../../../config/risk.toml");

    /// Most bytes of a file with a profile.
    pub const LARGEST_FILE: u64 = 1 << 20;

    /// Reads a profile in TOML. `name` is used in messages.
    ///
    /// # Errors
    /// All that is wrong, at once: of each rule the first mistake in its form, and every number out of bounds.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        tiltyard_config::parse(name, text, |file| {
            // What is missing has been said; the rest is read all the same.
            let name = file.text("name").unwrap_or_else(|| "-".to_owned());
            let mut good: Entries = vec![("name".to_owned(), Value::String(name.clone()))];
            good.extend(file.section("limits").map(|limits| ("limits".to_owned(), table(rules(limits)))));
            let overrides: Vec<Value> = file.sections("override").into_iter().map(|over| table(one(over))).collect();
            if !overrides.is_empty() {
                good.push(("override".to_owned(), Value::Array(overrides)));
            }
            let named = |entry| table(vec![("name".to_owned(), Value::String(name.clone())), entry]);
            good.extend(well_formed::<Self>(file, named));
            let profile: Self = table(good).try_into().map_err(|error| file.problem("", said(&error))).ok()?;
            profile.problems().into_iter().for_each(|problem| file.problem("", problem));
            Some(profile)
        })
    }
}

/// The rules of a table of limits that can be read.
fn rules(mut limits: Section<'_>) -> Entries {
    let good = well_formed::<Limits>(&mut limits, |entry| table(vec![entry]));
    limits.end();
    good
}

/// The entries of an override that can be read.
fn one(mut section: Section<'_>) -> Entries {
    let mut good = Entries::new();
    for key in ["strategy", "instrument"] {
        good.extend(section.optional_text(key).map(|text| (key.to_owned(), Value::String(text))));
    }
    let limits = section.section("limits").map(rules);
    if limits.is_none() {
        section
            .problem("limits", "is missing; say what holds instead, such as limits.notional_symbol = { most = 0.1 }");
    }
    good.push(("limits".to_owned(), table(limits.unwrap_or_default())));
    section.end();
    good
}

/// Takes every entry that is left out of a section, and gives back those of which a `T` can be made.
fn well_formed<T: DeserializeOwned>(section: &mut Section<'_>, alone: impl Fn((String, Value)) -> Value) -> Entries {
    let mut good = Entries::new();
    for key in section.keys() {
        let Some(value) = section.value(&key) else { continue };
        match alone((key.clone(), value.clone())).try_into::<T>() {
            Ok(_) => good.push((key, value)),
            Err(error) if error.message().starts_with(&format!("unknown field `{key}`")) => {
                section.problem(&key, "is not known; remove it, or correct its name");
            }
            Err(error) => section.problem(&key, format!("cannot be read: {}", said(&error))),
        }
    }
    good
}

fn table(entries: Entries) -> Value {
    Value::Table(entries.into_iter().collect())
}

/// What the parser says, in one line.
fn said(error: &tiltyard_config::FormError) -> String {
    error.message().trim().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use crate::RiskProfile;

    fn problems(text: &str) -> String {
        RiskProfile::parse("risk.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn the_file_with_every_default_is_the_profile_account() {
        assert_eq!(RiskProfile::parse("risk.toml", RiskProfile::ACCOUNT_FILE).unwrap(), RiskProfile::account());
        assert!(RiskProfile::ACCOUNT_FILE.len() as u64 <= RiskProfile::LARGEST_FILE);
    }

    #[test]
    fn its_examples_hold_when_the_comment_signs_are_taken_away() {
        let (rules, examples) = RiskProfile::ACCOUNT_FILE.split_once("# [[override]]").unwrap();
        let lines = examples.lines().filter(|line| !line.contains("looser") && !line.contains("To let"));
        let examples: String = lines.map(|line| line.trim_start_matches('#').trim().to_owned() + "\n").collect();
        let profile = RiskProfile::parse("risk.toml", &format!("{rules}[[override]]{examples}")).unwrap();
        assert_eq!(profile.overrides.len(), 3);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_with_its_place() {
        let text = "nmae = 'a'\nlooser_overrides = 3\n[limits]\nnotional_symbl = { most = 1 }\n\
                    notional_gross = { mosst = 1 }\nmax_drawdown = { most = 2 }\nrate_limit = { strategy = 1 }\n\
                    price_collar = { most = nan }\n[[override]]\nstrategy = 4\n[[override]]\ninstrument = 'A'\n\
                    limits.daily_loss = { most = 0.1, cool_down_minutes = 1 }\n";
        let said = problems(text);
        for part in [
            "risk.toml has 12 problems",
            "`name` is missing",
            "`limits.notional_symbl` is not known; remove it, or correct its name",
            "`limits.notional_gross` cannot be read: unknown field `mosst`",
            "`limits.rate_limit` cannot be read: missing field `account`",
            "`limits.price_collar` cannot be read: NaN is no limit",
            "`override[1].strategy` is 4; it takes a text",
            "`override[1].limits` is missing",
            "`looser_overrides` cannot be read",
            "`nmae` is not known",
            "max_drawdown.most is 2; it takes 0.0001 to 1",
            "override[2]: daily_loss is about the account as a whole",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }

    #[test]
    fn what_is_no_toml_is_named_by_its_line() {
        assert!(problems("name = 'a'\n[limits\n").contains("line 2: "));
    }
}
