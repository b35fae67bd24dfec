//! The venue's clock beside the receiver's.

use tiltyard_model::Nanos;

/// By how much the receiver's clock is ahead of the venue's, at least: the least delay between what happened and its receipt that was
/// seen of late. It may be negative, as the two clocks need not agree.
///
/// A print is received up to some tenths of a second after its trade, and quotes tell of the trade before it. So the trade is taken to
/// have happened as early as it can have: by its venue's time and the least delay. Orders that arrived after that had no part in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    least: Option<Nanos>,
    before: Option<Nanos>,
    until: Nanos,
}

impl Clock {
    /// What the least delay is taken over, once or twice this: clocks drift.
    const SPAN: Nanos = Nanos(60_000_000_000);

    /// Something was received; says when it happened at the latest, by the receiver's clock.
    pub(super) fn read(&mut self, received: Nanos, happened: Option<Nanos>) -> Nanos {
        let Some(happened) = happened else { return received };
        if received >= self.until {
            (self.before, self.least) = (self.least, None);
            self.until = received + Self::SPAN;
        }
        let delay = received - happened;
        let least = self.least.map_or(delay, |least| least.min(delay));
        self.least = Some(least);
        happened + self.before.map_or(least, |before| before.min(least))
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use tiltyard_model::Nanos;

    #[test]
    fn what_was_delayed_happened_earlier() {
        let mut clock = Clock::default();
        let mut read = |received, happened: i64| clock.read(Nanos(received), Some(Nanos(happened))).0;
        assert_eq!(read(1_000, 2_000), 1_000, "the venue's clock is ahead by 1,000, or more");
        assert_eq!(read(1_100, 2_030), 1_030);
        assert_eq!(read(1_150, 2_170), 1_150, "a smaller delay");
        assert_eq!(read(1_200, 2_200), 1_180);
        assert_eq!(clock.read(Nanos(1_300), None), Nanos(1_300));
    }

    #[test]
    fn delays_of_long_ago_are_forgotten() {
        let mut clock = Clock::default();
        let minute = Clock::SPAN.0;
        let mut read = |received, happened: i64| clock.read(Nanos(received), Some(Nanos(happened))).0 - received;
        assert_eq!(read(0, 0), 0);
        assert_eq!(read(minute, minute - 10), -10);
        assert_eq!(read(2 * minute, 2 * minute - 10), 0);
    }
}
