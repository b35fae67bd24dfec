//! Which values the parameters of a strategy take.

use std::collections::{BTreeMap, BTreeSet};

use tiltyard_model::{
    Decimal, Digest, Manifest, Parameter, ParameterError, ParameterKind, Random, Value, Variant, decimal, to_f64,
};

/// Most variants of one strategy.
pub const MOST_VARIANTS: u64 = 100_000;

/// The variants of a strategy that are tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Space {
    /// Values of parameters, all combined with each other; the others have their defaults.
    pub axes: BTreeMap<String, Axis>,
    /// Variants beside those, each with the values in which it differs from the defaults.
    pub variants: Vec<BTreeMap<String, Value>>,
    /// How many of the combinations are drawn, if not all are taken. Without axes they are drawn from all that the strategy's
    /// numbers may be, in their own steps.
    pub sample: Option<u64>,
}

/// The values of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// These.
    Values(Vec<Value>),
    /// From the first to the last in steps.
    Range {
        /// The first.
        from: f64,
        /// None is greater.
        to: f64,
        /// More than 0.
        step: f64,
    },
}

/// Why a space has no variants.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpaceError {
    /// Values that the strategy does not take.
    #[error("{strategy}: {}", .errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Parameters {
        /// The strategy.
        strategy: String,
        /// All that is wrong with them.
        errors: Vec<ParameterError>,
    },
    /// A range that has no values.
    #[error(
        "{strategy}: {name} from {from} to {to} in steps of {step} is no range; the step must be above 0 and `to` not below `from`"
    )]
    Range {
        /// The strategy.
        strategy: String,
        /// The parameter.
        name: String,
        /// Its first value.
        from: f64,
        /// Its last.
        to: f64,
        /// Its step.
        step: f64,
    },
    /// No values for a parameter.
    #[error("{strategy}: {name} is an empty list; give at least one value, or leave the parameter out")]
    Empty {
        /// The strategy.
        strategy: String,
        /// The parameter.
        name: String,
    },
    /// More than can be tried.
    #[error(
        "{strategy} has {count} variants; at most {MOST_VARIANTS} are taken: give larger steps, fewer values, or `sample`"
    )]
    TooMany {
        /// The strategy.
        strategy: String,
        /// Combinations.
        count: u128,
    },
    /// A parameter with more values than can be drawn from.
    #[error(
        "{strategy}: {name} takes {count} values, at most {MOST_VARIANTS} can be drawn from; give it a list or a range under params"
    )]
    Wide {
        /// The strategy.
        strategy: String,
        /// The parameter.
        name: String,
        /// Its values.
        count: u128,
    },
    /// Nothing is drawn.
    #[error("{strategy}: sample is 0; give how many variants are to be drawn")]
    NoSample {
        /// The strategy.
        strategy: String,
    },
}

impl Space {
    /// The variants of this component, none twice, in the order of their combinations: the last axis by name changes fastest.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn variants(&self, component: Digest, manifest: &Manifest, seed: u64) -> Result<Vec<Variant>, SpaceError> {
        let strategy = || manifest.name.clone();
        let mut axes: Vec<(String, Vec<Value>)> = Vec::new();
        for (name, axis) in &self.axes {
            axes.push((name.clone(), values(axis, name, manifest)?));
        }
        if axes.is_empty() && self.sample.is_some() {
            for parameter in &manifest.parameters {
                axes.extend(whole_axis(parameter, manifest)?.map(|values| (parameter.name.clone(), values)));
            }
        }
        let count = axes.iter().try_fold(1_u128, |count, (_, values)| count.checked_mul(values.len() as u128));
        let count = count.unwrap_or(u128::MAX);
        let wanted = match self.sample {
            Some(0) => return Err(SpaceError::NoSample { strategy: strategy() }),
            Some(sample) => count.min(u128::from(sample)),
            // Listed variants stand for themselves; without any, there are the defaults.
            None if axes.is_empty() && !self.variants.is_empty() => 0,
            None => count,
        };
        let all = wanted + self.variants.len() as u128;
        if all > u128::from(MOST_VARIANTS) {
            return Err(SpaceError::TooMany { strategy: strategy(), count: all });
        }
        let places: Vec<u128> = if wanted == count { (0..count).collect() } else { drawn(count, wanted, seed) };
        let combined = places.into_iter().map(|place| combination(&axes, place));
        let listed = self.variants.iter().map(|given| given.clone().into_iter().collect());
        let mut seen = BTreeSet::new();
        let mut variants = Vec::new();
        for given in combined.chain(listed) {
            let given: Vec<(String, Value)> = given;
            let variant = Variant::new(component, manifest, &given)
                .map_err(|errors| SpaceError::Parameters { strategy: strategy(), errors })?;
            if seen.insert(variant.digest()) {
                variants.push(variant);
            }
        }
        Ok(variants)
    }
}

