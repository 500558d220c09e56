"""The worked numbers of docs/algorithms/retrieval.md are run as they stand."""

import doctest
from pathlib import Path

import msgspec

from fieldline.facts import Sources
from fieldline.traffic.retrieve import SOURCES

PAGE = Path(__file__).parents[2] / "docs" / "algorithms" / "retrieval.md"


def test_every_number_on_the_page_comes_out() -> None:
    """The page has at least fifteen examples and none of them prints another value."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted >= 15


def test_the_table_is_the_policy() -> None:
    """The page's sources are those of the policy, in its order, with its default shares; so are the merged ones."""
    rows = [line.split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    told = {row[2].strip().strip("`"): row[4].strip() for row in rows if row[1].strip().isdigit()}
    assert told.pop("guess_you_like") == "the rest"
    assert told.pop("search") == "all"
    assert {name: float(share) for name, share in told.items()} == msgspec.structs.asdict(Sources())
    assert ("asked", "search", *Sources.__struct_fields__, "guess_you_like", "again") == SOURCES
