use std::fmt;
use std::thread;

use crate::{Answer, Document, Executable, HookFailure, HooksConfig, Stage};

/// Somebody who is told of what happens, or asked whether it may.
///
/// One that is built in has no deadline: it must answer at once, since the order waits for it.
pub trait Hook: fmt::Debug + Send + Sync {
    /// What it is called in reports: short, without control characters.
    fn name(&self) -> &str;

    /// What it says to this.
    ///
    /// # Errors
    /// [`HookFailure`] if it cannot say; at the stages that may refuse, that refuses.
    fn ask(&self, document: &Document) -> Result<Answer, HookFailure>;
}

/// All hooks, each with its stage.
#[derive(Debug, Default)]
pub struct Hooks {
    hooks: Vec<(Stage, Box<dyn Hook>)>,
}

/// What the hooks of a stage said, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The stage.
    pub stage: Stage,
    /// How many were asked.
    pub asked: usize,
    /// Who refused, and why; always empty at stages that cannot refuse.
    pub refusals: Vec<Refusal>,
    /// Who failed at a stage that cannot refuse. It stops nothing, but somebody should look at it.
    pub failures: Vec<Report>,
}

/// A hook that refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its name; empty if there was nobody to ask.
    pub hook: String,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a hook refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// In its own words, which may be none: bounded, control characters as escapes.
    Said(String),
    /// It failed.
    Failed(HookFailure),
    /// The stage needs an approval, and there is nobody to give it.
    NobodyToAsk,
}

/// A hook that failed where nothing waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub hook: String,
    /// What happened.
    pub failure: HookFailure,
}

impl Hooks {
    /// The executables of a configuration, in its order.
    ///
    /// # Errors
    /// All of its [`problems`](HooksConfig::problems).
    pub fn of(config: &HooksConfig) -> Result<Self, Vec<String>> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut hooks = Self::default();
        for hook in &config.hooks {
            if let Some(executable) = hook.executable() {
                hooks.add(hook.stage, Box::<Executable>::new(executable));
            }
        }
        Ok(hooks)
    }

    /// Adds a hook behind those that the stage has.
    pub fn add(&mut self, stage: Stage, hook: Box<dyn Hook>) {
        self.hooks.push((stage, hook));
    }

    /// Whether a stage has any hooks, so that nobody prepares a document for none.
    #[must_use]
    pub fn listens(&self, stage: Stage) -> bool {
        self.hooks.iter().any(|(of, _)| *of == stage)
    }

    /// Asks all hooks of the document's stage, side by side, and returns when the last one has answered or its deadline
    /// has passed. One refusal does not spare the others.
    #[must_use]
    pub fn ask(&self, document: &Document) -> Outcome {
        let stage = document.stage();
        let hooks: Vec<&dyn Hook> = self.hooks.iter().filter(|(of, _)| *of == stage).map(|(_, hook)| &**hook).collect();
        let answers: Vec<Result<Answer, HookFailure>> = thread::scope(|scope| {
            let threads: Vec<_> =
                hooks.iter().map(|hook| thread::Builder::new().spawn_scoped(scope, || hook.ask(document))).collect();
            threads
                .into_iter()
                .map(|thread| match thread {
                    Ok(thread) => thread.join().unwrap_or(Err(HookFailure::Panicked)),
                    Err(error) => Err(HookFailure::Talk { problem: error.to_string() }),
                })
                .collect()
        });
        let mut outcome = Outcome { stage, asked: hooks.len(), refusals: Vec::new(), failures: Vec::new() };
        if hooks.is_empty() && stage == Stage::Approve {
            outcome.refuse("", RefusalReason::NobodyToAsk);
        }
        for (hook, answer) in hooks.into_iter().zip(answers) {
            let name = hook.name();
            match answer.map(Answer::harmless) {
                Ok(Answer { allow: true, .. }) => {}
                Ok(Answer { reason, .. }) if stage.may_refuse() => outcome.refuse(name, RefusalReason::Said(reason)),
                Ok(Answer { reason, .. }) => outcome.report(name, HookFailure::CannotRefuse { reason }),
                Err(failure) if stage.may_refuse() => outcome.refuse(name, RefusalReason::Failed(failure)),
                Err(failure) => outcome.report(name, failure),
            }
        }
        outcome
    }
}

