"""Files that are there whole or not at all, also after a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names of a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, *parts: bytes) -> None:
    """Write a file so that a crash leaves either the old one or the new one, both durable."""
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync_folder(path.parent)


def write_all(file: int, buffer: bytes) -> None:
    """Write a buffer to a file descriptor, however many calls that takes."""
    written = os.write(file, buffer)
    while written < len(buffer):
        written += os.write(file, memoryview(buffer)[written:])
