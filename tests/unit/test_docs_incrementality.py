"""docs/algorithms/incrementality.md, executed."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "algorithms" / "incrementality.md"


def test_every_number_on_the_page_comes_out() -> None:
    """Each worked number of the page is what the code gives."""
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 5
    assert failed == 0
