//! Admission: what can be known of a component without running, or even compiling, any of it.

mod conformance;
mod count;
mod refusal;
mod scan;

use serde::Serialize;
use tiltyard_model::{Digest, Manifest, MarketEvents};

use conformance::CONTRACT;
pub use count::AdmissionLimits;
pub use refusal::Refusal;

use crate::wasi;

/// A component that may be compiled, and what it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Admission {
    /// The component's name in every record: the SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: usize,
    /// The contract version it was built against.
    pub contract: String,
    /// What it declares about itself.
    pub manifest: Manifest,
    /// Interfaces it asks for, in the order of the component.
    pub imports: Vec<String>,
    /// Interfaces it offers, in the order of the component.
    pub exports: Vec<String>,
    /// Functions in all of its core modules.
    pub functions: u32,
}

impl Admission {
    /// Whether it is a signal strategy: a pure function of market data.
    #[must_use]
    pub fn is_signal(&self) -> bool {
        self.exports_interface("signals")
    }

    /// Whether it exports this interface of the contract.
    #[must_use]
    pub fn exports_interface(&self, interface: &str) -> bool {
        self.exports.iter().any(|export| conformance::interface(export) == Some((interface, self.contract.as_str())))
    }

    /// What it asks for, in words: `orders`, `market history`, `log`.
    ///
    /// There is nothing a component could ask for to get at the network, files, other processes or the time of day.
    #[must_use]
    pub fn asks_for(&self) -> Vec<&'static str> {
        let mut asks: Vec<&'static str> = self
            .imports
            .iter()
            .filter_map(|import| match conformance::interface(import) {
                Some(("market", _)) => Some("market history"),
                Some(("account", _)) => Some("its account"),
                Some(("orders", _)) => Some("orders"),
                Some(("timers", _)) => Some("timers"),
                Some(("journal", _)) => Some("log"),
                _ => wasi::asks_for(import),
            })
            .collect();
        asks.sort_unstable();
        asks.dedup();
        asks
    }
}

/// Looks at a component and says what it is, or why it may not be compiled. Runs and compiles nothing.
///
/// # Errors
/// The first reason against it; see [`Refusal`].
pub fn admit(bytes: &[u8], limits: &AdmissionLimits) -> Result<Admission, Refusal> {
    let scan = scan::scan(bytes, limits, CONTRACT)?;
    let manifest = match &scan.manifests[..] {
        [] => return Err(Refusal::NoManifest),
        [json] => Manifest::parse(json).map_err(Refusal::Manifest)?,
        several => return Err(Refusal::ManyManifests { found: several.len() }),
    };
    let contract = scan.contract;
    if manifest.contract != contract {
        return Err(Refusal::ManifestContract { manifest: manifest.contract, component: contract });
    }
    if let Some(capability) = manifest.capabilities.first() {
        return Err(Refusal::Capability(capability.clone()));
    }
    let exports =
        |wanted| scan.exports.iter().any(|export| conformance::interface(export) == Some((wanted, &*contract)));
    for (events, name, interface) in
        [(MarketEvents::Quotes, "quotes", "quote-events"), (MarketEvents::Trades, "trades", "trade-events")]
    {
        let is_declared = manifest.market_events.contains(&events);
        if is_declared != exports(interface) {
            return Err(Refusal::MarketEvents { name, interface, is_declared });
        }
    }
    Ok(Admission {
        digest: Digest::of(bytes),
        size: bytes.len(),
        contract,
        manifest,
        imports: scan.imports,
        exports: scan.exports,
        functions: scan.functions,
    })
}
