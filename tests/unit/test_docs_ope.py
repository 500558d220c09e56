"""The worked numbers of docs/algorithms/ope.md and forecast.md are run as they stand."""

import doctest
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "algorithms"


@pytest.mark.parametrize(("page", "examples"), [("ope.md", 5), ("forecast.md", 4)])
def test_every_number_on_the_page_comes_out(page: str, examples: int) -> None:
    """The page has its examples and none of them prints another value."""
    result = doctest.testfile(str(PAGES / page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted >= examples
