"""Warming: every serving kernel compiled (or read from its cache) before the first request."""

import msgspec

from fieldline.facts import (
    CatalogueEntry,
    Click,
    Creator,
    Impression,
    LiveRoom,
    LongView,
    Merchant,
    Outcome,
    Policy,
    Product,
    Request,
    Scene,
    Staged,
    StagedOffer,
    Video,
    Viewer,
)
from fieldline.traffic import allocate, behaviour, entries, showing
from fieldline.traffic.decide import decide
from fieldline.traffic.organic import moved
from fieldline.traffic.state import State, decode, encode
from fieldline.traffic.ticks import tick

_POLICY = Policy(scenes=(Scene("video", (1.0, 0.9)),), random_share=0.0, landscape_share=1.0)


def warm() -> None:
    """Play a market of one viewer through every kernel that serving uses."""
    allocate.warm()
    moved.warm()
    state = State(policy=_POLICY)
    entries.put_policy(state, _POLICY)
    entries_of: list[CatalogueEntry] = [
        Creator("c"),
        *(Video(f"v{i}", "c", category="k", title="茶 tea") for i in range(4)),
        Merchant("m"),
        Product("p", "m", 1_000_000, 1),
        LiveRoom("l", "c", scenes=("video",)),
    ]
    for entry in (*entries_of, Viewer("u", watched=("v0",))):
        entries.put_entry(state, entry)
    entries.put_entry(state, Staged("l", 0, 1, (StagedOffer("p", 600_000),)))
    tick(state, 300_000)
    for number, (share, query) in enumerate(((0.0, ""), (1.0, ""), (0.0, "tea"))):
        entries.put_policy(state, msgspec.structs.replace(_POLICY, random_share=share))
        request = Request(f"r{number}", "u", "video", at=300_001, candidate_limit=2, query=query)
        decision = decide(state, request)
        showing.open_decision(state, decision)
        item = decision.slots[0].item
        for event in (Impression, LongView, Click):
            behaviour.take(state, event(f"{number}{event.__name__}", 300_002, decision.id, item))
    behaviour.take(state, Outcome("o", 300_003, "u", "v1", "video", click=True, long_view=True))
    tick(decode(encode(state)), 1_200_000)
