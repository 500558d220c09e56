"""The search bench: nDCG by hand, and tables that cannot be read."""

import math
from pathlib import Path

import pytest
from bench.search import BadTable, measure, ndcg, read

TABLES = {
    "queries.tsv": "id\ttext\nq1\tred cup\nq2\t连衣裙\nq3\tnothing\n",
    "items.tsv": "a\tred cup\nb\tred cups and plates\nc\t白色连衣裙\nd\n",
    "qrels.tsv": "query id\titem id\tgrade\nq1\ta\t3\nq1\tb\t1\nq2\tc\t2.0\nq3\ta\t0\n",
}


def folder(path: Path, **changed: str) -> Path:
    """The tables, some of them changed, in a folder."""
    for name, text in TABLES.items():
        (path / name).write_text(changed.get(name.split(".")[0], text))
    return path


def test_ndcg_by_hand() -> None:
    """Grades 1 then 3 where 3 then 1 is best: (1 + 7/log₂3) / (7 + 1/log₂3)."""
    expected = (1.0 + 7.0 / math.log2(3)) / (7.0 + 1.0 / math.log2(3))
    assert ndcg(["b", "a"], {"a": 3, "b": 1}) == pytest.approx(expected)
    assert ndcg(["x"] * 10 + ["a"], {"a": 3}) == 0.0


def test_tables_with_and_without_a_header_are_read_alike(tmp_path: Path) -> None:
    """A header, a missing title, a byte order mark, CRLF and empty lines change nothing."""
    told = measure(folder(tmp_path))
    assert told == {"ndcg10": {"fieldline": 1.0, "bm25": 1.0}}
    plain = {name.split(".")[0]: text for name, text in TABLES.items()}
    plain["queries"] = "\ufeff" + plain["queries"].removeprefix("id\ttext\n").replace("\n", "\r\n\r\n")
    plain["qrels"] = plain["qrels"].split("\n", 1)[1]
    assert read(folder(tmp_path, **plain)).grades["q1"] == {"a": 3.0, "b": 1.0}
    assert measure(folder(tmp_path, **plain)) == told


@pytest.mark.parametrize(
    ("table", "text", "where"),
    [
        ("qrels", "q1\ta\t3\nq9\ta\t1\n", "qrels.tsv:2: 'q9' is not in queries.tsv"),
        ("qrels", "q1\tz\t3\n", "qrels.tsv:1: 'z' is not in items.tsv"),
        ("qrels", "q1\ta\t3\nq1\tb\thigh\n", "qrels.tsv:2: 'high' is no grade"),
        ("qrels", "q1\ta\t3\nq1\tb\n", "qrels.tsv:2: a query id"),
        ("qrels", "q1\ta\t99\n", "qrels.tsv:1: a grade of 99"),
        ("items", "a\tred cup\nb\tplate\na\tblue cup\n", "items.tsv:3: 'a' stands there twice"),
    ],
)
def test_what_does_not_fit_names_the_file_and_the_line(
    tmp_path: Path, table: str, text: str, where: str
) -> None:
    """An unknown id, no grade, too few cells or an id with two texts is refused with its place."""
    with pytest.raises(BadTable) as caught:
        read(folder(tmp_path, **{table: text}))
    assert where in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A folder without its tables is refused by the first one's name."""
    with pytest.raises(BadTable, match=r"queries\.tsv"):
        read(tmp_path)
