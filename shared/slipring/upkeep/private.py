"""Files and folders that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path


def make_parents(path: Path) -> None:
    """The folders above a file, each 0700; those that are there stay as they are."""
    for folder in reversed([parent for parent in path.parents if not parent.exists()]):
        folder.mkdir(mode=0o700)


def write_private(path: Path, content: bytes) -> None:
    """A new file, 0600 and on disk when this returns; never over one that is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
