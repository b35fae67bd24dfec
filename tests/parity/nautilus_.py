"""The cases in NautilusTrader, on bars alone: orders at the close that signals them."""

from decimal import Decimal
from importlib.metadata import version

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from signals import (CASH, FEE, HOLDING, HOUR, PATIENCE, bracket, crosses, dip_entry, dip_exit, dips, directions, load,
                     trail)

ENGINE, PROFILE, VERSION = "nautilus_trader", "nautilus-bar", version("nautilus_trader")
CASES = {case: [["a"], ["b"], ["c"]] for case in ("s1", "s2t", "s3", "s4t", "s5t")} | {"s6": [["a", "b", "c"]]}

VENUE = Venue("SIM")
NS = 1_000_000  # in a millisecond


class Case(Strategy):
    """What the cases share. `decide(i)` runs at the close of bar i, after the engine has matched it."""

    def __init__(self, bars, instrument):
        super().__init__(StrategyConfig(order_id_tag=bars.name))
        self.bars = bars
        self.instrument = instrument
        self.closes = 0
        self.plan()

    def plan(self):
        self.up, self.down = crosses(self.bars.c)

    def on_start(self):
        self.subscribe_bars(bar_type(self.instrument))

    def on_bar(self, bar):
        self.closes += 1
        self.decide(self.closes - 1)

    @property
    def position(self):
        positions = self.cache.positions_open(instrument_id=self.instrument.id)
        return positions[0] if positions else None

    def price(self, ticks):
        return Price.from_str(self.bars.text(ticks))

    def one(self):
        return self.instrument.make_qty(1)

    def market(self, side, quantity, reason):
        self.submit_order(self.order_factory.market(self.instrument.id, side, quantity, tags=[reason]))

    def leave(self, reason):
        """Cancels what works and closes the position at market."""
        self.cancel_all_orders(self.instrument.id)
        side = OrderSide.SELL if self.position.is_long else OrderSide.BUY
        self.market(side, self.position.quantity, reason)


class S1(Case):
    def decide(self, i):
        if self.up[i] and not self.position:
            self.enter(i)
        elif self.down[i] and self.position:
            self.leave("signal")
        elif self.position:
            self.hold(i)

    def enter(self, i):
        self.market(OrderSide.BUY, self.one(), "signal")

    def hold(self, i):
        pass


class S2t(S1):
    def enter(self, i):
        stop, target = bracket(self.bars.c[i])
        self.submit_order_list(self.order_factory.bracket(
            self.instrument.id, OrderSide.BUY, self.one(), sl_trigger_price=self.price(stop), sl_tags=["stop"],
            tp_price=self.price(target), tp_post_only=False, tp_tags=["target"]))


class S3(Case):
    def plan(self):
        self.direction = directions(self.bars.c)

    def decide(self, i):
        wanted = self.direction[i]
        if not wanted or self.position and self.position.is_long == (wanted > 0):
            return
        if self.position:
            self.leave("signal")
        self.market(OrderSide.BUY if wanted > 0 else OrderSide.SELL, self.one(), "signal")


class S4t(Case):
    """An entry order that is filled in part goes on working; the bar that fills it, or ends it, is the entry bar."""

    def plan(self):
        self.dip = dips(self.bars.c)
        self.entry = None  # the working entry order
        self.sent = None  # the bar at whose close it was sent
        self.entered = None  # the entry bar

    def decide(self, i):
        if self.entry:
            done = self.entry.is_closed
            if not done and i - self.sent >= PATIENCE:
                self.cancel_order(self.entry)
                done = True
            if done:
                self.entry = None
                if self.position:
                    self.entered = i
                    entry = self.bars.ticks(self.position.avg_px_open)
                    self.submit_order(self.order_factory.limit(
                        self.instrument.id, OrderSide.SELL, self.position.quantity, self.price(dip_exit(entry)),
                        tags=["target"]))
                    return
        if self.entry:
            return
        if self.position:
            if i - self.entered == HOLDING:
                self.leave("time")
        elif self.dip[i]:
            self.sent = i
            self.entry = self.order_factory.limit(
                self.instrument.id, OrderSide.BUY, self.one(), self.price(dip_entry(self.bars.c[i])), tags=["signal"])
            self.submit_order(self.entry)


class S5t(S1):
    """The factory makes a target with every stop: it is out of reach."""

    def enter(self, i):
        self.highest = self.bars.c[i]
        self.level = trail(self.highest)
        self.submit_order_list(self.order_factory.bracket(
            self.instrument.id, OrderSide.BUY, self.one(), sl_trigger_price=self.price(self.level), sl_tags=["stop"],
            tp_price=self.price(10 * self.highest), tp_post_only=False))

    def hold(self, i):
        self.highest = max(self.highest, self.bars.c[i])
        if trail(self.highest) > self.level:
            self.level = trail(self.highest)
            for order in self.cache.orders_open(instrument_id=self.instrument.id):
                if order.tags == ["stop"]:
                    self.modify_order(order, trigger_price=self.price(self.level))


