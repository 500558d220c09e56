"""What search finds: nDCG@10 of the engine's own search beside BM25 alone, on labelled queries.

`--data DIR` holds queries.tsv (id, text), items.tsv (id, title) and qrels.tsv (query id, item id, grade), UTF-8,
tab-separated, with or without a header. Without it, two sets are made by rule from public data (see
`bench.search_sets`); the halves that are reported were never tuned on. Both rankers read the same words.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from rich.table import Table

from fieldline.traffic.search.correct import Sounds
from fieldline.traffic.search.index import Index, Text, put, relevance
from fieldline.traffic.search.search import Hits, search
from fieldline.traffic.search.text import query_of

DEPTH = 10
MOST_GRADE = 20
RANKERS = ("fieldline", "bm25")
Figures = dict[str, dict[str, float] | dict[str, dict[str, float]]]


class Labelled(NamedTuple):
    """Queries, items and how relevant items are to queries."""

    queries: dict[str, str]
    items: dict[str, str]
    grades: dict[str, dict[str, float]]
    """By query, then item; an item without one is irrelevant."""


class BadTable(ValueError):
    """A table cannot be read; says the file, the line and why."""


def measure(data: Path | None = None) -> Figures:
    """Return {"ndcg10": …} of both rankers on a folder's labels; else the mean over the sets made by rule, and "sets".

    Raises:
        BadTable: the folder's tables do not fit together.
        NoData: the public data that sets are made from is not there.
    """
    if data is not None:
        return {"ndcg10": scores(read(data))}
    from bench.search_sets import reported

    sets = {name: scores(labelled) for name, labelled in reported().items()}
    mean = {ranker: float(np.mean([found[ranker] for found in sets.values()])) for ranker in RANKERS}
    return {"ndcg10": mean, "sets": sets}


def table_of(figures: Figures) -> Table:
    """Return the figures, a row a set."""
    table = Table("nDCG@10", *RANKERS)
    sets = cast(dict[str, dict[str, float]], figures.get("sets", {}))
    for name, found in (*sets.items(), ("all", cast(dict[str, float], figures["ndcg10"]))):
        table.add_row(name, *(f"{found[ranker]:.3f}" for ranker in RANKERS))
    return table


def scores(labelled: Labelled) -> dict[str, float]:
    """Return the mean nDCG@10 over the queries that have a relevant item, of both rankers."""
    index, sounds, ids = Index(), Sounds(), list(labelled.items)
    for number, id in enumerate(ids):
        put(index, number, Text(labelled.items[id]))
    found: dict[str, list[float]] = {ranker: [] for ranker in RANKERS}
    for query, grades in labelled.grades.items():
        if any(grade > 0 for grade in grades.values()):
            typed = query_of(labelled.queries[query])
            for name, hits in (
                ("fieldline", search(index, sounds, typed)),
                ("bm25", Hits(typed, *relevance(index, typed, pairs_weight=0.0))),
            ):
                ranked = [ids[number] for number in best(hits)]
                found[name].append(ndcg(ranked, grades))
    return {name: float(np.mean(values)) if values else 0.0 for name, values in found.items()}


def best(hits: Hits) -> list[int]:
    """Return the ten most relevant items, the first entered where some are equal."""
    order = np.lexsort((hits.items, -hits.relevance))
    return [int(item) for item in hits.items[order[:DEPTH]]]


def ndcg(ranked: Sequence[str], grades: Mapping[str, float]) -> float:
    """Return Σ (2^grade − 1)/log2(place + 1) over ten places, as a share of the best there could be."""
    ideal = _gain(sorted(grades.values(), reverse=True)[:DEPTH])
    return _gain([grades.get(item, 0) for item in ranked[:DEPTH]]) / ideal


def _gain(grades: Sequence[float]) -> float:
    return float(sum((2.0**grade - 1.0) / np.log2(place + 2) for place, grade in enumerate(grades)))


def read(folder: Path) -> Labelled:
    """Return a folder's tables.

    Raises:
        BadTable: a file is missing, not UTF-8, or a line says what cannot be; an id that stands twice with
            another text, or that a label names and no table has.
    """
    queries = _texts(folder / "queries.tsv")
    items = _texts(folder / "items.tsv")
    grades: dict[str, dict[str, float]] = {}
    file = folder / "qrels.tsv"
    for line, cells in _lines(file):
        if len(cells) not in (3, 4):
            raise BadTable(
                f"{file}:{line}: a query id, an item id and a grade are expected, separated by tabs"
            )
        query, item, grade = cells[0], cells[-2], _grade(cells[-1])  # of four, TREC's second is not read
        if grade is None:
            if line == 1:
                continue  # a header
            raise BadTable(f"{file}:{line}: {cells[-1]!r} is no grade")
        for id, known, name in ((query, queries, "queries.tsv"), (item, items, "items.tsv")):
            if id not in known:
                raise BadTable(f"{file}:{line}: {id!r} is not in {name}")
        if grade > MOST_GRADE:
            raise BadTable(f"{file}:{line}: a grade of {grade:g} is above {MOST_GRADE}")
        grades.setdefault(query, {})[item] = max(grade, 0.0)
    return Labelled(queries, items, grades)


def _texts(file: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for line, cells in _lines(file):
        id, text = cells[0], " ".join(cells[1:])
        if line == 1 and id.strip().lower().lstrip("#") in _HEADERS:
            continue
        if not id:
            raise BadTable(f"{file}:{line}: the id is empty")
        if texts.setdefault(id, text) != text:
            raise BadTable(f"{file}:{line}: {id!r} stands there twice, with different texts")
    return texts


def _grade(cell: str) -> float | None:
    try:
        grade = float(cell)
    except ValueError:
        return None
    return grade if math.isfinite(grade) else None


_HEADERS = {"id", "qid", "iid", "query", "item"} | {
    f"{what}{between}id" for what in ("query", "item") for between in ("", " ", "_")
}


def _lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadTable(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadTable(f"{file}: is not UTF-8 at byte {error.start}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, [cell.strip() for cell in line.split("\t")]
