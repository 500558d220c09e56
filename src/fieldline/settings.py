"""Settings: one declared table, from which the command line, the environment and the documentation are made."""

import os
from typing import Any, NamedTuple

from fieldline.errors import Refused


class Setting(NamedTuple):
    """One setting of a running server; its environment variable is FIELDLINE_ and its name in capitals."""

    name: str
    default: Any
    help: str


SETTINGS = (
    Setting("data", ".fieldline", "Folder that holds the log, the snapshots and the records."),
    Setting(
        "money", "", "Database of records and ledger that several engines share; empty: the folder's own."
    ),
    Setting("node", "", "Name of this one of several engines that share a database; empty: it is alone."),
    Setting("engines", 2, "How many engines share the database, where they have names."),
    Setting(
        "predictor", "", "Folder of the model that gives the chances; empty: the embedded predictor does."
    ),
    Setting(
        "shadow",
        "",
        "Folder of a model beside it, compared on the same impressions; `embedded`: the embedded one.",
    ),
    Setting("sentiment", "", "File of the model that reads reviews; empty: they count by their stars alone."),
    Setting("host", "127.0.0.1", "Address to listen on; only loopback is allowed until there are accounts."),
    Setting("port", 8420, "Port to listen on; 0 takes a free one."),
    Setting("most_in_flight", 512, "Requests in work above which further ones are answered 503."),
    Setting("organic_above", 256, "Requests in work above which paid delivery is dropped."),
    Setting("reply_before_durable", False, "Answer a decide request before its decision is on the disk."),
    Setting("demo_requests", 30.0, "Requests a second that the demo market sends."),
    Setting("demo_speed", 120.0, "Seconds of market time that pass in a second of the demo."),
)


def value_of(name: str) -> Any:
    """Return a setting from the environment, else its default.

    Raises:
        Refused: the environment's text is not of the setting's type.
    """
    setting = next(setting for setting in SETTINGS if setting.name == name)
    text = os.environ.get(f"FIELDLINE_{name.upper()}")
    return setting.default if text is None else _typed(setting, text)


def _typed(setting: Setting, text: str) -> Any:
    variable = f"FIELDLINE_{setting.name.upper()}"
    if isinstance(setting.default, bool):
        if text.lower() not in {"0", "1", "true", "false"}:
            raise Refused(variable, f"is {text!r}, expected true or false")
        return text.lower() in {"1", "true"}
    try:
        return type(setting.default)(text)
    except ValueError:
        raise Refused(variable, f"is {text!r}, expected {type(setting.default).__name__}") from None
