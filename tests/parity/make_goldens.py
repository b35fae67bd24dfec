"""Writes goldens/<profile>/<case>-<file>.json by running the cases in the real engines; the README says how."""

import argparse
import importlib
import json
from pathlib import Path

from signals import CASH, FEE

GOLDENS = Path(__file__).parent / "goldens"
ENGINES = {"backtesting.py": "backtesting_py", "vectorbt": "vectorbt_", "nautilus_trader": "nautilus_"}


def text(golden):
    """JSON with a line for each trade."""
    lists = ("trades", "open_trades")
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items() if key not in lists]
    for key in lists:
        rows = ",\n".join("    " + json.dumps(trade) for trade in golden[key])
        lines.append(f'  "{key}": [\n{rows}\n  ]' if rows else f'  "{key}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--engine", choices=ENGINES, help="only this one; all by default")
    only = arguments.parse_args().engine
    for name, module in ENGINES.items():
        if only not in (None, name):
            continue
        engine = importlib.import_module(module)
        for case, runs in engine.CASES.items():
            for names in runs:
                trades, open_trades, equity = engine.run(case, names)
                golden = {"engine": engine.ENGINE, "version": engine.VERSION, "case": case,
                          "data": [f"{n}.csv" for n in names], "cash": CASH, "fee": FEE, "trades": trades,
                          "open_trades": open_trades, "final_equity": equity}
                stem = case if len(names) > 1 else f"{case}-{names[0]}"
                path = GOLDENS / engine.PROFILE / f"{stem}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text(golden), newline="\n")
                print(f"{path.relative_to(GOLDENS)}: {len(trades)} trades, {len(open_trades)} open")


if __name__ == "__main__":
    main()
