use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_engine::Profile;
use tiltyard_engine::venue::Costs;

use crate::{print, profile};

/// List the profiles: the named sets of rules by which orders fill (`--profile`), and of limits that they pass (`--risk`).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard profiles --json")]
pub(crate) struct Args {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let all = Profile::ALL.map(|profile| profile.rules(Costs::default()));
    if args.json {
        let rows = all
            .iter()
            .map(|rules| json!({"name": rules.name(), "version": rules.version(), "description": rules.description()}));
        let risk = profile::built_in().map(|(profile, about)| json!({"name": profile.name, "description": about}));
        print::out(&serde_json::to_string_pretty(&json!({"profiles": rows.collect::<Vec<_>>(), "risk": risk}))?);
    } else {
        let rows = all.iter().map(|rules| format!("{} {}\n  {}", rules.name(), rules.version(), rules.description()));
        let risk = profile::built_in().map(|(profile, about)| format!("risk {}\n  {about}", profile.name));
        print::out(&rows.chain(risk).collect::<Vec<_>>().join("\n\n"));
    }
    Ok(ExitCode::SUCCESS)
}
