"""Trust in the market: facts into merchants' evidence, and their index into the rows of what they sell."""

from collections import Counter, defaultdict

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import (
    Appeal,
    Contested,
    Delivery,
    Dialogue,
    LiveRoom,
    Merchant,
    Order,
    Product,
    Refund,
    Reply,
    Review,
    Ruling,
    Service,
    Video,
)
from fieldline.people import whom
from fieldline.traffic.rows import TRUST
from fieldline.traffic.shelf import creator_of, merchant_of, trust_factor
from fieldline.traffic.state import State
from fieldline.trust import appeals, buyers, evidence, index, marks, voices
from fieldline.trust.judge import judge
from fieldline.trust.peers import Floats, Ints

Item = Video | LiveRoom | Product


def note_order(state: State, event: Order, viewer: int, merchant: str) -> None:
    """Count an order towards what is known of its merchant."""
    known = state.trust.evidence
    shop = evidence.shop_of(known, merchant)
    evidence.note_order(known, event.id, viewer, shop, event.at, event.amount)
    voices.note_order(state.trust.voices, event.id, merchant, viewer, event.product)


def note_refund(state: State, event: Refund) -> None:
    """Count a refund likewise."""
    evidence.note_refund(state.trust.evidence, event.id, event.order, event.amount)
    voices.note_refund(state.trust.voices, event.id, event.order)


def note_look(state: State, viewer: int, item: int, at: int, long: bool, liked: bool, hated: bool) -> None:
    """Count a look at an item of a merchant, as far as its viewer counts."""
    if whom(state.people, viewer) < 0 or viewer >= len(state.trust.lookers):
        return
    weight, merchant = state.trust.lookers.item(viewer), merchant_of(state.shelf.facts[item], state.goods)
    if weight > 0.0 and merchant:
        known = state.trust.evidence
        evidence.note_look(known, evidence.shop_of(known, merchant), at, weight, long, liked, hated)


def take(state: State, event: Service) -> None:
    """Fold what the platform tells of an order or a dialogue."""
    known = state.trust.evidence
    match event:
        case Delivery():
            evidence.note_delivery(known, event.id, event.order, event.at, event.promised)
        case Review():
            evidence.note_review(known, event.id, event.order, event.at, event.stars, event.tone)
            voices.note_review(
                state.trust.voices, event.id, event.order, event.at, event.stars, event.text, event.tone
            )
        case Dialogue():
            viewer, shop = state.people.names.find(event.viewer), evidence.shop_of(known, event.merchant)
            evidence.note_dialogue(known, event.id, viewer, shop, event.at, event.waited_ms, event.solved)
        case Reply():
            voices.note_reply(state.trust.voices, event.id, event.review, event.at, event.text)


def contest(state: State, fact: Contested) -> Item | None:
    """Fold an appeal or a ruling: upheld, what was contested counts no longer; a later ruling may say otherwise.

    Returns:
        The item that is approved, or refused, again by it.
    """
    if isinstance(fact, Appeal):
        appeals.open_case(state.trust.appeals, fact)
        return None
    item = reviewed(state, fact)
    case = appeals.rule(state.trust.appeals, fact)
    if case is not None and case.kind != "item":
        evidence.contest(state.trust.evidence, case.about, fact.upheld)
        voices.contest(state.trust.voices, case.about, fact.upheld)
    return item


def reviewed(state: State, fact: Ruling) -> Item | None:
    """Return the item that a ruling approves, or refuses, again, as it will stand; None where it changes none."""
    case = state.trust.appeals.cases.get(fact.appeal)
    item = state.shelf.names.find(case.about) if case and case.kind == "item" else -1
    if case is None or item < 0 or not (fact.upheld or case.status == "upheld"):
        return None
    return structs.replace(state.shelf.facts[item], approved=fact.upheld)


def is_review(state: State, id: str) -> bool:
    """Return whether a review of an order of the last 60 days is called so."""
    known = state.trust.evidence
    deal = known.deals.get(known.order_of.get(id, ""))
    return deal is not None and id not in deal.refunds and id != deal.delivery


