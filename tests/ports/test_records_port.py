"""Every store of records keeps the promises of `fieldline.ports.Records`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from fieldline import stores
from fieldline.errors import Behind, Conflict, Unknown
from fieldline.facts import (
    Appeal,
    Asked,
    Creator,
    IntentCorrected,
    IntentsReset,
    Personalised,
    Place,
    Product,
    Ruling,
    Staged,
    StagedOffer,
    Video,
    Viewer,
    ViewerErased,
    Wish,
    WishEnded,
    WishPaused,
)
from fieldline.ports import Records
from fieldline.stores import open_records
from fieldline.stores.memory import MemoryRecords
from fieldline.stores.records import SqlRecords
from fieldline.units import Instant

Kept = MemoryRecords | SqlRecords
NOW = Instant(1_700_000_000_000)


@pytest.fixture(params=["memory", "sqlite"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """An empty store of each kind."""
    opened = open_records("memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'r.sqlite'}")
    yield opened
    opened.close()


def as_port(records: Kept) -> Records:
    """The type checker sees here that each store is a Records."""
    return records


def wish(version: int = 1, terms: str = '{"goal":2,"名":"春"}', id: str = "w") -> Wish:
    """A wish of a merchant."""
    return Wish(id=id, at=NOW + version, version=version, offer="storewide", owner="m", terms=terms)


def test_entries_come_back_whole(records: Kept) -> None:
    """An entry comes back with every field, under its own kind only."""
    viewer = Viewer("x", traits=("age=25-34",), follows=("c",), place=Place(31.25, -0.1), watched=("a", "b"))
    video = Video("x", "c", title="连衣裙 ‘春’", product="p", duration_ms=1 << 40)
    as_port(records).put_entries([viewer, video], NOW)
    assert as_port(records).entry("viewer", "x") == viewer
    assert as_port(records).entry("video", "x") == video
    assert as_port(records).entry("product", "x") is None
    assert as_port(records).entry("video", "y") is None


def test_entries_are_paged_in_order(records: Kept) -> None:
    """Pages of a kind follow each other by id, each once, in the order of the ids' code points."""
    ids = ["B", "a", "a1", "b", "é", "中", "😀"]
    records.put_entries([Creator(id) for id in reversed(ids)] + [Viewer("aa")], NOW)
    pages, after = [], ""
    while page := records.entries("creator", after, limit=3):
        pages.append([entry.id for entry in page])
        after = page[-1].id
    assert pages == [["B", "a", "a1"], ["b", "é", "中"], ["😀"]]


def test_each_change_of_an_entry_has_the_next_number(records: Kept) -> None:
    """New and changed entries are numbered in order; an entry put again unchanged is no change."""
    assert records.put_entries([], NOW) == 0
    assert records.put_entries([Creator("a"), Creator("b"), Creator("a", "anew")], NOW) == 3
    assert records.put_entries([Creator("b"), Creator("a", "anew")], NOW) == 3
    assert records.put_entries([Creator("b", "beta")], NOW) == 4
    assert list(records.changes()) == [(3, Creator("a", "anew")), (4, Creator("b", "beta"))]


def test_entries_are_put_all_or_none(records: Kept) -> None:
    """When the entries break off with an error, none of them is stored and no number is used."""

    def broken() -> Iterator[Creator]:
        for number in range(1_200):
            yield Creator(f"c{number}")
        raise OSError("the upload broke off")

    with pytest.raises(OSError, match="broke off"):
        records.put_entries(broken(), NOW)
    assert records.entries("creator") == []
    assert records.put_entries([Creator("a")], NOW) == 1


def test_replaced_entries_are_audited(records: Kept) -> None:
    """Replacing a product leaves who, when and from what to what; a new one, or a viewer, leaves nothing."""
    records.put_entries([Product("p", "m", price=5, stock=1), Viewer("v")], NOW, by="ann")
    assert records.audit("product:p") == []
    records.put_entries([Product("p", "m", price=6, stock=1), Viewer("v", ("age=1",))], NOW, by="bob")
    (line,) = records.audit("product:p")
    assert (line["subject"], line["at"], line["by"]) == ("product:p", NOW, "bob")
    assert (line["before"]["price"], line["after"]["price"]) == (5, 6)
    assert records.audit("viewer:v") == []


def test_a_wish_comes_back_whole(records: Kept) -> None:
    """A wish comes back with its terms byte for byte, running; an unknown one is None."""
    assert as_port(records).put_wish(wish(), "ann") == 1
    assert as_port(records).wish("w") == (wish(), False)
    assert as_port(records).wish("v") is None


