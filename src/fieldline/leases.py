"""Leases: several engines on one ledger, each spending only what it leased of a contract's budget.

    merchant:OWNER ──fund──► contract:ID ──lease──► contract:ID@NODE ──settle──► platform:promotion
                   ◄─close──             ◄─return──

No account of a contract may go below zero, so the engines' spend never passes what was funded, whatever each of
them believes. The ledger takes a lease before the log knows of it; what the log never learned of is found again in
the account's balance at the next start. Source: ADR 0009.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from fieldline.contracts.book import Book, Due, idle, slice_of
from fieldline.errors import Conflict, DataFolderError, KeyReused, Overdrawn, Refused
from fieldline.facts import (
    CHOICES,
    AnyFact,
    Appeal,
    Creator,
    Leased,
    LiveRoom,
    Merchant,
    Product,
    Ruling,
    Staged,
    Video,
    Viewer,
    ViewerErased,
    Wish,
    WishEnded,
    WishPaused,
)
from fieldline.offers import contracts_of
from fieldline.ports import Ledger, Records
from fieldline.units import Instant, Micros

NAME = re.compile(r"[a-z0-9-]{1,32}")
FILE = "NODE"
JOINING = " joining"
ORDER: tuple[tuple[type, ...], ...] = (
    (ViewerErased,), (Viewer,), (Creator,), (Merchant,), (Appeal,), (Ruling,), (Product,), (Video,), (LiveRoom,),
    (Staged,), CHOICES, (Wish,), (WishPaused,), (WishEnded,),
)  # fmt: skip
"""In which order changes of the records are folded, and by number within: what others name comes first, and rulings
before items, whose entries say what came of them."""

Entry = tuple[str, list[tuple[str, Micros]]]
"""A ledger entry: its key and its postings."""

log_of = logging.getLogger(__name__)


class Node:
    """One of several engines on one ledger."""

    def __init__(self, name: str, engines: int, records: Records, ledger: Ledger) -> None:
        """Name the engine; `join` makes the name its own.

        Args:
            name: lower-case letters, digits, hyphens.
            engines: how many share the ledger.
            records: what people typed, shared.
            ledger: money, shared.

        Raises:
            Refused: the name or the number cannot be.
        """
        if not NAME.fullmatch(name):
            raise Refused("node", f"is {name!r}, expected up to 32 of a-z, 0-9 and -")
        if not 1 <= engines <= 1_000:
            raise Refused("engines", f"is {engines}, expected 1 to 1000")
        self.name, self.engines = name, engines
        self._records, self._ledger = records, ledger
        self._dry = set[int]()
        """Contracts that had nothing left to lease since the last tick."""
        self._closed = set[str]()
        """Ended contracts of which no account holds anything any more."""

    # ── Leasing ──────────────────────────────────────────────────────────────────────────────────────────

    def shared(self, changes: Iterable[tuple[int, AnyFact]]) -> list[AnyFact]:
        """Return changes of the records as this engine folds them, their budgets funded, each to be leased."""
        facts: list[AnyFact] = []
        for fact in in_order(changes):
            facts.append(fact)
            if isinstance(fact, Wish):
                self.fund(fact.id)
                facts += [Leased(c.id, fact.at, 0, engines=self.engines) for c in contracts_of(fact)]
        return facts

    def unlogged(self, book: Book, at: int) -> list[AnyFact]:
        """Return the leases that the ledger took and the log, the process having died in between, did not."""
        found: list[AnyFact] = []
        for number, contract in enumerate(book.contracts):
            unshared = book.leased.item(number) < 0
            more = self._held(contract.id) - self._known(book, number)
            if more > 0 or unshared:
                found.append(self._leased(book, number, at, max(more, 0)))
        return found

    def refresh(self) -> None:
        """Look again, from now on, whether contracts that had nothing left to lease have something."""
        self._dry.clear()

    def top_up(self, book: Book, numbers: Iterable[int], at: int) -> list[AnyFact]:
        """Lease more for the contracts in force that have less than a slice left; return what the ledger took.

        Args:
            book: as it stands.
            numbers: which contracts.
            at: ms.
        """
        took: list[AnyFact] = []
        for number in numbers:
            if number in self._dry or not book.bids[number] or not book.in_force[number]:
                continue
            part = slice_of(book, number, at)
            if idle(book, number) >= part:
                continue
            amount = self._lease(book, number, at, 2 * part - idle(book, number))
            if amount:
                took.append(self._leased(book, number, at, amount))
            else:
                self._dry.add(number)
        return took

    # ── Funding and closing ──────────────────────────────────────────────────────────────────────────────

    def record(self, old: Wish | None, new: Wish, by: str) -> int:
        """Record a wish of which other engines may be spending; return the change's number.

        Raises:
            Refused: an id that would make its account look like another's.
            Conflict: a budget below what is spent or leased; a contract that is over; an older version.
        """
        if old is None:
            if "@" in new.id:
                raise Refused("id", "cannot have an @ where several engines share a ledger")
            return self._records.put_wish(new, by)
        if all(contract.horizon.end <= new.at for contract in contracts_of(old)):
            raise Conflict("terms.end", "has passed, and what was left of the budget went back")
        moved = self._cut(old, new)
        try:
            return self._records.put_wish(new, by)
        except Conflict:
            if moved:
                self._uncut(old, new)
            raise

    def fund(self, wish: str) -> None:
        """Post what each version of a wish added to (or cut from) its budgets, each once, whoever asked for it."""
        for old, new in versions_of(self._records, wish):
            for id, owner, before, after in _budgets(old, new):
                key = f"fund:{id}:v{new.version}" if after > before else f"cut:{id}:v{new.version}"
                more = Micros(after - before)
                if not more:
                    continue
                try:
                    self._ledger.post(
                        key, Instant(new.at), [(f"merchant:{owner}", Micros(-more)), (f"contract:{id}", more)]
                    )
                except (Overdrawn, KeyReused) as error:
                    log_of.warning("%s was not posted: %s", key, error)

    def close(self, book: Book, at: int) -> None:
        """Give the owners of ended contracts back what no engine holds any more."""
        for contract in book.contracts:
            over = contract.horizon.end <= at or contract.wish in book.ended
            if not contract.bids or not over or contract.id in self._closed:
                continue
            account = f"contract:{contract.id}"
            balances = self._ledger.balances(account)
            left = balances.get(account, Micros(0))
            if left:
                back = [(account, Micros(-left)), (f"merchant:{contract.owner}", left)]
                try:
                    self._ledger.post(f"close:{contract.id}@{self.name}:{at}", Instant(at), back)
                except (Overdrawn, KeyReused):
                    continue
            if not any(amount for name, amount in balances.items() if name.startswith(f"{account}@")):
                self._closed.add(contract.id)

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

    def _cut(self, old: Wish, new: Wish) -> bool:
        """Take what an edit cuts a budget by out of the contract's account, before it is recorded."""
        moved = False
        for id, owner, before, after in _budgets(old, new):
            if after >= before:
                continue
            less = Micros(before - after)
            postings = [(f"contract:{id}", Micros(-less)), (f"merchant:{owner}", less)]
            try:
                moved |= self._ledger.post(f"cut:{id}:v{new.version}", Instant(new.at), postings)
            except Overdrawn:
                taken = before - self._ledger.balance(f"contract:{id}")
                raise Conflict(
                    "terms.budget", f"is below the {taken} micro-yuan already spent or leased"
                ) from None
            except KeyReused:
                raise Conflict(
                    "terms.budget",
                    f"is not that of an edit to version {new.version} that was cut short; ask for that one first",
                ) from None
        return moved

    def _uncut(self, old: Wish, new: Wish) -> None:
        """Put back what a cut took, another engine's edit having come first."""
        stored = self._records.wish(new.id)
        for id, owner, before, after in _budgets(old, new):
            other = {b[0]: b[3] for b in _budgets(old, stored[0])} if stored else {}
            if after < before and other.get(id) != after:
                less = Micros(before - after)
                self._ledger.post(
                    f"uncut:{id}:v{new.version}@{self.name}",
                    Instant(new.at),
                    [(f"merchant:{owner}", Micros(-less)), (f"contract:{id}", less)],
                )

    def _lease(self, book: Book, number: int, at: int, wanted: int) -> int:
        """Move money to this engine's account; return what it holds beyond what the book knows."""
        id = book.contracts[number].id
        for _ in range(2):  # another engine may lease between the look and the entry
            amount = min(wanted, self._ledger.balance(f"contract:{id}"))
            if amount <= 0:
                return 0
            key = f"lease:{id}@{self.name}:{book.dues[number]}:{book.leased[number]}"
            move = [(f"contract:{id}", Micros(-amount)), (f"contract:{id}@{self.name}", Micros(amount))]
            try:
                self._ledger.post(key, Instant(at), move)
            except Overdrawn:
                continue
            except KeyReused:  # an earlier lease of another amount, which the log never learned of
                pass
            return self._held(id) - self._known(book, number)
        return 0

    def _held(self, id: str) -> int:
        return int(self._ledger.balance(f"contract:{id}@{self.name}"))

    def _known(self, book: Book, number: int) -> int:
        return max(book.leased.item(number), 0) - book.settled.item(number)

    def _leased(self, book: Book, number: int, at: int, amount: int) -> Leased:
        pot = self._ledger.balance(f"contract:{book.contracts[number].id}")
        own = max(book.leased.item(number), 0) + amount
        elsewhere = max(0, book.budget.item(number) - pot - own)
        return Leased(book.contracts[number].id, at, amount, elsewhere, self.engines)