STRATEGIES = {"s1": S1, "s2t": S2t, "s3": S3, "s4t": S4t, "s5t": S5t, "s6": S1}


def pair(bars):
    symbol = f"{bars.name.upper()}/USDT"
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(symbol), VENUE), raw_symbol=Symbol(symbol),
        base_currency=Currency(bars.name.upper(), 8, 0, bars.name.upper(), CurrencyType.CRYPTO), quote_currency=USDT,
        price_precision=bars.decimals, size_precision=bars.volume_decimals,
        price_increment=Price(10**-bars.decimals, bars.decimals),
        size_increment=Quantity(10**-bars.volume_decimals, bars.volume_decimals),
        margin_init=Decimal(0), margin_maint=Decimal(0), maker_fee=Decimal(str(FEE)), taker_fee=Decimal(str(FEE)),
        ts_event=0, ts_init=0)


def bar_type(instrument):
    return BarType.from_str(f"{instrument.id}-1-HOUR-LAST-EXTERNAL")


def feed(bars, instrument):
    """A bar reaches the engine when it closes."""
    for time, o, h, l, c, v in zip(bars.t, bars.o, bars.h, bars.l, bars.c, bars.v):
        volume = Quantity(v / 10**bars.volume_decimals, bars.volume_decimals)
        closed = (time + HOUR) * NS
        yield Bar(bar_type(instrument), *(Price.from_str(bars.text(x)) for x in (o, h, l, c)), volume, closed, closed)


def run(case, names):
    files = [load(name) for name in names]
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(CASH, USDT)], base_currency=USDT)
    of = {}
    for bars in files:
        instrument = pair(bars)
        of[instrument.id] = bars
        engine.add_instrument(instrument)
        engine.add_data(list(feed(bars, instrument)))
        engine.add_strategy(STRATEGIES[case](bars, instrument))
    engine.run()

    positions = engine.cache.position_snapshots() + engine.cache.positions()
    positions.sort(key=lambda position: (position.ts_closed or 2**63, position.ts_opened, position.instrument_id))
    trades, open_trades = [], []
    equity = engine.cache.account_for_venue(VENUE).balance_total(USDT).as_decimal()
    for position in positions:
        bars = of[position.instrument_id]
        entries = [fill for fill in position.events if fill.order_side == position.entry]
        exits = [fill for fill in position.events if fill.order_side != position.entry]
        trade = {"symbol": bars.name, "side": "buy" if position.entry == OrderSide.BUY else "sell",
                 "quantity": float(position.peak_qty), "entry_bar": label(entries[0]),
                 "entry_at": at(engine, bars, entries[0]), "entry_price": position.avg_px_open}
        parts = {"entry": entries, "exit": exits}
        fills = {side: [[float(fill.last_px.as_decimal()), float(fill.last_qty.as_decimal())] for fill in fills]
                 for side, fills in parts.items() if len(fills) > 1}
        fees = float(sum(money.as_decimal() for money in position.commissions()))
        if position.is_open:
            equity += position.unrealized_pnl(Price.from_str(bars.text(bars.c[-1]))).as_decimal()
            trade |= {"fees": fees}
            open_trades.append(trade | {"fills": fills} if fills else trade)
            continue
        trade |= {"exit_bar": label(exits[-1]), "exit_at": at(engine, bars, exits[-1]),
                  "exit_price": position.avg_px_close, "fees": fees, "pnl": float(position.realized_pnl.as_decimal()),
                  "reason": engine.cache.order(exits[-1].client_order_id).tags[0]}
        trades.append(trade | {"fills": fills} if fills else trade)
    engine.dispose()
    return trades, open_trades, float(equity)


def label(fill):
    return fill.ts_event // NS - HOUR


def at(engine, bars, fill):
    """All of a bar has one time: an order as old as its fill was sent at that close, any other was working before."""
    order = engine.cache.order(fill.client_order_id)
    if order.ts_init == fill.ts_event:
        return "close"
    # It was reached at the open if that lies at or beyond its level.
    level = bars.ticks(float(order.trigger_price if order.has_trigger_price else order.price))
    first = bars.o[bars.t.index(label(fill))]
    falls = order.is_buy != order.has_trigger_price
    return "open" if (first <= level if falls else first >= level) else "inside"
