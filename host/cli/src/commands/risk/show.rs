use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};
use tiltyard_hooks::KillFile;
use tiltyard_market::format_time;
use tiltyard_model::{Nanos, to_f64};
use tiltyard_risk::{AccountGuard, AccountState, DailyStop, Limits, OpenBreaker};
use tiltyard_store::{Flatten, Kept, Transition};

use crate::order::said;
use crate::print;
use crate::profile::Found;
use crate::standing::{Standing, word};
use crate::workspace::Workspace;

/// Show where the account and its strategies stand, why, and the limits that hold.
///
/// Whatever cannot be read counts as halted, and so does an account whose file KILL exists.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tiltyard risk show\n  tiltyard risk show --strategy grid --symbol DOGEUSDT --json\n\n\
                  Exits with 0 wherever the account stands, with 1 if the limits cannot be read."
)]
pub(crate) struct Args {
    /// Show the limits that hold for this strategy.
    #[arg(long, value_name = "NAME", value_parser = said)]
    strategy: Option<String>,
    /// Show the limits that hold in this instrument.
    #[arg(long, value_name = "SYMBOL", value_parser = said)]
    symbol: Option<String>,
    /// The workspace; by default the nearest folder upward with a tiltyard.toml.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::find(args.workspace.as_deref())?;
    let standing = Standing::of(&workspace);
    let Found { profile, file } = workspace.account_profile()?;
    let [strategy, symbol] = [&args.strategy, &args.symbol].map(|name| name.as_deref().unwrap_or_default());
    let limits = profile.limits_for(strategy, symbol);
    let from = file.map_or("the built-in profile".to_owned(), |file| file.display().to_string());
    if args.json {
        let of = json!({"strategy": args.strategy, "symbol": args.symbol});
        let limits = json!({"profile": profile.name, "from": from, "of": of, "rules": limits});
        print::out(&serde_json::to_string_pretty(&document(&standing, &limits))?);
    } else {
        print::out(&text(&standing, &limits, &from)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn document(standing: &Standing, limits: &Json) -> Json {
    let (state, cause) = standing.state();
    let guard = guard(&standing.account);
    let strategies = standing.strategies.iter().map(|(name, kept)| {
        let (state, cause) = standing.state_of(name);
        json!({
            "strategy": name, "state": state, "cause": cause, "permission": word(standing.permission(name)),
            "peak": if let Kept::State(guard) = kept { Some(guard.peak().to_f64()) } else { None },
            "unreadable": kept.unreadable(),
        })
    });
    json!({
        "account": {
            "state": state,
            "cause": cause,
            "takes_risk": state == AccountState::Active && guard.is_none_or(AccountGuard::takes_risk),
            "unreadable": standing.account.unreadable(),
            "peak": guard.map(|guard| guard.peak().to_f64()),
            "rung": guard.map(AccountGuard::rung),
            "halves_positions": guard.is_some_and(AccountGuard::halves_positions),
            "day": guard.and_then(AccountGuard::day).map(|(number, start)| json!({
                "date": date(number), "start": start.to_f64(),
            })),
            "daily_stop": guard.and_then(AccountGuard::daily_stop).map(daily_stop),
            "breaker": guard.and_then(AccountGuard::breaker).map(breaker),
            "seen": guard.map(AccountGuard::seen).filter(|seen| seen.0 > 0).map(format_time),
        },
        "kill_file": standing.killed.then(|| json!({"file": standing.kill.path(), "words": standing.kill.words()})),
        "flatten": standing.flatten.as_ref().map(|Flatten { at, who, cause }| json!({
            "at": format_time(*at), "who": who, "cause": cause,
        })),
        "strategies": strategies.collect::<Vec<_>>(),
        "transitions": standing.transitions.iter().map(transition).collect::<Vec<_>>(),
        "limits": limits,
    })
}

fn guard(kept: &Kept<AccountGuard>) -> Option<&AccountGuard> {
    if let Kept::State(guard) = kept { Some(guard) } else { None }
}

fn daily_stop(stop: &DailyStop) -> Json {
    json!({
        "since": format_time(stop.since), "until": format_time(stop.until), "loss": to_f64(stop.loss), "most": stop.most,
    })
}

fn breaker(open: &OpenBreaker) -> Json {
    json!({"since": format_time(open.since), "until": format_time(open.until), "cause": open.cause})
}

fn transition(transition: &Transition) -> Json {
    json!({
        "at": format_time(transition.at), "scope": transition.scope.to_string(), "who": transition.who,
        "what": transition.what, "cause": transition.cause,
    })
}

/// A day, from its number since 1970-01-01.
fn date(number: i64) -> String {
    let midnight = format_time(Nanos(number.saturating_mul(86_400_000_000_000)));
    midnight.split('T').next().unwrap_or_default().to_owned()
}

fn text(standing: &Standing, limits: &Limits, from: &str) -> Result<String> {
    let (state, cause) = standing.state();
    let because = |cause: Option<String>| cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    let mut lines = vec![format!("account: {state}{}", because(cause))];
    if standing.killed {
        lines.push(format!("  {} is there; `tiltyard resume` takes it away", KillFile::NAME));
    }
    match &standing.account {
        Kept::Nothing => lines.push("  nothing is kept yet: nobody has traded or ordered anything".to_owned()),
        Kept::State(guard) => lines.extend(account(guard)),
        Kept::Unreadable(_) => lines.push("  `tiltyard resume --reason` lets it begin anew".to_owned()),
    }
    if let Some(Flatten { at, cause, .. }) = &standing.flatten {
        lines.push(format!(
            "everything is to be closed by whoever trades next, as ordered {}: {cause}",
            format_time(*at)
        ));
    }
    for (name, _) in &standing.strategies {
        let (state, cause) = standing.state_of(name);
        lines.push(format!("strategy {name}: {state}{}", because(cause)));
    }
    if !standing.transitions.is_empty() {
        let row = |line: &Transition| {
            let Transition { at, scope, who, what, cause } = line;
            vec![format_time(*at), scope.to_string(), who.clone(), what.clone(), cause.clone()]
        };
        let heads = ["time", "scope", "who", "what", "cause"].map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(heads).chain(standing.transitions.iter().map(row)).collect();
        lines.push(format!("\n{}", print::table(&rows)));
    }
    lines.push(format!("\nlimits of {from}"));
    let mut rows = Vec::new();
    flat("", &serde_json::to_value(limits)?, &mut rows);
    lines.push(print::table(&rows));
    Ok(lines.join("\n"))
}

/// What a guard remembers, line by line.
fn account(guard: &AccountGuard) -> Vec<String> {
    let mut lines = vec![format!("  peak {}, drawdown rung {}", guard.peak().to_f64(), plain(&json!(guard.rung())))];
    if let Some((number, start)) = guard.day() {
        lines.push(format!("  day {}, which began with {}", date(number), start.to_f64()));
    }
    if let Some(stop) = guard.daily_stop() {
        let (loss, most) = (to_f64(stop.loss) * 100.0, stop.most.to_f64() * 100.0);
        lines.push(format!("  no new risk until {}: the day lost {loss} % of {most} %", format_time(stop.until)));
    }
    if let Some(open) = guard.breaker() {
        let (since, until) = (format_time(open.since), format_time(open.until));
        lines.push(format!("  circuit breaker open since {since}, cools down until {until}: {}", open.cause));
    }
    lines
}

/// The numbers of a document with their paths.
fn flat(path: &str, value: &Json, rows: &mut Vec<Vec<String>>) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flat(&path, value, rows);
            }
        }
        other => rows.push(vec![path.to_owned(), plain(other)]),
    }
}

fn plain(value: &Json) -> String {
    crate::run::plain(value)
}
