"""What can go wrong, as one tree:

FieldlineError
├── Refused              input that is not taken; names the field            HTTP 422, exit 2
│   ├── Unknown          an id that nothing has                              HTTP 404 (409 inside a batch: 422)
│   ├── OutOfReach       a goal that the forecast says cannot be met         HTTP 422
│   ├── ModelRefused     a model that is not what it says; lists all of it   exit 2
│   └── Conflict         true input at the wrong moment or version           HTTP 409
├── Overloaded           too much to do; try again later                     HTTP 503
├── Missing              an extra that is not installed                      exit 2
├── DataFolderError      missing, locked or newer than this program          exit 2
└── StoreError           what a store could not do
    ├── StaleSnapshot    a snapshot of a program whose state had another shape
    ├── LogWriteError    records could not be made durable
    ├── LogCorrupt       a segment is damaged before its end (file, offset)
    ├── Behind           what was typed elsewhere has not been heard of
    ├── UnbalancedEntry  postings that do not sum to zero
    ├── KeyReused        one ledger key with two contents
    └── Overdrawn        an account that may not would go below zero
"""


class FieldlineError(Exception):
    """Anything that Fieldline raises on purpose."""


class Refused(FieldlineError):
    """Input that is not taken; nothing was changed."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Unknown(Refused):
    """An id that nothing has."""


class OutOfReach(Refused):
    """A goal that the forecast says cannot be met, and that nobody confirmed."""


class ModelRefused(Refused):
    """A model that is not what it says it is, or not what the engine can serve; it was not served."""

    def __init__(self, folder: object, differences: tuple[str, ...]) -> None:
        super().__init__(f"model in {folder}", "; ".join(differences))
        self.differences = differences


class Conflict(Refused):
    """True input at the wrong moment or version."""


class Overloaded(FieldlineError):
    """Too much to do; try again after some seconds."""

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__(f"overloaded; retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Missing(FieldlineError):
    """A package that an extra brings is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; pip install 'fieldline[{extra}]' brings it")
        self.package = package
        self.extra = extra


class DataFolderError(FieldlineError):
    """The data folder is missing, locked by another process, or newer than this program."""


class StoreError(FieldlineError):
    """What a store could not do."""


class StaleSnapshot(StoreError):
    """A snapshot was written by a program whose state had another shape; the log makes the state anew."""

    def __init__(self) -> None:
        super().__init__("the snapshot was written by another version of this program")


class LogWriteError(StoreError):
    """Records could not be made durable."""


class LogCorrupt(StoreError):
    """A log segment is damaged before its end."""

    def __init__(self, file: str, offset: int, reason: str) -> None:
        super().__init__(f"{file} is damaged at byte {offset}: {reason}")
        self.file = file
        self.offset = offset


class Behind(StoreError):
    """Something was typed that what is to be recorded was not checked against; hear of it and check again."""


class UnbalancedEntry(StoreError):
    """A ledger entry whose postings do not sum to zero."""


class KeyReused(StoreError):
    """One ledger key with two contents."""


class Overdrawn(StoreError):
    """An account that may not go below zero would."""
