use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::print;
use crate::workspace::{FILE, FOLDERS, RISK, Workspace};

/// Make a workspace: a folder for market data and strategies, with its settings and its limits of risk.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard init\n  tiltyard init my-workspace")]
pub(crate) struct Args {
    /// The folder; it may exist.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Say what would be made, and make nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let file = args.folder.join(FILE);
    ensure!(!Workspace::is_at(&args.folder), "{} is there already; edit it, or give another folder", file.display());
    if !args.dry_run {
        Workspace::make(&args.folder)?;
    }
    if args.json {
        let document = json!({
            "workspace": args.folder, "file": file, "risk": args.folder.join(RISK), "folders": FOLDERS,
            "dry_run": args.dry_run,
        });
        print::out(&serde_json::to_string_pretty(&document)?);
    } else {
        let is = if args.dry_run { "would become" } else { "is" };
        print::out(&format!(
            "{} {is} a workspace, with {FILE}, {RISK}, {}/. Begin with\n\n  tiltyard data import FILE --symbol BTCUSDT\n  \
             tiltyard data synth",
            args.folder.display(),
            FOLDERS.join("/, "),
        ));
    }
    Ok(ExitCode::SUCCESS)
}