impl Outcome {
    /// Whether nobody refused.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.refusals.is_empty()
    }

    fn refuse(&mut self, hook: &str, reason: RefusalReason) {
        self.refusals.push(Refusal { hook: hook.to_owned(), reason });
    }

    fn report(&mut self, hook: &str, failure: HookFailure) {
        self.failures.push(Report { hook: hook.to_owned(), failure });
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            RefusalReason::Said(reason) if reason.trim().is_empty() => {
                write!(f, "the hook `{}` refused without a reason", self.hook)
            }
            RefusalReason::Said(reason) => write!(f, "the hook `{}` refused: {reason}", self.hook),
            RefusalReason::Failed(failure) => write!(f, "the hook `{}` failed, which refuses: {failure}", self.hook),
            RefusalReason::NobodyToAsk => {
                f.write_str("an approval is needed and there is no hook to ask; configure one")
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the hook `{}` failed, which stops nothing: {}", self.hook, self.failure)
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_model::Nanos;

    use super::{Hook, Hooks, RefusalReason};
    use crate::{Answer, Document, HookFailure, Kill, Stage, VerifyGate};

    /// Says what it is made with; without it, panics.
    #[derive(Debug)]
    struct Says(&'static str, Option<Result<Answer, HookFailure>>);

    impl Hook for Says {
        fn name(&self) -> &str {
            self.0
        }

        fn ask(&self, _: &Document) -> Result<Answer, HookFailure> {
            self.1.clone().expect("it was told to panic")
        }
    }

    fn verify_gate() -> Document {
        Document::VerifyGate(VerifyGate {
            time: Nanos(1),
            strategy: "ma-cross".to_owned(),
            variant: tiltyard_model::Digest([7; 32]),
            gate: "paper".to_owned(),
            from: "paper".to_owned(),
            to: "live".to_owned(),
            figures: std::collections::BTreeMap::new(),
        })
    }

    fn kill() -> Document {
        Document::Kill(Kill { time: Nanos(1), by: "command".to_owned(), reason: String::new() })
    }

    fn hooks(stage: Stage) -> Hooks {
        let mut hooks = Hooks::default();
        for (name, says) in [
            ("allows", Some(Ok(Answer::allow()))),
            ("refuses", Some(Ok(Answer::refuse("not\u{7} today")))),
            ("fails", Some(Err(HookFailure::NoAnswer))),
            ("panics", None),
        ] {
            hooks.add(stage, Box::new(Says(name, says)));
        }
        hooks
    }

    #[test]
    fn all_are_asked_and_all_refusals_are_listed_in_order() {
        let outcome = hooks(Stage::VerifyGate).ask(&verify_gate());
        assert!(!outcome.is_allowed() && outcome.asked == 4 && outcome.failures.is_empty(), "{outcome:?}");
        let said: Vec<String> = outcome.refusals.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "the hook `refuses` refused: not\\u{7} today",
                "the hook `fails` failed, which refuses: the program wrote no answer; it has to write \
                 {\"allow\": …, \"reason\": …} to standard output",
                "the hook `panics` failed, which refuses: the hook panicked",
            ]
        );
    }

    #[test]
    fn where_nothing_can_be_refused_failures_are_told_and_stop_nothing() {
        let outcome = hooks(Stage::Kill).ask(&kill());
        assert!(outcome.is_allowed(), "{outcome:?}");
        let failed: Vec<(&str, &HookFailure)> =
            outcome.failures.iter().map(|report| (report.hook.as_str(), &report.failure)).collect();
        let refused = HookFailure::CannotRefuse { reason: "not\\u{7} today".to_owned() };
        assert_eq!(
            failed,
            [("refuses", &refused), ("fails", &HookFailure::NoAnswer), ("panics", &HookFailure::Panicked)]
        );
    }

    #[test]
    fn only_hooks_of_the_stage_are_asked() {
        let hooks = hooks(Stage::VerifyGate);
        let outcome = hooks.ask(&kill());
        assert_eq!((outcome.asked, outcome.is_allowed()), (0, true));
        assert!(hooks.listens(Stage::VerifyGate) && !hooks.listens(Stage::Kill));
        assert!(Hooks::default().ask(&verify_gate()).is_allowed());
    }

    #[test]
    fn an_approval_that_nobody_gives_is_none() {
        let order = serde_json::json!({
            "stage": "approve", "time": 1, "strategy": "ma-cross", "variant": "07".repeat(32), "share": 0.01,
            "order": {
                "time": 1, "strategy": "ma-cross", "instrument": "BTCUSDT", "side": "buy", "kind": "market",
                "quantity": "1", "mark": null, "notional": null, "stop": null, "take_profit": null,
                "reduce_only": false, "equity": "10000",
            },
        });
        let outcome = Hooks::default().ask(&serde_json::from_value(order).unwrap());
        assert_eq!(outcome.refusals[0].reason, RefusalReason::NobodyToAsk);
        assert!(!outcome.is_allowed());
    }
}
