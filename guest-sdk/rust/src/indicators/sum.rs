use super::sliding::Aggregate;

/// A sum with the rounding error carried along (two-sum: Møller 1965, Knuth, TAOCP vol. 2, 4.2.2).
///
/// Some 106 bits: sums of prices are exact, and so do not depend on the order in which they were added.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    value: f64,
    error: f64,
}

impl Sum {
    pub(super) fn of(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    pub(super) fn value(self) -> f64 {
        self.value
    }

    /// The mean of `count` values.
    ///
    /// With the error divided too, the mean of a constant is that constant. Let p be the constant, u the distance of
    /// floats at p. `value / count` is off p by less than u, so rounds to p or next to it; adding `error / count`, which
    /// is that difference with its sign turned, comes within u / 2 of p in either case.
    pub(super) fn mean(self, count: u32) -> f64 {
        let count = f64::from(count);
        self.value / count + self.error / count
    }
}

impl Aggregate for Sum {
    fn followed_by(self, newer: Self) -> Self {
        let sum = self.value + newer.value;
        let of_newer = sum - self.value;
        let lost = (self.value - (sum - of_newer)) + (newer.value - of_newer);
        let error = lost + (self.error + newer.error);
        let value = sum + error;
        Self { value, error: error - (value - sum) }
    }
}
