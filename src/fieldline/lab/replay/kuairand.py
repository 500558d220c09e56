"""Reads a KuaiRand feed log from a folder: people, creators, videos and every logged look, in order of time.

The folder holds `log_*.parquet` (all are read); beside them `user_features*.csv`, `user_sequences*.parquet`
and `video_features_basic*.csv` where there are any. Viewers, authors and videos that only the log names are
known by what the log says of them. Of a video watched twice before the log, both looks count as long if
one was. Source: Gao et al., CIKM 2022.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from fieldline.errors import DataFolderError
from fieldline.facts import Creator, Merchant, Video, Viewer
from fieldline.units import DAY, HOUR

CHINA = 8 * HOUR
"""The platform's days begin at midnight in UTC+8."""
TABS = 15
SCENES = tuple(f"tab{tab}" for tab in range(TABS))

TRAITS = (
    "user_active_degree",
    "is_lowactive_period",
    "is_live_streamer",
    "is_video_author",
    "follow_user_num_range",
    "fans_user_num_range",
    "friend_user_num_range",
    "register_days_range",
)
"""Columns of the user features that become traits; the anonymised ones add nothing to the predictions."""

FURTHER = ("is_like", "is_follow", "is_hate", "play_time_ms")
"""Columns that a log may lack; −1 stands for them then."""


@dataclass(frozen=True, slots=True)
class FeedLog:
    """A feed log: the catalogue as facts, and one row a look in order of time."""

    viewers: tuple[Viewer, ...]
    creators: tuple[Creator, ...]
    merchants: tuple[Merchant, ...]
    """Every author as a merchant of the same id, so that contracts can stand on authors."""
    videos: tuple[Video, ...]
    at: NDArray[np.int64]  # [n] ms
    viewer: NDArray[np.int32]  # [n] index into viewers
    video: NDArray[np.int32]  # [n] index into videos
    author: NDArray[np.int32]  # [n] index into creators
    scene: NDArray[np.int32]  # [n] tab
    click: NDArray[np.bool_]  # [n]
    long_view: NDArray[np.bool_]  # [n]
    like: NDArray[np.int8]  # [n] 0 or 1; here and below −1 where the log does not tell
    follow: NDArray[np.int8]  # [n]
    hate: NDArray[np.int8]  # [n]
    played_ms: NDArray[np.int64]  # [n]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def day(self) -> NDArray[np.int64]:
        """Return each look's day, counted from 1970-01-01 in UTC+8."""
        return (self.at + CHINA) // DAY


def read(folder: Path, limit: int | None = None) -> FeedLog:
    """Return the feed log of a folder, or its first looks.

    Raises:
        DataFolderError: the folder is missing, holds no log, or a file is not what its name says.
    """
    if not folder.is_dir():
        raise DataFolderError(f"no folder {folder}")
    logs = sorted(str(path) for path in folder.glob("log_*.parquet"))
    if not logs:
        raise DataFolderError(f"{folder} holds no log_*.parquet")
    try:
        with duckdb.connect() as db:
            return _assemble(db, folder, logs, limit)
    except duckdb.Error as error:
        raise DataFolderError(f"{folder} cannot be read: {str(error).splitlines()[0]}") from None


def _assemble(db: duckdb.DuckDBPyConnection, folder: Path, logs: list[str], limit: int | None) -> FeedLog:
    there = _columns(db, logs)
    told = ", ".join(name if name in there else f"-1 as {name}" for name in FURTHER)
    looks = db.execute(
        f"select time_ms, user_id, video_id, tab, is_click, long_view, {told}"
        " from read_parquet($1, union_by_name = true) order by time_ms, user_id, video_id",
        [logs],
    ).fetchnumpy()
    looks = {name: column[:limit] for name, column in looks.items()}
    if not len(looks["time_ms"]):
        raise DataFolderError(f"{folder} holds a log without rows")
    videos = _videos(db, folder, logs)
    viewers = _viewers(db, folder, looks["user_id"])
    authors = sorted({video.creator for video in videos.values()}, key=lambda name: int(name[1:]))
    places = {name: index for index, name in enumerate(authors)}
    of_video = np.array([places[video.creator] for video in videos.values()], np.int32)
    video = _indices(videos, looks["video_id"])
    return FeedLog(
        viewers=tuple(viewers.values()),
        creators=tuple(Creator(id=name) for name in authors),
        merchants=tuple(Merchant(id=name) for name in authors),
        videos=tuple(videos.values()),
        at=np.asarray(looks["time_ms"], np.int64),
        viewer=_indices(viewers, looks["user_id"]),
        video=video,
        author=of_video[video],
        scene=np.asarray(looks["tab"], np.int32),
        click=np.asarray(looks["is_click"]) > 0,
        long_view=np.asarray(looks["long_view"]) > 0,
        like=np.asarray(looks["is_like"], np.int8),
        follow=np.asarray(looks["is_follow"], np.int8),
        hate=np.asarray(looks["is_hate"], np.int8),
        played_ms=np.asarray(looks["play_time_ms"], np.int64),
    )


