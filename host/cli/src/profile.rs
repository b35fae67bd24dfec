//! Risk profiles: the one place where a name on a command line becomes limits.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tiltyard_risk::RiskProfile;

use crate::workspace::Workspace;

/// A profile and where it is from.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) profile: RiskProfile,
    /// The file; `None` for one that is built in.
    pub(crate) file: Option<PathBuf>,
}

/// The profiles that are built in, with what they are for.
pub(crate) fn built_in() -> [(RiskProfile, &'static str); 2] {
    [
        (
            RiskProfile::research(),
            "Only the rules that are always on, so that strategies are compared on their own sizing.",
        ),
        (
            RiskProfile::account(),
            "Every rule with its default: what verdicts, paper and live trading require. In a workspace risk.toml holds instead.",
        ),
    ]
}

/// The profile of this name: `research` (or `off`), `account`, which is the workspace's if it has one, or a file.
pub(crate) fn named(name: &str, workspace: Option<&Workspace>) -> Result<Found> {
    let built_in = |profile| Ok(Found { profile, file: None });
    match (name, workspace) {
        ("research" | "off", _) => built_in(RiskProfile::research()),
        ("account", Some(workspace)) => workspace.account_profile(),
        ("account", None) => built_in(RiskProfile::account()),
        _ => {
            let path = Path::new(name);
            let profile = read(path).with_context(|| {
                format!("--risk {name} is neither `research` nor `account`, but a file with a profile")
            })?;
            Ok(Found { profile, file: Some(path.to_owned()) })
        }
    }
}

/// The profile in a file.
pub(crate) fn read(path: &Path) -> Result<RiskProfile> {
    let what = || format!("reading {}", path.display());
    let file = File::open(path).with_context(what)?;
    ensure!(file.metadata().with_context(what)?.is_file(), "{} is not a file; give one with a profile", path.display());
    let mut text = String::new();
    file.take(RiskProfile::LARGEST_FILE + 1).read_to_string(&mut text).with_context(what)?;
    ensure!(
        text.len() as u64 <= RiskProfile::LARGEST_FILE,
        "{} has more than {} bytes, which no profile needs; see that it is the right file",
        path.display(),
        RiskProfile::LARGEST_FILE
    );
    Ok(RiskProfile::parse(&path.display().to_string(), &text)?)
}
