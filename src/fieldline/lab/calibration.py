"""Moments of a feed log, and the same moments of a season: what the made market is calibrated on.

A rate's spread over viewers (or items) is the standard deviation of their own rates on the log-odds scale, from
pairs of looks of one viewer, so that the noise of single looks drops out:

    Var(P) = mean_u k_u(k_u − 1)/(n_u(n_u − 1)) − (mean_u k_u/n_u)²,   sd ≈ √Var(P) / (p(1 − p))

over viewers with n_u ≥ 2 looks, k_u of which were clicked. Source: method of moments for overdispersed binomials
(Kleinman, JASA 1973); the division is the delta method.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from fieldline.errors import DataFolderError
from fieldline.lab.season import Course
from fieldline.lab.world.words import SCENES

Floats = NDArray[np.float64]

TAB_OF = (1, 2, 0, 6, 4, 0)
"""The log's tab whose rates each scene takes; which surface a tab is nobody tells, so that this is assumed."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What is compared."""

    rates: Floats  # [6 scenes, 3] clicks, long views, likes per look
    viewer_spread: Floats  # [2] of clicks and long views in the first scene, log-odds
    item_spread: Floats  # [2]
    hours: Floats  # [24] shares of looks


def spread(counts: NDArray[np.int64], looks: NDArray[np.int64]) -> float:
    """Return the standard deviation of own rates, log-odds, from counts [n] of looks [n]; NaN below two rows."""
    rows = looks >= 2
    k, n = counts[rows].astype(np.float64), looks[rows].astype(np.float64)
    if len(n) < 2:
        return float("nan")
    p = float((k / n).mean())
    variance = float((k * (k - 1.0) / (n * (n - 1.0))).mean()) - p * p
    return float(np.sqrt(max(variance, 0.0)) / (p * (1.0 - p)))


def of_log(folder: Path) -> Moments:
    """Return the moments of a KuaiRand log.

    Raises:
        DataFolderError: there is no log in the folder, or it cannot be read.
    """
    logs = sorted(str(path) for path in folder.glob("log_*.parquet"))
    if not logs:
        raise DataFolderError(f"{folder} holds no log_*.parquet")
    try:
        with duckdb.connect() as db:
            db.execute(
                "create view looks as select * from read_parquet($1, union_by_name = true)".replace(
                    "$1", str(logs)
                )
            )
            rates = [
                db.execute(
                    "select avg(is_click), avg(long_view), avg(is_like) from looks where tab = $1", [tab]
                ).fetchall()[0]
                for tab in TAB_OF
            ]
            of_viewers, of_items = (
                db.execute(
                    f"select count(*), sum(is_click), sum(long_view) from looks where tab = $1 group by {who}",
                    [TAB_OF[0]],
                ).fetchnumpy()
                for who in ("user_id", "video_id")
            )
            hours = db.execute(
                "select (time_ms // 3600000 + 8) % 24 as hour, count(*) as n from looks group by 1 order by 1"
            ).fetchnumpy()
    except duckdb.Error as error:
        raise DataFolderError(f"{folder} cannot be read: {str(error).splitlines()[0]}") from None
    share = np.bincount(hours["hour"].astype(int), hours["n"].astype(float), minlength=24)
    return Moments(
        np.array(rates), _spreads(list(of_viewers.values())), _spreads(list(of_items.values())),
        share / share.sum(),
    )  # fmt: skip


def of_course(course: Course, hours: Floats) -> Moments:
    """Return the moments of a season's course.

    Args:
        course: what happened.
        hours: [24] requests by hour.
    """
    looks = course.by_scene[:, :1].astype(np.float64)
    return Moments(
        course.by_scene[:, 1:] / np.maximum(looks, 1.0),
        _spreads(list(course.feed_viewers.T)),
        _spreads(list(course.feed_items.T)),
        hours / hours.sum(),
    )


def _spreads(columns: list[NDArray[np.int64]]) -> Floats:
    looks, *counts = (np.asarray(column, np.int64) for column in columns)
    return np.array([spread(count, looks) for count in counts])


def table(log: Moments, world: Moments) -> list[tuple[str, float, float]]:
    """Return (quantity, log, world) rows."""
    rows = []
    for scene, name in enumerate(SCENES):
        for column, what in enumerate(("clicks", "long views", "likes")):
            rows.append(
                (f"{what} per look, {name} (tab {TAB_OF[scene]})", log.rates[scene, column],
                 world.rates[scene, column])
            )  # fmt: skip
    for column, what in enumerate(("clicks", "long views")):
        rows.append(
            (f"spread of viewers, {what}, log-odds", log.viewer_spread[column], world.viewer_spread[column])
        )
        rows.append(
            (f"spread of items, {what}, log-odds", log.item_spread[column], world.item_spread[column])
        )
    night = slice(2, 6)
    rows.append(("share of looks from 2 to 6 at night", log.hours[night].sum(), world.hours[night].sum()))
    rows.append(("share of looks from 18 to 24", log.hours[18:].sum(), world.hours[18:].sum()))
    return rows
