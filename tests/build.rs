//! Compiles the test guest that is written in Rust.

use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("tests/guests/curious");
    let sources = ["guest-sdk", "wit", "Cargo.lock"].map(|part| root.join(part));
    let sources = [&folder, &sources[0], &sources[1], &sources[2]].map(PathBuf::as_path);
    tiltyard_guest_build::embed(&folder, "curious.wasm", &sources)
}
