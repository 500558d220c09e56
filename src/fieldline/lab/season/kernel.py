"""A tick of a season, request by request: retrieve, decide, live through, learn; compiled, in the order of time."""

import numpy as np

from fieldline.compiled import njit
from fieldline.draws import mix, uniform
from fieldline.lab.season.asking import MIXED, MODE_RANDOM, MODE_SAMPLE, WHEN, ask, retrieve
from fieldline.lab.season.columns import (
    POSSIBLE,
    SERVED,
    TICK_DROPPED,
    TICK_REQUESTS,
    TICK_SAMPLES,
    Desk,
    Moment,
    Stage,
)
from fieldline.lab.season.counting import count_places, count_request, count_steps, note_moved
from fieldline.lab.season.links import add_mix
from fieldline.lab.season.living import live_through
from fieldline.lab.season.orders import arrive
from fieldline.lab.season.others import decide_otherwise
from fieldline.lab.season.staged import add_ahead
from fieldline.lab.season.study import close_looks, ripen, side_of
from fieldline.lab.world.days import request_key, stays
from fieldline.lab.world.truth import (
    Visit,
    rendered,
)
from fieldline.traffic.kernels.request import answer
from fieldline.traffic.kernels.words import LANDSCAPE, PAID, RANDOM
from fieldline.traffic.kernels.words import LOOKS as FIRST_LOOK

OWN_KEY = np.uint64(0x5851F42D4C957F2D)


@njit
def beside(stage: Stage, desk: Desk, visit: Visit, own: np.uint64, at: int, count: int) -> tuple[int, bool]:
    """Write what a look at each candidate is worth beside its own value.

    Args:
        stage: with what is due and who is followed.
        desk: its extra values are changed.
        visit: the request.
        own: key of the request's own draws.
        at: ms.
        count: of candidates.

    Returns:
        To how many candidates something was written, all or none; whether a followed maker's is among them.
    """
    links, level = stage.links, stage.links.level[visit.scene]
    if stage.ahead.starts.size == 0 and links.follows.shape[0] == 0:
        return 0, False
    desk.extra[:count] = 0.0
    if stage.ahead.starts.size > 0:
        add_ahead(stage.ahead, desk, stage.machine.rows, at, count)
    if links.follows.shape[0] == 0:
        return count, False
    score, draw = stage.tallies.score[0], uniform(own, np.uint64(MIXED))
    return count, add_mix(links, desk, stage.machine.items.creator, visit.viewer, level, score, draw, count)


@njit
def run(stage: Stage, desk: Desk, moment: Moment) -> None:
    """Play a tick: its requests in the order of time, then the labels that are due."""
    shelf, terms, tallies, waiting = stage.shelf, stage.terms, stage.tallies, stage.waiting
    for number in range(moment.requests):
        key = request_key(moment.key, number)
        own = np.uint64(mix(key ^ OWN_KEY))
        wait = (number + uniform(own, np.uint64(WHEN))) / moment.requests
        at = moment.start + int(wait * moment.length)
        if waiting.sizes[0] > 0 and waiting.heap[0, 0] <= at:
            arrive(stage, moment.day, at)
        tallies.total[moment.day, POSSIBLE] += 1
        visit, category = ask(stage.crowd, key, own, moment.hour)
        viewer, scene = visit.viewer, visit.scene
        if not stays(stage.lived, viewer, own):
            continue
        tallies.total[moment.day, SERVED] += 1
        tallies.tick[TICK_REQUESTS] += 1
        side_of(stage.machine, desk.pen.ids, viewer, scene, moment.hour, at, desk.viewer)
        seen = stage.memory.seen[viewer]
        count = retrieve(shelf, stage.places, desk, stage.crowd, stage.links, seen, visit, category, own)
        randomised = uniform(own, np.uint64(MODE_RANDOM)) < moment.random_share
        sampled = not randomised and uniform(own, np.uint64(MODE_SAMPLE)) < moment.landscape_share
        mode = np.int64(0)
        if moment.paid:
            mode = np.int64(PAID | (LANDSCAPE if sampled else 0))
        if randomised:
            mode |= np.int64(RANDOM)
        words = shelf.words[scene]
        more, offered = beside(stage, desk, visit, own, at, count)
        shown, _, told, _, steps, dropped, _ = answer(
            desk.candidates[:count], desk.viewer, 1 << scene, mode, np.uint64(mix(own)), words,
            stage.machine.rows, shelf.group, shelf.category, terms.first, terms.contract,
            terms.alpha, terms.bid_cap, terms.organic_price, terms.meter[scene],
            terms.gate, terms.open_gates, terms.holdout, terms.key, terms.viewer_key[viewer],
            desk.given, desk.extra[:more],
            desk.room, desk.slots, desk.contenders, desk.rest, desk.steps,
        )  # fmt: skip
        if offered:
            count_places(stage.links, desk, stage.machine.items.creator, visit, shown)
        if moment.paid and not randomised:
            count_request(
                terms, stage.accounts, tallies, desk, stage.machine.rows, words[FIRST_LOOK:], scene, shown
            )
            if sampled:
                tallies.tick[TICK_SAMPLES] += 1
                tallies.tick[TICK_DROPPED] += dropped
                count_steps(stage.accounts.supply, desk, steps)
        if rendered(key):
            if moment.paid and not randomised:
                note_moved(stage, desk, scene, shown, told)
            for other in range(stage.others.random_share.size):
                decide_otherwise(stage, desk, moment, visit, own, at, count, more, other)
            live_through(stage, desk, moment, visit, shown, at, randomised)
    end = moment.start + moment.length
    arrive(stage, moment.day, end)
    close_looks(stage.machine, desk.pen, stage.queue, end - stage.windows.label)
    ripen(stage.machine, desk.pen, stage.clicks, end)
