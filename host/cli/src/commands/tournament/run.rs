use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value as Json, json};
use tiltyard_tournament::{Contest, HoldError};

use super::hold::{INTERRUPTED, contest};
use super::{hold, tell};
use crate::commands::sandbox;
use crate::print;
use crate::workspace::Workspace;

/// Run a tournament, or what is left of one that was interrupted.
///
/// What it is to be stands in a file, or is said with flags. The same tournament again runs nothing that was run before.
#[derive(Debug, clap::Args)]
#[command(
    after_help = concat!(
        "Examples:\n  tiltyard tournament run first.toml\n  tiltyard tournament run --strategy ma-cross --strategy donchian --symbol BTCUSDT --interval 1h --sample 20\n  tiltyard tournament run --strategy ma-cross --symbol BTCUSDT --interval 1h --grid fast=5,10,20 --grid slow=50..200:50 --walk rolling --train-days 365 --test-days 90\n  tiltyard tournament run --resume\n\nA file:\n\n",
        include_str!("first.toml")
    )
)]
pub(super) struct Args {
    /// The specification in TOML; see the example below.
    #[arg(conflicts_with_all = ["strategies", "resume"])]
    file: Option<PathBuf>,
    /// Go on with the last tournament that was interrupted, or with the one whose digest begins so.
    #[arg(long, value_name = "DIGEST", num_args = 0..=1, default_missing_value = "", conflicts_with = "strategies")]
    resume: Option<String>,
    #[command(flatten)]
    flags: Flags,
    /// Runs at one time; 0 for one a core. Results do not depend on it.
    #[arg(long, default_value_t = 0, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1_024))]
    threads: usize,
    /// Say what would be run, and run nothing.
    #[arg(long)]
    dry_run: bool,
}

/// A specification in flags.
#[derive(Debug, clap::Args)]
struct Flags {
    /// Who takes part: a name in `strategies`, an example, or a file.
    #[arg(long = "strategy", value_name = "NAME|FILE", requires_all = ["symbols", "interval"])]
    strategies: Vec<String>,
    /// What is traded.
    #[arg(long = "symbol", value_name = "SYMBOL", requires = "strategies")]
    symbols: Vec<String>,
    /// The length of a bar, such as 1m, 1h or 1d.
    #[arg(long, requires = "strategies")]
    interval: Option<String>,
    /// The venue; by default the workspace's.
    #[arg(long, requires = "strategies")]
    venue: Option<String>,
    /// Play bars that open at this time (UTC) or later.
    #[arg(long, value_name = "DATE", requires = "strategies")]
    from: Option<String>,
    /// Play bars that close at this time (UTC) or earlier.
    #[arg(long, value_name = "DATE", requires = "strategies")]
    to: Option<String>,
    /// The last months of the data that no tournament reads.
    #[arg(long, value_name = "MONTHS", requires = "strategies")]
    holdout_months: Option<u32>,
    /// Every strategy trades all symbols at once, instead of each by itself.
    #[arg(long, requires = "strategies")]
    together: bool,
    /// Values of a parameter, for every strategy: `fast=5,10,20` or `slow=50..200:50`.
    #[arg(long = "grid", value_name = "NAME=VALUES", requires = "strategies")]
    grid: Vec<String>,
    /// So many variants of each strategy, drawn from its grid or from all that its parameters may be.
    #[arg(long, value_name = "N", requires = "strategies")]
    sample: Option<u32>,
    /// Walk-forward: choose on windows, judge on those that follow.
    #[arg(long, value_name = "rolling|anchored", requires_all = ["train_days", "test_days"])]
    walk: Option<String>,
    /// Days to choose on.
    #[arg(long, value_name = "DAYS", requires = "walk")]
    train_days: Option<f64>,
    /// Days to judge on.
    #[arg(long, value_name = "DAYS", requires = "walk")]
    test_days: Option<f64>,
    /// What samples are drawn from.
    #[arg(long, requires = "strategies")]
    seed: Option<u32>,
    /// What people call it.
    #[arg(long, requires = "strategies")]
    name: Option<String>,
}

