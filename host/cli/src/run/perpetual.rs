//! What a run says of perpetuals and of spot on margin: their margin, marks and funding, and what borrowing costs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tiltyard_engine::{FundingRate, MarginMode, MarginTerms, PerpetualSeries};
use tiltyard_market::{Series, format_time, read_bars, read_funding};
use tiltyard_model::{Decimal, Digester, Instrument, InstrumentKind, MarginRules, MarginTier, Nanos, decimal, to_f64};

/// How perpetuals, and spot on margin, are played.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PerpetualArgs {
    /// Whether the instruments are owned, are perpetual futures that settle in the currency of their prices, or are spot that is
    /// bought and sold with what is borrowed; by default what a workspace's rules say, else spot.
    #[arg(long)]
    kind: Option<Kind>,
    /// Notional ÷ initial margin of what is held on margin; by default the most that a workspace's rules allow, else 1.
    #[arg(long, value_name = "N")]
    leverage: Option<f64>,
    /// What stands for a position: all cash and the profit of all that is held on margin, or its own, which is all it can lose.
    #[arg(long, value_name = "MODE")]
    margin: Option<Mode>,
    /// Maintenance margin as a fraction of notional, whatever the size; by default the tiers of a workspace's rules, else half
    /// of 1 ÷ the largest leverage.
    #[arg(long, value_name = "RATE")]
    maintenance: Option<f64>,
    /// Fee of a liquidation on top of the taker's, in basis points of what is closed; by default what a workspace's rules say,
    /// else none.
    #[arg(long, value_name = "BPS")]
    liquidation_fee_bps: Option<f64>,
    /// Interest of a day on borrowed quote currency, in basis points: what spot on margin is bought with beyond its cash; by default
    /// what a workspace's rules say, else none.
    #[arg(long, value_name = "BPS")]
    borrow_quote_bps: Option<f64>,
    /// Interest of a day on borrowed base currency, in basis points: what spot on margin is sold short with; by default what a
    /// workspace's rules say, else none.
    #[arg(long, value_name = "BPS")]
    borrow_base_bps: Option<f64>,
    /// Funding of each symbol, in the order of the symbols: CSV with the heads time,rate, the fraction of notional that longs pay
    /// shorts. Without it there is none.
    #[arg(long = "funding", value_name = "FILE.csv")]
    funding: Vec<PathBuf>,
    /// Bars of mark prices of each symbol, in the order of the symbols, as --data reads them; they liquidate and value positions.
    /// Without them the last price is the mark.
    #[arg(long = "marks", value_name = "FILE")]
    marks: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Spot,
    Perpetual,
    SpotMargin,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Mode {
    Cross,
    Isolated,
}

/// What was asked for, as it is saved with a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Perpetual {
    kind: Option<InstrumentKind>,
    leverage: Option<f64>,
    margin: MarginMode,
    maintenance: Option<f64>,
    /// A fraction.
    liquidation_fee: Option<f64>,
    /// Of a day, a fraction.
    #[serde(skip_serializing_if = "Option::is_none")]
    borrow_quote: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    borrow_base: Option<f64>,
    funding: Vec<PathBuf>,
    marks: Vec<PathBuf>,
}

impl PerpetualArgs {
    pub(crate) fn request(&self) -> Result<Perpetual> {
        let fraction = |flag: &str, points: Option<f64>| {
            let exact = |points| decimal(points).with_context(|| format!("{flag} {points} is no number"));
            let fraction = |points| anyhow::Ok(to_f64(exact(points)? / Decimal::from(10_000)));
            points.map(fraction).transpose()
        };
        Ok(Perpetual {
            kind: self.kind.map(|kind| match kind {
                Kind::Spot => InstrumentKind::Spot,
                Kind::Perpetual => InstrumentKind::Perpetual,
                Kind::SpotMargin => InstrumentKind::SpotMargin,
            }),
            leverage: self.leverage,
            margin: match self.margin {
                None | Some(Mode::Cross) => MarginMode::Cross,
                Some(Mode::Isolated) => MarginMode::Isolated,
            },
            maintenance: self.maintenance,
            liquidation_fee: fraction("--liquidation-fee-bps", self.liquidation_fee_bps)?,
            borrow_quote: fraction("--borrow-quote-bps", self.borrow_quote_bps)?,
            borrow_base: fraction("--borrow-base-bps", self.borrow_base_bps)?,
            funding: self.funding.clone(),
            marks: self.marks.clone(),
        })
    }
}

