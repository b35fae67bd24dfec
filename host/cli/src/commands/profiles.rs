use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_engine::Profile;
use tiltyard_engine::venue::Costs;

use crate::print;

/// List the profiles: the named sets of rules by which orders fill.
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
        print::out(&serde_json::to_string_pretty(&json!({"profiles": rows.collect::<Vec<_>>()}))?);
    } else {
        let rows = all.iter().map(|rules| format!("{} {}\n  {}", rules.name(), rules.version(), rules.description()));
        print::out(&rows.collect::<Vec<_>>().join("\n\n"));
    }
    Ok(ExitCode::SUCCESS)
}
