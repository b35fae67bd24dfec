"""Makes data/{a,b,c}.csv from Tiltyard's synthetic quarter-hours; the README has the commands.

A quarter-hour of the synthetic data always opens at the last one's close. Every third hour leaves its first quarter
out, and every 24th its first three, so that hours open beside the last close; the others open on it. Prices are
drawn apart (`stretch`), laid on another level and rounded to ticks; the ticks of `c` are coarse, and `b` is wild.
Volumes run backwards, so that thin bars move as far as others.
"""

import csv
import sys
from pathlib import Path

HERE = Path(__file__).parent

# file, market, decimals of the price, price of the first open, stretch
FILES = [
    ("a", "SYN4-USD", 2, 400.0, lambda x: x),
    ("b", "SYN2-USD", 1, 60_000.0, lambda x: x * x * x),
    ("c", "SYN5-USD", 4, 0.02, lambda x: x),
]
TYPICAL_VOLUME = 7.0  # what the median of the volumes becomes, before one unit is taken off
MOST_VOLUME = 40.0


def quarters(path):
    with open(path, newline="") as file:
        return [(int(row["timestamp"]), *(float(row[k]) for k in ("open", "high", "low", "close", "volume")))
                for row in csv.DictReader(file)]


def hours(rows):
    for n in range(len(rows) // 4):
        four = rows[4 * n: 4 * n + 4]
        kept = four[3:] if n % 24 == 23 else four[1:] if n % 3 == 1 else four
        yield (four[0][0], kept[0][1], max(q[2] for q in kept), min(q[3] for q in kept), kept[-1][4],
               sum(q[5] for q in kept))


def main(folder):
    for name, market, decimals, level, stretch in FILES:
        rows = list(hours(quarters(Path(folder) / f"{market}.csv")))
        first = rows[0][1]
        median = sorted(row[5] for row in rows)[len(rows) // 2]
        with open(HERE / "data" / f"{name}.csv", "w", newline="\n") as out:
            out.write("timestamp,open,high,low,close,volume\n")
            for (time, *prices, _), (*_, volume) in zip(rows, reversed(rows)):
                o, h, l, c = (round(level * stretch(p / first), decimals) for p in prices)
                volume = min(max(volume / median * TYPICAL_VOLUME - 1, 0), MOST_VOLUME)
                assert l <= min(o, c) and max(o, c) <= h
                out.write(f"{time},{o:.{decimals}f},{h:.{decimals}f},{l:.{decimals}f},{c:.{decimals}f},{volume:.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1])
