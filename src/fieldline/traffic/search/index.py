"""The index: items by the words and the pairs of their texts, entered and taken out one by one.

What it finds depends on the texts that it holds now, never on the order in which they came: after any history it
is as good as one made anew. Source: ADR 0015.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, grown
from fieldline.traffic.search.pairs import Numbers, counted, keys_of, numbered
from fieldline.traffic.search.pairs import found as numbers_of
from fieldline.traffic.search.postings import Postings, bm25, post, unpost
from fieldline.traffic.search.text import guessed, normalised, parts, parts_of, words_of

PAIRS = 0.35
"""Weight of the pairs beside the words."""
TITLE, OTHER = 2, 1
"""Half counts: a term in the title counts once, one in a category, a brand or a name half."""


class Text(NamedTuple):
    """What an item says of itself: a title, and the words that others gave it."""

    title: str
    others: tuple[str, ...] = ()


class Held(NamedTuple):
    """What the index holds of one item."""

    text: Text
    words: NDArray[np.int32]
    pairs: NDArray[np.int32]


@dataclass(slots=True)
class Terms:
    """One way of taking texts apart: who has which term, and how long texts are in it."""

    postings: Postings = field(default_factory=Postings)
    lengths: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    total: int = 0
    """Half counts of all texts, which add up exactly in any order."""


@dataclass(slots=True)
class Index:
    """Texts by item number."""

    held: dict[int, Held] = field(default_factory=dict)
    vocabulary: Names = field(default_factory=Names)
    """Words by their number as terms, also those that no text has any more."""
    spelt: dict[str, int] = field(default_factory=dict)
    """How many texts spell an English word so."""
    words: Terms = field(default_factory=Terms)
    numbers: Numbers = field(default_factory=Numbers)
    """Pairs by key."""
    pairs: Terms = field(default_factory=Terms)
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(16))
    """Scratch of one query, as are the next two."""
    stamps: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    touched: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    epoch: int = 0


def put(index: Index, item: int, text: Text) -> None:
    """Enter an item's text, or change it.

    Args:
        index: changed in place.
        item: its number.
        text: as written.
    """
    held = index.held.get(item)
    if held is not None:
        if held.text == text:
            return
        remove(index, item)
    title = parts(normalised(text.title))
    others = _parts_of_all(text.others)
    counts: dict[str, int] = {}
    for word in words_of(title):
        counts[word] = counts.get(word, 0) + TITLE
    for word in words_of(others):
        counts[word] = counts.get(word, 0) + OTHER
    for word in guessed(title):
        counts.setdefault(word, 0)
    for spelling in _spellings(title, others):
        index.spelt[spelling] = index.spelt.get(spelling, 0) + 1
    add = index.vocabulary.add
    word_terms = np.array([add(word) for word in counts], np.int32)
    often = np.array(list(counts.values()), np.float32) / np.float32(TITLE)
    _enter(index.words, item, word_terms, often, sum(counts.values()), len(index.vocabulary))
    keys, split = keys_of(title, others)
    pair_terms, pair_counts = counted(numbered(index.numbers, keys), split, 1.0, OTHER / TITLE)
    length = TITLE * split + OTHER * (len(keys) - split)
    _enter(index.pairs, item, pair_terms, pair_counts, length, index.numbers.count)
    index.held[item] = Held(text, word_terms, pair_terms)
    index.sums = grown(index.sums, item + 1)
    index.stamps = grown(index.stamps, item + 1)
    index.touched = grown(index.touched, item + 1)


def remove(index: Index, item: int) -> None:
    """Take an item out, if it is in."""
    held = index.held.pop(item, None)
    if held is not None:
        for terms, numbers in ((index.words, held.words), (index.pairs, held.pairs)):
            unpost(terms.postings, item, numbers)
            terms.total -= int(2 * terms.lengths[item])
            terms.lengths[item] = 0.0
        for spelling in _spellings(parts(normalised(held.text.title)), _parts_of_all(held.text.others)):
            left = index.spelt.pop(spelling) - 1
            if left:
                index.spelt[spelling] = left


def known(index: Index, word: str) -> int:
    """Return how many items have a word."""
    number = index.vocabulary.find(word)
    return int(index.words.postings.used[number]) if number >= 0 else 0


def together(index: Index, part: str) -> bool:
    """Return whether each two neighbouring characters of a Chinese part stand so in some text."""
    numbers = numbers_of(index.numbers, keys_of([part])[0])
    return bool((numbers >= 0).all() and (index.pairs.postings.used[numbers] > 0).all())


def relevance(
    index: Index, query: str, pairs_weight: float = PAIRS
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the items that share a term with a query and how relevant each is, in no order.

    relevance = (1 − w)·words + w·pairs, each Σ idf·tf/(tf + k1·(1 − b + b·length/mean length)) / Σ idf over the
    query's terms, idf = ln(1 + (n − df + ½)/(df + ½)); 1 is out of reach, ½ is about a mean text with all terms once

    Args:
        index: its scratch is overwritten.
        query: normalised.
        pairs_weight: w.

    Returns:
        Item numbers int32 [n], each once, and their relevance float64 [n] in [0, 1).

    Source: BM25 (Robertson and Zaragoza 2009), k1 = 1.2, b = 0.75.
    """
    index.epoch += 1
    apart = parts(query)
    names = dict.fromkeys(words_of(apart))
    asked = np.array([index.vocabulary.find(name) for name in names], np.int32)
    found = _sum(index, index.words, asked, 1.0 - pairs_weight, 0)
    keys = np.array(list(dict.fromkeys(keys_of(apart)[0].tolist())), np.int64)
    found = _sum(index, index.pairs, numbers_of(index.numbers, keys), pairs_weight, found)
    items = index.touched[:found].copy()
    return items, index.sums[items]


def _sum(index: Index, terms: Terms, asked: NDArray[np.int32], weight: float, found: int) -> int:
    """Add a field's share of the relevance to the sums; return how many items were touched by now."""
    postings, held = terms.postings, len(index.held)
    if not asked.size or not held or not weight:
        return found
    have = np.where(asked >= 0, postings.used[asked], 0)
    there = have > 0
    have = np.maximum(have, 1)  # what no text has weighs as what one text has
    idf = np.log1p((held - have + 0.5) / (have + 0.5))
    return int(
        bm25(
            asked[there], weight * idf[there] / idf.sum(), terms.lengths, terms.total / (2 * held),
            postings.first, postings.used, postings.items, postings.counts,
            index.sums, index.stamps, index.epoch, index.touched, found,
        )
    )  # fmt: skip


def _parts_of_all(others: tuple[str, ...]) -> list[str]:
    return [part for other in others for part in parts_of(other)]


def _spellings(title: list[str], others: list[str]) -> set[str]:
    return {part for part in (*title, *others) if part.isascii() and part.isalpha()}


def _enter(
    terms: Terms, item: int, numbers: NDArray[np.int32], counts: NDArray[np.float32], halves: int, known: int
) -> None:
    post(terms.postings, item, numbers, counts, known)
    terms.lengths = grown(terms.lengths, item + 1)
    terms.lengths[item] = halves / TITLE
    terms.total += halves
