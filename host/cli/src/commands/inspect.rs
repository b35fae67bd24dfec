use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use tiltyard_model::{Parameter, ParameterKind};
use tiltyard_sandbox::{Admission, AdmissionLimits, admit};

use super::read_component;
use crate::print;

/// Say what a component is and asks for, or why it would be refused. Runs none of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard inspect my-strategy.wasm\n  tiltyard inspect my-strategy.wasm --json")]
pub(crate) struct Args {
    /// The `.wasm` file.
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let bytes = read_component(&args.file)?;
    let admitted = admit(&bytes, &AdmissionLimits::default());
    if !args.json {
        print::out(&summary(&args.file, &admitted?));
        return Ok(ExitCode::SUCCESS);
    }
    let (document, code) = match &admitted {
        Ok(admission) => (json!({"admitted": true, "component": admission}), ExitCode::SUCCESS),
        Err(refusal) => {
            let document = json!({"admitted": false, "refusal": refusal.code(), "message": refusal.to_string()});
            (document, ExitCode::FAILURE)
        }
    };
    print::out(&serde_json::to_string_pretty(&document)?);
    Ok(code)
}

/// What there is to know about a component, for people.
pub(crate) fn summary(path: &Path, admission: &Admission) -> String {
    let manifest = &admission.manifest;
    let asks = match &admission.asks_for()[..] {
        [] => "nothing".to_owned(),
        asks => asks.join(", "),
    };
    let stop =
        manifest.host_stop.map_or("none".to_owned(), |stop| format!("{} × ATR({})", stop.atr_multiple, stop.atr_bars));
    let kind = if admission.is_signal() { "signal strategy" } else { "strategy" };
    let mut lines =
        vec![format!("{} {} ({kind}): {}", manifest.name, manifest.version, manifest.description), String::new()];
    for (what, value) in [
        ("file", path.display().to_string()),
        ("digest", admission.digest.to_string()),
        ("size", format!("{} bytes, {} functions", admission.size, admission.functions)),
        ("contract", admission.contract.clone()),
        ("asks for", format!("{asks}; no files, no network, no time of day")),
        ("trades", format!("{}, bars of {}, {}", manifest.instruments, manifest.interval, manifest.schedule)),
        ("warm-up", format!("{} bars", manifest.warm_up_bars)),
        ("host stop", stop),
        ("hypothesis", manifest.hypothesis.clone()),
        ("falsified by", manifest.falsified_by.clone()),
    ] {
        lines.push(format!("  {what:<13} {value}"));
    }
    if manifest.parameters.is_empty() {
        lines.push("  parameters    none".to_owned());
    } else {
        let heads = ["parameter", "default", "least", "most", "step", "role", "help"].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(heads).chain(manifest.parameters.iter().map(parameter_row)).collect();
        lines.push(String::new());
        lines.extend(print::table(&rows).lines().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

fn parameter_row(parameter: &Parameter) -> Vec<String> {
    let [least, most, step] = match &parameter.kind {
        ParameterKind::Integer { min, max, step, .. } => [min, max, step].map(ToString::to_string),
        ParameterKind::Real { min, max, step, .. } => [min, max, step].map(ToString::to_string),
        ParameterKind::Flag { .. } | ParameterKind::Text { .. } => Default::default(),
    };
    let role = format!("{:?}", parameter.role).to_lowercase();
    vec![parameter.name.clone(), parameter.default_value().to_string(), least, most, step, role, parameter.help.clone()]
}
