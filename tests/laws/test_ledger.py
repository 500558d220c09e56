"""Laws of the ledger: money is neither made nor lost, an allowance is never passed, a key counts once."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fieldline.errors import FieldlineError
from fieldline.stores import open_ledger
from fieldline.stores.ledger import SqlLedger
from fieldline.stores.memory import MemoryLedger
from fieldline.units import Instant, Micros

ACCOUNTS = ("contract:a", "contract:b", "owner:m", "platform")
amounts = st.one_of(st.integers(-50, 50), st.integers(-(1 << 65), 1 << 65))
legs = st.lists(st.tuples(st.sampled_from(ACCOUNTS), amounts), max_size=5)


class Books(RuleBasedStateMachine):
    """Random entries, balanced or not, posted to both ledgers."""

    @initialize()
    def begin(self) -> None:
        """Open both ledgers and give each allowance something."""
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryLedger()
        url = f"sqlite:///{Path(self.folder.name) / 'books.sqlite'}"
        sql = open_ledger(url)
        assert isinstance(sql, SqlLedger)
        self.sql = sql
        self.posted: dict[str, list[tuple[str, Micros]]] = {}
        self.send("fund", [("contract:a", 100), ("contract:b", 100), ("owner:m", -200)])

    def send(self, key: str, postings: list[tuple[str, int]]) -> None:
        """Post to both ledgers, which must answer alike; a refusal or repetition changes no balance."""
        entry = [(account, Micros(amount)) for account, amount in postings]
        before = self.memory.balances()
        answers = []
        for ledger in (self.memory, self.sql):
            try:
                answers.append(str(ledger.post(key, Instant(1), entry)))
            except FieldlineError as error:
                answers.append(f"{type(error).__name__}: {error}")
        assert answers[0] == answers[1]
        if answers[0] == "True":
            assert key not in self.posted
            self.posted[key] = entry
        else:
            assert self.memory.balances() == before

    @rule(key=st.integers(0, 30), postings=legs)
    def post_anything(self, key: int, postings: list[tuple[str, int]]) -> None:
        """Post legs as they come: most do not balance."""
        self.send(f"k{key}", postings)

    @rule(key=st.integers(0, 30), postings=legs, other=st.sampled_from(ACCOUNTS))
    def post_balanced(self, key: int, postings: list[tuple[str, int]], other: str) -> None:
        """Post legs with one that balances them."""
        self.send(f"k{key}", [*postings, (other, -sum(amount for _, amount in postings))])

    @rule(data=st.data())
    def post_again(self, data: st.DataObject) -> None:
        """Post an entry again, its legs in another order: nothing changes."""
        key = data.draw(st.sampled_from(sorted(self.posted)))
        entry = data.draw(st.permutations(self.posted[key]))
        before = self.sql.balances()
        assert self.sql.post(key, Instant(2), entry) is False
        assert self.memory.post(key, Instant(2), entry) is False
        assert self.sql.balances() == before

    @invariant()
    def money_is_kept(self) -> None:
        """All balances sum to zero, no allowance is below it, and each is the sum of what was posted."""
        balances = self.sql.balances()
        assert balances == self.memory.balances()
        assert sum(balances.values()) == 0
        assert all(balance >= 0 for name, balance in balances.items() if name.startswith("contract:"))
        sums = dict.fromkeys(balances, 0)
        for account, amount in (leg for entry in self.posted.values() for leg in entry):
            sums[account] += amount
        assert balances == sums
        assert self.sql.verify() == ()

    def teardown(self) -> None:
        """Close the books."""
        self.sql.close()
        self.folder.cleanup()


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
