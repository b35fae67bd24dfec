"""The rules by which the three profiles fill, without any engine, and a check that they make every golden.

`python rules.py --check` runs every case by these rules and compares with goldens/, trade by trade. It needs nothing but
Python. Prices are ticks, quantities lots (10^-decimals of the volumes).
"""

import argparse
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from signals import (CASH, FEE, HOLDING, PATIENCE, bracket, crosses, dip_entry, dip_exit, dips, directions, load,
                     trail)

GOLDENS = Path(__file__).parent / "goldens"


class Venue:
    """One symbol's position and orders. A profile says when and at which price orders fill."""

    def __init__(self, bars):
        self.bars = bars
        self.unit = 10**bars.volume_decimals
        self.i = -1
        self.position = 0  # lots, negative when short
        self.stop = self.target = None  # levels at which a long position is sold, once the entry has filled
        self.limit = None  # level of a working buy
        self.missing = 0  # lots of it that have not filled
        self.trade = None
        self.trades = []

    def fill(self, lots, price, at, reason):
        """Books a fill of so many lots, negative when sold."""
        if not self.position:
            self.trade = {"side": "buy" if lots > 0 else "sell", "entry": [], "exit": []}
            self.trades.append(self.trade)
        part = "exit" if self.position * lots < 0 else "entry"
        self.trade[part].append((self.i, at, price, abs(lots)))
        self.position += lots
        if not self.position:
            self.trade["reason"] = reason
            self.stop = self.target = None

    def at(self, met):
        return "open" if met else "inside"

    def bid(self, limit):
        """Sends a buy limit."""
        self.limit, self.missing = limit, self.unit

    def ask(self, limit):
        """Sends a sell limit for the position."""
        self.target = limit


    def meet(self, o, h, l):
        """backtesting.py and vectorbt: stop before target, and at the open if that lies beyond."""
        if self.stop is not None and l <= self.stop:
            self.fill(-self.position, min(o, self.stop), self.at(o <= self.stop), "stop")
        elif self.target is not None and h >= self.target:
            self.fill(-self.position, max(o, self.target), self.at(o >= self.target), "target")


class BacktestingPy(Venue):
    def __init__(self, bars):
        super().__init__(bars)
        self.queue = []  # market orders sent at the last close: lots, reason, stop and target

    def enter(self, side, stop=None, target=None):
        self.queue.append((side * self.unit, "signal", stop, target))

    def leave(self, reason):
        self.queue.insert(0, (-self.position, reason, None, None))

    def run(self, i):
        self.i = i
        o, h, l = self.bars.o[i], self.bars.h[i], self.bars.l[i]
        for lots, reason, stop, target in self.queue:
            self.fill(lots, o, "open", reason)
            if self.position:
                self.stop, self.target = stop, target
        self.queue = []
        self.meet(o, h, l)
        if self.limit is not None and l <= self.limit:
            self.fill(self.unit, min(o, self.limit), self.at(o <= self.limit), "signal")
            self.limit = None


class Vectorbt(Venue):
    def enter(self, side, stop=None, target=None):
        if not self.used:
            self.fill(side * self.unit, self.bars.c[self.i], "close", "signal")
            self.stop, self.target = stop, target

    def leave(self, reason):
        self.fill(-self.position, self.bars.c[self.i], "close", reason)

    def run(self, i):
        self.i = i
        before = self.position
        self.meet(self.bars.o[i], self.bars.h[i], self.bars.l[i])
        self.used = self.position != before  # one order a bar


