"""`python -m bench.intent --data DIR [--json FILE]`: which category a viewer clicks next, on a KuaiRand log.

Every click of the log's second day and later is foretold from what came before it, then learned. Categories are
videos' first tags. Beside the intents: everybody's clicks by category so far, the viewer's last category and the
viewer's most frequent one (both backed by everybody's), each of which knows what was watched before the log too.
The confidence is checked where it is the highest of a click, and over all kept categories of all clicks.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fieldline.lab.replay.kuairand import FeedLog, read
from fieldline.people import intent
from fieldline.people.intent import Intents

BINS = 20
RIVALS = ("popularity", "last", "most_frequent")
LITTLE = 1e-3
"""What everybody's shares count for beside a viewer's own, where a rival has both."""


def measure(log: FeedLog) -> dict[str, dict[str, float]]:
    """Return hit-rates of each way to foretell the next clicked category, and how calibrated the confidence is.

    Args:
        log: the feed.

    Returns:
        By way: `top_1`, `top_3`; of the intents also `log_loss` beside popularity's, `ece_surest`, `ece_all`.
    """
    numbers: dict[str, int] = {}
    of_video = np.array([numbers.setdefault(video.category, len(numbers)) for video in log.videos])
    videos = {video.id: place for place, video in enumerate(log.videos)}
    intents, own = Intents(), np.zeros((len(log.viewers), len(numbers)))
    intent.place(intents, len(log.viewers) - 1)
    intents.clicks = np.zeros(len(numbers))
    last = np.full(len(log.viewers), -1)
    for number, fact in enumerate(log.viewers):
        long = set(fact.liked)
        for name in fact.watched:
            if name in videos:
                category = int(of_video[videos[name]])
                weight = intent.WATCHED_LONG if name in long else intent.WATCHED
                intent.note_past(intents, number, category, weight, int(log.at[0]))
                own[number, category] += 1.0
                last[number] = category
    categories = of_video[log.video]
    scored: list[NDArray[np.float64]] = []  # [ways, 3] rank, chance of what came, of each click
    surest, kept = list[tuple[float, bool]](), list[tuple[float, bool]]()
    for row in range(len(log)):
        viewer, category, at = int(log.viewer[row]), int(categories[row]), int(log.at[row])
        if log.click[row]:
            if log.day[row] > log.day[0]:
                chances = intent.next_click(intents, viewer, at)
                shares = intent.next_click(intents, -1, at)
                recent = shares * LITTLE
                recent[last[viewer]] += 1.0 if last[viewer] >= 0 else 0.0
                ways = (chances, shares, recent, own[viewer] + shares * LITTLE)
                scored.append(np.array([_rank(way, category) for way in ways]))
                surest.append((float(chances.max()), int(chances.argmax()) == category))
                held = intents.category[viewer][intents.category[viewer] >= 0]
                kept += [(float(chances[other]), int(other) == category) for other in held]
            intent.learn(intents, viewer, category, at)
            own[viewer, category] += 1.0
            last[viewer] = category
        weight = intent.LOOK + intent.CLICK * log.click[row] + intent.LONG_VIEW * log.long_view[row]
        intent.note(intents, viewer, category, float(weight), at)
    found = np.array(scored)  # [clicks, ways, 2]
    figures = {
        name: {"top_1": float((found[:, way, 0] == 0).mean()), "top_3": float((found[:, way, 0] < 3).mean())}
        for way, name in enumerate(("intents", *RIVALS))
    }
    for way, name in enumerate(("intents", "popularity")):
        figures[name]["log_loss"] = float(-np.log(found[:, way, 1]).mean())
    figures["intents"] |= {"ece_surest": ece(surest), "ece_all": ece(kept), "clicks": float(len(found))}
    return figures


def ece(told: list[tuple[float, bool]]) -> float:
    """Return the expected calibration error over 20 bins of equally many chances."""
    pairs = np.array(sorted(told), np.float64)
    return float(
        sum(len(part) * abs(part[:, 0].mean() - part[:, 1].mean()) for part in np.array_split(pairs, BINS))
        / len(pairs)
    )


def _rank(chances: NDArray[np.float64], category: int) -> tuple[float, float]:
    """How many categories were held likelier than what came (of equal ones the earlier), and what its chance was."""
    own = chances[category]
    return float((chances > own).sum() + (chances[:category] == own).sum()), float(own)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench.intent", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    figures = measure(read(arguments.data))
    names = list(figures["intents"])
    shown = Table("way", *names)
    for way, of_way in figures.items():
        shown.add_row(way, *(f"{of_way[name]:.4f}" if name in of_way else "" for name in names))
    Console().print(shown)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
