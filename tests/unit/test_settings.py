"""Settings: declared once, documented, read from the environment."""

from pathlib import Path

import pytest

from fieldline.errors import Refused
from fieldline.settings import SETTINGS, Setting, value_of

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: Setting) -> None:
    """The documentation has each setting's row with its variable, its default and its help."""
    variable = f"FIELDLINE_{setting.name.upper()}"
    assert f"| {setting.name} | `{variable}` | `{setting.default}` | {setting.help} |" in DOCS.read_text()


def test_nothing_else_is_documented() -> None:
    """The documentation has as many rows as there are settings."""
    assert DOCS.read_text().count("| `FIELDLINE_") == len(SETTINGS)


def test_the_environment_wins_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """FIELDLINE_PORT=9000 is the number 9000, and a word in its place is refused by its name."""
    monkeypatch.setenv("FIELDLINE_PORT", "9000")
    assert value_of("port") == 9000
    monkeypatch.setenv("FIELDLINE_PORT", "ninety")
    with pytest.raises(Refused, match="FIELDLINE_PORT"):
        value_of("port")