def check(state: State, fact: Contested) -> None:
    """Refuse an appeal or a ruling that cannot be.

    Raises:
        Unknown: it is about what nothing has, or what is too old to be contested.
        Refused: it concerns another, or an item that was not refused.
        Conflict: an appeal about it is open or was upheld.
    """
    if isinstance(fact, Ruling):
        if fact.appeal not in state.trust.appeals.cases:
            raise Unknown("appeal", f"no appeal is called {fact.appeal!r}")
        return
    if fact.id in state.trust.appeals.cases:
        raise Conflict("id", f"an appeal called {fact.id!r} is there")
    if appeals.standing(state.trust.appeals, fact.about) in ("open", "upheld"):
        raise Conflict("about", "is under an appeal that is open or was upheld")
    if fact.by not in _concerned(state, fact):
        raise Refused("by", "is not whom it concerns")


def turn(state: State, at: int) -> None:
    """Judge every buyer and every merchant anew: what faded, who counts, and what each is measured by.

    Args:
        state: changed in place.
        at: ms, the first tick of a day.
    """
    trust, known = state.trust, state.trust.evidence
    evidence.forget(known, at)
    appeals.forget(trust.appeals, at)
    shops, rows = len(known.shops), _rows(state)
    trust.index.trades = _trades(state)
    numbers = {trade: number for number, trade in enumerate(sorted({*trust.index.trades} - {""}))}
    trade = np.array([numbers.get(trade, -1) for trade in trust.index.trades], np.int32)
    found = judge(known, rows, trade, at)
    known.weight[:] = 0.0
    known.weight[rows] = found.lasting
    trust.lookers = grown(buyers.lookers(known.buyer[rows], found.anyone, len(state.people.names)), 16)
    trust.marks = _marks(known, rows, found.lasting)
    trust.index.peers = found.peers
    trust.index.sums, trust.index.counts = found.sums, found.counts
    trust.index.z, trust.index.known = found.z, found.known
    trust.index.trust, trust.index.spread = np.zeros(shops), np.zeros(shops)
    known.touched.clear()
    _apply(state, np.arange(shops, dtype=np.int32))


def follow(state: State, at: int) -> None:
    """Bring the index of merchants with new evidence, and what they sell, up to date.

    Args:
        state: changed in place.
        at: ms.
    """
    known, judged = state.trust.evidence, len(state.trust.index.trades)
    shops = np.array(sorted(shop for shop in known.touched if shop < judged), np.int32)
    known.touched.clear()
    if len(shops):
        index.refresh(state.trust.index, known, shops, at)
        _apply(state, shops)


def note_declared(state: State, merchant: Merchant) -> None:
    """Have a merchant's index made anew at the next tick, what is declared of it having changed."""
    shop = state.trust.evidence.shops.find(merchant.id)
    if shop >= 0:
        state.trust.evidence.touched[shop] = None


def forget_viewer(state: State, viewer: int) -> None:
    """Take all that a viewer told of merchants out."""
    evidence.forget_viewer(state.trust.evidence, viewer)
    voices.forget_viewer(state.trust.voices, viewer)
    if viewer < len(state.trust.lookers):
        state.trust.lookers[viewer] = 0.0
    of = state.trust.marks
    of.pairs = {pair: None for pair in of.pairs if pair[0] != viewer}


def unheard(state: State, viewer: int, merchant: str, *, orders: bool) -> bool:
    """Return whether what a buyer does at a merchant earns it nothing, as nobody stands for the buyer.

    Args:
        state: only read.
        viewer: number of who clicks or orders, ≥ 0.
        merchant: where.
        orders: an order; until the next midnight only the first one of a buyer who was not judged yet counts.
    """
    of, lookers, bought = state.trust.marks, state.trust.lookers, state.people.bought[viewer]
    heard = viewer < len(lookers) and lookers.item(viewer) > 0.0
    if not orders or heard or not of.telling:
        return marked(state, viewer, merchant)
    full = state.trust.evidence.shops.find(merchant) in of.full
    return merchant in bought or (full and not bought) or marked(state, viewer, merchant)


