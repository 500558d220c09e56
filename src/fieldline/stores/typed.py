"""What people typed, and the rules of changing it, whatever keeps the records."""

from dataclasses import dataclass
from typing import Any

import msgspec

from fieldline import facts
from fieldline.errors import Conflict, Unknown
from fieldline.facts import (
    Appeal,
    Asked,
    CatalogueEntry,
    Ruling,
    Staged,
    ViewerErased,
    Wish,
    WishEnded,
    WishPaused,
)

Change = CatalogueEntry | Wish | WishPaused | WishEnded | Asked | ViewerErased
"""A change of the records, as the fact that the log holds of it."""

UNAUDITED = "viewer"
"""Changes of viewers leave no audit line: a merchant's word about a person is not kept for others to read."""

CHOICES = tuple(str(kind.__struct_config__.tag) for kind in facts.CHOICES)
"""Kinds of what is kept of a viewer."""

ERASED = '"one erased"'
"""What the audit shows of an erasure: never whose."""

_entries: msgspec.json.Decoder[CatalogueEntry] = msgspec.json.Decoder(CatalogueEntry)
_asked: msgspec.json.Decoder[Asked] = msgspec.json.Decoder(Asked)


def kind_of(fact: CatalogueEntry | Asked) -> str:
    """Return the kind of a thing, which is its type's tag: "viewer", "product", "staged" …"""
    return str(type(fact).__struct_config__.tag)


def text_of(entry: CatalogueEntry | Asked) -> str:
    """Return a catalogue entry, or what was asked for, as JSON."""
    return msgspec.json.encode(entry).decode()


def entry_of(text: str) -> CatalogueEntry:
    """Return the catalogue entry of its JSON."""
    return _entries.decode(text)


def asked_of(text: str) -> Asked:
    """Return what was asked for of its JSON."""
    return _asked.decode(text)


def asked_subject(fact: Asked) -> str:
    """Return the name under which what was asked for is audited: "viewer:v1", "room:r1", "appeal:a1"."""
    match fact:
        case Staged():
            return subject_of("room", fact.room)
        case Appeal():
            return subject_of("appeal", fact.id)
        case Ruling():
            return subject_of("appeal", fact.appeal)
        case _:
            return subject_of("viewer", fact.viewer)


def subject_of(kind: str, id: str) -> str:
    """Return the name under which changes of a thing are audited: "product:p1", "wish:w1"."""
    return f"{kind}:{id}"


def wish_text(wish: Wish) -> str:
    """Return a wish as the audit shows it."""
    return msgspec.json.encode(wish).decode()


def check_version(wish: Wish, known: Wish | None) -> None:
    """Refuse a wish that is not newer than what is known of it.

    Raises:
        Conflict: its version is not above the stored one.
    """
    if known is not None and wish.version <= known.version:
        raise Conflict("version", f"must be above {known.version}, the stored version of {wish.id}")


def unknown(kind: str, id: str) -> Unknown:
    """Return the refusal of an id that nothing has."""
    return Unknown("id", f"there is no {kind} {id!r}")


def pause_texts(paused: bool) -> tuple[str, str]:
    """Return what the audit shows of a wish before and after it was paused (or resumed)."""
    texts = ('{"paused":false}', '{"paused":true}')
    return texts if paused else (texts[1], texts[0])


END_TEXTS = ('{"ended":false}', '{"ended":true}')
"""What the audit shows of a wish before and after it was ended."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the audit; before and after are JSON, before is None where the subject is new."""

    n: int
    subject: str
    at: int
    by: str
    before: str | None
    after: str

    def shown(self) -> dict[str, Any]:
        """Return the line with before and after as plain JSON values."""
        before = None if self.before is None else msgspec.json.decode(self.before)
        return {
            "n": self.n,
            "subject": self.subject,
            "at": self.at,
            "by": self.by,
            "before": before,
            "after": msgspec.json.decode(self.after),
        }
