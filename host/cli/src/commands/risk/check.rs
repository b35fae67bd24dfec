use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use tiltyard_market::{Instruments, format_time};
use tiltyard_model::{InstrumentIndex, InstrumentKind, Money, Qty, Ticket, Violation};
use tiltyard_risk::{
    Account, AccountGuard, Correlations, Fraction, Open, Permission, Proposal, Recent, RiskProfile, Situation, Stake,
    Standing as StandingOrder, StrategyGuard, Verdict, paid, part_exit_from_entry, right_side,
};
use tiltyard_store::Kept;

use super::question::{Asked, Holding, OpenOrder, Question};
use crate::profile::{self, Found};
use crate::standing::{Standing, word};
use crate::workspace::Workspace;
use crate::{clock, print};

/// Ask what the rules would say of an order: every rule that it breaks, and what is worth a word.
///
/// The order is judged by the very code that judges orders of runs, from where the account stands now. Nothing is sent or kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tiltyard risk check order.json\n\nwith order.json such as\n\n  \
    {\"order\": {\"strategy\": \"grid\", \"symbol\": \"BTCUSDT\", \"side\": \"buy\", \"type\": {\"limit\": 60000},\n   \
    \"quantity\": 0.01, \"stop_loss\": {\"fixed\": 59000}},\n   \
    \"account\": {\"equity\": 10000, \"cash\": 9000,\n    \
    \"positions\": [{\"strategy\": \"grid\", \"symbol\": \"ETHUSDT\", \"quantity\": 0.3, \"mark\": 3000}], \"open_orders\": []},\n   \
    \"marks\": {\"BTCUSDT\": 60010}, \"now\": \"2026-01-02T03:04:05Z\"}\n\n\
    `type` is \"market\", {\"limit\": P}, {\"stop_market\": P}, {\"stop_limit\": {\"trigger\": P, \"limit\": P}}, {\"take_profit\": P} or\n\
    {\"trailing_stop\": {\"trail\": {\"percent\": N}}}. An order may have time_in_force, reduce_only, post_only, stop_loss\n\
    ({\"fixed\": P} or {\"trailing\": {\"distance\": D}}), take_profit and tag, an open one `filled`. `instruments` may bring rules by\n\
    symbol; `market` may say interval, last_event, range (average true range) and cost. Correlations are not known here, which\n\
    counts as one.\n\n\
    Exits with 0 if the order would pass, also made smaller by a rule that is set to `reduce`; with 1 if it would be refused, or\n\
    if the question cannot be read.")]
pub(crate) struct Args {
    /// The question; `-` reads standard input.
    #[arg(value_name = "ORDER.json")]
    file: PathBuf,
    /// The limits: `account`, `research`, or a TOML file with a profile.
    #[arg(long, default_value = "account", value_name = "account|research|FILE")]
    risk: String,
    /// The venue whose rules of instruments hold; by default the workspace's, and `binance` outside of one.
    #[arg(long)]
    venue: Option<String>,
    /// The workspace; by default the nearest folder upward with a tiltyard.toml, if there is one.
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Largest question, in bytes.
const LARGEST: u64 = 1 << 20;

/// What the rules say. Fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Answer {
    passes: bool,
    violations: Vec<Violation>,
    warnings: Vec<Violation>,
    /// What rules that are set to `reduce` leave of it, in base currency, if that passes.
    reduced_to: Option<f64>,
    /// What the states allow: `all`, `reduce` or `nothing`.
    permission: &'static str,
    /// Why that is not all.
    cause: Option<String>,
    profile: String,
    from: String,
    now: String,
}

/// Where the account stands, as far as rules look at it.
struct Guards {
    account: AccountGuard,
    strategy: StrategyGuard,
    permission: Permission,
    cause: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = match &args.workspace {
        Some(folder) => Some(Workspace::find(Some(folder))?),
        None => Workspace::find(None).ok(),
    };
    let question: Question = serde_json::from_str(&read(&args.file)?)
        .with_context(|| format!("{} is no question; `tiltyard risk check --help` shows one", args.file.display()))?;
    let instruments = workspace.as_ref().map_or_else(|| Ok(Instruments::built_in()), Workspace::instruments)?;
    let venue = match &workspace {
        Some(workspace) => workspace.venue(args.venue.as_deref()),
        None => args.venue.as_deref().unwrap_or("binance"),
    };
    let asked = question.asked(clock::now(), |symbol, now| {
        let found = instruments.find(venue, symbol, now).cloned();
        found.context("give its rules under `instruments`, or another --venue")
    })?;
    let Found { profile, file } = profile::named(&args.risk, workspace.as_ref())?;
    let guards = Guards::of(workspace.as_ref(), &question.order.strategy);
    let (verdict, reduced) = asked.judge(&profile, &question.order.strategy, &guards);
    let answer = Answer {
        passes: verdict.violations.is_empty() || reduced.is_some(),
        violations: verdict.violations,
        warnings: verdict.warnings,
        reduced_to: reduced.map(Qty::to_f64),
        permission: word(guards.permission),
        cause: guards.cause,
        profile: profile.name,
        from: file.map_or("the built-in profile".to_owned(), |file| file.display().to_string()),
        now: format_time(asked.now),
    };
    if args.json {
        print::out(&serde_json::to_string_pretty(&answer)?);
    } else {
        print::out(&text(&answer));
    }
    Ok(if answer.passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &Path) -> Result<String> {
    let what = || format!("reading {}", path.display());
    let from: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path).with_context(what)?),
    };
    let mut text = String::new();
    from.take(LARGEST + 1).read_to_string(&mut text).with_context(what)?;
    ensure!(text.len() as u64 <= LARGEST, "{} has more than {LARGEST} bytes", path.display());
    Ok(text)
}

