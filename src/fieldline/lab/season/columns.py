"""What a season's kernels read and write: named arrays, changed in place; few of them, for they travel often."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.lab.world.days import Days, Lived
from fieldline.lab.world.draws import Floats, Ints
from fieldline.lab.world.rooms import Rooms
from fieldline.traffic.prediction.features import ItemColumns, ViewerColumns

Money = NDArray[np.int64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]

POSSIBLE, SERVED, RENDERED, ADS, LOOKS, CLICKS, LONG_VIEWS, LIKES, ORDERS, GMV, REFUNDED, CHARGED = range(12)
"""Columns of a day's totals; GMV, refunds and charges are micro-yuan."""
TOTALS = 12

(
    SPENT,
    STOREWIDE,
    ATTRIBUTED,
    STOREWIDE_BACK,
    ATTRIBUTED_BACK,
    PAID_ORDERS,
    COUNTED,
    IMPRESSIONS,
    TWENTIETH,
) = range(9)
"""Rows of `Accounts.money`: micro-yuan, of which the third pair came back; then counts; then an instant."""
(
    VALUE,
    PAID_LOOKS,
    ORGANIC,
    WHOLE_ORGANIC,
    EXPECTED,
    EXPECTED_GMV,
    SQUARES,
    FORETOLD,
    QUICK,
    SLOW,
    SIGNS,
    SIGN_COUNT,
) = range(12)
"""Rows of `Accounts.yuan`; the looks are looks, the squares yuan²; then predicted value, and all orders' value."""
YUANS = 12
DAY_SPEND, DAY_GMV, DAY_ATTRIBUTED, DAY_BACK, DAY_ORDERS = range(5)
ARM_GMV, ARM_ORDERS, ARM_BUYERS = range(3)
TICK_REQUESTS, TICK_PAID, TICK_SAMPLES, TICK_DROPPED = range(4)
BINS_OF_CHANCE = 128
"""Bins of a predicted logit, −10 … 10, for the area under the curve."""

(
    BELIEVED,
    LOOKED,
    PAID_LOOKED,
    WATCHED,
    WORTH,
    PAID_WORTH,
    EARNING,
    CREDITED_ORDERS,
    SENT_BACK,
    MOVED,
) = range(10)
"""Columns of `Tallies.items`: looks as the engine believes, true ones, of which paid; expected long views; expected
net yuan, of which on paid places; paid clicks that earn credit, credited orders, those that came back; looks that
credit moved to it."""
PER_ITEM = 10
NAMED, LIFTED, CREDIT = range(3)
"""Rows of `Tallies.prices`: the sum of an item's named organic prices, of those above 0, and that of its credit."""

ENTERED, STAYED, MET, MET_ORDERS = range(4)
"""Columns of `Tallies.rooms`: viewers who entered, minutes that they were there, how many were there when an offer
started, and how many orders of it were expected of those."""
PER_ROOM = 4
PUBLIC, PRIVATE, NEW_FAN = range(3)
"""Rows of `Tallies.domains`: to who does not follow the maker, to who did before, to who was won in the season."""
SEEN_LOOKS, SEEN_WATCHED, SEEN_CLICKS, SEEN_WORTH, FANS_WON = range(5)
"""Columns of it: true looks, expected long views, expected clicks, expected net yuan, followers won."""
PER_DOMAIN = 5

CLICKED_AT, VIEWER, ITEM, PRODUCT, SCENE, QUANTITY, BACK, KEY, CREDITED, DAY_ROW, CLICK = range(11)
"""Columns of `Waiting.rows`; BACK is 1 where the order will be sent back, 2 where it is on its way back, 3 where it
has come back."""
ORDER_WORDS = 11
LOOK_AT, LOOK_VIEWER, LOOK_ITEM, LOOK_SCENE, LOOK_OUTCOME, LOOK_WEIGHT = range(6)
"""Columns of `Queue.rows`; the outcome is 1 where clicked, plus 2 where watched long."""
LOOK_WORDS = 6
CLICK_AT, CLICK_VIEWER, CLICK_ITEM, CLICK_SCENE, CLICK_DELAY, CLICK_EXPOSED, CLICK_TOLD = range(7)
"""Columns of `Clicks.rows`, as in `traffic.outcomes.Clicked`."""
CLICK_WORDS = 7


