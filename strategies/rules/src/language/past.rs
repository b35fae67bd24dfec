/// The last values of a number.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// The oldest stands at `next`.
    values: Vec<f64>,
    next: usize,
}

impl Past {
    /// Undefined before the first bar.
    pub(super) fn of(bars: u32) -> Self {
        Self { values: vec![f64::NAN; bars as usize], next: 0 }
    }

    /// Takes this bar's value and gives the one of so many bars ago.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        let Some(oldest) = self.values.get_mut(self.next) else { return value };
        let oldest = std::mem::replace(oldest, value);
        self.next = if self.next + 1 == self.values.len() { 0 } else { self.next + 1 };
        oldest
    }
}
