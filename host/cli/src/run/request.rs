use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tiltyard_engine::venue::{Costs, Latency};
use tiltyard_engine::{Basis, Entry, Event, Profile, TapeSimulation};
use tiltyard_market::parse_date;
use tiltyard_model::{Decimal, Interval, Manifest, Nanos, Value, decimal, to_f64};
use tiltyard_risk::RiskProfile;

use super::perpetual::{Perpetual, PerpetualArgs};
use crate::workspace::Workspace;
use crate::{print, profile};

/// Which run it is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RunArgs {
    /// The strategy: a `.wasm` file, a name in the workspace's `strategies`, or an example.
    #[arg(value_name = "NAME|FILE")]
    component: PathBuf,
    /// What it trades; several for a strategy of several instruments.
    #[arg(long = "symbol", value_name = "SYMBOL", required = true)]
    symbols: Vec<String>,
    /// The length of a bar, such as 1m, 1h or 1d.
    #[arg(long, required = true)]
    interval: Option<String>,
    /// The venue; by default the workspace's, and `binance` for files.
    #[arg(long)]
    venue: Option<String>,
    /// Bars of each symbol from files, in the order of the symbols: CSV with columns timestamp (open time), open, high, low,
    /// close and volume, or whatever else `tiltyard data import` reads. By default they come from the workspace.
    #[arg(long = "data", value_name = "FILE")]
    data: Vec<PathBuf>,
    /// The workspace with the bars; by default the nearest folder upward with a tiltyard.toml.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    workspace: Option<PathBuf>,
    /// Play bars that open at this time (UTC) or later; earlier ones are for warming up.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Play bars that close at this time (UTC) or earlier; of a tape, what was received by then.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// A parameter of the strategy; the others have their defaults.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// The rules by which orders fill.
    #[arg(long, default_value = "conservative")]
    profile: String,
    /// Smallest step of prices; by default the one that a workspace's rules have at the end of the run, else the finest that the
    /// data show up to there.
    #[arg(long, value_name = "STEP")]
    tick: Option<f64>,
    /// Smallest step of quantities; by default as that of prices.
    #[arg(long, value_name = "STEP")]
    lot: Option<f64>,
    /// Least value of an order that opens something; by default what a workspace's rules say, else none.
    #[arg(long, value_name = "AMOUNT")]
    min_notional: Option<f64>,
    /// Cash to begin with, in the currency that prices are in.
    #[arg(long, default_value_t = 1_000_000.0)]
    cash: f64,
    /// Fee of every trade, in basis points of its value; by default what a workspace's rules say, else 5.
    #[arg(long, value_name = "BPS", allow_negative_numbers = true)]
    fee_bps: Option<f64>,
    /// Slippage of every trade that takes liquidity, in basis points of the price; by default 5, and none with a profile that
    /// follows another engine.
    #[arg(long, value_name = "BPS")]
    slippage_bps: Option<f64>,
    /// Half of the spread between bid and ask, in basis points of the price.
    #[arg(long, default_value_t = 0.0, value_name = "BPS")]
    half_spread_bps: f64,
    /// Impact of an order as large as its bar's volume, in basis points; smaller orders by the square root of their share.
    #[arg(long, default_value_t = 0.0, value_name = "BPS")]
    impact_bps: f64,
    /// Double fees, spread, slippage and impact.
    #[arg(long)]
    stress: bool,
    /// Time from order to venue, in milliseconds; bars round it up to the next one, a tape does not.
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u32).range(..=86_400_000))]
    latency_ms: u32,
    /// Up to this much more latency, drawn from the seed.
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u32).range(..=86_400_000))]
    latency_jitter_ms: u32,
    /// The limits that orders pass: `research` has only the rules that are always on, `account` those that verdicts, paper and
    /// live trading require, in a workspace by its risk.toml; or a TOML file with another profile.
    #[arg(long, default_value = "research", value_name = "research|account|FILE")]
    risk: String,
    #[command(flatten)]
    perpetual: PerpetualArgs,
    /// What random numbers are drawn from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Trading days a year, for annual figures: 252 is the convention of equities.
    #[arg(long, default_value_t = 365.0, value_name = "DAYS")]
    periods_per_year: f64,
    /// The instruments end with their last bar: what is held is closed there.
    #[arg(long)]
    delist_at_end: bool,
    /// Where compiled code is kept; by default the user's cache folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
}

/// Everything that a run depends on, as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) component: PathBuf,
    pub(crate) symbols: Vec<String>,
    /// The length of a bar; absent on a tape, which has none.
    pub(crate) interval: Option<Interval>,
    pub(crate) venue: String,
    pub(crate) data: Data,
    pub(crate) from: Option<Nanos>,
    pub(crate) to: Option<Nanos>,
    pub(crate) params: Vec<String>,
    /// How orders fill on bars; absent on a tape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<Profile>,
    pub(crate) cash: f64,
    /// A fraction of the value, doubled already if costs are; absent where each instrument has its own.
    pub(crate) fee: Option<Decimal>,
    /// Whether an instrument's own fees are doubled.
    #[serde(default)]
    pub(crate) stress: bool,
    pub(crate) tick: Option<f64>,
    pub(crate) lot: Option<f64>,
    pub(crate) min_notional: Option<f64>,
    pub(crate) costs: Costs,
    pub(crate) latency: Latency,
    pub(crate) risk: RiskProfile,
    #[serde(default, skip_serializing_if = "Perpetual::is_default")]
    pub(crate) perpetual: Perpetual,
    pub(crate) seed: u64,
    pub(crate) days_per_year: f64,
    pub(crate) delist_at_end: bool,
}

