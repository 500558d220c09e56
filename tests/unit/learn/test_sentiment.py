"""Learning sentiment: labelled files, copies, calibration, and what cannot be learned from."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from bench.sentiment import measure
from typer.testing import CliRunner

from fieldline.cli import app
from fieldline.errors import Refused
from fieldline.learn.sentiment import (
    Labelled,
    calibrated,
    distinct,
    fit,
    labelled,
    rows_of,
    share_of,
    train,
)
from fieldline.trust.sentiment import read

REAL = Path(__file__).parents[4] / "shared" / "data" / "zh_reviews"
THINGS = ("面料", "颜色", "包装", "味道", "做工", "屏幕", "电池", "房间", "早餐", "物流")
GOOD = ("很好，非常满意", "不错，值得推荐", "喜欢，下次还来", "完美，性价比高")
BAD = ("太差，再也不买", "失望，要求退货", "垃圾，千万别买", "糟糕，客服不理")


def reviews(count: int) -> list[Labelled]:
    """Return made reviews, half of them praise, in two categories."""
    found = []
    for i in range(count):
        thing, other = THINGS[i % 10], THINGS[(i // 10 + i) % 10]
        said = (GOOD if i % 2 else BAD)[i // 2 % 4]
        found.append(Labelled(f"{other}{i}：{thing}{said}", bool(i % 2), "衣服" if i % 3 else "酒店"))
    return found


def written(file: Path, found: list[Labelled]) -> Path:
    """Return a csv of reviews."""
    rows = [f"{review.category},{int(review.praise)},{review.text}" for review in found]
    file.write_text("\n".join(["cat,label,review", *rows]), "utf-8")
    return file


def test_the_same_reviews_give_the_same_file(tmp_path: Path) -> None:
    """Two trainings on one csv, plain and gzipped, write equal weights; the second run's file is equal to the bit."""
    data = written(tmp_path / "r.csv", reviews(60))
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(data.read_bytes()))
    told = train(data, tmp_path / "a", "made")
    train(data, tmp_path / "b", "made")
    train(tmp_path / "r.csv.gz", tmp_path / "c", "made")
    assert "60 reviews (30 praise)" in told
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert np.array_equal(read(tmp_path / "a").weights, read(tmp_path / "c").weights)


def test_copies_count_once() -> None:
    """Reviews that differ in punctuation, spaces and width alone are one, and fall on one side of any split."""
    found = [
        Labelled("很好 ABC！", True, ""),
        Labelled("很好，ａｂｃ", True, ""),
        Labelled("不好", False, ""),
    ]
    assert [review.text for review in distinct(found)] == ["很好 ABC！", "不好"]
    assert share_of(found[0].text) == share_of(found[1].text) != share_of(found[2].text)


def test_calibrated_chances_have_the_labels_mean() -> None:
    """The fitted chances sum to the smoothed labels, and 90 praise in 100 at one margin come out near 0.9."""
    margins = np.repeat([-1.0, 1.0], 100)
    praise = np.r_[np.arange(100) < 10, np.arange(100) < 90]
    slope, shift = calibrated(margins, praise)
    assert 1.0 / (1.0 + np.exp(-(slope + shift))) == pytest.approx(0.9, abs=0.01)
    assert shift == pytest.approx(0.0, abs=1e-6)


def test_a_model_of_one_kind_is_refused() -> None:
    """Nine reviews of criticism are too few."""
    made = [review for i, review in enumerate(reviews(60)) if review.praise or i < 18]
    with pytest.raises(Refused, match="9 criticise"):
        fit(rows_of(made), np.arange(len(made)), "made")


def test_the_command_writes_a_model_that_can_be_served(tmp_path: Path) -> None:
    """`fieldline train sentiment` says what it learned from, and its file is read back under the name given."""
    data = written(tmp_path / "r.csv", reviews(60))
    typed = ["train", "sentiment", str(data), "--out", str(tmp_path / "m"), "--name", "shop"]
    done = CliRunner().invoke(app, typed)
    assert (done.exit_code, "60 reviews" in done.output) == (0, True)
    assert read(tmp_path / "m").declared.name == "shop"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2", "has no column label or review"),
        ("label,review\n3,好", "line 2.*expected 0 or 1"),
        ("label,review\n,好", "expected 0 or 1"),
        ("", "has no column"),
    ],
)
def test_a_csv_that_says_something_else_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """The file, and the line where there is one, are named, and no model is written."""
    (tmp_path / "r.csv").write_text(text, "utf-8")
    with pytest.raises(Refused, match=reason):
        train(tmp_path / "r.csv", tmp_path / "out", "made")
    assert not (tmp_path / "out").exists()


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, a gzip that is none, an empty folder and a missing file are refused by name."""
    (tmp_path / "latin.csv").write_bytes(b"label,review\n1," + b"\xff\xfe")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"label,review\n1,a\n" * 99)[:-9])
    (tmp_path / "empty").mkdir()
    for name in ("latin.csv", "cut.csv.gz", "empty", "none.csv"):
        with pytest.raises(Refused, match=name):
            labelled(tmp_path / name)


def test_the_bench_tells_each_category(tmp_path: Path) -> None:
    """Made reviews are told apart without an error, in each category and by a model that never saw it."""
    figures = measure(written(tmp_path / "r.csv", reviews(400)))
    assert figures["accuracy"] == figures["auc"] == 1.0
    assert set(figures["by_category"]) == {"衣服", "酒店"}
    assert {row["left_out_accuracy"] for row in figures["by_category"].values()} == {1.0}


def test_the_bench_takes_a_file_without_categories(tmp_path: Path) -> None:
    """The category is the file's name, and nothing can be left out."""
    found = reviews(200)
    rows = [f"{int(review.praise)},{review.text}" for review in found]
    (tmp_path / "weibo.csv").write_text("\n".join(["label,review", *rows]), "utf-8")
    figures = measure(tmp_path / "weibo.csv")
    assert list(figures["by_category"]) == ["weibo"]
    assert figures["by_category"]["weibo"]["left_out_accuracy"] is None


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/zh_reviews is absent")
def test_real_reviews_are_told_apart() -> None:
    """A model of 3,000 reviews of all kinds of goods tells at least 85% of 700 others right."""
    found = distinct(labelled(REAL / "online_shopping.csv.gz")[::10])
    by_share = sorted(found, key=lambda review: share_of(review.text))
    model = fit(rows_of(by_share[700:3_700]), np.arange(3_000), "shop")
    scores = model.score([review.text for review in by_share[:700]])
    assert ((scores >= 0.0) == [review.praise for review in by_share[:700]]).mean() >= 0.85