impl Perpetual {
    /// Whether nothing was asked for.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether marks or funding come from files.
    pub(crate) fn has_series(&self) -> bool {
        !self.marks.is_empty() || !self.funding.is_empty()
    }

    /// Whether the numbers make sense, wherever the request comes from.
    pub(crate) fn check(&self, symbols: usize) -> Result<()> {
        let within = |what: &str, value: Option<f64>, least: f64, most: f64| {
            let fits = value.is_none_or(|value| (least..=most).contains(&value));
            ensure!(fits, "{what} {} is out of bounds; it takes {least} to {most}", value.unwrap_or_default());
            Ok(())
        };
        within("--leverage", self.leverage, 1.0, 1_000.0)?;
        within("--maintenance", self.maintenance, 1e-6, 1.0)?;
        within("--liquidation-fee-bps", self.liquidation_fee.map(|fee| fee * 1e4), 0.0, 1_000.0)?;
        within("--borrow-quote-bps", self.borrow_quote.map(|rate| rate * 1e4), 0.0, 1_000.0)?;
        within("--borrow-base-bps", self.borrow_base.map(|rate| rate * 1e4), 0.0, 1_000.0)?;
        for (flag, files) in [("--funding", &self.funding), ("--marks", &self.marks)] {
            ensure!(
                files.is_empty() || files.len() == symbols,
                "{symbols} --symbol and {} {flag} were given; give one file for each symbol, in the same order, or none",
                files.len()
            );
        }
        Ok(())
    }

    /// On what margin the run's instruments are held.
    pub(crate) fn terms(&self) -> Result<MarginTerms> {
        let exact = |leverage: f64| decimal(leverage).with_context(|| format!("--leverage {leverage} is no number"));
        Ok(MarginTerms { mode: self.margin, leverage: self.leverage.map(exact).transpose()? })
    }

    /// The flags that were given and that such an instrument does not take.
    fn out_of_place(&self, kind: InstrumentKind) -> Vec<&'static str> {
        use InstrumentKind::{Perpetual, SpotMargin};
        let (margined, lent, funded) = (kind.is_margined(), kind == SpotMargin, kind == Perpetual);
        let given = [
            ("--leverage", !margined && self.leverage.is_some()),
            ("--margin isolated", !margined && self.margin == MarginMode::Isolated),
            ("--maintenance", !margined && self.maintenance.is_some()),
            ("--liquidation-fee-bps", !margined && self.liquidation_fee.is_some()),
            ("--borrow-quote-bps", !lent && self.borrow_quote.is_some()),
            ("--borrow-base-bps", !lent && self.borrow_base.is_some()),
            ("--funding", !funded && !self.funding.is_empty()),
            ("--marks", !funded && !self.marks.is_empty()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }

    /// Changes the rules of an instrument to what was asked for. Answers with the names of what changed.
    pub(crate) fn apply(&self, instrument: &mut Instrument, stress: bool) -> Result<Vec<&'static str>> {
        let symbol = instrument.symbol.clone();
        let mut changed = Vec::new();
        if let Some(kind) = self.kind.filter(|kind| *kind != instrument.kind) {
            instrument.kind = kind;
            instrument.margin = MarginRules::default();
            instrument.max_leverage = if kind == InstrumentKind::Spot { 1.0 } else { self.leverage.unwrap_or(1.0) };
            ensure!(
                kind != InstrumentKind::SpotMargin || instrument.max_leverage > 1.0,
                "--kind spot-margin lends nothing without leverage; add --leverage of more than 1, such as 3"
            );
            changed.push("kind");
        }
        let wrong = self.out_of_place(instrument.kind);
        if !wrong.is_empty() {
            let (is, remedy) = match instrument.kind {
                InstrumentKind::Spot => ("spot", "add --kind perpetual or --kind spot-margin, or leave them out"),
                InstrumentKind::Perpetual => ("a perpetual", "leave them out, or add --kind spot-margin"),
                InstrumentKind::SpotMargin => ("spot on margin", "leave them out, or add --kind perpetual"),
            };
            bail!("{symbol} is {is}, which does not take {}; {remedy}", wrong.join(", "));
        }
        if !instrument.kind.is_margined() {
            return Ok(changed);
        }
        let most = instrument.max_leverage;
        if let Some(leverage) = self.leverage.filter(|leverage| *leverage > most) {
            bail!("--leverage {leverage} is more than the {most} that the venue allows for {symbol}");
        }
        if let Some(maintenance) = self.maintenance {
            ensure!(
                maintenance * most < 1.0,
                "--maintenance {maintenance} is not below 1 ÷ {most}, the initial margin of {symbol} at the largest leverage"
            );
            instrument.margin.tiers = vec![MarginTier { up_to: None, maintenance, max_leverage: most }];
            changed.push("maintenance");
        }
        if let Some(fee) = self.liquidation_fee {
            instrument.margin.liquidation_fee = fee;
            changed.push("liquidation fee");
        }
        let borrowing = &mut instrument.margin.borrowing;
        for (rate, asked) in [(&mut borrowing.quote, self.borrow_quote), (&mut borrowing.base, self.borrow_base)] {
            *rate = asked.unwrap_or(*rate);
        }
        if self.borrow_quote.or(self.borrow_base).is_some() {
            changed.push("borrowing");
        }
        if stress {
            // No venue takes more than a tenth.
            instrument.margin.liquidation_fee = (instrument.margin.liquidation_fee * 2.0).min(0.1);
        }
        Ok(changed)
    }

