use tiltyard_model::ManifestError;

use crate::CONTRACT_VERSION;

/// Why a file may not be compiled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Larger than the limit.
    #[error("the file has {size} bytes, the limit is {limit}; build with `tiltyard build`, or raise the limit")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not WebAssembly at all.
    #[error("this is not WebAssembly; give the `.wasm` file that `tiltyard build` wrote")]
    NotWasm,
    /// WebAssembly, but not a component.
    #[error(
        "this is a core WebAssembly module, not a component; build it with `tiltyard build`, or make a component of it \
         with `wasm-tools component new`"
    )]
    CoreModule,
    /// Ends in the middle.
    #[error("the file ends early, at byte {offset}; copy or build it again")]
    Truncated {
        /// Where something was missing.
        offset: usize,
    },
    /// Not a valid component, or one that uses what is not allowed.
    #[error("not a valid component, at byte {offset}: {message}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What.
        message: String,
    },
    /// More of something than any strategy needs.
    #[error("{what}: {count}, the limit is {limit}; no strategy needs that many, and a compiler chokes on them")]
    StaticLimit {
        /// Of what.
        what: &'static str,
        /// How many there are, at least.
        count: u64,
        /// The limit.
        limit: u64,
    },
    /// Exports no interface of the contract.
    #[error(
        "this component is no strategy: it does not export `tiltyard:strategy/lifecycle@{CONTRACT_VERSION}`; start from \
         the Tiltyard SDK"
    )]
    NotAStrategy,
    /// Built against a version of the contract that this host does not speak.
    #[error(
        "`{item}` is of contract {found}, this host speaks {CONTRACT_VERSION}; build it with the SDK of this host, or use \
         a host of that version"
    )]
    ContractVersion {
        /// The import or export.
        item: String,
        /// Its version.
        found: String,
    },
    /// Asks for something that no strategy gets.
    #[error("forbidden import `{import}`: {why}")]
    ForbiddenImport {
        /// The import.
        import: String,
        /// Why not, and what to do instead.
        why: &'static str,
    },
    /// Has an interface of the contract in another shape.
    #[error(
        "`{item}` does not have the shape that contract {CONTRACT_VERSION} gives it: {detail}; generate the bindings from \
         the contract's own WIT"
    )]
    Signature {
        /// The import or export.
        item: String,
        /// The difference.
        detail: String,
    },
    /// Exports something under the contract's name that the contract does not know.
    #[error("`{item}` is not an interface that contract {CONTRACT_VERSION} knows; remove it, or use a newer host")]
    UnknownExport {
        /// The export.
        item: String,
    },
    /// Needs something of the contract that a newer host has.
    #[error(
        "`{item}` of this host's contract, {CONTRACT_VERSION}, is older than the component's: {detail}; use a newer host"
    )]
    NewerContract {
        /// The import.
        item: String,
        /// What it needs.
        detail: String,
    },
    /// Components within it that call each other.
    #[error(
        "it is composed of components that call each other, and what they pass is not metered; link the parts into one \
         module before making a component of it"
    )]
    Composed,
    /// A signal strategy that wants to do more than answer.
    #[error("it exports `signals` but imports `{import}`; a signal answers with targets and sees nothing but bars")]
    SignalImport {
        /// The import.
        import: String,
    },
    /// A capability that this host does not grant.
    #[error(
        "its manifest asks for the capability `{0}`, which this host does not have; remove it, or use a newer host"
    )]
    Capability(String),
    /// Nothing to call.
    #[error(
        "it exports none of `bar-events`, `quote-events`, `trade-events` and `signals`, so there is nothing to call; \
         implement `Strategy` or `Signal`"
    )]
    NoEvents,
    /// Two ways to be called.
    #[error("it exports both `{events}` and `signals`; a strategy is one or the other")]
    BothEvents {
        /// What it exports beside `signals`.
        events: &'static str,
    },
    /// Events of the market that the manifest and the exports do not agree on.
    #[error(
        "its manifest {} `{name}` in `market_events`, and it {} `{interface}`; the two go together: write `register!(tape: …)` for \
         both, `register!(strategy: …)` for neither",
        if *.is_declared { "has" } else { "lacks" },
        if *.is_declared { "does not export" } else { "exports" }
    )]
    MarketEvents {
        /// In the manifest.
        name: &'static str,
        /// The export.
        interface: &'static str,
        /// Whether it is the manifest that has it.
        is_declared: bool,
    },
    /// No manifest.
    #[error(
        "it has no manifest: the custom section `tiltyard:manifest` is missing; the SDK's `register!` writes \
         it"
    )]
    NoManifest,
    /// More than one manifest.
    #[error("it has {found} manifests; there must be one custom section `tiltyard:manifest`")]
    ManyManifests {
        /// How many.
        found: usize,
    },
    /// A manifest that cannot be used.
    #[error(transparent)]
    Manifest(ManifestError),
    /// A manifest of another contract than the component's.
    #[error("its manifest names contract {manifest}, its interfaces are of {component}; build it again")]
    ManifestContract {
        /// What the manifest says.
        manifest: String,
        /// What the interfaces are of.
        component: String,
    },
}

impl Refusal {
    /// A name for programs to tell refusals by; it never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotWasm => "not_wasm",
            Self::CoreModule => "core_module",
            Self::Truncated { .. } => "truncated",
            Self::Invalid { .. } => "invalid",
            Self::StaticLimit { .. } => "static_limit",
            Self::NotAStrategy => "not_a_strategy",
            Self::ContractVersion { .. } => "contract_version",
            Self::ForbiddenImport { .. } => "forbidden_import",
            Self::Signature { .. } => "signature",
            Self::UnknownExport { .. } => "unknown_export",
            Self::NewerContract { .. } => "newer_contract",
            Self::Composed => "composed",
            Self::SignalImport { .. } => "signal_import",
            Self::Capability(_) => "capability",
            Self::NoEvents => "no_events",
            Self::BothEvents { .. } => "both_events",
            Self::MarketEvents { .. } => "market_events",
            Self::NoManifest => "no_manifest",
            Self::ManyManifests { .. } => "many_manifests",
            Self::Manifest(_) => "manifest",
            Self::ManifestContract { .. } => "manifest_contract",
        }
    }
}
