//! Compiles a strategy crate to a WebAssembly component, the way strategies are meant to be compiled: optimised as a
//! whole, aborting on panic, with a small stack, with its function names and without paths of the machine that built it.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// The target of a component.
pub const TARGET: &str = "wasm32-wasip2";

/// Stack of a strategy in bytes, inside its linear memory. The usual megabyte would be half of what most strategies
/// touch; overflowing it traps.
const STACK: u32 = 64 << 10;

/// A crate to be built.
#[derive(Debug, Clone)]
pub struct Build {
    /// The crate's folder.
    pub folder: PathBuf,
    /// Where to build; cargo's own choice if nothing is said.
    pub target_dir: Option<PathBuf>,
    /// Refuse to change `Cargo.lock`.
    pub locked: bool,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No crate there.
    #[error("{} has no Cargo.toml; give the folder of a strategy crate", .0.display())]
    NoCrate(PathBuf),
    /// The compiler's target is missing.
    #[error("the Rust target {TARGET} is not installed; run `rustup target add {TARGET}`")]
    NoTarget,
    /// cargo could not be run.
    #[error("`{program}` cannot be run; install Rust from https://rustup.rs")]
    Run {
        /// What was run.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// cargo failed, and has said why.
    #[error("cargo failed; its messages tell why")]
    Cargo,
    /// Built, but no component came of it.
    #[error(
        "{} builds no component: its Cargo.toml needs `crate-type = [\"cdylib\", \"rlib\"]` under [lib]", .0.display()
    )]
    NoComponent(PathBuf),
}

impl Build {
    /// Runs cargo, whose messages go to standard error, and returns the path of the component.
    ///
    /// # Errors
    /// When something is missing or cargo fails; see [`BuildError`].
    pub fn run(&self) -> Result<PathBuf, BuildError> {
        let manifest = self.folder.join("Cargo.toml");
        let manifest = manifest.canonicalize().map_err(|_| BuildError::NoCrate(self.folder.clone()))?;
        if !has_target()? {
            return Err(BuildError::NoTarget);
        }
        let mut cargo = Command::new(cargo());
        cargo
            .args(["build", "--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"])
            .arg("--manifest-path")
            .arg(&manifest);
        if let Some(target_dir) = &self.target_dir {
            cargo.arg("--target-dir").arg(target_dir);
        }
        if self.locked {
            cargo.arg("--locked");
        }
        profile(&mut cargo);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags(&manifest)?.join("\u{1f}"));
        let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|source| {
            BuildError::Run { program: cargo.get_program().to_string_lossy().into_owned(), source }
        })?;
        if !output.status.success() {
            return Err(BuildError::Cargo);
        }
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| component_in(line, &manifest))
            .next_back()
            .ok_or_else(|| BuildError::NoComponent(self.folder.clone()))
    }

    fn rustflags(&self, manifest: &Path) -> Result<Vec<String>, BuildError> {
        let mut flags = vec![format!("-Clink-arg=-zstack-size={STACK}")];
        let mut hide = |path: &Path, name: &str| flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        if let Some(home) =
            env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
        {
            hide(&home, "cargo");
        }
        hide(&workspace(manifest)?, "source");
        Ok(flags)
    }
}

/// The profile of a strategy, whatever the crate's own says, so that the same source gives the same component. (What a
/// crate says of single packages, `[profile.release.package]`, still holds.)
fn profile(cargo: &mut Command) {
    for (setting, value) in [
        ("OPT_LEVEL", "3"),
        ("LTO", "fat"),
        ("CODEGEN_UNITS", "1"),
        ("PANIC", "abort"),
        // Function names stay: a fault tells where it happened.
        ("STRIP", "debuginfo"),
        ("DEBUG", "false"),
        ("DEBUG_ASSERTIONS", "false"),
        ("OVERFLOW_CHECKS", "false"),
        ("INCREMENTAL", "false"),
    ] {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
    }
    // What a cargo around this one (a build script, clippy) has set for itself.
    for variable in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOCFLAGS"] {
        cargo.env_remove(variable);
    }
}

/// The component that cargo reports on this line, if it is of this crate.
fn component_in(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Json = serde_json::from_str(line).ok()?;
    let ours = message["reason"] == "compiler-artifact"
        && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    let files = message["filenames"].as_array().filter(|_| ours)?;
    files
        .iter()
        .filter_map(Json::as_str)
        .map(PathBuf::from)
        .find(|file| file.extension().is_some_and(|end| end == "wasm"))
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn has_target() -> Result<bool, BuildError> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let output = output.map_err(|source| BuildError::Run { program: rustc.to_string_lossy().into_owned(), source })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && folder.is_dir())
}

/// The folder of the workspace that a crate belongs to, or its own.
fn workspace(manifest: &Path) -> Result<PathBuf, BuildError> {
    let cargo = cargo();
    let output = Command::new(&cargo)
        .args(["locate-project", "--workspace", "--message-format", "plain", "--manifest-path"])
        .arg(manifest)
        .output()
        .map_err(|source| BuildError::Run { program: cargo.to_string_lossy().into_owned(), source })?;
    let root = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(root.parent().filter(|_| output.status.success()).or(manifest.parent()).unwrap_or(Path::new(".")).to_owned())
}

/// For build scripts: builds the crate in `folder` and puts the component into `OUT_DIR` under this name, rebuilding
/// when one of the `sources` changes.
///
/// It builds in a folder `guests` beside the outer build's own, which waits for the outer build's lock otherwise.
///
/// # Errors
/// As [`Build::run`]; what the build script's environment does not tell is reported as missing.
pub fn embed(folder: &Path, name: &str, sources: &[&Path]) -> Result<(), Box<dyn std::error::Error>> {
    for source in sources {
        #[allow(clippy::print_stdout, reason = "that is how a build script speaks to cargo")]
        {
            println!("cargo::rerun-if-changed={}", source.display());
        }
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = out.ancestors().filter(|folder| folder.join("CACHEDIR.TAG").is_file()).last().unwrap_or(&out);
    let build = Build { folder: folder.to_owned(), target_dir: Some(target.join("guests")), locked: true };
    std::fs::copy(build.run()?, out.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Build, BuildError, component_in};
    use std::path::{Path, PathBuf};

    #[test]
    fn a_folder_without_a_crate_is_named() {
        let folder = PathBuf::from("/nowhere/at/all");
        let error = Build { folder: folder.clone(), target_dir: None, locked: false }.run().unwrap_err();
        assert!(matches!(&error, BuildError::NoCrate(named) if *named == folder), "{error}");
    }

    #[test]
    fn only_the_component_of_the_crate_itself_counts() {
        let line =
            r#"{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","filenames":["/t/x.rlib","/t/x.wasm"]}"#;
        assert_eq!(component_in(line, Path::new("/a/Cargo.toml")), Some(PathBuf::from("/t/x.wasm")));
        assert_eq!(component_in(line, Path::new("/b/Cargo.toml")), None);
        assert_eq!(component_in("no JSON", Path::new("/a/Cargo.toml")), None);
    }
}
