//! The book agrees with one that is a list and is searched from end to end.
#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::collection::vec;
use proptest::prelude::*;
use tiltyard_model::tape::{DepthChange, Level, OrderBook, Quote};
use tiltyard_model::{Decimal, Price, Qty, Side};

/// Few prices, so that levels meet; some written with more zeros than they need, which must not matter.
fn level() -> impl Strategy<Value = Level> {
    (1..30_i64, prop_oneof![Just(0), 0..1_000_i64], any::<bool>()).prop_map(|(price, size, long)| {
        let mut price = Decimal::new(price, 1);
        if long {
            price.rescale(8);
        }
        Level { price: Price(price), size: Qty(Decimal::new(size, 3)) }
    })
}

fn change() -> impl Strategy<Value = DepthChange> {
    (vec(level(), 0..8), vec(level(), 0..8), prop::bool::weighted(0.1)).prop_map(|(bids, asks, whole)| DepthChange {
        bids,
        asks,
        whole,
    })
}

#[derive(Default)]
struct Naive {
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl Naive {
    fn apply(&mut self, change: &DepthChange) {
        for (side, levels) in [(&mut self.bids, &change.bids), (&mut self.asks, &change.asks)] {
            side.retain(|_| !change.whole);
            for level in levels {
                side.retain(|old| old.price != level.price);
                side.push(*level);
            }
            side.retain(|level| !level.size.is_zero());
        }
    }

    /// Best first.
    fn levels(&self, side: Side) -> Vec<Level> {
        let mut levels = if side == Side::Buy { self.bids.clone() } else { self.asks.clone() };
        levels.sort_by_key(|level| if side == Side::Buy { -level.price } else { level.price });
        levels
    }

    /// One thousandth after the other, each from the best level that has one left.
    fn walk(&self, side: Side, thousandths: u32, limit: Option<Price>) -> (Vec<Level>, Qty) {
        let step = Qty(Decimal::new(1, 3));
        let mut there = self.levels(side.opposite());
        there.retain(|level| match (limit, side) {
            (None, _) => true,
            (Some(limit), Side::Buy) => level.price.0 <= limit.0,
            (Some(limit), Side::Sell) => level.price.0 >= limit.0,
        });
        let (mut taken, mut left): (Vec<Level>, Qty) = (Vec::new(), Qty::ZERO);
        for _ in 0..thousandths {
            let Some(best) = there.iter_mut().find(|level| !level.size.is_zero()) else {
                left += step;
                continue;
            };
            best.size -= step;
            match taken.last_mut().filter(|last| last.price == best.price) {
                Some(last) => last.size += step,
                None => taken.push(Level { price: best.price, size: step }),
            }
        }
        (taken, left)
    }
}

proptest! {
    #[test]
    fn the_book_has_what_a_list_has(changes in vec(change(), 0..20), asked in level()) {
        let (mut book, mut naive) = (OrderBook::default(), Naive::default());
        for change in &changes {
            book.apply(change);
            naive.apply(change);
            for side in [Side::Buy, Side::Sell] {
                let levels = naive.levels(side);
                prop_assert_eq!(book.levels(side).collect::<Vec<_>>(), levels.clone());
                let size: Qty = levels.iter().filter(|level| level.price == asked.price).map(|level| level.size).sum();
                prop_assert_eq!(book.size_at(side, asked.price), size);
            }
            let (bid, ask) = (naive.levels(Side::Buy).first().copied(), naive.levels(Side::Sell).first().copied());
            prop_assert_eq!(book.best(), Quote { bid, ask });
            prop_assert_eq!(book.is_empty(), bid.is_none() && ask.is_none());
        }
    }

    #[test]
    fn an_order_takes_what_it_takes_of_a_list(
        changes in vec(change(), 1..6),
        buys in any::<bool>(),
        thousandths in 0..3_000_u32,
        limit in proptest::option::of(level()),
    ) {
        let (mut book, mut naive) = (OrderBook::default(), Naive::default());
        for change in &changes {
            book.apply(change);
            naive.apply(change);
        }
        let side = if buys { Side::Buy } else { Side::Sell };
        let limit = limit.map(|level| level.price);
        let quantity = Qty(Decimal::new(thousandths.into(), 3));
        let walk = book.walk(side, quantity, limit);
        let taken: Qty = walk.taken.iter().map(|level| level.size).sum();
        prop_assert_eq!(taken + walk.left, quantity);
        prop_assert_eq!((walk.taken, walk.left), naive.walk(side, thousandths, limit));
    }
}
