//! A probe that finds nothing is worth something only if it finds what is there.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{A, Desk, HOUR, News, Script, Stage, bars, lane, spot};
use tiltyard_engine::{BarFeed, Entry, Event, Feed, Lane, MarketEvent, Step, probe};
use tiltyard_model::{Desk as _, Nanos};

/// Prices that go up and down.
fn waves() -> Vec<[f64; 5]> {
    let price = |at: u32| 100.0 + f64::from(at * at % 37);
    (0..60).map(|at| [price(at), price(at) + 5.0, price(at) - 5.0, price(at) + f64::from(at % 3), 1e6]).collect()
}

/// Holds half when the last close is above the one before.
fn momentum(desk: &mut Desk, _: usize, _: &News) {
    let closes = desk.history(A, 2).unwrap().close().to_vec();
    if let [before, last] = closes[..] {
        desk.target(A, if last > before { 0.5 } else { 0.0 }, None).unwrap();
    }
}

/// A feed that shows every bar with a hint of the next one's close in its volume, as a badly made feature might.
struct Leaky {
    inner: BarFeed,
    ahead: Option<Step>,
}

impl Feed for Leaky {
    fn next(&mut self, step: &mut Step) -> bool {
        let mut next = Step::default();
        let current = match self.ahead.take() {
            Some(current) => current,
            None if self.inner.next(&mut next) => next.clone(),
            None => return false,
        };
        *step = current;
        if self.inner.next(&mut next) {
            if let (Some(MarketEvent::Bar(_, bar)), Some(MarketEvent::Bar(_, later))) =
                (step.events.first_mut(), next.events.first())
            {
                bar.volume += later.close;
            }
            self.ahead = Some(next);
        }
        true
    }
}

fn run(feed: &mut impl Feed) -> Vec<Entry> {
    let stage = Stage::new(spot("A"), lane(bars(HOUR, &waves()), HOUR));
    let kernel = stage.kernel(vec![Script::new(momentum)]);
    kernel.run(feed).books.log().entries().to_vec()
}

fn up_to(bars_seen: usize) -> BarFeed {
    BarFeed::new(vec![Lane { to: bars_seen, ..lane(bars(HOUR, &waves()), HOUR) }])
}

#[test]
fn a_feed_that_leaks_the_future_is_found_at_every_cut() {
    let leaky = |seen| Leaky { inner: up_to(seen), ahead: None };
    let full = run(&mut leaky(60));
    for cut in [10, 20, 30, 59] {
        let until = Nanos::from_hours(cut);
        let difference = probe::lookahead(&full, &run(&mut leaky(cut as usize)), until).unwrap();
        let Some(Entry { time, event: Event::Bar { .. } }) = difference.left else { panic!("{difference}") };
        assert_eq!(time, until, "the last bar that the prefix knows is the one that differs");
    }
}

#[test]
fn an_honest_feed_passes() {
    let full = run(&mut up_to(60));
    assert!(full.iter().filter(|entry| matches!(entry.event, Event::Executed(_))).count() > 10);
    for cut in 1..60 {
        let prefix = run(&mut up_to(cut));
        assert_eq!(probe::lookahead(&full, &prefix, Nanos::from_hours(cut as i64)), None, "{cut}");
    }
}

#[test]
fn a_strategy_that_remembers_the_whole_past_depends_on_how_much_there_was() {
    let run = |from: usize| {
        let stage = Stage::new(spot("A"), lane(bars(HOUR, &waves()), HOUR));
        let act = |desk: &mut Desk, _: usize, _: &News| {
            let all = desk.history(A, 10_000).unwrap();
            let mean = all.close().iter().sum::<f64>() / all.len() as f64;
            desk.target(A, mean / 1_000.0, None).unwrap();
        };
        let mut kernel = stage.kernel(vec![Script::new(act)]);
        kernel.warm_up(A, &stage.lanes[0].bars.slice(from..30));
        let mut feed = BarFeed::new(vec![Lane { from: 30, ..stage.lanes[0].clone() }]);
        kernel.run(&mut feed).books.log().entries().to_vec()
    };
    assert!(probe::trading(&run(25), &run(0)).is_some());
    assert_eq!(probe::trading(&run(0), &run(0)), None);
}
