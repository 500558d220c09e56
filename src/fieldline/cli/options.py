"""Options that several commands share, made from the table of settings."""

from typing import Any

import typer

from fieldline.settings import SETTINGS, value_of


def setting(name: str, *flags: str) -> Any:
    """Return the command-line option of a setting: its flag, its environment variable, its help.

    Args:
        name: as in `settings.SETTINGS`.
        flags: its flags; `--name` when none are given.
    """
    row = next(row for row in SETTINGS if row.name == name)
    return typer.Option(
        *(flags or (f"--{name.replace('_', '-')}",)),
        default_factory=lambda: value_of(name),
        help=f"{row.help} [env: FIELDLINE_{name.upper()}; default: {row.default}]",
        show_default=False,
    )
