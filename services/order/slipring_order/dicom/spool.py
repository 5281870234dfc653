"""Received objects on disk: durable before they are acknowledged, kept until they are worked off, never more than allowed.

`incoming` is being received, `received` is acknowledged and waits, `kept` holds phantom series for good, `refused`
what no order function could take, for a person to look at. The folder is the queue: a process that was killed
finds there what it had promised.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

_FOLDERS = ("incoming", "received", "kept", "refused")
_RESERVE_BYTES = 200_000_000  # of the disk, for everything else that lives on it


@dataclass(frozen=True, slots=True)
class Received:
    """One acknowledged object that waits."""

    path: Path
    ae_title: str  # who sent it
    at_seconds: float  # when, since 1970


class Full(OSError):
    """No more may lie in the spool."""


class Spool:
    """The folder of one process; all methods may be called from any thread."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes = 0

    def open(self) -> None:
        """Make the folders; what was not acknowledged when the process ended is nobody's and goes."""
        for name in _FOLDERS:
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in (self.folder / "incoming").iterdir():
            left.unlink(missing_ok=True)
        with self._lock:
            self._bytes = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def held_bytes(self) -> int:
        """How much lies here."""
        return self._bytes

    def take(self, size: int) -> None:
        """Reserve room for so many bytes, or Full."""
        with self._lock:
            if self._bytes + size > self.most_bytes:
                raise Full("the spool is full")
            self._bytes += size

    def give_back(self, size: int) -> None:
        """Room that is free again."""
        with self._lock:
            self._bytes -= size

    def demand_disk(self) -> None:
        """Full when the disk itself has hardly any room left."""
        if shutil.disk_usage(self.folder).free < _RESERVE_BYTES:
            raise Full("the disk is full")

    def new_incoming(self) -> Path:
        """A name for an object that begins to arrive."""
        return self.folder / "incoming" / f"{uuid.uuid4().hex}.dcm"

    def acknowledge(self, incoming: Path, ae_title: str) -> Path:
        """Make a closed, complete object durable: only after this may the sender be told that it is stored."""
        _sync(incoming)
        name = f"{time.time_ns():020d}-{quote(ae_title, safe='')}-{uuid.uuid4().hex[:8]}.dcm"
        target = self.folder / "received" / name
        incoming.rename(target)
        _sync(target.parent)
        return target

    def waiting(self) -> Iterator[Received]:
        """What waits, the oldest first."""
        for path in sorted((self.folder / "received").glob("*.dcm")):
            at, _, rest = path.stem.partition("-")
            yield Received(path, unquote(rest.rpartition("-")[0]), int(at) / 1e9 if at.isdigit() else 0.0)

    def refused(self) -> int:
        """How many objects lie there that nothing could be done with."""
        return sum(1 for _ in (self.folder / "refused").glob("*.dcm"))

    def done(self, received: Received) -> None:
        """It has been worked off: what it says is on record."""
        size = received.path.stat().st_size
        received.path.unlink()
        self.give_back(size)

    def refuse(self, received: Received) -> None:
        """Put it aside for a person."""
        received.path.rename(self.folder / "refused" / received.path.name)

    def keep(self, received: Received, *names: str) -> Path:
        """Keep it for good under these names; the same object sent again takes its own place."""
        parts = [quote(name, safe="").strip(".") or "-" for name in names]
        target = (self.folder / "kept").joinpath(*parts[:-1]) / f"{parts[-1]}.dcm"
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replaced = target.stat().st_size if target.exists() else 0
        received.path.rename(target)
        self.give_back(replaced)
        _sync(target.parent)
        return target


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
