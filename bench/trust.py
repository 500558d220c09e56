"""`./dev bench trust --data DIR`: does the index foresee what buyers do, on records of real merchants?

buyers.csv.gz (user_id, merchant_id, label): will a new buyer of a merchant buy there again? Two thirds of the viewers,
by a hash of their id, are learned from; the others are foretold by their merchant's repeat dimension. The records
have no categories, so a merchant's peers are all, and those that its buyers also buy at (weighed by how many).
buyers_with_log_features.csv.gz adds what each buyer did at the merchant before: a logistic regression on it beside
the dimension's log odds. Where a folder of Olist's records lies in DIR or beside it, each seller's reviews and late
deliveries of a quarter are foretold from what came before: decayed, shrunk to the trade.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from bench.olist import measure as measure_olist
from fieldline.trust.peers import peers
from fieldline.trust.signals import AGAIN, COUNT

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAIRS, WITH_LOG = "buyers.csv.gz", "buyers_with_log_features.csv.gz"
KEYS = ("user_id", "merchant_id", "label")
LEARNED = 2
"""Thirds of the viewers that are learned from."""
SHARED = 20.0
"""Shared buyers with which a merchant's kin weigh half."""
RIDGE = 10.0
LEAST = 1e-6


class Pairs(NamedTuple):
    """Who bought where for the first time, and whether they came again."""

    buyer: Ints
    merchant: NDArray[np.str_]
    label: Floats
    learned: NDArray[np.bool_]
    traits: Floats
    """[n, F] what else is known of each; F = 0 in the file of pairs."""


def measure(data: Path | None) -> dict[str, Any]:
    """Return AUC and log-loss of three ways to foretell: the index, the raw repeat rate, the shrunk one.

    Args:
        data: a folder with `buyers.csv.gz`.

    Raises:
        ValueError: no folder was given, or a file is not what it should be.
        FileNotFoundError: there is no such file.
    """
    if data is None:
        raise ValueError("trust: needs --data DIR with buyers.csv.gz")
    pairs = read(data / PAIRS)
    told, place = np.unique(pairs.merchant, return_inverse=True)
    foretold = rates(pairs, place, len(told))
    found: dict[str, Any] = {"pairs": _figures(pairs, {name: of[place] for name, of in foretold.items()})}
    if (data / WITH_LOG).is_file():
        logged = read(data / WITH_LOG)
        found["behaviour"] = _figures(logged, _with_behaviour(logged, pairs, told, foretold))
    found = dict(found.get("behaviour", found["pairs"])) | found
    folder = next((folder for folder in (data / "olist", data.parent / "olist") if folder.is_dir()), None)
    if folder:
        found["olist"] = measure_olist(folder)
    return found


def read(file: Path) -> Pairs:
    """Return a file's pairs.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a column is missing, or holds what it should not.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file")
    try:
        with duckdb.connect() as database:
            database.execute("SET threads = 1")
            rows = database.read_csv(str(file))
            missing = [key for key in KEYS if key not in rows.columns]
            if missing:
                raise ValueError(f"{file}: has no column {missing[0]!r}")
            columns = {name: rows.project(f'"{name}"').fetchnumpy()[name] for name in rows.columns}
    except duckdb.Error as error:
        raise ValueError(f"{file}: {str(error).splitlines()[0]}") from None
    buyer, merchant = (np.ma.getdata(columns[name]).astype(str) for name in KEYS[:2])
    label = _numbers(file, "label", columns["label"])
    others = [_numbers(file, name, columns[name]) for name in columns if name not in KEYS]
    if not len(label) or not np.isin(label, (0.0, 1.0)).all() or label.min() == label.max():
        raise ValueError(f"{file}: label must hold 0 and 1, and both of them")
    learned = np.array([_third(name) < LEARNED for name in buyer.tolist()])
    traits = np.stack([label, *others], axis=1)[:, 1:]
    return Pairs(np.unique(buyer, return_inverse=True)[1], merchant, label, learned, traits)


def rates(pairs: Pairs, place: Ints, count: int) -> dict[str, Floats]:
    """Return each merchant's repeat rate [M], learned from the learned pairs: the index's, raw and shrunk.

    Args:
        pairs: all of them.
        place: each pair's merchant, as a number.
        count: number of merchants.
    """
    at, label = place[pairs.learned], pairs.label[pairs.learned]
    again = np.bincount(at, label, count).astype(np.float64)
    buyers = np.bincount(at, minlength=count).astype(np.float64)
    overall = again.sum() / buyers.sum()
    raw = np.where(buyers > 0.0, again / np.maximum(buyers, 1.0), overall)
    needed = _needed(again, buyers)
    shrunk = (again + needed * overall) / (buyers + needed)
    return {
        "": _index(again, buyers, kin(pairs.buyer[pairs.learned], at, count)),
        "raw": raw,
        "shrunk": shrunk,
    }


def kin(buyer: Ints, merchant: Ints, count: int) -> tuple[Ints, Ints, Floats]:
    """Return which merchants share buyers: one, the other, and how many.

    Args:
        buyer: of each pair.
        merchant: of each pair, below `count`.
        count: number of merchants.
    """
    order = np.lexsort((merchant, buyer))
    who, where = buyer[order], merchant[order].astype(np.int64)
    keys = []
    for step in range(1, len(who)):
        same = who[step:] == who[:-step]
        if not same.any():
            break
        one, other = where[step:][same], where[:-step][same]
        keys += [one * count + other, other * count + one]
    found, times = np.unique(np.concatenate(keys) if keys else np.zeros(0, np.int64), return_counts=True)
    return found // count, found % count, times.astype(np.float64)


def auc(label: Floats, score: Floats) -> float:
    """Return the chance that one who came again is ranked before one who did not, ties counting half."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    came = label == 1.0
    above = ranks[came].sum() - came.sum() * (came.sum() + 1) / 2.0
    return float(above / (came.sum() * (~came).sum()))


