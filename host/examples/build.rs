//! Compiles the example strategies to components.

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..");
    let sdk = ["guest-sdk", "wit", "Cargo.lock"].map(|part| root.join(part));
    for name in
        ["buy-and-hold", "donchian", "ma-cross", "market-maker", "momentum", "rsi-reversion", "rules", "tp-trail"]
    {
        let folder = root.join("strategies").join(name);
        let sources = [&folder, &sdk[0], &sdk[1], &sdk[2]].map(PathBuf::as_path);
        tiltyard_guest_build::embed(&folder, &format!("{name}.wasm"), &sources)?;
    }
    Ok(())
}
