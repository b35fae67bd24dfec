//! What a strategy can call: the contract's imports, checked against limits, charged in fuel, passed on to the desk.

use tiltyard_model::{Desk, InstrumentIndex, MarketError, Nanos, OrderId, TimerError, TimerId, Violation, is_shown};
use wasmtime::component::Linker;
use wasmtime::{Result, StoreContextMut, Trap};

use crate::CONTRACT_VERSION;
use crate::cell::Cell;
use crate::contract::tiltyard::strategy::{journal, market, timers, types};

/// Fuel that every call of an import costs, whatever it does: about its time in instructions.
const CALL: u64 = 100;
/// Fuel for each request to the `orders` interface: the check, and what becomes of an order later, when nobody is charged.
const ORDER: u64 = 10_000;
/// Fuel for each journal line, beside its bytes: it becomes an event.
const LINE: u64 = 500;
/// Fuel for the worth of a position: exact numbers are multiplied and become inexact ones.
const POSITION: u64 = 250;
/// Bytes of a bar in columns.
const BAR: usize = 48;
/// Longest label of an order, in bytes.
const TAG: usize = 64;

/// Takes the fuel for a call that moves this many bytes.
pub(crate) fn charge<D>(cx: &mut StoreContextMut<'_, Cell<D>>, bytes: usize) -> Result<()> {
    take(cx, CALL + bytes as u64)
}

fn take<D>(cx: &mut StoreContextMut<'_, Cell<D>>, units: u64) -> Result<()> {
    let left = cx.get_fuel()?;
    cx.set_fuel(left.saturating_sub(units))?;
    if left < units { Err(Trap::OutOfFuel.into()) } else { Ok(()) }
}

/// Makes the contract's imports known to the linker.
pub(crate) fn link<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    link_market(linker)?;
    link_account(linker)?;
    link_orders(linker)?;
    link_timers(linker)?;
    link_journal(linker)
}

fn name(interface: &str) -> String {
    format!("tiltyard:strategy/{interface}@{CONTRACT_VERSION}")
}

fn link_market<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    let mut market = linker.instance(&name("market"))?;
    market.func_wrap("history", |mut cx: StoreContextMut<'_, Cell<D>>, (instrument, count): (u32, u32)| {
        let limit = cx.data().limits.history_bars;
        charge(&mut cx, count.min(limit) as usize * BAR)?;
        let bars = if count > limit {
            Err(MarketError::TooManyBars(limit))
        } else {
            cx.data_mut().desk("market.history")?.history(InstrumentIndex(instrument), count)
        };
        Ok((bars.map(types::ColumnsResult::from).map_err(market::MarketError::from),))
    })?;
    market.func_wrap("latest-quote", |mut cx: StoreContextMut<'_, Cell<D>>, (instrument,): (u32,)| {
        charge(&mut cx, 0)?;
        let quote = cx.data_mut().desk("market.latest-quote")?.latest_quote(InstrumentIndex(instrument));
        Ok((quote.map(|quote| quote.map(types::Quote::from)).map_err(market::MarketError::from),))
    })
}

fn link_account<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    let mut account = linker.instance(&name("account"))?;
    account.func_wrap("equity", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        charge(&mut cx, 0)?;
        Ok((cx.data_mut().desk("account.equity")?.equity(),))
    })?;
    account.func_wrap("cash", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        charge(&mut cx, 0)?;
        Ok((cx.data_mut().desk("account.cash")?.cash(),))
    })?;
    account.func_wrap("position-of", |mut cx: StoreContextMut<'_, Cell<D>>, (instrument,): (u32,)| {
        take(&mut cx, CALL + POSITION)?;
        let position = cx.data_mut().desk("account.position-of")?.position(InstrumentIndex(instrument));
        Ok((position.map(types::Position::from),))
    })?;
    account.func_wrap("open-orders", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        let orders = cx.data_mut().desk("account.open-orders")?.open_orders();
        charge(&mut cx, orders.len() * size_of::<types::OpenOrder>())?;
        Ok((orders.into_iter().map(types::OpenOrder::from).collect::<Vec<_>>(),))
    })
}

/// Counts and charges a request to the `orders` interface.
fn request<'a, D: Desk + Send + 'static>(
    cx: &'a mut StoreContextMut<'_, Cell<D>>,
    import: &'static str,
) -> Result<&'a mut D> {
    take(cx, CALL + ORDER)?;
    cx.data().check_may_order(import)?;
    cx.data_mut().count_request()?;
    Ok(cx.data_mut().desk(import)?)
}

