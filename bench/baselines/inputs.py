"""What the rival models read of a look: traits, history from before the log, scene, hour and running counts.

Everything that Fieldline knows of a look, and none of its predictions. Each look is described twice: as things
stood when it was made, and as they stood at the midnight (UTC+8) before it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.lab.replay.kuairand import TABS, FeedLog
from fieldline.units import DAY

LABELS = ("click", "long_view", "like", "follow", "hate")
CODES = ("viewer", "video", "author", "category", "scene")
"""Columns that hold numbers of things; the viewer's traits and the video's words follow them."""
TRAITS, WORDS = 8, 3
PRIORS = np.array([0.45, 0.3, 0.018, 0.0013, 0.001], np.float32)
"""Rates that running rates begin at: those of the first day."""
STRENGTH = np.float32(10.0)
LONG = 1
"""The long view among the labels."""

NUMBERS = (
    "hour", "weekday", "seconds", "days", "minutes_since", "last_click", "last_long",
    "viewer_looks", "viewer_click", "viewer_long", "viewer_like", "viewer_follow", "viewer_hate",
    "viewer_looks_today", "viewer_click_today", "viewer_long_today",
    "viewer_scene_looks", "viewer_scene_click", "viewer_scene_long",
    "past_watched", "past_long", "past_hearted",
    "viewer_category_looks", "viewer_category_long", "viewer_author_looks", "viewer_author_long",
    "viewer_video_looks", "viewer_video_long",
    "video_looks", "video_click", "video_long", "video_like", "video_past", "video_past_long",
    "author_looks", "author_click", "author_long", "author_like", "author_past", "author_past_long",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """Every look of a log as the rivals see it."""

    names: tuple[str, ...]
    codes: tuple[int, ...]
    """Columns that hold codes, −1 = none."""
    live: NDArray[np.float32]  # [n, F]
    frozen: NDArray[np.float32]  # [n, F] with counts as they stood at midnight
    labels: NDArray[np.float32]  # [n, 5] as `LABELS`
    day: NDArray[np.int64]  # [n] from 0
    viewer: NDArray[np.int32]  # [n]


class Counts(NamedTuple):
    """Running counts: looks, then each label."""

    viewer: NDArray[np.float32]  # [V, 6]
    today: NDArray[np.float32]  # [V, 4] day, looks, clicks, long views
    scene: NDArray[np.float32]  # [V, S, 3] looks, clicks, long views
    category: NDArray[np.float32]  # [V, G, 2] looks, long views; past ones too
    pair_author: NDArray[np.float32]  # [P, 2] looks, long views; past ones too
    pair_video: NDArray[np.float32]  # [Q, 2]
    video: NDArray[np.float32]  # [I, 6]
    author: NDArray[np.float32]  # [A, 6]
    last: NDArray[np.float64]  # [V, 3] instant (−1 = none), click, long view


class Past(NamedTuple):
    """What happened before the log."""

    viewer: NDArray[np.float32]  # [V, 3] watched, watched long, liked
    video: NDArray[np.float32]  # [I, 2] watched, watched long
    author: NDArray[np.float32]  # [A, 2]


class Looks(NamedTuple):
    """The log by column."""

    at: NDArray[np.int64]
    day: NDArray[np.int64]
    viewer: NDArray[np.int32]
    video: NDArray[np.int32]
    author: NDArray[np.int32]
    category: NDArray[np.int32]
    scene: NDArray[np.int32]
    pair_author: NDArray[np.int64]
    pair_video: NDArray[np.int64]
    seconds: NDArray[np.float32]
    days: NDArray[np.float32]


def inputs_of(log: FeedLog) -> Inputs:
    """Return every look of a log as the rivals see it."""
    said = [log.click, log.long_view, log.like, log.follow, log.hate]
    labels = np.maximum(np.stack(said, axis=1).astype(np.float32), 0.0)
    categories = sorted({video.category for video in log.videos})
    number = {name: index for index, name in enumerate(categories)}
    category = np.array([number[video.category] for video in log.videos], np.int32)
    uploaded = np.array([video.uploaded_at for video in log.videos], np.int64)
    seconds = np.array([video.duration_ms / 1_000 for video in log.videos], np.float32)
    author_of = _author_of(log)
    watched = _watched(log)
    people, authors, videos = len(log.viewers), len(log.creators), len(log.videos)
    viewer = log.viewer.astype(np.int64)
    pairs_a = np.concatenate([viewer * authors + log.author, watched[0] * authors + author_of[watched[1]]])
    pairs_v = np.concatenate([viewer * videos + log.video, watched[0] * videos + watched[1]])
    found_a, pair_author = np.unique(pairs_a, return_inverse=True)
    found_v, pair_video = np.unique(pairs_v, return_inverse=True)
    age = np.where(uploaded[log.video] > 0, np.maximum(log.at - uploaded[log.video], 0) / DAY, np.nan)
    rows = len(log)
    looks = Looks(
        log.at, log.day, log.viewer, log.video, log.author, category[log.video], log.scene,
        pair_author[:rows], pair_video[:rows], np.log1p(seconds[log.video]), np.log1p(age).astype(np.float32),
    )  # fmt: skip
    counts = Counts(
        np.zeros((people, 6), np.float32), np.zeros((people, 4), np.float32),
        np.zeros((people, TABS, 3), np.float32), np.zeros((people, len(categories), 2), np.float32),
        np.zeros((len(found_a), 2), np.float32), np.zeros((len(found_v), 2), np.float32),
        np.zeros((videos, 6), np.float32), np.zeros((authors, 6), np.float32),
        np.tile(np.array([-1.0, 0.0, 0.0]), (people, 1)),
    )  # fmt: skip
    past = Past(*(np.zeros(shape, np.float32) for shape in ((people, 3), (videos, 2), (authors, 2))))
    past.viewer[:, 2] = [len(viewer.hearted) for viewer in log.viewers]
    for table, key in (
        (past.viewer[:, :2], watched[0]), (past.video, watched[1]), (past.author, author_of[watched[1]]),
        (counts.pair_author, pair_author[rows:]), (counts.pair_video, pair_video[rows:]),
        (counts.category.reshape(-1, 2), watched[0] * len(categories) + category[watched[1]]),
    ):  # fmt: skip
        np.add.at(table[:, 0], key, 1.0)
        np.add.at(table[:, 1], key, watched[2])
    live = np.empty((rows, len(NUMBERS)), np.float32)
    frozen = np.empty((rows, len(NUMBERS)), np.float32)
    _run(looks, counts, past, labels, live, frozen)
    codes = _codes(log, category)
    return Inputs(
        names=(
            *CODES,
            *(f"trait_{n}" for n in range(TRAITS)),
            *(f"word_{n}" for n in range(WORDS)),
            *NUMBERS,
        ),
        codes=tuple(range(codes.shape[1])),
        live=np.concatenate([codes, live], axis=1),
        frozen=np.concatenate([codes, frozen], axis=1),
        labels=labels,
        day=log.day - log.day[0],
        viewer=log.viewer,
    )


def _author_of(log: FeedLog) -> NDArray[np.int64]:
    number = {creator.id: index for index, creator in enumerate(log.creators)}
    return np.array([number[video.creator] for video in log.videos], np.int64)


def _watched(log: FeedLog) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Viewer, video and whether it was watched long, of every look before the log whose video is known."""
    number = {video.id: index for index, video in enumerate(log.videos)}
    found = [
        (index, number[name], name in long)
        for index, viewer in enumerate(log.viewers)
        for long in (set(viewer.liked),)
        for name in viewer.watched
        if name in number
    ]
    table = np.array(found, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(np.float32)


def _codes(log: FeedLog, category: NDArray[np.int32]) -> NDArray[np.float32]:
    """Columns of codes: numbers of things, a viewer's traits, a video's words beyond its tags."""
    traits = _coded([viewer.traits for viewer in log.viewers], TRAITS)
    words = [tuple(word for word in video.traits if not word.startswith("tag=")) for video in log.videos]
    ids = np.stack([log.viewer, log.video, log.author, category[log.video], log.scene], axis=1)
    return np.concatenate([ids, traits[log.viewer], _coded(words, WORDS)[log.video]], axis=1).astype(
        np.float32
    )


def _coded(words: list[tuple[str, ...]], width: int) -> NDArray[np.int64]:
    known: list[dict[str, int]] = [{} for _ in range(width)]
    return np.array(
        [
            [known[k].setdefault(row[k], len(known[k])) if k < len(row) else -1 for k in range(width)]
            for row in words
        ],
        np.int64,
    ).reshape(len(words), width)


@njit
def _run(
    looks: Looks,
    counts: Counts,
    past: Past,
    labels: NDArray[np.float32],
    live: NDArray[np.float32],
    frozen: NDArray[np.float32],
) -> None:
    rows = len(looks.at)
    for r in range(rows):
        if r == 0 or looks.day[r] != looks.day[r - 1]:
            end = r
            while end < rows and looks.day[end] == looks.day[r]:
                _describe(looks, counts, past, end, frozen[end])
                end += 1
        _describe(looks, counts, past, r, live[r])
        _count(looks, counts, r, labels[r])


@njit
def _describe(looks: Looks, counts: Counts, past: Past, r: int, out: NDArray[np.float32]) -> None:
    viewer, video, author = looks.viewer[r], looks.video[r], looks.author[r]
    hours = (looks.at[r] + 28_800_000) // 3_600_000
    last = counts.last[viewer]
    today = counts.today[viewer]
    same = today[0] == np.float32(looks.day[r])
    out[0] = hours % 24
    out[1] = (hours // 24 + 3) % 7
    out[2] = looks.seconds[r]
    out[3] = looks.days[r]
    out[4] = np.log1p((looks.at[r] - last[0]) / 60_000.0) if last[0] >= 0.0 else np.nan
    out[5] = last[1] if last[0] >= 0.0 else np.nan
    out[6] = last[2] if last[0] >= 0.0 else np.nan
    n = 7
    out[n] = np.log1p(counts.viewer[viewer, 0])
    for t in range(5):
        out[n + 1 + t] = _rate(counts.viewer[viewer, 1 + t], counts.viewer[viewer, 0], PRIORS[t])
    n += 6
    out[n] = np.log1p(today[1]) if same else 0.0
    out[n + 1] = _rate(today[2], today[1], PRIORS[0]) if same else PRIORS[0]
    out[n + 2] = _rate(today[3], today[1], PRIORS[LONG]) if same else PRIORS[LONG]
    n += 3
    scene = counts.scene[viewer, looks.scene[r]]
    out[n] = np.log1p(scene[0])
    out[n + 1] = _rate(scene[1], scene[0], PRIORS[0])
    out[n + 2] = _rate(scene[2], scene[0], PRIORS[LONG])
    n += 3
    out[n] = np.log1p(past.viewer[viewer, 0])
    out[n + 1] = _rate(past.viewer[viewer, 1], past.viewer[viewer, 0], np.float32(0.45))
    out[n + 2] = np.log1p(past.viewer[viewer, 2])
    n += 3
    for pair in (
        counts.category[viewer, looks.category[r]],
        counts.pair_author[looks.pair_author[r]],
        counts.pair_video[looks.pair_video[r]],
    ):
        out[n] = np.log1p(pair[0])
        out[n + 1] = _rate(pair[1], pair[0], PRIORS[LONG])
        n += 2
    for counted, before in (
        (counts.video[video], past.video[video]),
        (counts.author[author], past.author[author]),
    ):
        out[n] = np.log1p(counted[0])
        for t in range(3):
            out[n + 1 + t] = _rate(counted[1 + t], counted[0], PRIORS[t])
        out[n + 4] = np.log1p(before[0])
        out[n + 5] = _rate(before[1], before[0], np.float32(0.45))
        n += 6


@njit
def _count(looks: Looks, counts: Counts, r: int, labels: NDArray[np.float32]) -> None:
    viewer = looks.viewer[r]
    for row in (counts.viewer[viewer], counts.video[looks.video[r]], counts.author[looks.author[r]]):
        row[0] += np.float32(1.0)
        row[1:] += labels
    today = counts.today[viewer]
    if today[0] != np.float32(looks.day[r]):
        today[0] = np.float32(looks.day[r])
        today[1:] = np.float32(0.0)
    for row in (today[1:], counts.scene[viewer, looks.scene[r]]):
        row[0] += np.float32(1.0)
        row[1:] += labels[:2]
    for row in (
        counts.category[viewer, looks.category[r]],
        counts.pair_author[looks.pair_author[r]],
        counts.pair_video[looks.pair_video[r]],
    ):
        row[0] += np.float32(1.0)
        row[1] += labels[LONG]
    counts.last[viewer, 0] = looks.at[r]
    counts.last[viewer, 1] = labels[0]
    counts.last[viewer, 2] = labels[LONG]


@njit(inline="always")
def _rate(hits: float, looks: float, prior: float) -> float:
    return float((hits + STRENGTH * prior) / (looks + STRENGTH))
