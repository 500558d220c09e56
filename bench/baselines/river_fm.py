"""River's factorisation machine: online, in Python, one model a task, fed with the inputs as words."""

import time

import numpy as np

from bench.baselines.inputs import LABELS, Inputs
from bench.baselines.scores import Scores, nothing
from bench.baselines.words import words_of

READ = (
    "viewer", "video", "author", "category", "scene", "hour", "seconds", "minutes_since", "past_watched",
    "past_long", "past_hearted", "viewer_looks", "viewer_click", "viewer_long", "viewer_like",
    "viewer_scene_click", "viewer_scene_long", "last_click", "video_click", "video_long", "video_like",
    "author_click", "author_like",
)  # fmt: skip
"""Columns that it reads: a look takes it more than a millisecond a task as it is."""
TASKS = ("click", "long_view", "like")


def scored(inputs: Inputs, seed: int) -> Scores:
    """Return what river's machine says of clicks, long views and likes."""
    from river import facto, optim

    live, frozen = nothing(inputs), nothing(inputs)
    words = words_of(inputs)
    read = [inputs.names.index(name) for name in READ]
    now = list(zip(*(words.live[place] for place in read), strict=True))
    midnight = list(zip(*(words.frozen[place] for place in read), strict=True))
    machines = [
        facto.FMClassifier(
            n_factors=8,
            weight_optimizer=optim.AdaGrad(0.06),
            latent_optimizer=optim.AdaGrad(0.05),
            latent_initializer=optim.initializers.Normal(mu=0.0, sigma=0.02, seed=seed),
            seed=seed,
        )
        for _ in TASKS
    ]
    spent = [0.0, 0.0]
    day_begins = np.r_[True, inputs.day[1:] != inputs.day[:-1]]
    for row in range(len(now)):
        if day_begins[row]:
            begun = time.process_time()
            for other in np.flatnonzero(inputs.day == inputs.day[row]).tolist():
                x = dict.fromkeys(midnight[other], 1.0)
                frozen[other, : len(TASKS)] = [machine.predict_proba_one(x)[True] for machine in machines]
            spent[0] += time.process_time() - begun
        x = dict.fromkeys(now[row], 1.0)
        live[row, : len(TASKS)] = [machine.predict_proba_one(x)[True] for machine in machines]
        begun = time.process_time()
        for task, machine in enumerate(machines):
            machine.learn_one(x, bool(inputs.labels[row, task]))
        spent[1] += time.process_time() - begun
    assert LABELS[: len(TASKS)] == TASKS
    note = f"{len(TASKS)} tasks, {len(READ)} words a look, 8 factors; one seed"
    return Scores(live, frozen, len(now) / spent[1], len(now) / spent[0], note)
