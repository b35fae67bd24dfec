use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;
use tiltyard_tournament::Spec;

use crate::print;
use crate::workspace::{FILE, RISK, Workspace};

/// Read configuration without acting on it, and say all that is wrong with it at once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Check(Check),
}

/// Check the workspace's settings, rules of instruments and limits of risk, and files that say what a tournament is to be.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard config check\n  tiltyard config check first.toml")]
struct Check {
    /// Files that say what a tournament is to be.
    files: Vec<PathBuf>,
    /// The workspace; by default the nearest folder upward with a tiltyard.toml.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A file and what is wrong with it.
#[derive(Serialize)]
struct Checked {
    file: String,
    problem: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let Verb::Check(args) = &args.verb;
    let checked =
        |file: String, outcome: Result<()>| Checked { file, problem: outcome.err().map(|error| format!("{error:#}")) };
    let workspace = Workspace::find(args.workspace.as_deref());
    let rules = workspace.as_ref().map(|workspace| workspace.instruments().map(drop));
    let mut all = Vec::new();
    let limits = workspace.as_ref().map(|workspace| workspace.account_profile().map(drop));
    match rules.and_then(|rules| Ok((rules, limits?))) {
        Ok((rules, limits)) => all.extend([
            checked(FILE.to_owned(), Ok(())),
            checked("rules of instruments".to_owned(), rules),
            checked(RISK.to_owned(), limits),
        ]),
        // Files can be checked without a workspace.
        Err(_) if !args.files.is_empty() && args.workspace.is_none() => {}
        Err(_) => all.push(checked(FILE.to_owned(), workspace.map(drop))),
    }
    all.extend(args.files.iter().map(|path| {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| format!("reading {name}"));
        checked(name.clone(), text.and_then(|text| Ok(Spec::parse(&name, &text).map(drop)?)))
    }));
    let is_good = all.iter().all(|checked| checked.problem.is_none());
    if args.json {
        print::out(&serde_json::to_string_pretty(&json!({"good": is_good, "checked": all}))?);
    } else {
        let line = |checked: &Checked| match &checked.problem {
            None => format!("{}: good", checked.file),
            Some(problem) => problem.clone(),
        };
        print::out(&all.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