class NautilusBar(Venue):
    def __init__(self, bars):
        super().__init__(bars)
        self.last = self.size = None  # the price and how much of it there is

    def enter(self, side, stop=None, target=None):
        self.take(side * self.unit, self.last, "close", "signal")
        self.stop, self.target = stop, target

    def leave(self, reason):
        self.stop = self.target = None
        self.take(-self.position, self.last, "close", reason)

    def ask(self, limit):
        """A close beyond it sells at the close at once; one at it twice what there is, on arrival and right after."""
        self.target = limit
        if self.last > limit:
            self.take(-self.position, self.last, "close", "target")
        for _ in range(2):
            if self.last == self.target:
                self.touch("close")

    def take(self, lots, price, at, reason):
        """What there is at the price, the rest one tick worse."""
        sign = 1 if lots > 0 else -1
        best = min(abs(lots), self.size)
        rest = abs(lots) - best
        self.fill(sign * best, price, at, reason)
        if rest:
            self.fill(sign * rest, price + sign, at, reason)

    def run(self, i):
        self.i = i
        b = self.bars
        quarter = max(b.v[i] // 4, 1)
        self.point(b.o[i], quarter, b.o[i] != self.last)
        self.point(b.h[i], quarter, b.h[i] > self.last)
        self.point(b.l[i], quarter, b.l[i] < self.last)
        self.point(b.c[i], max(b.v[i] - 3 * quarter, 1), b.c[i] != self.last)

    def point(self, price, size, moves):
        if not moves:
            return
        self.last, self.size = price, size
        if self.stop is not None and price <= self.stop:
            opened = self.bars.o[self.i] <= self.stop
            self.take(-self.position, price if opened else self.stop, self.at(opened), "stop")
        elif self.target is not None and price >= self.target:
            self.touch(self.at(self.bars.o[self.i] >= self.target))
        elif self.limit is not None and price <= self.limit:
            at = self.at(self.bars.o[self.i] <= self.limit)
            for lots in self.parts(self.missing, price < self.limit):
                self.fill(lots, self.limit, at, "signal")
                self.missing -= lots
            if not self.missing:
                self.limit = None

    def touch(self, at):
        level = self.target
        for lots in self.parts(self.position, self.last > level):
            self.fill(-lots, level, at, "target")

    def parts(self, lots, passed):
        """The fills of a limit that was reached: what there is, and the rest at the same price if it was passed."""
        best = min(lots, self.size)
        return [best, lots - best] if passed and lots > best else [best]


class S1:
    def __init__(self, bars):
        self.c = bars.c
        self.up, self.down = crosses(bars.c)

    def decide(self, i, venue):
        if self.up[i] and not venue.position:
            self.enter(i, venue)
        elif self.down[i] and venue.position:
            venue.leave("signal")
        elif venue.position:
            self.hold(i, venue)

    def enter(self, i, venue):
        venue.enter(1)

    def hold(self, i, venue):
        pass


class S2t(S1):
    def enter(self, i, venue):
        venue.enter(1, *bracket(self.c[i]))


class S3:
    def __init__(self, bars):
        self.direction = directions(bars.c)

    def decide(self, i, venue):
        wanted = self.direction[i]
        if wanted and wanted * venue.position <= 0:
            if venue.position:
                venue.leave("signal")
            venue.enter(wanted)


class S4t:
    def __init__(self, bars):
        self.c = bars.c
        self.dip = dips(bars.c)
        self.sent = self.entered = None

    def decide(self, i, venue):
        if self.sent is not None and (venue.limit is None or i - self.sent >= PATIENCE):
            venue.limit = self.sent = None
            if venue.position:
                self.entered = i
                venue.ask(dip_exit(venue.trade["entry"][0][2]))
                return
        if self.sent is not None:
            return
        if venue.position:
            if i - self.entered == HOLDING:
                venue.leave("time")
        elif self.dip[i]:
            self.sent = i
            venue.bid(dip_entry(self.c[i]))


class S5t(S1):
    def enter(self, i, venue):
        self.highest = self.c[i]
        venue.enter(1, trail(self.highest))

    def hold(self, i, venue):
        self.highest = max(self.highest, self.c[i])
        venue.stop = trail(self.highest)


CASES = {"s1": S1, "s2t": S2t, "s3": S3, "s4t": S4t, "s5t": S5t, "s6": S1}
PROFILES = {"backtesting-py": BacktestingPy, "vectorbt": Vectorbt, "nautilus-bar": NautilusBar}


def rounded(fee):
    """To 8 decimals as NautilusTrader does: the product in float64 decides to which side a half goes."""
    return Decimal(float(fee) * 1e8).quantize(Decimal(1), ROUND_HALF_UP).scaleb(-8)


def by_rules(profile, case, names):
    """The trades that the rules make, in the goldens' form; money in decimals."""
    trades, open_trades, equity = [], [], Decimal(CASH)
    for name in names:
        bars = load(name)
        venue, strategy = PROFILES[profile](bars), CASES[case](bars)
        for i in range(len(bars)):
            venue.run(i)
            strategy.decide(i, venue)
        tick, lot = Decimal(1).scaleb(-bars.decimals), Decimal(1).scaleb(-bars.volume_decimals)

        def fee(price, lots):
            exact = price * tick * lots * lot * Decimal(str(FEE))
            return rounded(exact) if profile == "nautilus-bar" else exact

        for trade in venue.trades:
            done = {"symbol": name, "side": trade["side"]}
            sign = 1 if trade["side"] == "buy" else -1
            gross, held = Decimal(0), 0
            for part, direction in (("entry", -sign), ("exit", sign)):
                fills = trade[part]
                if not fills:
                    continue
                value = sum(price * lots for _, _, price, lots in fills)
                moved = sum(lots for *_, lots in fills)
                bar, at, *_ = fills[0 if part == "entry" else -1]
                done |= {f"{part}_bar": bars.t[bar], f"{part}_at": at, f"{part}_price": value * tick / moved}
                gross += direction * value * tick * lot
                held += -direction * moved
                if len(fills) > 1:
                    done.setdefault("fills", {})[part] = [[price * tick, lots * lot] for _, _, price, lots in fills]
            done["quantity"] = sum(lots for *_, lots in trade["entry"]) * lot
            done["fees"] = sum(fee(price, lots) for part in ("entry", "exit") for _, _, price, lots in trade[part])
            equity += gross - done["fees"] + held * bars.c[-1] * tick * lot
            if held:
                open_trades.append(done)
            else:
                trades.append(done | {"pnl": gross - done["fees"], "reason": trade["reason"]})
    return trades, open_trades, equity


def differences(golden, trades, open_trades, equity):
    for kind, ours in (("trades", trades), ("open_trades", open_trades)):
        def key(trade):
            return trade["symbol"], trade["entry_bar"], trade.get("exit_bar")
        theirs = sorted(golden[kind], key=key)
        ours = sorted(ours, key=key)
        if len(theirs) != len(ours):
            yield f"{len(theirs)} {kind}, by the rules {len(ours)}"
        for a, b in zip(theirs, ours):
            wrong = {k: (a.get(k), b.get(k)) for k in a.keys() | b.keys() if not same(a.get(k), b.get(k))}
            if wrong:
                yield f"{kind} {a['symbol']} {a['entry_bar']}: {wrong}"
    if not same(golden["final_equity"], equity):
        yield f"final equity {golden['final_equity']}, by the rules {equity}"


def same(theirs, ours):
    """Floats within what their sums lose."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return theirs.keys() == ours.keys() and all(same(theirs[k], ours[k]) for k in theirs)
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(theirs) == len(ours) and all(map(same, theirs, ours))
    if isinstance(theirs, float) and isinstance(ours, Decimal):
        return abs(theirs - float(ours)) <= 1e-9 + 1e-14 * abs(theirs)
    return theirs == ours


def check():
    bad = 0
    for path in sorted(GOLDENS.glob("*/*.json")):
        golden = json.loads(path.read_text())
        names = [Path(file).stem for file in golden["data"]]
        found = list(differences(golden, *by_rules(path.parent.name, golden["case"], names)))
        bad += bool(found)
        print(f"{path.relative_to(GOLDENS)}: {'differs' if found else 'as the rules say'}")
        for line in found:
            print("   ", line)
    return bad


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", required=True, help="compare with goldens/")
    arguments.parse_args()
    raise SystemExit(1 if check() else 0)
