"""Dials: which of the policy's numbers can be previewed, what each buys, and how its prices are found."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec

from fieldline.errors import Refused
from fieldline.facts import Mix, Policy

Bought = Literal[
    "gini_lowered", "trust", "newcomer_looks", "revenue", "viewer_value", "gmv", "moved_looks", "domain_share",
    "pool_looks",
]  # fmt: skip
Way = Literal["now", "settled", "held"]
"""At once; through a price that is solved on the sample; only in time, so that the preview holds it as it is."""


class Dial(NamedTuple):
    """What a dial buys, and how it comes to act."""

    buys: Bought
    way: Way = "now"


OFF = "off"
"""How a dial that may be none is set to none."""
MIXED: tuple[str, ...] = get_args(get_type_hints(Mix)["domain"])
"""Domains that may have a mix."""
MIX = Dial("domain_share", "settled")
MOST = 8
"""Dials of one preview."""


DIALS: dict[str, Dial] = {
    "gini": Dial("gini_lowered", "settled"),
    "newcomer_looks": Dial("newcomer_looks", "settled"),
    "newcomer_hours": Dial("newcomer_looks", "settled"),
    "trust_weight": Dial("trust"),
    "trust_weights.quality": Dial("trust"),
    "trust_weights.service": Dial("trust"),
    "trust_weights.content": Dial("trust"),
    "trust_weights.repeat": Dial("trust"),
    "earned.cap": Dial("moved_looks"),
    "earned.per_click": Dial("moved_looks", "held"),
    "earned.per_order": Dial("moved_looks", "held"),
    "earned.half_life_hours": Dial("moved_looks", "held"),
    "earned.least_match": Dial("moved_looks", "held"),
    "exploration": Dial("moved_looks"),
    "viewer_value": Dial("viewer_value"),
    "like_value": Dial("viewer_value"),
    "follow_value": Dial("viewer_value"),
    "hate_cost": Dial("viewer_value"),
    "minute_value": Dial("viewer_value"),
    "goods_value": Dial("gmv"),
    "ad_price": Dial("revenue"),
    "ad_load": Dial("revenue"),
    "first_ad": Dial("revenue"),
    "ad_gap": Dial("revenue"),
    "merchant_cap": Dial("moved_looks"),
    "category_cap": Dial("moved_looks"),
    "random_share": Dial("moved_looks"),
    "random_temperature": Dial("moved_looks"),
    "relevance_floor": Dial("moved_looks"),
    "relevance_value": Dial("moved_looks"),
    "candidate_limit": Dial("moved_looks"),
    "circle_km": Dial("moved_looks"),
    "frequency.product": Dial("moved_looks"),
    "frequency.merchant": Dial("moved_looks"),
    "frequency.campaign": Dial("moved_looks"),
    **{f"sources.{name}": Dial("moved_looks") for name in Policy().sources.__struct_fields__},
}
"""By path in the policy; mixes (`mixes.video.private`) are those of the policy's scenes beside them. What acts on bids,
learning or the log alone is none of them."""


class Change(msgspec.Struct, frozen=True):
    """A dial that is only asked about."""

    dial: str
    today: float | None
    changed: float | None
    way: Way
    """`now`: it acts at once; `settled`: its price was solved on the sample; `held`: it acts in time alone, and
    nothing of it is in the figures."""


def dials_of(policy: Policy) -> dict[str, Dial]:
    """Return every dial of a policy, mixes of its scenes among them."""
    return DIALS | {f"mixes.{scene.name}.{domain}": MIX for scene in policy.scenes for domain in MIXED}


def mix_of(dial: str) -> tuple[str, str] | None:
    """Return the scene and the domain of a mix; None: the dial is none."""
    group, _, rest = dial.partition(".")
    scene, _, domain = rest.rpartition(".")
    return (scene, domain) if group == "mixes" else None


def value_of(policy: Policy, dial: str) -> float | None:
    """Return a dial's value; None: it is off."""
    mixed = mix_of(dial)
    if mixed:
        return next((mix.share for mix in policy.mixes if (mix.scene, mix.domain) == mixed), None)
    found: Any = policy
    for name in dial.split("."):
        found = getattr(found, name)
    return None if found is None else float(found)


def changed(policy: Policy, pairs: Sequence[tuple[str, str]]) -> tuple[Policy, tuple[Change, ...]]:
    """Return a policy with some dials set otherwise, and what was changed.

    Args:
        policy: today's.
        pairs: a dial's path and its value as typed, `off` for none.

    Raises:
        Refused: no dial, too many, one named twice, or a value that cannot be; the dial is named.
    """
    if not pairs:
        raise Refused("dial", "is missing: name one, and its value")
    if len(pairs) > MOST:
        raise Refused("set", f"names more than {MOST} dials")
    document: dict[str, Any] = msgspec.to_builtins(policy)
    dials = dials_of(policy)
    for number, (dial, typed) in enumerate(pairs):
        if dial not in dials:
            raise Refused("dial", f"{dial[:64]!r} is no dial that can be previewed")
        if dial in [name for name, _ in pairs[:number]]:
            raise Refused(dial, "is set twice")
        mixed, value = mix_of(dial), number_of(dial, typed)
        if mixed:
            document["mixes"] = _mixes(document["mixes"], mixed, dial, value)
            continue
        *path, last = dial.split(".")
        reduce(dict.__getitem__, path, document)[last] = value
    try:
        after = msgspec.convert(document, Policy)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$")
        raise Refused(where.rstrip("`").lstrip(".") or pairs[0][0], reason) from None
    return after, tuple(
        Change(dial, value_of(policy, dial), value_of(after, dial), dials[dial].way) for dial, _ in pairs
    )


def _mixes(
    mixes: Sequence[dict[str, Any]], mixed: tuple[str, str], dial: str, share: float | None
) -> list[dict[str, Any]]:
    """Return mixes with one set, added or taken away; one that is a floor stays one."""
    if share is not None and not 0.0 <= share <= 1.0:
        raise Refused(dial, "must be a share from 0 to 1, or off")
    names = [(mix["scene"], mix["domain"]) for mix in mixes]
    if share is None:
        return [mix for mix, name in zip(mixes, names, strict=True) if name != mixed]
    if mixed in names:
        return [
            mix | {"share": share} if name == mixed else mix for mix, name in zip(mixes, names, strict=True)
        ]
    return [*mixes, {"scene": mixed[0], "domain": mixed[1], "share": share}]


def number_of(dial: str, typed: str) -> float | None:
    """Return a value as it was typed; None: off.

    Raises:
        Refused: it is no number; the dial is named.
    """
    if typed == OFF:
        return None
    try:
        return msgspec.json.decode(typed, type=int | float)
    except msgspec.DecodeError:
        raise Refused(dial, "is not a number") from None
