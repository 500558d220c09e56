"""Asked: what people ask of the engine beside the catalogue, contracts and policy, and what of it stands for what."""

from fieldline.facts.choices import Chosen, IntentCorrected, IntentsReset, Personalised
from fieldline.facts.service import Appeal, Contested, Ruling
from fieldline.facts.staging import Staged

Asked = Chosen | Staged | Contested
"""Viewers' choices, live rooms' plans, appeals and rulings."""

CHOICES = (Personalised, IntentCorrected, IntentsReset)
"""Kinds of what is kept of a viewer."""


def matter(fact: Asked) -> tuple[str, str]:
    """Return what is asked for and within it what; of the same matter the last word is all that counts.

    Opting out and opting in are two matters: who did both has their history forgotten, which the last word hides.
    They take turns (who is out cannot opt out again), so that what a viewer said while they were in stays between them.
    """
    match fact:
        case Personalised():
            return fact.viewer, "on" if fact.on else "off"
        case IntentCorrected():
            return fact.viewer, fact.category
        case IntentsReset():
            return fact.viewer, ""
        case Staged():
            return fact.room, ""
        case Appeal():
            return fact.id, ""
        case Ruling():
            return fact.appeal, ""
