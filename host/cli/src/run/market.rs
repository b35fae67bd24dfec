//! The market of a run: bars from files or from a workspace's catalog, and the rules of their instruments.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use serde_json::Value as Json;
use tiltyard_engine::{PerpetualSeries, Simulation, Traded, Window};
use tiltyard_market::{
    ASSUMED_FEE, Catalog, CatalogError, Instruments, Key, RawBars, Report, Series, format_time, infer_instrument,
    read_bars,
};
use tiltyard_model::{Columns, Digest, Instrument, Interval, Manifest, Nanos, to_f64};

use super::request::{Data, Request};
use crate::workspace::Workspace;

/// The market of a request, read and checked.
pub(crate) struct Market {
    pub(crate) simulation: Simulation,
    pub(crate) settlement: String,
    pub(crate) sources: Vec<Source>,
}

/// Where an instrument's bars and rules come from.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Source {
    /// `file` or `catalog`.
    from: &'static str,
    pub(crate) digest: Digest,
    pub(crate) bars: usize,
    /// Whether the prices are made up, as far as the data say.
    pub(crate) synthetic: bool,
    pub(crate) report: Report,
    /// Where the rules come from, in words.
    #[serde(skip)]
    pub(crate) rules: String,
    /// Marks and funding, as the manifest has them; empty where there are none.
    #[serde(skip)]
    pub(crate) perpetual: Json,
}

impl Market {
    /// Reads the data of a request, from files or from this workspace.
    pub(crate) fn read(request: &Request, manifest: &Manifest, workspace: Option<&Workspace>) -> Result<Self> {
        let Some(Interval::Only(interval)) = request.interval else { bail!("bars of any length cannot be played") };
        let shelf = workspace.map(Shelf::of).transpose()?;
        let window =
            Window { from: request.from, to: request.to, warm_up_bars: manifest.warm_up_of_run(), close_at_end: false };
        let mut market = Vec::new();
        let mut sources: Vec<Source> = Vec::new();
        for (at, symbol) in request.symbols.iter().enumerate() {
            let (series, mut source) = match (&request.data, &shelf) {
                (Data::Files(files), _) => from_file(&files[at], interval)?,
                (Data::Catalog { ends, .. }, Some(shelf)) => {
                    shelf.series(&Key::new(&request.venue, symbol, Interval::Only(interval))?, ends.get(at).copied())?
                }
                (Data::Catalog { .. }, None) => bail!("the bars of {symbol} are in a workspace, and there is none"),
                (Data::Tapes { .. }, _) => bail!("a tape has no bars"),
            };
            let rulebook = shelf.as_ref().map(|shelf| &shelf.rulebook);
            let (instrument, rules) = instrument(request, symbol, &series.bars, interval, rulebook)?;
            source.rules = rules;
            sources.push(source);
            let bars = Arc::new(series.bars);
            let mut traded = Traded {
                instrument,
                interval,
                bars,
                ends: request.delist_at_end,
                perpetual: PerpetualSeries::default(),
            };
            let lane = traded.lane(&window);
            let played = &traded.bars.open_time()[lane.from..lane.to];
            let (perpetual, said) = request.perpetual.series(at, played, interval)?;
            traded.perpetual = perpetual;
            if let Some(source) = sources.last_mut() {
                source.perpetual = said;
            }
            market.push(traded);
        }
        let settlement = settlement(market.iter().map(|traded| &traded.instrument))?;
        let simulation = Simulation {
            market,
            window,
            profile: request.profile.unwrap_or_default(),
            costs: request.costs,
            latency: request.latency,
            risk: request.risk.clone(),
            margin: request.perpetual.terms()?,
            seed: request.seed,
            days_per_year: request.days_per_year,
        };
        if let Err(error) = simulation.check_window() {
            bail!(window_error(&error));
        }
        Ok(Self { simulation, settlement, sources })
    }

    /// When the last bar of each series closes.
    pub(crate) fn ends(&self) -> Vec<Nanos> {
        self.simulation.market.iter().map(|traded| end(&traded.bars, traded.interval)).collect()
    }
}

fn from_file(path: &Path, interval: Nanos) -> Result<(Series, Source)> {
    let raw = read_bars(path)?;
    let synthetic = raw.detected().synthetic.is_some();
    let series = Series::new(raw, interval)?;
    let source = Source::of(&series, "file", synthetic);
    Ok((series, source))
}

impl Source {
    fn of(series: &Series, from: &'static str, synthetic: bool) -> Self {
        let (digest, bars, report) = (series.digest(), series.bars.len(), series.report.clone());
        Self { from, digest, bars, synthetic, report, rules: String::new(), perpetual: Json::Null }
    }
}

/// What a workspace has of markets.
struct Shelf {
    catalog: Catalog,
    rulebook: Rulebook,
}

/// Rules of instruments, and what they are called.
struct Rulebook {
    instruments: Instruments,
    name: String,
}

impl Shelf {
    fn of(workspace: &Workspace) -> Result<Self> {
        let rulebook = Rulebook { instruments: workspace.instruments()?, name: workspace.instruments_name() };
        Ok(Self { catalog: workspace.catalog()?, rulebook })
    }

