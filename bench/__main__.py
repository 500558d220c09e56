"""`python -m bench [NAME] [--json FILE]`: measure, print one table, write bench/results.json (and FILE)."""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

SUITE = ("kernel", "prices", "route", "decide", "lab", "log")
"""Benches of the whole."""

ALONE = ("charges", "retrieval")
"""Benches that run by their names alone: a rule rather than a speed, and an index of a million items."""

TOLD = ("search", "quality", "orders", "sentiment", "trust", "previews")
"""Benches of quality: they have tables of their own, may be given data (`--data DIR`) and run by name alone."""

RESULTS = Path(__file__).parent / "results.json"

TARGETS: dict[str, tuple[str, float]] = {
    "kernel_speedup": ("≥", 4.0),
    "gather_fraction": ("≥", 0.4),
    "price_update_ms_10k": ("≤", 50.0),
    "route_speedup": ("≥", 3.0),
    "decide_per_cpu_s": ("≥", 4_000.0),
    "handler_p99_over_p50": ("≤", 2.0),
    "lab_speedup": ("≥", 3.0),
    "auctions_per_cpu_s": ("≥", 3_000_000.0),
    "threads_identical": ("≥", 1.0),
    "warm_start_cpu_s": ("<", 1.0),
    "recall_500": ("≥", 0.94),
    "queries_per_cpu_s": ("≥", 1_500.0),
}

MEETS: dict[str, Callable[[float, float], bool]] = {
    "≥": lambda value, bound: value >= bound,
    "≤": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
}


def measured(names: tuple[str, ...], console: Console) -> dict[str, float]:
    """Return the figures of the named benches, run one after the other."""
    figures: dict[str, float] = {}
    for name in names:
        with console.status(f"bench {name}"):
            figures |= import_module(f"bench.{name}").measure()
    return figures


def table_of(figures: dict[str, float]) -> Table:
    """Return the figures beside their targets."""
    table = Table("figure", "value", "target", "met")
    for key, value in figures.items():
        relation, bound = TARGETS.get(key, ("", 0.0))
        met = ("yes" if MEETS[relation](value, bound) else "no") if relation else ""
        shown = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3f}"
        table.add_row(key, shown, f"{relation} {bound:g}" if relation else "", met)
    for column in table.columns[1:3]:
        column.justify = "right"
    return table


def tell(name: str, data: Path | None, file: Path | None) -> int:
    """Run a bench with a table of its own, on data of one's own where a folder is given."""
    module = import_module(f"bench.{name}")
    try:
        figures = module.measure(data)
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    Console().print(module.table_of(figures))
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def main() -> int:
    """Run the suite, or the bench that was named."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=(*SUITE, *ALONE, *TOLD))
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="data of its own: for quality, search and orders"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.name in TOLD:
        return tell(arguments.name, arguments.data, arguments.json)
    names = SUITE if arguments.name is None else (arguments.name,)
    figures = measured(names, Console(stderr=True))
    Console().print(table_of(figures))
    text = json.dumps(figures, indent=2) + "\n"
    for file in ({RESULTS} if arguments.name is None else set()) | ({arguments.json} - {None}):
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
