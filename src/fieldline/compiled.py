"""The one door to numba: a cache that notices every changed source, and the options all kernels share."""

import os
import tempfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Return the folder of compiled kernels, keyed by a hash of the package's sources.

    numba's own cache looks at the file of the kernel alone and keeps a stale binary when a callee in another
    file changed; a folder per state of the sources cannot be stale.
    """
    package = Path(__file__).parent
    digest = blake2b(digest_size=8)
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        if b"compiled import" in text or source.name == "compiled.py":
            digest.update(source.relative_to(package).as_posix().encode() + b"\0" + text)
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(base) / "fieldline" / f"kernels-{digest.hexdigest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"fieldline-kernels-{digest.hexdigest()}"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

import numba  # noqa: E402  (numba reads its cache folder when imported)

prange = numba.prange
intrinsic = numba.extending.intrinsic


def njit(
    function: Kernel | None = None, *, parallel: bool = False, inline: str = "never", fastmath: bool = False
) -> Any:
    """Compile a kernel to machine code on first call, cached on disk, without the interpreter's lock."""

    def compile_(target: Kernel) -> Any:
        options: dict[str, Any] = {"parallel": parallel, "inline": inline, "fastmath": fastmath}
        return numba.njit(target, cache=True, nogil=True, error_model="numpy", **options)

    return compile_ if function is None else compile_(function)
