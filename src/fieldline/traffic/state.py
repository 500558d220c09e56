"""The engine's state: the fold of the log's facts, and beside it what is derived from it to decide quickly."""

from dataclasses import dataclass, field, is_dataclass
from hashlib import blake2b
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fieldline.columns import Names
from fieldline.content import Content
from fieldline.contracts import Contract
from fieldline.contracts.assurance import Credit
from fieldline.contracts.book import Book, allowance
from fieldline.contracts.tally import Tally
from fieldline.draws import campaign_key
from fieldline.errors import StaleSnapshot
from fieldline.facts import Policy, Wish
from fieldline.goods import Goods
from fieldline.people import People
from fieldline.scenes import Scenes
from fieldline.traffic import allocate
from fieldline.traffic.bands import Bands
from fieldline.traffic.domains.funnel import Funnel
from fieldline.traffic.domains.mix import Mixes
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.frequency import Given
from fieldline.traffic.gates import OPEN, gates_of
from fieldline.traffic.organic.prices import NEWCOMER, POOL, Organic
from fieldline.traffic.outcomes import Outcomes
from fieldline.traffic.pace import REST, Prices
from fieldline.traffic.prediction.after import After, redemptions
from fieldline.traffic.prediction.comparison import Outside
from fieldline.traffic.prediction.delay import Delays
from fieldline.traffic.prediction.model import Model
from fieldline.traffic.prediction.responses import Responses
from fieldline.traffic.prediction.sales import Sales
from fieldline.traffic.retrieve import Partition, Partitions, Pools, Scratch, gathered
from fieldline.traffic.rows import CLICK, LONG_VIEW, SCENES, aligned
from fieldline.traffic.search import catalogue
from fieldline.traffic.search.correct import Sounds
from fieldline.traffic.search.index import Index as Texts
from fieldline.traffic.search.terms import Searches
from fieldline.traffic.shelf import Shelf, link_contracts, price_items
from fieldline.traffic.staging import Staging
from fieldline.traffic.worth import CHANNELS, Worth, meters
from fieldline.trust import Trust
from fieldline.units import YUAN


class Derived:
    """What a decision reads that is derived from the state; made anew when its index is None."""

    __slots__ = (
        "gates",
        "guaranteed",
        "index",
        "keys",
        "most_ads",
        "prices",
        "promoted",
        "rules",
        "scratch",
        "sounds",
        "texts",
        "work",
    )

    def __init__(self) -> None:
        self.scratch = Scratch()
        self.work = allocate.Desk(2_000)
        self.index: allocate.Index | None = None
        self.prices: allocate.Prices | None = None
        self.gates = gates_of([OPEN])
        self.keys: dict[str, int] = {}
        """Holdout keys of campaigns, by wish."""
        self.rules: dict[tuple[int, int, bool], allocate.Rules] = {}
        self.promoted: dict[int, Partition] = {}
        self.guaranteed: dict[int, Partition] = {}
        self.most_ads = 1
        self.texts = Texts()
        """What can be searched; follows the catalogue."""
        self.sounds = Sounds()


