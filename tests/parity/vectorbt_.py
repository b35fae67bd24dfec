"""The cases in vectorbt's `from_signals`: orders at the close that signals them, stops as fractions of a price."""

import math
from importlib.metadata import version

import numpy
import vectorbt
from numba import njit

from signals import CASH, FEE, bracket, crosses, directions, load, trail

ENGINE, PROFILE, VERSION = "vectorbt", "vectorbt", version("vectorbt")
CASES = {case: [["a"], ["b"], ["c"]] for case in ("s1", "s2t", "s3", "s5t")} | {"s6": [["a", "b", "c"]]}


def factor(reference, level):
    """An x with reference * x == level in float64, and 1 - x and x - 1 exact; None if there is none."""
    x = level / reference
    for candidate in (x, math.nextafter(x, 0), math.nextafter(x, math.inf)):
        if reference * candidate == level:
            return candidate
    return None


def anchor(price, levels):
    """A reference price from which every level is met exactly: `price`, or the next float64 above that does."""
    while True:
        factors = [factor(price, level) for level in levels]
        if None not in factors:
            return price, factors
        price = math.nextafter(price, math.inf)


def s1(bars):
    up, down = crosses(bars.c)
    return {"entries": up, "exits": down}


def s3(bars):
    """One order turns the position over: of 2 units, which vectorbt makes two trades of."""
    direction = directions(bars.c)
    return {"entries": [d > 0 for d in direction], "short_entries": [d < 0 for d in direction],
            "upon_opposite_entry": "reverse"}


def s2t(bars):
    """The fractions count from the valuation price, which moves by bits where the close reaches no such level."""
    up, _ = crosses(bars.c)
    n = len(bars)
    reference, below, above = numpy.array([bars.price(c) for c in bars.c]), numpy.full(n, 0.5), numpy.full(n, 0.5)
    for i in range(n):
        if up[i]:
            levels = [bars.price(level) for level in bracket(bars.c[i])]
            reference[i], (stop, target) = anchor(reference[i], levels)
            below[i], above[i] = 1 - stop, target - 1
    return s1(bars) | {"val_price": reference, "stop_entry_price": "valprice", "sl_stop": below, "tp_stop": above}


@njit
def fraction_of_the_bar(c, row, fractions):
    if c.position_now == 0:
        return numpy.nan, False
    return fractions[row[c.init_i], c.i], False


def s5t(bars):
    """For every cross up, the stop of every later bar until a cross down, counted from the highest of them."""
    up, down = crosses(bars.c)
    n = len(bars)
    reference, first = numpy.array([bars.price(c) for c in bars.c]), numpy.full(n, 0.5)
    row, fractions = numpy.zeros(n, dtype=numpy.int64), numpy.full((sum(up) + 1, n + 1), numpy.nan)
    for count, i in enumerate((i for i in range(n) if up[i]), 1):
        end = next((j for j in range(i + 1, n) if down[j]), n - 1)
        levels, highest = [], bars.c[i]
        for j in range(i, end + 1):
            highest = max(highest, bars.c[j])
            levels.append(bars.price(trail(highest)))
        reference[i], factors = anchor(max(reference[i], levels[-1]), levels)
        row[i] = count
        fractions[count, i + 1: end + 2] = [1 - x for x in factors]  # the level set at a close works from the next bar
        first[i] = 1 - factors[0]
    return s1(bars) | {"val_price": reference, "stop_entry_price": "valprice", "sl_stop": first,
                       "adjust_sl_func_nb": fraction_of_the_bar, "adjust_sl_args": (row, fractions)}


SIGNALS = {"s1": s1, "s2t": s2t, "s3": s3, "s5t": s5t, "s6": s1}


def run(case, names):
    files = [load(name) for name in names]

    def columns(of):
        return numpy.array([of(bars) for bars in files]).T

    def prices(of):
        return columns(lambda bars: [bars.price(x) for x in of(bars)])

    settings = SIGNALS[case](files[0])
    for key in ("entries", "exits", "short_entries"):
        if key in settings:
            settings[key] = columns(lambda bars: SIGNALS[case](bars)[key])
    for key in ("val_price", "sl_stop", "tp_stop"):
        if key in settings:
            settings[key] = settings[key][:, None]
    if "short_entries" in settings:
        settings["exits"] = settings["short_exits"] = numpy.zeros_like(settings["entries"])
    o, h, l, c = (prices(of) for of in (lambda b: b.o, lambda b: b.h, lambda b: b.l, lambda b: b.c))
    result = vectorbt.Portfolio.from_signals(
        c, open=o, high=h, low=l, size=1.0, init_cash=float(CASH), fees=FEE,
        group_by=len(files) > 1 or None, cash_sharing=len(files) > 1, **settings)

    trades, open_trades = [], []
    for record in result.exit_trades.records.itertuples():
        bars = files[record.col]
        trade = {"symbol": bars.name, "side": "sell" if record.direction else "buy", "quantity": float(record.size),
                 "entry_bar": bars.t[record.entry_idx], "entry_at": "close", "entry_price": float(record.entry_price)}
        if not record.status:
            open_trades.append(trade | {"fees": float(record.entry_fees)})
            continue
        reason = why(case, bars, record)
        opened = record.exit_price == bars.price(bars.o[record.exit_idx])
        trades.append(trade | {
            "exit_bar": bars.t[record.exit_idx],
            "exit_at": "close" if reason == "signal" else "open" if opened else "inside",
            "exit_price": float(record.exit_price), "fees": float(record.entry_fees + record.exit_fees),
            "pnl": float(record.pnl), "reason": reason})
    return trades, open_trades, float(numpy.sum(result.final_value()))


def why(case, bars, record):
    """vectorbt does not tell. A bar that closes at or beyond a level has met it, so that the price does."""
    entry, last = record.entry_idx, record.exit_idx
    if case == "s2t":
        stop, target = bracket(bars.c[entry])
        if record.exit_price >= bars.price(target):
            return "target"
    elif case == "s5t":
        stop = trail(max(bars.c[entry:last]))
    else:
        return "signal"
    return "stop" if record.exit_price <= bars.price(stop) else "signal"
