"""People: who watches, what they follow and what they watched lately; one reducer from facts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, grown
from fieldline.facts import Follow, Place, Viewer, ViewerErased
from fieldline.people import intent
from fieldline.people.intent import Intents

RECENT = 20
"""How many of a viewer's last watched items are remembered."""
SEEN = 64
"""How many of the items that a viewer was last shown are not shown again at once."""


@dataclass(slots=True)
class People:
    """Every viewer, by index."""

    names: Names = field(default_factory=Names)
    facts: list[Viewer | None] = field(default_factory=list)
    follows: list[dict[str, int]] = field(default_factory=list)
    """Creator ids that each viewer follows, and since when."""
    recent: NDArray[np.int32] = field(default_factory=lambda: np.full((16, RECENT), -1, np.int32))
    """Ring of the items watched lately, −1 where none."""
    recent_end: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    """How many items were ever put into each ring."""
    seen: NDArray[np.int32] = field(default_factory=lambda: np.full((16, SEEN), -1, np.int32))
    """Ring of the items shown lately, −1 where none."""
    seen_end: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    counts: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, 3), np.float32))
    """Looks, clicks and long views."""
    bought: list[dict[str, int]] = field(default_factory=list)
    """Orders of each viewer by merchant id."""
    personalised: NDArray[np.bool_] = field(default_factory=lambda: np.ones(16, np.bool_))
    """Whether what is known of each viewer may choose what they are shown."""
    intents: Intents = field(default_factory=Intents)


def reduce(people: People, fact: Viewer | Follow | ViewerErased) -> People:
    """Fold one fact about a viewer into the people."""
    match fact:
        case Viewer():
            _put(people, fact)
        case Follow():
            viewer = people.names.find(fact.viewer)
            if fact.following:
                people.follows[viewer][fact.creator] = fact.at
            else:
                people.follows[viewer].pop(fact.creator, None)
        case ViewerErased():
            _erase(people, fact.id)
    return people


def shown(people: People, viewer: int, item: int) -> None:
    """Remember that a viewer was shown an item, unless they opted out."""
    if whom(people, viewer) < 0:
        return
    end = people.seen_end[viewer]
    people.seen[viewer, end % SEEN] = item
    people.seen_end[viewer] = end + 1


def whom(people: People, viewer: int) -> int:
    """Return the viewer's number if what is known of them may be used and added to, else −1: nobody in particular."""
    return viewer if viewer >= 0 and people.personalised[viewer] else -1


def reset_intents(people: People, viewer: int) -> None:
    """Forget a viewer's intents, what they said of them, and what they watched lately."""
    intent.forget(people.intents, viewer)
    people.recent[viewer] = -1
    people.recent_end[viewer] = 0


def forget_history(people: People, viewer: int) -> None:
    """Forget all that a viewer's behaviour told: intents, what was watched and shown lately, counts of looks."""
    reset_intents(people, viewer)
    people.seen[viewer] = -1
    people.seen_end[viewer] = 0
    people.counts[viewer] = 0


def lately(people: People, viewer: int, count: int) -> list[int]:
    """Return the items that a viewer watched long last, the newest first, −1 where there was none."""
    end, ring = people.recent_end.item(viewer), people.recent[viewer]
    return [ring.item((end - 1 - back) % RECENT) for back in range(count)]


def place_of(people: People, viewer: int) -> Place | None:
    """Return where a viewer said to be; None of nobody in particular."""
    fact = people.facts[viewer] if viewer >= 0 else None
    return fact.place if fact else None


def _put(people: People, fact: Viewer) -> None:
    viewer = people.names.add(fact.id)
    if viewer == len(people.facts):
        people.facts.append(fact)
        people.follows.append(dict.fromkeys(fact.follows, 0))
        people.bought.append({})
        people.recent = grown(people.recent, viewer + 1, -1)
        people.recent_end = grown(people.recent_end, viewer + 1)
        people.seen = grown(people.seen, viewer + 1, -1)
        people.seen_end = grown(people.seen_end, viewer + 1)
        people.counts = grown(people.counts, viewer + 1)
        people.personalised = grown(people.personalised, viewer + 1, True)
        intent.place(people.intents, viewer)
    else:
        people.facts[viewer] = fact
        people.follows[viewer] = dict.fromkeys(fact.follows, 0)


def _erase(people: People, id: str) -> None:
    viewer = people.names.forget(id)
    if viewer >= 0:
        people.facts[viewer] = None
        people.follows[viewer] = {}
        people.bought[viewer] = {}
        people.personalised[viewer] = True
        forget_history(people, viewer)