def _columns(db: duckdb.DuckDBPyConnection, logs: list[str]) -> set[str]:
    columns = db.execute("describe select * from read_parquet($1, union_by_name = true)", [logs]).fetchall()
    return {column[0] for column in columns}


def _videos(db: duckdb.DuckDBPyConnection, folder: Path, logs: list[str]) -> dict[int, Video]:
    there = _columns(db, logs)
    told = {"author_id": "author_id", "duration_ms": "video_duration", "tag": "tag"}
    chosen = (
        ", ".join(f"min({name}) as {as_}" for name, as_ in told.items() if name in there) or "1 as nothing"
    )
    query = f"select video_id, {chosen} from read_parquet($1, union_by_name = true) group by video_id"
    said = {row["video_id"]: row for row in _rows(db, query, logs)}
    for path in sorted(folder.glob("video_features_basic*.csv")):
        said |= {row["video_id"]: row for row in _rows(db, "select * from read_csv($1)", str(path))}
    return {number: _video(said[number]) for number in sorted(said)}


def _video(row: dict[str, Any]) -> Video:
    tags = str(row.get("tag") or "unknown").split(",")
    words = [f"tag={tag}" for tag in tags]
    words += [f"{name}={row[name]}" for name in ("video_type", "upload_type", "music_type") if row.get(name)]
    author = f"a{row.get('author_id', row['video_id'])}"  # a video whose author nobody tells is its own
    return Video(
        id=f"v{row['video_id']}",
        creator=author,
        merchant=author,
        category=tags[0],
        scenes=SCENES,
        duration_ms=max(0, int(row.get("video_duration") or 0)),
        traits=tuple(words),
        uploaded_at=_midnight(row.get("upload_dt")),
    )


def _midnight(day: date | None) -> int:
    if day is None:
        return 0
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000) - CHINA


def _viewers(db: duckdb.DuckDBPyConnection, folder: Path, in_log: NDArray[np.int64]) -> dict[int, Viewer]:
    traits: dict[int, tuple[str, ...]] = {int(number): () for number in in_log}
    for path in sorted(folder.glob("user_features*.csv")):
        for row in _rows(db, "select * from read_csv($1)", str(path)):
            traits[row["user_id"]] = tuple(
                f"{name}={row[name]}" for name in TRAITS if row.get(name) is not None
            )
    past: dict[int, tuple[Sequence[int], frozenset[int], Sequence[int]]] = {}
    for path in sorted(folder.glob("user_sequences*.parquet")):
        for row in _rows(db, "select * from read_parquet($1)", str(path)):
            past[row["user_id"]] = (
                row["watch_seq"],
                frozenset(row["long_watch_seq"]),
                row.get("like_seq") or (),
            )
    nothing: tuple[Sequence[int], frozenset[int], Sequence[int]] = ((), frozenset(), ())
    return {
        number: _viewer(number, traits.get(number, ()), *past.get(number, nothing))
        for number in sorted(traits.keys() | past.keys())
    }


def _viewer(
    number: int,
    traits: tuple[str, ...],
    watched: Sequence[int],
    long: frozenset[int],
    hearted: Sequence[int],
) -> Viewer:
    return Viewer(
        id=f"u{number}",
        traits=traits,
        watched=tuple(f"v{video}" for video in watched),
        liked=tuple(f"v{video}" for video in watched if video in long),
        hearted=tuple(f"v{video}" for video in hearted),
    )


def _indices(known: dict[int, Any], ids: NDArray[np.int64]) -> NDArray[np.int32]:
    keys = np.fromiter(known, np.int64, len(known))
    return np.searchsorted(keys, np.asarray(ids)).astype(np.int32)


def _rows(db: duckdb.DuckDBPyConnection, query: str, argument: str | list[str]) -> Iterator[dict[str, Any]]:
    result = db.execute(query, [argument])
    names = [column[0] for column in result.description or ()]
    for row in result.fetchall():
        yield dict(zip(names, row, strict=True))
