//! Makes a component of a core module, for guests in languages whose compilers stop at modules:
//! `componentize CORE.wasm WORLD MANIFEST.json OUT.wasm`, where WORLD is one of the contract's or `bare`.

use std::error::Error;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [core, world, manifest, out] = &args[..] else {
        return Err("usage: componentize CORE.wasm WORLD MANIFEST.json OUT.wasm".into());
    };
    fs::write(out, tiltyard_tests::componentize(&fs::read(core)?, world, fs::read_to_string(manifest)?.trim())?)?;
    Ok(())
}
