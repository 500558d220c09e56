"""The log in a folder: damage, failing disks, versions."""

import resource
import shutil
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fieldline.errors import DataFolderError, LogCorrupt, LogWriteError
from fieldline.stores.log import FileLog
from fieldline.stores.segment import header

RECORD = 8 + 10  # bytes of a record of ten bytes in its file


def filled(folder: Path, count: int, per_segment: int) -> list[tuple[int, bytes]]:
    """Write records of ten bytes in sealed segments of so many, then close."""
    log = FileLog(folder, segment_bytes=24 + RECORD * per_segment)
    records = [(n, b"%010d" % n) for n in range(count)]
    for _, payload in records:
        log.append([payload]).wait()
    log.close()
    return records


def flip(path: Path, at: int) -> None:
    """Flip a bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def test_a_reopened_log_goes_on_in_its_last_file(tmp_path: Path) -> None:
    """Reopening a whole log makes no new file and continues its positions."""
    records = filled(tmp_path, 5, per_segment=3)
    names = sorted(path.name for path in tmp_path.iterdir())
    log = FileLog(tmp_path)
    assert log.recovered == ()
    log.append([b"more"]).wait()
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    again = FileLog(tmp_path)
    assert list(again.read()) == [*records, (5, b"more")]
    again.close()


def test_damage_inside_is_reported_and_passed(tmp_path: Path) -> None:
    """A damaged record of an early segment costs the rest of it; later positions stay what they were."""
    records = filled(tmp_path, 9, per_segment=4)
    first = tmp_path / "00000001.log"
    flip(first, 24 + RECORD + 9)
    log = FileLog(tmp_path)
    (damage,) = log.recovered
    assert (damage.file, damage.offset, damage.lost) == (str(first), 24 + RECORD, 3)
    assert str(damage) == (
        f"{first} is damaged at byte {24 + RECORD}: "
        "a record is cut off, or its checksum is wrong; 3 records lost"
    )
    assert list(log.read()) == [records[0], *records[4:]]
    assert list(log.read(2)) == records[4:]
    assert log.get(7) == records[7][1]
    for lost in (1, 2, 3):
        with pytest.raises(IndexError):
            log.get(lost)
    assert log.end == 9
    log.close()


def test_a_damaged_seal_costs_nothing(tmp_path: Path) -> None:
    """A flipped bit in a seal is reported with its offset and no record is lost."""
    records = filled(tmp_path, 9, per_segment=4)
    flip(tmp_path / "00000001.log", 24 + 4 * RECORD + 9)
    log = FileLog(tmp_path)
    assert [(damage.offset, damage.lost) for damage in log.recovered] == [(24 + 4 * RECORD, 0)]
    assert list(log.read()) == records
    log.close()


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """Without one segment its records are counted as lost and all others are read."""
    records = filled(tmp_path, 9, per_segment=3)
    (tmp_path / "00000002.log").unlink()
    log = FileLog(tmp_path)
    assert [(Path(damage.file).name, damage.lost) for damage in log.recovered] == [("00000001.log", 3)]
    assert list(log.read()) == records[:3] + records[6:]
    log.close()


def test_a_damaged_header_costs_its_file(tmp_path: Path) -> None:
    """A segment without a readable header is reported once with all its records and the others are read."""
    records = filled(tmp_path, 9, per_segment=3)
    flip(tmp_path / "00000002.log", 3)
    log = FileLog(tmp_path)
    assert [(Path(d.file).name, d.offset, d.lost) for d in log.recovered] == [("00000002.log", 0, 3)]
    assert list(log.read()) == records[:3] + records[6:]
    log.close()


def test_zeros_after_a_crash_are_no_records(tmp_path: Path) -> None:
    """A tail of zeros, as a power cut leaves it, is reported where it begins; the records before it stay."""
    records = filled(tmp_path, 2, per_segment=9)
    path = tmp_path / "00000001.log"
    path.write_bytes(path.read_bytes() + bytes(4096))
    log = FileLog(tmp_path)
    assert [(damage.offset, damage.lost) for damage in log.recovered] == [(24 + 2 * RECORD, None)]
    assert list(log.read()) == records
    log.close()
    again = FileLog(tmp_path)
    assert [damage.lost for damage in again.recovered] == [0]
    again.close()


def test_a_snapshots_position_is_never_used_again(tmp_path: Path) -> None:
    """A log that lost records which a snapshot has seen goes on at its position and says what is missing."""
    filled(tmp_path, 4, per_segment=9)
    log = FileLog(tmp_path, at_least=10)
    assert [(damage.offset, damage.lost) for damage in log.recovered] == [(24 + 4 * RECORD, 6)]
    assert log.append([b"new"]).end == 11
    log.close()
    again = FileLog(tmp_path, at_least=10)
    assert list(again.read(4)) == [(10, b"new")]
    assert [damage.lost for damage in again.recovered] == [6]
    again.close()


def test_an_empty_folder_behind_a_snapshot_is_reported(tmp_path: Path) -> None:
    """A folder that lost all its segments is reported, and positions go on at the snapshot's."""
    log = FileLog(tmp_path, at_least=10)
    assert [damage.file for damage in log.recovered] == [str(tmp_path)]
    assert (log.start, log.end) == (10, 10)
    log.close()


