//! Encodes the WIT package of the contract as one binary, against which admission checks every import and export.

use std::path::PathBuf;

fn main() {
    let wit = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../../wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(&wit).unwrap_or_else(|error| panic!("the contract in wit/: {error:#}"));
    let encoded = wit_component::encode(&resolve, package).unwrap_or_else(|error| panic!("{error:#}"));
    let contract = PathBuf::from(env("OUT_DIR")).join("contract.wasm");
    std::fs::write(&contract, encoded).unwrap_or_else(|error| panic!("{}: {error}", contract.display()));
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}
