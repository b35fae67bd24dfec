use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Map, Value as Json};
use tiltyard_engine::venue::Venue;
use tiltyard_engine::{Kernel, SeatError, Terms, TradingDesk};
use tiltyard_model::{Instrument, Manifest, Money, Nanos, Start, decimal};
use tiltyard_sandbox::{Component, Instance, Limits, Mode};

use super::Request;
use crate::commands::{read_component, sandbox};
use crate::workspace::Workspace;

/// A component of a run, on whatever it trades.
pub(crate) type Loaded<V> = Component<TradingDesk<V>>;

/// A component with what it starts with.
pub(crate) struct Entrant<V: Venue + 'static> {
    pub(crate) component: Loaded<V>,
    pub(crate) start: Start,
    pub(crate) cash: Money,
    path: PathBuf,
}

impl<V: Venue + Send + 'static> Entrant<V> {
    /// The component that a request names. A name that is no file's is looked up in the workspace.
    pub(super) fn load(request: &Request, workspace: Option<&Workspace>, cache: Option<&Path>) -> Result<Loaded<V>> {
        Ok(sandbox(cache)?.load(&bytes(&request.component, workspace)?, Mode::Event)?)
    }

    /// The same with what the request starts it with.
    pub(super) fn new(
        request: &Request,
        component: Loaded<V>,
        instruments: Vec<(Instrument, Nanos)>,
        settlement: &str,
    ) -> Result<Self> {
        let start = Start {
            instruments,
            parameters: request.parameters(&component.admission().manifest)?,
            settlement: settlement.to_owned(),
            seed: request.seed,
        };
        let cash = decimal(request.cash).context("--cash has more digits than an amount can have")?;
        Ok(Self { component, start, cash: Money(cash), path: request.component.clone() })
    }

    /// Gives it a seat in a kernel.
    pub(super) fn sit(&self, kernel: &mut Kernel<V, Instance<TradingDesk<V>>>) -> Result<()> {
        let limits = Limits::default();
        let seated = kernel.seat(self.terms(), |desk| self.component.start(desk, &self.start, &limits));
        seated
            .map_err(|error| match error {
                SeatError::Setup(error) => anyhow!(error),
                SeatError::Start(error) => anyhow!(error),
            })
            .with_context(|| self.path.display().to_string())?;
        Ok(())
    }

    /// What it says of itself.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.component.admission().manifest
    }

    /// Every parameter with the value that it has.
    pub(super) fn parameters(&self) -> Result<Map<String, Json>> {
        let resolved = self.manifest().resolve(&self.start.parameters);
        let resolved = resolved.map_err(|errors| {
            anyhow::Error::msg(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        resolved.into_iter().map(|(name, value)| Ok((name, serde_json::to_value(value)?))).collect()
    }

    /// On what terms it trades.
    fn terms(&self) -> Terms {
        let manifest = self.manifest();
        Terms::new(&manifest.name, self.cash, manifest.host_stop)
    }
}

/// The bytes of a component. A name that is no file's is looked up in the workspace, which for what comes from files is the
/// nearest; outside of any it may be an example's.
fn bytes(path: &Path, workspace: Option<&Workspace>) -> Result<Vec<u8>> {
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
