"""Wishes into contracts: what is refused, and what a new, edited, paused or ended wish changes in the state."""

from fieldline.contracts import Contract, book
from fieldline.contracts.grants import MILLION
from fieldline.errors import Conflict, OutOfReach, Refused, Unknown
from fieldline.facts import Leased, LiveRoom, Product, Wish, WishEnded, WishPaused
from fieldline.goods import sellable
from fieldline.offers import contracts_of, names_of, pool, terms_of
from fieldline.offers.campaign import Campaign, editable
from fieldline.offers.naming import Named
from fieldline.traffic import accounts, pace, prospect, worth
from fieldline.traffic.shelf import product_of
from fieldline.traffic.state import State, remeter
from fieldline.units import YUAN

WORTHWHILE = 0.01
"""Share of the budget that a goal must let be spent, as forecast, to count as one that can be met."""


def put(state: State, wish: Wish) -> None:
    """Fold a new or edited wish: its contracts keep what they learned."""
    contracts = contracts_of(wish)
    book.put(state.book, wish.id, wish.version, contracts)
    state.terms[wish.id] = wish
    worth.widen(state.worth, len(state.book))
    accounts.value_fans(state)
    for number in state.book.wishes[wish.id]:
        contract = state.book.contracts[number]
        pace.init(state.prices, number, contract, rests=state.policy.in_hand != "observed")
        prospect.begin(state, number)
    remeter(state)
    book.enforce(state.book, wish.at)
    state.linked = False


def pause(state: State, fact: WishPaused) -> None:
    """Fold that a wish was paused or resumed."""
    if fact.paused:
        state.book.paused[fact.id] = fact.at
    else:
        state.book.paused.pop(fact.id, None)
    book.enforce(state.book, fact.at)
    state.linked = False


def end(state: State, fact: WishEnded) -> None:
    """Fold that a wish was ended before its time; a second end changes nothing."""
    state.book.ended.setdefault(fact.id, fact.at)
    book.enforce(state.book, fact.at)
    state.linked = False


def lease(state: State, fact: Leased) -> None:
    """Fold that this engine may spend so much more of a contract's budget, and no more than it leased."""
    number = state.book.names.find(fact.contract)
    if number >= 0:
        book.lease(state.book, number, fact.amount, fact.elsewhere, fact.engines)
        state.desk.index = None


def check(state: State, wish: Wish) -> None:
    """Refuse a wish that cannot be.

    Raises:
        Unknown: it names what is not there.
        Refused: a field that cannot be so; an item that is out of stock or under review.
        Conflict: an older version, a wish that was ended, an edit that would make it another campaign, a budget
            below what is already spent or reserved, or a horizon in the past.
        OutOfReach: a goal that the forecast says cannot be met, and that nobody confirmed.
    """
    known = state.book.versions.get(wish.id, 0)
    if wish.version != known + 1:
        raise Conflict("version", f"is {wish.version}, but the next version is {known + 1}")
    if wish.id in state.book.ended:
        raise Conflict("id", "was ended and cannot start again")
    terms, contracts = terms_of(wish), contracts_of(wish)
    for contract in contracts:
        _check_contract(state, contract)
    before = state.terms.get(wish.id)
    known_names = set[str]()
    if before is not None:
        if before.offer != wish.offer:
            raise Conflict("offer", f"cannot change; it is {before.offer!r}")
        old = terms_of(before)
        if isinstance(old, Campaign) and isinstance(terms, Campaign):
            editable(old, terms, state.now)
        if isinstance(old, pool.Terms) and isinstance(terms, pool.Terms):
            pool.editable(old, terms)
        known_names = {named.id for named in names_of(before)}
    merchant = terms.merchant if isinstance(terms, Campaign) else None
    for named in names_of(wish):
        _check_named(state, named, merchant, new=named.id not in known_names)
    if isinstance(terms, Campaign) and not terms.confirmed and _is_dearer(state, contracts[0]):
        _check_goal(state, contracts[0])


def _check_named(state: State, named: Named, merchant: str | None, new: bool) -> None:
    match named.kind:
        case "merchant":
            there = named.id in state.goods.merchants
        case "creator":
            there = named.id in state.content.creators
        case "scene":
            there = named.id in state.scenes.numbers
        case "item":
            there = named.id in state.shelf.names
    if not there:
        raise Unknown(named.field, f"no {named.kind} is called {named.id!r}")
    if named.kind == "item" and new:
        _check_item(state, named)
        item = state.shelf.names.find(named.id)
        owner = state.shelf.links[item][1]
        if merchant is not None and owner is not None and owner != merchant:
            raise Refused(named.field, f"{named.id!r} is sold by {owner!r}")


def _check_item(state: State, named: Named) -> None:
    fact = state.shelf.facts[state.shelf.names.find(named.id)]
    if not fact.approved:
        raise Refused(named.field, f"{named.id!r} is under review")
    if isinstance(fact, LiveRoom) and fact.ended_at:
        raise Refused(named.field, f"{named.id!r} has ended")
    product = fact.id if isinstance(fact, Product) else product_of(fact)
    if not sellable(state.goods, product):
        gone = (
            product is not None and product in state.goods.products and state.goods.products[product].approved
        )
        reason = "is out of stock" if gone else "is under review"
        raise Refused(named.field, f"{named.id!r}: product {product!r} {reason}")


def _check_contract(state: State, contract: Contract) -> None:
    number = state.book.names.find(contract.id)
    if number >= 0:
        taken = int(state.book.spent[number] + state.book.reserved[number])
        if contract.bids and contract.limit.budget < taken:
            raise Conflict("terms.budget", f"is below the {taken} micro-yuan already spent or reserved")
        ledger = state.organic.pools.get(number)
        if contract.grant and ledger and contract.grant.looks * MILLION < ledger.spent + ledger.expired:
            used = (ledger.spent + ledger.expired) / MILLION
            raise Conflict("terms.looks", f"is below the {used:g} looks already spent or expired")
    if contract.horizon.end <= state.now:
        raise Conflict("terms.end", "is past")


def _is_dearer(state: State, contract: Contract) -> bool:
    """Return whether a contract is new, or its goal is harder to meet than the one in force."""
    number = state.book.names.find(contract.id)
    if number < 0:
        return True
    before = state.book.contracts[number]
    return _strictness(contract) > _strictness(before)


def _strictness(contract: Contract) -> float:
    """Return what a yuan of spend must bring, in results."""
    meter = contract.meter
    each = meter.order or meter.follow or meter.lead or meter.visit
    return contract.limit.goal / each if each else contract.limit.goal


def _check_goal(state: State, contract: Contract) -> None:
    """Refuse a goal that would let next to nothing be spent, where enough was learned to say so."""
    if not contract.limit.goal or contract.meter.incremental:
        return
    forecast = prospect.outlook(state, contract)
    if forecast is None or forecast.spend >= WORTHWHILE * contract.limit.budget / YUAN:
        return
    by_roi = contract.meter.gmv or contract.meter.fan_days
    field = "terms.goal" if by_roi else "terms.cost"
    raise OutOfReach(
        field,
        f"is out of reach: the forecast spends {forecast.spend:.2f} of {contract.limit.budget / YUAN:.2f} yuan "
        f"at it (a goal of {forecast.reachable:.2f} would spend a tenth of the budget); "
        "set terms.confirmed to run it all the same",
    )