@dataclass(slots=True)
class State:
    """Everything that the facts so far have made true. It belongs to its reducer, which changes it in place."""

    policy: Policy
    now: int = 0
    """Instant of the newest fact."""
    ticked: int = 0
    """Instant of the newest tick."""
    people: People = field(default_factory=People)
    goods: Goods = field(default_factory=Goods)
    content: Content = field(default_factory=Content)
    scenes: Scenes = field(default_factory=Scenes)
    book: Book = field(default_factory=Book)
    shelf: Shelf = field(default_factory=Shelf)
    partitions: Partitions = field(default_factory=Partitions)
    traffic: Traffic = field(default_factory=Traffic)
    bands: Bands = field(default_factory=Bands)
    """How far midnight forecasts were off."""
    prices: Prices = field(default_factory=Prices)
    worth: Worth = field(default_factory=Worth)
    meters: NDArray[np.float64] = field(default_factory=lambda: np.zeros((1, 1, CHANNELS)))
    """What each contract pays for in each scene [scenes, C, 5], as of the newest tick or wish."""
    tallies: dict[int, dict[int, Tally]] = field(default_factory=dict)
    """What each contract did, by its number and by day (UTC+8)."""
    credited: dict[tuple[int, int], Credit] = field(default_factory=dict)
    """What was settled for assured days, by contract number and day."""
    model: Model = field(default_factory=Model)
    responses: Responses = field(default_factory=Responses)
    outside: Outside = field(default_factory=Outside)
    """How the models outside did."""
    sales: Sales = field(default_factory=Sales)
    delays: Delays = field(default_factory=Delays)
    after: After = field(default_factory=After)
    outcomes: Outcomes = field(default_factory=Outcomes)
    staging: Staging = field(default_factory=Staging)
    """What live rooms are about to sell."""
    searches: Searches = field(default_factory=Searches)
    """What was searched, and what came of it."""
    given: Given = field(default_factory=Given)
    """What viewers were given today, where a cap counts it."""
    funnel: Funnel = field(default_factory=Funnel)
    """What each domain brought."""
    mixes: Mixes = field(default_factory=Mixes)
    """Prices that keep domains' shares of places."""
    trust: Trust = field(default_factory=Trust)
    """How far merchants can be trusted."""
    organic: Organic = field(default_factory=Organic)
    """Organic prices with a name, and what they are made from."""
    terms: dict[str, Wish] = field(default_factory=dict)
    """Each wish as it was last asked for."""
    decisions: int = 0
    typed: int = 0
    """Newest change of the records that the log has."""
    linked: bool = True
    """Whether items' contracts and organic prices are up to date."""
    desk: Derived = field(default_factory=Derived)


def relink(state: State) -> None:
    """Bring items' contracts and organic prices up to date, which every fact but the catalogue's relies on."""
    if not state.linked:
        link_contracts(state.shelf, state.book)
        price_items(state.shelf, state.prices.mu)
        state.linked = True
        state.desk.index = None


def remeter(state: State) -> None:
    """Bring what contracts pay for up to date with what was learned."""
    scenes = max(len(state.scenes.curves), 1)
    state.meters = meters(state.worth, state.book, scenes, state.now, _redeemed(state))
    state.desk.index = None


def _redeemed(state: State) -> NDArray[np.float64] | None:
    """Share of each contract's owner's orders whose vouchers are used; None where nobody pays for visits."""
    contracts, shelf = state.book.contracts, state.shelf
    if not any(contract.meter.visit for contract in contracts):
        return None
    share = redemptions(state.after, shelf.group[: len(shelf.facts)])
    groups = [shelf.groups.find(f"m:{contract.merchant}") for contract in contracts]
    return np.array([share[group] if 0 <= group < len(share) else 0.0 for group in groups])


def tidy(state: State) -> None:
    """Bring items' contracts and organic prices, and all that is derived for decisions, up to date."""
    relink(state)
    if state.desk.index is None:
        _derive(state)


def hold_bids(state: State, contract: int) -> None:
    """Bring the largest bid that a contract's allowance admits up to date: allowance / most ads of a slate."""
    prices = state.desk.prices
    if prices is not None:
        rests = state.prices.alpha.item(contract) <= REST
        cap = 0.0 if rests else allowance(state.book, contract) / (YUAN * state.desk.most_ads)
        prices.bid_cap[contract] = cap


def _derive(state: State) -> None:
    book, shelf, desk = state.book, state.shelf, state.desk
    count = max(len(book), 1)
    desk.index = allocate.Index(
        shelf.rows, shelf.group, shelf.category, shelf.contract_start, shelf.contract, shelf.gate
    )
    bids = np.where(book.in_force[:count], state.prices.alpha[:count], 0.0)
    desk.gates = gates_of(shelf.gates)
    desk.rules.clear()
    looks = [len(curve.looks) for curve in state.scenes.curves]
    desk.most_ads = max(1, int(state.policy.ad_load * max(looks, default=1)))
    desk.prices = allocate.Prices(
        alpha=bids,
        bid_cap=np.zeros(count),
        organic=state.prices.mu[:count].copy(),
        meter=state.meters,
        holdout=np.array([c.holdout for c in book.contracts] or [0.0]),
        contract_key=np.array([_holdout_key(desk, c) for c in book.contracts] or [0], np.uint64),
    )
    for contract in range(len(book)):
        hold_bids(state, contract)
    _promote(state)


def _holdout_key(desk: Derived, contract: Contract) -> int:
    if contract.holdout == 0.0:
        return 0
    key = desk.keys.get(contract.wish)
    if key is None:
        key = desk.keys[contract.wish] = campaign_key(contract.wish)
    return key


