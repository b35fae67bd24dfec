use core::f64::consts::TAU;

use tiltyard_model::{Digester, Random};

/// Streams that have nothing to do with each other.
pub(super) const COMMON: u64 = 0;
pub(super) const OWN: u64 = 1;
pub(super) const CHARACTER: u64 = 2;

/// Random numbers of the distributions that a market is made of.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    random: Random,
    /// Normal numbers come in twos.
    spare: Option<f64>,
}

impl Draw {
    /// A stream of its own for each seed, use and market.
    pub(super) fn new(seed: u64, stream: u64, market: u64) -> Self {
        let mut digester = Digester::default();
        digester.text("synthetic market").u64(seed).u64(stream).u64(market);
        let [a, b, c, d, e, f, g, h, ..] = digester.finish().0;
        Self { random: Random(u64::from_le_bytes([a, b, c, d, e, f, g, h])), spare: None }
    }

    /// Above 0, up to 1.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.uniform()
    }

    /// Mean 0, variance 1 (Box and Muller, 1958).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        let angle = TAU * self.uniform();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// What a normal number is multiplied by to become Student's t with 5 degrees of freedom, scaled to variance 1.
    pub(super) fn tail(&mut self) -> f64 {
        // Chi-squared with 4 degrees of freedom is −2 ln(u₁ u₂); a squared normal number makes it 5.
        let normal = self.normal();
        let chi_squared = -2.0 * libm::log(self.uniform() * self.uniform()) + normal * normal;
        libm::sqrt(3.0 / chi_squared)
    }

    /// Whether something happens that does so with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() <= probability
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    fn moments(draw: impl FnMut() -> f64) -> (f64, f64) {
        let values: Vec<f64> = std::iter::repeat_with(draw).take(200_000).collect();
        let mean = values.iter().sum::<f64>() / 200_000.0;
        (mean, values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 200_000.0)
    }

    #[test]
    fn numbers_have_the_mean_and_the_variance_they_should() {
        let mut draw = Draw::new(1, 0, 0);
        let (mean, variance) = moments(|| draw.normal());
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.01, "{mean} {variance}");
        let (mean, variance) = moments(|| draw.tail() * draw.normal());
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let (mean, variance) = moments(|| draw.uniform());
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.01, "{mean} {variance}");
    }

    #[test]
    fn streams_differ() {
        let first = |seed, stream, market| Draw::new(seed, stream, market).uniform();
        let all = [first(1, 0, 0), first(2, 0, 0), first(1, 1, 0), first(1, 0, 1), first(1, 1, 1)];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other != one));
        }
    }
}
