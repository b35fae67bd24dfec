use std::fmt;

use tiltyard_model::{Desk, Manifest, shown};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::admission::{Admission, AdmissionLimits, Refusal, admit};
use crate::cache::{Cache, CacheError, CacheOutcome, Lookup};
use crate::cell::Cell;
use crate::compile::{CompileError, Compiler};
use crate::component::{Component, StartError};
use crate::engine::{Mode, PoolLimits, compatibility, running_engine};
use crate::limits::Limits;
use crate::{imports, wasi};

/// What a sandbox is made of.
#[derive(Debug)]
pub struct SandboxConfig {
    /// What may be compiled at all.
    pub admission: AdmissionLimits,
    /// How many instances may live at one time.
    pub pool: PoolLimits,
    /// What a component may use to describe itself.
    pub describe: Limits,
    /// Who compiles.
    pub compiler: Compiler,
    /// Where compiled code is kept.
    pub cache: Cache,
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
#[error(
    "the sandbox cannot be set up: {0}; allow this process more address space (`ulimit -v`), or give it a pool of fewer instances"
)]
pub struct SandboxError(String);

/// Why a component was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Refused before it was compiled.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Not compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Compiled code could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Compiled, but asks for something in a shape that is not provided.
    #[error("it does not fit this host: {0}; build it with the SDK of this host")]
    Link(String),
    /// It could not even say what it is.
    #[error("it cannot be asked what it is: {0}")]
    Describe(StartError),
    /// It says something else than its manifest.
    #[error("`describe` and the manifest disagree at `{at}`: {described} against {declared}; build it again")]
    Disagrees {
        /// Where in the document.
        at: String,
        /// What `describe` says there.
        described: String,
        /// What the manifest says there.
        declared: String,
    },
}

/// Where components are loaded and run.
///
/// `D` is the desk that is lent to strategies; its default stands in while it is lent and is never asked anything.
pub struct Sandbox<D: 'static> {
    config: SandboxConfig,
    event: Speed<D>,
    screen: Speed<D>,
}

/// One way of running: its engine and what it links components against.
struct Speed<D: 'static> {
    engine: Engine,
    linker: Linker<Cell<D>>,
}

impl<D: Desk + Default + Send + 'static> Speed<D> {
    fn new(mode: Mode, pool: &PoolLimits) -> wasmtime::Result<Self> {
        let engine = running_engine(mode, pool)?;
        let mut linker = Linker::new(&engine);
        imports::link(&mut linker)?;
        wasi::link(&mut linker)?;
        Ok(Self { engine, linker })
    }
}

impl<D> fmt::Debug for Sandbox<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<D: Desk + Default + Send + 'static> Sandbox<D> {
    /// Sets up engines and pools.
    ///
    /// # Errors
    /// When the address space for the pool is not to be had.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let speed = |mode| Speed::new(mode, &config.pool).map_err(|error| SandboxError(format!("{error:#}")));
        Ok(Self { event: speed(Mode::Event)?, screen: speed(Mode::Screen)?, config })
    }

    /// One tick of the clock that [`Limits::deadline_ticks`] counts. In paper and live trading someone calls this at a
    /// fixed pace; in a backtest nobody does.
    pub fn tick(&self) {
        self.event.engine.increment_epoch();
        self.screen.engine.increment_epoch();
    }

    /// Admits, compiles (or finds compiled), links, and checks that `describe` agrees with the manifest.
    ///
    /// # Errors
    /// The first step that fails; see [`LoadError`].
    pub fn load(&self, bytes: &[u8], mode: Mode) -> Result<Component<D>, LoadError> {
        let admission = admit(bytes, &self.config.admission)?;
        let speed = match mode {
            Mode::Event => &self.event,
            Mode::Screen => &self.screen,
        };
        let (compiled, outcome) = self.compiled(&speed.engine, &admission, bytes, mode)?;
        let link = |error: wasmtime::Error| LoadError::Link(format!("{error:#}"));
        let linked = speed.linker.instantiate_pre(&compiled).map_err(link)?;
        let component = Component::new(admission, mode, outcome, linked, self.config.pool.clone()).map_err(link)?;
        check_describe(&component, &self.config.describe)?;
        Ok(component)
    }

    /// The compiled component, from the cache or else made now.
    fn compiled(
        &self,
        engine: &Engine,
        admission: &Admission,
        bytes: &[u8],
        mode: Mode,
    ) -> Result<(wasmtime::component::Component, CacheOutcome), LoadError> {
        let (component, compatibility) = (admission.digest, compatibility(engine));
        let outcome = match self.config.cache.find(component, compatibility) {
            Lookup::Found(code) => match deserialize(engine, &code) {
                Ok(compiled) => return Ok((compiled, CacheOutcome::Hit)),
                Err(error) => CacheOutcome::Rebuilt(format!("{error:#}")),
            },
            Lookup::Absent => CacheOutcome::Compiled,
            Lookup::Unusable(why) => CacheOutcome::Rebuilt(why),
        };
        let code = self.config.compiler.compile(bytes, mode, compatibility)?;
        self.config.cache.keep(component, compatibility, &code)?;
        let compiled = deserialize(engine, &code).map_err(|error| LoadError::Link(format!("{error:#}")))?;
        Ok((compiled, outcome))
    }
}

