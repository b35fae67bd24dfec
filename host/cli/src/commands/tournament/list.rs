use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_market::format_time;

use crate::print;
use crate::workspace::Workspace;

/// List the workspace's tournaments, the first one first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard tournament list")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, workspace: &Workspace, json: bool) -> Result<ExitCode> {
    let store = workspace.store()?;
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for tournament in store.tournaments()? {
        let id = tournament.id();
        let (all, pending) = (store.entries(id)?.len(), store.pending(id)?.len());
        let result = tournament.finished.map(|finish| finish.result);
        documents.push(json!({
            "tournament": id, "name": tournament.name, "began": format_time(tournament.began), "runs": all,
            "pending": pending, "finished": tournament.finished.map(|finish| format_time(finish.at)), "digest": result,
        }));
        let state = if tournament.finished.is_some() { "finished".to_owned() } else { format!("{pending} to run") };
        let result = result.map_or("–".to_owned(), |result| result.short());
        rows.push(vec![
            id.short(),
            tournament.name.clone(),
            format_time(tournament.began),
            all.to_string(),
            state,
            result,
        ]);
    }
    if json {
        print::out(&serde_json::to_string_pretty(&json!({"tournaments": documents}))?);
    } else if rows.is_empty() {
        print::out("no tournament was run in this workspace; `tiltyard tournament run --help` says how");
    } else {
        let heads = ["tournament", "name", "began", "runs", "state", "result"].map(str::to_owned).to_vec();
        rows.insert(0, heads);
        print::out(&print::table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}
