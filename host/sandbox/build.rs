//! Encodes the WIT package of the contract as one binary, against which admission checks every import and export, and
//! reads from the lock file which wasmtime this is, because fuel figures depend on it.

use std::path::PathBuf;

fn main() {
    let wit = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../../wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(&wit).unwrap_or_else(|error| panic!("the contract in wit/: {error:#}"));
    let encoded = wit_component::encode(&resolve, package).unwrap_or_else(|error| panic!("{error:#}"));
    let contract = PathBuf::from(env("OUT_DIR")).join("contract.wasm");
    std::fs::write(&contract, encoded).unwrap_or_else(|error| panic!("{}: {error}", contract.display()));

    let lock = wit.join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let text = std::fs::read_to_string(&lock).unwrap_or_else(|error| panic!("{}: {error}", lock.display()));
    let version = locked_version(&text, "wasmtime").unwrap_or_else(|| panic!("{} has no wasmtime", lock.display()));
    println!("cargo::rustc-env=WASMTIME_VERSION={version}");
}

/// The version of a package in the lock file.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let (_, entry) = lock.split_once(&format!("[[package]]\nname = \"{package}\"\nversion = \""))?;
    Some(entry.split_once('"')?.0.to_owned())
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}