def test_a_newer_log_is_refused(tmp_path: Path) -> None:
    """A segment of a newer version is refused in one line, and the folder stays as it was."""
    path = tmp_path / "00000001.log"
    path.write_bytes(header(0, version=99))
    with pytest.raises(
        DataFolderError, match=r"00000001.log is of log version 99; this program reads up to \d+$"
    ):
        FileLog(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["00000001.log"]


def test_a_record_that_rots_while_open_is_noticed(tmp_path: Path) -> None:
    """A record changed after opening is refused with its file and offset when it is read."""
    filled(tmp_path, 3, per_segment=9)
    log = FileLog(tmp_path)
    flip(tmp_path / "00000001.log", 24 + RECORD + 12)
    with pytest.raises(LogCorrupt) as refusal:
        log.get(1)
    assert (refusal.value.file, refusal.value.offset) == (str(tmp_path / "00000001.log"), 24 + RECORD)
    assert log.get(0) == b"%010d" % 0
    log.close()


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow past a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_acknowledges_nothing(tmp_path: Path) -> None:
    """When a write fails its commits fail, later appends refuse, and what was acknowledged is read again."""
    log = FileLog(tmp_path)
    log.append([b"kept"]).wait()
    told: list[bool] = []
    with disk_with_room_for(100):
        commit = log.append([bytes([1]) * 200])
        commit.add_done_callback(lambda done: told.append(done.done()))
        with pytest.raises(LogWriteError, match="could not be made durable"):
            commit.wait()
    with pytest.raises(LogWriteError):
        log.append([b"later"])
    assert list(log.read()) == [(0, b"kept")]
    log.close()
    assert told == [True]
    again = FileLog(tmp_path)
    assert list(again.read()) == [(0, b"kept")]
    assert [(damage.offset, damage.lost) for damage in again.recovered] == [(24 + 8 + 4, None)]
    again.append([b"later"]).wait()
    assert again.get(1) == b"later"
    again.close()


def test_many_threads_share_one_log(tmp_path: Path) -> None:
    """Batches of several threads are all there, each whole and each thread's in its order."""
    log = FileLog(tmp_path, segment_bytes=2_000)

    def work(name: int) -> None:
        for n in range(100):
            log.append([b"%d %d %d" % (name, n, part) for part in range(3)])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.seal().wait()
    rows = [tuple(map(int, payload.split())) for _, payload in log.read()]
    for name in range(4):
        assert [row[1:] for row in rows if row[0] == name] == [
            (n, part) for n in range(100) for part in range(3)
        ]
    assert all(rows[at : at + 3] == [(*rows[at][:2], part) for part in range(3)] for at in range(0, 1_200, 3))
    log.close()


def test_a_wait_can_give_up(tmp_path: Path) -> None:
    """A wait with a timeout raises TimeoutError while the writer is held up, and the record still arrives."""
    log = FileLog(tmp_path)
    entered, release = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        entered.set()
        release.wait(30)

    with log.changed:  # the writer cannot finish the first append before it has its callback
        log.append([b"x"]).add_done_callback(hold)
    assert entered.wait(30)
    commit = log.append([b"y"])
    with pytest.raises(TimeoutError, match="not durable after"):
        commit.wait(0.001)
    assert not commit.done()
    release.set()
    commit.wait(30)
    assert list(log.read()) == [(0, b"x"), (1, b"y")]
    log.close()


def test_the_format_is_the_documented_one(tmp_path: Path) -> None:
    """A segment reads byte for byte as documented: header, record, seal."""
    log = FileLog(tmp_path)
    log.append([b"ab"])
    log.seal().wait()
    log.close()
    head = b"FIELDLOG" + struct.pack("<I", 1)
    first = struct.pack("<Q", 0)
    records = head + struct.pack("<I", zlib.crc32(first, zlib.crc32(head))) + first
    records += struct.pack("<II", 2, zlib.crc32(b"ab", 2)) + b"ab"
    seal = bytes(8) + struct.pack("<Q", 24)
    trailer = struct.pack("<QII", 1, zlib.crc32(records), zlib.crc32(seal, 1))
    assert (tmp_path / "00000001.log").read_bytes() == records + seal + trailer


def test_unfinished_segments_are_swept(tmp_path: Path) -> None:
    """A segment that was never finished making is removed at the next start, with no damage to report."""
    filled(tmp_path, 2, per_segment=9)
    (tmp_path / "00000002.new").write_bytes(b"FIEL")
    log = FileLog(tmp_path)
    assert log.recovered == ()
    assert not (tmp_path / "00000002.new").exists()
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["00000001.log"]


def test_a_copied_folder_is_the_same_log(tmp_path: Path) -> None:
    """A copy of a log's files taken between two appends opens as the log was then."""
    log = FileLog(tmp_path / "a")
    log.append([b"x"]).wait()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    log.append([b"y"]).wait()
    copy = FileLog(tmp_path / "b")
    assert list(copy.read()) == [(0, b"x")]
    copy.close()
    log.close()
