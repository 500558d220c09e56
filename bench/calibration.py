"""`python -m bench.calibration --data DIR [--days N]`: the moments of a KuaiRand log beside those of a season."""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from fieldline.lab.calibration import of_course, of_log, table
from fieldline.lab.season import Arm, open_season, plan_of, play
from fieldline.lab.world import World
from fieldline.lab.world.days import HOURS


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench.calibration", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    world = World.make(arguments.seed, "season")
    plan = plan_of(world, arguments.seed, days=arguments.days)
    silent = Arm("nobody bids", standing=np.zeros(len(plan.contracts)))
    course = play(world, plan, silent, opening=open_season(world, warm=1))
    shown = Table("quantity", "log", "world")
    for name, log, made in table(of_log(arguments.data), of_course(course, HOURS)):
        shown.add_row(name, f"{log:.4f}", f"{made:.4f}")
    Console().print(shown)


if __name__ == "__main__":
    main()
