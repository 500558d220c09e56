"""Correction: what was probably meant where what was typed finds little.

A run of Chinese characters is read again as the cheapest row of words that the index knows, some of them words
that sound the same (连依裙 → 连衣裙) or differ in one character. Letters are read as pinyin (lianyiqun, lyq), as two
words written together, or as the nearest word by edit distance. Only words that the index holds are ever proposed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

from rapidfuzz import process
from rapidfuzz.distance import OSA

from fieldline.columns import Names
from fieldline.traffic.search.index import Index, known, together
from fieldline.traffic.search.text import is_han, parts, stem

LONGEST_WORD = 8
"""Characters of a Chinese word that is considered."""
WORD, TOGETHER, SINGLE, STRANGE = 1.0, 1.3, 1.5, 3.0
"""Cost of a known word, of characters that stand together in texts, of one alone, and of one that no text has."""
SOUND, NEAR_SOUND, SHAPE = 0.6, 0.9, 1.2
"""What it costs beside to take a word that sounds the same, almost the same, or differs in one character."""
INITIALS = 6
"""Most letters that are read as initials."""


@dataclass(slots=True)
class Sounds:
    """Words of a vocabulary by how they sound and look; follows the vocabulary, and never forgets."""

    done: int = 0
    """Words of the vocabulary taken in so far."""
    full: dict[str, list[str]] = field(default_factory=dict)
    """By pinyin without tones."""
    near: dict[str, list[str]] = field(default_factory=dict)
    """By pinyin in which what is often confused is one."""
    initials: dict[str, list[str]] = field(default_factory=dict)
    shapes: dict[str, list[str]] = field(default_factory=dict)
    """By the characters with one left open, of words of three characters and more."""
    holding: dict[str, list[str]] = field(default_factory=dict)
    """By each of their characters."""


def follow(sounds: Sounds, vocabulary: Names) -> None:
    """Take in the words that a vocabulary has by now."""
    for word in vocabulary.ids[sounds.done :]:
        if is_han(word) and 2 <= len(word) <= LONGEST_WORD:
            syllables = syllables_of(word)
            sounds.full.setdefault("".join(syllables), []).append(word)
            sounds.near.setdefault(_blurred(syllables), []).append(word)
            sounds.initials.setdefault("".join(s[0] for s in syllables), []).append(word)
            for shape in _shapes(word):
                sounds.shapes.setdefault(shape, []).append(word)
            for character in dict.fromkeys(word):
                sounds.holding.setdefault(character, []).append(word)
    sounds.done = len(vocabulary)


def corrected(index: Index, sounds: Sounds, query: str) -> str:
    """Return a normalised query with the words that were probably meant, the same where nothing is better.

    Args:
        index: whose words may be proposed.
        sounds: brought up to the index's vocabulary.
        query: normalised.
    """
    follow(sounds, index.vocabulary)
    meant: list[str] = []
    for letters, run in groupby(parts(query), lambda part: _unknown_letters(index, part)):
        if not letters:
            meant += [_reread(index, sounds, part) if is_han(part) else part for part in run]
            continue
        typed = list(run)
        whole = _as_pinyin(index, sounds, "".join(typed)) if len(typed) > 1 else None
        meant += [whole] if whole else [_respelt(index, sounds, part) for part in typed]
    return " ".join(meant) if meant != parts(query) else query


def holding(index: Index, sounds: Sounds, character: str) -> list[str]:
    """Return the words of two to eight characters that have a Chinese character, those of most items first.

    Args:
        index: which must hold them.
        sounds: brought up to the index's vocabulary.
        character: one.
    """
    follow(sounds, index.vocabulary)
    there = [(-known(index, word), word) for word in sounds.holding.get(character, []) if known(index, word)]
    return [word for _, word in sorted(there)]


@lru_cache(100_000)
def syllables_of(word: str) -> tuple[str, ...]:
    """Return the pinyin of a word without tones, ü as v: that of the phrase where it is one, else of each character."""
    from pypinyin import lazy_pinyin
    from pypinyin.constants import PHRASES_DICT

    if len(word) == 1 or word in PHRASES_DICT:
        return tuple(syllable or "?" for syllable in lazy_pinyin(word))
    return tuple(syllable for character in word for syllable in syllables_of(character))


def _unknown_letters(index: Index, part: str) -> bool:
    return part.isalpha() and part.isascii() and not known(index, stem(part))


def _blurred(syllables: tuple[str, ...]) -> str:
    return _blur("".join(syllables))


def _blur(letters: str) -> str:
    for often, one in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n")):
        letters = letters.replace(often, one)
    return letters


def _shapes(word: str) -> Iterator[str]:
    if len(word) >= 3:
        yield from (f"{word[:n]}?{word[n + 1 :]}" for n in range(len(word)))


def _best(index: Index, words: list[str]) -> str | None:
    """Return the word that most items have, the first by characters where several do."""
    there = [(-known(index, word), word) for word in words if known(index, word)]
    return min(there)[1] if there else None


def _reread(index: Index, sounds: Sounds, run: str) -> str:
    """Return a run of Chinese characters as its cheapest row of words."""
    costs, ways = [0.0], [""]
    for end in range(1, len(run) + 1):
        best = (float("inf"), "")
        for begin in range(max(0, end - LONGEST_WORD), end):
            for cost, word in _readings(index, sounds, run[begin:end]):
                best = min(best, (costs[begin] + cost, ways[begin] + word))
        costs.append(best[0])
        ways.append(best[1])
    return ways[-1]


def _readings(index: Index, sounds: Sounds, typed: str) -> Iterator[tuple[float, str]]:
    if len(typed) == 1:
        yield (SINGLE if known(index, typed) else STRANGE), typed
        return
    if known(index, typed):
        yield WORD, typed
        return
    if together(index, typed):
        yield TOGETHER, typed
        return
    same = len(typed)
    syllables = syllables_of(typed)
    ways = [
        (SOUND, sounds.full.get("".join(syllables), [])),
        (NEAR_SOUND, sounds.near.get(_blurred(syllables), [])),
    ]
    ways += [(SHAPE, sounds.shapes.get(shape, [])) for shape in _shapes(typed)]
    for cost, words in ways:
        meant = _best(index, [word for word in words if len(word) == same])
        if meant:
            yield WORD + cost, meant


def _respelt(index: Index, sounds: Sounds, part: str) -> str:
    """Return what letters that no text has were probably meant to be."""
    return (
        _as_pinyin(index, sounds, part)
        or _split(index, part)
        or _nearest(index, part)
        or (_best(index, sounds.initials.get(part, [])) if 2 <= len(part) <= INITIALS else None)
        or part
    )


def _as_pinyin(index: Index, sounds: Sounds, letters: str) -> str | None:
    """Return the fewest words whose pinyin is exactly the letters, else nearly, else None."""
    for by_sound, written in ((sounds.full, letters), (sounds.near, _blur(letters))):
        rows: list[tuple[int, int, str] | None] = [(0, 0, "")]
        for end in range(1, len(written) + 1):
            ways = []
            for begin in range(max(0, end - 6 * LONGEST_WORD), end):
                row, words = rows[begin], by_sound.get(written[begin:end])
                word = _best(index, words) if row and words else None
                if row and word:
                    ways.append((row[0] + 1, row[1] - known(index, word), row[2] + word))
            rows.append(min(ways) if ways else None)
        whole = rows[-1]
        if whole and letters:
            return whole[2]
    return None


def _split(index: Index, part: str) -> str | None:
    """Return a word as the two words that it is made of."""
    ways = [
        (-min(index.spelt[part[:n]], index.spelt[part[n:]]), f"{part[:n]} {part[n:]}")
        for n in range(3, len(part) - 2)
        if part[:n] in index.spelt and part[n:] in index.spelt
    ]
    return min(ways)[1] if ways else None


def _nearest(index: Index, part: str) -> str | None:
    """Return the nearest spelling, at most one edit away, two from eight letters on."""
    most = 0 if len(part) < 4 else 1 if len(part) < 8 else 2
    if not most:
        return None
    near = process.extract(part, index.spelt.keys(), scorer=OSA.distance, score_cutoff=most, limit=None)
    ways = [(edits, word[0] != part[0], -index.spelt[word], word) for word, edits, _ in near]
    return min(ways)[3] if ways else None
