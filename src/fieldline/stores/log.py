"""The event log in a folder: segments, one writer thread, group commit, recovery to the last whole record.

`append` hands records to the writer, which writes and syncs whatever has gathered meanwhile in one go.
Positions count all records ever appended; records lost to damage leave a gap, so that a position always means
one record. Source: ADR 0002.
"""

import logging
import os
import threading
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

from fieldline.errors import LogWriteError
from fieldline.stores.disk import sync_folder, write_all
from fieldline.stores.recovery import recover, segment_files
from fieldline.stores.segment import Segment, framed, header

SEGMENT_BYTES = 64 << 20
GATHERED = 1_024
"""Most appends of one group commit."""
GATHER_S = 0.005
"""How long a group gathers before it is synced: fewer syncs cost the server less than the wait costs a client."""

_sync = getattr(os, "fdatasync", os.fsync)
_logger = logging.getLogger(__name__)


class FileCommit:
    """The promise that what was handed to the writer up to a turn is on the disk."""

    __slots__ = ("_callbacks", "_log", "end", "turn")

    def __init__(self, log: "FileLog", turn: int, end: int) -> None:
        self._log = log
        self.turn = turn
        self.end = end
        self._callbacks: list[Callable[[FileCommit], object]] = []

    def done(self) -> bool:
        """Return whether `wait` would return, or raise, at once."""
        return self._log.turn >= self.turn or self._log.failure is not None

    def wait(self, timeout: float | None = None) -> None:
        """Block until the records are on the disk.

        Raises:
            LogWriteError: they could not be made durable.
            TimeoutError: the timeout (seconds) passed first; the records are still under way.
        """
        if self._log.turn < self.turn:
            self._log.await_turn(self.turn, timeout)

    def add_done_callback(self, fn: "Callable[[FileCommit], object]") -> None:
        """Call `fn(commit)` when done: at once if it is, else on the writer's thread, which must not wait."""
        with self._log.changed:
            if not self.done():
                self._callbacks.append(fn)
                return
        fn(self)

    def settle(self) -> None:
        """Call the callbacks; the log does this once."""
        for fn in self._callbacks:
            try:
                fn(self)
            except Exception:  # one caller's mistake must not stop the log
                _logger.exception("a callback of a commit failed")


_Appended = tuple[Sequence[bytes] | None, FileCommit]  # None: close the segment


