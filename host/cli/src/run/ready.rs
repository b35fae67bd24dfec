use std::path::Path;

use anyhow::Result;
use tiltyard_engine::{Log, Outcome};
use tiltyard_sandbox::Fault;

use super::request::Data;
use super::tape::TapeRun;
use super::{Prepared, Request, RunDocument};

/// A run on bars or on tapes, ready to be made any number of times.
pub(crate) enum Ready {
    Bars(Box<Prepared>),
    Tapes(Box<TapeRun>),
}

impl Ready {
    /// Reads the component and the data that a request names.
    pub(crate) fn new(request: &Request, cache: Option<&Path>) -> Result<Self> {
        Ok(match request.data {
            Data::Tapes { .. } => Self::Tapes(Box::new(TapeRun::new(request, cache)?)),
            Data::Files(_) | Data::Catalog { .. } => Self::Bars(Box::new(Prepared::new(request, cache)?)),
        })
    }

    /// Runs it.
    pub(crate) fn run(&self, log: Log) -> Result<Outcome<Fault>> {
        match self {
            Self::Bars(run) => run.run(log),
            Self::Tapes(run) => run.run(log),
        }
    }

    /// The request that asks for this very run, whatever is added to its data.
    pub(crate) fn request(&self) -> Request {
        match self {
            Self::Bars(run) => run.request(),
            Self::Tapes(run) => run.request.clone(),
        }
    }

    /// What came of a run.
    pub(crate) fn document(&self, outcome: &Outcome<Fault>) -> Result<RunDocument> {
        match self {
            Self::Bars(run) => RunDocument::new(&run.request, &run.entrant, run.stage(), outcome),
            Self::Tapes(run) => RunDocument::new(&run.request, &run.entrant, run.stage(), outcome),
        }
    }
}
