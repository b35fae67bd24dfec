//! Whether a component's imports and exports are the contract's, name by name and type by type.

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentInstanceTypeId, ComponentType, SubtypeCx,
};
use wasmparser::types::Types;
use wasmparser::{Validator, WasmFeatures};

use super::Refusal;
use crate::text::shown;
use crate::{CONTRACT_VERSION, wasi};

/// The WIT package in `wit/` as one binary, written by `build.rs`.
const CONTRACT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.wasm"));
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
    pub(super) fn new(validator: &mut Validator) -> Self {
        let types = validator.validate_all(CONTRACT).expect("build.rs wrote a valid package");
        validator.reset();
        Self { types }
    }

    /// The features that the package itself needs to be read.
    pub(super) const FEATURES: WasmFeatures = WasmFeatures::COMPONENT_MODEL;

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
            let Some(given) = self.world().imports.get(name) else {
                let _ = interface;
                return Err(forbidden(name, "the contract has no such interface; see its WIT for what there is"));
            };
            let mut comparison = SubtypeCx::new_with_refs(self.types.as_ref(), types.as_ref());
            return comparison.component_entity_type(&given.ty, ty, 0).map_err(|error| signature(name, &error));
        }
        check_wasi(types, name, asked)
    }

    /// Checks an export; one that is not of the contract is nobody's business.
    pub(super) fn check_export(&self, types: &Types, name: &str, ty: &ComponentEntityType) -> Result<(), Refusal> {
        let Some((_, version)) = interface(name) else { return Ok(()) };
        check_version(name, version)?;
        let Some(wanted) = self.world().exports.get(name) else {
            return Err(Refusal::UnknownExport { item: shown(name, 200) });
        };
        let mut comparison = SubtypeCx::new_with_refs(types.as_ref(), self.types.as_ref());
        comparison.component_entity_type(ty, &wanted.ty, 0).map_err(|error| signature(name, &error))
    }
}

fn check_version(item: &str, version: &str) -> Result<(), Refusal> {
    if version == CONTRACT_VERSION {
        return Ok(());
    }
    Err(Refusal::ContractVersion { item: shown(item, 200), found: shown(version, 40) })
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

fn signature(item: &str, error: &wasmparser::BinaryReaderError) -> Refusal {
    Refusal::Signature { item: item.to_owned(), detail: shown(&error.message().replace('\n', ": "), 300) }
}
