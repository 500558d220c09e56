"""The predictor and its features, on numbers that a person can check."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from fieldline.errors import Refused
from fieldline.facts import Product, Video, Viewer
from fieldline.traffic.kernels import fm
from fieldline.traffic.prediction import features as f
from fieldline.traffic.prediction.features import ItemColumns, ViewerColumns
from fieldline.traffic.prediction.machine import FactorizationMachine, Params

SMALL = FactorizationMachine(slots=64)
CLICK_ONLY = np.array([1, 0, 0], np.float32)


def ids(*slots: int) -> NDArray[np.int32]:
    return np.array(slots, np.int32)


def labels(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def drawn(seed: int = 0) -> Params:
    """Parameters with weights and vectors of any size."""
    rng = np.random.default_rng(seed)
    params = SMALL.init()
    params.table[:, : fm.SIDE] = rng.normal(0, 0.3, (64, fm.SIDE))
    params.bias[0] = rng.normal(0, 0.3, 3)
    return params


def logits_of(params: Params, slots: list[int], x: list[float]) -> NDArray[np.float64]:
    """The definition, pair by pair."""
    table = params.table.astype(np.float64)
    out: NDArray[np.float64] = params.bias[0].astype(np.float64)
    for t in range(3):
        for a, i in enumerate(slots):
            out[t] += x[a] * table[i, 24 + t]
            for b in range(a):
                j = slots[b]
                out[t] += x[a] * x[b] * (table[i, 8 * t : 8 * t + 8] @ table[j, 8 * t : 8 * t + 8])
    return out


def chances(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def columns() -> tuple[ViewerColumns, ItemColumns]:
    """Two viewers, three items of two categories by one creator; the last has none."""
    viewers = ViewerColumns(
        traits=np.full((2, 2), -1, np.int32),
        counts=np.zeros((2, 3), np.float32),
        recent=np.full((2, 2), -1, np.int32),
        recent_end=np.zeros(2, np.int32),
        here=np.zeros((2, 2, 3), np.float32),
    )
    items = ItemColumns(
        traits=np.full((3, 2), -1, np.int32),
        counts=np.zeros((3, 3), np.float32),
        creator=ids(0, 0, -1),
        category=ids(0, 1, 1),
        creator_counts=np.zeros((1, 3), np.float32),
    )
    return viewers, items


def features_of_viewer(
    viewers: ViewerColumns, items: ItemColumns, scene: int = 1, hour: int = 5, since: int = 60_000
) -> NDArray[np.int32]:
    out = np.empty(f.VIEWER_FEATURES, np.int32)
    return out[: f.viewer_features(viewers, items, 0, scene, hour, since, 64, out)]


def features_of_item(items: ItemColumns, item: int) -> NDArray[np.int32]:
    out = np.empty(f.ITEM_FEATURES, np.int32)
    return out[: f.item_features(items, item, 64, out)]


def test_chances_are_those_of_the_definition() -> None:
    """A row's chance is the logistic of bias + linear + all pairs, to the rational sigmoid's 1.3e-5."""
    params = drawn()
    got = SMALL.predict_row(params, ids(3, 9, 40, 41))
    assert got == pytest.approx(chances(logits_of(params, [3, 9, 40, 41], [1.0] * 4)), abs=2e-5)


def test_bag_members_share_one_weight() -> None:
    """Four features of the bag enter with x = 1/2 each."""
    params = drawn()
    row = ids(3, 9 | fm.BAG, 10 | fm.BAG, 11 | fm.BAG, 12 | fm.BAG)
    expected = chances(logits_of(params, [3, 9, 10, 11, 12], [1.0, 0.5, 0.5, 0.5, 0.5]))
    assert SMALL.predict_row(params, row) == pytest.approx(expected, abs=2e-5)


def test_two_sides_give_the_whole_machine() -> None:
    """A viewer's side scored against an item's side equals the prediction from all features together."""
    params = drawn()
    item_row, out = np.full(32, 7.0, np.float32), np.empty(3, np.float32)
    SMALL.item_side(params, ids(20, 21, 22), item_row)
    fm.score(SMALL.viewer_side(params, ids(1, 2, 5 | fm.BAG)), item_row, out)
    assert out == pytest.approx(SMALL.predict_row(params, ids(1, 2, 5 | fm.BAG, 20, 21, 22)), abs=1e-6)
    assert item_row[27:].tolist() == [7.0] * 5


def test_first_step_is_adagrads() -> None:
    """From zero, a click moves bias and weight by rate·g/√(1 + g²), g = −1/2, and moves no zero vector."""
    params = Params(np.zeros((64, 32), np.float32), np.zeros((2, 3), np.float32))
    before = SMALL.learn_row(params, ids(7), labels(1, 0, 0), CLICK_ONLY)
    step = 0.06 * 0.5 / np.sqrt(1.25)
    assert before.tolist() == [0.5, 0.5, 0.5]
    assert params.bias[0, 0] == pytest.approx(step, rel=1e-6)
    assert params.table[7, 24] == pytest.approx(step, rel=1e-6)
    assert params.table[7, fm.SQUARES] == np.float32(0.25)
    assert not params.table[7, :24].any()


def test_step_follows_the_gradient() -> None:
    """A step divided by its AdaGrad rate is the derivative of the log-loss by that word."""
    params, moved = drawn(1), drawn(1)
    row, label = [4, 6, 30], np.array([1.0, 0.0, 1.0])
    SMALL.learn_row(moved, ids(*row), labels(*label), np.ones(3, np.float32))

    def loss() -> NDArray[np.float64]:
        p = chances(logits_of(params, row, [1.0] * 3))
        return np.asarray(-np.log(np.where(label > 0, p, 1.0 - p)))

    for word, task in ((3, 0), (11, 1), (23, 2), (24, 0), (26, 2)):
        kept = params.table[6, word]
        params.table[6, word] = kept + np.float32(1e-2)
        up = loss()[task]
        params.table[6, word] = kept - np.float32(1e-2)
        slope = (up - loss()[task]) / 2e-2
        params.table[6, word] = kept
        rate = 0.06 if word >= 24 else 0.05
        step = rate * slope / np.sqrt(1.0 + moved.table[6, fm.SQUARES + task])
        assert moved.table[6, word] - kept == pytest.approx(-step, rel=2e-2, abs=2e-5)


def test_an_unknown_label_teaches_nothing() -> None:
    """A task of weight 0 keeps every word of its vectors, weights, sums and bias, bit for bit."""
    params, before = drawn(2), drawn(2)
    SMALL.learn_row(params, ids(1, 2), labels(1, 1, 1), labels(1, 0, 1))
    assert np.array_equal(params.table[:, 8:16], before.table[:, 8:16])
    assert np.array_equal(params.table[:, [25, 28]], before.table[:, [25, 28]])
    assert np.array_equal(params.bias[:, 1], before.bias[:, 1])
    assert not np.array_equal(params.table[:, :8], before.table[:, :8])


def test_padding_is_no_feature() -> None:
    """A row with −1 anywhere learns and predicts the same bits as the row without."""
    plain, padded = drawn(3), drawn(3)
    SMALL.learn_row(plain, ids(1, 2), labels(1, 0, 0), np.ones(3, np.float32))
    SMALL.learn_row(padded, ids(-1, 1, -1, 2, -1), labels(1, 0, 0), np.ones(3, np.float32))
    assert np.array_equal(plain.table, padded.table)
    assert np.array_equal(plain.bias, padded.bias)


def test_a_batch_is_its_rows_in_order() -> None:
    """Learning a matrix gives the same bits as learning its rows one by one."""
    rng = np.random.default_rng(5)
    rows = rng.integers(-1, 64, (50, 6)).astype(np.int32)
    truth = rng.integers(0, 2, (50, 3)).astype(np.float32)
    weights = rng.integers(0, 2, (50, 3)).astype(np.float32)
    batch, single = drawn(), drawn()
    assert SMALL.learn(batch, rows, truth, weights) is batch
    for r in range(50):
        SMALL.learn_row(single, rows[r], truth[r], weights[r])
    assert np.array_equal(batch.table, single.table)
    assert np.array_equal(batch.bias, single.bias)


def test_threads_change_no_bit() -> None:
    """Two machines learning the same rows in two threads at once end as the one that learned alone."""
    rng = np.random.default_rng(6)
    rows = rng.integers(0, 64, (2_000, 12)).astype(np.int32)
    truth = rng.integers(0, 2, (2_000, 3)).astype(np.float32)
    alone = SMALL.learn(drawn(), rows, truth, np.ones_like(truth))
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(SMALL.learn, drawn(), rows, truth, np.ones_like(truth)) for _ in range(2)]
    for job in jobs:
        assert np.array_equal(job.result().table, alone.table)


def test_a_pair_is_learned_that_no_single_feature_shows() -> None:
    """After 400 passes over an exclusive-or of two features, every chance is on the right side of 1/2."""
    machine = FactorizationMachine(slots=64, spread=0.3)
    rows = np.array([[1, 3], [1, 4], [2, 3], [2, 4]], np.int32)
    truth = np.zeros((4, 3), np.float32)
    truth[:, 0] = [0, 1, 1, 0]
    params = machine.init()
    for _ in range(400):
        machine.learn(params, rows, truth, np.ones_like(truth))
    assert (machine.predict(params, rows)[:, 0] > 0.5).tolist() == [False, True, True, False]


def test_equal_settings_start_equal() -> None:
    """The same seed gives the same vectors within ±spread and another seed others; weights start at 0."""
    one, two, other = SMALL.init(), SMALL.init(), FactorizationMachine(slots=64, seed=2).init()
    assert np.array_equal(one.table, two.table)
    assert not np.array_equal(one.table, other.table)
    assert np.abs(one.table).max() <= 0.02
    assert np.abs(one.table[:, :24]).max() > 0.019
    assert not one.table[:, 24:].any()


def test_a_feature_beyond_the_table_is_refused() -> None:
    """A batch with a feature that the table lacks names its field and changes nothing."""
    params, before = drawn(), drawn()
    rows = np.array([[1, 2], [64 | fm.BAG, 3]], np.int32)
    with pytest.raises(Refused, match="64 slots") as caught:
        SMALL.learn(params, rows, np.ones((2, 3), np.float32), np.ones((2, 3), np.float32))
    assert caught.value.field == "rows"
    with pytest.raises(Refused, match="feature 64"):
        SMALL.predict(params, rows)
    assert np.array_equal(params.table, before.table)


def test_a_table_without_slots_is_refused() -> None:
    """A machine needs at least one slot."""
    with pytest.raises(Refused, match="slots"):
        FactorizationMachine(slots=0)


@pytest.mark.parametrize(
    ("hits", "looks", "expected"), [(0, 0, -1), (10, 10, 1), (0, 90, -7), (1e9, 1e9, 19)]
)
def test_rate_bins(hits: float, looks: float, expected: int) -> None:
    """Half a unit of log-odds a bin: with prior .4 on 10 looks, 0/0 is .4, 10/10 is .7, 0/90 is .04."""
    assert f.rate_bin(hits, looks, 0.4, 10.0) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(-1, 0), (0, 0), (1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (1023, 10)]
)
def test_count_bins(count: float, expected: int) -> None:
    """A bin per octave of 1 + count."""
    assert f.count_bin(count) == expected


def test_what_is_unknown_is_left_out() -> None:
    """A viewer has 4 features without scene, hour and last look, 10 with them, and 2 more per recent item."""
    viewers, items = columns()
    assert len(features_of_viewer(viewers, items, -1, -1, -1)) == 4
    assert len(features_of_viewer(viewers, items)) == 10
    viewers.recent[0, 0] = 2
    known = features_of_viewer(viewers, items)
    assert len(known) == 12
    assert (known[10:] >= fm.BAG).all()
    assert (known[:10] < 64).all()


def test_an_item_without_a_creator_has_fewer_features() -> None:
    """Creator's id, looks and two rates are left out where there is no creator."""
    _, items = columns()
    assert len(features_of_item(items, 0)) == 9
    assert len(features_of_item(items, 2)) == 5


