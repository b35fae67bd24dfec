use tiltyard_model::{Decimal, InstrumentIndex, Money, Price, Qty, Rounding, Specification, StopLoss, decimal};

use crate::execution::StrategyIndex;
use crate::market::Listed;

/// What each strategy last asked to hold of each instrument.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    accepted: Vec<Vec<Option<Target>>>,
}

/// A call of `target` that was accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub(crate) fraction: f64,
    pub(crate) stop: Option<StopLoss>,
}

impl Targets {
    /// Makes room for one more strategy.
    pub(crate) fn seat(&mut self, instruments: usize) {
        self.accepted.push(vec![None; instruments]);
    }

    pub(crate) fn get(&self, strategy: StrategyIndex, instrument: InstrumentIndex) -> Option<Target> {
        *self.accepted.get(strategy.0 as usize)?.get(instrument.0 as usize)?
    }

    pub(crate) fn set(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex, target: Option<Target>) {
        let slot = self.accepted.get_mut(strategy.0 as usize).and_then(|all| all.get_mut(instrument.0 as usize));
        if let Some(slot) = slot {
            *slot = target;
        }
    }

    /// The position is no longer what was asked for: the next call acts.
    pub(crate) fn forget(&mut self, strategy: StrategyIndex, instrument: InstrumentIndex) {
        self.set(strategy, instrument, None);
    }
}

/// The position that is this fraction of the equity: what could be bought for it at the mark with the taker's costs and
/// fee on top, in whole lots. A fraction too small for a decimal is none of it. `None` if it is larger than any order may be.
pub(crate) fn desired(fraction: f64, equity: Money, mark: Price, cost: Decimal, listed: &Listed) -> Option<Qty> {
    if fraction.abs() < 1e-12 {
        return Some(Qty::ZERO);
    }
    let fraction = decimal(fraction)?;
    // Value and fee of the purchase are each rounded up by less than this.
    let rounding = Decimal::new(2, 8);
    let budget = (equity.0.max(Decimal::ZERO).checked_mul(fraction.abs())? - rounding).max(Decimal::ZERO);
    let fee = listed.rules.taker_fee.max(listed.rules.maker_fee).max(Decimal::ZERO);
    let each = mark.times(Decimal::ONE + cost, Rounding::Up).0.checked_mul(Decimal::ONE + fee)?;
    let quantity = listed.rules.whole_lots(Qty(budget.checked_div(each)?));
    if quantity.to_f64() > Specification::LARGEST {
        return None;
    }
    Some(if fraction.is_sign_negative() { -quantity } else { quantity })
}