class Machine(NamedTuple):
    """The predictor and what it reads."""

    table: Singles  # [slots, 32]
    bias: Singles  # [2, 3]
    viewers: ViewerColumns
    items: ItemColumns
    last_look: Money  # [V] ms, −1: none
    rows: Singles  # [I, 32] the items' packed rows
    exposure: Floats  # [I] as in `traffic.prediction.sales`
    orders: Floats  # [I]
    offset: Singles  # [I]
    deviation: Singles  # [I]


class Pen(NamedTuple):
    """Room for learning one row."""

    ids: Ints
    labels: Singles  # [3]
    weights: Singles  # [3]
    before: Singles  # [3]


class Memory(NamedTuple):
    """What the engine remembers of slates beside the predictor."""

    seen: Ints  # [V, 512] ring of what was shown lately, −1: none
    seen_end: Ints  # [V]
    randomised: Floats  # [2, S, K] clicks on randomised slates, and predicted ones given looks


class Shelf(NamedTuple):
    """Items, and the partitions that candidates come from: partition p is items[start[p] … start[p + 1] − 1]."""

    group: Ints  # [I]
    category: Ints  # [I]
    product: Ints  # [I] what each sells now, −1: nothing, −2: closed
    words: Floats  # [S, 10 + K + 1]
    by_clicks: Bytes  # [S] 1: ordered by clicks, nothing set aside
    start: Ints  # [P + 1]
    items: Ints


class Terms(NamedTuple):
    """The contracts as requests meet them."""

    first: Ints  # [I + 1]
    contract: Ints  # [nnz]
    gate: Ints  # [nnz]
    open_gates: Bytes  # [1]
    alpha: Floats  # [C]
    bid_cap: Floats  # [C]
    organic_price: Floats  # [C]
    meter: Floats  # [S, C, 5] as served
    holdout: Floats  # [C]
    key: NDArray[np.uint64]  # [C]
    viewer_key: NDArray[np.uint64]  # [V]
    allowed: Money  # [C] what may still be spent, micro-yuan


class Rules(NamedTuple):
    """How orders count."""

    of_merchant: Ints  # [M] the merchant's contract, −1: none
    held: Bytes  # [V, C] whether the viewer counts as held out
    counts_organic: Bytes  # [C]
    net: Bytes  # [C]
    reward: Floats  # [C, 5] the plain meter
    scene_value: Floats  # [S, C]
    kept: Floats  # [P] 1 − the declared share of refunds


class Accounts(NamedTuple):
    """What contracts did."""

    money: Money  # [9, C]
    yuan: Floats  # [12, C]
    supply: Floats  # [4, C, BINS] decayed value and cost, whole value and cost
    by_day: Money  # [D, 5, C]
    value_by_day: Floats  # [D, C]
    arms: Money  # [D, C, 2, 3] treated and held out: GMV, orders, buyers
    squares: Floats  # [D, C, 2] yuan²
    scenes: Money  # [D, C, S, 2] attributed GMV and orders, by scene of the touch
    today: Singles  # [V, C] yuan bought today
    shown: Floats  # [C, 2] expected true net GMV of all that was shown, to treated and held-out viewers, yuan
    touches: Money  # [V, C, 2] newest paid click and view: 8·ms + scene, −1: none


class Tallies(NamedTuple):
    """What all requests together did."""

    total: Money  # [D, 12]
    by_scene: Money  # [S, 4] looks, clicks, long views, likes
    feed_viewers: Money  # [V, 3] looks, clicks, long views in the first scene
    feed_items: Money  # [I, 3]
    chances: Money  # [D, 2, 2, BINS_OF_CHANCE] task (click, order), outcome, bin
    tick: Money  # [4]
    score: Floats  # [1] decayed mean score, named organic prices left out
    items: Floats  # [I, 10] since the season began
    prices: Floats  # [3, I] yuan per look, as of the tick
    match: Floats  # [categories] least predicted click rate at which a paid click earns credit
    rooms: Floats  # [R, 4] where rooms have stays, else none
    domains: Floats  # [S, 3, 5] where following is played


class Queue(NamedTuple):
    """Looks whose label window is open: a ring."""

    rows: Floats  # [N, 6]
    ends: Money  # [2] first, past the last; they only grow


