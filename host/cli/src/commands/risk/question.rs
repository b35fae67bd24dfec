//! A question to the rules as it stands in a file, and the situation that it describes in exact numbers.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use tiltyard_market::parse_date;
use tiltyard_model::{
    Decimal, Instrument, InstrumentIndex, InstrumentKind, Interval, Money, Nanos, OrderRequest, OrderType, Price, Qty,
    Rounding, Side, Specification, StopLoss, Ticket, TimeInForce, Trail, Violation, decimal, notional,
};

/// The document. Whatever it does not say is as said beside it; whatever else it says is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// What somebody wants to send.
    pub(super) order: Order,
    pub(super) account: Account,
    /// Rules of instruments, by symbol; those that are not here are the workspace's.
    #[serde(default)]
    instruments: BTreeMap<String, Rules>,
    /// Last prices, by symbol.
    #[serde(default)]
    marks: BTreeMap<String, f64>,
    /// When (UTC); by default the time of day.
    now: Option<String>,
    #[serde(default)]
    pub(super) market: Market,
}

/// An order, with the fields of the contract's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Whose; by default one strategy's that has no name.
    #[serde(default)]
    pub(super) strategy: String,
    pub(super) symbol: String,
    side: Side,
    #[serde(rename = "type")]
    kind: Kind,
    quantity: f64,
    time_in_force: Option<TimeInForce>,
    #[serde(default)]
    reduce_only: bool,
    #[serde(default)]
    post_only: bool,
    stop_loss: Option<Stop>,
    take_profit: Option<f64>,
    #[serde(default)]
    tag: String,
    /// What has filled already, of an order that is open.
    #[serde(default)]
    filled: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Kind {
    Market,
    Limit(f64),
    StopMarket(f64),
    StopLimit { trigger: f64, limit: f64 },
    TrailingStop { trail: Behind, activation: Option<f64> },
    TakeProfit(f64),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stop {
    Fixed(f64),
    Trailing(Behind),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Behind {
    Distance(f64),
    Percent(f64),
}

/// What the account has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    equity: f64,
    /// What may be spent or used as margin, before what open orders need.
    cash: f64,
    /// Of the order's strategy; by default the account's.
    strategy_equity: Option<f64>,
    #[serde(default)]
    positions: Vec<Position>,
    #[serde(default)]
    open_orders: Vec<Order>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    /// Whose; by default the order's.
    strategy: Option<String>,
    symbol: String,
    /// Below 0 when short.
    quantity: f64,
    /// The last price; may stand under `marks` instead.
    mark: Option<f64>,
}

/// What is known of the order's market.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Market {
    /// The length of a bar.
    interval: String,
    /// When the last event came (UTC); by default now.
    last_event: Option<String>,
    /// The average true range, over the bars that `invalid-stop` asks for; by default not known.
    range: Option<f64>,
    /// What a taker may have to pay on top of the mark, as a fraction.
    cost: f64,
}

impl Default for Market {
    fn default() -> Self {
        Self { interval: "1m".to_owned(), last_event: None, range: None, cost: 0.0005 }
    }
}

/// An instrument as its venue has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    kind: InstrumentKind,
    base: String,
    quote: String,
    tick: f64,
    lot: f64,
    min_notional: f64,
    maker_fee: f64,
    taker_fee: f64,
    max_leverage: f64,
}

/// The question in exact numbers. Strategies and instruments are counted in the order in which they are named; the order's are
/// the first.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) now: Nanos,
    pub(super) interval: Nanos,
    pub(super) age: Nanos,
    pub(super) range: Option<f64>,
    pub(super) cost: Decimal,
    pub(super) equity: Money,
    pub(super) cash: Money,
    pub(super) strategy_equity: Money,
    pub(super) listed: Vec<Listed>,
    pub(super) holdings: Vec<Holding>,
    pub(super) open: Vec<OpenOrder>,
    /// The order, or what is malformed about it.
    pub(super) ticket: Result<Ticket, Vec<Violation>>,
}

#[derive(Debug)]
pub(super) struct Listed {
    pub(super) instrument: Instrument,
    pub(super) rules: Specification,
    pub(super) mark: Option<Price>,
}

