"""Snapshots in a folder: the engine's encoded state beside the log position it stands for.

One file each, uncompressed (ADR 0002): magic, CRC-32 of all that follows u32, snapshot version u32, position
u64, length u64, state. All numbers are little-endian.
"""

import logging
import zlib
from pathlib import Path
from struct import Struct

from fieldline.errors import DataFolderError
from fieldline.stores.disk import sync_folder, write_whole

MAGIC = b"FIELDSNP"
SNAPSHOT_VERSION = 1
KEPT = 2

_HEADER = Struct("<8sIIQQ")
_SCOPE = Struct("<IQQ")
_logger = logging.getLogger(__name__)


class FileSnapshots:
    """Snapshots in a folder, the two newest kept.

    Args:
        folder: where they are; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.new"):
            unfinished.unlink()
        self._folder = folder

    def save(self, position: int, state: bytes) -> None:
        """Store a snapshot durably and drop the older ones but one.

        Raises:
            OSError: it could not be written; the earlier ones are as they were.
        """
        crc = zlib.crc32(state, zlib.crc32(_SCOPE.pack(SNAPSHOT_VERSION, position, len(state))))
        head = _HEADER.pack(MAGIC, crc, SNAPSHOT_VERSION, position, len(state))
        write_whole(self._folder / f"{position:020d}.snapshot", head, state)
        for old in self._files()[:-KEPT]:
            old.unlink()
        sync_folder(self._folder)

    def newest(self) -> tuple[int, bytes] | None:
        """Return the newest snapshot that is whole, or None; a damaged one is logged and skipped.

        Raises:
            DataFolderError: the newest is of a newer version than this program.
        """
        for path in reversed(self._files()):
            if (snapshot := _read(path)) is not None:
                return snapshot
            _logger.warning("the snapshot %s is damaged and was skipped", path)
        return None

    def positions(self) -> tuple[int, ...]:
        """Return the positions of the kept snapshots, oldest first."""
        return tuple(int(path.stem) for path in self._files())

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.snapshot") if path.stem.isdecimal())


def _read(path: Path) -> tuple[int, bytes] | None:
    data = path.read_bytes()
    if len(data) < _HEADER.size:
        return None
    magic, crc, version, position, length = _HEADER.unpack_from(data)
    state = data[_HEADER.size :]
    if magic != MAGIC or zlib.crc32(state, zlib.crc32(_SCOPE.pack(version, position, length))) != crc:
        return None
    if version > SNAPSHOT_VERSION:
        raise DataFolderError(
            f"{path} is of snapshot version {version}; this program reads up to {SNAPSHOT_VERSION}"
        )
    return position, state
