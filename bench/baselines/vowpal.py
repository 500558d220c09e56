"""Vowpal Wabbit: logistic, online, one model a task, with the pairs of viewer and moment as further features."""

import time

import numpy as np

from bench.baselines.inputs import LABELS, Inputs
from bench.baselines.scores import Scores, nothing
from bench.baselines.words import Words, side_of, words_of

OPTIONS = "--loss_function logistic --link logistic -b 22 --learning_rate 0.1 -q vm --quiet"


def scored(inputs: Inputs, seed: int) -> Scores:
    """Return what Vowpal Wabbit says: each day it is asked about the looks as at midnight, then learns one by one."""
    from vowpalwabbit import pyvw

    said, said_frozen = nothing(inputs), nothing(inputs)
    words = words_of(inputs)
    live, frozen = _lines(words, words.live), _lines(words, words.frozen)
    models = [pyvw.Workspace(f"{OPTIONS} --random_seed {seed}") for _ in LABELS]
    spent = [0.0, 0.0]
    for day in range(int(inputs.day.max()) + 1):
        today = np.flatnonzero(inputs.day == day).tolist()
        for task, model in enumerate(models):
            begun = time.process_time()
            for row in today:
                said_frozen[row, task] = model.predict(frozen[row])
            spent[0] += time.process_time() - begun
            marks = np.where(inputs.labels[:, task] > 0.5, "1 ", "-1 ")
            begun = time.process_time()
            for row in today:
                look = model.parse(f"{marks[row]}{live[row]}")
                model.learn(look)
                said[row, task] = look.get_simplelabel_prediction()
                model.finish_example(look)
            spent[1] += time.process_time() - begun
    for model in models:
        model.finish()
    rows = len(inputs.day)
    note = f"{len(LABELS)} tasks, {len(words.names)} words and their pairs a look; text is parsed once a task"
    return Scores(said, said_frozen, rows / spent[1], rows / spent[0], note)


def _lines(words: Words, columns: tuple[list[str], ...]) -> list[str]:
    kinds = [side_of(name) for name in words.names]
    spaces = {}
    for kind in sorted(set(kinds)):
        of_kind = [column for column, other in zip(columns, kinds, strict=True) if other == kind]
        spaces[kind] = [" ".join(row) for row in zip(*of_kind, strict=True)]
    return [
        " ".join(f"|{side} {text}" for side, text in zip(spaces, row, strict=True))
        for row in zip(*spaces.values(), strict=True)
    ]
