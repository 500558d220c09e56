"""Preview: what other dials would show for the newest requests, decided again under today's and the changed policy.

All organic policies draw on one budget of looks: what one gives, others lose. The sample is the newest logged
requests, each decided as if it came once more now, twice in a row: by a view of the state under today's dials and by
one under the changed ones. Bids and all prices whose dials are not asked about stand as they are. Nothing of the state
is changed. Source: docs/algorithms/preview.md.
"""

from collections.abc import Generator, Sequence

from fieldline.contracts import Contract
from fieldline.errors import Conflict
from fieldline.facts import Decision
from fieldline.traffic.prediction.outside import NONE, Models
from fieldline.traffic.preview import pooled as pools
from fieldline.traffic.preview.answer import Pair, Preview, answer_of
from fieldline.traffic.preview.dials import changed
from fieldline.traffic.preview.measure import known_of, measured
from fieldline.traffic.preview.solve import Sample, again, asked_of, dealt, mark_of, solved
from fieldline.traffic.preview.views import Dialled, view_of
from fieldline.traffic.state import State

__all__ = ["SAMPLE", "Dialled", "Preview", "preview", "view_of"]

SAMPLE = 300
"""Newest requests that are decided again."""


def preview(
    state: State,
    sample: Sequence[Decision],
    pairs: Sequence[tuple[str, str]],
    models: Models = NONE,
    pool: Contract | None = None,
) -> Generator[None, None, Preview]:
    """Answer what some dials would do, in steps of a few milliseconds; between them the state may go on.

    Args:
        state: only read; steps must run in the thread that changes it.
        sample: the newest decisions; of more than 300 those first are taken.
        pairs: dials and their values as typed; a pool's looks among them (`pools.ID.looks`).
        models: outside, that decisions are made with.
        pool: one that nobody made yet, compiled.

    Returns:
        What the generator returns at its end.

    Raises:
        Refused: a dial or value that cannot be; it is named.
        Conflict: no request was logged yet; or no slate of the sample has a candidate for a mix that is asked about.
    """
    before = state.policy
    pooled = pools.single(state, [pair for pair in pairs if pools.pool_of(pair[0])], pool)
    dials = [pair for pair in pairs if not pools.pool_of(pair[0])]
    policy, changes = (before, ()) if pooled and not dials else changed(before, dials)
    newest = asked_of(state, sample[:SAMPLE])
    if not newest:
        raise Conflict("requests", "none was logged yet that could be decided again")
    live = Models(models.live)
    turns, settled = yield from solved(Sample(state, newest, live), policy, changes, pooled)
    mark, known = None, known_of(state, pooled)
    views = dict[int, State]()
    slates = list[Pair]()
    for turn, asked in dealt(newest, turns):
        if mark != (mark := mark_of(state)):
            if mark.policy != before:
                raise Conflict("policy", "was set while the preview was made; ask again")
            known = known_of(state, pooled)
            views.clear()
        views = {id(dialled): views.get(id(dialled)) or view_of(state, dialled) for dialled in turn}
        today, other = (
            measured(state, known, view, again(view, state, asked, live))
            for view in (views[id(dialled)] for dialled in turn)
        )
        slates.append(Pair(today, other))
        yield
    told = (*changes, *((pools.change_of(pooled),) if pooled else ()))
    return answer_of(state, known, slates, told, settled)
