"""The bars in ticks, and what the strategies decide from closes alone: the same for every engine.

Prices are integers of ticks wherever a comparison or a level depends on them, so that an equal pair of averages is
equal and a level lies on a tick.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"
CASH = 1_000_000
FEE = 0.0005  # of the notional of every fill
HOUR = 3_600_000  # ms


@dataclass
class Bars:
    """A file's bars. `o h l c` in ticks of 10^-`decimals`; `v` in lots of 10^-`volume_decimals`; `t` opens, ms UTC."""

    name: str
    decimals: int
    volume_decimals: int
    t: list
    o: list
    h: list
    l: list
    c: list
    v: list

    def price(self, ticks):
        """The float64 nearest to so many ticks."""
        return float(self.text(ticks))

    def text(self, ticks):
        whole, part = divmod(ticks, 10**self.decimals)
        return f"{whole}.{part:0{self.decimals}d}"

    def ticks(self, price):
        return round(price * 10**self.decimals)

    def __len__(self):
        return len(self.t)


def integer(text):
    return int(text.replace(".", ""))


def load(name):
    with open(DATA / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    column = {key: [integer(row[key]) for row in rows] for key in rows[0]}
    return Bars(name, len(rows[0]["close"].split(".")[1]), len(rows[0]["volume"].split(".")[1]),
                column["timestamp"], column["open"], column["high"], column["low"], column["close"], column["volume"])


def crosses(c):
    """S1: for every bar whether SMA(10) crosses SMA(50) up, and whether down."""
    total = [0]
    for close in c:
        total.append(total[-1] + close)
    # Where both are defined: the sign of the difference, times 50.
    side = [0] * len(c)
    for i in range(49, len(c)):
        difference = 5 * (total[i + 1] - total[i - 9]) - (total[i + 1] - total[i - 49])
        side[i] = (difference > 0) - (difference < 0)
    up = [i >= 50 and side[i - 1] <= 0 < side[i] for i in range(len(c))]
    down = [i >= 50 and side[i - 1] >= 0 > side[i] for i in range(len(c))]
    return up, down


def directions(c):
    """S3: for every bar the sign of EMA(12) - EMA(48), 0 for the first 47. Float64: no pair comes near to equal."""
    result, fast, slow = [], float(c[0]), float(c[0])
    for i, close in enumerate(c):
        if i:
            fast = 2 / 13 * close + (1 - 2 / 13) * fast
            slow = 2 / 49 * close + (1 - 2 / 49) * slow
        result.append(0 if i < 47 else (fast > slow) - (fast < slow))
    return result


def dips(c):
    """S4: for every bar whether Wilder's RSI(14) falls below 30. Float64: no value comes near to 30."""
    below = [False] * len(c)
    gain = sum(max(c[i] - c[i - 1], 0) for i in range(1, 15)) / 14
    loss = sum(max(c[i - 1] - c[i], 0) for i in range(1, 15)) / 14
    for i in range(14, len(c)):
        if i > 14:
            gain = (13 * gain + max(c[i] - c[i - 1], 0)) / 14
            loss = (13 * loss + max(c[i - 1] - c[i], 0)) / 14
        below[i] = 100 * gain < 30 * (gain + loss)
    return [i >= 15 and below[i] and not below[i - 1] for i in range(len(c))]


def bracket(close):
    """S2t: stop-loss and take-profit, in ticks, of an entry signalled at this close."""
    return close * 99 // 100, -(-close * 102 // 100)


def trail(highest_close):
    """S5t: the stop, in ticks, under the highest close since the signal bar."""
    return highest_close * 98 // 100


def dip_entry(close):
    """S4t: the limit, in ticks, of an entry signalled at this close."""
    return close * 998 // 1000


def dip_exit(entry):
    """S4t: the limit, in ticks, at which a position entered at so many ticks is sold."""
    return -(-entry * 101 // 100)


PATIENCE = 10  # S4t: bars for which an entry order is good
HOLDING = 60  # S4t: bars after the entry bar at whose close the position is sold
