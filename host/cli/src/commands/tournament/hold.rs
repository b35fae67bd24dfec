use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use tiltyard_model::Digest;
use tiltyard_risk::RiskProfile;
use tiltyard_sandbox::Mode;
use tiltyard_tournament::{Candidate, Contest, Spec, Table};

use super::page;
use crate::clock::now;
use crate::print;
use crate::profile::Found;
use crate::run::Ground;
use crate::whole::{self, Existing};
use crate::workspace::Workspace;

/// A tournament that has come to its end.
pub(crate) struct Held {
    pub(crate) id: Digest,
    pub(crate) contest: Contest,
    pub(crate) table: Table,
    /// The report.
    pub(crate) report: PathBuf,
}

/// Puts a tournament together from its specification and the workspace.
pub(crate) fn contest(name: &str, text: &str, workspace: &Workspace, ground: &Ground) -> Result<Contest> {
    let mut spec = Spec::parse(name, text)?;
    spec.rules.risk = own_limits(spec.rules.risk, workspace)?;
    let candidates = spec.strategies.iter().map(|strategy| {
        let (bytes, origin) = workspace.component(&strategy.component)?;
        let component = ground.load(&bytes, Mode::Event).with_context(|| strategy.component.clone())?;
        Ok(Candidate { component, bytes: bytes.into(), origin })
    });
    let candidates = candidates.collect::<Result<Vec<_>>>()?;
    Ok(Contest::new(spec, candidates, &workspace.catalog()?, &workspace.instruments()?)?)
}

/// The workspace's limits where a specification asks for those of the account; what it says itself of drawdowns stays.
fn own_limits(asked: RiskProfile, workspace: &Workspace) -> Result<RiskProfile> {
    let built_in = RiskProfile::account();
    if asked.name != built_in.name {
        return Ok(asked);
    }
    let Found { profile, file } = workspace.account_profile()?;
    if let Some(file) = file {
        print::note(&format!("risk profile account: {}", file.display()));
    }
    let said = asked.limits.max_drawdown != built_in.limits.max_drawdown;
    Ok(if said { profile.with_max_drawdown(asked.limits.max_drawdown) } else { profile })
}

/// Runs a tournament, or what is left of it, and writes its report.
pub(crate) fn hold(contest: Contest, text: &str, workspace: &Workspace, threads: usize, quiet: bool) -> Result<Held> {
    let mut store = workspace.store()?;
    let stop = stop_at_interrupt()?;
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(contest.runs.len() as u64) };
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} runs, {per_sec}, {eta} left")?;
    bar.set_style(style);
    let mut progress = |progress: tiltyard_tournament::Progress| {
        if progress.done == 0 {
            // What was known before says nothing about the speed.
            bar.set_length(progress.all as u64);
            bar.set_position(progress.known as u64);
            bar.reset_eta();
        }
        bar.set_position((progress.known + progress.done) as u64);
    };
    let held = tiltyard_tournament::hold(&contest, text, &mut store, threads, &now, &stop, &mut progress);
    bar.finish_and_clear();
    let (id, table) = held?;
    let report = write_report(&contest, &table, id, workspace)?;
    Ok(Held { id, contest, table, report })
}

fn write_report(contest: &Contest, table: &Table, id: Digest, workspace: &Workspace) -> Result<PathBuf> {
    let html = page::report(contest, table, id).to_html()?;
    let path = workspace.reports()?.join(format!("tournament-{}.html", id.short()));
    whole::write(&path, Existing::Replaced, |file| std::io::Write::write_all(file, html.as_bytes()))?;
    Ok(path)
}

/// A flag that is set by Ctrl-C. The second time ends the program at once.
fn stop_at_interrupt() -> Result<Arc<AtomicBool>> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(stop) = STOP.get() {
        return Ok(Arc::clone(stop));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
    })
    .context("listening to Ctrl-C")?;
    Ok(Arc::clone(STOP.get_or_init(|| stop)))
}

/// The exit code of a program that Ctrl-C has stopped, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;
