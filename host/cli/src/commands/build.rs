use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;
use tiltyard_guest_build::Build;
use tiltyard_sandbox::{AdmissionLimits, admit};

use super::{inspect, read_component};
use crate::print;

/// Compile a strategy crate to a component, and say what came of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard build strategies/ma-cross --out ma-cross.wasm")]
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
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let built = Build { folder: args.folder.clone(), target_dir: args.target_dir.clone(), locked: false }.run()?;
    let bytes = read_component(&built)?;
    let admission = admit(&bytes, &AdmissionLimits::default()).context("built, but refused")?;
    let path = match &args.out {
        Some(out) => {
            fs::write(out, &bytes).with_context(|| format!("writing {}", out.display()))?;
            out
        }
        None => &built,
    };
    if args.json {
        print::out(&serde_json::to_string_pretty(&json!({"path": path, "component": admission}))?);
    } else {
        print::out(&inspect::summary(path, &admission));
    }
    Ok(ExitCode::SUCCESS)
}