fn text(answer: &Answer) -> String {
    let mut lines = vec![match (answer.passes, answer.reduced_to) {
        (true, None) => "passes".to_owned(),
        (true, Some(quantity)) => format!("passes, made smaller: {quantity}"),
        (false, _) => "REFUSED".to_owned(),
    }];
    let because = answer.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
    if answer.permission != word(Permission::All) {
        lines.push(format!("  the states allow {}{because}", answer.permission));
    }
    lines.extend(answer.violations.iter().map(|violation| format!("  breaks {violation}")));
    lines.extend(answer.warnings.iter().map(|violation| format!("  warning: {violation}")));
    lines.push(format!("by the profile {} ({}) at {}", answer.profile, answer.from, answer.now));
    lines.join("\n")
}

impl Guards {
    /// Where the workspace's account and this strategy stand; outside of a workspace nothing is stopped.
    fn of(workspace: Option<&Workspace>, strategy: &str) -> Self {
        let Some(workspace) = workspace else {
            let (account, strategy) = (AccountGuard::default(), StrategyGuard::default());
            return Self { account, strategy, permission: Permission::All, cause: None };
        };
        let standing = Standing::of(workspace);
        let (permission, cause) = (standing.permission(strategy), standing.state().1.or(standing.state_of(strategy).1));
        let own = standing.strategies.into_iter().find(|(name, _)| name == strategy);
        Self {
            account: standing.account.or_default().unwrap_or_default(),
            strategy: own.map_or(Kept::Nothing, |(_, kept)| kept).or_default().unwrap_or_default(),
            permission,
            cause,
        }
    }
}

/// What is refused before the rules of risk are asked.
fn refused(violations: Vec<Violation>) -> (Verdict, Option<Qty>) {
    (Verdict { violations, ..Verdict::default() }, None)
}

impl Asked {
    /// What the rules say, and what those that make orders smaller leave of it, if that passes.
    fn judge(&self, profile: &RiskProfile, strategy: &str, guards: &Guards) -> (Verdict, Option<Qty>) {
        let ticket = match &self.ticket {
            Ok(ticket) => ticket,
            Err(violations) => return refused(violations.clone()),
        };
        if let Err(violations) = right_side(ticket, self.listed[0].mark) {
            return refused(violations);
        }
        if let Err(violation) = profile.room_for_another(self.own_here().count()) {
            return refused(vec![violation]);
        }
        let mut ticket = ticket.clone();
        let standing = self.own_here().map(|order| (&order.ticket, order.remaining));
        part_exit_from_entry(&mut ticket, self.listed[0].instrument.kind, self.position(), standing);
        let limits = profile.limits_for(strategy, &self.listed[0].instrument.symbol);
        let judge = |ticket: &Ticket| {
            self.look(guards, |situation| limits.judge(&Proposal { ticket, filled: Qty::ZERO }, situation))
        };
        let verdict = judge(&ticket);
        let reduced = verdict
            .fits
            .filter(|quantity| judge(&Ticket { quantity: *quantity, ..ticket.clone() }).violations.is_empty());
        (verdict, reduced)
    }

    /// What is open of the strategy in the order's instrument.
    fn own_here(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.iter().filter(|order| order.strategy == 0 && order.ticket.instrument == InstrumentIndex(0))
    }

    /// What the strategy holds of it.
    fn position(&self) -> Qty {
        let here = |holding: &&Holding| holding.strategy == 0 && holding.instrument == InstrumentIndex(0);
        self.holdings.iter().filter(here).map(|holding| holding.quantity).sum()
    }

