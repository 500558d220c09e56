"""A contract's day, told four ways."""

from fieldline.contracts.tally import ANYWHERE, FIGURES, SPEND, STOREWIDE, Tally, add, count_value


def test_an_amount_stands_in_each_of_the_four_ways() -> None:
    """Two amounts of one event are found by hour, scene, buyer and item, each once, and in the day's total."""
    tally = Tally()
    add(tally, 9, 3, True, 17, ((SPEND, 5), (STOREWIDE, 7)))
    add(tally, 9, -1, False, 17, ((SPEND, 2),))
    assert (tally.hours[9, SPEND], tally.hours[9, STOREWIDE], tally.hours.sum()) == (7, 7, 14)
    assert (tally.scenes[3, SPEND], tally.scenes[ANYWHERE, SPEND], tally.scenes.sum()) == (5, 2, 14)
    assert (tally.buyers[:, SPEND].tolist(), tally.buyers.sum()) == ([2, 5], 14)
    assert {item: sum(row) for item, row in tally.items.items()} == {17: 14}
    assert tally.total.tolist() == [{SPEND: 7, STOREWIDE: 7}.get(n, 0) for n in range(len(FIGURES))]


def test_value_keeps_its_squares_and_how_many_brought_it() -> None:
    """Two orders of 3 and 4 yuan and a refund of 1: value 6, squares 25, from two events."""
    tally = Tally()
    count_value(tally, 3.0)
    count_value(tally, 4.0)
    count_value(tally, -1.0, events=0)
    assert (tally.value, tally.value_squares, tally.valued) == (6.0, 25.0, 2)


def test_days_share_nothing() -> None:
    """What is added to one day is not in another."""
    one, other = Tally(), Tally()
    add(one, 0, 0, False, 0, ((SPEND, 1),))
    one.of_arm[0][1] = 1
    assert (other.total.sum(), other.items, other.of_arm) == (0, {}, ({}, {}))
