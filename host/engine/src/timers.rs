use std::collections::{BTreeMap, BTreeSet};

use tiltyard_model::{Nanos, TimerId};

/// The timers of a strategy that wait: found by their time when it comes, by their number when one is taken back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Nanos, TimerId)>,
    times: BTreeMap<TimerId, Nanos>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Nanos, timer: TimerId) {
        self.by_time.insert((at, timer));
        self.times.insert(timer, at);
    }

    /// Takes a timer back; false if it does not wait.
    pub(crate) fn cancel(&mut self, timer: TimerId) -> bool {
        self.times.remove(&timer).is_some_and(|at| self.by_time.remove(&(at, timer)))
    }

    /// Takes out the next timer that is due; of those due at one time, the one that was set first.
    pub(crate) fn pop_due(&mut self, now: Nanos) -> Option<TimerId> {
        let (_, timer) = self.by_time.first().copied().filter(|(due, _)| *due <= now)?;
        self.by_time.pop_first();
        self.times.remove(&timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::Timers;
    use tiltyard_model::{Nanos, TimerId};

    #[test]
    fn timers_come_by_time_then_number_and_not_when_taken_back() {
        let mut timers = Timers::default();
        for (at, number) in [(7, 1), (5, 2), (5, 3), (9, 4), (6, 5)] {
            timers.set(Nanos(at), TimerId(number));
        }
        assert!(timers.cancel(TimerId(5)) && !timers.cancel(TimerId(5)) && !timers.cancel(TimerId(6)));
        let due: Vec<u64> = std::iter::from_fn(|| timers.pop_due(Nanos(8))).map(|timer| timer.0).collect();
        assert_eq!(due, [2, 3, 1]);
        assert!(!timers.cancel(TimerId(1)), "it has come");
    }
}
