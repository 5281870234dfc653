"""Storage: an object is written to the spool while it arrives, and acknowledged when it is safe there (PS3.4 annex B).

pynetdicom writes a received object to a temporary file of its own choice; here that file lies in the spool, on the
same disk, counts against its limit, and swallows what does not fit, so that the sender gets a status and no broken line.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import structlog
from pydicom import dcmread
from pydicom.uid import UID
from pynetdicom import _config, dimse_messages, evt

from slipring_order.dicom.spool import Full, Spool

_LOG = structlog.get_logger("slipring.dicom")
SUCCESS, OUT_OF_RESOURCES, MISMATCH, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xA900, 0xC000
_STEP = 1_000_000  # room is taken in steps of a megabyte
_BUFFER = 262_144
_IDENTIFYING = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]


class Incoming:
    """A file that grows as an object arrives; once there is no room it takes no more, and remembers that."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._reserved = self._written = 0
        self.full = False
        self.path = spool.new_incoming()
        self.name = str(self.path)
        self.file = self  # pynetdicom flushes the file within its file
        try:
            spool.demand_disk()
            self._file = self.path.open("xb", buffering=_BUFFER)
        except OSError:
            self.full = True

    def write(self, data: bytes) -> int:
        """Take some more of the object."""
        if self.full:
            return len(data)
        try:
            while self._written + len(data) > self._reserved:
                self._spool.take(_STEP)
                self._reserved += _STEP
            self._file.write(data)
            self._written += len(data)
        except OSError:
            self.full = True
        return len(data)

    def flush(self) -> None:
        """Nothing: it is flushed once, when it is whole."""

    def finish(self) -> bool:
        """Close it; whether all of it is there. What was reserved beyond its size is given back."""
        if not self.full:
            try:
                self._file.close()
            except OSError:
                self.full = True
        kept = 0 if self.full else self._written
        self._spool.give_back(self._reserved - kept)
        self._reserved = kept
        return not self.full

    def close(self) -> None:
        """Away with it, unless it was acknowledged and lies elsewhere by now."""
        with contextlib.suppress(OSError, AttributeError):
            self._file.close()
        if self.path.exists() or self.full:
            self._spool.give_back(self._reserved)
            self._reserved = 0
            self.path.unlink(missing_ok=True)


class Storing:
    """Answers C-STORE; `arrived` is called after each object that was acknowledged."""

    def __init__(self, spool: Spool, peer: Callable[[evt.Event], str], arrived: Callable[[], None]) -> None:
        self._spool = spool
        self._peer = peer
        self._arrived = arrived
        self.turned_away = 0

    def stored(self, event: evt.Event) -> int:
        """Acknowledge an object that is whole, readable and safe on disk."""
        incoming = getattr(event.request, "_dataset_file", None)
        if not isinstance(incoming, Incoming):
            return NOT_UNDERSTOOD  # a C-STORE without an object
        try:
            if not incoming.finish():
                self.turned_away += 1
                _LOG.warning("dicom object turned away", reason="no room")
                return OUT_OF_RESOURCES
            status = _fault(incoming.path, event)
            if status == SUCCESS:
                self._spool.acknowledge(incoming.path, self._peer(event))
                self._arrived()
            return status
        except Full:
            return OUT_OF_RESOURCES
        except OSError as problem:
            self.turned_away += 1
            _LOG.error("dicom object not stored", kind=type(problem).__name__)
            return OUT_OF_RESOURCES

    def ended(self, event: evt.Event) -> None:
        """An association is over: what it left half-sent goes."""
        message = getattr(event.assoc.dimse, "message", None)
        incoming = getattr(message, "_data_set_file", None)
        if isinstance(incoming, Incoming):
            incoming.close()


def _fault(path: Path, event: evt.Event) -> int:
    """Whether the object is what its command says, by the few elements that name it."""
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=_IDENTIFYING)
        found = [str(header.get(name) or "") for name in _IDENTIFYING]
    except OSError:
        raise
    except Exception:  # what bytes of strangers raise in pydicom is no closed list
        return NOT_UNDERSTOOD
    request: Any = event.request
    told = [str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)]
    if found[:2] != told or not all(UID(one).is_valid for one in found):
        return MISMATCH
    return SUCCESS


def receive_into_spools() -> None:
    """From now on pynetdicom writes what our servers receive into their spools."""
    _config.STORE_RECV_CHUNKED_DATASET = True
    dimse_messages.NamedTemporaryFile = _file_of_this_thread  # type: ignore[assignment,attr-defined]


def _file_of_this_thread(**how: Any) -> Any:
    """The file for an object that this thread receives: in the spool of its server, when that is one of ours."""
    association = getattr(threading.current_thread(), "assoc", None)
    spool = getattr(getattr(association, "_server", None), "spool", None)
    return Incoming(spool) if spool is not None else NamedTemporaryFile(**how)