    /// Marks and funding of the instrument that stands at this place, and what the manifest says of them. Every bar from the
    /// first that is played needs its mark.
    pub(crate) fn series(&self, at: usize, played: &[i64], interval: Nanos) -> Result<(PerpetualSeries, Json)> {
        let mut said = serde_json::Map::new();
        let marks = self.marks.get(at).map(|path| marks(path, played, interval)).transpose()?;
        if let Some(marks) = &marks {
            said.insert("marks".to_owned(), json!({"digest": marks.digest(), "bars": marks.bars.len()}));
        }
        let mut funding = Vec::new();
        if let Some(path) = self.funding.get(at) {
            let payments = read_funding(path)?;
            let mut digester = Digester::default();
            for (time, rate) in &payments {
                digester.nanos(*time).text(&rate.to_string());
            }
            funding.extend(payments.into_iter().map(|(time, rate)| FundingRate { time, rate }));
            let made = reaches(path, &funding, played, interval)?;
            said.insert("funding".to_owned(), json!({"digest": digester.finish(), "payments": made}));
        }
        let marks = marks.map(|marks| Arc::new(marks.bars));
        Ok((PerpetualSeries { marks, funding: funding.into() }, Json::Object(said)))
    }
}

/// How many payments fall into the bars that are played. Those that are there have to reach over all of them: what is left out would
/// be taken for no funding.
fn reaches(path: &Path, funding: &[FundingRate], played: &[i64], interval: Nanos) -> Result<usize> {
    let (Some(first), Some(last)) = (played.first(), played.last()) else { return Ok(0) };
    let (begin, end) = (Nanos(*first), Nanos(*last) + interval);
    let made = funding.iter().filter(|payment| payment.time > begin && payment.time <= end).count();
    // Payments come at equal distances; where there is but one, at that of most venues.
    let mut between: Vec<i64> = funding.windows(2).map(|pair| (pair[1].time - pair[0].time).0).collect();
    between.sort_unstable();
    let usual = between.get(between.len() / 2).copied().map_or(Nanos::from_hours(8), Nanos);
    let covers = |from: Nanos, to: Nanos| from <= begin + usual && end <= to + usual;
    let (Some(from), Some(to)) = (funding.first(), funding.last()) else {
        bail!("{}: no payment in it", path.display())
    };
    ensure!(
        covers(from.time, to.time),
        "{}: its payments go from {} to {}, the bars that are played from {} to {}; without a rate funding would be taken for 0",
        path.display(),
        format_time(from.time),
        format_time(to.time),
        format_time(begin),
        format_time(end)
    );
    Ok(made)
}

/// Bars of mark prices that have one for every bar that is played.
fn marks(path: &Path, played: &[i64], interval: Nanos) -> Result<Series> {
    let marks = Series::new(read_bars(path)?, interval)?;
    let there = marks.bars.open_time();
    let missing: Vec<i64> = played.iter().copied().filter(|open| there.binary_search(open).is_err()).collect();
    if let Some(first) = missing.first() {
        bail!(
            "{} has no mark of {} of the bars that are played; the first that lacks one opens at {}",
            path.display(),
            missing.len(),
            format_time(Nanos(*first))
        );
    }
    Ok(marks)
}
