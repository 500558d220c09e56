"""Choices: what viewers say about themselves."""

from typing import Literal

from fieldline.facts.words import Fact, Id, Time, Word

Stage = Literal["browse", "compare", "ready", "repeat"]
"""How far an intent is: looking around, comparing, ready to buy, buying again."""


class Personalised(Fact, frozen=True, tag="personalised"):
    """A viewer chose whether what is known of them may choose what they are shown."""

    viewer: Id
    at: Time
    on: bool


class IntentCorrected(Fact, frozen=True, tag="intent_corrected"):
    """A viewer said at which stage they are in a category; None: not interested."""

    viewer: Id
    at: Time
    category: Word
    stage: Stage | None


class IntentsReset(Fact, frozen=True, tag="intents_reset"):
    """A viewer had all that was inferred of their intents forgotten."""

    viewer: Id
    at: Time


Chosen = Personalised | IntentCorrected | IntentsReset


class ViewerErased(Fact, frozen=True, tag="viewer_erased"):
    """A viewer asked to be forgotten: gone from state now, from the log at compaction."""

    id: Id
    at: Time
