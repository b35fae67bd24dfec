use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tiltyard_model::MANIFEST_SCHEMA;

use crate::print;

/// Print the JSON Schema (draft 2020-12) of a strategy's manifest, or of what a verb prints with --json; without a name,
/// list them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard schema\n  tiltyard schema backtest > backtest.schema.json")]
pub(crate) struct Args {
    /// Which schema.
    #[arg(value_parser = PossibleValuesParser::new(SCHEMAS.map(|(name, _)| name)))]
    name: Option<String>,
    /// Print one JSON object; a schema always is one.
    #[arg(long)]
    json: bool,
}

/// Every schema by its name, in alphabetical order.
pub(crate) const SCHEMAS: [(&str, &str); 22] = [
    ("backtest", include_str!("../../schemas/backtest.schema.json")),
    ("build", include_str!("../../schemas/build.schema.json")),
    ("config", include_str!("../../schemas/config.schema.json")),
    ("data", include_str!("../../schemas/data.schema.json")),
    ("demo", include_str!("../../schemas/tournament.schema.json")),
    ("flatten", include_str!("../../schemas/order.schema.json")),
    ("halt", include_str!("../../schemas/order.schema.json")),
    ("init", include_str!("../../schemas/init.schema.json")),
    ("inspect", include_str!("../../schemas/inspect.schema.json")),
    ("kill", include_str!("../../schemas/order.schema.json")),
    ("manifest", MANIFEST_SCHEMA),
    ("new", include_str!("../../schemas/new.schema.json")),
    ("pause", include_str!("../../schemas/order.schema.json")),
    ("probe", include_str!("../../schemas/probe.schema.json")),
    ("profiles", include_str!("../../schemas/profiles.schema.json")),
    ("replay", include_str!("../../schemas/replay.schema.json")),
    ("replay-debug", include_str!("../../schemas/replay-debug.schema.json")),
    ("resume", include_str!("../../schemas/order.schema.json")),
    ("risk", include_str!("../../schemas/risk.schema.json")),
    ("schema", include_str!("../../schemas/schema.schema.json")),
    ("tournament", include_str!("../../schemas/tournament.schema.json")),
    ("try", include_str!("../../schemas/try.schema.json")),
];

