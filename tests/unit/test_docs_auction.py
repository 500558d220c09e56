"""The worked numbers of docs/algorithms/auction.md."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "algorithms" / "auction.md"


def test_worked_numbers_are_true() -> None:
    """Every example on the page about the auction gives what the page says."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted >= 10
    assert result.failed == 0
