//! Compiles the test guests that are written in Rust.

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let shared = ["guest-sdk", "wit", "Cargo.lock"].map(|part| root.join(part));
    for name in ["by-hand", "curious"] {
        let folder = root.join("tests/guests").join(name);
        let sources = [&folder, &shared[0], &shared[1], &shared[2]].map(PathBuf::as_path);
        tiltyard_guest_build::embed(&folder, &format!("{name}.wasm"), &sources)?;
    }
    let parity = root.join("tests/parity/strategies");
    for name in ["s1", "s2t", "s3", "s4t", "s5t"] {
        let (folder, common) = (parity.join(name), parity.join("common"));
        let sources = [&folder, &common, &shared[0], &shared[1], &shared[2]].map(PathBuf::as_path);
        tiltyard_guest_build::embed(&folder, &format!("parity-{name}.wasm"), &sources)?;
    }
    Ok(())
}
