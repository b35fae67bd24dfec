use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use serde_json::json;
use tiltyard_guest_build::Build;
use tiltyard_sandbox::{AdmissionLimits, admit};

use super::{inspect, read_component};
use crate::print;
use crate::whole::{self, Existing};

/// Compile a strategy crate to a component, and say what came of it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard build strategies/ma-cross --out ma-cross.wasm\n  tiltyard build . --out my.wasm --watch"
)]
pub(crate) struct Args {
    /// The folder of the crate.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Copy the component here; otherwise it stays where cargo put it.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where cargo builds; by default where it always does.
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Go on, and compile again whenever the crate's Cargo.toml or something in its `src` changes.
    #[arg(long)]
    watch: bool,
    /// Print one JSON object; with --watch one each time.
    #[arg(long)]
    json: bool,
}

/// How often --watch looks at the files.
const LOOK: Duration = Duration::from_millis(300);

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if !args.watch {
        build(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut built = None;
    loop {
        let now = state(&args.folder)?;
        if built.as_ref() != Some(&now) {
            // A mistake in the code is no reason to stop watching it.
            if let Err(error) = build(args) {
                print::error(&format!("{error:#}"));
            }
            built = Some(now);
        }
        thread::sleep(LOOK);
    }
}

fn build(args: &Args) -> Result<()> {
    let built = Build { folder: args.folder.clone(), target_dir: args.target_dir.clone(), locked: false }.run()?;
    let bytes = read_component(&built)?;
    let admission = admit(&bytes, &AdmissionLimits::default()).context("built, but refused")?;
    let path = match &args.out {
        Some(out) => {
            whole::write(out, Existing::Replaced, |file| file.write_all(&bytes))?;
            out
        }
        None => &built,
    };
    if args.json {
        print::out(&serde_json::to_string_pretty(&json!({"path": path, "component": admission}))?);
    } else {
        print::out(&inspect::summary(path, &admission));
    }
    Ok(())
}

/// The files that a build depends on, as far as it is the crate's own: what has changed when this has.
fn state(folder: &Path) -> Result<Vec<(PathBuf, Option<SystemTime>, u64)>> {
    let manifest = folder.join("Cargo.toml");
    anyhow::ensure!(manifest.is_file(), "{} has no Cargo.toml; give the folder of a strategy crate", folder.display());
    let mut files = vec![manifest];
    let mut folders = vec![folder.join("src")];
    while let Some(folder) = folders.pop() {
        // What cannot be read now may be there next time.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort_unstable();
    Ok(files
        .into_iter()
        .map(|path| {
            let about = fs::metadata(&path).ok();
            let changed = about.as_ref().and_then(|about| about.modified().ok());
            (path, changed, about.map_or(0, |about| about.len()))
        })
        .collect())
}
