"""docs/systems.md: every system once, and what it points at is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (S\d\d) \|[^|]*\| ([^|]*) \|([^|]*)\|([^|]*)\|$", (ROOT / "docs/systems.md").read_text(), re.M
)


def test_every_system_has_one_row() -> None:
    """S01 to S70 each stand on exactly one row."""
    assert sorted(row[0] for row in ROWS) == [f"S{number:02d}" for number in range(1, 71)]


def test_what_works_is_shown_by_something_that_exists() -> None:
    """A row that is not “not yet” says what works and names a test or command, and each test named exists."""
    for id, state, works, shown in ROWS:
        if state == "not yet":
            assert not works.strip() and not shown.strip(), id
        else:
            assert works.strip() and shown.strip(), id
            for path in re.findall(r"`(tests/[^`]+)`", shown):
                assert (ROOT / path).exists(), path
