//! What is kept as JSON: texts with sorted keys, so that the same value is the same text.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::StoreError;

/// A value as text, if the text gives the same value back: JSON has no NaN, and makes nothing of it without saying so.
pub(crate) fn to_text<T>(what: &'static str, value: &T) -> Result<String, StoreError>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let invalid = |why: String| StoreError::Invalid { what: what.to_owned(), why };
    let document = serde_json::to_value(value).map_err(|error| invalid(error.to_string()))?;
    let text = canonical(&document);
    match serde_json::from_str::<T>(&text) {
        Ok(again) if again == *value => Ok(text),
        _ => Err(invalid("it does not survive being written as JSON; its numbers must be finite".to_owned())),
    }
}

/// The value that a text is of.
pub(crate) fn from_text<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { what, why: error.to_string() })
}

/// A document with its keys sorted and without spaces.
pub(crate) fn canonical(document: &Json) -> String {
    serde_json::to_string(&Sorted(document)).expect("a document has texts for keys, and is written to memory")
}

/// A document whose objects are written in the order of their keys, whatever order its maps keep.
struct Sorted<'a>(&'a Json);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Json::Object(object) => {
                let mut fields: Vec<_> = object.iter().map(|(key, value)| (key, Sorted(value))).collect();
                fields.sort_by_key(|(key, _)| *key);
                serializer.collect_map(fields)
            }
            Json::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{canonical, to_text};

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let document = json!({"b": [{"d": 1, "c": 2.0}], "a": null});
        assert_eq!(canonical(&document), r#"{"a":null,"b":[{"c":2.0,"d":1}]}"#);
    }

    #[test]
    fn what_json_would_lose_is_refused() {
        assert!(to_text("figures", &vec![Some(1.0), None]).is_ok());
        assert!(to_text("figures", &vec![Some(f64::NAN)]).is_err());
        assert!(to_text("figures", &vec![f64::INFINITY]).is_err());
    }
}