class FileLog:
    """An event log in a folder of segments.

    Args:
        folder: where the segments are; made when missing.
        segment_bytes: a segment is closed once it has passed this size.
        at_least: the least position of the next record (the newest snapshot's, so that a damaged log never
            gives a position twice that the snapshot has seen).

    Raises:
        DataFolderError: a segment is of a newer version than this program.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES, at_least: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.new"):
            unfinished.unlink()
        self._folder = folder
        self._segment_bytes = segment_bytes
        recovery = recover(folder, at_least)
        self._segments = recovery.segments
        self.recovered = recovery.damages
        for damage in self.recovered:
            _logger.warning("%s", damage)
        self.durable = max(self._segments[-1].stop if self._segments else 0, at_least)
        self.turn = 0
        self.failure: BaseException | None = None
        self.changed = threading.Condition()
        self._end = self.durable
        self._turns = 0
        self._closed = False
        if recovery.usable:
            self._file = os.open(self._segments[-1].path, os.O_WRONLY | os.O_APPEND)
            _sync(self._file)  # what a killed process wrote may be in the page cache only
        else:
            self._file = self._new_segment(self.durable)
        self._queue: SimpleQueue[_Appended | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="fieldline-log", daemon=True)
        self._writer.start()

    @property
    def start(self) -> int:
        """Return the position of the oldest record that is still here."""
        return self._segments[0].first

    @property
    def closed(self) -> int:
        """Return the position up to which segments are closed: what compaction may take."""
        return self._segments[-1].first

    @property
    def end(self) -> int:
        """Return the position that the next record will have."""
        return self._end

    def append(self, payloads: Sequence[bytes]) -> FileCommit:
        """Append records in order and return the promise of their durability.

        Raises:
            LogWriteError: an earlier write failed, or the log is closed.
            ValueError: a payload is empty.
        """
        if not all(payloads):
            raise ValueError("a log record has at least one byte")
        return self._hand_over(tuple(payloads), len(payloads))

    def seal(self) -> FileCommit:
        """Close the current segment, unless empty, so that compaction may take all that was appended."""
        return self._hand_over(None, 0)

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (position, payload) of the records from a position on that are durable when reading begins.

        Raises:
            LogCorrupt: a record that was whole when the log was opened is not any more.
        """
        with self.changed:
            stop, segments = self.durable, list(self._segments)
        for segment, limit in _spans(segments, stop):
            if start < limit:
                yield from segment.read(max(start, segment.first), limit)

    def get(self, position: int) -> bytes:
        """Return one record, waiting for it where it is still under way.

        Raises:
            IndexError: no such record: not appended, lost to damage, or dropped after compaction.
            LogCorrupt: it was whole when the log was opened and is not any more.
            LogWriteError: it could not be made durable.
        """
        if self.durable <= position < self._end:
            self._hand_over((), 0).wait()
        with self.changed:
            place = bisect_right(self._segments, position, key=lambda segment: segment.first) - 1
            segment = self._segments[max(place, 0)]
        if not segment.first <= position < min(segment.stop, self.durable):
            raise IndexError(f"the log has no record {position}")
        return next(segment.read(position, position + 1))[1]

    def drop(self, before: int) -> tuple[Path, ...]:
        """Remove the closed segments whose records all come before a position; return their files."""
        with self.changed:
            gone = [segment for segment, stop in _spans(self._segments[:-1], self.closed) if stop <= before]
            self._segments = [segment for segment in self._segments if segment not in gone]
        for segment in gone:
            segment.path.unlink()
        sync_folder(self._folder)
        return tuple(segment.path for segment in gone)

    def close(self) -> None:
        """Make everything durable and let go of the files; commits tell whether it could be."""
        with self.changed:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._writer.join()
        os.close(self._file)

    def await_turn(self, turn: int, timeout: float | None = None) -> None:
        """Block until what was handed over up to a turn is on the disk: `FileCommit.wait`."""
        with self.changed:
            reached = self.changed.wait_for(lambda: self.turn >= turn or self.failure is not None, timeout)
            if not reached:
                raise TimeoutError(f"the records are not durable after {timeout} s")
            if self.turn < turn:
                raise _write_error(self.failure)

    def _hand_over(self, payloads: Sequence[bytes] | None, count: int) -> FileCommit:
        with self.changed:
            if self.failure is not None:
                raise _write_error(self.failure)
            if self._closed:
                raise LogWriteError("the log is closed")
            self._end += count
            self._turns += 1
            commit = FileCommit(self, self._turns, self._end)
            self._queue.put((payloads, commit))
        return commit

    def _batches(self) -> Iterator[list[_Appended]]:
        item = self._queue.get()
        while item is not None:
            time.sleep(GATHER_S)
            batch = [item]
            while len(batch) < GATHERED and not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    break
                batch.append(item)
            yield batch
            if item is not None:
                item = self._queue.get()

    def _write(self) -> None:
        for batch in self._batches():
            try:
                self._store([payload for payloads, _ in batch for payload in payloads or ()])
                if any(payloads is None for payloads, _ in batch):
                    self._close_segment()
            except BaseException as error:
                self._fail(error, [commit for _, commit in batch])
                if isinstance(error, OSError):
                    return
                raise
            with self.changed:
                self.durable, self.turn = batch[-1][1].end, batch[-1][1].turn
                self.changed.notify_all()
            for _, commit in batch:
                commit.settle()

    def _store(self, payloads: list[bytes]) -> None:
        if payloads:
            buffer, lengths = framed(payloads)
            write_all(self._file, buffer)
            _sync(self._file)
            self._segments[-1].grow(buffer, lengths)
        if self._segments[-1].size >= self._segment_bytes:
            self._close_segment()

    def _close_segment(self) -> None:
        live = self._segments[-1]
        if live.count:
            write_all(self._file, live.seal())
            _sync(self._file)
            before = self._file
            self._file = self._new_segment(live.stop)
            os.close(before)

    def _new_segment(self, first: int) -> int:
        number = max((int(path.stem) for path in segment_files(self._folder)), default=0) + 1
        path = self._folder / f"{number:08d}.log"
        unfinished = path.with_suffix(".new")
        file = os.open(unfinished, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        head = header(first)
        write_all(file, head)
        _sync(file)
        unfinished.rename(path)
        sync_folder(self._folder)
        self._segments.append(Segment(path, first, crc=zlib.crc32(head)))
        return file

    def _fail(self, error: BaseException, commits: list[FileCommit]) -> None:
        _logger.error("the log in %s takes no more records: %s", self._folder, error)
        with self.changed:
            self.failure = error
            while not self._queue.empty():
                item = self._queue.get()
                commits += [item[1]] if item else []
            self.changed.notify_all()
        for commit in commits:
            commit.settle()


def _spans(segments: list[Segment], stop: int) -> Iterator[tuple[Segment, int]]:
    """Yield segments with the position where each ends; a recovered segment ends where the next begins."""
    for index, segment in enumerate(segments):
        limit = segments[index + 1].first if index + 1 < len(segments) else stop
        yield segment, min(segment.stop, limit, stop)


def _write_error(cause: BaseException | None) -> LogWriteError:
    error = LogWriteError(f"records could not be made durable: {cause}")
    error.__cause__ = cause
    return error
