//! The `tiltyard` program: each verb one file in `commands`.

mod clock;
mod commands;
mod order;
mod print;
mod profile;
mod run;
mod standing;
mod whole;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs trading strategies that nobody has to trust.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  tiltyard demo\n  tiltyard new my-strategy\n  tiltyard build my-strategy --out my-strategy.wasm\n  tiltyard inspect my-strategy.wasm\n  \
                  tiltyard backtest my-strategy.wasm --symbol BTCUSDT --interval 1h --data btc.csv.gz\n  tiltyard backtest ma-cross --symbol BTCUSDT --interval 1h --report run.html"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Args),
    Tournament(commands::tournament::Args),
    #[command(name = "try")]
    Tryout(commands::tryout::Args),
    Init(commands::init::Args),
    Data(commands::data::Args),
    Config(commands::config::Args),
    New(commands::new::Args),
    Build(commands::build::Args),
    Inspect(commands::inspect::Args),
    Backtest(commands::backtest::Args),
    Replay(commands::replay::Args),
    #[command(subcommand)]
    Probe(commands::probe::Args),
    Profiles(commands::profiles::Args),
    #[command(subcommand)]
    Risk(commands::risk::Args),
    Halt(commands::halt::Args),
    Pause(commands::pause::Args),
    Resume(commands::resume::Args),
    Flatten(commands::flatten::Args),
    Kill(commands::kill::Args),
    Schema(commands::schema::Args),
    /// The compiling child process.
    #[command(name = commands::COMPILE_VERB, hide = true)]
    Compile {
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Tournament(args) => commands::tournament::run(&args),
        Command::Tryout(args) => commands::tryout::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Data(args) => commands::data::run(&args),
        Command::Config(args) => commands::config::run(&args),
        Command::New(args) => commands::new::run(&args),
        Command::Build(args) => commands::build::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Backtest(args) => commands::backtest::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Probe(args) => commands::probe::run(&args),
        Command::Profiles(args) => commands::profiles::run(&args),
        Command::Risk(args) => commands::risk::run(&args),
        Command::Halt(args) => commands::halt::run(&args),
        Command::Pause(args) => commands::pause::run(&args),
        Command::Resume(args) => commands::resume::run(&args),
        Command::Flatten(args) => commands::flatten::run(&args),
        Command::Kill(args) => commands::kill::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Compile { args } => return tiltyard_sandbox::compile_worker(&args),
    };
    result.unwrap_or_else(|error| {
        print::error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::{Args, commands::schema::SCHEMAS};
    use clap::CommandFactory as _;

    #[test]
    fn every_verb_that_prints_json_has_a_schema() {
        let program = Args::command();
        for verb in program.get_subcommands() {
            let prints_json = |command: &clap::Command| command.get_arguments().any(|arg| arg.get_id() == "json");
            if prints_json(verb) || verb.get_subcommands().any(prints_json) {
                assert!(SCHEMAS.iter().any(|(name, _)| *name == verb.get_name()), "{}", verb.get_name());
            }
        }
    }
}
