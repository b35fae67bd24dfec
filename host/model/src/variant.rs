use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Digester, Manifest, ParameterError, Value};

/// A component with a value for every one of its parameters: what is tried, ranked and promoted.
///
/// However its values were given, the same strategy has the same [`Variant::digest`]: defaults are filled in, a whole
/// number is a real where one is due, and the order does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    component: Digest,
    parameters: BTreeMap<String, Value>,
}

impl Variant {
    /// The component with these values, and with its defaults for the rest.
    ///
    /// # Errors
    /// Everything that is wrong with `given`, as [`Manifest::resolve`] says it.
    pub fn new(component: Digest, manifest: &Manifest, given: &[(String, Value)]) -> Result<Self, Vec<ParameterError>> {
        Ok(Self { component, parameters: manifest.resolve(given)?.into_iter().collect() })
    }

    /// The component.
    #[must_use]
    pub fn component(&self) -> Digest {
        self.component
    }

    /// The values by name, all of them.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, Value> {
        &self.parameters
    }

    /// Its name: the digest of the component and of each parameter's name, kind and value.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut digester = Digester::default();
        digester.text("tiltyard variant 1").bytes(&self.component.0).u64(self.parameters.len() as u64);
        for (name, value) in &self.parameters {
            digester.text(name);
            match value {
                Value::Flag(flag) => digester.u64(0).u64(u64::from(*flag)),
                Value::Integer(number) => digester.u64(1).bytes(&number.to_le_bytes()),
                Value::Real(number) => digester.u64(2).f64(*number),
                Value::Text(text) => digester.u64(3).text(text),
            };
        }
        digester.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Variant;
    use crate::{Digest, Manifest, Value};

    const MANIFEST: &str = r#"{
        "contract": "0.1.0", "name": "m", "version": "1.0.0", "description": "d", "hypothesis": "h", "falsified_by": "f",
        "parameters": [
            {"name": "slow", "kind": "integer", "default": 20, "min": 2, "max": 200, "step": 1, "role": "window"},
            {"name": "band", "kind": "real", "default": 2.0, "min": -1.0, "max": 5.0, "step": 0.5, "role": "threshold"},
            {"name": "fast", "kind": "integer", "default": 5, "min": 2, "max": 200, "step": 1, "role": "window"}
        ]
    }"#;

    fn variant(given: &[(&str, Value)]) -> Variant {
        let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Variant::new(Digest::of(b"component"), &manifest, &given).unwrap()
    }

    #[test]
    fn the_same_values_make_the_same_variant_however_they_are_given() {
        let default = variant(&[]);
        assert_eq!(variant(&[("fast", Value::Integer(5)), ("slow", Value::Integer(20))]).digest(), default.digest());
        assert_eq!(variant(&[("band", Value::Integer(2))]).digest(), default.digest());
    }

    #[test]
    fn another_value_or_component_makes_another_variant() {
        let digests = [
            variant(&[]).digest(),
            variant(&[("fast", Value::Integer(20)), ("slow", Value::Integer(5))]).digest(),
            variant(&[("band", Value::Real(0.0))]).digest(),
            // A strategy can tell the zeros apart, so they are not the same.
            variant(&[("band", Value::Real(-0.0))]).digest(),
            Variant { component: Digest::of(b"other"), ..variant(&[]) }.digest(),
        ];
        let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }

    /// The ledger of trials counts by this name, so it never changes.
    #[test]
    fn the_name_stays_what_it_is() {
        const NAME: &str = "b1cf2cc49af37a35059fac7ed063ee8825c0354b5cb1cf8214aefa06a42927b2";
        assert_eq!(variant(&[]).digest().to_string(), NAME);
    }

    #[test]
    fn survives_json() {
        let variant = variant(&[("band", Value::Real(-0.0))]);
        let text = serde_json::to_string(&variant).unwrap();
        assert_eq!(serde_json::from_str::<Variant>(&text).unwrap().digest(), variant.digest());
    }
}
