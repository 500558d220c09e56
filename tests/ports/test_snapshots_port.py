"""Every store of snapshots keeps the promises of `fieldline.ports.Snapshots`."""

from pathlib import Path

import pytest

from fieldline.ports import Snapshots
from fieldline.stores import open_snapshots
from fieldline.stores.memory import MemorySnapshots
from fieldline.stores.snapshot import FileSnapshots

Kept = MemorySnapshots | FileSnapshots


@pytest.fixture(params=["memory", "file"])
def snapshots(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """An empty store of each kind."""
    return open_snapshots("memory:" if request.param == "memory" else (tmp_path / "snapshots").as_uri())


def as_port(snapshots: Kept) -> Snapshots:
    """The type checker sees here that each store is a Snapshots."""
    return snapshots


def test_an_empty_store_has_none(snapshots: Kept) -> None:
    """Without a snapshot the newest is None."""
    assert as_port(snapshots).newest() is None
    assert snapshots.positions() == ()


def test_the_newest_is_the_furthest(snapshots: Kept) -> None:
    """The newest snapshot is the one of the greatest position, byte for byte, and two are kept."""
    for position, state in ((5, b"five"), (900, bytes(range(256))), (70, b"")):
        as_port(snapshots).save(position, state)
    assert as_port(snapshots).newest() == (900, bytes(range(256)))
    assert snapshots.positions() == (70, 900)


def test_a_position_can_be_saved_again(snapshots: Kept) -> None:
    """Saving at the same position replaces that snapshot and drops no other."""
    snapshots.save(1, b"one")
    snapshots.save(2, b"two")
    snapshots.save(2, b"two again")
    assert snapshots.newest() == (2, b"two again")
    assert snapshots.positions() == (1, 2)
