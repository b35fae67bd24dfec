//! The `tiltyard` program: each verb one file in `commands`.

mod commands;
mod print;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs trading strategies that nobody has to trust.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  tiltyard demo\n  tiltyard build strategies/ma-cross\n  tiltyard inspect my-strategy.wasm"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Args),
    Build(commands::build::Args),
    Inspect(commands::inspect::Args),
    /// The compiling child process.
    #[command(name = commands::COMPILE_VERB, hide = true)]
    Compile {
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Build(args) => commands::build::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Compile { args } => return tiltyard_sandbox::compile_worker(&args),
    };
    result.unwrap_or_else(|error| {
        print::error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
