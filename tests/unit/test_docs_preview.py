"""The worked numbers of docs/algorithms/preview.md are run as they stand."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "algorithms" / "preview.md"


def test_every_number_on_the_page_comes_out() -> None:
    """The page has at least ten examples and none of them prints another value."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted >= 10