/// The values of an axis, each one that the parameter takes.
fn values(axis: &Axis, name: &str, manifest: &Manifest) -> Result<Vec<Value>, SpaceError> {
    let strategy = || manifest.name.clone();
    let wrong = |errors| SpaceError::Parameters { strategy: strategy(), errors };
    let parameter = manifest.parameter(name).map_err(|error| wrong(vec![error]))?;
    let values = match axis {
        Axis::Values(values) => values.clone(),
        Axis::Range { from, to, step } => range(parameter, *from, *to, *step).map_err(|count| match count {
            Some(count) => SpaceError::TooMany { strategy: strategy(), count },
            None => {
                SpaceError::Range { strategy: strategy(), name: name.to_owned(), from: *from, to: *to, step: *step }
            }
        })?,
    };
    if values.is_empty() {
        return Err(SpaceError::Empty { strategy: strategy(), name: name.to_owned() });
    }
    let (good, bad): (Vec<_>, Vec<_>) = values.into_iter().map(|value| parameter.check(value)).partition(Result::is_ok);
    let errors: Vec<_> = bad.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(good.into_iter().filter_map(Result::ok).collect()) } else { Err(wrong(errors)) }
}

/// The values from one to another, exact: a tenth three times is 0.3. `Err(None)` if it is no range, `Err(Some(count))` if it
/// has too many values.
fn range(parameter: &Parameter, from: f64, to: f64, step: f64) -> Result<Vec<Value>, Option<u128>> {
    let exact = |number: f64| decimal(number).ok_or(None);
    let (from, to, step) = (exact(from)?, exact(to)?, exact(step)?);
    if step <= Decimal::ZERO || to < from {
        return Err(None);
    }
    let steps = (to - from).checked_div(step).map_or(u128::MAX, |steps| steps.floor().try_into().unwrap_or(u128::MAX));
    if steps >= u128::from(MOST_VARIANTS) {
        return Err(Some(steps.saturating_add(1)));
    }
    let is_whole = matches!(parameter.kind, ParameterKind::Integer { .. });
    let value = |at: u128| {
        let exact = from + step * Decimal::from(at);
        // A step that leads between whole numbers is not one that the parameter takes, and will be told so.
        if is_whole && exact.fract().is_zero() {
            exact.try_into().map(Value::Integer).unwrap_or(Value::Real(to_f64(exact)))
        } else {
            Value::Real(to_f64(exact))
        }
    };
    Ok((0..=steps).map(value).collect())
}

/// Everything that a number or a flag may be, in its own steps; nothing for a text.
fn whole_axis(parameter: &Parameter, manifest: &Manifest) -> Result<Option<Vec<Value>>, SpaceError> {
    let (min, max, step) = match parameter.kind {
        ParameterKind::Integer { min, max, step, .. } => (min as f64, max as f64, step as f64),
        ParameterKind::Real { min, max, step, .. } => (min, max, step),
        ParameterKind::Flag { .. } => return Ok(Some(vec![Value::Flag(false), Value::Flag(true)])),
        ParameterKind::Text { .. } => return Ok(None),
    };
    let (strategy, name) = (manifest.name.clone(), parameter.name.clone());
    range(parameter, min, max, step).map(Some).map_err(|count| match count {
        Some(count) => SpaceError::Wide { strategy, name, count },
        None => SpaceError::Range { strategy, name, from: min, to: max, step },
    })
}

/// The combination at this place, counted like a number whose last digit is the last axis.
fn combination(axes: &[(String, Vec<Value>)], mut place: u128) -> Vec<(String, Value)> {
    let mut given: Vec<(String, Value)> = Vec::with_capacity(axes.len());
    for (name, values) in axes.iter().rev() {
        let at = (place % values.len() as u128) as usize;
        place /= values.len() as u128;
        given.push((name.clone(), values[at].clone()));
    }
    given.reverse();
    given
}