/// Where the bars are, or the tapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Data {
    /// A file for each symbol.
    Files(Vec<PathBuf>),
    /// A recording for each symbol: no bars, but what the venue published.
    Tapes { tapes: Vec<PathBuf> },
    /// In a workspace's catalog.
    Catalog {
        workspace: PathBuf,
        /// When the last bar of each symbol closed; empty for whatever there is. A series may have grown since a run was saved.
        #[serde(default)]
        ends: Vec<Nanos>,
    },
}

/// The venue of files of which nobody says one.
const VENUE: &str = "binance";
/// Fee of every trade of files of which nobody says one, in basis points.
const FEE_BPS: f64 = 5.0;

impl RunArgs {
    /// The request that these arguments make, on bars.
    pub(crate) fn request(&self) -> Result<Request> {
        self.request_on(&[])
    }

    /// The request that these arguments make: on tapes, if there are any.
    pub(crate) fn request_on(&self, tapes: &[PathBuf]) -> Result<Request> {
        let basis_points = |what: &str, value: f64| -> Result<Decimal> {
            let exact = decimal(value).with_context(|| format!("--{what} {value} is no number that can be used"))?;
            Ok(exact / Decimal::from(10_000))
        };
        let (data, venue) = self.source(tapes)?;
        let on_tapes = matches!(data, Data::Tapes { .. });
        let profile = if on_tapes { None } else { Some(fills(&self.profile)?) };
        let slippage = self.slippage_bps.map(|slippage| basis_points("slippage-bps", slippage)).transpose()?;
        let costs = Costs {
            half_spread: basis_points("half-spread-bps", self.half_spread_bps)?,
            slippage: slippage.unwrap_or(profile.map_or(Costs::none(), Profile::default_costs).slippage),
            impact: basis_points("impact-bps", self.impact_bps)?,
        };
        // Rules say fees; files have none.
        let fee_bps = self.fee_bps.or_else(|| (!matches!(data, Data::Catalog { .. })).then_some(FEE_BPS));
        let fee = fee_bps.map(|fee| basis_points("fee-bps", fee)).transpose()?;
        // A rebate is no cost: doubled it would help.
        let stressed = |fee: Decimal| if fee > Decimal::ZERO { fee + fee } else { fee };
        let date = |text: &Option<String>, flag: &str| {
            text.as_deref().map(|text| parse_date(text).with_context(|| format!("--{flag}"))).transpose()
        };
        let request = Request {
            component: self.component.clone(),
            symbols: self.symbols.clone(),
            interval: self.interval.clone().map(interval).transpose()?,
            venue,
            data,
            from: date(&self.from, "from")?,
            to: date(&self.to, "to")?,
            params: self.params.clone(),
            profile,
            cash: self.cash,
            fee: if self.stress { fee.map(stressed) } else { fee },
            stress: self.stress,
            tick: self.tick,
            lot: self.lot,
            min_notional: self.min_notional,
            costs: if self.stress { costs.doubled() } else { costs },
            latency: Latency {
                fixed: Nanos(i64::from(self.latency_ms) * 1_000_000),
                jitter: Nanos(i64::from(self.latency_jitter_ms) * 1_000_000),
            },
            risk: self.limits()?,
            perpetual: self.perpetual.request()?,
            seed: self.seed,
            days_per_year: self.periods_per_year,
            delist_at_end: self.delist_at_end,
        };
        request.check()?;
        Ok(request)
    }

    /// The limits that orders pass. A workspace's own are said, since the name does not tell them from those that are built in.
    fn limits(&self) -> Result<RiskProfile> {
        let workspace = match &self.workspace {
            Some(folder) => Some(Workspace::find(Some(folder))?),
            None => Workspace::find(None).ok(),
        };
        let found = profile::named(&self.risk, workspace.as_ref())?;
        if let (Some(file), "account") = (&found.file, self.risk.as_str()) {
            print::note(&format!("risk profile account: {}", file.display()));
        }
        Ok(found.profile)
    }

    /// Where the bars are, and the name of their venue.
    fn source(&self, tapes: &[PathBuf]) -> Result<(Data, String)> {
        if !tapes.is_empty() {
            let venue = self.venue.clone().unwrap_or_else(|| VENUE.to_owned());
            return Ok((Data::Tapes { tapes: tapes.to_vec() }, venue));
        }
        if !self.data.is_empty() {
            return Ok((Data::Files(self.data.clone()), self.venue.clone().unwrap_or_else(|| VENUE.to_owned())));
        }
        let workspace = Workspace::find(self.workspace.as_deref())
            .context("bars that are not given with --data come from a workspace")?;
        let venue = workspace.venue(self.venue.as_deref()).to_owned();
        Ok((Data::Catalog { workspace: workspace.folder()?, ends: Vec::new() }, venue))
    }
}

