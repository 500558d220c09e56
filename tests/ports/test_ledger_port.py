"""Every ledger keeps the promises of `fieldline.ports.Ledger`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldline.errors import FieldlineError, KeyReused, Overdrawn, Refused, UnbalancedEntry
from fieldline.ports import Ledger
from fieldline.stores import open_ledger
from fieldline.stores.ledger import SqlLedger
from fieldline.stores.memory import MemoryLedger
from fieldline.units import Instant, Micros

Books = MemoryLedger | SqlLedger
NOW = Instant(1_700_000_000_000)
MOST = (1 << 63) - 1


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """An empty ledger of each kind."""
    opened = open_ledger("memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'books.sqlite'}")
    yield opened
    opened.close()


def post(ledger: Ledger, key: str, *postings: tuple[str, int]) -> bool:
    """Post an entry of plain integers."""
    return ledger.post(key, NOW, [(account, Micros(amount)) for account, amount in postings], "a note")


def test_postings_add_up(ledger: Books) -> None:
    """Balances are the sums of postings, two legs of one account included."""
    assert post(ledger, "fund", ("owner:m", -70), ("contract:a", 30), ("contract:a", 40))
    assert post(ledger, "spend", ("contract:a", -20), ("platform", 20))
    assert ledger.balances() == {"contract:a": 50, "owner:m": -70, "platform": 20}
    assert ledger.balance(account="platform") == 20
    assert ledger.balance("nobody") == 0
    assert ledger.verify() == ()


def test_balances_are_chosen_by_prefix(ledger: Books) -> None:
    """A prefix chooses by exact characters: no wildcard, no other case."""
    post(ledger, "k", ("a_:x", 1), ("ab:x", 2), ("A_:x", 3), ("z", -6))
    assert ledger.balances("a_:") == {"a_:x": 1}
    assert list(ledger.balances()) == ["A_:x", "a_:x", "ab:x", "z"]


def test_a_key_counts_once(ledger: Books) -> None:
    """The same key with the same postings in any order changes nothing and says so."""
    assert post(ledger, "k", ("a", 5), ("b", -5))
    assert not post(ledger, "k", ("b", -5), ("a", 5))
    assert ledger.balances() == {"a": 5, "b": -5}
    assert ledger.verify() == ()


def test_a_key_is_not_reused(ledger: Books) -> None:
    """The same key with other postings is refused and changes nothing."""
    post(ledger, "k", ("a", 5), ("b", -5))
    with pytest.raises(KeyReused, match="'k'"):
        post(ledger, "k", ("a", 6), ("b", -6))
    assert ledger.balances() == {"a": 5, "b": -5}


@pytest.mark.parametrize(
    ("postings", "error"),
    [
        ([("contract:a", -10), ("platform", 9)], UnbalancedEntry),
        ([("contract:a", 1)], UnbalancedEntry),
        ([], UnbalancedEntry),
        ([("contract:a", -11), ("platform", 11)], Overdrawn),
        ([("contract:a", -6), ("contract:a", -6), ("platform", 12)], Overdrawn),
        ([("contract:never", -1), ("platform", 1)], Overdrawn),
        ([("contract:a", 1), ("platform", MOST), ("owner:m", -MOST), ("other", -1)], Refused),
        ([("contract:a", MOST + 1), ("owner:m", -MOST - 1)], Refused),
        ([("", 1), ("owner:m", -1)], Refused),
    ],
)
def test_a_refused_entry_changes_nothing(
    ledger: Books, postings: list[tuple[str, int]], error: type[FieldlineError]
) -> None:
    """An entry that breaks a rule is refused, every balance stays, and its key remains free."""
    post(ledger, "fund", ("owner:m", -10), ("contract:a", 10))
    post(ledger, "other", ("platform", 2), ("owner:m", -2))
    before = ledger.balances()
    with pytest.raises(error):
        post(ledger, "bad", *postings)
    assert ledger.balances() == before
    assert ledger.verify() == ()
    assert post(ledger, "bad", ("contract:a", -10), ("platform", 10))


def test_an_allowance_may_be_used_up(ledger: Books) -> None:
    """An allowance may reach zero exactly; other accounts may go below."""
    post(ledger, "fund", ("owner:m", -10), ("contract:a", 10))
    post(ledger, "spend", ("contract:a", -10), ("platform", 10))
    assert ledger.balances() == {"contract:a": 0, "owner:m": -10, "platform": 10}


def test_int64_is_used_to_its_end(ledger: Books) -> None:
    """The greatest and the least balance fit exactly."""
    post(ledger, "k", ("a", MOST), ("b", -MOST))
    post(ledger, "l", ("b", -1), ("c", 1))
    assert ledger.balances() == {"a": MOST, "b": -MOST - 1, "c": 1}
    assert ledger.verify() == ()


def test_an_entry_is_found_by_its_key(ledger: Books) -> None:
    """A key gives what its entry changed each account by, two legs of one account added; an unknown key gives None."""
    post(ledger, "fund", ("owner:m", -70), ("contract:a", 30), ("contract:a", 40))
    post(ledger, "spend", ("contract:a", -20), ("platform", 20))
    assert ledger.posted("fund") == {"contract:a": 70, "owner:m": -70}
    assert ledger.posted("nothing") is None