def entries_of(dues: Sequence[Due], node: str = "") -> Iterator[Entry]:
    """Yield what one fact made due as ledger entries: credits one by one, all else as one, under the first key.

    Args:
        dues: of one fact.
        node: name of one of several engines, which fund and close contracts apart from the facts.
    """
    at_node, postings, key = f"@{node}" if node else "", list[tuple[str, Micros]](), ""
    for due in dues:
        account = f"contract:{due.contract}"
        match due.kind:
            case "credit":
                back = [
                    ("platform:assurance", Micros(-due.amount)),
                    (f"merchant:{due.owner}", Micros(due.amount)),
                ]
                yield due.key, back
                continue
            case "fund" if node:
                continue
            case "fund":
                sides = (f"merchant:{due.owner}", account)
            case "return":
                sides = (account + at_node, account)
            case _:
                sides = (account + at_node, "platform:promotion")
        key = key or due.key + at_node
        postings += [(sides[0], Micros(-due.amount)), (sides[1], Micros(due.amount))]
    if postings:
        yield key, postings


def join(node: Node, folder: Path, ledger: Ledger, at: int, fresh: bool) -> None:
    """Make a name that of one data folder, for good.

    Args:
        node: which engine.
        folder: its data folder; the name is kept there.
        ledger: shared; it tells which names are taken.
        at: ms.
        fresh: whether the folder's log is empty.

    Raises:
        DataFolderError: the folder is another engine's, or was used by one that was alone.
        Refused: another folder has the name, or there are as many engines as there may be.
    """
    file = folder / FILE
    known = file.read_text() if file.exists() else ""
    if known == node.name:
        return
    if known and known != node.name + JOINING:
        raise DataFolderError(f"{folder} belongs to the engine {known.removesuffix(JOINING)!r}")
    if not known and not fresh:
        raise DataFolderError(
            f"{folder} was used by an engine of its own; one of several begins with an empty folder"
        )
    others = set(ledger.balances("node:")) - {f"node:{node.name}"}
    if len(others) >= node.engines:
        names = ", ".join(sorted(name.removeprefix("node:") for name in others))
        raise Refused("node", f"there are {node.engines} engines already: {names}")
    file.write_text(node.name + JOINING)
    nothing = Micros(0)
    if not ledger.post(
        f"node:{node.name}", Instant(at), [(f"node:{node.name}", nothing), ("nodes", nothing)]
    ):
        file.unlink()
        raise Refused("node", f"another data folder is, or was, the engine {node.name!r}")
    file.write_text(node.name)


