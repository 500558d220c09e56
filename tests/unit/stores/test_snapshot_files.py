"""Snapshots in files: damage, versions, what is left behind."""

import struct
import zlib
from pathlib import Path

import pytest

from fieldline.errors import DataFolderError
from fieldline.stores.snapshot import FileSnapshots


def files(folder: Path) -> list[Path]:
    """The snapshots of a folder, oldest first."""
    return sorted(folder.iterdir())


@pytest.mark.parametrize("at", [0, 8, 12, 16, 24, 32, 36])
def test_a_damaged_snapshot_is_skipped(tmp_path: Path, at: int) -> None:
    """With any part of the newest file changed, the one before it is the newest."""
    snapshots = FileSnapshots(tmp_path)
    snapshots.save(1, b"older")
    snapshots.save(2, b"newer")
    raw = bytearray(files(tmp_path)[1].read_bytes())
    raw[at] ^= 1
    files(tmp_path)[1].write_bytes(raw)
    assert snapshots.newest() == (1, b"older")


def test_a_cut_snapshot_is_skipped(tmp_path: Path) -> None:
    """However short the newest file is cut, the one before it is the newest; with both cut there is none."""
    snapshots = FileSnapshots(tmp_path)
    snapshots.save(1, b"older")
    snapshots.save(2, b"newer")
    older, newer = files(tmp_path)
    whole = newer.read_bytes()
    for length in range(len(whole)):
        newer.write_bytes(whole[:length])
        assert snapshots.newest() == (1, b"older")
    older.write_bytes(b"")
    assert snapshots.newest() is None


def test_snapshots_are_there_after_reopening(tmp_path: Path) -> None:
    """A second process sees the newest snapshot, and what was never finished is swept."""
    FileSnapshots(tmp_path).save(7, b"state")
    (tmp_path / "00000000000000000009.snapshot.new").write_bytes(b"half")
    again = FileSnapshots(tmp_path)
    assert again.newest() == (7, b"state")
    assert len(files(tmp_path)) == 1


def test_a_newer_snapshot_is_refused(tmp_path: Path) -> None:
    """A whole snapshot of a newer version is refused in one line rather than skipped."""
    scope = struct.pack("<IQQ", 99, 5, 3)
    head = b"FIELDSNP" + struct.pack("<I", zlib.crc32(b"new", zlib.crc32(scope))) + scope
    (tmp_path / f"{5:020d}.snapshot").write_bytes(head + b"new")
    with pytest.raises(DataFolderError, match=r"of snapshot version 99; this program reads up to \d+$"):
        FileSnapshots(tmp_path).newest()
