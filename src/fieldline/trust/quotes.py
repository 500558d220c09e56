"""Quotes: which of a merchant's reviews are shown, and what of their words.

A quote is the run of whole sentences of a review, at most 120 characters, that says most. Greedily the next one is
that with the most weight of words nobody said before it,

    gain(q) = Σ_{w ∈ q, not said yet} weight(w)/√(1 + |q|/40)        weight(w) = n_w/N·ln(1 + N/n_w)

n_w of N quotable reviews holding the word, and never one that nearly repeats another. Praise and criticism have places
by their shares among the reviews, at least one each where there are both. Source: Lin and Bilmes (ACL 2011).
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from fieldline.trust.voices import Quotable

LONGEST = 120
"""Characters of a quote."""
READ = 600
MOST_SENTENCES = 30
"""Characters and sentences of a review from which a quote is taken."""
ALIKE = 0.5
"""Share of pairs of characters in common from which on two quotes say the same."""
SIDE = 0.2
"""How far stars and words together must lie from the middle to be praise, or criticism."""
SAME_PRODUCT = 2.0
"""How much more a quote about the product that is asked for counts."""
MASK = "***"

Mood = Literal["praise", "criticism", "even"]

_WIDE = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_DATE = r"(?!(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}(?![-\d]))"
_HIDDEN = (
    re.compile(r"(?:https?://|www\.)[A-Za-z0-9./?=&_%#:~+-]+", re.IGNORECASE),
    re.compile(r"[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64})+"),
    re.compile(
        r"(?<![A-Za-z0-9.-])(?:[A-Za-z0-9-]{1,63}\.){1,4}"
        r"(?:com|cn|net|org|top|shop|xyz|vip|cc|me|io|info|club|site|link|app|tv|ly|hk|tw)"
        r"(?![A-Za-z])(?:/[A-Za-z0-9./?=&_%#:~+-]*)?",
        re.IGNORECASE,
    ),
    re.compile(rf"{_DATE}(?<!\d)\+?\d(?:[-\s.]?\d){{6,}}"),
    re.compile("[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{7,}"),
)
_ACCOUNT = re.compile(
    r"(?P<label>微信|薇信|威信|维信|[vV]信|扣扣|企鹅号|(?<![A-Za-z])(?:wechat|weixin|telegram|whatsapp|wx|vx|qq|加\s?v))"
    r"(?P<between>[\s号是为加我的:：]{0,6})(?P<id>[A-Za-z0-9][A-Za-z0-9_-]{4,63})",
    re.IGNORECASE,
)
_ENDS = re.compile(r"(?<=[。！？!?…；;])|(?<=\.)\s|\n")
_LETTER = re.compile(r"[^\W\d_]")
_PARTS = re.compile("[\u3400-\u9fff\uf900-\ufaff]+|[a-z]{3,}")
_SAID_BY_ALL = frozenset(
    [
        "非常",
        "这个",
        "那个",
        "没有",
        "还是",
        "就是",
        "可以",
        "但是",
        "一个",
        "自己",
        "觉得",
        "真的",
        "比较",
        "因为",
        "所以",
        "不过",
        "而且",
        "如果",
        "感觉",
        "东西",
        "我们",
        "他们",
        "什么",
        "怎么",
        "已经",
        "还有",
        "这样",
        "一下",
        "有点",
        "一些",
        "时候",
        "这么",
        "不是",
        "the",
        "and",
        "was",
        "for",
        "that",
        "this",
        "with",
        "are",
        "have",
        "not",
        "but",
        "very",
        "you",
        "they",
    ]
)


class Quote(NamedTuple):
    """One quote."""

    review: Quotable
    text: str
    mood: Mood


class _Candidate(NamedTuple):
    quote: Quote
    words: frozenset[str]
    pairs: frozenset[str]


def quotes_of(reviews: Sequence[Quotable], most: int, product: str | None = None) -> list[Quote]:
    """Return the quotes to show, the most telling praise first, then the criticism, then what adds most.

    Args:
        reviews: those that may be quoted.
        most: how many at most.
        product: whose reviews count more.

    Returns:
        At most one quote of each buyer; none nearly repeats another.
    """
    read = [(review, _read(clean(review.text))) for review in reviews]
    counts = Counter(word for _, sentences in read for word in {w for _, words in sentences for w in words})
    weight = {word: n / len(read) * math.log(1.0 + len(read) / n) for word, n in counts.items()}
    found = [_best(review, sentences, weight) for review, sentences in read]
    left = [candidate for candidate in found if candidate is not None]
    chosen: list[_Candidate] = []
    for moods, count in _places([candidate.quote.mood for candidate in left], most):
        while count > 0 and (best := _next(left, chosen, moods, weight, product)) is not None:
            chosen.append(best)
            left.remove(best)
            count -= 1  # noqa: PLW2901
    for best in iter(lambda: _next(left, chosen, ("praise", "criticism", "even"), weight, product), None):
        if len(chosen) >= most:
            break
        chosen.append(best)
        left.remove(best)
    return [candidate.quote for candidate in chosen]


def mood_of(stars: int, tone: float | None) -> Mood:
    """Return whether a review praises: its stars on a scale from −1 to 1, averaged with its words where they were read.

    Args:
        stars: 1 to 5.
        tone: from −1 to 1, or None.
    """
    side = (stars - 3) / 2.0
    side = side if tone is None else (side + tone) / 2.0
    return "praise" if side > SIDE else "criticism" if side < -SIDE else "even"


def clean(text: str) -> str:
    """Return a text as it may be shown: no invisible characters, no way to reach anybody; markup stays plain text.

    Args:
        text: as it was written.

    Returns:
        Web and mail addresses, telephone numbers and names on messengers are masked.
    """
    shown = "".join(c if c.isprintable() else "\n" if c == "\n" else "" for c in text.translate(_WIDE))
    shown = _ACCOUNT.sub(_masked, shown)
    for pattern in _HIDDEN:
        shown = pattern.sub(MASK, shown)
    return shown


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each with what ends it; signs without a letter belong to the one before."""
    found: list[str] = []
    for piece in _ENDS.split(text):
        bare = piece.strip()
        if not bare:
            continue
        if found and not _LETTER.search(bare):
            found[-1] += bare
        else:
            found.append(bare)
    return found


