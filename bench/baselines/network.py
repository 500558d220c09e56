"""DCN-v2 in torch, refitted every midnight on all days so far; all tasks in one network."""

import time

import numpy as np

from bench.baselines.inputs import LABELS, Inputs
from bench.baselines.scores import Scores, days_of, nothing
from fieldline.learn import dcn


def scored(inputs: Inputs, seed: int) -> Scores:
    """Return what the network says on the rivals' inputs: embeddings of all codes, numbers standardised."""
    import torch  # noqa: F401  (so that a missing package is told as such)

    said, said_frozen = nothing(inputs), nothing(inputs)
    settings = dcn.Settings(seed=seed)
    trained = predicted = 0
    train_s = predict_s = 0.0
    for day in days_of(inputs):
        before, today = inputs.day < day, inputs.day == day
        labels = inputs.labels[before]
        begun = time.process_time()
        net = dcn.fit(inputs.live[before], labels, np.ones_like(labels), inputs.codes, settings)
        train_s += time.process_time() - begun
        begun = time.process_time()
        said[today] = dcn.predict(net, inputs.live[today])
        said_frozen[today] = dcn.predict(net, inputs.frozen[today])
        predict_s += time.process_time() - begun
        trained += len(labels)
        predicted += 2 * int(today.sum())
    note = (
        f"{len(LABELS)} tasks, {len(inputs.names)} columns, {settings.epochs} epochs a refit, refitted daily"
    )
    return Scores(said, said_frozen, trained / train_s, predicted / predict_s, note)