def test_an_edit_needs_a_higher_version(records: Kept) -> None:
    """A wish whose version is not above the stored one is refused and nothing changes."""
    records.put_wish(wish(version=2), "ann")
    for version in (1, 2):
        with pytest.raises(Conflict) as refusal:
            records.put_wish(wish(version, "{}"), "bob")
        assert refusal.value.field == "version"
    assert records.wish("w") == (wish(version=2), False)
    assert len(records.audit("wish:w")) == 1
    assert records.put_wish(wish(version=4, terms="{}"), "bob") == 2
    assert records.wish("w") == (wish(version=4, terms="{}"), False)


def test_pausing_changes_once(records: Kept) -> None:
    """Pausing a paused wish, or resuming a running one, is no change and no audit line."""
    records.put_wish(wish(), "ann")
    assert records.pause_wish("w", False, NOW, "bob") == 1
    assert records.pause_wish("w", True, NOW, "bob") == 2
    assert records.pause_wish("w", True, NOW, "bob") == 2
    assert records.wish("w") == (wish(), True)
    assert records.pause_wish("w", False, NOW, "bob") == 3
    assert records.wish("w") == (wish(), False)
    assert [line["after"] for line in records.audit("wish:w")][1:] == [{"paused": True}, {"paused": False}]


def test_an_unknown_wish_cannot_be_paused(records: Kept) -> None:
    """Pausing a wish that nothing has is refused and nothing changes."""
    with pytest.raises(Unknown) as refusal:
        records.pause_wish("w", True, NOW, "bob")
    assert refusal.value.field == "id"
    assert list(records.changes()) == []
    assert records.audit("wish:w") == []


def test_a_wish_ends_once(records: Kept) -> None:
    """Ending is one change with one audit line, told after its wish; a second end changes nothing."""
    as_port(records).put_wish(wish(), "ann")
    assert as_port(records).end_wish("w", Instant(NOW + 5), "bob") == 2
    assert records.end_wish("w", Instant(NOW + 6), "eve") == 2
    assert list(records.changes()) == [(1, wish()), (2, WishEnded("w", NOW + 5))]
    assert list(records.changes(2)) == []
    assert [line["by"] for line in records.audit("wish:w")] == ["ann", "bob"]
    assert records.audit("wish:w")[1]["after"] == {"ended": True}


def test_an_unknown_wish_cannot_end(records: Kept) -> None:
    """Ending a wish that nothing has is refused and nothing changes."""
    with pytest.raises(Unknown) as refusal:
        records.end_wish("w", NOW, "bob")
    assert refusal.value.field == "id"
    assert list(records.changes()) == []
    assert records.audit("wish:w") == []


def test_a_database_of_the_first_revision_is_brought_up_to_date(tmp_path: Path) -> None:
    """A database that the first migration made keeps its wishes, which can then be ended."""
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(stores.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("INSERT INTO wishes VALUES ('w', 'storewide', 'm', 1, '{}', 5, 1, FALSE, NULL, NULL)")
        )
        connection.execute(text("INSERT INTO counters VALUES ('change', 1)"))
        connection.commit()
    engine.dispose()
    records = SqlRecords(url)
    assert records.wish("w") == (Wish("w", 5, 1, "storewide", "m", "{}"), False)
    assert records.end_wish("w", NOW, "ann") == 2
    records.close()


def test_the_audit_tells_the_story_of_a_wish(records: Kept) -> None:
    """The audit of a wish holds each change, oldest first, with before and after as JSON values."""
    records.put_wish(wish(1, '{"goal":2}'), "ann")
    records.put_wish(wish(2, '{"goal":3}'), "bob")
    records.pause_wish("w", True, Instant(NOW + 9), "eve")
    lines = records.audit("wish:w")
    assert [(line["by"], line["at"]) for line in lines] == [
        ("ann", NOW + 1),
        ("bob", NOW + 2),
        ("eve", NOW + 9),
    ]
    assert lines[0]["before"] is None
    assert (lines[1]["before"]["terms"], lines[1]["after"]["terms"]) == ('{"goal":2}', '{"goal":3}')
    assert lines[2]["before"] == {"paused": False}
    assert [line["n"] for line in lines] == sorted({line["n"] for line in lines})


def test_wishes_are_paged_in_order(records: Kept) -> None:
    """Pages of wishes follow each other by id, each with whether it is paused."""
    for id in ("c", "a", "b"):
        records.put_wish(wish(id=id), "ann")
    records.pause_wish("b", True, NOW, "ann")
    assert [(found.id, paused) for found, paused in records.wishes(limit=2)] == [("a", False), ("b", True)]
    assert [(found.id, paused) for found, paused in records.wishes(after="b")] == [("c", False)]


