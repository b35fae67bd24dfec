//! A workspace: the folder in which somebody works, found by its `tiltyard.toml`.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use tiltyard_hooks::KillFile;
use tiltyard_market::{Catalog, Instruments};
use tiltyard_risk::RiskProfile;
use tiltyard_store::Store;

use crate::commands::read_component;
use crate::profile::{self, Found};
use crate::whole::{self, Existing};

/// The file that makes a folder a workspace.
pub(crate) const FILE: &str = "tiltyard.toml";
/// The file of the limits that the account passes its orders by.
pub(crate) const RISK: &str = "risk.toml";
/// The file of what is known about components, runs and tournaments.
const STORE: &str = "tiltyard.db";
/// What `tiltyard init` writes into it.
const TEMPLATE: &str = include_str!("workspace.toml");

/// A folder with a [`FILE`], and what that says.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    folder: PathBuf,
    config: Config,
}

/// What the file says, or the default.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Config {
    /// The venue that is meant where none is given.
    venue: String,
    /// The folder of the catalog.
    data: PathBuf,
    /// The file of rules of instruments; `None` for those that are built in.
    instruments: Option<PathBuf>,
}

/// The folders that a workspace begins with.
pub(crate) const FOLDERS: [&str; 2] = ["data", "strategies"];

impl Workspace {
    /// Whether this folder is a workspace.
    pub(crate) fn is_at(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }

    /// Makes a workspace of a folder, which may exist.
    pub(crate) fn make(folder: &Path) -> Result<()> {
        for folder in FOLDERS.map(|name| folder.join(name)) {
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let risk = folder.join(RISK);
        // Limits that somebody has put there are theirs.
        if !is_there(&risk) {
            whole::write(&risk, Existing::Kept, |file| file.write_all(RiskProfile::ACCOUNT_FILE.as_bytes()))?;
        }
        // Last, so that what has it is whole.
        whole::write(&folder.join(FILE), Existing::Kept, |file| file.write_all(TEMPLATE.as_bytes()))
    }

    /// The workspace in this folder, or the nearest from here upward.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self> {
        let folder = match given {
            Some(folder) if folder.join(FILE).is_file() => folder.to_owned(),
            Some(folder) => bail!(
                "{} is no workspace, it has no {FILE}; make one with `tiltyard init {}`",
                folder.display(),
                folder.display()
            ),
            None => {
                let here = env::current_dir().context("finding the folder that this is")?;
                let above = here.ancestors().find(|folder| folder.join(FILE).is_file());
                above.map(Path::to_owned).with_context(|| {
                    format!(
                        "there is no {FILE} here or above; make a workspace with `tiltyard init`, or give one with \
                         --workspace DIR"
                    )
                })?
            }
        };
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let config = Config::parse(&path.display().to_string(), &text)?;
        Ok(Self { folder, config })
    }

    /// The folder, by a path that does not depend on where the program is called.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        fs::canonicalize(&self.folder).with_context(|| self.folder.display().to_string())
    }

    /// Where the series are.
    pub(crate) fn catalog(&self) -> Result<Catalog> {
        Ok(Catalog::open(self.folder.join(&self.config.data))?)
    }

    /// What is known of components, runs and tournaments.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(Store::open(self.folder.join(STORE))?)
    }

    /// The folder of reports, which is made if need be.
    pub(crate) fn reports(&self) -> Result<PathBuf> {
        let folder = self.folder.join("reports");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    /// The bytes of a component and where they are from: a file in `strategies` by its name, an example, or any file.
    pub(crate) fn component(&self, name: &str) -> Result<(Vec<u8>, String)> {
        let dropped = self.folder.join("strategies").join(format!("{name}.wasm"));
        let is_name = !name.contains(['/', '\\', '.']);
        if is_name && dropped.is_file() {
            return Ok((read_component(&dropped)?, format!("strategies/{name}.wasm")));
        }
        if let Some(example) = tiltyard_examples::example(name) {
            return Ok((example.component.to_vec(), "example".to_owned()));
        }
        if is_name {
            bail!(
                "there is no strategies/{name}.wasm, and no example {name}; there are {}",
                self.strategies()?.join(", ")
            );
        }
        Ok((read_component(Path::new(name))?, name.to_owned()))
    }

    /// The names of the components in `strategies`, and of the examples, in alphabetical order.
    fn strategies(&self) -> Result<Vec<String>> {
        let folder = self.folder.join("strategies");
        let examples = tiltyard_examples::EXAMPLES.iter().chain(tiltyard_examples::ON_TAPES);
        let mut names: Vec<String> = examples.map(|example| example.name.to_owned()).collect();
        if folder.is_dir() {
            for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry.with_context(|| folder.display().to_string())?.path();
                let name = path.file_stem().filter(|_| path.extension().is_some_and(|extension| extension == "wasm"));
                names.extend(name.map(|name| name.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The rules of instruments.
    pub(crate) fn instruments(&self) -> Result<Instruments> {
        let Some(path) = &self.config.instruments else { return Ok(Instruments::built_in()) };
        let path = self.folder.join(path);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Instruments::parse(&path.display().to_string(), &text)?)
    }

    /// What the rules of instruments are called in what is shown of a run.
    pub(crate) fn instruments_name(&self) -> String {
        let own = self.config.instruments.as_ref().map(|path| path.display().to_string());
        own.unwrap_or_else(|| "the built-in instruments.toml".to_owned())
    }

    /// The profile `account`: the one in this workspace's file, if it has one.
    pub(crate) fn account_profile(&self) -> Result<Found> {
        let path = self.folder.join(RISK);
        if !is_there(&path) {
            return Ok(Found { profile: RiskProfile::account(), file: None });
        }
        let profile = profile::read(&path)?;
        ensure!(
            profile.name == RiskProfile::account().name,
            "{} has the name `{}`; a workspace's profile is `account`, and others go by their file",
            path.display(),
            profile.name
        );
        Ok(Found { profile, file: Some(path) })
    }

    /// The file that stops all trading while it exists.
    pub(crate) fn kill_file(&self) -> KillFile {
        KillFile::of(&self.folder)
    }

    /// The venue that is meant if none is given.
    pub(crate) fn venue<'a>(&'a self, given: Option<&'a str>) -> &'a str {
        given.unwrap_or(&self.config.venue)
    }
}

/// Whether there is anything of this name; a link to nothing is something.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

impl Config {
    fn parse(name: &str, text: &str) -> Result<Self> {
        Ok(tiltyard_config::parse(name, text, |file| {
            let mut name = |key: &str| {
                let text = file.optional_text(key)?;
                if text.trim().is_empty() {
                    file.problem(key, "is empty; give a name, or remove it");
                }
                Some(text)
            };
            Some(Self {
                venue: name("venue").unwrap_or_else(|| "binance".to_owned()),
                data: name("data").unwrap_or_else(|| "data".to_owned()).into(),
                instruments: name("instruments").map(PathBuf::from),
            })
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, TEMPLATE};

    #[test]
    fn the_template_says_what_holds_without_it() {
        assert_eq!(Config::parse("t", TEMPLATE).unwrap(), Config::parse("t", "").unwrap());
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let error = Config::parse("tiltyard.toml", "venue = 3\ndata = ' '\ncolour = 'red'\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "tiltyard.toml has 3 problems\n  \
             `venue` is 3; it takes a text\n  \
             `data` is empty; give a name, or remove it\n  \
             `colour` is not known; remove it, or correct its name"
        );
    }
}
