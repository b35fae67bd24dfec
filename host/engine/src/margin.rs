//! On what margin perpetuals and spot are held, when it is used up, and what is left of it then.

use serde::{Deserialize, Serialize};
use tiltyard_model::{
    Decimal, InstrumentIndex, InstrumentKind, MONEY_SCALE, Margin, Money, Price, Qty, Rounding, Side, notional, share,
};

use crate::clearing::Clearing;
use crate::event::Event;
use crate::execution::{Execution, StrategyIndex};
use crate::ledger::{Holding, Ledger};
use crate::market::Listed;
use crate::venue::{Forced, Host as _};

/// On what margin the perpetuals of a run, and spot that is traded on margin, are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginTerms {
    /// What stands for a position.
    pub mode: MarginMode,
    /// Notional ÷ initial margin, from 1 to what the venue allows; by default the most it allows.
    pub leverage: Option<Decimal>,
}

/// What stands for a position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarginMode {
    /// All cash of the strategy and the profit of all that it holds on margin. What it owns does not count.
    #[default]
    Cross,
    /// What was put aside for it when it was opened, notional ÷ leverage, with the funding that it has received and paid.
    Isolated,
}

/// What margin has to know of an instrument.
#[derive(Debug, Clone)]
pub(crate) struct Margined {
    pub(crate) kind: InstrumentKind,
    pub(crate) leverage: Decimal,
    pub(crate) margin: Margin,
}

impl Clearing {
    pub(crate) fn is_isolated(&self) -> bool {
        self.terms.mode == MarginMode::Isolated
    }

    /// Whether anything is traded that may be liquidated.
    pub(crate) fn is_margined(&self) -> bool {
        self.margins.iter().any(|margined| margined.kind.is_margined())
    }

    /// Whether a strategy holds this on margin.
    pub(crate) fn margined(
        &self,
        strategy: StrategyIndex,
        instrument: InstrumentIndex,
    ) -> Option<(&Ledger, &Holding, &Margined)> {
        let ledger = &self.books.record_of(strategy)?.ledger;
        let holding = ledger.holding(instrument).filter(|holding| !holding.quantity().is_zero())?;
        let margined = self.margins.get(instrument.0 as usize)?;
        margined.kind.is_margined().then_some((ledger, holding, margined))
    }

    /// What is left to lose before closing a position leaves nothing, and what the position cost: its own margin and its average
    /// price; or all cash with what the others have earned, and its lots.
    fn wallet(&self, ledger: &Ledger, holding: &Holding, instrument: InstrumentIndex) -> (Money, Money) {
        if self.is_isolated() {
            return (holding.margin(), holding.basis());
        }
        let earned = self.others(ledger, instrument).map(|(other, _)| other.unrealised()).sum();
        (ledger.cash() + earned, holding.cost())
    }