/// So many different places below `count`, rising, each as likely as any other.
///
/// R. W. Floyd, "A Sample of Brilliance", Communications of the ACM 30 (1987).
fn drawn(count: u128, wanted: u128, seed: u64) -> Vec<u128> {
    let mut random = Random(seed);
    let mut places = BTreeSet::new();
    for top in count - wanted..count {
        let wide = (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64());
        // The bias of a remainder is below 2⁻⁶⁰ for any count that a space can have here.
        let place = wide % (top + 1);
        if !places.insert(place) {
            places.insert(top);
        }
    }
    places.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Axis, MOST_VARIANTS, Space, SpaceError, drawn};
    use std::collections::BTreeMap;
    use tiltyard_model::{Digest, Manifest, Value};

    const MANIFEST: &str = r#"{
        "contract": "0.1.0", "name": "m", "version": "1.0.0", "description": "d", "hypothesis": "h", "falsified_by": "f",
        "parameters": [
            {"name": "fast", "kind": "integer", "default": 5, "min": 2, "max": 200, "step": 1, "role": "window"},
            {"name": "band", "kind": "real", "default": 2.0, "min": 0.0, "max": 5.0, "step": 0.1, "role": "threshold"},
            {"name": "short", "kind": "flag", "default": false, "role": "other"},
            {"name": "rule", "kind": "text", "default": "close > 1", "role": "other"}
        ]
    }"#;

    fn names(space: &Space) -> Result<Vec<String>, SpaceError> {
        let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
        let variants = space.variants(Digest::of(b"component"), &manifest, 7)?;
        let name = |variant: &tiltyard_model::Variant| {
            let values = variant.parameters().iter().map(|(name, value)| format!("{name}={value}"));
            values.collect::<Vec<_>>().join(" ")
        };
        Ok(variants.iter().map(name).collect())
    }

    fn axes(axes: &[(&str, Axis)]) -> Space {
        Space { axes: axes.iter().map(|(name, axis)| ((*name).to_owned(), axis.clone())).collect(), ..Space::default() }
    }

    fn range(from: f64, to: f64, step: f64) -> Axis {
        Axis::Range { from, to, step }
    }

    #[test]
    fn without_axes_there_are_the_defaults() {
        assert_eq!(names(&Space::default()).unwrap(), ["band=2.0 fast=5 rule=\"close > 1\" short=false"]);
    }

    #[test]
    fn axes_are_combined_and_listed_variants_come_after_them_none_twice() {
        let mut space =
            axes(&[("fast", Axis::Values(vec![Value::Integer(3), Value::Integer(5)])), ("band", range(0.1, 0.3, 0.1))]);
        space.variants = vec![
            BTreeMap::from([("short".to_owned(), Value::Flag(true))]),
            BTreeMap::from([("band".to_owned(), Value::Real(0.3)), ("fast".to_owned(), Value::Integer(3))]),
        ];
        let found = names(&space).unwrap();
        let short: Vec<_> = found.iter().map(|name| name.replace(" rule=\"close > 1\"", "")).collect();
        assert_eq!(
            short,
            [
                "band=0.1 fast=3 short=false",
                "band=0.1 fast=5 short=false",
                "band=0.2 fast=3 short=false",
                "band=0.2 fast=5 short=false",
                "band=0.3 fast=3 short=false",
                "band=0.3 fast=5 short=false",
                "band=2.0 fast=5 short=true",
            ]
        );
    }

    #[test]
    fn a_sample_is_drawn_from_the_axes_or_from_all_that_may_be() {
        let mut space = axes(&[("fast", range(2.0, 200.0, 1.0))]);
        space.sample = Some(20);
        let found = names(&space).unwrap();
        assert_eq!((found.len(), names(&space).unwrap() == found), (20, true));
        let all = Space { sample: Some(50), ..Space::default() };
        assert_eq!(names(&all).unwrap().len(), 50);
        let more = Space { sample: Some(500), ..axes(&[("short", Axis::Values(vec![Value::Flag(true)]))]) };
        assert_eq!(names(&more).unwrap().len(), 1, "no more than there are");
    }

    #[test]
    fn a_parameter_with_more_values_than_can_be_drawn_from_is_not_left_out_in_silence() {
        let fine = MANIFEST.replace(r#""max": 5.0, "step": 0.1"#, r#""max": 5.0, "step": 0.00001"#);
        let manifest = Manifest::parse(fine.as_bytes()).unwrap();
        let all = Space { sample: Some(5), ..Space::default() };
        let error = all.variants(Digest::of(b"component"), &manifest, 7).unwrap_err();
        let (strategy, name) = ("m".to_owned(), "band".to_owned());
        assert_eq!(error, SpaceError::Wide { strategy, name, count: 500_001 });
    }

    #[test]
    fn what_makes_no_space_says_why() {
        let problem = |space: &Space| names(space).unwrap_err().to_string();
        assert_eq!(
            problem(&axes(&[("slow", range(1.0, 2.0, 1.0))])),
            "m: unknown parameter `slow`; the strategy declares fast, band, short, rule"
        );
        assert!(problem(&axes(&[("fast", range(2.0, 1.0, 1.0))])).contains("is no range"));
        assert!(problem(&axes(&[("fast", range(2.0, f64::NAN, 1.0))])).contains("is no range"));
        assert!(problem(&axes(&[("fast", range(2.0, 3.0, 0.5))])).contains("takes a whole number"));
        assert!(problem(&axes(&[("fast", range(1.0, 3.0, 1.0))])).contains("out of bounds"));
        assert!(problem(&axes(&[("fast", Axis::Values(vec![]))])).contains("empty list"));
        assert!(problem(&Space { sample: Some(0), ..Space::default() }).contains("sample is 0"));
        let huge = axes(&[("fast", range(2.0, 200.0, 1.0)), ("band", range(0.0, 5.0, 0.001))]);
        assert_eq!(names(&huge), Err(SpaceError::TooMany { strategy: "m".to_owned(), count: 199 * 5_001 }));
        assert!(problem(&axes(&[("band", range(0.0, 5.0, 1e-9))])).contains(&format!("at most {MOST_VARIANTS}")));
    }

    #[test]
    fn every_place_is_drawn_once() {
        assert_eq!(drawn(10, 10, 1), (0..10).collect::<Vec<_>>());
        let few = drawn(u128::from(u64::MAX) * 1_000, 100, 3);
        assert!(few.len() == 100 && few.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