/// Makes compiled code runnable.
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<wasmtime::component::Component> {
    // SAFETY: `code` is what our own child process wrote for this engine: either it came from it just now, or it comes
    // from the cache, a folder that only the host's user can write, in an entry whose checksum, component digest and
    // engine hash were compared. It is loaded from memory, so nothing can change it after it was checked.
    #[allow(unsafe_code, reason = "wasmtime has no other way to load compiled code")]
    let compiled = unsafe { wasmtime::component::Component::deserialize(engine, code) }?;
    compiled.initialize_copy_on_write_image()?;
    Ok(compiled)
}

fn check_describe<D: Desk + Default + Send + 'static>(
    component: &Component<D>,
    limits: &Limits,
) -> Result<(), LoadError> {
    let described = component
        .instantiate(0, limits)
        .and_then(|mut instance| instance.describe().map_err(StartError::Fault))
        .map_err(LoadError::Describe)?;
    let declared = &component.admission().manifest;
    let disagrees = |at: &str, described: String, declared: String| {
        let [at, described, declared] = [at, &described, &declared].map(|text| shown(text, 200));
        Err(LoadError::Disagrees { at, described, declared })
    };
    let described = match Manifest::parse(described.as_bytes()) {
        Ok(manifest) => manifest,
        Err(error) => return disagrees("the document", error.to_string(), "a valid manifest".to_owned()),
    };
    // A manifest made of JSON can be written as JSON.
    let tree = |manifest: &Manifest| serde_json::to_value(manifest).unwrap_or_default();
    match first_difference(&tree(&described), &tree(declared), String::new()) {
        Some((at, described, declared)) => disagrees(&at, described, declared),
        None => Ok(()),
    }
}

/// The first place where two documents differ, as a path, and what stands there in each.
fn first_difference(
    left: &serde_json::Value,
    right: &serde_json::Value,
    at: String,
) -> Option<(String, String, String)> {
    use serde_json::Value::{Array, Null, Object};
    match (left, right) {
        (Object(left), Object(right)) => left.keys().chain(right.keys()).find_map(|key| {
            let (left, right) = (left.get(key).unwrap_or(&Null), right.get(key).unwrap_or(&Null));
            first_difference(left, right, format!("{at}/{key}"))
        }),
        (Array(left), Array(right)) => (0..left.len().max(right.len())).find_map(|index| {
            let (left, right) = (left.get(index).unwrap_or(&Null), right.get(index).unwrap_or(&Null));
            first_difference(left, right, format!("{at}/{index}"))
        }),
        (left, right) if left == right => None,
        (left, right) => Some((at, left.to_string(), right.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_named() {
        let left = json!({"a": 1, "b": [1, {"c": "x"}]});
        assert_eq!(first_difference(&left, &left, String::new()), None);
        let right = json!({"a": 1, "b": [1, {"c": "y"}]});
        let expected = ("/b/1/c".to_owned(), "\"x\"".to_owned(), "\"y\"".to_owned());
        assert_eq!(first_difference(&left, &right, String::new()), Some(expected));
        let shorter = json!({"a": 1, "b": [1]});
        assert_eq!(first_difference(&left, &shorter, String::new()).map(|found| found.0), Some("/b/1".to_owned()));
    }
}
