use tiltyard_model::InstrumentIndex;

/// How the daily returns of instruments hang together, pair by pair.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Correlations {
    size: usize,
    /// Row by row; NaN where nothing is known.
    pairs: Vec<f64>,
}

impl Correlations {
    /// Pearson's correlations of the last `days` daily returns. `closes` has the closes of each instrument, oldest first, one a
    /// day; an instrument with fewer than `days` + 1 of them, or whose price did not move, is known to hang together with none.
    #[must_use]
    pub fn of_closes(closes: &[Vec<f64>], days: usize) -> Self {
        let returns: Vec<Option<Vec<f64>>> = closes.iter().map(|closes| standardised(closes, days)).collect();
        let size = closes.len();
        let mut pairs = vec![f64::NAN; size * size];
        for (one, left) in returns.iter().enumerate() {
            for (other, right) in returns.iter().enumerate().skip(one) {
                if let (Some(left), Some(right)) = (left, right) {
                    let correlation: f64 = left.iter().zip(right).map(|(left, right)| left * right).sum();
                    pairs[one * size + other] = correlation;
                    pairs[other * size + one] = correlation;
                }
            }
        }
        Self { size, pairs }
    }

    /// So many instruments of which these pairs hang together and no others.
    #[cfg(test)]
    pub(crate) fn known(size: usize, known: &[(usize, usize, f64)]) -> Self {
        let mut pairs = vec![0.0; size * size];
        for (one, other, correlation) in known {
            pairs[one * size + other] = *correlation;
            pairs[other * size + one] = *correlation;
        }
        Self { size, pairs }
    }

    /// The correlation of two instruments; `None` if it is not known.
    #[must_use]
    pub fn of(&self, one: InstrumentIndex, other: InstrumentIndex) -> Option<f64> {
        let (one, other) = (one.0 as usize, other.0 as usize);
        if one >= self.size || other >= self.size {
            return None;
        }
        self.pairs.get(one * self.size + other).copied().filter(|correlation| correlation.is_finite())
    }
}

/// Returns less their mean, of a length of 1, so that products of two of them are correlations.
fn standardised(closes: &[f64], days: usize) -> Option<Vec<f64>> {
    let from = closes.len().checked_sub(days + 1).filter(|_| days > 1)?;
    let returns: Vec<f64> = closes[from..].windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let mean = returns.iter().sum::<f64>() / days as f64;
    let length = returns.iter().map(|change| (change - mean).powi(2)).sum::<f64>().sqrt();
    (length.is_finite() && length > 1e-12).then(|| returns.iter().map(|change| (change - mean) / length).collect())
}

#[cfg(test)]
mod tests {
    use super::Correlations;
    use tiltyard_model::InstrumentIndex as At;

    #[test]
    fn correlations_are_pearsons() {
        // numpy.corrcoef of the returns: 0.02, −0.01, 0.03 against 0.01, 0.01, −0.02 is −0.6933752452815364
        let first = vec![100.0, 102.0, 100.98, 104.0094];
        let second = vec![50.0, 50.5, 51.005, 49.9849];
        let doubled: Vec<f64> = first.iter().map(|close| close * 2.0).collect();
        let still = vec![5.0; 4];
        let of = Correlations::of_closes(&[first, second, doubled, still, vec![1.0, 2.0, 3.0]], 3);
        assert!((of.of(At(0), At(1)).unwrap() + 0.693_375_245_281_536_4).abs() < 1e-9);
        assert!((of.of(At(0), At(2)).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(of.of(At(1), At(0)), of.of(At(0), At(1)));
        assert_eq!(of.of(At(0), At(3)), None, "a price that did not move");
        assert_eq!(of.of(At(0), At(4)), None, "too few days");
        assert_eq!(of.of(At(0), At(9)), None);
    }
}
