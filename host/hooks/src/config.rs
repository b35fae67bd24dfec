use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tiltyard_config::{ConfigError, Section};

use crate::{Executable, Stage};

/// The executables that are hooks, as a file names them.
///
/// ```toml
/// [[hook]]
/// stage = "pre-trade"
/// program = ["/opt/desk/limits", "--strict"]
/// deadline_ms = 500
/// env = { TZ = "UTC" }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HooksConfig {
    /// One for each `[[hook]]`, in order.
    pub hooks: Vec<HookConfig>,
}

/// One executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookConfig {
    /// Where it is told or asked.
    pub stage: Stage,
    /// The absolute path of the program, then its arguments.
    pub program: Vec<String>,
    /// How long it may take, in milliseconds: 1 to 60,000. Default 500.
    pub deadline_ms: u64,
    /// Its whole environment. No place for secrets: a hook that needs one reads it from a file of its own.
    pub env: BTreeMap<String, String>,
}

impl HooksConfig {
    /// Most hooks of one stage, since all of them run at once.
    pub const MOST_OF_A_STAGE: usize = 16;

    /// Reads a text that holds nothing else. `name` is used in messages.
    ///
    /// # Errors
    /// [`ConfigError`] with all that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        tiltyard_config::parse(name, text, |file| Some(Self::read(file)))
    }

    /// Takes every `[[hook]]` out of a section, and reports all that is wrong with them to it.
    pub fn read(file: &mut Section<'_>) -> Self {
        let hooks = file.sections("hook").into_iter().filter_map(HookConfig::read).collect();
        let config = Self { hooks };
        for stage in config.crowded() {
            file.problem("hook", crowd(stage));
        }
        config
    }

    /// What is wrong with it, one sentence each; empty if nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let of_hooks = (1..).zip(&self.hooks).flat_map(|(at, hook)| {
            hook.faults().into_iter().map(move |(key, what)| format!("`hook[{at}].{key}` {what}"))
        });
        of_hooks.chain(self.crowded().map(|stage| format!("`hook` {}", crowd(stage)))).collect()
    }

    /// Stages with too many hooks.
    fn crowded(&self) -> impl Iterator<Item = Stage> {
        let count = |stage| self.hooks.iter().filter(|hook| hook.stage == stage).count();
        Stage::ALL.into_iter().filter(move |stage| count(*stage) > Self::MOST_OF_A_STAGE)
    }
}

fn crowd(stage: Stage) -> String {
    format!("has more than {} of the stage {stage}; let one program ask the others", HooksConfig::MOST_OF_A_STAGE)
}

impl HookConfig {
    /// Longest deadline, in milliseconds.
    pub const MOST_DEADLINE_MS: u64 = 60_000;

    fn read(mut section: Section<'_>) -> Option<Self> {
        let stage = section.text("stage").and_then(|name| {
            let stage = Stage::named(&name);
            if stage.is_none() {
                let known = Stage::ALL.map(Stage::name).join(", ");
                let name: String = name.chars().take(40).collect();
                section.problem("stage", format!("is `{name}`; it takes one of {known}"));
            }
            stage
        });
        let program = section.texts("program");
        let deadline_ms = section.optional_whole("deadline_ms", 1, Self::MOST_DEADLINE_MS as i64);
        let mut env = BTreeMap::new();
        if let Some(mut variables) = section.section("env") {
            for name in variables.keys() {
                if let Some(value) = variables.text(&name) {
                    env.insert(name, value);
                }
            }
            variables.end();
        }
        let read = Self {
            // Only for looking at the rest; without a stage nothing is returned.
            stage: stage.unwrap_or(Stage::PreTrade),
            program,
            deadline_ms: deadline_ms.map_or(500, i64::unsigned_abs),
            env,
        };
        for (key, what) in read.faults() {
            section.problem(key, what);
        }
        section.end();
        stage.map(|_| read)
    }

