"""The worked numbers of docs/algorithms/voices.md and sentiment.md are run as they stand."""

import doctest
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "algorithms"


@pytest.mark.parametrize(("page", "least"), [("voices.md", 12), ("sentiment.md", 11)])
def test_every_number_on_the_page_comes_out(page: str, least: int) -> None:
    """The page has at least so many examples and none of them prints another value."""
    result = doctest.testfile(str(PAGES / page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted >= least
