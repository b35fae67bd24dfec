"""Writes series.json: return series and what quantstats and empyrical make of them.

    pip install -r requirements.txt
    python series.py

Prints, for every figure, how far the two libraries are apart, and what they make of series that leave a figure
undefined. `tests/reference.rs` compares this crate with every number in series.json.

Notes on the libraries, at the versions in requirements.txt:
- The number of periods a year is given to both explicitly. Neither looks at the dates of the index then; quantstats
  needs one nevertheless, so every series gets days, whatever its periods are.
- quantstats takes a series without a negative value and with one above 1 for prices. None of these series is like that.
- Both compound drawdowns from a start that counts as a peak.
- quantstats `drawdown_details` counts the periods below a peak. A drawdown here lasts from the peak to the period that
  reaches it again, which is one more if it ends. It also cannot see that a series starts under water, so it is shown
  the start as a period with a return of 0.
- quantstats `avg_return` leaves out zeros; the mean is NumPy's.
- empyrical has neither a hit rate, nor a profit factor, nor the length of a drawdown.
"""

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
from quantstats import stats as quantstats

warnings.filterwarnings("ignore")


def series():
    """Name, what it is, periods a year, returns."""
    yield (
        "A",
        "default_rng(7).normal(0.0005, 0.01, 1000)",
        252,
        np.random.default_rng(7).normal(0.0005, 0.01, 1000),
    )
    yield (
        "fat-tails",
        "two years of days, Student's t with 3 degrees of freedom",
        365,
        0.001 + 0.015 * np.random.default_rng(1).standard_t(3, 730),
    )
    yield (
        "four-weeks",
        "28 days",
        365,
        np.random.default_rng(2).normal(0.002, 0.02, 28),
    )
    rng = np.random.default_rng(3)
    traded = rng.random(365) < 0.05
    yield (
        "few-trades",
        "a year of days, 350 of them without a position",
        365,
        np.where(traded, rng.normal(0.004, 0.02, 365), 0.0),
    )
    yield (
        "steady-rise",
        "500 days upwards with small drawdowns",
        252,
        np.random.default_rng(4).normal(0.003, 0.002, 500),
    )
    rng = np.random.default_rng(5)
    yield (
        "near-ruin",
        "250 days of heavy losses, down from the very start, one day of -90 %",
        365,
        np.concatenate([[-0.05], rng.uniform(-0.12, 0.08, 148), [-0.9], rng.uniform(-0.12, 0.08, 100)]),
    )
    yield (
        "hourly",
        "six weeks of hours",
        8760,
        np.random.default_rng(8).normal(0.0003, 0.004, 1000),
    )


def dated(returns):
    return pd.Series(returns, index=pd.date_range("2020-01-01", periods=len(returns), freq="D"), dtype=float)


def max_drawdown_length(returns):
    with_start = dated(np.concatenate([[0.0], returns.to_numpy()]))
    details = quantstats.drawdown_details(quantstats.to_drawdown_series(with_start))
    ended = pd.to_datetime(details["end"]) < with_start.index[-1]
    return int((details["days"] + ended).max()) if len(details) else 0


# Every figure, by the library it comes from, of returns and periods a year.
FIGURES = {
    "mean": {
        "numpy": lambda r, p: np.mean(r.to_numpy()),
    },
    "standard_deviation": {
        "quantstats": lambda r, p: quantstats.volatility(r, annualize=False),
        "empyrical": lambda r, p: empyrical.annual_volatility(r, annualization=1),
    },
    "total_return": {
        "quantstats": lambda r, p: quantstats.comp(r),
        "empyrical": lambda r, p: empyrical.cum_returns_final(r),
    },
    "annual_return": {
        "quantstats": lambda r, p: quantstats.cagr(r, periods=p),
        "empyrical": lambda r, p: empyrical.annual_return(r, annualization=p),
    },
    "volatility": {
        "quantstats": lambda r, p: quantstats.volatility(r, periods=p),
        "empyrical": lambda r, p: empyrical.annual_volatility(r, annualization=p),
    },
    "sharpe": {
        "quantstats": lambda r, p: quantstats.sharpe(r, rf=0, periods=p),
        "empyrical": lambda r, p: empyrical.sharpe_ratio(r, risk_free=0, annualization=p),
    },
    "sortino": {
        "quantstats": lambda r, p: quantstats.sortino(r, rf=0, periods=p),
        "empyrical": lambda r, p: empyrical.sortino_ratio(r, required_return=0, annualization=p),
    },
    "max_drawdown": {
        "quantstats": lambda r, p: quantstats.max_drawdown(r),
        "empyrical": lambda r, p: empyrical.max_drawdown(r),
    },
    "max_drawdown_length": {
        "quantstats": lambda r, p: max_drawdown_length(r),
    },
    "calmar": {
        "quantstats": lambda r, p: quantstats.calmar(r, periods=p),
        "empyrical": lambda r, p: empyrical.calmar_ratio(r, annualization=p),
    },
    "profit_factor": {
        "quantstats": lambda r, p: quantstats.profit_factor(r),
    },
    "hit_rate": {
        "quantstats": lambda r, p: quantstats.win_rate(r),
    },
}


