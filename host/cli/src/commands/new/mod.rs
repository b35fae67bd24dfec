use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::print;

/// Make a strategy crate that builds, passes its test and can be changed at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard new momentum\n  tiltyard new ../dips --template strategy")]
pub(crate) struct Args {
    /// The folder to make; its last part is the strategy's name: lower-case letters, digits and -, beginning with a letter.
    folder: PathBuf,
    /// `signal` answers each bar with the fraction of equity to hold, `strategy` sends orders.
    #[arg(long, value_enum, default_value_t = Template::Signal)]
    template: Template,
    /// The folder `guest-sdk` of Tiltyard's sources; by default one that lies above this program or above here.
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Template {
    Signal,
    Strategy,
}

/// Longest name, as in a manifest.
const LONGEST: usize = 64;
/// What Rust keeps for itself, as far as it could be a strategy's name.
const KEYWORDS: [&str; 40] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "core", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "std", "test", "type", "use",
];

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let name = name(&args.folder)?;
    let sdk = match &args.sdk {
        Some(folder) => found(folder)
            .with_context(|| format!("{} is not the folder `guest-sdk` of Tiltyard's sources", folder.display()))?,
        None => sdk_above_us().context(
            "Tiltyard's sources are neither above this program nor above here; give their folder `guest-sdk` with --sdk",
        )?,
    };
    let fill = |template: &str| {
        let sdk = sdk.display().to_string().replace('\\', "/");
        template.replace("{name}", name).replace("{Type}", &type_name(name)).replace("{sdk}", &sdk)
    };
    let code = match args.template {
        Template::Signal => include_str!("templates/signal.rs.txt"),
        Template::Strategy => include_str!("templates/strategy.rs.txt"),
    };
    let what = || format!("making {}", args.folder.display());
    // The folder itself must be new, so that nothing is overwritten.
    ensure!(!args.folder.exists(), "{} is there already; give another name, or remove it", args.folder.display());
    if let Some(parent) = args.folder.parent() {
        fs::create_dir_all(parent).with_context(what)?;
    }
    fs::create_dir(&args.folder).with_context(what)?;
    fs::create_dir(args.folder.join("src")).with_context(what)?;
    for (file, text) in [
        ("Cargo.toml", fill(include_str!("templates/Cargo.toml.txt"))),
        ("src/lib.rs", fill(code)),
        (".gitignore", "/target\n*.wasm\n".to_owned()),
    ] {
        fs::write(args.folder.join(file), text).with_context(what)?;
    }
    let folder = args.folder.display();
    if args.json {
        print::out(&serde_json::to_string_pretty(&json!({"folder": args.folder, "name": name, "sdk": sdk}))?);
    } else {
        print::out(&format!(
            "{folder} is a strategy. Its logic is in {folder}/src/lib.rs.\n\n  \
             cargo test --manifest-path {folder}/Cargo.toml\n  tiltyard build {folder} --out {name}.wasm\n  \
             tiltyard try {name}.wasm"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The name that the folder's last part gives.
fn name(folder: &Path) -> Result<&str> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let letters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    ensure!(
        letters && name.len() <= LONGEST && name.starts_with(|first: char| first.is_ascii_lowercase()),
        "`{name}` is no name for a strategy: it takes 1 to {LONGEST} of a-z, 0-9 and -, beginning with a letter"
    );
    if KEYWORDS.contains(&name) {
        bail!("`{name}` is a word of Rust itself; choose another name");
    }
    Ok(name)
}

/// The name as a type has it: `my-strategy` becomes `MyStrategy`.
fn type_name(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(capital).collect()
}

/// The folder, if it is the one with the SDK.
fn found(folder: &Path) -> Option<PathBuf> {
    let whole = folder.canonicalize().ok()?;
    (whole.join("rust/Cargo.toml").is_file() && whole.join("testing/Cargo.toml").is_file()).then_some(whole)
}

/// The SDK of the sources that this program was built in, or that somebody stands in.
fn sdk_above_us() -> Option<PathBuf> {
    let above = |place: PathBuf| place.ancestors().find_map(|folder| found(&folder.join("guest-sdk")));
    env::current_exe().ok().and_then(above).or_else(|| env::current_dir().ok().and_then(above))
}

#[cfg(test)]
mod tests {
    use super::{name, type_name};
    use std::path::Path;

    #[test]
    fn a_folder_names_its_strategy() {
        assert_eq!(name(Path::new("../my-strategy-2")).unwrap(), "my-strategy-2");
        assert_eq!(type_name("my-strategy-2"), "MyStrategy2");
        for folder in ["", "..", "My", "2nd", "a_b", "-a", "match", "a b", "ä"] {
            assert!(name(Path::new(folder)).is_err(), "{folder}");
        }
    }
}
