"""A bundle: a folder with a model that was trained outside the engine, and what it says of itself.

`model.json` holds the declaration, `model.txt` (LightGBM) or `model.onnx` the model. No other file is read, and
neither may be a link. Whatever is wrong with a bundle is told at once, before anything is served with it.
"""

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from fieldline.errors import ModelRefused

FORMAT = 1
DECLARATION = "model.json"
FILES = {"lightgbm": "model.txt", "onnx": "model.onnx"}
KNOWN = ("click", "long_view", "order", "like", "follow", "hate")
"""Tasks that a model may have: chances given a look, but `order`, which is given a click."""
NEEDED = ("click", "long_view")
MOST_BYTES = {DECLARATION: 1 << 20, "model.txt": 1 << 28, "model.onnx": 1 << 28}

Kind = Literal["lightgbm", "onnx"]


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model says of itself."""

    format: int
    kind: Kind
    name: str
    features: tuple[str, ...]
    """Its inputs in their order, each a column of `traffic.prediction.sheet.FEATURES`."""
    tasks: tuple[str, ...]
    """Its outputs in their order."""
    rows: int
    """Looks that it was trained on."""
    since: int
    """Instant of the oldest of them, ms."""
    until: int
    """Instant of the newest, ms."""
    blend: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    """Share of the embedded predictor's log-odds in what is served, in tasks that it has a column for (trees alone)."""
    sha256: str = ""
    """Digest of the model's file, in hex; `write` fills it in."""


def write(folder: Path, bundle: Bundle, model: bytes) -> None:
    """Write a bundle: the model first, its declaration last.

    Args:
        folder: made where it is missing.
        bundle: its digest is filled in.
        model: what goes into the model's file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DECLARATION).unlink(missing_ok=True)
    (folder / FILES[bundle.kind]).write_bytes(model)
    stamped = msgspec.structs.replace(bundle, sha256=sha256(model).hexdigest())
    text = msgspec.json.format(msgspec.json.encode(stamped), indent=2)
    (folder / DECLARATION).write_bytes(text + b"\n")


def read(folder: Path) -> tuple[Bundle, bytes]:
    """Return a bundle's declaration and the bytes of its model.

    Raises:
        ModelRefused: a file is missing, a link, too large or garbled.
    """
    try:
        bundle = msgspec.json.decode(_bytes(folder, DECLARATION), type=Bundle)
    except msgspec.DecodeError as error:
        raise ModelRefused(folder, (f"{DECLARATION}: {error}",)) from None
    return bundle, _bytes(folder, FILES[bundle.kind])


def differences(bundle: Bundle, model: bytes, made: tuple[str, ...]) -> tuple[str, ...]:
    """Return all in which a declaration differs from what the engine takes and from its file.

    Args:
        bundle: the declaration.
        model: bytes of its file.
        made: the columns that the engine makes.
    """
    found = []
    if bundle.format != FORMAT:
        found.append(f"format is {bundle.format}, expected {FORMAT}")
    if not 1 <= len(bundle.name) <= 64:
        found.append("name must have 1 to 64 characters")
    digest = sha256(model).hexdigest()
    if bundle.sha256 != digest:
        found.append(f"{FILES[bundle.kind]} has sha256 {digest}, declared is {bundle.sha256 or 'none'}")
    found += [f"the engine makes no feature {name!r}" for name in bundle.features if name not in made]
    found += [f"feature {name!r} is declared twice" for name in _twice(bundle.features)]
    found += [f"task {name!r} is none of {', '.join(KNOWN)}" for name in bundle.tasks if name not in KNOWN]
    found += [f"task {name!r} is declared twice" for name in _twice(bundle.tasks)]
    found += [f"task {name!r} is missing" for name in NEEDED if name not in bundle.tasks]
    return tuple(found)


def unlike(what: str, own: tuple[str, ...], declared: tuple[str, ...]) -> list[str]:
    """Return in which the inputs that a file names differ from those declared.

    Args:
        what: whose inputs they are.
        own: the file's.
        declared: the bundle's.
    """
    found = []
    if len(own) != len(declared):
        found.append(f"{what} takes {len(own)} features, declared are {len(declared)}")
    return found + [
        f"{what}: feature {place} is {mine!r}, declared is {theirs!r}"
        for place, (mine, theirs) in enumerate(zip(own, declared, strict=False))
        if mine != theirs
    ]


def _bytes(folder: Path, name: str) -> bytes:
    file = folder / name
    if file.is_symlink() or not file.is_file():
        raise ModelRefused(folder, (f"{name} is missing, or no plain file",))
    if file.stat().st_size > MOST_BYTES[name]:
        raise ModelRefused(folder, (f"{name} is larger than {MOST_BYTES[name] >> 20} MiB",))
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelRefused(folder, (f"{name} cannot be read: {error.strerror}",)) from None


def _twice(names: tuple[str, ...]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