    /// A series, up to this end of it.
    fn series(&self, key: &Key, until: Option<Nanos>) -> Result<(Series, Source)> {
        let stored = match self.catalog.series(key) {
            Err(CatalogError::Unknown { .. }) => bail!(self.missing(key)),
            stored => stored?,
        };
        let closed = |open: i64| until.is_none_or(|until| Nanos(open) + key.length() <= until);
        let count = stored.bars.open_time().partition_point(|open| closed(*open));
        let bars = stored.bars.slice(0..count);
        let series = Series::new(RawBars::of(&key.to_string(), bars.iter()), key.length())?;
        let source = Source::of(&series, "catalog", stored.about.synthetic.is_some());
        Ok((series, source))
    }

    /// What there is instead, and what to do.
    fn missing(&self, key: &Key) -> String {
        /// Series that are named at most.
        const NAMED: usize = 12;
        let entries = self.catalog.list().unwrap_or_default().into_iter();
        let mut known: Vec<_> = entries.filter_map(|entry| entry.about.ok()).collect();
        // Those of the same symbol first.
        known.sort_by_key(|about| about.symbol != key.symbol());
        let names =
            known.iter().take(NAMED).map(|about| format!("{} {} {}", about.venue, about.symbol, about.interval));
        let names = names.collect::<Vec<_>>().join(", ");
        let there = match known.len() {
            0 => "has no series yet".to_owned(),
            count if count > NAMED => format!("has {names} and {} more", count - NAMED),
            _ => format!("has {names}"),
        };
        format!(
            "{key} is not in the catalog {}, which {there}; import it with `tiltyard data import FILE --symbol {} --venue {} \
             --interval {}`, or give its bars with --data FILE",
            self.catalog.folder().display(),
            key.symbol(),
            key.venue(),
            key.interval(),
        )
    }
}

/// An instrument as it is known at the end of the run, and where that comes from. Of what comes after, not even the decimals
/// may be known.
fn instrument(
    request: &Request,
    symbol: &str,
    bars: &Columns,
    interval: Nanos,
    rulebook: Option<&Rulebook>,
) -> Result<(Instrument, String)> {
    let seen =
        request.to.map_or(bars.len(), |to| bars.open_time().partition_point(|open| Nanos(*open) + interval <= to));
    let seen = bars.slice(0..seen);
    let end = end(&seen, interval);
    let ruled = rulebook.and_then(|book| Some((book.instruments.at_end(&request.venue, symbol, end, end)?, book)));
    match ruled {
        Some((rules, book)) => {
            let since = format_time(rules.from);
            let from = format!("as the venue has them since {since} ({})", book.name);
            given(request, rules.instrument.clone(), Some(from))
        }
        None => given(request, infer_instrument(symbol, &request.venue, &seen, ASSUMED_FEE, ASSUMED_FEE), None),
    }
}

/// The instrument with what was asked for instead of its rules, and where its rules come from: in these words, or inferred.
pub(super) fn given(
    request: &Request,
    mut instrument: Instrument,
    mut from: Option<String>,
) -> Result<(Instrument, String)> {
    match request.fee {
        Some(fee) => (instrument.maker_fee, instrument.taker_fee) = (to_f64(fee), to_f64(fee)),
        None if request.stress => {
            for fee in [&mut instrument.maker_fee, &mut instrument.taker_fee] {
                *fee += fee.max(0.0);
            }
        }
        None => {}
    }
    let given = [("tick", request.tick), ("lot", request.lot), ("least order", request.min_notional)];
    for (field, (_, value)) in
        [&mut instrument.tick, &mut instrument.lot, &mut instrument.min_notional].into_iter().zip(given)
    {
        *field = value.unwrap_or(*field);
    }
    let changed = request.perpetual.apply(&mut instrument, request.stress)?;
    if let Some(from) = &mut from {
        let given = given.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name);
        let given: Vec<_> = given.chain(request.fee.map(|_| "fee")).chain(changed).collect();
        if !given.is_empty() {
            from.push_str(&format!(", but {} as given", given.join(", ")));
        }
    }
    Ok((instrument, from.unwrap_or_else(|| inferred(request).to_owned())))
}

/// Where ticks and lots come from that no rules say.
fn inferred(request: &Request) -> &'static str {
    match (request.tick, request.lot) {
        (Some(_), Some(_)) => "as given",
        (None, None) => "inferred from the data; what the venue's rules were is not known",
        _ => "in part as given, in part inferred from the data; what the venue's rules were is not known",
    }
}

/// The currency that all of these are priced in.
pub(super) fn settlement<'a>(instruments: impl IntoIterator<Item = &'a Instrument>) -> Result<String> {
    let mut settlement: Option<&String> = None;
    for Instrument { symbol, quote, .. } in instruments {
        let before = *settlement.get_or_insert(quote);
        ensure!(before == quote, "{symbol} is priced in {quote}, the others in {before}; an account has one currency");
    }
    Ok(settlement.cloned().unwrap_or_default())
}

/// When the last bar closes.
fn end(bars: &Columns, interval: Nanos) -> Nanos {
    bars.open_time().last().map_or(Nanos::default(), |open| Nanos(*open) + interval)
}

/// The error with dates instead of nanoseconds.
fn window_error(error: &tiltyard_engine::WindowError) -> String {
    use tiltyard_engine::WindowError;
    match error {
        WindowError::Backwards { from, to } => {
            format!("--to {} is not after --from {}", format_time(*to), format_time(*from))
        }
        WindowError::Empty { symbol, first, last } => format!(
            "no bar of {symbol} lies between --from and --to; its data goes from {} to {}",
            format_time(*first),
            format_time(*last)
        ),
    }
}
