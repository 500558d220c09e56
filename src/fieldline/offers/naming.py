"""What a wish names, and where: so that a refusal can point at the very field that was typed."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from fieldline.errors import Refused


class Named(NamedTuple):
    """Something of the catalogue that a wish's terms name."""

    field: str
    """Where in the wish it stands, such as "terms.units[1].items[0]"."""
    kind: Literal["merchant", "creator", "item", "scene"]
    """An item is a product, a video or a live room."""
    id: str


def each(
    field: str, kind: Literal["merchant", "creator", "item", "scene"], ids: Sequence[str]
) -> Iterator[Named]:
    """Yield the entries of a list that stands at a field, each with its own place."""
    return (Named(f"{field}[{n}]", kind, id) for n, id in enumerate(ids))


def refuse_repeats(field: str, names: Sequence[str]) -> None:
    """Refuse a list that names something twice.

    Raises:
        Refused: the field of the second naming, such as "terms.items[2]".
    """
    seen = set[str]()
    for n, name in enumerate(names):
        if name in seen:
            raise Refused(f"{field}[{n}]", f"names {name!r} a second time")
        seen.add(name)