def words(text: str) -> list[str]:
    """Return the words of a text that may be a topic: two Chinese characters or three letters at least."""
    found: list[str] = []
    for part in _PARTS.findall(text.lower()):
        found += [part] if part.isascii() else [word for word in _cut()(part, False) if len(word) > 1]
    return [word for word in found if word not in _SAID_BY_ALL]


def _read(text: str) -> list[tuple[str, list[str]]]:
    """The sentences of a review's beginning and their words; one that is cut off there is left out."""
    found = sentences(text[:READ])
    whole = found[:-1] if len(text) > READ else found
    return [(sentence, words(sentence)) for sentence in whole[:MOST_SENTENCES]]


def _best(review: Quotable, read: list[tuple[str, list[str]]], weight: dict[str, float]) -> _Candidate | None:
    """The run of sentences that says most, the earliest of equals; None where no sentence fits."""
    best: tuple[float, str, frozenset[str]] | None = None
    for first in range(len(read)):
        text, held = "", set[str]()
        for sentence, of in read[first:]:
            gap = " " if text and text[-1].isascii() and sentence[0].isascii() else ""
            if len(text) + len(gap) + len(sentence) > LONGEST:
                break
            text += gap + sentence
            held.update(of)
        if _LETTER.search(text):
            gain = _gain(text, held, weight)
            if best is None or gain > best[0]:
                best = gain, text, frozenset(held)
    if best is None:
        return None
    letters = "".join(_LETTER.findall(best[1])).lower()
    pairs = frozenset(letters[i : i + 2] for i in range(max(len(letters) - 1, 1)))
    return _Candidate(Quote(review, best[1], mood_of(review.stars, review.tone)), best[2], pairs)


def _places(moods: list[Mood], most: int) -> list[tuple[tuple[Mood, ...], int]]:
    """How many places each side has: one each at least where there are both, criticism by its share."""
    above, below = moods.count("praise"), moods.count("criticism")
    if not above or not below or most < 2:
        return []
    share = min(max(round(most * below / len(moods)), 1), most - 1)
    return [(("praise",), 1), (("criticism",), share), (("praise", "even"), most - 1 - share)]


def _next(
    left: list[_Candidate],
    chosen: list[_Candidate],
    moods: tuple[Mood, ...],
    weight: dict[str, float],
    product: str | None,
) -> _Candidate | None:
    """The candidate that adds most to those chosen, the newest of equals; None where none may come beside them."""
    said = frozenset[str]().union(*(other.words for other in chosen))
    buyers = {other.quote.review.viewer for other in chosen}
    best: tuple[tuple[float, int, str], _Candidate] | None = None
    for candidate in left:
        quote = candidate.quote
        if quote.mood not in moods or quote.review.viewer in buyers:
            continue
        if any(_alike(candidate.pairs, other.pairs) for other in chosen):
            continue
        about = SAME_PRODUCT if product is not None and quote.review.product == product else 1.0
        rank = about * _gain(quote.text, candidate.words - said, weight), quote.review.at, quote.review.id
        if best is None or rank > best[0]:
            best = rank, candidate
    return best[1] if best else None


def _gain(text: str, held: Collection[str], weight: dict[str, float]) -> float:
    return math.fsum(weight[word] for word in held) / math.sqrt(1.0 + len(text) / 40.0)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) >= ALIKE * len(a | b)


def _masked(found: re.Match[str]) -> str:
    """A messenger's name with what follows masked, if that is an account rather than a word."""
    named = any(sign in "号是为:：" for sign in found["between"])
    if named or any(c.isdigit() or c == "_" for c in found["id"]):
        return found["label"] + found["between"] + MASK
    return found[0]


@cache
def _cut() -> Any:
    from rjieba import Jieba  # its own dictionary: what others add to the shared one must not change words

    return Jieba().cut
