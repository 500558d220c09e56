"""Recovery: the newest snapshot's state, the log's facts after it, and what the records took that the log did not."""

import msgspec

from fieldline import engine
from fieldline.app.journal import Journal
from fieldline.errors import DataFolderError, StaleSnapshot
from fieldline.facts import Policy, decode, encode
from fieldline.ports import EventLog, Snapshots


class _Saved(msgspec.Struct, frozen=True):
    """A snapshot: the state, and where in the log its decisions stand."""

    state: bytes
    positions: dict[str, int]


def begin(log: EventLog, snapshots: Snapshots, policy: Policy) -> tuple[engine.State, dict[str, int], int]:
    """Return the state to begin with, its decisions' positions, and the position in the log of what it lacks.

    Args:
        log: an empty one is given its first fact.
        snapshots: the newest is taken, unless a program of another version wrote it.
        policy: of an engine that has no log yet.

    Raises:
        DataFolderError: without the snapshot, which cannot be read, too little of the log is left.
    """
    found = _newest(log, snapshots)
    if log.end == 0:
        log.append([encode(policy)]).wait()
        return engine.init(policy), {}, log.end
    return found or (engine.State(policy=policy), {}, 0)


def finish(journal: Journal, start: int) -> None:
    """Fold the log from a position on, then what was typed and, the process having died, is not in it."""
    for position, payload in journal.log.read(start):
        journal.fold(position, decode(payload))
    journal.catch_up()
    journal.note_heard()
    if journal.node:
        journal.take(*journal.node.unlogged(journal.state.book, journal.state.now))


def save(journal: Journal, snapshots: Snapshots) -> None:
    """Save the state beside its place in the log."""
    journal.last.wait()
    journal.positions = {
        id: place for id, place in journal.positions.items() if id in journal.state.outcomes.decided
    }
    saved = _Saved(engine.encode(journal.state), journal.positions)
    snapshots.save(journal.log.end, msgspec.msgpack.encode(saved))


def _newest(log: EventLog, snapshots: Snapshots) -> tuple[engine.State, dict[str, int], int] | None:
    newest = snapshots.newest()
    if newest is None:
        return None
    start, data = newest
    saved = msgspec.msgpack.decode(data, type=_Saved)
    try:
        return engine.decode(saved.state), saved.positions, start
    except StaleSnapshot:
        first = next(log.read(0), (start, b""))[0]
        if first > 0:
            raise DataFolderError(
                f"the snapshot is of another version and the log before record {first} was compacted; "
                "use the version that wrote it"
            ) from None
        return None
