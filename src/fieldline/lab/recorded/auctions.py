"""Recorded auctions: files of clicks, market prices and predicted chances, read strictly.

A file `NNNN.validation.txt`, plain or gzipped, holds `dim TAB T`, then for each episode a line `index` (or
`index TAB cost`) and T lines `click TAB price TAB chance`. Nothing is skipped: a line that is not as it should be
refuses the file.
Source: the iPinYou auctions in the form of Cai et al., WSDM 2017.
"""

import gzip
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Refused

NAME = re.compile(r"(\d+)\.validation\.txt(?:\.gz)?")
WHOLE = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign's auctions, episode by episode as recorded."""

    name: str
    clicks: NDArray[np.float64]
    """[episodes, T], 0 or 1."""
    prices: NDArray[np.float64]
    """[episodes, T], the market's price: the least bid that wins, in fen per 1000 impressions."""
    chances: NDArray[np.float64]
    """[episodes, T], predicted chance of a click, in (0, 1)."""


def read_folder(folder: Path) -> list[Campaign]:
    """Return every campaign of a folder, by name.

    Raises:
        Refused: no such folder or file, a campaign twice, or a malformed line, with its file and number.
    """
    if not folder.is_dir():
        raise Refused("data", f"{folder} is not a folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        match = NAME.fullmatch(path.name)
        if match is None:
            continue
        if match[1] in found:
            raise Refused("data", f"{found[match[1]].name} and {path.name} are the same campaign")
        found[match[1]] = path
    if not found:
        raise Refused("data", f"{folder} holds no NNNN.validation.txt or NNNN.validation.txt.gz")
    return [read(path, name) for name, path in sorted(found.items())]


def read(path: Path, name: str) -> Campaign:
    """Return the campaign that one file records.

    Raises:
        Refused: a malformed line, with file, line number and reason; or a file that cannot be read.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("ascii")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Refused(path.name, f"cannot be read: {error}") from error
    lines = text.removesuffix("\n").split("\n")
    per_episode = _length(lines[0], f"{path.name}:1")
    if len(lines) < 2:
        raise Refused(f"{path.name}:2", "the file ends before its first episode")
    rows = list(_rows(lines, per_episode, path.name))
    table = np.array(rows, np.float64).reshape(-1, per_episode, 3)  # [episodes, T, 3]
    return Campaign(name=name, clicks=table[:, :, 0], prices=table[:, :, 1], chances=table[:, :, 2])


def _length(line: str, where: str) -> int:
    parts = line.split("\t")
    if len(parts) != 2 or not all(WHOLE.fullmatch(part) for part in parts) or int(parts[1]) < 1:
        raise Refused(where, f"expected 'dim TAB T' with T ≥ 1, found {line!r}")
    return int(parts[1])


def _rows(lines: list[str], per_episode: int, file: str) -> Iterator[tuple[float, float, float]]:
    for start in range(1, len(lines), per_episode + 1):
        _index(lines[start], f"{file}:{start + 1}")
        if start + per_episode >= len(lines):
            found = len(lines) - start - 1
            raise Refused(f"{file}:{len(lines)}", f"the file ends after {found} of {per_episode} auctions")
        for at in range(start + 1, start + per_episode + 1):
            yield _auction(lines[at], f"{file}:{at + 1}")


def _index(line: str, where: str) -> None:
    parts = line.split("\t")
    if len(parts) > 2 or WHOLE.fullmatch(parts[0]) is None or (len(parts) == 2 and not _is_cost(parts[1])):
        raise Refused(where, f"expected an episode's 'index' or 'index TAB cost', found {line!r}")


def _is_cost(text: str) -> bool:
    number = _number(text)
    return math.isfinite(number) and number >= 0.0


def _auction(line: str, where: str) -> tuple[float, float, float]:
    parts = line.split("\t")
    if len(parts) != 3:
        raise Refused(where, f"expected 'click TAB price TAB chance', found {line!r}")
    click, price, chance = parts
    if click not in {"0", "1"}:
        raise Refused(where, f"click must be 0 or 1, found {click!r}")
    if WHOLE.fullmatch(price) is None:
        raise Refused(where, f"price must be a whole number ≥ 0, found {price!r}")
    number = _number(chance)
    if not 0.0 < number < 1.0:
        raise Refused(where, f"chance must lie between 0 and 1, found {chance!r}")
    return float(click), float(price), number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