#[derive(Debug)]
pub(super) struct Holding {
    pub(super) strategy: u32,
    pub(super) instrument: InstrumentIndex,
    pub(super) quantity: Qty,
    /// Below 0 when short.
    pub(super) value: Money,
}

#[derive(Debug)]
pub(super) struct OpenOrder {
    pub(super) strategy: u32,
    pub(super) ticket: Ticket,
    pub(super) remaining: Qty,
}

impl Question {
    /// Everything in exact numbers, or why it is none. `known` has the rules of instruments that the question does not bring.
    pub(super) fn asked(&self, clock: Nanos, known: impl Fn(&str, Nanos) -> Result<Instrument>) -> Result<Asked> {
        let time = |text: &Option<String>, what: &str| {
            text.as_deref().map(|text| parse_date(text).with_context(|| what.to_owned())).transpose()
        };
        let now = time(&self.now, "now")?.unwrap_or(clock);
        let last = time(&self.market.last_event, "market.last_event")?.unwrap_or(now);
        let Interval::Only(interval) = Interval::try_from(self.market.interval.clone()).map_err(anyhow::Error::msg)?
        else {
            bail!("market.interval any is no length; give one such as 1h");
        };
        let listed = self.listed(now, known)?;
        let index = |symbol: &str| -> Result<InstrumentIndex> {
            let at = listed.iter().position(|listed| listed.instrument.symbol == symbol);
            Ok(InstrumentIndex(at.with_context(|| format!("{symbol} is not listed"))? as u32))
        };
        let mut names: Vec<&str> = vec![&self.order.strategy];
        let mut strategy = |name: &'_ Option<String>| -> u32 {
            let Some(name) = name.as_deref() else { return 0 };
            let at = names.iter().position(|known| *known == name);
            at.unwrap_or_else(|| {
                // Borrowed from the question, as all names are.
                names.push(self.name(name));
                names.len() - 1
            }) as u32
        };
        let mut holdings = Vec::new();
        for position in &self.account.positions {
            let instrument = index(&position.symbol)?;
            let quantity = Qty(exact(position.quantity, "the quantity of a position")?);
            let of = &listed[instrument.0 as usize];
            let mark = of.mark.with_context(|| format!("there is no mark of {}; give one", position.symbol))?;
            let worth = notional(mark, quantity.abs(), Rounding::Up).context("a position is worth too much to say")?;
            let value = if quantity.0.is_sign_negative() { -worth } else { worth };
            holdings.push(Holding { strategy: strategy(&position.strategy), instrument, quantity, value });
        }
        let mut open = Vec::new();
        for order in &self.account.open_orders {
            let instrument = index(&order.symbol)?;
            let read = Ticket::read(order.request(instrument), &listed[instrument.0 as usize].rules, now);
            let ticket = read.map_err(|violations| anyhow::anyhow!("an open order is none: {}", join(&violations)))?;
            let filled = Qty(exact(order.filled, "what has filled of an order")?);
            ensure!(filled >= Qty::ZERO && filled < ticket.quantity, "an open order has more to fill than {filled:?}");
            let remaining = ticket.quantity - filled;
            open.push(OpenOrder { strategy: strategy(&Some(order.strategy.clone())), ticket, remaining });
        }
        ensure!(self.order.filled == 0.0, "of an order that is not sent yet nothing has filled; remove order.filled");
        let range = self.market.range;
        ensure!(range.is_none_or(|range| range > 0.0), "market.range has to be above 0");
        let cost = exact(self.market.cost, "market.cost")?;
        ensure!((Decimal::ZERO..=Decimal::ONE).contains(&cost), "market.cost is a fraction from 0 to 1");
        let Account { equity, cash, strategy_equity, .. } = &self.account;
        Ok(Asked {
            now,
            interval,
            age: now - last,
            range,
            cost,
            equity: Money(exact(*equity, "account.equity")?),
            cash: Money(exact(*cash, "account.cash")?),
            strategy_equity: Money(exact(strategy_equity.unwrap_or(*equity), "account.strategy_equity")?),
            ticket: Ticket::read(self.order.request(InstrumentIndex(0)), &listed[0].rules, now),
            listed,
            holdings,
            open,
        })
    }

    /// The same name, for as long as the question lives.
    fn name(&self, name: &str) -> &str {
        let positions = self.account.positions.iter().filter_map(|position| position.strategy.as_deref());
        let orders = self.account.open_orders.iter().map(|order| order.strategy.as_str());
        positions.chain(orders).find(|known| *known == name).unwrap_or(&self.order.strategy)
    }

    /// Every instrument that is named, the order's first.
    fn listed(&self, now: Nanos, known: impl Fn(&str, Nanos) -> Result<Instrument>) -> Result<Vec<Listed>> {
        let positions = self.account.positions.iter().map(|position| &position.symbol);
        let orders = self.account.open_orders.iter().map(|order| &order.symbol);
        let mut listed: Vec<Listed> = Vec::new();
        for symbol in std::iter::once(&self.order.symbol).chain(positions).chain(orders) {
            if listed.iter().any(|listed| listed.instrument.symbol == *symbol) {
                continue;
            }
            let instrument = match self.instruments.get(symbol) {
                Some(rules) => rules.clone().instrument(symbol),
                None => known(symbol, now)?,
            };
            let rules = Specification::new(&instrument)?;
            listed.push(Listed { instrument, rules, mark: self.mark(symbol)? });
        }
        Ok(listed)
    }

    /// The last price of an instrument, wherever it is said.
    fn mark(&self, symbol: &str) -> Result<Option<Price>> {
        let positions = self.account.positions.iter().filter(|position| position.symbol == symbol);
        let mut said =
            self.marks.get(symbol).copied().into_iter().chain(positions.filter_map(|position| position.mark));
        let Some(mark) = said.next() else { return Ok(None) };
        ensure!(said.all(|other| other == mark), "the marks of {symbol} differ; give one");
        ensure!((f64::MIN_POSITIVE..=Specification::LARGEST).contains(&mark), "{mark} is no mark of {symbol}");
        Ok(Some(Price(exact(mark, "a mark")?)))
    }
}

