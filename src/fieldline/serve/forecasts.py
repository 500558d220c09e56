"""Forecasts of contracts that nobody has made yet."""

import msgspec

from fieldline import engine
from fieldline.errors import Conflict, OutOfReach, Refused
from fieldline.facts import API_VERSION, Id, Wish, Word
from fieldline.offers import contracts_of
from fieldline.traffic.prospect import Outlook, outlook
from fieldline.traffic.state import State


class ForecastNew(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract that is only asked about."""

    offer: Word
    owner: Id
    terms: msgspec.Raw


class Forecast(msgspec.Struct, frozen=True):
    """What a contract would be expected to get; `out_of_reach` says why its goal cannot be met, where it cannot."""

    outlook: Outlook
    out_of_reach: str | None
    version: int = API_VERSION


def forecast(state: State, offer: str, owner: str, terms: bytes) -> Forecast:
    """Return what a contract with these terms is expected to get; nothing is stored.

    Args:
        state: only read.
        offer: its name.
        owner: who would pay.
        terms: JSON.

    Raises:
        Unknown: the offer, or something that the terms name, is not there.
        Refused: a field that cannot be so, or an offer that is granted rather than bought.
        Conflict: too little was seen of such contracts to say anything.
    """
    id = "forecast"
    while id in state.book.versions:
        id += "'"
    wish = Wish(id, state.now, 1, offer, owner, terms.decode())
    out_of_reach = None
    try:
        engine.check(state, wish)
    except OutOfReach as refusal:
        out_of_reach = refusal.reason
    contract = contracts_of(wish)[0]
    if not contract.bids:
        raise Refused("offer", f"{offer!r} is granted, not bought: there is nothing to forecast")
    expected = outlook(state, contract)
    if expected is None:
        raise Conflict("terms", "too little was seen of contracts of this kind to forecast one")
    return Forecast(expected, out_of_reach)