def test_changes_repeat_what_the_log_may_lack(records: Kept) -> None:
    """Changes after a number come by number, each thing's last state once, a pause after its wish."""
    records.put_entries([Creator("c")], NOW)
    records.put_wish(wish(1), "ann")
    records.pause_wish("w", True, NOW, "ann")
    assert records.put_wish(wish(2), "ann") == 5
    pause = WishPaused("w", NOW, True)
    assert list(records.changes()) == [(1, Creator("c")), (4, wish(2)), (5, pause)]
    assert list(records.changes(4)) == [(5, pause)]
    assert list(records.changes(5)) == []


def test_an_erased_viewer_is_gone(records: Kept) -> None:
    """An erased viewer is in no answer; the erasure is a change until it is forgotten too."""
    records.put_entries([Viewer("v", ("age=1",)), Viewer("w"), Creator("v")], NOW)
    assert records.erase_viewer("v", NOW, "lin") == 4
    assert records.entry("viewer", "v") is None
    assert records.entries("viewer") == [Viewer("w")]
    assert list(records.changes(2)) == [(3, Creator("v")), (4, ViewerErased("v", NOW))]
    records.note_heard("", 3, 1)
    assert len(list(records.changes(2))) == 2
    records.note_heard("", 4, 1)
    assert list(records.changes()) == [(2, Viewer("w")), (3, Creator("v"))]


def test_an_erasure_is_kept_until_every_engine_has_heard(records: Kept) -> None:
    """Of three engines the last to hear of an erasure ends its being told; one of a later change stays."""
    for id in ("v", "w"):
        records.erase_viewer(id, NOW, "lin")
    records.note_heard("a", 2, 3)
    records.note_heard("b", 1, 3)
    assert len(list(records.changes())) == 2
    records.note_heard("c", 1, 3)
    assert list(records.changes()) == [(2, ViewerErased("w", NOW))]
    records.note_heard("b", 2, 3)
    records.note_heard("c", 2, 3)
    assert list(records.changes()) == []


def test_an_erased_viewers_audit_is_gone(records: Kept) -> None:
    """What a viewer chose is audited under their name until they are erased; other lines stay as they were."""
    records.put_entries([Viewer("v"), Viewer("vw")], NOW)
    for id in ("v", "vw"):
        records.note(f"viewer:{id}", "local", NOW, '{"personalised":true}', '{"personalised":false}')
    kept = records.audit("viewer:vw")
    assert [line["after"] for line in records.audit("viewer:v")] == [{"personalised": False}]
    records.erase_viewer("v", NOW, "lin")
    assert records.audit("viewer:v") == []
    assert records.audit("viewer:vw") == kept != []
    records.note("viewer:vw", "local", NOW, None, '{"personalised":true}')
    numbers = [line["n"] for line in records.audit("viewer:vw")]
    assert numbers == sorted(set(numbers))


def test_a_viewer_can_come_back(records: Kept) -> None:
    """A viewer put again after an erasure is a change after it."""
    records.put_entries([Viewer("v", ("old=1",))], NOW)
    records.erase_viewer("v", NOW, "lin")
    records.put_entries([Viewer("v")], NOW)
    records.erase_viewer("v", Instant(NOW + 1), "lin")
    records.put_entries([Viewer("v")], NOW)
    assert list(records.changes()) == [(4, ViewerErased("v", NOW + 1)), (5, Viewer("v"))]


def test_one_whom_nobody_entered_is_erased_too(records: Kept) -> None:
    """Erasing an id that no viewer has is a change and an audit line that does not name it; a creator of it stays."""
    records.put_entries([Creator("v")], NOW)
    assert records.erase_viewer("v", NOW, "lin") == 2
    assert list(records.changes()) == [(1, Creator("v")), (2, ViewerErased("v", NOW))]
    assert [(line["by"], line["after"]) for line in records.audit("viewers")] == [("lin", "one erased")]


def ask(records: Kept, fact: Asked, heard: int) -> int:
    """Ask for something, what changes by it being left out."""
    return as_port(records).put_asked(fact, "ann", None, "{}", heard)


PLAN = (StagedOffer("p", NOW, NOW + 60_000, 5), StagedOffer("春", NOW + 9))


