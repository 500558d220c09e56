"""Labelled queries made by a stated rule from public data, halves to tune on and halves to report.

chinese: items are advertising copies; a query is two to four values of a copy's attribute string, drawn by the
copy's hash. A copy is graded 3 if its own string has all of the query's values, 2 if at least two thirds, 1 if at
least half.
english: items are a gift wholesaler's products under the name that most invoices use; a query is another name that
at least three invoice lines use for the same product (people wrote both). That product is graded 3, its variants
(the same stock number with another letter) 1.
Each set stands there as written, and misspelt: one character replaced by another that sounds the same, or one
value written in pinyin (chinese, in turn); one letter dropped, doubled or swapped in the longest word (english).
Queries fall into halves by the hash of their item: even ones to tune on, odd ones to report.
"""

import json
from collections import defaultdict
from functools import cache
from hashlib import blake2b
from pathlib import Path

from bench.search import Labelled

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
ADS = SHARED / "zh_commerce_text" / "advertisegen_dev.json"
SHOP = SHARED / "uci_online_retail" / "2009-12_2010-12.parquet"
LEAST_LINES = 3


class NoData(FileNotFoundError):
    """The public data that the sets are made from is not there."""


def reported() -> dict[str, Labelled]:
    """Return the halves that are reported, by name."""
    return made(1)


def made(half: int) -> dict[str, Labelled]:
    """Return one half of every set: 0 to tune on, 1 to report.

    Raises:
        NoData: the data that they are made from is not there.
    """
    for file in (ADS, SHOP):
        if not file.exists():
            raise NoData(f"{file} is not there; give --data DIR with queries.tsv, items.tsv and qrels.tsv")
    return {
        f"{language}, {how}": make(half, how == "misspelt")
        for language, make in (("chinese", chinese), ("english", english))
        for how in ("as written", "misspelt")
    }


def number_of(text: str) -> int:
    """Return a number that a text always has."""
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest())


def chinese(half: int, misspelt: bool) -> Labelled:
    """Return queries of attribute values over advertising copies."""
    rows = [json.loads(line) for line in ADS.read_text().splitlines()]
    values = [
        tuple(dict.fromkeys(pair.partition("#")[2] for pair in row["content"].split("*"))) for row in rows
    ]
    items = {f"ad-{n}": row["summary"] for n, row in enumerate(rows)}
    queries, grades = dict[str, str](), dict[str, dict[str, float]]()
    for n, row in enumerate(rows):
        mixed = number_of(row["content"] + row["summary"])
        if mixed % 2 != half or len(values[n]) < 2:
            continue
        order = sorted(values[n], key=lambda value: number_of(f"{mixed} {value}"))
        drawn = order[: 2 + mixed // 2 % 3]
        queries[f"q-{n}"] = _wrong_chinese(drawn, mixed // 6) if misspelt else " ".join(drawn)
        shares = {m: sum(value in of for value in drawn) / len(drawn) for m, of in enumerate(values)}
        grades[f"q-{n}"] = {
            f"ad-{m}": 3 if share == 1.0 else 2 if share >= 2 / 3 else 1
            for m, share in shares.items()
            if share >= 0.5
        }
    return Labelled(queries, items, grades)


def english(half: int, misspelt: bool) -> Labelled:
    """Return other names of products over the names that they mostly have."""
    names = _names()
    items = {code: written[0] for code, written in names.items()}
    variants = defaultdict(list)
    for code in items:
        variants[code[:5]].append(code)
    queries, grades = dict[str, str](), dict[str, dict[str, float]]()
    for code, written in names.items():
        if number_of(code) % 2 != half:
            continue
        for n, name in enumerate(written[1:]):
            id = f"{code}/{n}"
            queries[id] = _wrong_english(name, number_of(name)) if misspelt else name
            grades[id] = dict.fromkeys(variants[code[:5]], 1.0) | {code: 3.0}
    return Labelled(queries, items, grades)


@cache
def _names() -> dict[str, list[str]]:
    """Return each product's names in capitals, those of most lines first."""
    import duckdb

    rows = (
        duckdb.connect()
        .execute(
            f"""select StockCode, regexp_replace(trim(Description), '\\s+', ' ', 'g') name, count(*) lines
        from '{SHOP}' where name = upper(name) and length(name) > 3 and regexp_matches(StockCode, '^[0-9]{{5}}')
        group by 1, 2 having lines >= {LEAST_LINES} order by StockCode, lines desc, name"""
        )
        .fetchall()
    )
    names: dict[str, list[str]] = {}
    for code, name, _ in rows:
        names.setdefault(str(code), []).append(name)
    return names


def _wrong_chinese(values: list[str], draw: int) -> str:
    """Return values with one of them misspelt: in pinyin, or with a character that sounds the same."""
    from pypinyin import lazy_pinyin

    chosen = draw % len(values)
    value = values[chosen]
    if draw // 4 % 2:
        wrong = "".join(lazy_pinyin(value))
    else:
        place = draw // 8 % len(value)
        sound = lazy_pinyin(value[place])[0]
        others = [other for other in _by_sound().get(sound, []) if other != value[place]]
        wrong = (
            value[:place]
            + (others[draw // 64 % len(others)] if others else value[place])
            + value[place + 1 :]
        )
    return " ".join(wrong if n == chosen else value for n, value in enumerate(values))


@cache
def _by_sound() -> dict[str, list[str]]:
    """Return common characters (the first level of GB 2312) by their pinyin."""
    from pypinyin import lazy_pinyin

    found: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            found.setdefault(lazy_pinyin(character)[0], []).append(character)
    return found


def _wrong_english(name: str, draw: int) -> str:
    """Return a name with one letter of its longest word dropped, doubled or swapped with the next."""
    words = name.split()
    longest = max(words, key=len)
    at = 1 + draw % max(1, len(longest) - 2)
    wrong = (
        longest[:at] + longest[at + 1 :],
        longest[: at + 1] + longest[at:],
        longest[:at] + longest[at : at + 2][::-1] + longest[at + 2 :],
    )[draw // 32 % 3]
    return " ".join(wrong if word is longest else word for word in words)
