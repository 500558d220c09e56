"""The bench of trust on made files: what it tells, and what it says of files that are no such thing."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from bench.trust import auc, kin, log_loss, measure


def written(folder: Path, text: str, name: str = "buyers.csv.gz") -> Path:
    """Write a gzipped file and return its folder."""
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.write(text)
    return folder


def made(buyers: int = 3_000, shops: int = 40) -> str:
    """Pairs whose merchants differ: every tenth buyer of the first comes again, every fortieth of the others."""
    draw = np.random.default_rng(3)
    rows = ["user_id,merchant_id,label"]
    for buyer in range(buyers):
        shop = int(draw.integers(shops))
        rows.append(f"{buyer},{shop},{int(draw.random() < (0.3 if shop < 8 else 0.05))}")
    return "\n".join(rows) + "\n"


def test_the_index_is_told_beside_the_raw_and_the_shrunk_rate(tmp_path: Path) -> None:
    """Each has its AUC and log-loss; where merchants differ all of them rank better than chance."""
    found = measure(written(tmp_path, made()))
    for of in (found, found["raw"], found["shrunk"]):
        assert 0.6 < of["auc"] < 1.0
        assert 0.0 < of["log_loss"] < 0.5
    assert found["log_loss"] <= found["raw"]["log_loss"]
    assert "behaviour" not in found


def test_auc_counts_ties_half() -> None:
    """One of two above, one tied: 0.75; log-loss of a half is ln 2."""
    assert auc(np.array((1.0, 0.0, 0.0)), np.array((0.5, 0.5, 0.1))) == 0.75
    assert log_loss(np.array((1.0, 0.0)), np.array((0.5, 0.5))) == pytest.approx(np.log(2.0))


def test_kin_share_buyers() -> None:
    """Two merchants with two buyers in common are kin, in both directions, by two."""
    one, other, times = kin(np.array((1, 1, 2, 2, 3)), np.array((0, 1, 0, 1, 2)), 3)
    assert sorted(zip(one.tolist(), other.tolist(), times.tolist(), strict=True)) == [
        (0, 1, 2.0),
        (1, 0, 2.0),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user_id,merchant_id\n1,2\n", "has no column 'label'"),
        ("user_id,merchant_id,label\n1,2,x\n", "label must hold numbers"),
        ("user_id,merchant_id,label\n1,2,0\n1,3,2\n", "label must hold 0 and 1"),
        ("user_id,merchant_id,label\n1,2,0\n", "label must hold 0 and 1"),
    ],
)
def test_a_file_that_is_no_such_thing_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The error has the file's name and what is wrong with it."""
    with pytest.raises(ValueError, match=said) as error:
        measure(written(tmp_path, text))
    assert str(tmp_path / "buyers.csv.gz") in str(error.value)


def test_no_file_is_named(tmp_path: Path) -> None:
    """A folder without the file: its name is in the error."""
    with pytest.raises(FileNotFoundError, match=r"buyers\.csv\.gz"):
        measure(tmp_path)