def test_counts_change_features() -> None:
    """An item's features change with what came of its looks, and so do its creator's other items'."""
    viewers, items = columns()
    before = features_of_item(items, 0).tolist(), features_of_item(items, 1).tolist()
    for _ in range(40):
        f.count(viewers, items, 0, 0, 1, 1.0, 1.0)
    assert features_of_item(items, 0).tolist() != before[0]
    assert features_of_item(items, 1).tolist() != before[1]
    assert features_of_item(items, 1).tolist()[:5] == before[1][:5]


def test_a_look_is_counted_everywhere() -> None:
    """A look counts for its viewer (there, too), item and creator; only a long view enters the ring, oldest out."""
    viewers, items = columns()
    f.count(viewers, items, 1, 0, 1, 1.0, 0.0)
    assert viewers.counts.tolist() == [[0, 0, 0], [1, 1, 0]]
    assert items.counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert items.creator_counts.tolist() == [[1, 1, 0]]
    assert viewers.recent.tolist() == [[-1, -1], [-1, -1]]
    for item in (0, 1, 2):
        f.count(viewers, items, 1, item, -1, 1.0, 1.0)
    assert viewers.recent.tolist() == [[-1, -1], [2, 1]]
    assert viewers.recent_end.tolist() == [0, 3]
    assert items.creator_counts.tolist() == [[3, 3, 2]]
    assert viewers.here[1].tolist() == [[0, 0, 0], [1, 1, 0]]  # the looks of no scene count in none
    f.count(viewers, items, 1, 0, 2, 1.0, 0.0)  # nor do those of one without room
    assert viewers.here[1].tolist() == [[0, 0, 0], [1, 1, 0]]


