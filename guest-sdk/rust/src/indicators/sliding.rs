/// What is known of a stretch of inputs, such as their sum or their greatest.
pub(super) trait Aggregate: Copy + Default {
    /// What is known of this stretch and the newer one that follows it.
    fn followed_by(self, newer: Self) -> Self;
}

/// The aggregate of the last inputs.
///
/// Inputs are taken in blocks of one window (van Herk 1992, Gil and Werman 1993). A window is the rest of the last block
/// and the beginning of this one; the former is worked out for all its lengths when a block is full, the latter as it
/// goes. So nothing is ever subtracted, any aggregate will do, and an update costs three merges on average.
#[derive(Debug, Clone)]
pub(super) struct Sliding<A> {
    /// Inputs of this block, then what is left of the last one from here to its end.
    slots: Vec<A>,
    /// Inputs in this block.
    filled: usize,
    /// Their aggregate.
    block: A,
    /// Whether there was a block before.
    warm: bool,
}

impl<A: Aggregate> Sliding<A> {
    pub(super) fn new(window: u32) -> Self {
        let slots = vec![A::default(); super::within_bounds(window) as usize];
        Self { slots, filled: 0, block: A::default(), warm: false }
    }

    /// Takes the next input; the aggregate, once there are enough.
    pub(super) fn push(&mut self, newest: A) -> Option<A> {
        self.slots[self.filled] = newest;
        self.block = if self.filled == 0 { newest } else { self.block.followed_by(newest) };
        self.filled += 1;
        if let Some(rest) = self.slots.get(self.filled) {
            return self.warm.then(|| rest.followed_by(self.block));
        }
        for slot in (1..self.slots.len()).rev() {
            self.slots[slot - 1] = self.slots[slot - 1].followed_by(self.slots[slot]);
        }
        self.filled = 0;
        self.warm = true;
        Some(self.block)
    }

    pub(super) fn window(&self) -> u32 {
        // Never more than MAX_WINDOW.
        self.slots.len() as u32
    }

    pub(super) fn reset(&mut self) {
        self.filled = 0;
        self.warm = false;
    }
}
