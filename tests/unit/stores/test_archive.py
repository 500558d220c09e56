"""The archive: facts in Parquet, what is forgotten, what a crash leaves, what a query may do."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fieldline import facts
from fieldline.errors import DataFolderError, Refused, StoreError
from fieldline.facts import (
    AnyFact,
    Appeal,
    Assumed,
    Click,
    Creator,
    Decision,
    Delivery,
    Dialogue,
    Follow,
    Hate,
    Impression,
    IntentCorrected,
    IntentsReset,
    Lead,
    Leased,
    Like,
    LiveRoom,
    LongView,
    Merchant,
    Order,
    Outcome,
    Personalised,
    Place,
    Policy,
    Product,
    Redemption,
    Refund,
    Reply,
    Review,
    Ruling,
    Scene,
    Slot,
    Staged,
    StagedOffer,
    Tick,
    Typed,
    Video,
    Viewer,
    ViewerErased,
    Watched,
    Wish,
    WishEnded,
    WishPaused,
)
from fieldline.stores.columns import FACTS, tag_of
from fieldline.stores.log import FileLog
from fieldline.stores.parquet import Archive


def decision(id: str, viewer: str) -> Decision:
    """A decision of two slots, the first one paid."""
    slots = (Slot("i", "c", 500, 0.5, 0.25, 0.125, 3, 2), Slot("j", None, 0, 0.0, 0.0, 0.1, 0, 1))
    return Decision(
        id, 5, viewer, "video", slots, (0.9, 0.5), 40, True, 0.002, contenders=b"\x00\xff", landscape=b""
    )


def story(viewer: str) -> list[AnyFact]:
    """Facts of each type that name a viewer, one way or another."""
    return [
        Viewer(viewer, ("age=1",), place=Place(1.5, -2.5)),
        decision(f"d-{viewer}", viewer),
        Assumed(f"d-{viewer}", 5),
        Impression(f"i-{viewer}", 6, f"d-{viewer}", "i"),
        Click(f"c-{viewer}", 7, f"d-{viewer}", "i"),
        LongView(f"l-{viewer}", 8, f"d-{viewer}", "i"),
        Follow(f"f-{viewer}", 8, viewer, "creator"),
        Order(f"o-{viewer}", 9, viewer, "p", 900),
        Refund(f"r-{viewer}", 10, f"o-{viewer}", 900),
        Outcome(f"u-{viewer}", 11, viewer, "i", "video", True, False),
    ]


def later(viewer: str) -> list[AnyFact]:
    """What else a viewer does and says, a lease and the end of a wish."""
    slot = (f"d-{viewer}", "i")
    return [
        Lead(f"e-{viewer}", 11, viewer, "m"),
        Like(f"k-{viewer}", 11, *slot),
        Hate(f"h-{viewer}", 11, *slot),
        Watched(f"w-{viewer}", 11, *slot, 9_000),
        Redemption(f"x-{viewer}", 11, f"o-{viewer}"),
        Personalised(viewer, 11, False),
        IntentCorrected(viewer, 11, "tea", "ready"),
        IntentsReset(viewer, 12),
        Leased("wish1", 12, 500),
        WishEnded("wish1", 13),
    ]


def served(viewer: str) -> list[AnyFact]:
    """How a viewer was served, what they said, and what the merchant contested."""
    return [
        Delivery(f"g-{viewer}", 12, f"o-{viewer}", promised=11),
        Review(f"v-{viewer}", 13, f"o-{viewer}", 5, "好", tone=0.5),
        Reply(f"y-{viewer}", 14, f"v-{viewer}", "谢谢"),
        Dialogue(f"q-{viewer}", 14, viewer, "m", 9_000, solved=None),
    ]


CONTESTED: list[AnyFact] = [Appeal("a", 15, "m", "item", "i", "?"), Ruling("b", 16, "a", upheld=True)]
STAGED = Staged("room", 17, 1, (StagedOffer("p", 20),))


OTHERS: list[AnyFact] = [
    Creator("creator", "名"),
    Merchant("m", trust=0.25),
    Product("p", "m", price=900, stock=1),
    Video("i", "creator", product="p"),
    LiveRoom("room", "creator", ended_at=None),
    Wish("wish1", 1, 1, "storewide", "m", '{"goal":2}'),
    WishPaused("wish1", 2, True),
    Policy(scenes=(Scene("video", (0.9, 0.5)),)),
    Tick(12),
    Typed(3),
]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FileLog]:
    """An empty log."""
    log = FileLog(tmp_path / "log")
    yield log
    log.close()


def write(log: FileLog, written: Sequence[AnyFact], seal: bool = True) -> None:
    """Append facts durably and close their segment."""
    log.append([facts.encode(fact) for fact in written]).wait()
    if seal:
        log.seal().wait()


def naming(archive: Archive, log: FileLog, viewer: str) -> list[str]:
    """The types of facts that have a row naming a viewer in any text column, archived or not."""
    found = []
    for tag in FACTS:
        rows = archive.query(log, f'SELECT * FROM "{tag}"').rows
        if any(cell == viewer or str(cell).endswith(f"-{viewer}") for row in rows for cell in row):
            found.append(tag)
    return found


def test_every_type_of_fact_is_archived(tmp_path: Path, log: FileLog) -> None:
    """Each type has its view with the same rows before compaction as after, and each row its position."""
    written = [*OTHERS, *story("v"), *later("v"), *served("v"), *CONTESTED, STAGED]
    assert {tag_of(fact) for fact in written} == FACTS.keys() - {"viewer_erased"}
    write(log, written)
    archive = Archive(tmp_path / "archive")
    before = {tag: archive.query(log, f'SELECT * FROM "{tag}"') for tag in FACTS}
    result = archive.compact(log, covered=0)
    assert (result.position, result.facts, result.forgotten, result.dropped) == (37, 37, 0, ())
    assert {tag: archive.query(log, f'SELECT * FROM "{tag}"') for tag in FACTS} == before
    positions = {row[0] for table in before.values() for row in table.rows}
    assert positions == set(range(37))


def test_values_arrive_exactly(tmp_path: Path, log: FileLog) -> None:
    """Nested, binary, absent and JSON values are in their columns as they were in the fact."""
    write(log, [*OTHERS, *story("v")])
    archive = Archive(tmp_path / "archive")
    archive.compact(log, covered=0)
    sql = "SELECT slots[1].charge, slots[2].contract, contenders, looks, paid, position FROM decision"
    assert archive.query(log, sql).rows == ((500, None, b"\x00\xff", [0.9, 0.5], True, 11),)
    assert archive.query(log, "SELECT terms->>'goal' FROM wish").rows == (("2",),)
    assert archive.query(log, "SELECT place.longitude, traits FROM viewer").rows == ((-2.5, ["age=1"]),)
    assert archive.query(log, 'SELECT amount FROM "order" WHERE id = ?', ["o-v"]).rows == ((900,),)
    assert archive.query(log, "SELECT epoch_ms(time) FROM click").rows == ((7,),)


def test_an_archived_decision_is_found(tmp_path: Path, log: FileLog) -> None:
    """A decision comes back from the archive equal to what was logged; an unknown one is None."""
    write(log, story("v"))
    archive = Archive(tmp_path / "archive")
    assert archive.decision("d-v") is None
    archive.compact(log, covered=log.end)
    assert archive.decision("d-v") == decision("d-v", "v")
    assert archive.decision("d-w") is None


def test_segments_go_only_when_covered(tmp_path: Path, log: FileLog) -> None:
    """A segment stays until it is archived and a snapshot covers it; queries never count a fact twice."""
    write(log, story("v"))
    write(log, story("w"))
    write(log, [Tick(1)], seal=False)
    archive = Archive(tmp_path / "archive")
    assert archive.compact(log, covered=19).dropped == (tmp_path / "log" / "00000001.log",)
    assert archive.query(log, "SELECT count(*) FROM click").rows == ((2,),)
    assert archive.compact(log, covered=99).dropped == (tmp_path / "log" / "00000002.log",)
    assert (log.start, archive.position) == (20, 20)
    assert archive.query(log, "SELECT count(*) FROM click").rows == ((2,),)
    assert archive.query(log, 'SELECT "at" FROM tick').rows == ((1,),)


def test_an_erased_viewer_is_forgotten(tmp_path: Path, log: FileLog) -> None:
    """No archived fact names an erased viewer, also by decision, order or review; others' facts stay whole."""
    ours, others = [*story("v"), *served("v")], [*story("w"), *served("w")]
    write(log, [*OTHERS, *ours, *others, ViewerErased("v", 20)])
    archive = Archive(tmp_path / "archive")
    assert archive.compact(log, covered=log.end).forgotten == 14
    assert naming(archive, log, "v") == []
    assert len(naming(archive, log, "w")) == 14
    assert archive.decision("d-v") is None
    assert archive.decision("d-w") == decision("d-w", "w")