/// Why this label cannot be an order's, if it cannot.
fn malformed_tag(tag: &str) -> Option<Violation> {
    (tag.len() > TAG || !is_shown(tag)).then(|| Violation {
        rule: "malformed".to_owned(),
        actual: tag.len() as f64,
        limit: TAG as f64,
        unit: "bytes-of-tag".to_owned(),
    })
}

/// A refusal as the contract has it.
fn refused(violations: Vec<Violation>) -> Vec<types::ViolationResult> {
    violations.into_iter().map(types::ViolationResult::from).collect()
}

fn link_orders<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    let mut orders = linker.instance(&name("orders"))?;
    orders.func_wrap("submit", |mut cx: StoreContextMut<'_, Cell<D>>, (order,): (types::OrderRequest,)| {
        take(&mut cx, order.tag.len() as u64)?;
        let desk = request(&mut cx, "orders.submit")?;
        let answer = match malformed_tag(&order.tag) {
            Some(violation) => Err(vec![violation]),
            None => desk.submit(order.into()),
        };
        Ok((answer.map(types::Acceptance::from).map_err(refused),))
    })?;
    orders.func_wrap("cancel", |mut cx: StoreContextMut<'_, Cell<D>>, (order,): (u64,)| {
        Ok((request(&mut cx, "orders.cancel")?.cancel(OrderId(order)).map_err(refused),))
    })?;
    orders.func_wrap(
        "replace",
        |mut cx: StoreContextMut<'_, Cell<D>>, (order, change): (u64, types::Replacement)| {
            let answer = request(&mut cx, "orders.replace")?.replace(OrderId(order), change.into());
            Ok((answer.map(types::Acceptance::from).map_err(refused),))
        },
    )?;
    orders.func_wrap(
        "target",
        |mut cx: StoreContextMut<'_, Cell<D>>, (instrument, fraction, stop): (u32, f64, Option<types::StopLoss>)| {
            let stop = stop.map(Into::into);
            let answer = request(&mut cx, "orders.target")?.target(InstrumentIndex(instrument), fraction, stop);
            Ok((answer.map(|order| order.map(types::Acceptance::from)).map_err(refused),))
        },
    )?;
    orders.func_wrap("close", |mut cx: StoreContextMut<'_, Cell<D>>, (instrument,): (u32,)| {
        let answer = request(&mut cx, "orders.close")?.close(InstrumentIndex(instrument));
        Ok((answer.map(|order| order.map(types::Acceptance::from)).map_err(refused),))
    })
}

fn link_timers<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    let mut timers = linker.instance(&name("timers"))?;
    timers.func_wrap("set", |mut cx: StoreContextMut<'_, Cell<D>>, (at,): (i64,)| {
        charge(&mut cx, 0)?;
        let cell = cx.data_mut();
        cell.count_request()?;
        let limit = cell.limits.timers;
        let timer = if cell.may_set_timer() {
            cell.desk("timers.set")?.set_timer(Nanos(at))
        } else {
            Err(TimerError::TooMany(limit))
        };
        if timer.is_ok() {
            cell.timer_set();
        }
        Ok((timer.map(|timer| timer.0).map_err(timers::TimerError::from),))
    })?;
    timers.func_wrap("cancel", |mut cx: StoreContextMut<'_, Cell<D>>, (timer,): (u64,)| {
        charge(&mut cx, 0)?;
        let cell = cx.data_mut();
        let cancelled = cell.desk("timers.cancel")?.cancel_timer(TimerId(timer));
        if cancelled {
            cell.timer_gone();
        }
        Ok((cancelled,))
    })
}

fn link_journal<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    let mut journal = linker.instance(&name("journal"))?;
    journal.func_wrap("log", |mut cx: StoreContextMut<'_, Cell<D>>, (level, message): (journal::Level, String)| {
        take(&mut cx, CALL + LINE + message.len() as u64)?;
        cx.data_mut().log(level.into(), &message)?;
        Ok(())
    })?;
    journal.func_wrap("metric", |mut cx: StoreContextMut<'_, Cell<D>>, (name, value): (String, f64)| {
        take(&mut cx, CALL + LINE + name.len() as u64)?;
        cx.data_mut().metric(&name, value)?;
        Ok(())
    })?;
    journal.func_wrap("annotate", |mut cx: StoreContextMut<'_, Cell<D>>, (key, value): (String, String)| {
        take(&mut cx, CALL + LINE + (key.len() + value.len()) as u64)?;
        cx.data_mut().annotate(&key, &value)?;
        Ok(())
    })
}