class Clicks(NamedTuple):
    """Clicks whose order window is open: a ring; and how long orders take."""

    rows: Floats  # [N, 7]
    ends: Money  # [8] first that has yet to pass each age, past the last; they only grow
    seen: Floats  # [2, 7] as in `traffic.prediction.delay`
    ages: Money  # [7]
    usual: Floats  # [7]
    share: Floats  # [7] room for the share of orders that have come by each age


class Waiting(NamedTuple):
    """Orders and refunds on their way: a heap by time, and their terms by number."""

    rows: Money  # [N, 11]
    heap: Money  # [2, N] when, number
    sizes: Money  # [2] in the heap, numbers given


class Crowd(NamedTuple):
    """Who may ask for what."""

    who: Floats  # [24, V] running sum of who asks, by hour
    scenes: Floats  # [S] running sum of shares
    favourites: Ints  # [V, 3] categories, the third one with goods
    sold: Ints  # [M] category of each merchant
    city: Ints  # [V]


class Places(NamedTuple):
    """First partitions of (scene, category), of (local, city) and of the promoted, and most candidates."""

    category: int
    categories: int
    city: int
    promoted: int
    limit: int


class Windows(NamedTuple):
    """Milliseconds."""

    label: int
    order: int
    from_click: int
    from_view: int


class Moment(NamedTuple):
    """One tick's requests."""

    key: np.uint64
    requests: int
    start: int
    length: int
    day: int
    """Row of the daily accounts."""
    hour: int
    paid: bool
    random_share: float
    landscape_share: float
    most_ads: float


class Stays(NamedTuple):
    """What the tick told of stays, counted when they begin."""

    left: Floats  # [10] viewers who left in each minute of their stay
    lived: Floats  # [10] minutes that viewers lived through of each
    room_left: Floats  # [R]
    room_lived: Floats  # [R, 10]


class Ahead(NamedTuple):
    """What rooms are about to sell, as the engine was told: k offers."""

    starts: Money  # [k] ms
    rooms: Ints  # [k] items
    products: Ints  # [k] items
    yuan: Floats  # [k] net price
    quick: Floats  # [k] how much quicker the room's viewers leave than others
    hazard: Floats  # [10] of leaving, per minute
    goods: float
    """What a yuan of goods is worth to the viewer."""


class Links(NamedTuple):
    """What the engine makes of who follows whom; empty where it knows nothing of it."""

    follows: Bytes  # [V, C]
    start: Ints  # [C + 1] of each creator's items
    items: Ints
    level: Floats  # [S] price of followed makers' items, in mean scores; 0: none
    counted: Money  # [2, S] places of slates that had a candidate of theirs, and those that they had


class Others(NamedTuple):
    """Other ways to decide, n of them, and what they would have shown at the same requests."""

    prices: Floats  # [n, I] named organic prices, yuan per look
    random_share: Floats  # [n] of requests answered at random
    looks: Floats  # [n, I] as the engine believes
    came: Floats  # [D, n, 2] expected long views and net yuan, by the truth
    slots: Floats  # [K, 6] room for a slate
    untold: Singles  # [0, 17]
    kept: Singles  # [limit + 1] room for the candidates' own prices


class Stage(NamedTuple):
    """Everything."""

    days: Days
    lived: Lived
    machine: Machine
    memory: Memory
    shelf: Shelf
    terms: Terms
    rules: Rules
    accounts: Accounts
    tallies: Tallies
    queue: Queue
    clicks: Clicks
    waiting: Waiting
    crowd: Crowd
    places: Places
    windows: Windows
    rooms: Rooms
    stays: Stays
    ahead: Ahead
    links: Links
    others: Others


class Desk(NamedTuple):
    """Room for one request."""

    candidates: Ints  # [limit + 1]
    stamp: Ints  # [I]
    epoch: Ints  # [1]
    viewer: Singles  # [27]
    room: Floats
    slots: Floats  # [K, 6]
    contenders: Singles  # [K, 17]
    rest: Singles  # [1, 3]
    steps: Singles  # [4096, 4]
    columns: Singles  # [3, 4096]
    contracts: Ints  # [4096]
    given: Singles  # [3, 0]: no model outside plays
    extra: Singles  # [limit + 1] what a look at each candidate is worth beside
    best: Floats  # [I] zeros
    pen: Pen