def test_erasure_reaches_older_files(tmp_path: Path, log: FileLog) -> None:
    """An erasure removes the viewer's rows from files of earlier compactions, and no other rows."""
    archive = Archive(tmp_path / "archive")
    write(log, [*story("v"), *story("w")])
    archive.compact(log, covered=log.end)
    write(log, [Refund("late-v", 15, "o-v", 1), ViewerErased("v", 20)])
    assert archive.compact(log, covered=log.end).forgotten == 11
    assert naming(archive, log, "v") == []
    assert len(naming(archive, log, "w")) == 10
    raw = b"".join(path.read_bytes() for path in (tmp_path / "archive").iterdir())
    assert b"o-w" in raw
    assert b"o-v" not in raw


def test_a_returned_viewer_keeps_what_came_after(tmp_path: Path, log: FileLog) -> None:
    """Facts of the same id after its erasure stay, those before it go."""
    archive = Archive(tmp_path / "archive")
    write(log, [Viewer("v", ("old=1",)), ViewerErased("v", 20), Viewer("v", ("new=1",)), decision("d2", "v")])
    archive.compact(log, covered=log.end)
    assert archive.query(log, "SELECT traits FROM viewer").rows == ((["new=1"],),)
    assert archive.query(log, "SELECT id FROM decision").rows == (("d2",),)