def _promote(state: State) -> None:
    """Gather the items with contracts in force into one partition a scene, and those owed looks into another."""
    shelf, desk = state.shelf, state.desk
    count = len(shelf.facts)
    held = np.flatnonzero(np.diff(shelf.contract_start[: count + 1])).astype(np.int32)
    desk.promoted = _by_scene(state, held)
    entries = np.repeat(np.arange(len(shelf.creator), dtype=np.int32), np.diff(shelf.contract_start))
    owed = np.flatnonzero((state.organic.parts[:count, [NEWCOMER, POOL]] > 0.0).any(axis=1)).astype(np.int32)
    desk.guaranteed = _by_scene(state, np.union1d(entries[_behind(state)[shelf.contract]], owed))


def _behind(state: State) -> NDArray[np.bool_]:
    """Return which contracts [C] are exposure floors that have no look yet or are behind their plan."""
    book = state.book
    floors = np.array([contract.limit.looks > 0.0 for contract in book.contracts], bool)
    late = (state.prices.integral[: len(book)] > 0.0) | (book.looks[: len(book)] == 0.0)
    behind: NDArray[np.bool_] = floors & late
    return behind


def _by_scene(state: State, items: NDArray[np.int32]) -> dict[int, Partition]:
    rows = state.shelf.rows
    scenes = rows[items, SCENES].view(np.int32)
    found = {
        number: (items[(scenes >> number) & 1 == 1], CLICK if curve.shelf else LONG_VIEW)
        for number, curve in enumerate(state.scenes.curves)
    }
    return {
        number: gathered(of_scene, rows, task) for number, (of_scene, task) in found.items() if len(of_scene)
    }


def rules_of(state: State, scene: int, slots: int, mixed: bool) -> allocate.Rules:
    """Return the rules of slates of so many slots in a scene, with the looks now estimated.

    Args:
        state: with the policy.
        scene: its number.
        slots: how many.
        mixed: whether categories are to be mixed; a request that names one is not capped by it.
    """
    rules = state.desk.rules.get((scene, slots, mixed))
    if rules is None:
        policy = state.policy if mixed else structs.replace(state.policy, category_cap=slots)
        rules = allocate.rules_of(policy, state.scenes.curves[scene].looks[:slots])
        state.desk.rules[(scene, slots, mixed)] = rules
    return rules


def encode(state: State) -> bytes:
    """Return the whole state as bytes; equal states give equal bytes."""
    tidy(state)
    return msgspec.msgpack.Encoder(enc_hook=_plain).encode((SHAPE, state))


def decode(data: bytes) -> State:
    """Return the state of a snapshot.

    Raises:
        StaleSnapshot: it was written by a program whose state had another shape.
    """
    if msgspec.msgpack.decode(data, type=tuple[str, msgspec.Raw])[0] != SHAPE:
        raise StaleSnapshot
    state = msgspec.msgpack.Decoder(tuple[str, State], dec_hook=_rich).decode(data)[1]
    state.shelf.rows = aligned(state.shelf.rows)
    catalogue.enter_all(state.desk.texts, state.shelf, state.goods, state.content)
    return state


def _shape(kind: Any, known: dict[str, str]) -> dict[str, str]:
    """Return the fields of a dataclass or struct and of all that it holds, as text by name."""
    holds = isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, msgspec.Struct))
    name = f"{kind.__module__}.{kind.__qualname__}" if holds else ""
    if holds and name not in known:
        hints = get_type_hints(kind)
        known[name] = ", ".join(f"{name}: {hint}" for name, hint in hints.items())
        for hint in hints.values():
            _shape(hint, known)
    for part in get_args(kind):
        _shape(part, known)
    return known


SHAPE = blake2b(repr(sorted(_shape(State, {}).items())).encode(), digest_size=8).hexdigest()
"""What snapshots are marked with: they are read by programs whose state has the same shape."""


def _plain(value: Any) -> Any:
    match value:
        case np.ndarray():
            return (value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes())
        case Names():
            return value.ids
        case np.generic():
            return value.item()
        case Derived() | Pools():
            return None
    raise TypeError(f"no way to encode {type(value).__name__}")


def _rich(kind: Any, value: Any) -> Any:
    if kind is Names:
        return Names(value)
    if kind is Derived or kind is Pools:
        return kind()
    dtype, shape, data = value
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.copy()
