"""The worked numbers of the pages on organic prices are run as they stand."""

import doctest
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "algorithms"


@pytest.mark.parametrize(("page", "least"), [("inclusion", 10), ("pools", 10), ("one_plus_n", 14)])
def test_every_number_on_the_page_comes_out(page: str, least: int) -> None:
    """The page has at least so many examples and none of them prints another value."""
    result = doctest.testfile(str(PAGES / f"{page}.md"), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted >= least
