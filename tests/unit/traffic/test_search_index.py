"""The index: what is relevant by hand, and what corrections are proposed."""

import math

import numpy as np
import pytest

from fieldline.traffic.search.correct import Sounds, corrected
from fieldline.traffic.search.find import best
from fieldline.traffic.search.index import Index, Text, known, put, relevance, remove
from fieldline.traffic.search.search import search

TITLES = (
    "白色蕾丝连衣裙 夏季",
    "红色连衣裙长款",
    "牛仔外套男",
    "女士运动鞋",
    "Ceramic tea pot set",
    "Red retrospot candle holder",
    "儿童雨伞",
    "手机壳 iPhone15",
    "碎花短袖连衣裙",
    "羽绒服冬季加厚",
)


def shop() -> Index:
    """The titles above, numbered from 0."""
    index = Index()
    for item, title in enumerate(TITLES):
        put(index, item, Text(title))
    return index


def found(index: Index, query: str) -> dict[int, float]:
    """Relevance by item."""
    items, relevances = relevance(index, query)
    return dict(zip(items.tolist(), relevances.tolist(), strict=True))


def test_relevance_is_bm25_over_what_the_query_could_get() -> None:
    """With no weight on pairs, one word of two in a title of two words gives the formula's number."""
    index = Index()
    for item, title in enumerate(("red cup", "blue cup saucer", "green plate")):
        put(index, item, Text(title))
    items, relevances = relevance(index, "red spoon", pairs_weight=0.0)
    rare = math.log(1.0 + 2.5 / 1.5)  # one text of three has it; a word that none has weighs as much
    length = 1.0 - 0.75 + 0.75 * 2.0 / (7.0 / 3.0)
    assert items.tolist() == [0]
    assert relevances[0] == pytest.approx(rare / (2.0 * rare) / (1.0 + 1.2 * length))


def test_a_word_in_a_category_or_name_counts_half() -> None:
    """The title's word is more relevant than the same word in the category."""
    index = Index()
    put(index, 0, Text("silk scarf", ("gifts",)))
    put(index, 1, Text("gifts scarf", ("silk",)))
    by_item = found(index, "silk")
    assert by_item[0] > by_item[1] > 0.0


def test_what_is_put_is_found_at_once_and_what_is_removed_no_more() -> None:
    """An item is found from its put on, by its new text after a change, and by nothing after its removal."""
    index = shop()
    assert 10 not in found(index, "丝巾")
    put(index, 10, Text("真丝丝巾"))
    assert 10 in found(index, "丝巾")
    put(index, 10, Text("羊毛围巾"))
    assert 10 not in found(index, "真丝")
    assert 10 in found(index, "围巾")
    remove(index, 10)
    assert 10 not in found(index, "围巾")
    assert known(index, "围巾") == 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lianyiqun", "连衣裙"),
        ("lian yi qun", "连衣裙"),
        ("lyq", "连衣裙"),
        ("连依裙", "连衣裙"),
        ("连衣群", "连衣裙"),
        ("shouji", "手机"),
        ("shoujilianyiqun", "手机连衣裙"),
        ("candel", "candle"),
        ("retrosppot", "retrospot"),
        ("teapot", "tea pot"),
        ("白色 yurongfu", "白色 羽绒服"),
    ],
)
def test_what_was_meant_is_proposed(typed: str, meant: str) -> None:
    """Pinyin, its initials, characters that sound the same and misspelt words become words of the index."""
    assert corrected(shop(), Sounds(), typed) == meant


@pytest.mark.parametrize(
    "typed", ["连衣裙", "红色 连衣裙", "ceramic pot", "zzzzzz", "x", "12345", "😀", "牛仔外套"]
)
def test_what_is_known_or_hopeless_stays(typed: str) -> None:
    """A query whose words the index has, or that is like none of them, is proposed unchanged."""
    assert corrected(shop(), Sounds(), typed) == typed


def test_a_correction_is_taken_only_where_it_finds_something_better() -> None:
    """连依裙 is searched as 连衣裙; what finds well as typed is searched as typed."""
    index, sounds = shop(), Sounds()
    assert search(index, sounds, "连依裙").searched == "连衣裙"
    assert search(index, sounds, "连依裙").items.tolist() == search(index, sounds, "连衣裙").items.tolist()
    assert search(index, sounds, "红色连衣裙长款").searched == "红色连衣裙长款"


@pytest.mark.parametrize("typed", ["裙", "裙子"])
def test_one_character_finds_the_words_that_have_it(typed: str) -> None:
    """A character alone, or with 子 behind it, finds what has it in a word, each as relevant as by that word."""
    index = shop()
    hits = search(index, Sounds(), typed)
    assert (hits.searched, hits.items.tolist()) == ("裙", [0, 1, 8])
    assert hits.relevance.tolist() == [found(index, "连衣裙")[item] for item in (0, 1, 8)]
    assert search(index, Sounds(), "猫").items.tolist() == []


def test_a_word_that_no_item_has_any_more_is_not_proposed() -> None:
    """Once the last candle is gone, candel stays candel."""
    index, sounds = shop(), Sounds()
    assert corrected(index, sounds, "candel") == "candle"
    assert corrected(index, sounds, "yusan") == "雨伞"
    remove(index, 5)
    remove(index, 6)
    assert corrected(index, sounds, "candel") == "candel"
    assert corrected(index, sounds, "yusan") == "yusan"


def test_the_best_are_kept_and_those_among_them_that_must_stay() -> None:
    """Of five, the limit keeps the two most relevant; one that must stay takes the place of the last."""
    items, relevances = np.array([5, 1, 4, 2, 3], np.int32), np.array([0.2, 0.3, 0.5, 0.5, 0.4])
    assert best(items, relevances, 2)[0].tolist() == [2, 4]
    assert best(items, relevances, 2, among=[5])[0].tolist() == [2, 5]
    many = np.tile(items, 10) + np.repeat(np.arange(10, dtype=np.int32) * 10, 5)
    assert best(many, np.tile(relevances, 10), 3, among=[5])[0].tolist() == [2, 4, 5]