def values(figure, returns, periods):
    return {library: of(dated(returns), periods) for library, of in FIGURES[figure].items()}


def answer(figure, library, returns):
    """What a library says of a series that it may have no figure for."""
    if library not in FIGURES[figure]:
        return "has none"
    try:
        return f"{FIGURES[figure][library](dated(returns), 365):.6g}"
    except ArithmeticError as error:
        return type(error).__name__


def apart(by_library):
    """Difference between the least and the greatest value, relative to what exceeds 1."""
    found = [float(value) for value in by_library.values()]
    return (max(found) - min(found)) / max([1.0, *map(abs, found)])


def line(cells):
    print("  ".join(f"{cell:>20}" for cell in cells))


def main():
    made = []
    for name, about, periods, returns in series():
        found = {figure: values(figure, returns, periods) for figure in FIGURES}
        print(f"\n{name}: {about}")
        line(["figure", "value", "apart"])
        for figure, by_library in found.items():
            value = next(iter(by_library.values()))
            note = f"{apart(by_library):.1e}" if len(by_library) > 1 else f"only {next(iter(by_library))}"
            line([figure, f"{value:.12g}", note])
            if apart(by_library) > 1e-9:
                sys.exit(f"the libraries disagree on {figure} of {name}: {by_library}")
        expected = {
            figure: {library: value if isinstance(value, int) else float(value) for library, value in of.items()}
            for figure, of in found.items()
        }
        made.append((name, about, periods, expected, [float(value) for value in returns]))

    print("\nUndefined here, and what the libraries say:")
    line(["series", "figure", "quantstats", "empyrical"])
    for name, returns, figure in [
        ("all 0.01", [0.01] * 100, "sharpe"),
        ("all 0", [0.0] * 10, "sharpe"),
        ("no loss", [0.01, 0.0, 0.02], "sortino"),
        ("no loss", [0.01, 0.0, 0.02], "calmar"),
        ("no loss", [0.01, 0.0, 0.02], "profit_factor"),
        ("all 0", [0.0] * 10, "profit_factor"),
        ("all 0", [0.0] * 10, "hit_rate"),
        ("one loss", [-0.01], "sortino"),
        ("ruin", [0.1, -1.5, 0.1], "total_return"),
        ("ruin", [0.1, -1.5, 0.1], "max_drawdown"),
    ]:
        line([name, figure, *(answer(figure, library, returns) for library in ("quantstats", "empyrical"))])

    packages = ["numpy", "pandas", "quantstats", "empyrical-reloaded"]
    head = json.dumps({package: version(package) for package in packages})
    # One line for what is expected of a figure, one for the returns.
    rows = []
    for name, about, periods, expected, returns in made:
        lines = ",\n".join(f"        {json.dumps(figure)}: {json.dumps(of)}" for figure, of in expected.items())
        rows.append(
            f'    {{\n      "name": {json.dumps(name)},\n      "about": {json.dumps(about)},\n'
            f'      "periods_per_year": {periods},\n      "expected": {{\n{lines}\n      }},\n'
            f'      "returns": {json.dumps(returns, separators=(",", ":"))}\n    }}'
        )
    text = f'{{\n  "made_with": {head},\n  "series": [\n' + ",\n".join(rows) + "\n  ]\n}\n"
    json.loads(text)
    Path(__file__).with_name("series.json").write_text(text)


if __name__ == "__main__":
    main()
