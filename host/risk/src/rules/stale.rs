use serde::{Deserialize, Serialize};
use tiltyard_model::{Decimal, Violation, to_f64};

use super::{Asked, Rule, Setting, bounds, violation};
use crate::Fraction;

/// `stale-data`: how old the last event of an instrument may be for an order in it that opens or adds, in lengths of its bars.
///
/// Without any price nothing passes at all, in every profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaleData {
    /// The limit: 2 lets one bar be missing.
    pub bars: Fraction,
}

impl Default for StaleData {
    fn default() -> Self {
        Self { bars: Fraction::bps(20_000) }
    }
}

impl Rule for StaleData {
    fn judge(&self, asked: &Asked<'_>) -> Option<Violation> {
        if !asked.adds() {
            return None;
        }
        let interval = Decimal::from(asked.situation.interval.0.max(1));
        let bars = asked.situation.age.filter(|age| age.0 >= 0).map(|age| Decimal::from(age.0) / interval);
        let fresh = bars.is_some_and(|bars| bars <= self.bars.exact());
        (!fresh).then(|| violation("stale-data", bars.map_or(f64::NAN, to_f64), self.bars.to_f64(), "bars"))
    }
}

impl Setting for StaleData {
    fn problems(&self) -> Vec<(&'static str, String)> {
        bounds("bars", self.bars, 0.0, 1_000_000.0).into_iter().collect()
    }

    fn is_looser_than(&self, other: &Self) -> bool {
        self.bars > other.bars
    }
}

#[cfg(test)]
mod tests {
    use super::StaleData;
    use crate::rules::testing::{Case, buy, judged, sell};
    use tiltyard_model::Nanos;

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn the_last_event_is_no_older_than_its_limit() {
        let aged = |age| Case::perpetual().age(age);
        for age in [0, 2 * HOUR - 1, 2 * HOUR] {
            assert_eq!(judged(&StaleData::default(), &aged(Some(Nanos(age))), &buy("1")), None, "{age}");
        }
        let broken = judged(&StaleData::default(), &aged(Some(Nanos(2 * HOUR + 1))), &buy("1")).unwrap();
        assert_eq!((broken.limit, broken.unit.as_str()), (2.0, "bars"));
        assert!(judged(&StaleData::default(), &aged(None), &buy("1")).is_some(), "an age that is not known");
        assert!(judged(&StaleData::default(), &aged(Some(Nanos(-1))), &buy("1")).is_some(), "an event of the future");
        let held = aged(Some(Nanos(9 * HOUR))).position("1");
        assert_eq!(judged(&StaleData::default(), &held, &sell("1")), None, "an exit passes");
    }
}
