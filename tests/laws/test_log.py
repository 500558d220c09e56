"""Laws of the log's files: cuts lose only what comes after them, no flipped bit goes unnoticed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.stores.log import FileLog

batches = st.lists(
    st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8), min_size=1, max_size=8
)


@contextmanager
def written(
    appended: list[list[bytes]], segment_bytes: int
) -> Iterator[tuple[Path, list[tuple[int, bytes]]]]:
    """A closed log's folder and the records it was given."""
    with tempfile.TemporaryDirectory() as name:
        log = FileLog(Path(name), segment_bytes)
        for batch in appended:
            log.append(batch).wait()
        log.close()
        yield Path(name), list(enumerate(payload for batch in appended for payload in batch))


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=60, deadline=None)
@given(batches, st.data())
def test_a_cut_loses_only_what_comes_after_it(appended: list[list[bytes]], data: st.DataObject) -> None:
    """However a log's only file is cut, records before the cut stay, and the cut file is never written on."""
    with written(appended, 1 << 20) as (folder, records):
        (path,) = folder.iterdir()
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        ends = [24]
        for _, payload in records:
            ends.append(ends[-1] + 8 + len(payload))
        kept = sum(end <= cut for end in ends[1:])

        log = FileLog(folder)
        assert list(log.read()) == records[:kept]
        assert [(damage.file, damage.offset) for damage in log.recovered] == (
            [] if cut in ends else [(str(path), max((end for end in ends if end <= cut), default=0))]
        )
        log.append([b"after"]).wait()
        log.close()
        if cut not in ends:
            assert path.read_bytes() == whole[:cut]
        again = FileLog(folder)
        assert list(again.read()) == [*records[:kept], (kept, b"after")]
        again.close()


@settings(max_examples=80, deadline=None)
@given(batches, st.sampled_from([60, 200, 1 << 20]), st.integers(0, 7), st.data())
def test_a_flipped_bit_is_noticed(
    appended: list[list[bytes]], segment_bytes: int, bit: int, data: st.DataObject
) -> None:
    """Whichever bit of a log flips, the damage is reported in that file and no record comes back changed."""
    with written(appended, segment_bytes) as (folder, records):
        path = data.draw(st.sampled_from(sorted(folder.iterdir())))
        raw = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] ^= 1 << bit
        path.write_bytes(raw)
        before = content(folder)

        log = FileLog(folder)
        (damage,) = log.recovered
        assert damage.file == str(path)
        assert damage.offset <= at
        read = list(log.read())
        assert set(read) <= set(records)
        assert damage.lost in (None, len(records) - len(read))
        log.close()
        assert {name: raw for name, raw in content(folder).items() if name in before} == before


@settings(max_examples=40, deadline=None)
@given(batches, st.integers(30, 300))
def test_segments_do_not_change_what_is_read(appended: list[list[bytes]], segment_bytes: int) -> None:
    """Whatever the size of segments, a reopened log has the same records, finds each, and goes on."""
    with written(appended, segment_bytes) as (folder, records):
        log = FileLog(folder, segment_bytes)
        assert log.recovered == ()
        assert list(log.read()) == records
        assert [(position, log.get(position)) for position, _ in records] == records
        assert log.append([b"next"]).end == len(records) + 1
        log.close()
