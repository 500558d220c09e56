"""How well a feed's clicks, long views, likes … are predicted, beside the models one would otherwise take.

Every look of the log is predicted before it is learned, in order of time. Scored are the looks from the second full
day on, of all models alike: a model that is refitted daily has nothing to say before. AUC, log-loss and calibration
error are of chances given just before each look; GAUC is over viewer-days, of chances as things stood at midnight.
All figures are means over three seeds, which change the models' starting weights and nothing else.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.baselines.engine import best, embedded, played
from bench.baselines.inputs import LABELS, Inputs, inputs_of
from bench.baselines.scores import FIRST_DAY, MEASURES, Scores, measured
from fieldline.errors import FieldlineError
from fieldline.lab.replay.kuairand import read

SEEDS = (1, 2, 3)
RIVALS = {
    "popularity": ("popularity", (1,)),
    "lightgbm": ("trees", SEEDS),
    "vw": ("vowpal", (1,)),
    "river_fm": ("river_fm", (1,)),
    "dcn": ("network", SEEDS),
}
"""Module and seeds of each rival; where nothing is drawn, or a run takes half an hour, one seed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one model."""

    model: str
    seed: int
    data: Path
    keep: Path | None


def measure(data: Path | None, keep: Path | None = None, workers: int | None = None) -> dict[str, Any]:
    """Return all figures of the table, and tell what is left out.

    Args:
        data: folder of the feed, as for the replay.
        keep: folder in which each run's chances are kept, and read from where they are there; None: nowhere.
        workers: processes; one a core by default.

    Raises:
        ValueError: no folder, or one that holds no such log.
    """
    if data is None:
        raise ValueError("--data names the folder of the feed (log_*.parquet and the feature files)")
    console = Console(stderr=True)
    try:
        inputs = inputs_of(read(data))
    except FieldlineError as error:
        raise ValueError(str(error)) from None
    jobs = [Job("fieldline", seed, data, keep) for seed in SEEDS]
    jobs += [Job(name, seed, data, keep) for name, (_, seeds) in RIVALS.items() for seed in seeds]
    order = sorted(jobs, key=lambda job: job.model != "river_fm")  # the longest first
    runs: dict[str, list[Scores]] = {name: [] for name in ("fieldline", "fieldline_best", *RIVALS)}
    with ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for job, (found, why) in zip(order, pool.map(_run, order), strict=True):
            console.print(f"{job.model}, seed {job.seed}: {why or 'done'}", highlight=False)
            for name, scores in found.items():
                runs[name].append(scores)
    figures = _figures(inputs, {name: scores for name, scores in runs.items() if scores}, console)
    try:
        retrieval = import_module("bench.retrieval")
    except ImportError as error:
        console.print(f"retrieval left out: {error}", highlight=False)
    else:
        figures["retrieval"] = retrieval.measure()
    return figures


def _run(job: Job) -> tuple[dict[str, Scores], str]:
    file = job.keep / f"{job.model}-{job.seed}.npz" if job.keep else None
    if file and file.exists():
        return _load(file), "kept from before"
    log = read(job.data)
    inputs = inputs_of(log)
    if job.model == "fieldline":
        whole = played(log, job.seed)
        found = {"fieldline": embedded(log, inputs, whole)}
        try:
            found["fieldline_best"] = best(inputs, whole, job.seed)
        except ImportError as error:
            return found, f"fieldline_best left out: {error}"
    else:
        try:
            rival = import_module(f"bench.baselines.{RIVALS[job.model][0]}")
            found = {job.model: rival.scored(inputs, job.seed)}
        except ImportError as error:
            return {}, f"left out: {error}"
    if file:
        _save(file, found)
    return found, ""


def _save(file: Path, found: dict[str, Scores]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {}
    for name, scores in found.items():
        arrays |= {f"{name}:live": scores.live, f"{name}:frozen": scores.frozen}
        arrays[f"{name}:told"] = np.array([str(scores.train), str(scores.predict), scores.note])
    np.savez(file, **arrays)


def _load(file: Path) -> dict[str, Scores]:
    with np.load(file) as arrays:
        names = [key.removesuffix(":live") for key in arrays if key.endswith(":live")]
        return {
            name: Scores(
                arrays[f"{name}:live"],
                arrays[f"{name}:frozen"],
                float(arrays[f"{name}:told"][0]),
                float(arrays[f"{name}:told"][1]),
                str(arrays[f"{name}:told"][2]),
            )
            for name in names
        }


def _figures(inputs: Inputs, runs: dict[str, list[Scores]], console: Console) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for task, label in enumerate(LABELS):
        figures[label] = {}
        for name, scores in runs.items():
            found = [values for run in scores if (values := measured(run, inputs, task))]
            if found:
                figures[label][name] = {key: float(np.mean([one[key] for one in found])) for key in MEASURES}
    figures["rows_per_cpu_s"] = {
        "train": {name: max(run.train for run in scores) for name, scores in runs.items()},
        "predict": {name: max(run.predict for run in scores) for name, scores in runs.items()},
    }
    scored = inputs.day >= FIRST_DAY
    console.print(f"{scored.sum():,} looks scored of {len(scored):,}.", highlight=False)
    for name, scores in runs.items():
        console.print(f"{name}: {scores[0].note or 'no note'}", highlight=False)
    return figures


def table_of(figures: dict[str, Any]) -> Table:
    """Return the figures as one table."""
    table = Table("", "model", *MEASURES)
    for label in LABELS:
        for name, values in figures[label].items():
            table.add_row(label, name, *(f"{values[key]:.4f}" for key in MEASURES))
        table.add_section()
    for kind, speeds in figures["rows_per_cpu_s"].items():
        for name, speed in speeds.items():
            table.add_row(f"{kind}, rows per CPU-second", name, f"{speed:,.0f}")
        table.add_section()
    if "retrieval" in figures:
        for key, value in figures["retrieval"].items():
            table.add_row("retrieval", key, f"{value:,.3f}")
    for column in table.columns[2:]:
        column.justify = "right"
    return table


def main() -> None:
    """Run with the options that `python -m bench quality` has not."""
    parser = argparse.ArgumentParser(prog="bench.quality", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", required=True)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="where runs are kept, so that few are run again"
    )
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    figures = measure(arguments.data, arguments.keep, arguments.workers)
    Console().print(table_of(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