impl Order {
    fn request(&self, instrument: InstrumentIndex) -> OrderRequest {
        let trail = |behind: Behind| match behind {
            Behind::Distance(distance) => Trail::Distance(distance),
            Behind::Percent(percent) => Trail::Percent(percent),
        };
        OrderRequest {
            instrument,
            side: self.side,
            order_type: match self.kind {
                Kind::Market => OrderType::Market,
                Kind::Limit(limit) => OrderType::Limit(limit),
                Kind::StopMarket(trigger) => OrderType::StopMarket(trigger),
                Kind::StopLimit { trigger, limit } => OrderType::StopLimit { trigger, limit },
                Kind::TrailingStop { trail: behind, activation } => {
                    OrderType::TrailingStop { trail: trail(behind), activation }
                }
                Kind::TakeProfit(price) => OrderType::TakeProfit(price),
            },
            quantity: self.quantity,
            time_in_force: self.time_in_force.unwrap_or(TimeInForce::GoodTillCancelled),
            reduce_only: self.reduce_only,
            post_only: self.post_only,
            stop_loss: self.stop_loss.map(|stop| match stop {
                Stop::Fixed(price) => StopLoss::Fixed(price),
                Stop::Trailing(behind) => StopLoss::Trailing(trail(behind)),
            }),
            take_profit: self.take_profit,
            tag: self.tag.clone(),
        }
    }
}

impl Rules {
    fn instrument(self, symbol: &str) -> Instrument {
        let Self { kind, base, quote, tick, lot, min_notional, maker_fee, taker_fee, max_leverage } = self;
        Instrument {
            symbol: symbol.to_owned(),
            venue: String::new(),
            kind,
            base,
            quote,
            tick,
            lot,
            min_notional,
            maker_fee,
            taker_fee,
            max_leverage,
            margin: tiltyard_model::MarginRules::default(),
        }
    }
}

/// A number of a document, exactly.
fn exact(value: f64, what: &str) -> Result<Decimal> {
    let fits = value.abs() <= Specification::LARGEST;
    decimal(value).filter(|exact| fits && exact.scale() <= 12).with_context(|| {
        format!("{what} is {value}; it takes a number of at most {:e} with at most 12 decimals", Specification::LARGEST)
    })
}

/// Violations in one line.
pub(super) fn join(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
