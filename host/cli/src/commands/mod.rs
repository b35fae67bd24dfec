//! The verbs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tiltyard_model::Desk;
use tiltyard_sandbox::{AdmissionLimits, Cache, CompileLimits, Compiler, Limits, PoolLimits, Sandbox, SandboxConfig};

pub(crate) mod backtest;
pub(crate) mod build;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod flatten;
pub(crate) mod halt;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod kill;
pub(crate) mod new;
pub(crate) mod pause;
pub(crate) mod probe;
pub(crate) mod profiles;
pub(crate) mod replay;
pub(crate) mod resume;
pub(crate) mod risk;
pub(crate) mod schema;
pub(crate) mod tournament;
pub(crate) mod tryout;

/// The verb under which this program is its own compiling child.
pub(crate) const COMPILE_VERB: &str = "compile-component";

/// Reads a component, no further than its size limit.
pub(crate) fn read_component(path: &Path) -> Result<Vec<u8>> {
    let what = || format!("{}", path.display());
    let about = fs::metadata(path).with_context(what)?;
    anyhow::ensure!(
        about.is_file(),
        "{} is not a file; give the `.wasm` file that `tiltyard build` wrote",
        path.display()
    );
    let limit = AdmissionLimits::default().bytes;
    anyhow::ensure!(
        about.len() <= limit as u64,
        "{} has {} bytes, the limit is {limit}; build it with `tiltyard build`",
        path.display(),
        about.len()
    );
    fs::read(path).with_context(what)
}

/// A sandbox with default limits that keeps compiled code in the user's cache folder.
pub(crate) fn sandbox<D: Desk + Default + Send + 'static>(cache: Option<&Path>) -> Result<Sandbox<D>> {
    let program = env::current_exe().context("finding this program's own path")?;
    let compiler = Compiler::new(program, vec![COMPILE_VERB.into()], CompileLimits::default());
    let cache = match cache {
        Some(folder) => folder.to_owned(),
        None => cache_folder()?,
    };
    Ok(Sandbox::new(SandboxConfig {
        admission: AdmissionLimits::default(),
        pool: PoolLimits::default(),
        describe: Limits::default(),
        compiler,
        cache: Cache::open(cache)?,
    })?)
}

fn cache_folder() -> Result<PathBuf> {
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".cache")))
        .map(|folder| folder.join("tiltyard"))
        .context("no home folder to keep compiled code in; give one with --cache")
}
