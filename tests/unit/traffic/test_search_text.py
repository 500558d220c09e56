"""How text is taken apart: normalised forms, words, pairs, and what is left of nonsense."""

import numpy as np
import pytest

from fieldline.traffic.search.pairs import Numbers, counted, found, keys_of, numbered
from fieldline.traffic.search.text import LONGEST, normalised, query_of, tokens, words


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("ＩＰｈｏｎｅ　１５", "iphone 15"),
        ("連衣裙 乾燥機 頭髮", "连衣裙 干燥机 头发"),
        ("Red\tDress\n", "red dress"),
        ("\u200bsilk\x00scarf", "silk scarf"),
        ("①㎏", "1kg"),
        ("   ", ""),
    ],
)
def test_texts_are_brought_into_one_form(typed: str, plain: str) -> None:
    """Full width, traditional, capital and unprintable characters all come to the one plain form."""
    assert normalised(typed) == plain


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("白色连衣裙 dresses", ["白色", "连衣", "衣裙", "连衣裙", "dress"]),
        ("iphone15手机壳", ["iphon", "15", "手机", "壳"]),
        ("500ml", ["500", "ml"]),
        ("платье", ["платье"]),
        ("😀 !! ……", []),
    ],
)
def test_words_are_cut_where_scripts_and_dictionaries_say(text: str, cut: list[str]) -> None:
    """Chinese is cut by the dictionary, English stemmed, letters parted from digits; signs are no words."""
    assert words(text) == cut


def test_a_query_is_cut_to_a_hundred_characters_after_it_is_normalised() -> None:
    """Ten thousand characters, and ones that each become eighteen, end as a hundred at most."""
    assert query_of("連" * 10_000) == "连" * LONGEST
    assert len(query_of("\ufdfa" * 10_000)) <= LONGEST
    assert query_of("  " * 5_000 + "silk") == "silk"


def test_tokens_are_words_once() -> None:
    """Order and repetition of words do not matter to a phrase."""
    assert tokens("Red dresses, red!") == tokens("dress RED") == {"red", "dress"}


def test_a_text_s_pairs_are_neighbours_within_a_part() -> None:
    """连衣裙 has two pairs, a character alone one, "cup" three; nothing pairs across parts."""
    assert [len(keys_of([part])[0]) for part in ("连衣裙", "裙", "cup")] == [2, 1, 3]
    apart, split = keys_of(["连衣裙"], ["cup"])
    assert (len(apart), split) == (5, 2)
    assert not set(keys_of(["连"])[0]) & set(keys_of(["连衣"])[0])


def test_pairs_keep_their_numbers_while_the_table_grows() -> None:
    """Ten thousand pairs get ten thousand numbers, in order of appearance, that later look-ups give again."""
    table, parts = Numbers(), [chr(0x4E00 + n // 100) + chr(0x5E00 + n % 100) for n in range(10_000)]
    keys, _ = keys_of(parts)
    first = numbered(table, keys[:100])
    assert first.tolist() == list(range(100))
    assert numbered(table, keys).tolist() == list(range(10_000))
    assert found(table, keys).tolist() == list(range(10_000))
    assert found(table, keys_of(["never"])[0]).tolist() == [-1] * 5


def test_equal_terms_are_counted_together() -> None:
    """Terms 3, 1, 3 and, behind the split, 1 weigh 1 + ½ and 2."""
    terms, sums = counted(np.array([3, 1, 3, 1], np.int32), 3, 1.0, 0.5)
    assert (terms.tolist(), sums.tolist()) == ([1, 3], [1.5, 2.0])
