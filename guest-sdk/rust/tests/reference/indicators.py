"""Writes indicators.json: series of bars and what TA-Lib, pandas and NumPy make of them.

    pip install -r requirements.txt
    python indicators.py

`tests/indicators.rs` compares every value of every indicator with it, undefined ones (null) included.

Notes on TA-Lib, at the version in requirements.txt:
- Default settings: unstable periods of 0, compatibility 0 (classic, not Metastock), which is checked below. They
  decide how EMA, MACD, RSI, ATR, ADX and the directional indicators are seeded.
- Averages of Bollinger bands and stochastics are simple (matype 0). STDDEV and BBANDS divide by n.
- RSI of a price that never moved is 0, and so is a stochastic without range.

What TA-Lib has not: VWAP and rolling VWAP of the typical price (pandas), null where nothing traded; z-score with the
standard deviation of the population (NumPy), 0 where all values are the same; the Donchian channel is MAX of highs and
MIN of lows.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import talib

DIGITS = 14


def bars(rng, changes, start, tick=None):
    """OHLCV around a path of closes; a change of NaN is a bar in which nothing happens."""
    halted = np.isnan(changes)
    close = start * np.exp(np.cumsum(np.where(halted, 0.0, changes)))
    before = np.concatenate([[start], close[:-1]])
    open = np.where(halted, close, before * np.exp(rng.normal(0, 0.002, len(close))))
    reach = np.where(halted, 0.0, np.abs(rng.normal(0, 0.006, (2, len(close)))))
    high = np.maximum(open, close) * np.exp(reach[0])
    low = np.minimum(open, close) * np.exp(-reach[1])
    volume = np.where(halted, 0.0, rng.lognormal(6, 1, len(close)))
    if tick:
        open, high, low, close = (np.round(price / tick) * tick for price in (open, high, low, close))
    table = {"open": open, "high": high, "low": low, "close": close, "volume": volume}
    return pd.DataFrame({name: rounded(column) for name, column in table.items()})


def rounded(column):
    return [float(f"{value:.{DIGITS}g}") for value in column]


def series():
    """Name, what it is, bars, the windows to use."""
    rng = np.random.default_rng(11)
    yield "walk", "a random walk, usual windows", bars(rng, rng.normal(0, 0.01, 240), 100.0), 14, 20
    rng = np.random.default_rng(12)
    changes = rng.normal(0, 0.01, 160)
    changes[:40] = np.nan
    changes[100:125] = np.nan
    yield "halted", "nothing happens in bars 0 to 39 and 100 to 124", bars(rng, changes, 64.0), 5, 8
    rng = np.random.default_rng(13)
    changes = rng.normal(0, 0.004, 160)
    yield "ticks", "few prices, many of them the same; short windows", bars(rng, changes, 2.0, 1 / 64), 2, 3


def columns(names, values):
    return dict(zip(names, values))


def vwap_in_sessions(table, length):
    notional = (table.high + table.low + table.close) / 3 * table.volume
    session = table.index // length
    return notional.groupby(session).cumsum() / table.volume.groupby(session).cumsum()


def rolling_vwap(table, window):
    def of(rows):
        rows = table.loc[rows.index]
        traded = rows.volume.sum()
        return ((rows.high + rows.low + rows.close) / 3 * rows.volume).sum() / traded if traded else np.nan

    return table.close.rolling(window).apply(of)


def z_score(values):
    return (values[-1] - np.mean(values)) / np.std(values) if np.std(values) else 0.0


def indicators(table, n, m):
    """Name, parameters, source, columns. n for what is usually 14, m for what is usually 20."""
    open, high, low, close, volume = (table[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    one = ["value"]
    yield "sma", [m], "TA-Lib SMA", columns(one, [talib.SMA(close, m)])
    yield "ema", [m], "TA-Lib EMA", columns(one, [talib.EMA(close, m)])
    yield "wma", [m], "TA-Lib WMA", columns(one, [talib.WMA(close, m)])
    macd = [max(2, n - 2), max(4, 2 * n - 2), max(2, n - 5)]
    yield "macd", macd, "TA-Lib MACD", columns(["line", "signal", "histogram"], talib.MACD(close, *macd))
    yield "rsi", [n], "TA-Lib RSI", columns(one, [talib.RSI(close, n)])
    bands = talib.BBANDS(close, m, 2.0, 2.0)
    yield "bollinger", [m, 2.0], "TA-Lib BBANDS", columns(["upper", "middle", "lower"], bands)
    yield "rolling_min", [m], "TA-Lib MIN", columns(one, [talib.MIN(close, m)])
    yield "rolling_max", [m], "TA-Lib MAX", columns(one, [talib.MAX(close, m)])
    yield "rolling_std", [m], "TA-Lib STDDEV", columns(one, [talib.STDDEV(close, m, 1.0)])
    yield "z_score", [m], "NumPy", columns(one, [table.close.rolling(m).apply(z_score, raw=True)])
    yield "atr", [n], "TA-Lib ATR", columns(one, [talib.ATR(high, low, close, n)])
    yield "atr", [1], "TA-Lib ATR", columns(one, [talib.ATR(high, low, close, 1)])
    directional = [talib.PLUS_DI(high, low, close, n), talib.MINUS_DI(high, low, close, n)]
    yield "directional", [n], "TA-Lib PLUS_DI, MINUS_DI", columns(["plus", "minus"], directional)
    yield "adx", [n], "TA-Lib ADX", columns(one, [talib.ADX(high, low, close, n)])
    slow, fast = talib.STOCH(high, low, close, n, 3, 0, 3, 0), talib.STOCHF(high, low, close, n, 3, 0)
    yield "stochastic_slow", [n, 3, 3], "TA-Lib STOCH", columns(["k", "d"], slow)
    yield "stochastic_fast", [n, 3], "TA-Lib STOCHF", columns(["k", "d"], fast)
    channel = [talib.MAX(high, m), talib.MIN(low, m)]
    yield "donchian", [m], "TA-Lib MAX, MIN", columns(["upper", "lower"], channel)
    yield "vwap", [48], "pandas, in sessions", columns(one, [vwap_in_sessions(table, 48)])
    yield "rolling_vwap", [m], "pandas", columns(one, [rolling_vwap(table, m)])
    yield "obv", [], "TA-Lib OBV", columns(one, [talib.OBV(close, volume)])


def check_settings():
    assert talib.get_compatibility() == 0
    for name in ("EMA", "RSI", "ATR", "PLUS_DI", "MINUS_DI", "ADX"):
        assert talib.get_unstable_period(name) == 0, name


def compact(values):
    values = [None if np.isnan(value) else float(f"{value:.{DIGITS}g}") for value in values]
    return json.dumps(values, separators=(",", ":"))


def main():
    check_settings()
    made = []
    for name, about, table, n, m in series():
        prices = ",\n".join(f'        "{column}": {compact(table[column])}' for column in table)
        expected = []
        for indicator, params, source, found in indicators(table, n, m):
            values = ",\n".join(f'          "{column}": {compact(values)}' for column, values in found.items())
            head = f'"indicator": "{indicator}", "params": {params}, "source": "{source}"'
            expected.append(f'        {{{head}, "values": {{\n{values}\n        }}}}')
        made.append(
            f'    {{\n      "name": "{name}",\n      "about": "{about}",\n      "bars": {{\n{prices}\n      }},\n'
            '      "expected": [\n' + ",\n".join(expected) + "\n      ]\n    }"
        )
    packages = json.dumps({package: version(package) for package in ("TA-Lib", "numpy", "pandas")})
    text = f'{{\n  "made_with": {packages},\n  "series": [\n' + ",\n".join(made) + "\n  ]\n}\n"
    json.loads(text)
    Path(__file__).with_name("indicators.json").write_text(text)


if __name__ == "__main__":
    main()
