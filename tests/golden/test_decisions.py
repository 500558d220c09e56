"""A golden replay: a small made market decides today what it decided when this was recorded.

`python -m tests.golden.test_decisions` records it anew; a difference is then looked at before it is committed.
"""

import json
from pathlib import Path

from tests.made import play

from fieldline.facts import Decision

RECORDED = Path(__file__).parent / "decisions.json"
REQUESTS = 60


def decisions() -> list[list[object]]:
    """Every decision: request, whether randomised, and per slot item, contract, charge and both ranks."""
    return [
        [
            fact.id,
            fact.randomised,
            [[s.item, s.contract, s.charge, s.organic_rank, s.rank_without_bid] for s in fact.slots],
        ]
        for fact in play(REQUESTS)[1]
        if isinstance(fact, Decision)
    ]


def test_the_made_market_decides_as_recorded() -> None:
    """Every slate, place and payer is as recorded, and every charge to within two micro-yuan."""
    recorded, now = json.loads(RECORDED.read_text()), json.loads(json.dumps(decisions()))
    assert [(d[0], d[1], [[s[0], s[1], *s[3:]] for s in d[2]]) for d in now] == [
        (d[0], d[1], [[s[0], s[1], *s[3:]] for s in d[2]]) for d in recorded
    ]
    pairs = zip(now, recorded, strict=True)
    charges = [(a[2], b[2]) for x, y in pairs for a, b in zip(x[2], y[2], strict=True)]
    assert all(abs(ours - theirs) <= 2 for ours, theirs in charges)
    assert any(theirs > 0 for _, theirs in charges)


if __name__ == "__main__":
    RECORDED.write_text("[\n" + ",\n".join(json.dumps(d) for d in decisions()) + "\n]\n")