fn interval(text: String) -> Result<Interval> {
    let interval = Interval::try_from(text).map_err(anyhow::Error::msg)?;
    ensure!(interval != Interval::Any, "--interval any is no length; give one such as 1h");
    Ok(interval)
}

fn fills(name: &str) -> Result<Profile> {
    let names = Profile::ALL.map(|profile| (profile.rules(Costs::none()).name(), profile));
    let known = names.map(|(name, _)| name).join(", ");
    let found = names.into_iter().find(|(known, _)| *known == name);
    Ok(found.with_context(|| format!("no profile is named `{name}`; there is {known}"))?.1)
}

impl Request {
    /// Whether the numbers make sense, wherever the request comes from.
    pub(crate) fn check(&self) -> Result<()> {
        let within = |what: &str, value: f64, least: f64, most: f64| {
            ensure!((least..=most).contains(&value), "{what} {value} is out of bounds; it takes {least} to {most}");
            Ok(())
        };
        let basis_points = |fraction: Decimal| to_f64(fraction) * 10_000.0;
        within("--cash", self.cash, 0.0, 1e12)?;
        within("--fee-bps", self.fee.map(basis_points).unwrap_or_default(), -100.0, 1_000.0)?;
        within("--half-spread-bps", basis_points(self.costs.half_spread), 0.0, 2_000.0)?;
        within("--slippage-bps", basis_points(self.costs.slippage), 0.0, 2_000.0)?;
        within("--impact-bps", basis_points(self.costs.impact), 0.0, 2_000.0)?;
        within("--periods-per-year", self.days_per_year, 1.0, 366.0)?;
        within("--latency-ms", self.latency.fixed.0 as f64 / 1e6, 0.0, 86_400_000.0)?;
        within("--latency-jitter-ms", self.latency.jitter.0 as f64 / 1e6, 0.0, 86_400_000.0)?;
        self.perpetual.check(self.symbols.len())?;
        let problems = self.risk.problems();
        ensure!(problems.is_empty(), "the risk profile {}: {}", self.risk.name, problems.join("; "));
        let of_bars = self.interval.is_some() || self.from.is_some() || self.profile.is_some() || self.delist_at_end;
        let on_tapes = matches!(self.data, Data::Tapes { .. });
        ensure!(
            !(on_tapes && (of_bars || self.perpetual.has_series())),
            "a tape has no bars, and so no interval, --from, fill profile, marks, funding or delisting"
        );
        match &self.data {
            Data::Files(files) => ensure!(
                files.len() == self.symbols.len(),
                "{} --symbol and {} --data were given; give one file for each symbol, in the same order",
                self.symbols.len(),
                files.len()
            ),
            Data::Tapes { tapes } => ensure!(
                tapes.len() == self.symbols.len(),
                "{} --symbol and {} --tape were given; give one tape for each symbol, in the same order",
                self.symbols.len(),
                tapes.len()
            ),
            Data::Catalog { ends, .. } => ensure!(
                ends.is_empty() || ends.len() == self.symbols.len(),
                "{} symbols, and {} ends of their series",
                self.symbols.len(),
                ends.len()
            ),
        }
        for (at, symbol) in self.symbols.iter().enumerate() {
            ensure!(!self.symbols[..at].contains(symbol), "--symbol {symbol} is given twice");
        }
        Ok(())
    }

    /// The values of the parameters that were given.
    pub(crate) fn parameters(&self, manifest: &Manifest) -> Result<Vec<(String, Value)>> {
        self.params.iter().map(|given| parameter(manifest, given)).collect()
    }

    /// What metrics depend on, as far as a log of events tells.
    pub(crate) fn basis(&self, entries: &[Entry]) -> Result<Basis> {
        if matches!(self.data, Data::Tapes { .. }) {
            let begin = entries.first().map(|entry| entry.time).unwrap_or_default();
            let (interval, days_per_year) = (TapeSimulation::SAMPLING, self.days_per_year);
            return Ok(Basis { begin, interval, sampled: true, days_per_year });
        }
        let Some(Interval::Only(interval)) = self.interval else { bail!("bars of any length cannot be played") };
        let open = |entry: &Entry| match entry.event {
            Event::Bar { open_time, .. } => Some(open_time),
            _ => None,
        };
        let first = entries.iter().filter_map(open).min().unwrap_or_default();
        let begin = self.from.unwrap_or_default().max(first);
        Ok(Basis { begin, interval, sampled: false, days_per_year: self.days_per_year })
    }
}

/// A parameter as it stands on a command line.
pub(crate) fn parameter(manifest: &Manifest, given: &str) -> Result<(String, Value)> {
    let (name, value) = given.split_once('=').with_context(|| format!("`{given}` is not of the form NAME=VALUE"))?;
    Ok((name.to_owned(), manifest.parameter(name)?.parse(value)?))
}
