use crate::{Instrument, Nanos, Value};

/// What a strategy is told when a run starts. It never tells whether the market is past, simulated or real.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// What is traded and the length of its bars, in the order that [`InstrumentIndex`](crate::InstrumentIndex)
    /// counts.
    pub instruments: Vec<(Instrument, Nanos)>,
    /// The parameters whose values differ from the defaults; see [`Manifest::resolve`](crate::Manifest::resolve).
    pub parameters: Vec<(String, Value)>,
    /// The currency of the account, such as `USDT`.
    pub settlement: String,
    /// For strategies that draw random numbers; part of the run's inputs.
    pub seed: u64,
}