pub(super) fn run(args: &Args, workspace: &Workspace, cache: Option<&Path>, json: bool) -> Result<ExitCode> {
    let (name, text) = specification(args, workspace)?;
    let contest = contest(&name, &text, workspace, &sandbox(cache)?)?;
    if args.dry_run {
        describe(&contest, json)?;
        return Ok(ExitCode::SUCCESS);
    }
    match hold(contest, &text, workspace, args.threads, json) {
        Ok(held) => {
            tell(&held, json)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if matches!(error.downcast_ref(), Some(HoldError::Stopped { .. })) => {
            print::error(&format!("{error:#}"));
            Ok(ExitCode::from(INTERRUPTED))
        }
        Err(error) => Err(error),
    }
}

/// The text of the specification, and what messages call it.
fn specification(args: &Args, workspace: &Workspace) -> Result<(String, String)> {
    if let Some(path) = &args.file {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        return Ok((path.display().to_string(), text));
    }
    if let Some(digest) = &args.resume {
        return interrupted(digest, workspace);
    }
    ensure!(
        !args.flags.strategies.is_empty(),
        "nothing says what is to be run; give a file, or --strategy, --symbol and --interval, or --resume"
    );
    Ok(("the flags".to_owned(), args.flags.text(workspace)?))
}

/// The specification of a tournament that did not come to its end.
fn interrupted(digest: &str, workspace: &Workspace) -> Result<(String, String)> {
    let tournaments = workspace.store()?.tournaments()?;
    let mut open = tournaments.iter().rev().filter(|tournament| tournament.finished.is_none());
    let found = open.find(|tournament| tournament.id().to_string().starts_with(digest));
    let Some(tournament) = found else {
        bail!(
            "no tournament {digest}{}was interrupted; `tiltyard tournament list` shows them",
            if digest.is_empty() { "" } else { "… " }
        )
    };
    let document: Json = serde_json::from_str(&tournament.spec).context("the kept specification is damaged")?;
    let text = document["specification"].as_str().context("the kept specification is damaged")?;
    Ok((tournament.name.clone(), text.to_owned()))
}

impl Flags {
    /// The same as a file.
    fn text(&self, workspace: &Workspace) -> Result<String> {
        let mut market = toml::Table::new();
        market.insert("venue".to_owned(), workspace.venue(self.venue.as_deref()).into());
        market.insert("interval".to_owned(), self.interval.clone().unwrap_or_default().into());
        market.insert("symbols".to_owned(), self.symbols.clone().into());
        for (key, value) in [("from", &self.from), ("to", &self.to)] {
            market.extend(value.as_ref().map(|value| (key.to_owned(), value.clone().into())));
        }
        market.extend(self.holdout_months.map(|months| ("holdout_months".to_owned(), i64::from(months).into())));
        let mut file = toml::Table::new();
        file.insert(
            "name".to_owned(),
            self.name.clone().unwrap_or_else(|| self.strategies.join(", ").chars().take(100).collect()).into(),
        );
        file.extend(self.seed.map(|seed| ("seed".to_owned(), i64::from(seed).into())));
        file.insert("market".to_owned(), market.into());
        if let (Some(kind), Some(train), Some(test)) = (&self.walk, self.train_days, self.test_days) {
            let windows = [("kind", kind.clone().into()), ("train_days", train.into()), ("test_days", test.into())];
            let windows: toml::Table =
                windows.map(|(key, value): (_, toml::Value)| (key.to_owned(), value)).into_iter().collect();
            file.insert("windows".to_owned(), windows.into());
        }
        let mut params = toml::Table::new();
        for given in &self.grid {
            let (name, values) =
                given.split_once('=').with_context(|| format!("`{given}` is not of the form NAME=VALUES"))?;
            params.insert(name.to_owned(), axis(values)?);
        }
        let strategies = self.strategies.iter().map(|component| {
            let mut strategy = toml::Table::new();
            strategy.insert("component".to_owned(), component.clone().into());
            strategy.insert("markets".to_owned(), if self.together { "together" } else { "each" }.into());
            strategy.extend(self.sample.map(|sample| ("sample".to_owned(), i64::from(sample).into())));
            if !params.is_empty() {
                strategy.insert("params".to_owned(), params.clone().into());
            }
            toml::Value::Table(strategy)
        });
        file.insert("strategy".to_owned(), strategies.collect::<Vec<_>>().into());
        Ok(toml::to_string(&file)?)
    }
}

/// `5,10,20` or `50..200:50`.
fn axis(text: &str) -> Result<toml::Value> {
    let number = |text: &str| text.trim().parse::<f64>().with_context(|| format!("`{text}` is no number"));
    if let Some((from, rest)) = text.split_once("..") {
        let (to, step) = rest.split_once(':').with_context(|| format!("`{text}` is not of the form FROM..TO:STEP"))?;
        let range = [("from", number(from)?), ("to", number(to)?), ("step", number(step)?)];
        return Ok(range
            .map(|(key, value)| (key.to_owned(), value.into()))
            .into_iter()
            .collect::<toml::Table>()
            .into());
    }
    let value = |text: &str| -> toml::Value {
        let text = text.trim();
        let whole = text.parse::<i64>().ok().map(toml::Value::from);
        let real = || text.parse::<f64>().ok().map(toml::Value::from);
        let flag = || text.parse::<bool>().ok().map(toml::Value::from);
        whole.or_else(real).or_else(flag).unwrap_or_else(|| text.into())
    };
    Ok(text.split(',').map(value).collect::<Vec<_>>().into())
}

/// What would be run.
fn describe(contest: &Contest, json: bool) -> Result<()> {
    let strategies = contest.entrants.iter().map(|entrant| {
        let manifest = &entrant.component.admission().manifest;
        json!({"strategy": manifest.name, "version": manifest.version, "variants": entrant.variants.len(), "markets": entrant.groups.len(), "from": entrant.origin})
    });
    let strategies: Vec<Json> = strategies.collect();
    let spans: Vec<Json> =
        contest.splits.iter().map(|split| json!({"train": split.train, "test": split.test})).collect();
    if json {
        let document = json!({
            "dry_run": true, "name": contest.spec.name, "synthetic": contest.is_synthetic(), "runs": contest.runs.len(),
            "strategies": strategies, "windows": spans,
        });
        print::out(&serde_json::to_string_pretty(&document)?);
        return Ok(());
    }
    let rows = strategies.iter().map(|row| {
        ["strategy", "variants", "markets", "from"]
            .map(|key| match &row[key] {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            })
            .to_vec()
    });
    let heads = ["strategy", "variants", "markets", "from"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(heads).chain(rows).collect();
    let sealed = contest.sealed_from.map(|from| {
        format!("\nWhat closes after {} is the holdout and is not read.", tiltyard_market::format_time(from))
    });
    print::out(&format!(
        "{}: {} runs on {} windows would be run\n\n{}{}",
        contest.spec.name,
        contest.runs.len(),
        contest.splits.len(),
        print::table(&rows),
        sealed.unwrap_or_default(),
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_that_help_shows_is_one() {
        let spec = tiltyard_tournament::Spec::parse("first.toml", include_str!("first.toml")).unwrap();
        assert_eq!((spec.strategies.len(), spec.rules), (2, tiltyard_tournament::Rules::default()));
    }
}
