"""Sentiment: whether a review praises or criticises, read from its characters by a linear model.

    z = bias + Σ_{g ∈ known} weight_g / √|known|        score = 2/(1 + e^−(slope·z + shift)) − 1

*known* are the different runs of one to three characters of the text that the model has a weight for. The score is
multiplied by min(1, a/0.3)·min(1, k/0.3), a being the share of the text's letters in the script that the model learned
from and k the share of its runs that are known: what the model cannot read is neutral.
Source: NB-SVM (Wang and Manning, ACL 2012); calibration: Platt (1999).
"""

import math
import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.errors import ModelRefused

FORMAT = 1
READ = 2_000
"""Characters of a text that are read."""
LONGEST_GRAM = 3
SLOTS_LOG2 = 22
BEGIN, END = "\x02", "\x03"
ENOUGH = 0.3
"""Share of a text's letters, and of its runs of characters, that must be legible for its score to count in full."""
MOST_BYTES = 32 << 20

_TAG = re.compile(r"<[^<>]{0,200}>")
_RUN = re.compile(r"(.)\1{3,}")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file of a model says of itself: its first line, in JSON."""

    format: int
    name: str
    slots_log2: int
    longest_gram: int
    bias: float
    slope: float
    """Of the calibration, over z."""
    shift: float
    han: bool
    """Whether what it learned from is Chinese for the most part."""
    reviews: int
    """How many it learned from."""
    sha256: str = ""
    """Digest of the weights, packed as they are in the file, in hex; `write` fills it in."""


@dataclass(frozen=True, slots=True)
class Sentiment:
    """One model."""

    declared: Declared
    weights: NDArray[np.float32]  # [2^slots_log2], 0 where a slot is not known

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return how much each text praises or criticises.

        Args:
            texts: whatever they hold; what is no text counts as an empty one.

        Returns:
            float32 [n] in [−1, 1]: 2·P(praise) − 1; 0 where there is nothing to read.
        """
        return np.array([self._score(text if isinstance(text, str) else "") for text in texts], np.float32)

    def tone(self, text: str) -> float | None:
        """Return the score of one text; None where there is nothing that the model can read."""
        return self._score(text) or None

    def _score(self, text: str) -> float:
        plain = normalised(text)
        legible = _share(plain, self.declared.han)
        if legible == 0.0:
            return 0.0
        slots = _slots_of(plain)
        total, known = summed(slots, self.weights)
        of = self.declared
        logit = of.slope * (of.bias + float(total) / math.sqrt(max(int(known), 1))) + of.shift
        return (
            math.tanh(logit / 2.0) * min(legible / ENOUGH, 1.0) * min(int(known) / len(slots) / ENOUGH, 1.0)
        )


def open_sentiment(file: str) -> Sentiment | None:
    """Return the model in a file, ready to read; None without a file.

    Raises:
        ModelRefused: it is not what it says it is.
    """
    if not file:
        return None
    model = read(Path(file))
    model.score(("好",))  # compiles what reading needs
    return model


def normalised(text: str) -> str:
    """Return what is read of a text: its first characters in one form, without markup, spaces and long repetitions.

    Source: Unicode NFKC; OpenCC's t2s.
    """
    plain = unicodedata.normalize("NFKC", _TAG.sub(" ", text[:READ])).lower()
    plain = "".join(plain[:READ].split())
    if not plain.isprintable():
        plain = "".join(c for c in plain if c.isprintable())
    return _RUN.sub(r"\1\1\1", plain if plain.isascii() else _simplify()(plain))


def grams(text: str) -> NDArray[np.int64]:
    """Return the slots of a text's runs of one to three characters, ascending, each once.

    Its beginning and its end count as characters of their own.
    """
    return _slots_of(normalised(text))


def is_han(text: str) -> bool:
    """Return whether most of a text's letters are Chinese."""
    return _share(normalised(text), True) > 0.5


def pack(weights: NDArray[np.float32]) -> bytes:
    """Return weights as they are kept in a file: half precision, deflated."""
    return zlib.compress(weights.astype(np.float16).tobytes(), 9)