    /// What is wrong, each with its key.
    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        match self.program.first() {
            None => faults.push(("program", "is missing; name a program by its absolute path".to_owned())),
            // A relative one would be another program in another folder.
            Some(program) if !Path::new(program).is_absolute() => {
                let program: String = program.chars().take(40).collect();
                faults.push(("program", format!("begins with `{program}`; it takes an absolute path")));
            }
            Some(_) => {}
        }
        if self.program.iter().any(|text| text.contains('\0')) {
            faults.push(("program", "contains a zero byte; remove it".to_owned()));
        }
        if !(1..=Self::MOST_DEADLINE_MS).contains(&self.deadline_ms) {
            let deadline = self.deadline_ms;
            faults.push(("deadline_ms", format!("is {deadline}; it takes 1 to {}", Self::MOST_DEADLINE_MS)));
        }
        let is_name = |name: &str| !name.is_empty() && !name.contains(['=', '\0']);
        if self.env.iter().any(|(name, value)| !is_name(name) || value.contains('\0')) {
            faults.push(("env", "has a name that is empty or contains =, or a zero byte; correct it".to_owned()));
        }
        faults
    }

    /// The program; `None` if none is named.
    pub(crate) fn executable(&self) -> Option<Executable> {
        let (program, arguments) = self.program.split_first()?;
        let deadline = Duration::from_millis(self.deadline_ms);
        Some(Executable::new(program, arguments.to_vec(), self.env.clone(), deadline))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{HookConfig, HooksConfig};
    use crate::{Hooks, Stage};

    fn said(text: &str) -> String {
        HooksConfig::parse("hooks.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_well_formed_is_read() {
        let text = "[[hook]]\nstage = 'pre-trade'\nprogram = ['/opt/limits', '--strict']\ndeadline_ms = 200\n\
                    env = { TZ = 'UTC', EMPTY = '' }\n[[hook]]\nstage = 'kill'\nprogram = '/opt/ring'\n";
        let config = HooksConfig::parse("hooks.toml", text).unwrap();
        let env = [("TZ", "UTC"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let program = vec!["/opt/limits".to_owned(), "--strict".to_owned()];
        let first = HookConfig { stage: Stage::PreTrade, program, deadline_ms: 200, env: BTreeMap::from(env) };
        assert_eq!(config.hooks[0], first);
        assert_eq!((config.hooks[1].stage, config.hooks[1].deadline_ms), (Stage::Kill, 500));
        assert!(config.problems().is_empty());
        let hooks = Hooks::of(&config).unwrap();
        assert!(hooks.listens(Stage::PreTrade) && hooks.listens(Stage::Kill) && !hooks.listens(Stage::Approve));
        assert_eq!(HooksConfig::parse("hooks.toml", "").unwrap(), HooksConfig::default());
    }

    #[test]
    fn all_problems_come_at_once_with_their_places() {
        let text = "[[hook]]\nstage = 'before'\nprogram = ['limits']\ndeadline_ms = 0\nshell = true\n\
                    [[hook]]\n[[hook]]\nstage = 'kill'\nprogram = ['/opt/ring']\nenv = { 'A=B' = 'c' }\n[other]\n";
        assert_eq!(
            said(text),
            "hooks.toml has 8 problems\n  \
             `hook[1].stage` is `before`; it takes one of pre-trade, post-trade, circuit-breaker, approve, verify-gate, \
             kill\n  \
             `hook[1].deadline_ms` is 0; it takes a whole number from 1 to 60000\n  \
             `hook[1].program` begins with `limits`; it takes an absolute path\n  \
             `hook[1].shell` is not known; remove it, or correct its name\n  \
             `hook[2].stage` is missing\n  \
             `hook[2].program` is missing; name a program by its absolute path\n  \
             `hook[3].env` has a name that is empty or contains =, or a zero byte; correct it\n  \
             `other` is not known; remove it, or correct its name"
        );
    }

    #[test]
    fn a_stage_has_sixteen_hooks_and_no_more() {
        let hook = "[[hook]]\nstage = 'kill'\nprogram = ['/opt/ring']\n";
        assert!(HooksConfig::parse("hooks.toml", &hook.repeat(16)).is_ok());
        assert!(said(&hook.repeat(17)).contains("`hook` has more than 16 of the stage kill"));
    }

    #[test]
    fn what_was_not_read_from_a_file_has_the_same_problems() {
        let program = vec!["limits\0".to_owned()];
        let hook = HookConfig { stage: Stage::Kill, program, deadline_ms: 60_001, env: BTreeMap::new() };
        let problems = Hooks::of(&HooksConfig { hooks: vec![hook] }).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(problems[2], "`hook[1].deadline_ms` is 60001; it takes 1 to 60000");
    }
}
