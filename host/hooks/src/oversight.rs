use std::sync::Arc;

use tiltyard_engine::{Event, Happened, Overseer, Planned};
use tiltyard_risk::{AccountState, Measure, OpenBreaker};

use crate::{CircuitBreaker, Document, Hooks, Kill, PostTrade, PreTrade, Report, Stage, WhatHappened};

/// Hooks in a kernel's order path: [`Stage::PreTrade`] is asked before an order that opens or adds, and [`Stage::PostTrade`],
/// [`Stage::CircuitBreaker`] and [`Stage::Kill`] are told.
///
/// The kernel waits for every one of them, no longer than their deadlines.
#[derive(Debug)]
pub struct Oversight {
    hooks: Arc<Hooks>,
    failures: Vec<Report>,
}

impl Oversight {
    /// Failures that are kept until they are taken.
    const KEPT: usize = 1_000;

    /// With these hooks.
    #[must_use]
    pub fn new(hooks: Arc<Hooks>) -> Self {
        Self { hooks, failures: Vec::new() }
    }

    /// The hooks that failed where nothing waits for them, since this was asked last: the first thousand.
    pub fn take_failures(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.failures)
    }

    fn tell(&mut self, document: &Document) {
        let room = Self::KEPT.saturating_sub(self.failures.len());
        self.failures.extend(self.hooks.ask(document).failures.into_iter().take(room));
    }
}

impl Overseer for Oversight {
    fn before(&mut self, order: &Planned<'_>) -> Vec<String> {
        if !self.hooks.listens(Stage::PreTrade) {
            return Vec::new();
        }
        let outcome = self.hooks.ask(&Document::PreTrade(PreTrade {
            time: order.time,
            strategy: order.strategy.to_owned(),
            instrument: order.instrument.symbol.clone(),
            side: order.ticket.side,
            kind: order.ticket.kind,
            quantity: order.ticket.quantity,
            mark: order.mark,
            notional: order.notional,
            stop: order.ticket.stop_loss,
            take_profit: order.ticket.take_profit,
            reduce_only: order.ticket.reduce_only,
            equity: order.equity,
        }));
        outcome.refusals.iter().map(ToString::to_string).collect()
    }

    fn after(&mut self, happened: &Happened<'_>) {
        let Some(document) = document(happened).filter(|document| self.hooks.listens(document.stage())) else { return };
        self.tell(&document);
    }
}

/// What hooks are told of an event; `None` for what no stage is about.
fn document(happened: &Happened<'_>) -> Option<Document> {
    let time = happened.time;
    let post_trade = |order, side, event| {
        Document::PostTrade(PostTrade {
            time,
            strategy: happened.strategy.unwrap_or_default().to_owned(),
            instrument: happened.instrument.map(|instrument| instrument.symbol.clone()).unwrap_or_default(),
            order,
            side,
            event,
        })
    };
    let breaker = |open, cause: &str, until| {
        Document::CircuitBreaker(CircuitBreaker { time, strategy: None, open, cause: cause.to_owned(), until })
    };
    let kill = |by: &str, reason: &str| Document::Kill(Kill { time, by: by.to_owned(), reason: reason.to_owned() });
    Some(match happened.event {
        Event::Executed(execution) => {
            let filled =
                WhatHappened::Filled { quantity: execution.quantity, price: execution.price, fee: execution.fee };
            post_trade(Some(execution.order), Some(execution.side), filled)
        }
        Event::Refused { request, violations, .. } => {
            let rejected = WhatHappened::Rejected { violations: violations.clone(), reason: request.to_string() };
            post_trade(None, None, rejected)
        }
        Event::Updated(update) => {
            let rejected = WhatHappened::Rejected { violations: Vec::new(), reason: update.reason.to_string() };
            post_trade(Some(update.order), None, rejected)
        }
        Event::Measure(Measure::BreakerOpened(OpenBreaker { until, cause, .. })) => breaker(true, cause, Some(*until)),
        Event::Measure(Measure::BreakerClosed) => breaker(false, "cooled down", None),
        Event::Measure(Measure::Resumed { reason }) => breaker(false, reason, None),
        Event::Measure(Measure::Ordered { state: AccountState::Halted, cause }) => kill("order", cause),
        Event::Measure(Measure::Rung { drawdown, .. }) => {
            kill("drawdown", &format!("a drawdown of {:.2} %", drawdown * 100.0))
        }
        _ => return None,
    })
}
