"""Whose looks a paid placement took."""

import numpy as np
import pytest

from fieldline.contracts.displacement import Displaced, displacement

LOOKS = np.array([0.9, 0.6, 0.3])


def taken(
    ranks: list[int], payers: list[int], owners: list[int], pushed: list[int] | None = None
) -> Displaced:
    """Displacement of a slate of three."""
    gone = None if pushed is None else np.array(pushed)
    return displacement(LOOKS, np.array(ranks), np.array(payers), np.array(owners), gone)


def test_an_item_that_was_not_shown_takes_its_slot_from_those_below() -> None:
    """From nowhere to slot 1, one item goes down by .3 and one off the slate by .3, both somebody else's."""
    found = taken([0, 3, 1], [-1, 5, -1], [1, 2, 3])
    assert found.kept.tolist() == [0.0, 0.0, 0.0]
    assert found.others.tolist() == pytest.approx([0.0, 0.6, 0.0])


def test_what_its_owner_lost_is_its_own() -> None:
    """The same, with the item pushed down being the payer's owner's: half is taken from itself."""
    found = taken([0, 3, 1], [-1, 5, -1], [1, 3, 3])
    assert found.own.tolist() == pytest.approx([0.0, 0.3, 0.0])
    assert found.others.tolist() == pytest.approx([0.0, 0.3, 0.0])


def test_an_item_off_the_slate_is_its_owners_when_said() -> None:
    """If the item that no longer fits is the owner's as well, nothing is taken from others."""
    found = taken([0, 3, 1], [-1, 5, -1], [1, 3, 3], [-1, -1, 3])
    assert found.own.tolist() == pytest.approx([0.0, 0.6, 0.0])
    assert found.others.tolist() == pytest.approx([0.0, 0.0, 0.0])


def test_unknown_owners_are_others() -> None:
    """Two items of unknown owners are not taken for one owner's."""
    assert taken([0, 3, 1], [-1, 5, -1], [1, -1, -1]).own.tolist() == [0.0, 0.0, 0.0]


def test_two_that_rise_share_what_is_lost() -> None:
    """Two paid items pass owner 7's item; over each step both take from it equally."""
    found = taken([1, 2, 0], [4, 5, -1], [7, 8, 7])
    assert found.kept.tolist() == pytest.approx([0.6, 0.3, 0.0])
    assert found.gained.tolist() == pytest.approx([0.3, 0.3, 0.0])
    assert found.own.tolist() == pytest.approx([0.3, 0.0, 0.0])
    assert found.others.tolist() == pytest.approx([0.0, 0.3, 0.0])


def test_arrays_of_other_lengths_are_refused() -> None:
    """One rank too few is an error."""
    with pytest.raises(ValueError, match="each slot"):
        displacement(LOOKS, np.array([0, 1]), np.full(3, -1), np.arange(3))
