//! One pass over the bytes: validation, imports, exports and the manifest.

use tiltyard_model::{MANIFEST_SECTION, Manifest, shown};
use wasmparser::types::Types;
use wasmparser::{BinaryReaderError, FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

use super::Refusal;
use super::conformance::{Contract, interface};
use super::count::{AdmissionLimits, Count, above};
use crate::engine::FEATURES;

/// What the pass found.
pub(super) struct Scan<'a> {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    pub(super) manifests: Vec<&'a [u8]>,
    pub(super) functions: u32,
    pub(super) contract: String,
}

/// Reads all of a component, and compares it with a contract (a WIT package encoded as a binary).
pub(super) fn scan<'a>(bytes: &'a [u8], limits: &AdmissionLimits, contract: &[u8]) -> Result<Scan<'a>, Refusal> {
    if bytes.len() > limits.bytes {
        return Err(Refusal::TooLarge { size: bytes.len(), limit: limits.bytes });
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(Refusal::NotWasm);
    }
    if Parser::is_core_wasm(bytes) {
        return Err(Refusal::CoreModule);
    }
    let mut validator = Validator::new_with_features(FEATURES);
    let contract = Contract::new(&mut validator, contract);
    let mut scan =
        Scan { imports: Vec::new(), exports: Vec::new(), manifests: Vec::new(), functions: 0, contract: String::new() };
    let mut count = Count::new(limits);
    let mut allocations = FuncValidatorAllocations::default();
    let mut whole = None;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| unreadable(&error))?;
        count.take(&payload, bytes)?;
        match validator.payload(&payload).map_err(|error| invalid(&error))? {
            ValidPayload::Func(function, body) => {
                allocations = count.function(function, &body, allocations)?;
            }
            ValidPayload::End(types) => whole = Some(types),
            _ => {}
        }
        match payload {
            Payload::ComponentImportSection(section) if count.depth() == 1 => {
                for import in section {
                    scan.imports.push(import.map_err(|error| invalid(&error))?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if count.depth() == 1 => {
                for export in section {
                    scan.exports.push(export.map_err(|error| invalid(&error))?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                if section.data().len() > Manifest::MAX_BYTES {
                    let what = "bytes of manifest";
                    return Err(above(what, section.data().len() as u64, Manifest::MAX_BYTES as u64));
                }
                scan.manifests.push(section.data());
            }
            _ => {}
        }
    }
    scan.functions = count.functions;
    let types = whole.ok_or(Refusal::Truncated { offset: bytes.len() })?;
    scan.check(&contract, &types)?;
    Ok(scan)
}

impl Scan<'_> {
    /// Whether imports and exports are the contract's, and enough of them to be a strategy.
    fn check(&mut self, contract: &Contract, types: &Types) -> Result<(), Refusal> {
        let view = types.as_ref();
        for name in &self.imports {
            let item = view.component_item_for_import(name).ok_or_else(|| unknown(name))?;
            contract.check_import(types, name, &item.ty)?;
        }
        for name in &self.exports {
            let item = view.component_item_for_export(name).ok_or_else(|| unknown(name))?;
            contract.check_export(types, name, &item.ty)?;
        }
        let exported =
            |wanted| self.exports.iter().filter_map(|name| interface(name)).find(|(name, _)| *name == wanted);
        let Some((_, version)) = exported("lifecycle") else { return Err(Refusal::NotAStrategy) };
        let acts = ["bar-events", "quote-events", "trade-events"].into_iter().find(|name| exported(name).is_some());
        match (acts, exported("signals").is_some()) {
            (None, false) => return Err(Refusal::NoEvents),
            (Some(events), true) => return Err(Refusal::BothEvents { events }),
            (Some(_), false) => {}
            (None, true) => {
                let beyond = |name: &str| !matches!(name, "journal" | "types");
                let import = self.imports.iter().find(|import| interface(import).is_some_and(|(name, _)| beyond(name)));
                if let Some(import) = import {
                    return Err(Refusal::SignalImport { import: import.clone() });
                }
            }
        }
        self.contract = version.to_owned();
        Ok(())
    }
}

/// A name that the validator did not keep: nothing is known of it, so nothing is believed.
fn unknown(name: &str) -> Refusal {
    Refusal::Invalid { offset: 0, message: format!("`{}` has no type", shown(name, 200)) }
}

/// The file itself cannot be read on.
fn unreadable(error: &BinaryReaderError) -> Refusal {
    match invalid(error) {
        Refusal::Invalid { offset, message } if message.contains("unexpected end") => Refusal::Truncated { offset },
        refusal => refusal,
    }
}

pub(super) fn invalid(error: &BinaryReaderError) -> Refusal {
    Refusal::Invalid { offset: error.offset(), message: shown(&error.message().replace('\n', ": "), 300) }
}