def log_loss(label: Floats, chance: Floats) -> float:
    """Return the mean of −log of the chance that was given to what happened, chances kept 1e-6 from 0 and 1."""
    kept = np.clip(chance, LEAST, 1.0 - LEAST)
    return float(-np.mean(label * np.log(kept) + (1.0 - label) * np.log(1.0 - kept)))


def table_of(figures: dict[str, Any]) -> Table:
    """Return the figures as one table."""
    table = Table("foretold", "by", "AUC / squared error", "log-loss / of")
    for name in ("pairs", "behaviour"):
        for by in ("index", "raw", "shrunk") if name in figures else ():
            of = figures[name] if by == "index" else figures[name][by]
            table.add_row(f"again, from {name}", by, f"{of['auc']:.5f}", f"{of['log_loss']:.6f}")
    for name, of in figures.get("olist", {}).items():
        for by in ("index", "last_quarter", "shrunk"):
            table.add_row(f"olist {name}", by, f"{of[by]:.5f}", f"{of['orders']:,}")
    return table


def _index(again: Floats, buyers: Floats, shared: tuple[Ints, Ints, Floats]) -> Floats:
    """The repeat dimension's rate: Bühlmann–Straub as the engine has it, drawn to the merchant's kin."""
    sums, counts = np.zeros((len(again), COUNT)), np.zeros((len(again), COUNT))
    sums[:, AGAIN], counts[:, AGAIN] = again, buyers
    measured = peers(sums, counts, sums, counts, np.zeros(len(again), np.int32))
    mean, needed = measured.mean[:, AGAIN], measured.needed[:, AGAIN]
    away = (again - buyers * mean) / (buyers + needed)
    one, other, times = shared
    drawn = np.bincount(one, times * away[other], len(again)) / (np.bincount(one, times, len(again)) + SHARED)
    mean = np.clip(mean + drawn, LEAST, 1.0)
    return np.asarray((again + needed * mean) / (buyers + needed))


def _needed(again: Floats, buyers: Floats) -> float:
    """Buyers with whom half of a merchant's rate is known: a beta prior by the method of moments."""
    seen = buyers > 0.0
    n, rate, overall = buyers[seen], again[seen] / buyers[seen], again.sum() / buyers.sum()
    apart = (n * (rate - overall) ** 2).sum() - (len(n) - 1) * overall * (1.0 - overall)
    apart /= n.sum() - (n**2).sum() / n.sum()
    return float(overall * (1.0 - overall) / max(apart, LEAST))


def _with_behaviour(
    logged: Pairs, pairs: Pairs, told: NDArray[np.str_], foretold: dict[str, Floats]
) -> dict[str, Floats]:
    place = np.minimum(np.searchsorted(told, logged.merchant), len(told) - 1)
    known = told[place] == logged.merchant
    overall = float(pairs.label[pairs.learned].mean())
    found = {name: np.where(known, of[place], overall) for name, of in foretold.items()}
    rate = found[""].copy()
    buyers = (
        np.bincount(np.searchsorted(told, pairs.merchant[pairs.learned]), minlength=len(told))[place] + 40.0
    )
    own = logged.learned  # a learned pair's own label is taken out of its merchant's rate
    rate[own] = np.clip(rate[own] - (logged.label[own] - rate[own]) / buyers[own], 1e-3, 0.999)
    inputs = _inputs(logged.traits, np.log(rate / (1.0 - rate)), own)
    found[""] = 1.0 / (1.0 + np.exp(-inputs @ _fitted(inputs[own], logged.label[own])))
    return found


def _inputs(traits: Floats, odds: Floats, learned: NDArray[np.bool_]) -> Floats:
    """Columns of ones, of the merchant's log odds, and of each trait: log, its square, absent, and its small values."""
    columns = [np.ones(len(odds)), odds]
    for trait in traits.T:
        absent = np.isnan(trait)
        value = np.log1p(np.maximum(np.where(absent, 0.0, trait), 0.0))
        mean, sd = value[learned].mean(), max(float(value[learned].std()), LEAST)
        scaled = (value - mean) / sd
        columns += [scaled, scaled**2, absent.astype(np.float64)]
        columns += [(trait == small).astype(np.float64) for small in range(9)]
    return np.stack(columns, axis=1)


def _fitted(inputs: Floats, label: Floats) -> Floats:
    """Logistic regression by Newton's method, drawn to 0 but for the first two columns."""
    ridge = np.full(inputs.shape[1], RIDGE)
    ridge[:2] = LEAST
    weight = np.zeros(inputs.shape[1])
    weight[1] = 1.0
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-inputs @ weight))
        slope = inputs.T @ (label - chance) - ridge * weight
        bend = (inputs * (chance * (1.0 - chance))[:, None]).T @ inputs + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        weight += step
        if np.abs(step).max() < 1e-9:
            break
    return weight


def _figures(pairs: Pairs, foretold: dict[str, Floats]) -> dict[str, Any]:
    judged = ~pairs.learned
    label = pairs.label[judged]
    each = {
        name: {"auc": auc(label, of[judged]), "log_loss": log_loss(label, of[judged])}
        for name, of in foretold.items()
    }
    return each.pop("") | each


def _numbers(file: Path, name: str, column: Any) -> Floats:
    try:
        return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan))
    except ValueError:
        raise ValueError(f"{file}: {name} must hold numbers") from None


def _third(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") % 3
