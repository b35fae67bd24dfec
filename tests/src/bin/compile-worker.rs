//! The compiling child of the test sandboxes: a test binary is not `tiltyard`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    tiltyard_sandbox::compile_worker(&args)
}
