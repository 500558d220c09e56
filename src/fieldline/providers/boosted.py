"""Boosted trees: one LightGBM model a task, all in one file, one after the other in the order of the tasks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing
from fieldline.providers.bundle import Bundle, unlike

OBJECTIVES = ("binary", "cross_entropy")
"""Those whose predictions are chances."""
_NEEDED = ("left_child", "right_child", "split_feature", "threshold", "decision_type")
_OF_NODES = (*_NEEDED, "split_gain", "internal_value", "internal_weight", "internal_count")
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
"""Lines of a tree that hold a number for each of its nodes and of its leaves."""
_BEGIN = re.compile(r"^(?=tree\n)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Boosted:
    """LightGBM's trees, one booster a task; a row costs the same whatever the number of threads."""

    kind: ClassVar[str] = "lightgbm"
    name: str
    tasks: tuple[str, ...]
    features: tuple[str, ...]
    until: int
    boosters: tuple[Any, ...]
    blend: float = 0.0

    @classmethod
    def of(cls, bundle: Bundle, model: bytes) -> "tuple[Boosted | None, tuple[str, ...]]":
        """Return a bundle's model and in what its file differs from the declaration; None: it cannot be read.

        Raises:
            Missing: lightgbm is not installed.
        """
        texts = parts(model)
        if len(texts) != len(bundle.tasks):
            return None, (f"model.txt holds {len(texts)} models, tasks are {len(bundle.tasks)}",)
        found: list[str] = []
        for task, text in zip(bundle.tasks, texts, strict=True):
            found += _differences(task, text, bundle.features)
        boosters = [] if found else [_booster(text) for text in texts]
        found += [
            f"{task}: {booster}"
            for task, booster in zip(bundle.tasks, boosters, strict=False)
            if isinstance(booster, str)
        ]
        if found:
            return None, tuple(found)
        return cls(
            bundle.name, bundle.tasks, bundle.features, bundle.until, tuple(boosters), bundle.blend
        ), ()

    def predict(self, sheet: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chances [n, T] of a sheet [n, F]."""
        out = np.empty((len(sheet), len(self.tasks)), np.float32)
        for task, booster in enumerate(self.boosters):
            odds = booster.predict(sheet, num_threads=1, raw_score=True)
            column = f"embedded_{self.tasks[task]}"
            own = sheet[:, self.features.index(column)] if column in self.features else odds
            out[:, task] = blended(odds, own, self.blend)
        return out


def blended(odds: NDArray[np.floating], own: NDArray[np.floating], share: float) -> NDArray[np.float64]:
    """Return the chances of a weighted mean of log-odds, 1/(1 + e^−((1 − share)·odds + share·own)).

    Args:
        odds: the trees' log-odds, [n].
        own: the embedded predictor's, [n]; not read where share is 0.
        share: in [0, 1].
    """
    mean = odds if share == 0.0 else (1.0 - share) * odds + share * own
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(mean, np.float64))))


def joined(models: Sequence[str]) -> bytes:
    """Return the file of several models, each as LightGBM's `model_to_string` tells it, in the order of the tasks."""
    return "\n".join(model.rstrip("\n") + "\n" for model in models).encode()


def parts(model: bytes) -> list[str]:
    """Return the models that a file holds; none where it is not text."""
    try:
        text = model.decode()
    except UnicodeDecodeError:
        return []
    return [part for part in _BEGIN.split(text) if part.startswith("tree\n")]


def _differences(task: str, text: str, features: tuple[str, ...]) -> list[str]:
    head, _, body = text.partition("\n\n")
    said = dict(line.partition("=")[::2] for line in head.splitlines())
    names, sizes = tuple(said.get("feature_names", "").split()), said.get("tree_sizes", "").split()
    whole = all(size.isascii() and size.isdigit() for size in sizes)
    # its reader trusts all of this: it would read past the end, go in circles, or end the process
    trees = body.partition("end of trees")[0].split("Tree=")[1:]
    whole = whole and body.encode()[sum(map(int, sizes)) :].startswith(b"end of trees")
    if not whole or len(trees) != len(sizes) or not all(_sound(tree, len(names)) for tree in trees):
        return [f"{task}: its trees are cut or garbled"]
    found = unlike(task, names, features)
    objective = said.get("objective", "none").split()[0]
    if objective not in OBJECTIVES:
        found.append(f"{task}: objective is {objective}, expected one of {', '.join(OBJECTIVES)}")
    return found


def _sound(tree: str, features: int) -> bool:
    """Whether a tree's nodes lead downwards only, to leaves that it has, by features that there are."""
    said = dict(line.partition("=")[::2] for line in tree.splitlines()[1:] if line)
    try:
        read = {name: np.array(text.split(), np.float64) for name, text in said.items()}
        leaves, categories = int(said["num_leaves"]), int(said["num_cat"])
    except (KeyError, ValueError):
        return False
    count = max(leaves - 1, 0)
    sizes = dict.fromkeys(_OF_NODES, count) | dict.fromkeys(_OF_LEAVES, leaves)
    there = all(name in read or not count for name in _NEEDED) and len(read.get("leaf_value", ())) == leaves
    if not there or any(
        len(read[name]) != size for name, size in sizes.items() if name in read and read[name].size
    ):
        return False
    none = np.zeros(0)
    left, right, split, at, how = (read.get(name, none) for name in _NEEDED)
    bounds, bits = (read.get(name, none) for name in ("cat_boundaries", "cat_threshold"))
    if not len(left) == len(right) == len(split) == len(at) == len(how) == count:
        return False
    node = np.arange(count)
    downwards = all(
        (((side > node) & (side < count)) | ((side < 0) & (side >= -leaves))).all() for side in (left, right)
    )
    known = ((split >= 0) & (split < features)).all()
    sets = at[how.astype(np.int64) & 1 == 1]
    bounded = not categories or (
        len(bounds) == categories + 1
        and bounds[0] == 0
        and (np.diff(bounds) >= 0).all()
        and bounds[-1] == len(bits)
    )
    return bool(downwards and known and bounded and ((sets >= 0) & (sets < categories)).all())


def _booster(text: str) -> Any:
    """A booster, or what is wrong with its text."""
    try:
        import lightgbm
    except ImportError:
        raise Missing("lightgbm", "boosted") from None
    try:
        return lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        return str(error)
