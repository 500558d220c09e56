"""Text: from what people type to the words that the index knows.

Chinese is cut by a dictionary into words, and the words within them; other scripts are cut where letters end,
English words are stemmed; letters and digits are kept apart ("iphone15", "500ml").
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

LONGEST = 100
"""Characters of a query that are read."""
TYPED = 2_000
"""Characters that are looked at before they are cut: normalising may make one many."""

_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PARTS = re.compile(f"[{_HAN}]+|\\d+|[^\\W\\d_{_HAN}]+")
_HAN_RUN = re.compile(f"[{_HAN}]")


def normalised(text: str) -> str:
    """Return a text in one form: compatible characters unified, lower case, simplified, single spaces.

    Args:
        text: as typed.

    Source: Unicode NFKC; OpenCC's t2s.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    if not plain.isascii():
        plain = _simplify()(plain)
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain)
    return " ".join(plain.split())


def query_of(typed: str) -> str:
    """Return a query as it is searched and kept: normalised and cut to 100 characters."""
    return normalised(typed.strip()[:TYPED])[:LONGEST].strip()


def parts(text: str) -> list[str]:
    """Return the runs of Chinese characters, of digits and of other letters in a normalised text."""
    return _PARTS.findall(text)


def is_han(part: str) -> bool:
    """Return whether a part is Chinese."""
    return _HAN_RUN.match(part) is not None


def words(text: str) -> list[str]:
    """Return the words of a normalised text in order, Chinese ones with the words within them.

    "白色连衣裙 dresses" gives 白色, 连衣, 衣裙, 连衣裙, dress.
    """
    return words_of(parts(text))


def words_of(parts: Iterable[str]) -> list[str]:
    """Return the words of a text's parts, in order."""
    found: list[str] = []
    for part in parts:
        if is_han(part):
            found += _cut().cut_for_search(part, False)
        else:
            found.append(stem(part))
    return found


def guessed(parts: Iterable[str]) -> list[str]:
    """Return the Chinese words of a text's parts that a model of where words begin and end adds to the dictionary.

    They are too unsteady to search by, but what was meant by a misspelt word may be one of them.
    """
    return [word for part in parts if is_han(part) for word in _cut().cut(part, True) if len(word) > 1]


@lru_cache(65_536)
def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts of a text as written; for categories, brands and names, which many items share."""
    return tuple(parts(normalised(text)))


@lru_cache(4_096)
def tokens(text: str) -> frozenset[str]:
    """Return the words of a text as typed, each once; for phrases that are looked for again and again."""
    return frozenset(words(query_of(text)))


def stem(word: str) -> str:
    """Return an English word without its ending ("dresses" → "dress"); any other as it is."""
    return str(_stemmer().stemWord(word)) if word.isascii() and word.isalpha() else word


@cache
def _cut() -> Any:
    from rjieba import Jieba  # its own dictionary: what others add to the shared one must not change words

    return Jieba()


@cache
def _simplify() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s").convert


@cache
def _stemmer() -> Any:
    from Stemmer import Stemmer

    return Stemmer("english")
