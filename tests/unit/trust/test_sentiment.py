"""Reading reviews: what a model gives of any text, and which files are refused."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.unit.learn.test_sentiment import reviews

from fieldline.errors import ModelRefused
from fieldline.learn.sentiment import fit, rows_of
from fieldline.trust.sentiment import Sentiment, grams, normalised, open_sentiment, read, write


@pytest.fixture(scope="module")
def model() -> Sentiment:
    """Return a model of 200 made reviews."""
    made = reviews(200)
    return fit(rows_of(made), np.arange(len(made)), "made")


def test_praise_scores_above_criticism(model: Sentiment) -> None:
    """Praise scores above one half, criticism below minus one half, both within [−1, 1]."""
    good, bad = model.score(["面料很好，非常满意", "质量太差，再也不买"])
    assert 0.5 < good <= 1.0
    assert -1.0 <= bad < -0.5


def test_what_cannot_be_read_is_neutral(model: Sentiment) -> None:
    """Nothing, signs, emoji, another script and NaN score exactly 0 and have no tone."""
    texts = ["", "  ", "！！！", "😀😡", "great, love it", "\x00\u200b", "12345"]
    assert model.score(texts).tolist() == [0.0] * len(texts)
    assert [model.tone(text) for text in texts] == [None] * len(texts)
    assert model.score([float("nan")]).tolist() == [0.0]  # type: ignore[list-item]


def test_characters_that_the_model_never_saw_count_little(model: Sentiment) -> None:
    """A text of unknown characters lies within 0.2 of neutral."""
    assert abs(float(model.score(["龘靐齉爩"])[0])) < 0.2


def test_markup_and_long_texts_are_plain(model: Sentiment) -> None:
    """Tags change nothing, and of 50,000 characters only the first 2,000 are read."""
    bare, tagged = model.score(["面料很好，非常满意", "<b>面料很好</b>，非常满意<script>"])
    assert bare == tagged
    start = "面料很好，非常满意。" * 200
    assert model.score([start + "质量太差" * 12_000]).tolist() == model.score([start]).tolist()
    assert len(normalised("\ufdfa" * 50_000)) <= 2_000


def test_one_form_for_many_spellings() -> None:
    """Traditional, wide, spaced and endlessly repeated characters read as the plain ones."""
    assert normalised("質量 ＧＯＯＤ") == "质量good"
    assert normalised("好好好好好好好") == "好好好"
    assert normalised("\ud800坏") == "坏"


def test_runs_of_characters_are_counted_once() -> None:
    """Two characters between two ends give 2 + 3 + 2 runs; saying them twice adds only what crosses the seam."""
    assert len(grams("好坏")) == 7
    once, twice = set(grams("好坏").tolist()), set(grams("好坏好坏").tolist())
    assert once < twice


def test_a_file_gives_the_model_back(model: Sentiment, tmp_path: Path) -> None:
    """What was written and read scores as before, to the bit."""
    write(tmp_path / "model", model)
    again = open_sentiment(str(tmp_path / "model"))
    texts = ["面料很好", "质量太差", "一般"]
    assert again is not None
    assert again.score(texts).tobytes() == model.score(texts).tobytes()
    assert open_sentiment("") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "format is 2, expected 1"),
        ({"slots_log2": 20}, "slots_log2 is 20"),
        ({"longest_gram": 4}, "longest_gram is 4"),
        ({"name": ""}, "name must have"),
        ({"bias": float("inf")}, "declaration"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(
    model: Sentiment, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    """Each difference is named, and no model comes back."""
    write(tmp_path / "model", Sentiment(msgspec.structs.replace(model.declared, **change), model.weights))
    with pytest.raises(ModelRefused, match=reason):
        read(tmp_path / "model")


def test_a_file_that_is_not_what_it_says_is_refused(model: Sentiment, tmp_path: Path) -> None:
    """One changed byte, a cut file, a link, garbage and nothing at all are refused by name."""
    file = tmp_path / "model"
    write(file, model)
    whole = file.read_bytes()
    for broken in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-100], b"no model", b""):
        file.write_bytes(broken)
        with pytest.raises(ModelRefused, match=str(file)):
            read(file)
    (tmp_path / "link").symlink_to(file)
    for missing in (tmp_path / "link", tmp_path / "none", tmp_path):
        with pytest.raises(ModelRefused, match="missing"):
            read(missing)
