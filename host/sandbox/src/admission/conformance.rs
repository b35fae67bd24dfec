//! Whether a component's imports and exports are the contract's, name by name and type by type.

use tiltyard_model::shown;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentInstanceTypeId, ComponentType, SubtypeCx,
};
use wasmparser::types::Types;
use wasmparser::{BinaryReaderError, Validator};

use super::Refusal;
use crate::{CONTRACT_VERSION, wasi};

/// The WIT package in `wit/` as one binary, written by `build.rs`.
pub(super) const CONTRACT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.wasm"));
/// The world that holds all a strategy may import and export.
const WORLD: &str = "everything";

/// Takes `tiltyard:strategy/NAME@VERSION` apart.
pub(super) fn interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("tiltyard:strategy/")?.split_once('@')
}

/// The contract's types, from the validator that will also see the component: only types of one validator compare.
pub(super) struct Contract {
    types: Types,
}

impl Contract {
    /// Reads a WIT package encoded as a binary.
    pub(super) fn new(validator: &mut Validator, package: &[u8]) -> Self {
        let types = validator.validate_all(package).expect("build.rs wrote a valid package");
        validator.reset();
        Self { types }
    }

    fn world(&self) -> &ComponentType {
        let types = self.types.as_ref();
        let Some(ComponentEntityType::Type { referenced: ComponentAnyTypeId::Component(package), .. }) =
            types.component_item_for_export(WORLD).map(|item| item.ty)
        else {
            panic!("the contract has the world `{WORLD}`");
        };
        let id = format!("tiltyard:strategy/{WORLD}@{CONTRACT_VERSION}");
        let Some(ComponentEntityType::Component(world)) = self.types[package].exports.get(&id).map(|item| item.ty)
        else {
            panic!("a world is encoded as a component type");
        };
        &self.types[world]
    }

    /// Checks an import.
    pub(super) fn check_import(&self, types: &Types, name: &str, ty: &ComponentEntityType) -> Result<(), Refusal> {
        let ComponentEntityType::Instance(asked) = *ty else {
            return Err(forbidden(name, "a strategy imports interfaces, not single functions, types or components"));
        };
        if let Some((interface, version)) = interface(name) {
            check_version(name, version)?;
            let Some(given) = self.world().imports.get(&ours(interface)) else {
                return Err(forbidden(name, "the contract has no such interface; see its WIT for what there is"));
            };
            let mut comparison = SubtypeCx::new_with_refs(self.types.as_ref(), types.as_ref());
            return comparison.component_entity_type(&given.ty, ty, 0).map_err(|error| import_mismatch(name, &error));
        }
        check_wasi(types, name, asked)
    }

    /// Checks an export; one that is not of the contract is nobody's business.
    pub(super) fn check_export(&self, types: &Types, name: &str, ty: &ComponentEntityType) -> Result<(), Refusal> {
        let Some((interface, version)) = interface(name) else { return Ok(()) };
        check_version(name, version)?;
        let Some(wanted) = self.world().exports.get(&ours(interface)) else {
            return Err(Refusal::UnknownExport { item: shown(name, 200) });
        };
        let mut comparison = SubtypeCx::new_with_refs(types.as_ref(), self.types.as_ref());
        comparison.component_entity_type(ty, &wanted.ty, 0).map_err(|error| signature(name, &error))
    }
}

/// The name under which this host has an interface.
fn ours(interface: &str) -> String {
    format!("tiltyard:strategy/{interface}@{CONTRACT_VERSION}")
}

/// A component may be older than the host, within the same 0.x: what there was is still there.
fn check_version(item: &str, version: &str) -> Result<(), Refusal> {
    let parts = |version: &str| -> Option<[u32; 3]> {
        let parts: Vec<u32> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    match (parts(version), parts(CONTRACT_VERSION)) {
        (Some([major, minor, patch]), Some(host)) if [major, minor] == host[..2] && patch <= host[2] => Ok(()),
        _ => Err(Refusal::ContractVersion { item: shown(item, 200), found: shown(version, 40) }),
    }
}

/// An import that the host cannot satisfy: it lacks a function, or has it in another shape.
fn import_mismatch(item: &str, error: &BinaryReaderError) -> Refusal {
    match signature(item, error) {
        Refusal::Signature { item, detail } if detail.contains("missing expected export") => {
            Refusal::NewerContract { item, detail }
        }
        refusal => refusal,
    }
}

/// Checks an import of the system interface: only what is provided, function by function. Their types are checked when
/// the compiled component is linked, before anything runs.
fn check_wasi(types: &Types, name: &str, asked: ComponentInstanceTypeId) -> Result<(), Refusal> {
    let Some(provided) = wasi::functions(name) else {
        return Err(forbidden(name, wasi::why_not(name)));
    };
    for (function, item) in &types[asked].exports {
        let is_function = matches!(item.ty, ComponentEntityType::Func(_));
        if is_function && !provided.contains(&function.as_str()) {
            return Err(forbidden(&format!("{name}#{function}"), wasi::why_not(name)));
        }
    }
    Ok(())
}

fn forbidden(import: &str, why: &'static str) -> Refusal {
    Refusal::ForbiddenImport { import: shown(import, 200), why }
}

fn signature(item: &str, error: &BinaryReaderError) -> Refusal {
    Refusal::Signature { item: item.to_owned(), detail: shown(&error.message().replace('\n', ": "), 300) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::scan::scan;
    use super::super::{AdmissionLimits, Refusal};
    use super::CONTRACT;

    const OLD: &[u8] = include_bytes!("../../../../tests/contract/0.1.0/breakout.wasm");

    fn encoded(folder: &str) -> Vec<u8> {
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        wit_component::encode(&resolve, package).unwrap()
    }

    #[test]
    fn a_host_whose_contract_has_grown_admits_an_old_component() {
        let grown = encoded("../../tests/contract/grown");
        for contract in [CONTRACT, &grown] {
            scan(OLD, &AdmissionLimits::default(), contract).unwrap();
        }
    }

    #[test]
    fn a_component_that_needs_a_newer_host_is_told_so() {
        // To a host that has no `orders.target`, the old component is the newer one.
        let whole =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/orders.wit")).unwrap();
        let older = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap() {
            let file = file.unwrap().path();
            std::fs::copy(&file, older.path().join(file.file_name().unwrap())).unwrap();
        }
        let without =
            whole.lines().filter(|line| !line.trim_start().starts_with("target:")).collect::<Vec<_>>().join("\n");
        std::fs::write(older.path().join("orders.wit"), without).unwrap();
        let older = encoded(older.path().to_str().unwrap());
        let refusal = scan(OLD, &AdmissionLimits::default(), &older).map(|_| ()).unwrap_err();
        assert!(matches!(&refusal, Refusal::NewerContract { detail, .. } if detail.contains("`target`")), "{refusal}");
    }
}
