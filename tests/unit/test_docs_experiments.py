"""The worked numbers of docs/algorithms/experiments.md."""

import doctest
from pathlib import Path


def test_the_worked_numbers_are_what_the_code_gives() -> None:
    """Every example of the page runs and prints what the page says."""
    page = Path(__file__).parents[2] / "docs" / "algorithms" / "experiments.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried > 0
    assert failed == 0