def marked(state: State, viewer: int, merchant: str) -> bool:
    """Return whether the last midnight marked a buyer of a merchant as one for whom nobody stands."""
    return (viewer, state.trust.evidence.shops.find(merchant)) in state.trust.marks.pairs


def weights_of(state: State) -> Floats:
    """Return the weights of the dimensions [4]."""
    return np.array(structs.astuple(state.policy.trust_weights))


def apply_all(state: State) -> None:
    """Make every index anew from what is known, as where its weights or what was declared changed."""
    _apply(state, np.arange(len(state.trust.index.trades), dtype=np.int32))


def _apply(state: State, shops: Ints) -> None:
    of, names, goods = state.trust.index, state.trust.evidence.shops.ids, state.goods
    declared = np.array([_declared(state, names[shop]) for shop in shops.tolist()])
    trust, spread = index.scored(of.z[shops], of.known[shops], declared, weights_of(state))
    of.trust[shops], of.spread[shops] = trust, spread
    for shop, score, told in zip(
        shops.tolist(), trust.tolist(), np.any(of.known[shops], axis=1).tolist(), strict=True
    ):
        name = names[shop]
        if told:
            goods.trusted[name] = score
        else:
            goods.trusted.pop(name, None)
        factor = trust_factor(state.policy, score)
        for item in state.shelf.of_merchant.get(name, ()):
            state.shelf.rows[item, TRUST] = factor


def _marks(known: evidence.Evidence, rows: NDArray[np.int64], say: Floats) -> marks.Marks:
    buyer, shop = known.buyer[rows], known.shop[rows]
    found = marks.find(buyer, shop, known.orders[rows], known.first[rows], say, len(known.shops))
    pairs = zip(buyer[found.pairs].tolist(), shop[found.pairs].tolist(), strict=True)
    full: list[int] = np.flatnonzero(found.full).tolist()
    return marks.Marks(found.telling, dict.fromkeys(pairs), dict.fromkeys(full))


def _declared(state: State, merchant: str) -> float:
    fact = state.goods.merchants.get(merchant)
    return fact.trust if fact else 0.5


def _rows(state: State) -> NDArray[np.int64]:
    """Return the rows of those who bought and may be heard: not the forgotten, not a merchant's own accounts."""
    known, names = state.trust.evidence, state.people.names
    own = np.zeros(len(names) + 1, bool)
    for merchant in state.goods.merchants.values():
        for account in (merchant.id, *merchant.accounts):
            own[names.find(account)] = True
    own[-1] = True  # nobody
    buyer = known.buyer[: known.rows]
    return np.flatnonzero((known.orders[: known.rows] > 0.0) & ~own[buyer])


def _trades(state: State) -> list[str]:
    """Return the category in which each merchant sells most products, empty where it sells none."""
    sold: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for product in state.goods.products.values():
        sold[product.merchant][product.category] += 1
    return [
        min(sold[name], key=lambda category: (-sold[name][category], category)) if name in sold else ""
        for name in state.trust.evidence.shops.ids
    ]


def _concerned(state: State, fact: Appeal) -> tuple[str | None, ...]:
    """Return who may contest something.

    Raises:
        Unknown: nothing that can be contested is called so.
        Refused: an item that was not refused.
    """
    known = state.trust.evidence
    if fact.kind == "item":
        item = state.shelf.names.find(fact.about)
        if item < 0:
            raise Unknown("about", f"no item is called {fact.about!r}")
        entry = state.shelf.facts[item]
        if entry.approved:
            raise Refused("about", "is an item that was not refused")
        return merchant_of(entry, state.goods), creator_of(entry)
    asked = known.asked.get(fact.about)
    deal = known.deals.get(known.order_of.get(fact.about, ""))
    if fact.kind == "dialogue" and asked is not None:
        return (known.shops.ids[asked.shop],)
    told = {"review": deal and deal.review, "delivery": deal and deal.delivery}.get(fact.kind)
    if deal is not None and (told == fact.about or (fact.kind == "refund" and fact.about in deal.refunds)):
        return (known.shops.ids[deal.shop],)
    raise Unknown("about", f"no {fact.kind} that counts is called {fact.about!r}")