def test_history_is_learned_as_looks_without_scene() -> None:
    """A viewer's past teaches like looks without scene or hour, at half weight, unwatched as .2 clicks."""
    whole, single = drawn(4), drawn(4)
    viewers, items = columns()
    SMALL.learn_history(whole, viewers, items, 0, ids(0, 2), np.array([True, False]))
    by_hand, its_items = columns()
    for item, click, long_view in ((0, 1.0, 1.0), (2, 0.2, 0.0)):
        SMALL.learn_look(
            single, by_hand, its_items, 0, item, -1, -1, -1,
            labels(click, long_view, 0), labels(0.5, 0.5, 0), new=True,
        )  # fmt: skip
    assert np.array_equal(whole.table, single.table)
    assert viewers.counts[0].tolist() == [2.0, np.float32(1.2), 1.0]
    assert viewers.recent[0].tolist() == [0, -1]
    assert items.counts.tolist() == its_items.counts.tolist()


def test_a_look_is_learned_from_its_features() -> None:
    """Learning a look equals learning the row of its viewer's and its item's features."""
    one, two = drawn(4), drawn(4)
    viewers, items = columns()
    truth, weights = labels(1, 0, 0), labels(1, 1, 0)
    row = np.concatenate([features_of_viewer(viewers, items), features_of_item(items, 2)])
    before = SMALL.learn_look(one, viewers, items, 0, 2, 1, 5, 60_000, truth, weights)
    assert SMALL.learn_row(two, row, truth, weights).tolist() == before.tolist()
    assert np.array_equal(one.table, two.table)