def test_compaction_goes_in_steps(tmp_path: Path, log: FileLog) -> None:
    """Steps of a few records archive each fact exactly once, in any number of files."""
    for name in "abcdefgh":
        write(log, story(name), seal=name in "ceh")
    archive = Archive(tmp_path / "archive", step_bytes=2_000)
    assert archive.compact(log, covered=log.end).facts == 80
    assert archive.query(log, "SELECT position FROM click ORDER BY position").rows == tuple(
        (4 + 10 * n,) for n in range(8)
    )
    assert len(list((tmp_path / "archive").glob("click-*.parquet"))) > 1


def test_a_gap_in_the_log_is_passed(tmp_path: Path) -> None:
    """Positions that the log lost are not waited for: compaction goes on after them."""
    log = FileLog(tmp_path / "log")
    write(log, [Tick(1)], seal=False)
    log.close()
    log = FileLog(tmp_path / "log", at_least=50)
    write(log, [Tick(2)])
    archive = Archive(tmp_path / "archive")
    assert archive.compact(log, covered=0).position == 51
    assert archive.query(log, 'SELECT position, "at" FROM tick ORDER BY 1').rows == ((0, 1), (50, 2))
    log.close()


def test_a_failed_step_changes_nothing(tmp_path: Path, log: FileLog) -> None:
    """When an archived file cannot be read, a compaction that needs it fails and removes no segment."""
    archive = Archive(tmp_path / "archive")
    write(log, story("v"))
    archive.compact(log, covered=0)
    (named,) = (tmp_path / "archive").glob("click-*.parquet")
    named.write_bytes(b"PAR1 no more")
    (tmp_path / "archive" / "scratch-left").mkdir()
    write(log, [ViewerErased("v", 20)])
    again = Archive(tmp_path / "archive")
    with pytest.raises(StoreError, match="could not be read or written"):
        again.compact(log, covered=log.end)
    assert (again.position, log.start) == (10, 0)
    assert not list((tmp_path / "archive").glob("scratch-*"))
    assert again.query(log, "SELECT id FROM viewer").rows == (("v",),)


def test_files_outside_the_manifest_do_not_count(tmp_path: Path, log: FileLog) -> None:
    """A file that a crash left before the manifest named it is not read, and the next step removes it."""
    archive = Archive(tmp_path / "archive")
    write(log, [Tick(1)])
    archive.compact(log, covered=0)
    (named,) = (tmp_path / "archive").glob("tick-*.parquet")
    orphan = named.with_name("tick-000002-9.parquet")
    orphan.write_bytes(named.read_bytes())
    again = Archive(tmp_path / "archive")
    assert again.query(log, "SELECT count(*) FROM tick").rows == ((1,),)
    write(log, [Tick(2)])
    again.compact(log, covered=0)
    assert not orphan.exists()
    assert again.query(log, "SELECT count(*) FROM tick").rows == ((2,),)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT 1; SELECT 2",
        "DROP VIEW tick",
        "COPY tick TO '{here}/out.parquet'",
        "SELECT * FROM read_text('{here}/secret')",
        "SELECT * FROM nothing",
        "SELEC 1",
        "SET enable_external_access = true",
        "ATTACH '{here}/db'",
    ],
)
def test_a_query_is_one_select_over_facts(tmp_path: Path, log: FileLog, sql: str) -> None:
    """Anything but one SELECT over the facts is refused and no file is read or written."""
    (tmp_path / "secret").write_text("secret")
    write(log, [Tick(1)])
    archive = Archive(tmp_path / "archive")
    archive.compact(log, covered=0)
    with pytest.raises(Refused) as refusal:
        archive.query(log, sql.format(here=tmp_path))
    assert refusal.value.field == "sql"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "log", "secret"]
    assert archive.query(log, 'SELECT "at" FROM tick').rows == ((1,),)


def test_a_newer_archive_is_refused(tmp_path: Path) -> None:
    """A manifest of a newer version, or a damaged one, is refused in one line."""
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"version": 99, "new": true}')
    with pytest.raises(DataFolderError, match=r"of archive version 99; this program reads up to \d+$"):
        Archive(tmp_path)
    manifest.write_text('{"version": 1, "pos')
    with pytest.raises(DataFolderError, match="is damaged"):
        Archive(tmp_path)
