use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tiltyard_engine::venue::SimulatedVenue;
use tiltyard_engine::{Log, Outcome, Simulation};
use tiltyard_sandbox::Fault;

use super::entrant::Entrant;
use super::request::Data;
use super::{Market, Request};
use crate::workspace::Workspace;

/// A component and bars, ready to run, any number of times.
pub(crate) struct Prepared {
    pub(crate) entrant: Entrant<SimulatedVenue>,
    pub(crate) market: Market,
    pub(super) request: Request,
}

impl Prepared {
    /// Reads the component and the bars that a request names.
    pub(crate) fn new(request: &Request, cache: Option<&Path>) -> Result<Self> {
        let workspace = match &request.data {
            Data::Files(_) | Data::Tapes { .. } => None,
            Data::Catalog { workspace, .. } => Some(Workspace::find(Some(workspace)).context("where the bars are")?),
        };
        let component = Entrant::load(request, workspace.as_ref(), cache)?;
        let manifest = &component.admission().manifest;
        ensure!(
            !component.admission().is_signal() || request.symbols.len() == 1,
            "{} is a signal strategy, which trades one instrument; give one --symbol",
            manifest.name
        );
        ensure!(
            manifest.market_events.is_empty(),
            "{} trades quotes and trades of others, and bars have none of them; backtest it on a recording with --tape FILE",
            manifest.name
        );
        let market = Market::read(request, manifest, workspace.as_ref())?;
        let entrant = Entrant::new(request, component, market.simulation.instruments(), &market.settlement)?;
        Ok(Self { entrant, market, request: request.clone() })
    }

    /// Runs it.
    pub(crate) fn run(&self, log: Log) -> Result<Outcome<Fault>> {
        self.run_simulation(&self.market.simulation, log)
    }

    /// Runs it on a market that differs in its window.
    pub(crate) fn run_simulation(&self, simulation: &Simulation, log: Log) -> Result<Outcome<Fault>> {
        let mut kernel = simulation.kernel(log)?;
        self.entrant.sit(&mut kernel)?;
        Ok(simulation.play(kernel))
    }

    /// The request that asks for this very run, whatever is added to its data.
    pub(super) fn request(&self) -> Request {
        let mut request = self.request.clone();
        if let Data::Catalog { ends, .. } = &mut request.data {
            *ends = self.market.ends();
        }
        request
    }
}