    /// The others that are held on margin.
    fn others<'l>(
        &'l self,
        ledger: &'l Ledger,
        instrument: InstrumentIndex,
    ) -> impl Iterator<Item = (&'l Holding, &'l Margin)> {
        let all = (0..).map(InstrumentIndex).zip(ledger.holdings().iter().zip(&self.margins));
        let held = all.filter(move |(other, (holding, margined))| {
            *other != instrument && margined.kind.is_margined() && !holding.quantity().is_zero()
        });
        held.map(|(_, (holding, margined))| (holding, &margined.margin))
    }

    /// The mark at which a position is liquidated, the others standing where they are; `None` if at none.
    pub(crate) fn liquidation_mark(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Option<Price> {
        let (ledger, holding, margined) = self.margined(strategy, instrument)?;
        let (mut wallet, cost) = self.wallet(ledger, holding, instrument);
        if !self.is_isolated() {
            let others = self.others(ledger, instrument);
            wallet -= others.map(|(other, margin)| margin.maintenance(other.value())).sum();
        }
        margined.margin.liquidation_price(holding.quantity(), cost, wallet)
    }

    /// What closing a position by force at this price comes to. Nobody loses more than what stands for the position: where the
    /// price is beyond that of bankruptcy the venue's insurance takes it over at that one, and fees take no more than is left.
    pub(crate) fn force(
        &self,
        strategy: StrategyIndex,
        instrument: InstrumentIndex,
        listed: &Listed,
        price: Price,
    ) -> Option<Forced> {
        let (ledger, holding, margined) = self.margined(strategy, instrument)?;
        let position = holding.quantity();
        let long = position.0.is_sign_positive();
        let (wallet, cost) = self.wallet(ledger, holding, instrument);
        let bankrupt = Margin::bankruptcy_price(position, cost, wallet);
        let price = bankrupt.map_or(price, |least| if long { price.max(least) } else { price.min(least) });
        let rounding = if long { Rounding::Down } else { Rounding::Up };
        let value = notional(price, position.abs(), rounding)?;
        let left = (wallet - cost + if long { value } else { -value }).max(Money::ZERO);
        let fee = share(value, listed.rules.taker_fee, Rounding::Up)?.min(left);
        let liquidation_fee = share(value, margined.margin.liquidation_fee, Rounding::Up)?.min(left - fee);
        Some(Forced { price, quantity: position.abs(), value, fee, liquidation_fee })
    }

    /// Funding of an instrument is due: whoever is long pays this part of what it holds at the mark, whoever is short receives it.
    pub(crate) fn funding(&mut self, instrument: InstrumentIndex, rate: Decimal, mark: Price) {
        for strategy in self.books.strategies() {
            let held = self.margined(strategy, instrument);
            let perpetual = held.filter(|(_, _, margined)| margined.kind == InstrumentKind::Perpetual);
            let Some((_, holding, _)) = perpetual else { continue };
            let (quantity, margin) = (holding.quantity(), holding.margin());
            let pays = quantity.0.is_sign_negative() == rate.is_sign_negative();
            let rounding = if pays { Rounding::Up } else { Rounding::Down };
            let due = notional(mark, quantity.abs(), rounding).and_then(|value| share(value, rate.abs(), rounding));
            // What cannot be said ends the run for the strategy: it is worth more than any account.
            let Some(due) = due else { continue };
            let amount = if pays { -due } else { due };
            self.record(Event::Funding { strategy, instrument, rate, mark, amount });
            if self.is_isolated() {
                self.record(Event::Margin { strategy, instrument, margin: margin + amount });
            }
        }
    }

    /// What of an isolated position's margin a trade puts aside or gives back: notional ÷ leverage of what it opens, and the
    /// part of what it closes.
    pub(crate) fn put_aside(&mut self, execution: &Execution, before: Qty) {
        let (strategy, instrument) = (execution.strategy, execution.instrument);
        let Some(record) = self.books.record_of(strategy).filter(|_| self.is_isolated()) else { return };
        let Some((holding, margined)) = record.ledger.holding(instrument).zip(self.margins.get(instrument.0 as usize))
        else {
            return;
        };
        if !margined.kind.is_margined() {
            return;
        }
        let (after, held) = (holding.quantity(), holding.margin());
        let (kept, opened) = if before.same_side(after) && after.abs() <= before.abs() {
            (Money((held.0 * (after.0 / before.0)).round_dp(MONEY_SCALE)), Qty::ZERO)
        } else if before.same_side(after) {
            (held, after.abs() - before.abs())
        } else {
            (Money::ZERO, after.abs())
        };
        let value = execution.value.0 * (opened.0 / execution.quantity.0);
        let added = Money((value / margined.leverage).round_dp(MONEY_SCALE));
        self.record(Event::Margin { strategy, instrument, margin: kept + added });
    }

    /// What is cash and neither put aside for a position nor, of `except`, lost already. Of that one the margin counts as free.
    pub(crate) fn free_isolated(&self, ledger: &Ledger, except: Option<InstrumentIndex>) -> Money {
        let own = except.and_then(|instrument| ledger.holding(instrument));
        // Lots are closed in their order, margin is reckoned by the average price.
        let margined = ledger.holdings().iter().filter(|holding| holding.kind().is_margined());
        let aside: Money = margined.map(|holding| holding.margin() + holding.cost() - holding.basis()).sum();
        let lost = |holding: &Holding| (holding.value() - holding.basis()).min(Money::ZERO);
        ledger.cash() - aside + own.map_or(Money::ZERO, |holding| holding.margin() + lost(holding))
    }

    /// How much of an order that opens or turns a position may trade: as far as free cash goes for margin and fee of what it opens.
    /// Turning a position round closes it first, which gives its margin back with its profit or loss.
    pub(crate) fn room_isolated(&self, opens: &Opening<'_>) -> Qty {
        let Opening { strategy, instrument, listed, price, closing, remaining } = *opens;
        let Some(record) = self.books.record_of(strategy) else { return Qty::ZERO };
        let ledger = &record.ledger;
        let fee = listed.rules.taker_fee.max(listed.rules.maker_fee).max(Decimal::ZERO);
        let mut spare = self.free_isolated(ledger, None);
        if let Some(holding) = ledger.holding(instrument).filter(|_| !closing.is_zero()) {
            let value = notional(price, holding.quantity(), Rounding::Down).unwrap_or_default();
            let paid = share(Money(value.0.abs()), fee, Rounding::Up).unwrap_or_default();
            spare += holding.margin() + (value - holding.basis()) - paid;
        }
        // Margin, value and fee are each rounded by less than 10⁻⁸.
        let spare = (spare.0 - Decimal::new(4, MONEY_SCALE)).max(Decimal::ZERO);
        let leverage = listed.rules.max_leverage;
        let each = price.0.checked_mul(Decimal::ONE + leverage * fee).filter(|each| *each > Decimal::ZERO);
        let most = each.and_then(|each| spare.checked_mul(leverage)?.checked_div(each)).unwrap_or_default();
        listed.rules.whole_lots(Qty(most)).min(remaining - remaining.min(closing))
    }

    /// The most of an instrument that one may hold at this price with the leverage that is used.
    pub(crate) fn largest(&self, listed: &Listed, price: Price) -> Option<Qty> {
        let most = listed.rules.margin.most_notional?;
        Some(listed.rules.whole_lots(Qty(most.0.checked_div(price.0).unwrap_or_default())))
    }
}

/// An order that may open something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) strategy: StrategyIndex,
    pub(crate) instrument: InstrumentIndex,
    pub(crate) listed: &'a Listed,
    /// At which it would trade.
    pub(crate) price: Price,
    /// What of the position it closes first.
    pub(crate) closing: Qty,
    /// What of it is still to fill.
    pub(crate) remaining: Qty,
}

/// The side of the order that closes a position.
pub(crate) fn exit_side(position: Qty) -> Side {
    if position.0.is_sign_negative() { Side::Buy } else { Side::Sell }
}

impl Clearing {
    /// Whether the mark of an instrument has used up what stands for a strategy's position in it.
    pub(crate) fn is_used_up(&self, strategy: StrategyIndex, instrument: InstrumentIndex, mark: Price) -> bool {
        let held = self.position(strategy, instrument);
        self.liquidation_mark(strategy, instrument)
            .is_some_and(|least| if exit_side(held) == Side::Sell { mark <= least } else { mark >= least })
    }
}