def write(file: Path, model: Sentiment) -> None:
    """Write a model: its declaration on the first line, its weights after it; the digest is filled in."""
    packed = pack(model.weights)
    stamped = msgspec.structs.replace(model.declared, sha256=sha256(packed).hexdigest())
    file.write_bytes(msgspec.json.encode(stamped) + b"\n" + packed)


def read(file: Path) -> Sentiment:
    """Return the model in a file.

    Raises:
        ModelRefused: the file is missing, too large, garbled, of another format, or not what it declares.
    """
    if file.is_symlink() or not file.is_file():
        raise ModelRefused(file, ("is missing, or no plain file",))
    if file.stat().st_size > MOST_BYTES:
        raise ModelRefused(file, (f"is larger than {MOST_BYTES >> 20} MiB",))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ModelRefused(file, (f"cannot be read: {error.strerror}",)) from None
    head, _, packed = data.partition(b"\n")
    try:
        declared = msgspec.json.decode(head, type=Declared)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(file, (f"declaration: {error}",)) from None
    found = _differences(declared, packed)
    if found:
        raise ModelRefused(file, found)
    size = 2 << declared.slots_log2
    try:
        plain = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise ModelRefused(file, (f"weights: {error}",)) from None
    if len(plain) != size:
        raise ModelRefused(file, (f"has weights of another size than {size} bytes",))
    weights = np.frombuffer(plain, np.float16).astype(np.float32)
    if not np.isfinite(weights).all():
        raise ModelRefused(file, ("has weights that are no numbers",))
    return Sentiment(declared, weights)


def _differences(declared: Declared, packed: bytes) -> tuple[str, ...]:
    found = []
    for name, given, expected in (
        ("format", declared.format, FORMAT),
        ("slots_log2", declared.slots_log2, SLOTS_LOG2),
        ("longest_gram", declared.longest_gram, LONGEST_GRAM),
        ("sha256", declared.sha256 or "none", sha256(packed).hexdigest()),
    ):
        if given != expected:
            found.append(f"{name} is {given}, expected {expected}")
    if not 1 <= len(declared.name) <= 64:
        found.append("name must have 1 to 64 characters")
    return tuple(found)


def _share(text: str, han: bool) -> float:
    """Share of a normalised text's letters that are Chinese, or that are not; 0 where it has none."""
    letters = sum(map(str.isalpha, text))
    if not letters:
        return 0.0
    share = len(_HAN.findall(text)) / letters
    return share if han else 1.0 - share


def _slots_of(plain: str) -> NDArray[np.int64]:
    codes = np.frombuffer(f"{BEGIN}{plain}{END}".encode("utf-32-le"), np.uint32)
    return np.unique(_slots(codes, LONGEST_GRAM, SLOTS_LOG2))


@njit
def _slots(codes: NDArray[np.uint32], longest: int, bits: int) -> NDArray[np.int64]:
    count = len(codes)
    out = np.empty(count * longest, np.int64)
    mask = np.uint64((1 << bits) - 1)
    k = 0
    for i in range(count):
        h = np.uint64(0xCBF29CE484222325)  # FNV-1a over characters, finished by a mixing step
        for j in range(i, min(i + longest, count)):
            h = (h ^ np.uint64(codes[j])) * np.uint64(0x100000001B3)
            x = (h ^ (h >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            if j > i or 0 < i < count - 1:  # the ends of a text alone say nothing
                out[k] = np.int64((x ^ (x >> np.uint64(32))) & mask)
                k += 1
    return out[:k]


@njit
def summed(slots: NDArray[np.int64], weights: NDArray[np.float32]) -> tuple[float, int]:
    """Return the sum of the weights of slots, and how many of them have one."""
    total, known = 0.0, 0
    for i in range(len(slots)):
        weight = weights[slots[i]]
        total += weight
        known += weight != 0.0
    return total, known


@cache
def _simplify() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s").convert
