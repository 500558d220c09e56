"""The book: reservations against budgets, and what the ledger is owed."""

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.book import Book, allowance, commit, put, release, reserve, settle


def book_of(budget: int) -> Book:
    book = Book()
    put(book, "w", 1, [contract(budget)])
    return book


def contract(budget: int) -> Contract:
    return Contract("c", "w", "storewide", "m", (Reach(),), Meter(), Limit(budget=budget), Horizon(0, 100))


def test_a_charge_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    """With 100 of 250 reserved, 151 is refused and 150 is taken."""
    book = book_of(250)
    assert reserve(book, 0, 100)
    assert not reserve(book, 0, 151)
    assert (book.reserved[0], book.spent[0]) == (100, 0)
    assert reserve(book, 0, 150)
    assert allowance(book, 0) == 0


def test_commit_spends_and_release_gives_back() -> None:
    """Of 100 and 50 reserved, one committed and one released leave 100 spent and 150 to spend of 250."""
    book = book_of(250)
    reserve(book, 0, 100)
    reserve(book, 0, 50)
    commit(book, 0, 100)
    release(book, 0, 50, 0)
    assert (book.spent[0], book.reserved[0], allowance(book, 0)) == (100, 0, 150)


def test_the_ledger_is_owed_each_amount_once() -> None:
    """A budget of 250 is funded once, 100 spent is settled once, and at the end the other 150 go back."""
    book = book_of(250)
    reserve(book, 0, 100)
    commit(book, 0, 100)
    settle(book, 50)
    settle(book, 60)
    settle(book, 100)
    settle(book, 110)
    assert [(due.key, due.amount) for due in book.due] == [
        ("fund:c:1", 250),
        ("settle:c:2", 100),
        ("fund:c:3", -150),
    ]


def test_an_edit_funds_the_difference() -> None:
    """Raising a budget from 250 to 400 owes 150 more and keeps what was spent."""
    book = book_of(250)
    reserve(book, 0, 100)
    commit(book, 0, 100)
    book.due.clear()
    put(book, "w", 2, [contract(400)])
    assert [due.amount for due in book.due] == [150]
    assert allowance(book, 0) == 300
