"""Segments: the files of the event log, how one is framed, checked, sealed and found in.

    header   "FIELDLOG", log version u32, CRC-32 u32, first position u64
    record   length u32 (never 0), CRC-32 of the payload begun at the length u32, payload
    seal     eight zero bytes, the offset of every 64th record u64, then count u64, CRC-32 of all before the
             seal u32, CRC-32 of the seal u32

All numbers are little-endian. A run of zeros is what a crash leaves, so it is no record. The seal is written
when a segment is closed: it lets a start check a whole segment with one CRC instead of one per record.
"""

import os
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

from fieldline.errors import DataFolderError, LogCorrupt
from fieldline.facts import LOG_VERSION

MAGIC = b"FIELDLOG"
STRIDE = 64
"""Records between two points of a segment's index."""

_HEADER = Struct("<8sIIQ")
_PREFIX = Struct("<8sI")
_RECORD = Struct("<II")
_TRAILER = Struct("<QII")
_NO_RECORD = bytes(8)


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where a log file stops being readable, and how many records that costs (None: not known)."""

    file: str
    offset: int
    reason: str
    lost: int | None

    def __str__(self) -> str:
        cost = "records may be lost" if self.lost is None else f"{self.lost} records lost"
        return f"{self.file} is damaged at byte {self.offset}: {self.reason}; {cost}"


@dataclass(slots=True)
class Segment:
    """One file of the log: its first position, and its whole records up to `size` bytes."""

    path: Path
    first: int
    count: int = 0
    size: int = _HEADER.size
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    """The offset of every 64th record."""
    crc: int = 0
    """CRC-32 of the file's first `size` bytes."""

    @property
    def stop(self) -> int:
        """The position after its last whole record."""
        return self.first + self.count

    def grow(self, buffer: bytes, lengths: Sequence[int]) -> None:
        """Take note of records that were written, so that readers see them."""
        offset, seen = self.size, 0
        for index in range(-self.count % STRIDE, len(lengths), STRIDE):
            offset += sum(lengths[seen:index]) + _RECORD.size * (index - seen)
            self.offsets.append(offset)
            seen = index
        self.crc = zlib.crc32(buffer, self.crc)
        self.size += len(buffer)
        self.count += len(lengths)  # last: a reader on another thread goes by it

    def read(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Yield (position, payload) of the records in [start, stop), each checked.

        Raises:
            LogCorrupt: a record that was whole when the log was opened is not any more.
        """
        with self.path.open("rb", buffering=0) as file:
            for block in range((start - self.first) // STRIDE, (stop - self.first + STRIDE - 1) // STRIDE):
                base = self.offsets[block]
                end = self.offsets[block + 1] if block + 1 < len(self.offsets) else self.size
                data = os.pread(file.fileno(), end - base, base)
                low = self.first + block * STRIDE
                at = 0
                for position in range(low, min(low + STRIDE, stop)):
                    payload, after = record_at(data, at)
                    if payload is None:
                        raise LogCorrupt(str(self.path), base + at, "a record changed since it was written")
                    if position >= start:
                        yield position, payload
                    at = after

    def seal(self) -> bytes:
        """Return the bytes that close the segment."""
        body = _NO_RECORD + _words(self.offsets)
        return body + _TRAILER.pack(self.count, self.crc, zlib.crc32(body, self.count & 0xFFFFFFFF))


def header(first: int, version: int = LOG_VERSION) -> bytes:
    """Return the header of a segment whose first record has this position."""
    crc = zlib.crc32(first.to_bytes(8, "little"), zlib.crc32(_PREFIX.pack(MAGIC, version)))
    return _HEADER.pack(MAGIC, version, crc, first)


def framed(payloads: Sequence[bytes]) -> tuple[bytes, list[int]]:
    """Return records as they stand in a file, and the length of each payload."""
    lengths = list(map(len, payloads))
    parts: list[bytes] = [b""] * (2 * len(payloads))
    parts[0::2] = map(_RECORD.pack, lengths, map(zlib.crc32, payloads, lengths))
    parts[1::2] = payloads
    return b"".join(parts), lengths


def record_at(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Return the payload of the record at an offset (None: there is no whole one) and where it ends."""
    if at + _RECORD.size > len(data):
        return None, at
    length, crc = _RECORD.unpack_from(data, at)
    start = at + _RECORD.size
    payload = data[start : start + length]
    if length == 0 or len(payload) < length or zlib.crc32(payload, length) != crc:
        return None, at
    return payload, start + length


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file of the log holds: its segment (None: no header), what is wrong, whether it is sealed."""

    path: Path
    segment: Segment | None
    damage: str | None
    sealed: bool = False


def opened(path: Path) -> Opened:
    """Read and check a segment: by its seal where it has one, else record by record.

    Raises:
        DataFolderError: the segment is of a newer version than this program.
    """
    data = path.read_bytes()
    head = data[: _HEADER.size]
    if len(head) < _HEADER.size:
        return Opened(path, None, "the header is cut off")
    _, version, _, first = _HEADER.unpack(head)
    if head != header(first, version):
        return Opened(path, None, "the header is no log header, or its checksum is wrong")
    if version > LOG_VERSION:
        raise DataFolderError(f"{path} is of log version {version}; this program reads up to {LOG_VERSION}")
    return _by_seal(path, first, data) or _by_record(path, first, data)


def _by_seal(path: Path, first: int, data: bytes) -> Opened | None:
    if len(data) < _HEADER.size + len(_NO_RECORD) + _TRAILER.size:
        return None
    count, crc, own = _TRAILER.unpack_from(data, len(data) - _TRAILER.size)
    points = 8 * ((count + STRIDE - 1) // STRIDE)
    size = len(data) - _TRAILER.size - points - len(_NO_RECORD)
    if size < _HEADER.size:
        return None
    body = data[size : len(data) - _TRAILER.size]
    if zlib.crc32(body, count & 0xFFFFFFFF) != own or zlib.crc32(memoryview(data)[:size]) != crc:
        return None
    return Opened(
        path, Segment(path, first, count, size, _from_words(body[len(_NO_RECORD) :]), crc), None, sealed=True
    )


def _by_record(path: Path, first: int, data: bytes) -> Opened:
    segment = Segment(path, first)
    at = _HEADER.size
    while at < len(data):
        payload, after = record_at(data, at)
        if payload is None:
            break
        if segment.count % STRIDE == 0:
            segment.offsets.append(at)
        segment.count += 1
        at = after
    segment.size = at
    segment.crc = zlib.crc32(memoryview(data)[:at])
    if at == len(data):
        return Opened(path, segment, None)
    if data[at : at + len(_NO_RECORD)] == _NO_RECORD:
        return Opened(path, segment, "the seal is damaged, or zeros follow the last whole record")
    return Opened(path, segment, "a record is cut off, or its checksum is wrong")


def _words(offsets: "array[int]") -> bytes:
    return Struct(f"<{len(offsets)}Q").pack(*offsets)


def _from_words(data: bytes) -> "array[int]":
    return array("Q", Struct(f"<{len(data) // 8}Q").unpack(data))