def test_a_late_label_is_not_counted_again() -> None:
    """A look that is not new teaches its order label and leaves every count and the ring as they were."""
    params, before = drawn(4), drawn(4)
    viewers, items = columns()
    SMALL.learn_look(
        params, viewers, items, 0, 0, 1, 5, -1, labels(1, 1, 1), labels(0, 0, 1)
    )  # fmt: skip
    assert not viewers.counts.any()
    assert not items.counts.any()
    assert not items.creator_counts.any()
    assert viewers.recent_end.tolist() == [0, 0]
    assert np.array_equal(params.table[:, :16], before.table[:, :16])
    assert not np.array_equal(params.table[:, 16:24], before.table[:, 16:24])


def test_a_viewers_side_is_that_of_its_features() -> None:
    """The side made in one call equals the side folded from the features, bit for bit."""
    params = drawn()
    viewers, items = columns()
    viewers.recent[0] = [1, 2]
    expected = SMALL.viewer_side(params, features_of_viewer(viewers, items))
    assert SMALL.side_of(params, viewers, items, 0, 1, 5, 60_000).tolist() == expected.tolist()


def test_rows_are_refreshed_from_features() -> None:
    """Refreshing writes each named item's side and nothing else."""
    params = drawn()
    _, items = columns()
    rows, side = np.full((3, 32), 7.0, np.float32), np.empty(27, np.float32)
    SMALL.refresh(params, items, ids(2), rows)
    SMALL.item_side(params, features_of_item(items, 2), side)
    assert rows[2, :27].tolist() == side.tolist()
    assert (rows[:2] == 7.0).all()
    assert (rows[2, 27:] == 7.0).all()


def test_words_become_slots() -> None:
    """A viewer's trait and a video's equal trait are different features; words past the most are left out."""
    viewer = f.viewer_traits(Viewer(id="v", traits=("a", "b")), 1 << 18)
    video = Video(id="i", creator="c", duration_ms=7_000, traits=("a",))
    item = f.item_traits(video, 1 << 18)
    assert (viewer >= 0).sum() == 2
    assert (item >= 0).sum() == 3
    assert viewer[0] not in item.tolist()
    assert item[1] == f.slot_of_word("item length=6", 1 << 18)
    many = Viewer(id="v", traits=tuple(f"t{k}" for k in range(50)))
    assert (f.viewer_traits(many, 1 << 18) >= 0).sum() == f.VIEWER_TRAITS
    product = Product(id="p", merchant="m", price=1_000_000, stock=1)
    assert f.item_traits(product, 1 << 18)[1] == f.slot_of_word("item price=20", 1 << 18)
