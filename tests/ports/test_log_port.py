"""Every event log keeps the promises of `fieldline.ports.EventLog`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fieldline.errors import LogWriteError
from fieldline.ports import Commit, EventLog
from fieldline.stores import open_log
from fieldline.stores.log import FileLog
from fieldline.stores.memory import MemoryLog

Log = MemoryLog | FileLog


@pytest.fixture(params=["memory", "file", "file with many segments"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    """An empty log of each kind."""
    opened: dict[str, Callable[[], Log]] = {
        "memory": lambda: open_log("memory:"),
        "file": lambda: open_log((tmp_path / "log").as_uri()),
        "file with many segments": lambda: FileLog(tmp_path / "log", segment_bytes=64),
    }
    log = opened[request.param]()
    yield log
    log.close()


def as_port(log: Log) -> EventLog:
    """The type checker sees here that each log is an EventLog."""
    return log


def test_records_come_back_in_order_with_their_positions(log: Log) -> None:
    """What was appended in batches is read back in order, numbered from 0."""
    port = as_port(log)
    port.append([b"a", b"bb"])
    port.append([])
    port.append([b"ccc"]).wait()
    assert list(port.read()) == [(0, b"a"), (1, b"bb"), (2, b"ccc")]
    assert port.end == 3


def test_reading_starts_anywhere(log: Log) -> None:
    """Reading from a position gives exactly the records from it on, for each of 300 positions."""
    payloads = [b"%d" % n for n in range(300)]
    for at in range(0, 300, 7):
        log.append(payloads[at : at + 7]).wait()
    for start in range(301):
        assert list(log.read(start)) == list(enumerate(payloads))[start:]


def test_each_record_is_found_by_its_position(log: Log) -> None:
    """`get` gives every record, also those not yet waited for, and no other."""
    for n in range(200):
        log.append([b"%d" % n])
    assert [log.get(n) for n in range(200)] == [b"%d" % n for n in range(200)]
    for nowhere in (-1, 200):
        with pytest.raises(IndexError):
            log.get(nowhere)


def test_the_end_counts_at_once(log: Log) -> None:
    """`end` is the next position as soon as append returns."""
    ends = []
    for _ in range(3):
        log.append([b"x", b"y"])
        ends.append(log.end)
    assert ends == [2, 4, 6]


def test_a_commit_is_done_after_waiting(log: Log) -> None:
    """After `wait` a commit is done, and a later callback is called at once with it."""
    commit = log.append([b"x"])
    commit.wait()
    called: list[Commit] = []
    commit.add_done_callback(called.append)
    assert commit.done()
    assert called == [commit]


def test_callbacks_are_called_once_each(log: Log) -> None:
    """Every callback of every commit has been called exactly once when a later append is durable."""
    called: list[int] = []

    def note(n: int) -> Callable[[object], None]:
        return lambda _: called.append(n)

    for n in range(50):
        log.append([b"x"]).add_done_callback(note(n))
    log.close()
    assert sorted(called) == list(range(50))


def test_a_failing_callback_harms_nobody(log: Log) -> None:
    """A callback that raises stops neither the log nor the next callback."""
    called: list[Commit] = []

    def fail(_: object) -> None:
        raise RuntimeError("the caller's mistake")

    commit = log.append([b"x"])
    try:
        commit.add_done_callback(fail)
    except RuntimeError:
        assert commit.done()  # called at once, in the caller's own hands
    commit.add_done_callback(called.append)
    log.append([b"y"]).wait()
    log.close()
    assert called == [commit]


def test_an_empty_record_is_refused(log: Log) -> None:
    """A batch with an empty record is refused whole and changes nothing."""
    log.append([b"x"]).wait()
    with pytest.raises(ValueError, match="at least one byte"):
        log.append([b"y", b""])
    assert list(log.read()) == [(0, b"x")]
    assert log.end == 1


def test_a_closed_log_takes_nothing(log: Log) -> None:
    """After closing (twice is once), append refuses and the records are as they were."""
    log.append([b"x"])
    log.close()
    log.close()
    with pytest.raises(LogWriteError):
        log.append([b"y"])
    assert list(log.read()) == [(0, b"x")]


def test_only_closed_covered_records_are_dropped(log: Log) -> None:
    """Dropping removes closed records before the position at most, and never what comes after it."""
    log.append([b"a", b"b"]).wait()
    log.seal().wait()
    log.append([b"c"]).wait()
    closed = log.closed
    log.drop(1)
    assert [record for record in log.read() if record[0] >= 1] == [(1, b"b"), (2, b"c")]
    log.drop(3)
    assert list(log.read()) == [(2, b"c")][: 3 - min(closed, 2)]
    assert log.start == 2
    assert log.end == 3
    with pytest.raises(IndexError):
        log.get(1)
    log.append([b"d"]).wait()
    assert log.get(3) == b"d"


def test_sealing_closes_all_that_was_appended(log: Log) -> None:
    """After sealing everything appended counts as closed, and sealing again changes nothing."""
    log.append([b"a", b"b"])
    log.seal().wait()
    log.seal().wait()
    assert log.closed == 2
    assert list(log.read()) == [(0, b"a"), (1, b"b")]
