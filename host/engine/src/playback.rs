use std::convert::Infallible;

use tiltyard_model::{Bar, Columns, Fill, InstrumentIndex, Nanos, OrderUpdate, TimerId};

use crate::strategy::Strategy;

/// Plays targets back that a signal strategy gave for whole columns: the same kernel, the same fills, no sandbox.
#[derive(Debug, Clone)]
pub struct TargetPlayback {
    targets: std::vec::IntoIter<f64>,
}

impl TargetPlayback {
    /// One target for each bar of the window, in order; NaN for "as before".
    #[must_use]
    pub fn new(targets: Vec<f64>) -> Self {
        Self { targets: targets.into_iter() }
    }
}

impl<D> Strategy<D> for TargetPlayback {
    type Fault = Infallible;

    fn warm_up(&mut self, _: &mut D, _: InstrumentIndex, _: &Columns) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_bar(&mut self, _: &mut D, _: InstrumentIndex, _: &Bar) -> Result<Option<f64>, Infallible> {
        Ok(Some(self.targets.next().unwrap_or(f64::NAN)))
    }

    fn on_step(&mut self, _: &mut D, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_fill(&mut self, _: &mut D, _: &Fill) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_order(&mut self, _: &mut D, _: &OrderUpdate) -> Result<(), Infallible> {
        Ok(())
    }

    fn on_timer(&mut self, _: &mut D, _: TimerId, _: Nanos) -> Result<(), Infallible> {
        Ok(())
    }
}
