"""The cases in backtesting.py: one symbol each, market orders at the next open."""

import warnings
from importlib.metadata import version

import pandas
from backtesting import Backtest, Strategy

from signals import (CASH, FEE, HOLDING, PATIENCE, bracket, crosses, dip_entry, dip_exit, dips, directions, load,
                     trail)

ENGINE, PROFILE, VERSION = "backtesting.py", "backtesting-py", version("backtesting")
CASES = {case: [["a"], ["b"], ["c"]] for case in ("s1", "s2t", "s3", "s4t", "s5t")}


class Case(Strategy):
    """What the cases share. `decide(i)` runs at the close of bar i, after the engine has matched it."""

    bars = None

    def init(self):
        self.reasons = {}  # by entry bar, for exits that the strategy asked for

    def next(self):
        self.decide(len(self.data) - 1)

    @property
    def trade(self):
        return self.trades[0] if self.trades else None

    def leave(self, reason):
        self.reasons[self.trade.entry_bar] = reason
        self.trade.close()


class S1(Case):
    def init(self):
        super().init()
        self.up, self.down = crosses(self.bars.c)

    def decide(self, i):
        if self.up[i] and not self.trade:
            self.enter(i)
        elif self.down[i] and self.trade:
            self.leave("signal")
        elif self.trade:
            self.hold(i)

    def enter(self, i):
        self.buy(size=1)

    def hold(self, i):
        pass


class S2t(S1):
    def enter(self, i):
        stop, target = bracket(self.bars.c[i])
        self.buy(size=1, sl=self.bars.price(stop), tp=self.bars.price(target))


class S3(Case):
    def init(self):
        super().init()
        self.direction = directions(self.bars.c)

    def decide(self, i):
        wanted = self.direction[i]
        if not wanted or self.trade and self.trade.is_long == (wanted > 0):
            return
        if self.trade:
            self.leave("signal")
        (self.buy if wanted > 0 else self.sell)(size=1)


class S4t(Case):
    def init(self):
        super().init()
        self.dip = dips(self.bars.c)
        self.entry = None  # the working entry order
        self.sent = None  # the bar at whose close it was sent

    def decide(self, i):
        if self.entry and self.trade:
            self.entry = None
            self.trade.tp = self.bars.price(dip_exit(self.bars.ticks(self.trade.entry_price)))
        elif self.entry and i - self.sent >= PATIENCE:
            self.entry.cancel()
            self.entry = None
        if self.trade:
            if i - self.trade.entry_bar == HOLDING:
                self.leave("time")
        elif not self.entry and self.dip[i]:
            self.entry = self.buy(size=1, limit=self.bars.price(dip_entry(self.bars.c[i])))
            self.sent = i


class S5t(S1):
    def enter(self, i):
        self.highest = self.bars.c[i]
        self.stop = trail(self.highest)
        self.buy(size=1, sl=self.bars.price(self.stop))

    def hold(self, i):
        self.highest = max(self.highest, self.bars.c[i])
        if trail(self.highest) > self.stop:
            self.stop = trail(self.highest)
            self.trade.sl = self.bars.price(self.stop)


STRATEGIES = {"s1": S1, "s2t": S2t, "s3": S3, "s4t": S4t, "s5t": S5t}


def run(case, names):
    bars = load(*names)
    frame = pandas.DataFrame(
        {key: [bars.price(x) for x in column]
         for key, column in (("Open", bars.o), ("High", bars.h), ("Low", bars.l), ("Close", bars.c))},
        index=pandas.to_datetime(bars.t, unit="ms"))
    strategy = type(case, (STRATEGIES[case],), {"bars": bars})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Some trades remain open")
        warnings.filterwarnings("ignore", message=".*A contingent SL/TP order would execute")
        result = Backtest(frame, strategy, cash=CASH, commission=FEE).run()

    def entry(bar, size, price):
        return {"symbol": bars.name, "side": "buy" if size > 0 else "sell", "quantity": float(abs(size)),
                "entry_bar": bars.t[bar], "entry_at": at(bar, price), "entry_price": float(price)}

    def at(bar, price):
        return "open" if price == bars.price(bars.o[bar]) else "inside"

    def reason(trade):
        stopped = trade.SL is not None and trade.ExitPrice <= trade.SL
        return result._strategy.reasons.get(trade.EntryBar) or ("stop" if stopped else "target")

    trades = [
        entry(trade.EntryBar, trade.Size, trade.EntryPrice)
        | {"exit_bar": bars.t[trade.ExitBar], "exit_at": at(trade.ExitBar, trade.ExitPrice),
           "exit_price": float(trade.ExitPrice), "fees": float(trade.Commission), "pnl": float(trade.PnL),
           "reason": reason(trade)}
        for trade in result._trades.itertuples()]
    # The engine tells no commission of a trade before it is closed, though its cash has paid it.
    open_trades = [
        entry(trade.entry_bar, trade.size, trade.entry_price)
        | {"fees": float(abs(trade.size) * trade.entry_price * FEE)}
        for trade in result._strategy.trades]
    return trades, open_trades, float(result["Equity Final [$]"])