    /// The situation of the order.
    fn look<T>(&self, guards: &Guards, look: impl FnOnce(&Situation<'_>) -> T) -> T {
        let (index, listed) = (InstrumentIndex(0), &self.listed[0]);
        let here = |holding: &&Holding| holding.strategy == 0 && holding.instrument == index;
        let standing: Vec<StandingOrder<'_>> = self
            .open
            .iter()
            .filter(|order| order.ticket.instrument == index)
            .map(|order| self.standing(order))
            .collect();
        let stakes = self.stakes();
        look(&Situation {
            now: self.now,
            clock: self.now,
            strategy: 0,
            equity: self.strategy_equity,
            // What a strategy's stage of life takes off is the host's to know that trades it.
            share: Fraction::ONE,
            instrument: index,
            base: &listed.instrument.base,
            interval: self.interval,
            age: Some(self.age),
            range: self.range,
            recent_orders: Recent {
                strategy: guards.strategy.recent().count(self.now),
                account: guards.account.recent().count(self.now),
            },
            account: Account {
                equity: self.equity,
                stakes: &stakes,
                correlations: &Correlations::default(),
                guard: &guards.account,
            },
            permission: guards.permission,
            kind: listed.instrument.kind,
            rules: &listed.rules,
            mark: listed.mark,
            cost: self.cost,
            position: self.position(),
            value: self.holdings.iter().filter(here).map(|holding| holding.value).sum(),
            free: self.free(),
            standing: &standing,
        })
    }

    fn standing<'a>(&self, order: &'a OpenOrder) -> StandingOrder<'a> {
        // It was there before the order that is asked about.
        let accepted = tiltyard_model::Nanos(self.now.0 - 1);
        StandingOrder {
            ticket: &order.ticket,
            remaining: order.remaining,
            opening: opening(order),
            accepted,
            own: order.strategy == 0,
            leaving: false,
        }
    }

    fn stakes(&self) -> Vec<Stake> {
        let holdings = self.holdings.iter().map(|holding| (holding.strategy, holding.instrument));
        let mut pairs: Vec<(u32, InstrumentIndex)> =
            holdings.chain(self.open.iter().map(|order| (order.strategy, order.ticket.instrument))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let stake = |(strategy, instrument): (u32, InstrumentIndex)| {
            let held = self.holdings.iter().filter(|held| (held.strategy, held.instrument) == (strategy, instrument));
            let value = held.map(|held| held.value).sum();
            let own =
                self.open.iter().filter(|order| (order.strategy, order.ticket.instrument) == (strategy, instrument));
            let listed = &self.listed[instrument.0 as usize];
            let mark = listed.mark;
            let open = own.fold(Open::position(listed.instrument.kind, value), |open, order| {
                open.and(&order.ticket, opening(order), mark, self.cost)
            });
            Stake { strategy, instrument, exposure: open.exposure() }
        };
        pairs.into_iter().map(stake).collect()
    }

    /// What the strategy may still spend or use as margin: the cash, and no more than its equity without spot holdings; without
    /// the margin of what it holds in other instruments and without what its open orders need.
    fn free(&self) -> Money {
        let order = InstrumentIndex(0);
        let kind = |instrument: InstrumentIndex| self.listed[instrument.0 as usize].instrument.kind;
        let own = || self.holdings.iter().filter(|holding| holding.strategy == 0);
        let spot: Money =
            own().filter(|held| kind(held.instrument) == InstrumentKind::Spot).map(|held| held.value).sum();
        let margin = own().filter(|held| kind(held.instrument).is_margined() && held.instrument != order);
        let margin: Money = margin
            .map(|held| Money(held.value.0.abs() / self.listed[held.instrument.0 as usize].rules.max_leverage))
            .sum();
        let reserved: Money = self.open.iter().filter(|open| open.strategy == 0).map(|open| self.reserved(open)).sum();
        let free = self.strategy_equity - spot - margin - reserved;
        // What a perpetual earns is margin at once; a purchase is paid in cash.
        if kind(order) == InstrumentKind::Spot { free.min(self.cash - margin - reserved) } else { free }
    }

    /// What an open order of the strategy keeps back. What cannot be said is all there is.
    fn reserved(&self, open: &OpenOrder) -> Money {
        let listed = &self.listed[open.ticket.instrument.0 as usize];
        let everything = self.cash.max(self.strategy_equity);
        match listed.instrument.kind {
            InstrumentKind::Spot => {
                self.standing(open).reserved(&listed.rules, listed.mark, self.cost).unwrap_or(everything)
            }
            InstrumentKind::Perpetual | InstrumentKind::SpotMargin
                if open.ticket.instrument == InstrumentIndex(0) || open.ticket.reduce_only =>
            {
                Money::ZERO
            }
            InstrumentKind::Perpetual | InstrumentKind::SpotMargin => {
                let kind = &open.ticket.kind;
                let price = kind.limit().or(kind.trigger()).or(listed.mark);
                let value = price.and_then(|price| paid(price, open.remaining, &listed.rules));
                value.map_or(everything, |value| Money(value.0 / listed.rules.max_leverage))
            }
        }
    }
}

/// How much of an open order may open a position.
fn opening(order: &OpenOrder) -> Qty {
    order.ticket.opens.map_or(order.remaining, |opens| opens.min(order.remaining))
}