def test_what_was_asked_for_comes_back_whole(records: Kept) -> None:
    """Each kind is told by `changes` as it was asked for, with every field, under the next number."""
    facts: list[Asked] = [
        Staged("r", NOW, 3, PLAN),
        Personalised("v", NOW, False),
        IntentCorrected("v", NOW, "连衣裙", None),
        IntentsReset("v", NOW),
        Appeal("a", NOW, "m", "refund", "o1", "“不是我的”"),
        Ruling("a@1", NOW, "a", True, "yes"),
    ]
    for heard, fact in enumerate(facts):
        assert ask(records, fact, heard) == heard + 1
    assert list(records.changes()) == list(enumerate(facts, 1))
    assert list(records.changes(4)) == [(5, facts[4]), (6, facts[5])]


def test_the_last_word_on_a_matter_stands(records: Kept) -> None:
    """Of a room's plans, a category's corrections and an appeal's rulings the last is told, under its own number."""
    first, second = Staged("r", NOW, 1, PLAN), Staged("r", NOW + 1, 2)
    browse, ready = IntentCorrected("v", NOW, "tea", "browse"), IntentCorrected("v", NOW + 1, "tea", "ready")
    other = IntentCorrected("v", NOW, "shoes", None)
    upheld, rejected = Ruling("a@1", NOW, "a", True), Ruling("a@2", NOW + 1, "a", False)
    facts: list[Asked] = [first, browse, other, upheld, second, ready, rejected]
    for heard, fact in enumerate(facts):
        ask(records, fact, heard)
    assert list(records.changes()) == [(3, other), (5, second), (6, ready), (7, rejected)]


def test_opting_in_does_not_hide_that_one_opted_out(records: Kept) -> None:
    """Who opted out and in again is told to have done both, in that order; out again comes last."""
    out, back = Personalised("v", NOW, False), Personalised("v", NOW + 1, True)
    ask(records, out, 0)
    ask(records, back, 1)
    assert list(records.changes()) == [(1, out), (2, back)]
    ask(records, out, 2)
    assert list(records.changes()) == [(2, back), (3, out)]


def test_what_was_not_checked_against_the_newest_is_not_stored(records: Kept) -> None:
    """Asking without having heard of a plan, a product or an erasure is refused and leaves neither row nor audit."""
    ask(records, Staged("r", NOW, 1, PLAN), 0)
    records.put_entries([Product("p", "m", price=5, stock=1)], NOW)
    records.erase_viewer("v", NOW, "lin")
    before = list(records.changes())
    for heard in (0, 1, 2):
        with pytest.raises(Behind):
            records.put_asked(Staged("r", NOW, 2), "bob", "[]", "[]", heard, Creator("c"))
    assert list(records.changes()) == before
    assert records.entry("creator", "c") is None
    assert len(records.audit("room:r")) == 1
    assert ask(records, Staged("r", NOW, 2), 3) == 4


def test_what_was_forgotten_need_not_be_heard(records: Kept) -> None:
    """An erasure whose id was forgotten stands in nobody's way, though its number was given."""
    records.erase_viewer("v", NOW, "lin")
    records.note_heard("", 1, 1)
    assert ask(records, Staged("r", NOW, 1), 0) == 2


def test_a_ruling_and_its_item_are_one(records: Kept) -> None:
    """A ruling stores the item that it approves again in the same breath, both audited, the item after it."""
    refused = Product("p", "m", price=5, stock=1, approved=False)
    records.put_entries([refused], NOW)
    approved = Product("p", "m", price=5, stock=1)
    ruling = Ruling("a@1", NOW, "a", True)
    assert records.put_asked(ruling, "lin", '"open"', "{}", 1, approved) == 3
    assert list(records.changes(1)) == [(2, ruling), (3, approved)]
    assert [line["by"] for line in records.audit("appeal:a") + records.audit("product:p")] == ["lin", "lin"]


def test_what_an_erased_viewer_chose_is_gone(records: Kept) -> None:
    """Erasing a viewer takes their choices out of the changes, and no other viewer's, nor a room's of the same id."""
    kept: list[Asked] = [Personalised("w", NOW, False), Staged("v", NOW, 1)]
    gone: list[Asked] = [Personalised("v", NOW, False), Personalised("v", NOW, True), IntentsReset("v", NOW)]
    for heard, fact in enumerate((*kept, *gone, IntentCorrected("v", NOW, "tea", "ready"))):
        ask(records, fact, heard)
    assert records.erase_viewer("v", NOW, "lin") == 7
    assert [fact for _, fact in records.changes()] == [*kept, ViewerErased("v", NOW)]
    assert records.audit("viewer:v") == []
