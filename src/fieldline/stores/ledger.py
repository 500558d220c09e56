"""The double-entry ledger in SQL: entries and postings are only added, balances kept in the same transaction.

Source: ADR 0003.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from fieldline.stores import bookkeeping
from fieldline.stores.database import open_database, writing
from fieldline.stores.tables import balances, entries, postings
from fieldline.units import Instant, Micros


class SqlLedger:
    """Double-entry money in a database.

    Args:
        url: SQLAlchemy's, such as "sqlite:////data/records.sqlite"; records may live in the same one.

    Raises:
        DataFolderError: the database cannot be opened, or is newer than this program.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._writes = writing(self._engine)

    def post(self, key: str, at: Instant, postings: Sequence[tuple[str, Micros]], note: str = "") -> bool:
        """Post an entry; return False when the key was posted before with the same postings.

        Raises:
            UnbalancedEntry: fewer than two postings, or they do not sum to zero.
            KeyReused: the key was posted before with other postings.
            Overdrawn: an allowance would be below zero.
            Refused: an amount or a balance is outside int64.
        """
        changes = bookkeeping.net_changes(postings)
        digest = bookkeeping.digest_of(postings)
        with self._writes.begin() as connection:
            known = connection.scalar(select(entries.c.digest).where(entries.c.key == key))
            if bookkeeping.repeated(key, known, digest):
                return False
            before = _balances(connection, list(changes))
            after = bookkeeping.settled(before, changes)
            _store_entry(connection, {"key": key, "at": at, "note": note, "digest": digest}, postings)
            _store_balances(connection, before, after)
        return True

    def posted(self, key: str) -> dict[str, Micros] | None:
        """Return what the entry of a key changed each account by; None where nothing was posted under it."""
        wanted = (
            select(postings.c.account, postings.c.amount)
            .join(entries, entries.c.n == postings.c.entry)
            .where(entries.c.key == key)
        )
        with self._engine.connect() as connection:
            legs = [(row.account, Micros(row.amount)) for row in connection.execute(wanted)]
        return bookkeeping.by_account(legs) if legs else None

    def balance(self, account: str) -> Micros:
        """Return an account's balance; 0 where nothing was ever posted."""
        with self._engine.connect() as connection:
            return Micros(_balances(connection, [account]).get(account, 0))

    def balances(self, prefix: str = "") -> dict[str, Micros]:
        """Return the balance of every account whose name begins with a prefix, in the order of the names."""
        wanted = select(balances).where(balances.c.account.startswith(prefix, autoescape=True))
        with self._engine.connect() as connection:
            found = connection.execute(wanted).all()
        return {account: Micros(balance) for account, balance in sorted(found) if account.startswith(prefix)}

    def verify(self) -> tuple[bookkeeping.Difference, ...]:
        """Return the accounts whose kept balance is not the sum of their postings."""
        with self._engine.connect() as connection:
            kept = _pairs(connection, select(balances))
            rows = connection.execute(select(postings.c.account, postings.c.amount))
            return bookkeeping.differences(kept, ((account, amount) for account, amount in rows))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _balances(connection: Connection, accounts: list[str]) -> dict[str, int]:
    wanted = select(balances).where(balances.c.account.in_(accounts)).with_for_update()
    return _pairs(connection, wanted)


def _pairs(connection: Connection, wanted: Select[Any]) -> dict[str, int]:
    return {row.account: row.balance for row in connection.execute(wanted)}


def _store_entry(
    connection: Connection, entry: dict[str, object], legs: Sequence[tuple[str, Micros]]
) -> None:
    number = connection.execute(insert(entries).values(entry)).inserted_primary_key
    if number is None:
        raise RuntimeError("the database gave the ledger entry no number")
    rows = [{"entry": number[0], "account": account, "amount": amount} for account, amount in legs]
    connection.execute(insert(postings), rows)


def _store_balances(connection: Connection, before: dict[str, int], after: dict[str, int]) -> None:
    rows = [{"account": account, "balance": balance} for account, balance in after.items()]
    if new := [row for row in rows if row["account"] not in before]:
        connection.execute(insert(balances), new)
    for row in rows:
        if row["account"] in before:
            known = balances.c.account == row["account"]
            connection.execute(update(balances).where(known).values(balance=row["balance"]))
