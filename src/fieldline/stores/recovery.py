"""What a folder of segments holds: the records up to the first damage of each file, and what is lost."""

from dataclasses import dataclass
from pathlib import Path

from fieldline.stores.segment import Damage, Opened, Segment, opened


@dataclass(frozen=True, slots=True)
class Recovery:
    """The readable segments in order, what is wrong, and whether the last file may be written on."""

    segments: list[Segment]
    damages: tuple[Damage, ...]
    usable: bool


def segment_files(folder: Path) -> list[Path]:
    """Return the segments of a folder in the order in which they were written."""
    return sorted(path for path in folder.glob("*.log") if path.stem.isdecimal())


def recover(folder: Path, at_least: int) -> Recovery:
    """Read a folder of segments; nothing in it is changed.

    Args:
        folder: where the segments are.
        at_least: a position that is known to have been reached (a snapshot's), 0 where none is.

    Raises:
        DataFolderError: a segment is of a newer version than this program.
    """
    files = [opened(path) for path in segment_files(folder)]
    segments = [file.segment for file in files if file.segment]
    if not files:
        missing = Damage(str(folder), 0, "no segment is left", None)
        return Recovery([], (missing,) if at_least else (), usable=False)
    end = segments[-1].stop if segments else 0
    damages = []
    upcoming = at_least if at_least > end else None
    for index in range(len(files) - 1, -1, -1):
        headless = index + 1 < len(files) and files[index + 1].segment is None
        if damage := _damage(files[index], _stop(files, index), upcoming, headless):
            damages.append(damage)
        upcoming = segment.first if (segment := files[index].segment) else upcoming
    last = files[-1]
    usable = last.segment is not None and last.damage is None and not last.sealed and at_least <= end
    return Recovery(segments, tuple(reversed(damages)), usable)


def _stop(files: list[Opened], index: int) -> int | None:
    """Return the position after the last record up to and in a file."""
    return next((segment.stop for file in files[index::-1] if (segment := file.segment)), None)


def _damage(file: Opened, stop: int | None, upcoming: int | None, headless: bool) -> Damage | None:
    lost = None if upcoming is None or stop is None else max(upcoming - stop, 0)
    if file.damage is not None:
        return Damage(str(file.path), file.segment.size if file.segment else 0, file.damage, lost)
    if file.segment and lost and not headless:  # a headless follower's own damage tells what is lost
        return Damage(str(file.path), file.segment.size, "the records after it are missing", lost)
    return None
