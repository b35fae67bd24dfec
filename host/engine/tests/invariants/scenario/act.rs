//! One thing that a script does: an order, a change, a target, a timer, or a fault.

use proptest::prelude::*;
use tiltyard_model::Trail;

use super::ask::{Ask, Num, Stop, absurd, ask, num, quantity, stop, trail};
use super::instrument;

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Submit(Ask),
    Cancel(Pick),
    Replace(Change),
    Target {
        instrument: u32,
        fraction: f64,
        stop: Option<Stop>,
    },
    Close(u32),
    /// Hours from now.
    Timer(i64),
    Fault,
}

/// One of the open orders, or one that there is not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pick {
    Open(usize),
    Number(u64),
}

/// What an order shall have instead.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) order: Pick,
    pub(crate) quantity: Option<f64>,
    pub(crate) limit: Option<Num>,
    pub(crate) trigger: Option<Num>,
    pub(crate) trail: Option<Trail>,
}

impl Act {
    /// Where there is but one instrument, what was meant for the second one is meant for the first.
    pub(crate) fn fit(&mut self, listings: usize) {
        if let Self::Submit(Ask { instrument, .. }) | Self::Target { instrument, .. } | Self::Close(instrument) = self
            && listings == 1
            && *instrument == 1
        {
            *instrument = 0;
        }
    }
}

/// Anything but a fault.
pub(crate) fn act() -> impl Strategy<Value = Act> {
    let target = (instrument(), fraction(), prop::option::weighted(0.3, stop()));
    prop_oneof![
        24 => ask().prop_map(Act::Submit),
        4 => pick().prop_map(Act::Cancel),
        8 => change().prop_map(Act::Replace),
        5 => target.prop_map(|(instrument, fraction, stop)| Act::Target { instrument, fraction, stop }),
        2 => instrument().prop_map(Act::Close),
        1 => (-2_i64..6).prop_map(Act::Timer),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![15 => (0_usize..6).prop_map(Pick::Open), 1 => any::<u64>().prop_map(Pick::Number)]
}

fn change() -> impl Strategy<Value = Change> {
    let change = (
        pick(),
        prop::option::of(quantity()),
        prop::option::of(num()),
        prop::option::weighted(0.3, num()),
        prop::option::weighted(0.2, trail()),
    );
    change.prop_map(|(order, quantity, limit, trigger, trail)| Change { order, quantity, limit, trigger, trail })
}

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![
        20 => (-4..=6).prop_map(|quarters| f64::from(quarters) / 4.0),
        1 => absurd(),
        // Finite, but of no use: sizes that no decimal holds.
        1 => (9..29).prop_map(|power| 10_f64.powi(power)),
        1 => (9..29).prop_map(|power| -10_f64.powi(power)),
    ]
}