def alone(folder: Path, ledger: Ledger) -> None:
    """Refuse to start an engine as if it were alone where there are several.

    Raises:
        DataFolderError: the folder, or the ledger, belongs to engines with names.
    """
    if (folder / FILE).exists():
        name = (folder / FILE).read_text().removesuffix(JOINING)
        raise DataFolderError(f"{folder} belongs to the engine {name!r}; start it with --node {name}")
    if ledger.balances("node:"):
        raise DataFolderError(
            "this database is shared by engines with names; start this one with a --node, too"
        )


def in_order(changes: Iterable[tuple[int, AnyFact]]) -> list[AnyFact]:
    """Return changes of the records in an order in which nothing comes before what it names."""
    places = {kind: place for place, kinds in enumerate(ORDER) for kind in kinds}
    ranked = sorted(changes, key=lambda change: (places[type(change[1])], change[0]))
    return [fact for _, fact in ranked]


def versions_of(records: Records, wish: str) -> Iterator[tuple[Wish | None, Wish]]:
    """Yield each version of a wish and the one before it, as the audit has them."""
    for line in records.audit(f"wish:{wish}"):
        if "terms" in line["after"]:
            before = msgspec.convert(line["before"], Wish) if line["before"] else None
            yield before, msgspec.convert(line["after"], Wish)


def _budgets(old: Wish | None, new: Wish) -> Iterator[tuple[str, str, int, int]]:
    """Yield (contract, owner, budget before, budget after)."""
    before = {contract.id: contract.limit.budget for contract in contracts_of(old)} if old else {}
    for contract in contracts_of(new):
        yield contract.id, contract.owner, before.get(contract.id, 0), contract.limit.budget
