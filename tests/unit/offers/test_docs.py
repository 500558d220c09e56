"""docs/offers.md, executed."""

import doctest
import re
from pathlib import Path

from fieldline.contracts import Contract
from fieldline.facts import Wish
from fieldline.offers import OFFERS, contracts_of
from fieldline.offers.campaign import Campaign

PAGE = Path(__file__).parents[3] / "docs" / "offers.md"


def compiled() -> dict[str, Contract]:
    """Return the first contract that each section's JSON stands for, by offer."""
    sections = re.findall(r"^## `(\w+)`\n\n```json\n(.*?)\n```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return {name: contracts_of(Wish("w1", 0, 1, name, "m1", terms))[0] for name, terms in sections}


def test_every_number_on_the_page_comes_out() -> None:
    """Each worked number of the page is what the code gives for the terms shown above it."""
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, globs={"contracts": compiled()})
    assert tried > 12
    assert failed == 0


def test_every_offer_has_a_row_and_a_section() -> None:
    """The page's table and its sections hold exactly the offers of the registry, in its order."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| [^|]*S\d\d[^|]* \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == list(OFFERS)
    assert list(compiled()) == list(OFFERS)


def test_every_shared_term_has_a_row() -> None:
    """The table of shared terms names each field of a campaign."""
    text = PAGE.read_text()
    shared = text[text.index("## What all campaigns share") : text.index("Campaign → unit → creative")]
    rows = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", shared, re.MULTILINE))))
    assert set(Campaign.__struct_fields__) <= rows


def test_the_table_says_what_counts() -> None:
    """The columns on organic sales and refunds are what each compiled limit says."""
    cells = re.findall(
        r"^\| `(\w+)` \|[^|]*\|[^|]*\| (\w+)[^|]*\| (\w+)[^|]*\|", PAGE.read_text(), re.MULTILINE
    )
    net = contracts_of(
        Wish("w1", 0, 1, "max_delivery", "m1", '{"merchant": "m1", "budget": 1, "start": 0, "end": 1}')
    )
    limits = {name: contract.limit for name, contract in compiled().items()} | {"max_delivery": net[0].limit}
    assert len(cells) == len(OFFERS) - 2  # what is granted has no sales that count
    for name, counts_organic, refunds in cells:
        assert (counts_organic == "yes", refunds == "yes") == (limits[name].counts_organic, limits[name].net)