/// What a list tells of a schema.
#[derive(Serialize, Deserialize)]
struct Heading {
    #[serde(default)]
    name: String,
    title: String,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if let Some(name) = &args.name {
        let (_, text) = SCHEMAS.iter().find(|(known, _)| known == name).context("a schema that is not known")?;
        print::out(text.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let headings = SCHEMAS
        .iter()
        .map(|(name, text)| {
            let heading: Heading = serde_json::from_str(text)?;
            Ok(Heading { name: (*name).to_owned(), ..heading })
        })
        .collect::<Result<Vec<_>>>()?;
    if args.json {
        print::out(&serde_json::to_string_pretty(&json!({"schemas": headings}))?);
    } else {
        let rows: Vec<_> = headings.into_iter().map(|heading| vec![heading.name, heading.title]).collect();
        print::out(&print::table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;
    use tiltyard_model::ManifestError;
    use tiltyard_sandbox::{FaultKind, Refusal, Scope};

    use super::SCHEMAS;

    fn definition(schema: &str, name: &str) -> Json {
        let (_, text) = SCHEMAS.iter().find(|(known, _)| *known == schema).unwrap();
        serde_json::from_str::<Json>(text).unwrap()["$defs"][name].clone()
    }

    fn words(list: &Json) -> Vec<&str> {
        list["examples"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
    }

    #[test]
    fn every_fault_is_published() {
        let text = String::new;
        let all = [
            FaultKind::OutOfFuel { scope: Scope::Call, limit: 1 },
            FaultKind::Memory { wanted: 2, limit: 1 },
            FaultKind::Table { wanted: 2, limit: 1 },
            FaultKind::StackOverflow,
            FaultKind::Deadline { ticks: 1 },
            FaultKind::HostCallBytes { limit: 1 },
            FaultKind::Handles { limit: 1 },
            FaultKind::Log { limit: 1, unit: "lines" },
            FaultKind::Requests { scope: Scope::Run, limit: 1 },
            FaultKind::Panic { message: text() },
            FaultKind::Trap { trap: text() },
            FaultKind::Exit { code: 1 },
            FaultKind::Sleep,
            FaultKind::ImportRefused { import: "import" },
            FaultKind::Host { detail: text() },
            FaultKind::Contract { detail: text() },
        ];
        let published = definition("backtest", "fault_kind");
        let names = all.iter().map(|kind| {
            let printed = serde_json::to_value(kind).unwrap();
            for field in printed.as_object().unwrap().keys() {
                assert!(published["properties"][field].is_object(), "{field} of {kind:?}");
            }
            printed["fault"].as_str().unwrap().to_owned()
        });
        assert_eq!(names.collect::<Vec<_>>(), words(&published["properties"]["fault"]));
        // Whoever adds a kind comes by here, and adds it above.
        for kind in all {
            match kind {
                FaultKind::OutOfFuel { .. }
                | FaultKind::Memory { .. }
                | FaultKind::Table { .. }
                | FaultKind::StackOverflow
                | FaultKind::Deadline { .. }
                | FaultKind::HostCallBytes { .. }
                | FaultKind::Handles { .. }
                | FaultKind::Log { .. }
                | FaultKind::Requests { .. }
                | FaultKind::Panic { .. }
                | FaultKind::Trap { .. }
                | FaultKind::Exit { .. }
                | FaultKind::Sleep
                | FaultKind::ImportRefused { .. }
                | FaultKind::Host { .. }
                | FaultKind::Contract { .. } => {}
            }
        }
    }

    #[test]
    fn every_refusal_is_published() {
        let text = String::new;
        let all = [
            Refusal::TooLarge { size: 2, limit: 1 },
            Refusal::NotWasm,
            Refusal::CoreModule,
            Refusal::Truncated { offset: 0 },
            Refusal::Invalid { offset: 0, message: text() },
            Refusal::StaticLimit { what: "functions", count: 2, limit: 1 },
            Refusal::NotAStrategy,
            Refusal::ContractVersion { item: text(), found: text() },
            Refusal::ForbiddenImport { import: text(), why: "" },
            Refusal::Signature { item: text(), detail: text() },
            Refusal::UnknownExport { item: text() },
            Refusal::NewerContract { item: text(), detail: text() },
            Refusal::Composed,
            Refusal::SignalImport { import: text() },
            Refusal::Capability(text()),
            Refusal::NoEvents,
            Refusal::BothEvents { events: "bar-events" },
            Refusal::MarketEvents { name: "quotes", interface: "quote-events", is_declared: true },
            Refusal::NoManifest,
            Refusal::ManyManifests { found: 2 },
            Refusal::Manifest(ManifestError::Json(text())),
            Refusal::ManifestContract { manifest: text(), component: text() },
        ];
        let published = definition("inspect", "refused");
        let codes: Vec<_> = all.iter().map(Refusal::code).collect();
        assert_eq!(codes, words(&published["properties"]["refusal"]));
        // Whoever adds one comes by here, and adds it above.
        for refusal in all {
            match refusal {
                Refusal::TooLarge { .. }
                | Refusal::NotWasm
                | Refusal::CoreModule
                | Refusal::Truncated { .. }
                | Refusal::Invalid { .. }
                | Refusal::StaticLimit { .. }
                | Refusal::NotAStrategy
                | Refusal::ContractVersion { .. }
                | Refusal::ForbiddenImport { .. }
                | Refusal::Signature { .. }
                | Refusal::UnknownExport { .. }
                | Refusal::NewerContract { .. }
                | Refusal::Composed
                | Refusal::SignalImport { .. }
                | Refusal::Capability(_)
                | Refusal::NoEvents
                | Refusal::BothEvents { .. }
                | Refusal::MarketEvents { .. }
                | Refusal::NoManifest
                | Refusal::ManyManifests { .. }
                | Refusal::Manifest(_)
                | Refusal::ManifestContract { .. } => {}
            }
        }
    }
}
