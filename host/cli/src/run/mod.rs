//! One run of one component: what was asked for, what came of it, and the file that keeps both.

mod file;
mod market;
mod perpetual;
mod report;
mod request;
mod result;
mod trades;

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use tiltyard_engine::venue::SimulatedVenue;
use tiltyard_engine::{Log, Outcome, SeatError, Terms, TradingDesk};
use tiltyard_model::Start;
use tiltyard_sandbox::{Component, Fault, Limits, Mode, Sandbox};

use crate::commands::{read_component, sandbox};
use crate::workspace::Workspace;

pub(crate) use file::SavedRun;
pub(crate) use market::Market;
pub(crate) use request::{Data, Request, RunArgs, parameter};
pub(crate) use result::{MADE_UP, RunDocument, broken, is_synthetic, plain};
pub(crate) use trades::write_trades;

/// What every component of this program trades on.
pub(crate) type Desk = TradingDesk<SimulatedVenue>;

/// A component and a market, ready to run, any number of times.
pub(crate) struct Prepared {
    pub(crate) component: Component<Desk>,
    pub(crate) market: Market,
    pub(crate) start: Start,
    request: Request,
}

impl Prepared {
    /// Reads the component and the data that a request names.
    pub(crate) fn new(request: &Request, cache: Option<&Path>) -> Result<Self> {
        let workspace = match &request.data {
            Data::Files(_) => None,
            Data::Catalog { workspace, .. } => Some(Workspace::find(Some(workspace)).context("where the bars are")?),
        };
        let bytes = component(&request.component, workspace.as_ref())?;
        let component = sandbox(cache)?.load(&bytes, Mode::Event)?;
        let manifest = &component.admission().manifest;
        if component.admission().is_signal() && request.symbols.len() > 1 {
            anyhow::bail!("{} is a signal strategy, which trades one instrument; give one --symbol", manifest.name);
        }
        if !manifest.market_events.is_empty() {
            anyhow::bail!("{} trades quotes and trades of others, and bars have none of them", manifest.name);
        }
        let market = Market::read(request, manifest, workspace.as_ref())?;
        let start = Start {
            instruments: market.simulation.instruments(),
            parameters: request.parameters(manifest)?,
            settlement: market.settlement.clone(),
            seed: request.seed,
        };
        Ok(Self { component, market, start, request: request.clone() })
    }

    /// Runs it.
    pub(crate) fn run(&self, log: Log) -> Result<Outcome<Fault>> {
        self.run_simulation(&self.market.simulation, log)
    }

    /// Runs it on a market that differs in its window.
    pub(crate) fn run_simulation(&self, simulation: &tiltyard_engine::Simulation, log: Log) -> Result<Outcome<Fault>> {
        let mut kernel = simulation.kernel(log)?;
        let limits = Limits::default();
        kernel
            .seat(self.terms(), |desk| self.component.start(desk, &self.start, &limits))
            .map_err(|error| match error {
                SeatError::Setup(error) => anyhow!(error),
                SeatError::Start(error) => anyhow!(error),
            })
            .with_context(|| self.request.component.display().to_string())?;
        Ok(simulation.play(kernel))
    }

    /// The request that asks for this very run, whatever is added to its data.
    pub(crate) fn request(&self) -> Request {
        let mut request = self.request.clone();
        if let Data::Catalog { ends, .. } = &mut request.data {
            *ends = self.market.ends();
        }
        request
    }

    /// What came of a run.
    pub(crate) fn document(&self, outcome: &Outcome<Fault>) -> Result<RunDocument> {
        RunDocument::new(self, &self.request, outcome)
    }

    /// On what terms the strategy trades.
    pub(crate) fn terms(&self) -> Terms {
        let manifest = &self.component.admission().manifest;
        Terms::new(&manifest.name, self.market.cash, manifest.host_stop)
    }
}

/// The bytes of a component. A name that is no file's is looked up in the workspace, which for bars from files is the nearest;
/// outside of any it may be an example's.
fn component(path: &Path, workspace: Option<&Workspace>) -> Result<Vec<u8>> {
    let nearest = || Workspace::find(None).ok().filter(|_| !path.exists());
    let workspace = workspace.cloned().or_else(nearest);
    match (workspace, path.to_str()) {
        (Some(workspace), Some(name)) => Ok(workspace.component(name)?.0),
        (None, Some(name)) if !path.exists() => match tiltyard_examples::example(name) {
            Some(example) => Ok(example.component.to_vec()),
            None => read_component(path),
        },
        _ => read_component(path),
    }
}

/// The sandbox in which this program runs components.
pub(crate) type Ground = Sandbox<Desk>;
